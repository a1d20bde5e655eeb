"""The loop of `clipbuild watch`: a batch of saves, a build, and again; a save in the middle of a build plans it anew.

Builds in one thread with one long shift, so that workers and imports stay warm. What is wrong is shown, and the loop
goes on. Knows nothing of pages or of how files are followed.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from clipbuild import build as builder
from clipbuild import events
from clipbuild.errors import ClipbuildError
from clipbuild.settings import Settings
from clipbuild.shift import LongShift
from clipbuild.watch.feed import Batch
from clipbuild.wish import Wish

IDLE_SECONDS = 3.0
"""So long after a build that believed its batch everything is looked at, in case an event was lost."""


@dataclass(slots=True)
class Tellers:
    """Who is told: `listener` of every event, `wrong` of what stops a build before it begins, `well` when it is mended."""

    listener: events.Listener
    wrong: Callable[[str], None]
    well: Callable[[], None]


@dataclass(slots=True)
class Watch:
    """Builds `wish` for every batch of `saves`. Made and run in one event loop; `build` runs in a thread of its own."""

    wish: Wish
    settings: Settings
    options: builder.Options
    tellers: Tellers
    shift: LongShift
    waiting: Batch = field(default_factory=Batch)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    building: bool = False
    broken: bool = False
    trusting: bool = False
    """The last build ended well: until the next look at everything, batches say all that was touched."""
    owing: bool = False
    """A build believed its batch: everything is to be looked at once nothing more is saved."""
    thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "build"))

    async def run(self, saves: AsyncIterator[Batch], stop: asyncio.Event) -> None:
        """Build once, then for every save, until `stop`."""
        self.waiting = Batch(everything=True)
        self.wake.set()
        listening = asyncio.create_task(self._listen(saves))
        stopping = asyncio.create_task(stop.wait())
        stopping.add_done_callback(lambda _: self.shift.interrupt())
        try:
            while not stop.is_set():
                waking = asyncio.create_task(self.wake.wait())
                pause = IDLE_SECONDS if self.owing else None
                await asyncio.wait([waking, stopping, listening], timeout=pause, return_when=asyncio.FIRST_COMPLETED)
                if not waking.done():
                    waking.cancel()
                    if stop.is_set() or listening.done():
                        break
                    self.waiting |= Batch(everything=True)
                await self._round()
            if listening.done():
                listening.result()
        finally:
            stopping.cancel()
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening
            await self._in_thread(self.shift.close)
            self.thread.shutdown()

    async def _listen(self, saves: AsyncIterator[Batch]) -> None:
        async for batch in saves:
            self.waiting |= batch
            self.wake.set()
            if self.building:
                self.shift.interrupt()

    async def _round(self) -> None:
        self.wake.clear()
        batch, self.waiting = self.waiting, Batch()
        touched = batch.paths if self.trusting and not batch.everything else None
        self.owing = touched is not None
        self.shift.begin()
        self.building = True
        try:
            await self._in_thread(lambda: self._build(touched))
        finally:
            self.building = False

    async def _in_thread(self, work: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self.thread, work)

    def _build(self, touched: frozenset[str] | None) -> None:
        began = time.monotonic()
        bus = events.Bus(lambda: time.monotonic() - began, [self.tellers.listener])
        options = replace(self.options, shift=self.shift, touched=touched)
        self.trusting = False
        try:
            self.trusting = builder.build(self.wish, self.settings, bus, options).left
        except ClipbuildError as error:
            self.broken = True
            self.tellers.wrong(str(error))
        except OSError as error:  # a disk that is full, a folder that is gone: for a person to mend
            self.broken = True
            self.tellers.wrong(f"{type(error).__name__}: {error}")
        else:
            if self.broken:
                self.tellers.well()
            self.broken = False
