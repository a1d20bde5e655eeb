"""One provider's lane: how much is under way there at once, when to hold back, and whether it is closed.

The width is found out: it grows while submits are taken and falls back to what was under way when the provider says
that it is busy. A wait that the provider asks for holds for everybody, and its end is spread, so that not all come
back at once. Knows nothing of jobs or money.
"""

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from clipbuild.errors import ClipbuildError

FIRST_WIDTH = 8.0
STEP_SECONDS = 1.0
PROBES = 4.0
"""Once a provider has said that it is full, the width grows by so many while as many jobs are taken as fit in it: what
has ended there and was not asked for yet leaves room that nobody tells us of."""


@dataclass(slots=True)
class Lane:
    """`most` is the widest it may be. `clock` is monotonic seconds, `rest` sleeps and may raise, `chance` gives 0–1."""

    name: str
    most: int
    clock: Callable[[], float]
    rest: Callable[[float], Awaitable[None]]
    chance: Callable[[], float]
    longest: float = 300.0
    width: float = 0.0
    flying: int = 0
    queued: int = 0
    closed: ClipbuildError | None = None
    _full: bool = False
    _until: float = 0.0
    streak: int = 0
    """Waits in a row with nothing taken between them."""
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)
    _waiting: list[tuple[int, "asyncio.Future[None]"]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.width = self.width or min(FIRST_WIDTH, float(self.most))

    def ticket(self) -> int:
        """A place in the queue, kept over all tries of one job."""
        return next(self._numbers)

    async def enter(self, ticket: int) -> int:
        """Wait for a place; it is then yours until `leave`. Says how many are under way with it. Raises the reason when
        the lane is closed."""
        while True:
            if self.closed is not None:
                raise self.closed
            wait = self._until - self.clock()
            if wait > 0:
                await self.rest(wait + wait / 2 * self.chance())
                continue
            if self.flying < int(self.width):
                self.flying += 1
                return self.flying
            await self._turn(ticket)

    async def _turn(self, ticket: int) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (ticket, woken)
        heapq.heappush(self._waiting, entry)
        try:
            await woken
        except asyncio.CancelledError:
            if woken.done() and not woken.cancelled():
                self._wake()
            raise
        finally:
            if entry in self._waiting:
                self._waiting.remove(entry)
                heapq.heapify(self._waiting)

    def resume(self) -> None:
        """A job of an earlier run takes a place, wide enough or not."""
        self.flying += 1

    def leave(self) -> None:
        """A job ended, or was not taken."""
        self.flying -= 1
        self._wake()

    def taken(self) -> None:
        """A submit was taken: there may be room for more. Not while a good part of what is there only waits there."""
        self.streak = 0
        if self.queued > max(2, self.flying // 5):
            return
        self.width = min(float(self.most), self.width + (PROBES / self.width if self._full else 1))
        self._wake()

    def busy(self, retry_after: float | None, *, crowded: bool, sent: int) -> None:
        """A submit was not taken for now, and has not left yet; `sent` were under way with it when it was sent.
        `crowded`: one of ours has to end first."""
        self._full = True
        self.width = max(1.0, min(self.width, float(sent - 1)))
        if crowded and self.flying > 1:
            return
        self.hold_back(retry_after)

    def hold_back(self, retry_after: float | None) -> None:
        """Nothing is sent for a while: as long as told, else for a growing time with jitter. Those that fail while
        the wait is on tell nothing new."""
        if self.clock() >= self._until:
            self.streak += 1
        told = retry_after if retry_after is not None and retry_after > 0 else None
        grown = STEP_SECONDS * 2 ** min(self.streak, 6) * (0.5 + self.chance() / 2)
        self._until = max(self._until, self.clock() + min(self.longest, told if told is not None else grown))

    def close(self, reason: ClipbuildError) -> None:
        """Nothing is sent to this provider any more in this run."""
        self.closed = self.closed or reason
        waiting, self._waiting = self._waiting, []
        for _, woken in waiting:
            if not woken.done():
                woken.set_result(None)

    def _wake(self) -> None:
        room = int(self.width) - self.flying
        while self._waiting and room > 0:
            _, woken = heapq.heappop(self._waiting)
            if not woken.done():
                woken.set_result(None)
                room -= 1
