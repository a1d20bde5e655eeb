"""What a build works with, apart from what it builds: an event loop, a crew of workers, and what is under way.

An ordinary build has a shift of its own. A long shift goes on from build to build: workers stay warm, and when a build is
interrupted to plan again, work that the next plan still wants is not lost. Knows nothing of plans' meaning.
"""

import asyncio
import os
import shutil
import threading
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

from clipbuild.catalog.seals import Kept
from clipbuild.digest import Digest
from clipbuild.engine.action import Action, Graph, Trace
from clipbuild.engine.executor import Workers
from clipbuild.engine.scheduler import Runner
from clipbuild.engine.workspace import Workspace
from clipbuild.errors import UsageError

T = TypeVar("T")


class Shift:
    """One build's own loop and crew, gone with it. `kept`: what of the catalog stays in memory for the next."""

    kept: Kept | None = None

    def clean(self, place: Workspace) -> None:
        """Remove what a killed build left."""
        place.clean()

    def folder(self, place: Workspace) -> str:
        """Where workers put what they make."""
        return place.temp

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a build's asynchronous part to its end."""
        return asyncio.run(work)

    def crew(self, jobs: int, folder: str) -> Workers:
        """Workers for this build."""
        from clipbuild import workshop

        return workshop.workers(jobs, folder)

    async def leave(self, crew: Workers) -> None:
        """The build needs them no more."""
        await crew.close()

    def runner(self, graph: Graph, run: Runner, stop: asyncio.Event) -> Runner:
        """How actions of this graph are run."""
        return run


class LongShift(Shift):
    """One loop and one crew for many builds, of which one runs at a time, all in one thread. `close` ends it.

    Raises UsageError when another long shift works in this workspace.
    """

    def __init__(self, place: Workspace) -> None:
        self._loop = asyncio.Runner()
        self._crew: Workers | None = None
        self._flights: dict[Digest, tuple[Digest, asyncio.Task[Trace]]] = {}
        self._stop: asyncio.Event | None = None
        self._ends = threading.Event()
        self._fresh = True
        self.kept = Kept()
        self._folder = os.path.join(place.home, "watch")
        self._lock = _claim(place)
        shutil.rmtree(self._folder, ignore_errors=True)

    def clean(self, place: Workspace) -> None:
        """Once: later on, what lies there is ours."""
        if self._fresh:
            place.clean()
        self._fresh = False

    def folder(self, place: Workspace) -> str:
        """A folder of its own, which no other build cleans up."""
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        return self._folder

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run it on the one loop."""
        return self._loop.run(work)

    def crew(self, jobs: int, folder: str) -> Workers:
        """The one crew."""
        if self._crew is None:
            self._crew = super().crew(jobs, folder)
        return self._crew

    async def leave(self, crew: Workers) -> None:
        """They stay."""

    def runner(self, graph: Graph, run: Runner, stop: asyncio.Event) -> Runner:
        """Runs actions so that an interrupted build lets go of them without ending them; the next one, by its own
        graph, takes over what it wants and ends the rest. What costs money is never ended."""
        self._stop = stop
        if self._ends.is_set():
            stop.set()
        for key, (action, task) in list(self._flights.items()):
            if action not in graph.actions:
                task.cancel()
                del self._flights[key]

        async def flown(action: Action, key: Digest, inputs: Mapping[str, Digest]) -> Trace:
            if key not in self._flights:
                self._flights[key] = action.id, asyncio.create_task(_whole(run(action, key, inputs)))
            task = self._flights[key][1]
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait([task, stopping], return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            if not task.done() and not action.precious:
                raise asyncio.CancelledError
            try:
                return await task
            finally:
                self._flights.pop(key, None)

        return flown

    def begin(self) -> None:
        """The next build is not interrupted yet; before it is started."""
        self._stop = None
        self._ends.clear()

    def interrupt(self) -> None:
        """Let the build since `begin` start nothing more and end, also if it only plans yet; from any thread."""
        self._ends.set()
        stop = self._stop
        if stop is not None:
            self._loop.get_loop().call_soon_threadsafe(stop.set)

    def close(self) -> None:
        """End all work and all workers; in the thread that builds."""

        async def end() -> None:
            tasks = [task for _, task in self._flights.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._crew is not None:
                await self._crew.close()

        self._loop.run(end())
        self._loop.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        os.close(self._lock)


async def _whole(work: Any) -> Trace:
    trace = await work
    assert isinstance(trace, Trace)
    return trace


def _claim(place: Workspace) -> int:
    import fcntl

    place.prepare()
    fd = os.open(os.path.join(place.home, "watch.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise UsageError(f"{place.root}: is watched already", hint="end the other `clipbuild watch`") from None
    return fd
