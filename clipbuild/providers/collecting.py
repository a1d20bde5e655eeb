"""From an accepted job to stored bytes: poll until it is over, fetch, hash, store, and only then say so.

Needs no inputs: a job is collected even when its catalog entry is gone. Sends nothing that costs. Knows nothing of
plans or locks.
"""

import asyncio
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field

from clipbuild import events
from clipbuild.digest import Digest
from clipbuild.errors import ActionError, ClipbuildError, IncompleteError, IntegrityError, UsageError, shown
from clipbuild.providers.contract import PollError, Provider, State, Status, SubmitError
from clipbuild.providers.desk import Desk, background
from clipbuild.providers.lane import Lane
from clipbuild.providers.parcels import Parcels, Results, unpack
from clipbuild.providers.records import ZERO, Job, Record, Step, money
from clipbuild.providers.wording import not_stored

STEPS = {
    State.DONE: Step.DONE, State.REFUSED: Step.REFUSED, State.FAILED: Step.FAILED, State.CANCELLED: Step.CANCELLED,
    State.EXPIRED: Step.EXPIRED, State.LOST: Step.LOST,
}  # fmt: skip
DEAD = frozenset(("403", "404", "410", "no result"))
"""An address that has died; asking the job again gives a fresh one, once."""
KEY_REFUSED = frozenset(("401", "403"))


@dataclass(slots=True)
class Collector:
    """Collects each job once, whoever asks. `placed` are intents that hold a place in their lane already."""

    desk: Desk
    placed: set[str] = field(default_factory=set)
    tasks: "dict[str, asyncio.Task[Job]]" = field(default_factory=dict)

    async def finish(self, job: Job) -> Job:
        """Wait for an open job and store its result; the job as it ended. Raises ClipbuildError."""
        if job.intent not in self.tasks:
            self.tasks[job.intent] = background(self._finish(job))
        try:
            return await asyncio.shield(self.tasks[job.intent])
        finally:
            if job.intent in self.tasks and self.tasks[job.intent].done():
                del self.tasks[job.intent]

    @property
    def parcels(self) -> Parcels:
        """Where what came with an answer is until it is stored."""
        journal = self.desk.scribe.journal
        return Parcels(journal.home, journal.disk)

    def kept(self, record: Record, results: Results) -> bool:
        """Keep what came with the answer in one piece; False where the disk does not take it."""
        try:
            self.parcels.keep(record, results)
        except OSError:
            return False
        return True

    def added(self, results: Results) -> None:
        """Store what came with the answer. Raises OSError."""
        for data in results.values():
            self.desk.store.add_bytes(data, precious=True)

    async def unpacked(self, job: Job) -> bool:
        """Take in what a killed run had received for this job; False where it had nothing. Raises IncompleteError for what
        can't be stored now."""
        journal, parcels = self.desk.scribe.journal, self.parcels
        try:
            came = await asyncio.to_thread(unpack, journal, self.desk.store, parcels, job.intent)
        except OSError as error:
            raise not_stored(job, parcels.place(job.intent), error) from error
        except ValueError as error:
            self.desk.emit(events.Warned, text=f"{shown(parcels.place(job.intent))}: {error}")
            return False
        if came:
            self.desk.emit(events.JobNoted, name=job.name, provider=job.provider, step=Step.FETCHED.value)
            self.tell(self.desk.jobs.get(job.intent, job), Step.FETCHED)
        return came

    async def _finish(self, job: Job) -> Job:
        lane = self.desk.lane(job.provider)
        if job.intent in self.placed:
            self.placed.discard(job.intent)
        else:
            lane.resume()
        try:
            provider = self.desk.provider(job.provider)
            status = await self._polled(provider, job, lane)
        finally:
            lane.leave()
        step = STEPS[status.state]
        job = await self.desk.note(job, step, cost=status.cost, code=status.code, detail=status.detail)
        if step is not Step.DONE:
            self.tell(job, step)
            return job
        return await self._stored(provider, job)

    async def _polled(self, provider: Provider, job: Job, lane: Lane) -> Status:
        """Poll until the job is over. Raises IncompleteError after the time for one job, or when it can't be asked."""
        desk, poll = self.desk, _Poll(getattr(provider, "waiting", frozenset()))
        least = max(getattr(provider, "poll_seconds", 0.0), desk.policy.poll[0])
        began = desk.clock()
        try:
            while True:
                elapsed = desk.clock() - began
                if elapsed > desk.policy.job:
                    raise _still_open(job, f"not finished after {desk.policy.job / 60:g} minutes")
                if job.state is not Step.DONE or poll.asked:
                    await desk.rest(poll.interval(elapsed, least, desk.policy.poll[1], desk.chance()))
                try:
                    status = await desk.unless_stopped(provider.status(job.job), grace=0.0)
                except (PollError, SubmitError) as error:
                    poll.failed(job, error, desk.policy.tries)
                    if poll.missing >= desk.policy.tries:
                        return Status(State.LOST, code="not found", detail="the provider does not know the job any more")
                    continue
                poll.told(status, lane)
                if status.state in STEPS:
                    return status
                self._show(job, status, poll)
        finally:
            poll.told(None, lane)

    def _show(self, job: Job, status: Status, poll: "_Poll") -> None:
        """How far the provider is, each time that it says something new."""
        done = min(1.0, max(0.0, status.progress or 0.0))
        note = f"{job.provider}: {'waits for a place' if status.state is State.QUEUED or poll.is_queued else 'at work'}"
        if poll.shown != (done, note):
            poll.shown = (done, note)
            self.desk.emit(events.ActionProgressed, name=job.name, done=done, note=note)

    async def _stored(self, provider: Provider, job: Job) -> Job:
        dead, last = 0, ""
        for attempt in range(self.desk.policy.tries):
            with tempfile.TemporaryDirectory(prefix="fetch-", dir=self.desk.temporary) as folder:
                try:
                    found = await self.desk.unless_stopped(provider.fetch(job.job, folder))
                except (PollError, SubmitError) as error:
                    last, dead = str(error), dead + (error.code in DEAD)
                    wait = error.retry_after
                else:
                    return await self._fetched(job, await asyncio.to_thread(self._added, found))
            if dead >= 2:
                job = await self.desk.note(job, Step.EXPIRED, code=last)
                self.tell(job, Step.EXPIRED)
                return job
            grown = min(60.0, 0.5 * 2**attempt) * self.desk.chance()
            await self.desk.rest(min(wait, self.desk.policy.longest_wait) if wait else grown)
        raise ActionError(
            f"{job.name}: done at {job.provider}, but its result could not be fetched",
            [("job", shown(job.job)), ("last", shown(last))],
            "nothing is lost yet and nothing is bought again: `clipbuild build` tries again",
        )

    def _added(self, found: Mapping[str, str]) -> dict[str, Digest]:
        return {named(name): self.desk.store.add_file(path, precious=True) for name, path in sorted(found.items())}

    async def _fetched(self, job: Job, outputs: Mapping[str, Digest]) -> Job:
        job = await self.desk.note(job, Step.FETCHED, outputs=dict(outputs))
        self.tell(job, Step.FETCHED)
        return job

    def tell(self, job: Job, step: Step) -> None:
        """Say how a job ended."""
        cost = job.cost if job.cost is not None else job.most or ZERO
        self.desk.emit(
            events.JobSettled, name=job.name, provider=job.provider, job=shown(job.job), state=step.value, cost=money(cost)
        )

    async def restore(self, provider: str, job: str, outputs: Mapping[str, Digest], name: str) -> bool:
        """Fetch a bought result anew while the provider still has it: True when the very same bytes are back.

        Raises IntegrityError for other bytes, which are kept as well.
        """
        with tempfile.TemporaryDirectory(prefix="fetch-", dir=self.desk.temporary) as folder:
            try:
                found = await self.desk.unless_stopped(self.desk.provider(provider).fetch(job, folder))
            except (PollError, SubmitError, ClipbuildError):
                return False
            back = await asyncio.to_thread(self._added, found)
        if any(back.get(output) != blob for output, blob in outputs.items()):
            raise IntegrityError(f"{name}: {provider} now gives other bytes than were bought", [("job", shown(job))])
        return True


