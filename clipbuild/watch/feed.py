"""What was saved, in batches that have settled: editors that rename, checkouts of thousands of files, folders replaced.

A batch is a hint of where to look, never the truth: whoever builds compares the files themselves. Where so much happened
that something may have been missed, the batch says to look at everything. Knows nothing of catalogs.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from dataclasses import dataclass

MANY = 1000
"""From this many paths on a batch may not be whole: the kernel's queue holds 16,384 events."""
STEP_MS, QUIET_SECONDS, PATIENCE_SECONDS = 20, 0.3, 15.0
LATER_SECONDS = 2.0
"""After a batch that may not be whole everything is looked at once more."""
GIT_BUSY = ("index.lock", "MERGE_HEAD.lock", "HEAD.lock")
NOT_OURS = frozenset((".clipbuild", ".git", ".hg", ".svn", ".venv", "node_modules", "__pycache__", ".idea", ".vscode"))
_TEMPORARY = (".swp", ".swx", ".swo", ".tmp", ".part", ".crdownload", "~", ".bak")


@dataclass(frozen=True, slots=True)
class Batch:
    """Paths relative to the workspace that were touched. `everything`: look at all of them."""

    paths: frozenset[str] = frozenset()
    everything: bool = False

    def __or__(self, other: "Batch") -> "Batch":
        return Batch(self.paths | other.paths, self.everything or other.everything)

    def __bool__(self) -> bool:
        return bool(self.paths) or self.everything


def matters(path: str, output: str) -> bool:
    """Whether a relative path may be an input: not the output tree, not our own state, no editor's leavings."""
    parts = path.split("/")
    if any(part in NOT_OURS for part in parts[:-1]) or parts[0] in NOT_OURS:
        return False
    head = "/".join(parts[: output.count("/") + 1])
    if head == output or head.startswith(f"{output}."):
        return False
    name = parts[-1]
    return not (name.endswith(_TEMPORARY) or name.startswith((".#", "#")) or name == "4913")


def folders(root: str, output: str) -> list[str]:
    """The folders of the workspace that may hold inputs."""
    try:
        entries = list(os.scandir(root))
    except OSError:
        return []
    return sorted(e.path for e in entries if e.is_dir(follow_symlinks=False) and matters(e.name, output))


class Gathering:
    """Events on their way to a batch. `add` takes them, `take` waits until they have settled."""

    def __init__(self, root: str, output: str) -> None:
        self.root, self.output = root, output
        self._waiting = Batch()
        self._came = asyncio.Event()
        self._second = False

    def add(self, paths: Iterable[str], *, everything: bool = False) -> None:
        """Absolute paths that something happened to."""
        near = (os.path.relpath(path, self.root).replace(os.sep, "/") for path in paths)
        batch = Batch(frozenset(path for path in near if matters(path, self.output)), everything)
        if batch:
            self._waiting |= batch
            self._came.set()

    async def take(self) -> Batch:
        """The next batch: at once for a few files, after a pause for many, and when git is at work when it is done."""
        await self._came.wait()
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE_SECONDS
        while (self._waiting.everything or len(self._waiting.paths) > 50 or self._git_works()) and loop.time() < until:
            self._came.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._came.wait(), QUIET_SECONDS)
                continue
            if not self._git_works():
                break
        self._came.clear()
        batch, self._waiting = self._waiting, Batch()
        if len(batch.paths) >= MANY:
            batch = Batch(batch.paths, True)
        if batch.everything and not self._second:
            loop.call_later(LATER_SECONDS, self._again)
        self._second = False
        return batch

    def _again(self) -> None:
        """Look at everything once more: what was missed in the storm is found now."""
        self._second = True
        self._waiting |= Batch(everything=True)
        self._came.set()

    def _git_works(self) -> bool:
        return any(os.path.exists(os.path.join(self.root, ".git", name)) for name in GIT_BUSY)


async def follow(gathering: Gathering, stop: asyncio.Event) -> None:
    """Hand every event below the workspace to `gathering`, until `stop`. Folders that come are followed too."""
    from watchfiles import Change, awatch

    async def below(places: list[str], recursive: bool, end: asyncio.Event) -> None:
        async for changes in awatch(
            *places, watch_filter=None, debounce=200, step=STEP_MS, stop_event=end, recursive=recursive,
            ignore_permission_denied=True,
        ):  # fmt: skip
            gathering.add(path for _, path in changes)
            replaced = any(path in known and change is not Change.modified for change, path in changes)
            if not recursive and (replaced or folders(gathering.root, gathering.output) != known):
                end.set()

    while not stop.is_set():
        known = folders(gathering.root, gathering.output)
        end = asyncio.Event()
        tasks = [asyncio.create_task(below([gathering.root], False, end))]
        tasks += [asyncio.create_task(below(known, True, end))] if known else []
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
        end.set()
        stopping.cancel()
        for task in tasks:
            with suppress(OSError):
                await task
        if not stop.is_set():
            gathering.add([], everything=True)  # between two looks something may have happened


async def batches(gathering: Gathering, stop: asyncio.Event) -> AsyncIterator[Batch]:
    """Settled batches, until `stop`."""
    following = asyncio.create_task(follow(gathering, stop))
    try:
        while not stop.is_set():
            taking = asyncio.create_task(gathering.take())
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait([taking, stopping, following], return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            if following.done() and not stop.is_set():
                taking.cancel()
                following.result()
                return
            if not taking.done():
                taking.cancel()
                return
            yield taking.result()
    finally:
        stop.set()
        await following
