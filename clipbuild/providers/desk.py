"""What those who buy share: the journal's scribe, the store, the caps, the clock, and how patient to be.

Holds no cleverness; `jobs` decides and sends, `collecting` waits and fetches.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from random import random
from time import monotonic
from typing import Any, TypeVar

from clipbuild import events
from clipbuild.digest import Digest
from clipbuild.engine.store import Store
from clipbuild.errors import IncompleteError, shown
from clipbuild.providers.contract import Provider, Request
from clipbuild.providers.lane import Lane
from clipbuild.providers.records import Job, Record, Step, money
from clipbuild.providers.scribe import Scribe
from clipbuild.providers.spend import Spending

T = TypeVar("T")


class HaltedError(IncompleteError):
    """The run was asked to stop; what is under way stays open."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Tries of what may be repeated, seconds: the longest wait a provider may ask for, between polls (least, most), for
    one job in one run, for a reply after a stop, and before each look-up of a job whose submit is unsure."""

    tries: int = 8
    longest_wait: float = 300.0
    poll: tuple[float, float] = (2.0, 60.0)
    job: float = 3600.0
    grace: float = 4.0
    lookups: tuple[float, ...] = (0.0, 2.0, 10.0, 15.0)


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be bought: the action's key and name, which provider, and the request."""

    key: Digest
    name: str
    provider: str
    request: Request


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@dataclass(slots=True)
class Desk:
    """One run's. `provider` gives an adapter by name; `widths` the widest a lane may be; `temporary` is where results
    land before they are stored. `stop`: begin nothing more; `hurry`: and don't wait for what is on its way."""

    scribe: Scribe
    store: Store
    spending: Spending
    provider: Callable[[str], Provider]
    workspace: str
    temporary: str
    emit: Callable[..., None] = lambda *_, **__: None
    widths: Callable[[str], int] = lambda _: 100
    policy: Policy = field(default_factory=Policy)
    clock: Callable[[], float] = monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random
    now: Callable[[], str] = _now
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    hurry: asyncio.Event = field(default_factory=asyncio.Event)
    lanes: dict[str, Lane] = field(default_factory=dict)

    def lane(self, provider: str) -> Lane:
        """The provider's lane."""
        if provider not in self.lanes:
            width, longest = self.widths(provider), self.policy.longest_wait
            self.lanes[provider] = Lane(provider, width, self.clock, self.rest, self.chance, longest)
        return self.lanes[provider]

    @property
    def jobs(self) -> dict[str, Job]:
        """All jobs the journal knows, by intent."""
        return self.scribe.journal.replay.jobs

    async def rest(self, seconds: float) -> None:
        """Sleep. Raises HaltedError as soon as the run is to stop."""
        await self.unless_stopped(self.sleep(seconds), grace=0.0)

    async def unless_stopped(self, work: Awaitable[T], *, grace: float | None = None) -> T:
        """What `work` gives; once the run is to stop it has `grace` seconds to finish, in a hurry none. Raises
        HaltedError."""
        task = asyncio.ensure_future(work)
        halt, hurry = asyncio.ensure_future(self.stop.wait()), asyncio.ensure_future(self.hurry.wait())
        try:
            await asyncio.wait({task, halt}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                seconds = self.policy.grace if grace is None else grace
                await asyncio.wait({task, hurry}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise HaltedError("stopped", hint="`clipbuild build` goes on from here")
            return task.result()
        finally:
            halt.cancel()
            hurry.cancel()
            if not task.done():
                task.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await task

    async def note(self, of: Job, step: Step, **facts: Any) -> Job:
        """Write the job's next arrow and tell of it; the job as it is then."""
        record = self.entry(of, step, **facts)
        await self.scribe.note(record)
        self.emit(events.JobNoted, name=of.name, provider=of.provider, step=step.value)
        return self.jobs.get(of.intent, of)

    def entry(
        self, of: Job, step: Step, *, cost: Decimal | None = None, code: str = "", detail: str = "", **facts: Any
    ) -> Record:
        """The record of an arrow; texts from outside are made safe and cut."""
        return Record(
            step, self.now(), of.intent, of.key, of.name, of.provider, build=of.build,
            cost=money(cost), code=shown(code, 100), detail=shown(detail), **facts,
        )  # fmt: skip


def background(work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
    """A task whose failure is looked at by whoever waits for it, if anybody does."""
    task = asyncio.create_task(work)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task
