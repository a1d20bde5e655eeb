"""Whole builds that go wrong on purpose: killed at a call, on a failing or a lying disk, two at once.

A process that has imported everything forks for each build, so that a build costs tens of milliseconds and a kill is a
real one. Stages are the trivial ones of the benchmark, run inline: only what clipbuild itself writes is in play.
"""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@dataclass(frozen=True)
class Ended:
    """How a build ended: its exit status (-9 when it was killed), what it printed, and how often it called the disk."""

    status: int
    out: str
    err: str
    calls: int

    @property
    def report(self) -> dict[str, Any]:
        """The JSON of `build --json`."""
        return json.loads(self.out)


class Stage:
    """The process that forks. `start` begins a build, `wait` ends it, `run` is both."""

    def __init__(self) -> None:
        env = {**os.environ, "PYTHONPATH": ROOT, "CLIPBUILD_CONFIG": "/nonexistent", "CLIPBUILD_TRUSTED": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.rehearsal"], cwd=ROOT, env=env, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def ask(self, **task: Any) -> Any:
        """One task out, its answer back."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def start(self, *args: str, **faults: Any) -> int:
        """Begin `clipbuild ARGS`. Its disk kills it at call `kill`, fails call `fail` with `error`, stops it at call
        `freeze`, or lies: `lie` is "torn" (a rename that copies), "unlocked" (locks that anybody gets), "greedy" (a
        clean-up that asks nobody what is needed) or "unused" (a store that does not note what is used). `later` puts its clock on by so many seconds, `store` is
        the store its user has set."""
        usual = {"kill": 0, "fail": 0, "error": 0, "lie": "", "freeze": 0, "later": 0, "store": ""}
        pid = self.ask(do="start", args=args, **{**usual, **faults})
        assert isinstance(pid, int)
        return pid

    def wait(self, pid: int) -> Ended:
        """How it ended."""
        return Ended(**self.ask(do="wait", pid=pid))

    def run(self, *args: str, **faults: Any) -> Ended:
        """A build from start to end."""
        return self.wait(self.start(*args, **faults))

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def door(task: dict[str, Any]) -> Any:
    """The disk of one build."""
    from tests.support.disks import CHANGING, Wrapped

    class Door(Wrapped):
        calls = 0

        def before(self, call: str) -> None:
            if call not in (*CHANGING, "read"):
                return
            Door.calls += 1
            if Door.calls == task["kill"]:
                os.kill(os.getpid(), signal.SIGKILL)
                time.sleep(60)
            if Door.calls == task["freeze"]:
                os.kill(os.getpid(), signal.SIGSTOP)
            if Door.calls == task["fail"]:
                raise OSError(task["error"], os.strerror(task["error"]))

        def rename(self, src, dst, *, src_dir_fd, dst_dir_fd):
            if task["lie"] != "torn":
                os.rename(src, dst, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
                return
            fd = os.open(src, os.O_RDONLY, dir_fd=src_dir_fd)
            data = os.read(fd, 1 << 24)
            os.close(fd)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(dst, dir_fd=dst_dir_fd)
            target = os.open(dst, os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=dst_dir_fd)
            for half in (data[: len(data) // 2], data[len(data) // 2 :]):
                self.write(target, memoryview(half))
            os.close(target)
            os.unlink(src, dir_fd=src_dir_fd)

    return Door()


def build(task: dict[str, Any], folder: str) -> None:
    """In the forked process: the build, on its disk; never returns."""
    import fcntl

    from clipbuild import upkeep
    from clipbuild.cli.main import main
    from clipbuild.engine import disk, store

    put, now = door(task), time.time
    disk.put_behind(put)
    time.time = lambda: now() + task["later"]  # the process's own clock; files are stamped by the system
    if task["lie"] == "unlocked":
        fcntl.flock = lambda fd, kind: None  # as on a network file system that has none
    if task["lie"] == "greedy":
        upkeep._needed = lambda session: set()
    if task["lie"] == "unused":
        store.HOUR = float("inf")
    if task["store"]:
        os.environ["CLIPBUILD_CONFIG"] = os.path.join(folder, f"config-{os.getpid()}.toml")
        with open(os.environ["CLIPBUILD_CONFIG"], "w") as file:
            file.write(f"store = {json.dumps(task['store'])}\n")
    out, err, status = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(task["args"])
        except SystemExit as end:
            status = int(end.code or 0)
        except BaseException as error:
            err.write(f"{type(error).__name__}: {error}")
            status = 70
    with open(os.path.join(folder, str(os.getpid())), "w") as file:
        json.dump({"status": status, "out": out.getvalue(), "err": err.getvalue(), "calls": type(put).calls}, file)
    os._exit(0)


def serve() -> None:
    """Answer tasks: start and wait."""
    import tempfile

    from clipbuild.stages import registry
    from tests.bench import trivial

    registry.replace(trivial.stages(tools=(), inline=True, version=10_001), [sys.executable, "-c", "raise SystemExit(9)"])
    warm()
    answers = os.fdopen(os.dup(1), "w")
    with tempfile.TemporaryDirectory() as folder:
        for line in sys.stdin:
            task = json.loads(line)
            if task["do"] == "start":
                pid = os.fork()
                if not pid:
                    build(task, folder)
                found: Any = pid
            elif task["do"] == "alive":
                found = [pid for pid in task["pids"] if is_alive(pid)]
            else:
                _, status = os.waitpid(task["pid"], 0)
                found = ended(os.path.join(folder, str(task["pid"])), os.waitstatus_to_exitcode(status))
            answers.write(json.dumps(found) + "\n")
            answers.flush()


def is_alive(pid: int) -> bool:
    """It is there and no zombie."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    return False


def ended(path: str, status: int) -> dict[str, Any]:
    """What a build left behind of itself."""
    if status:
        return {"status": status, "out": "", "err": "", "calls": 0}
    with open(path) as file:
        return json.load(file)


def warm() -> None:
    """Import what builds need, once."""
    import tempfile

    from clipbuild.cli.main import main
    from tests.bench import workspace

    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        workspace.make(folder, 1, 1)
        for command in (["build", "--json"], ["gc"], ["verify"]):
            with contextlib.suppress(SystemExit):
                main(["-C", folder, *command])


if __name__ == "__main__":
    serve()
