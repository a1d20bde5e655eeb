"""Worker processes: persistent children that take JSON tasks, are limited, and are killed with all they started.

Knows nothing of actions; what a task means is between the caller and the child (see `worker`).
"""

import asyncio
import json
import os
import signal
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from clipbuild import errors
from clipbuild.engine import worker
from clipbuild.errors import ActionError, shown

Progress = Callable[[float, str], None]
_MAX_LINE = 64 << 20
_STDERR_LINES = 12
_PASSED_ON = ("PATH", "HOME", "TMPDIR", "PYTHONPATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "FONTCONFIG_FILE")
_KNOWN_ERRORS = ("ActionError", "MediaError", "UsageError", "IntegrityError")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one worker may use; 0 is no limit. `cpu_seconds` counts per task, the others per process."""

    cpu_seconds: int = 600
    memory_bytes: int = 0
    file_bytes: int = 4 << 30


def cores(quota: str = "/sys/fs/cgroup/cpu.max") -> int:
    """How many processors this process may use: in a container or under `taskset` fewer than the machine has."""
    allowed = getattr(os, "sched_getaffinity", None)  # not on macOS
    most = len(allowed(0)) if allowed else os.cpu_count() or 1
    with suppress(OSError, ValueError), open(quota, encoding="ascii") as file:
        share, period = map(int, file.read().split())  # no numbers: no quota
        most = min(most, max(1, -(-share // period)))
    return most


def environment(base: Mapping[str, str], **extra: str) -> dict[str, str]:
    """What a child gets to see: an allow-list of `base`, a fixed locale, time zone and hash seed, and `extra`."""
    passed = {name: base[name] for name in _PASSED_ON if name in base}
    return {**passed, "LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "0", "PYTHONUTF8": "1", **extra}


class Workers:
    """At most `count` children of `argv`, started when first needed, replaced when they die.

    `env` is all they see (see `environment`). `folder` is where each gets its own working folder, for temporary
    files too: whoever cleans up there has all that a killed one left.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        count: int,
        env: Mapping[str, str],
        limits: Limits | None = None,
        folder: str | None = None,
    ) -> None:
        self._argv = tuple(argv)
        self._env = dict(env)
        self._limits = limits or Limits()
        self._folder = folder
        self._idle: list[_Child] = []
        self._all: set[_Child] = set()
        self._leaving: set[asyncio.Task[None]] = set()
        self._started = 0
        self._places = asyncio.Semaphore(count)

    async def run(
        self, task: Mapping[str, Any], progress: Progress | None = None, wall_seconds: float | None = None
    ) -> dict[str, Any]:
        """Give a task to a child and wait for its result.

        A child that takes longer than `wall_seconds`, crashes or answers nonsense is killed with its process group
        and replaced; so is one whose task is cancelled. Raises ActionError and what the task raised.
        """
        async with self._places:
            child = self._rested() or await self._start()
            try:
                async with asyncio.timeout(wall_seconds):
                    reply = await child.ask(task, progress, self._limits.cpu_seconds)
            except TimeoutError:
                self._end(child)
                raise ActionError(
                    "took too long and was ended", [("limit", f"{wall_seconds:g} s"), *child.said()]
                ) from None
            except BaseException:
                self._end(child)
                raise
            self._idle.append(child)
        return _result(reply)

    async def close(self) -> None:
        """End all children with all they started."""
        self._idle.clear()
        for child in list(self._all):
            self._end(child)
        while self._leaving:
            await asyncio.wait(self._leaving)

    def _rested(self) -> "_Child | None":
        """A child that waits for work. One that died meanwhile, as of want of memory, is no fault of the next task."""
        while self._idle:
            child = self._idle.pop()
            if child.process.returncode is None:
                return child
            self._end(child)
        return None

    async def _start(self) -> "_Child":
        limits = {name: value for name, value in asdict(self._limits).items() if value}
        env = {**self._env, worker.LIMITS: json.dumps(limits), worker.PARENT: str(os.getpid())}
        folder = self._own_folder()
        env |= {"TMPDIR": folder} if folder else {}
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *self._argv, stdin=pipe, stdout=pipe, stderr=pipe, env=env, cwd=folder,
                start_new_session=True, limit=_MAX_LINE,
            )  # fmt: skip
        except OSError as error:
            raise ActionError(f"a worker can't be started: {error.strerror}") from error
        child = _Child(process)
        self._all.add(child)
        return child

    def _own_folder(self) -> str | None:
        if self._folder is None:
            return None
        self._started += 1
        folder = os.path.join(os.path.abspath(self._folder), f"worker-{os.getpid()}-{self._started}")
        os.makedirs(folder, mode=0o700, exist_ok=True)
        return folder

    def _end(self, child: "_Child") -> None:
        """Kill now; the rest of its going is waited for in `close`."""
        self._all.discard(child)
        child.kill()
        task = asyncio.create_task(child.gone())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)