@dataclass(slots=True)
class _Poll:
    """What the polls of one job came to. `waiting` are codes of a job that only waits for a place there."""

    waiting: frozenset[str] = frozenset()
    asked: int = 0
    missing: int = 0
    unkeyed: int = 0
    failures: int = 0
    wait: float = 0.0
    is_queued: bool = False
    shown: tuple[float, str] = (0.0, "")

    def interval(self, elapsed: float, least: float, most: float, chance: float) -> float:
        """A tenth of what it has taken so far, longer after failures; what the provider asks for at least."""
        grown = max(elapsed / 10, least * 2 ** min(self.failures, 5) if self.failures else 0.0)
        return max(self.wait, min(most, max(least, grown)) * (1 + chance / 100))

    def failed(self, job: Job, error: PollError | SubmitError, tries: int) -> None:
        """A poll that gave no answer. Raises UsageError when the key is refused for good."""
        self.asked += 1
        self.failures += 1
        self.wait = min(error.retry_after or 0.0, 300.0)
        self.missing = self.missing + 1 if error.code == "not found" else 0
        self.unkeyed = self.unkeyed + 1 if error.code in KEY_REFUSED or isinstance(error, SubmitError) else 0
        if self.unkeyed >= min(3, tries):
            raise UsageError(
                f"{job.name}: {job.provider} does not let this key ask for its job",
                [("job", shown(job.job)), ("answer", shown(error))],
                "set the key that bought it; the job stays open",
            )

    def told(self, status: Status | None, lane: Lane) -> None:
        """An answer; None: no more polls."""
        self.asked += 1
        self.failures, self.missing, self.unkeyed, self.wait = 0, 0, 0, 0.0
        waits = status is not None and status.code in self.waiting
        lane.queued += int(waits) - int(self.is_queued)
        self.is_queued = waits


def named(name: str) -> str:
    """What the store and later actions call a result: `image`, `image_1` …, `video`, `words`."""
    return "image" if name == "image_0" else os.path.basename(name)


def _still_open(job: Job, why: str) -> IncompleteError:
    facts = [("job", f"{job.provider} {shown(job.job)}"), ("since", job.since)]
    return IncompleteError(f"{job.name}: {why}; the job stays open", facts, "`clipbuild build` goes on waiting")