@dataclass(eq=False, slots=True)
class _Child:
    """One worker process and what it last said on standard error."""

    process: asyncio.subprocess.Process
    number: int = 0
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=_STDERR_LINES))
    listener: asyncio.Task[None] | None = None
    killed: bool = False

    def __post_init__(self) -> None:
        self.listener = asyncio.create_task(self._listen())

    async def ask(self, task: Mapping[str, Any], progress: Progress | None, cpu_seconds: int) -> dict[str, Any]:
        """One task out, its reply back; progress on the way."""
        self.number += 1
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        message = {"id": self.number, "cpu_seconds": cpu_seconds, "task": task}
        try:
            stdin.write(json.dumps(message).encode() + b"\n")
            await stdin.drain()
            while True:
                reply = _message(await stdout.readline(), self.number)
                if reply is None:
                    raise await self._crash()
                if "progress" not in reply:
                    return reply
                if progress is not None:
                    progress(float(reply["progress"]), str(reply.get("note", "")))
        except (OSError, ValueError) as error:
            raise await self._crash() from error

    def said(self) -> list[tuple[str, str]]:
        """The last lines of standard error as a fact."""
        text = "\n".join(self.lines)
        return [("stderr", shown(text[-2000:], 2000).replace("\\x0a", "\n"))] if text else []

    def kill(self) -> None:
        """End the child and everything in its process group; once, for the number may be another's later."""
        if self.killed:
            return
        self.killed = True
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        if self.process.stdin is not None:
            self.process.stdin.close()

    async def gone(self) -> None:
        """Wait until it is."""
        await self.process.wait()
        if self.listener is not None:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(asyncio.shield(self.listener), 1.0)

    async def _crash(self) -> ActionError:
        """What to say of a child that went away or talks nonsense."""
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.process.wait(), 1.0)
        self.kill()
        await self.gone()
        return ActionError("the worker broke down", [("end", _ending(self.process.returncode)), *self.said()])

    async def _listen(self) -> None:
        stderr = self.process.stderr
        assert stderr is not None
        while chunk := await stderr.read(65536):
            self.lines.extend(chunk.decode("utf-8", "replace").splitlines()[-_STDERR_LINES:])


def _message(line: bytes, number: int) -> dict[str, Any] | None:
    """The message in a line of a child, or None for none of the task asked about. Raises ValueError."""
    found = json.loads(line) if line.endswith(b"\n") else None
    return found if isinstance(found, dict) and found.get("id") == number else None


def _ending(code: int | None) -> str:
    if code is None:
        return "talked nonsense"
    if code >= 0:
        return f"exit {code}"
    name = signal.Signals(-code).name if -code in signal.valid_signals() else str(-code)
    return {
        "SIGXCPU": "SIGXCPU: more processor time than it may use",
        "SIGKILL": "SIGKILL: out of memory, or ended",
    }.get(name, name)


def _result(reply: Mapping[str, Any]) -> dict[str, Any]:
    told = reply.get("error")
    if told is None:
        result = reply.get("result")
        if not isinstance(result, dict):
            raise ActionError("the worker gave no result")
        return result
    kind, what = str(told.get("class", "")), str(told.get("what", ""))
    facts = [(str(name), str(value)) for name, value in told.get("facts", ())]
    if kind in _KNOWN_ERRORS:
        raise getattr(errors, kind)(what, facts, str(told.get("hint", "")))
    raise ActionError(f"failed: {what}", [("error", shown(kind, 80)), *facts])
