"""Buys what is ordered, once: looks what the journal knows, else asks leave, sends once, and waits for the result.

    known and stored     nothing is sent
    known and open       waited for
    known and unsure     looked up at the provider, else held for a person
    known and over       said again; a person's `again` opens the key anew
    not known, or never sent    cap, claim, intent, sent, submit: in this order, the first four durable before the fifth

Resuming is running again: there is no other way in. Knows nothing of plans, locks or clips.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from clipbuild import digest, events
from clipbuild.engine.action import Trace
from clipbuild.errors import ActionError, ClipbuildError, IncompleteError, IntegrityError, SpendError, shown
from clipbuild.providers.collecting import Collector, named
from clipbuild.providers.contract import Accepted, Outcome, PollError, Price, Provider, Sign, SubmitError
from clipbuild.providers.desk import Desk, HaltedError, Order, background
from clipbuild.providers.journal import Journal
from clipbuild.providers.lane import Lane
from clipbuild.providers.parcels import settled, unique
from clipbuild.providers.receipts import is_free, trace
from clipbuild.providers.records import BOUGHT, ZERO, Job, Record, Step, folded, money, token
from clipbuild.providers.wording import ended, lane_closed, not_stored, not_taken, to_decide, undecided

LONGEST_ID = 500
UNSURE_SENDS = 3
"""So often one run sends what the provider, asked each time, says that it never got."""
SAID = 2
"""So many sends in a row that did not get through are said."""


class OvertakenError(ClipbuildError):
    """Somebody else got to the key first: look again."""


@dataclass(slots=True)
class Buyer:
    """One run's. Orders of one key are one."""

    desk: Desk
    collector: Collector
    tasks: "dict[str, asyncio.Task[Trace]]" = field(default_factory=dict)

    async def buy(self, order: Order) -> Trace:
        """What the order gave: bought now or before. Raises ClipbuildError, by what has to be done about it."""
        task = self.tasks.get(order.key)
        if task is None or task.done():
            task = self.tasks[order.key] = background(self._buy(order))
        return await asyncio.shield(task)

    async def _buy(self, order: Order) -> Trace:
        sends = 0
        while True:
            job = self.desk.scribe.journal.replay.latest(order.key)
            if job is None or is_free(job):
                if job is not None and sends >= UNSURE_SENDS:
                    raise not_taken(job, job.code)
                sends += 1
                await self._submit(order)
            elif job.state in BOUGHT:
                return trace(job, order.name)
            elif job.is_open:
                self._ask_leave_to_poll(job)
                self.desk.spending.note(await self.collector.finish(job))
            elif job.is_ambiguous:
                await self.settle(job)
            else:
                raise ended(job)

    def _ask_leave_to_poll(self, job: Job) -> None:
        if self.desk.spending.budget.offline:
            closed = self.desk.spending.budget.closed
            raise IncompleteError(f"{job.name}: its job at {job.provider} is open, and {closed} forbids to ask for it")

    async def settle(self, job: Job) -> None:
        """Find out what became of a submit whose outcome is unknown. Raises DecisionError where only a person can."""
        runs = self.desk.scribe.journal.runs
        if job.run != runs.name and runs.is_alive(job.run):
            await self.desk.rest(1.0)
            await asyncio.to_thread(self.desk.scribe.journal.refresh)
            return
        if await self.collector.unpacked(job):
            self.desk.spending.note(self.desk.jobs[job.intent])
            return
        self._ask_leave_to_poll(job)
        provider = self.desk.provider(job.provider)
        if not provider.can_find:
            await self._held(job, job.code or "unknown", job.detail)
            raise undecided(self.desk.jobs[job.intent])
        found = await self._looked_up(provider, job)
        if found is None:
            await self.desk.note(job, Step.UNSENT, code="not found", detail="the provider knows no such job")
        else:
            await self._taken(job, Accepted(found))

    async def _looked_up(self, provider: Provider, job: Job) -> str | None:
        """The provider's word on our token, asked several times, because a job may take a while to show up."""
        last, is_sure = "", False
        for wait in self.desk.policy.lookups:
            await self.desk.rest(wait)
            try:
                found = await self.desk.unless_stopped(provider.find(token(job.intent)), grace=0.0)
            except (PollError, SubmitError) as error:
                last, is_sure = str(error), False
                continue
            if found:
                return found
            is_sure = True
        if not is_sure:
            raise IncompleteError(
                f"{job.name}: {job.provider} can't be asked whether it took the job",
                [("since", job.since), ("last", shown(last))],
                "`clipbuild build` asks again; nothing is sent twice",
            )
        return None

    async def _submit(self, order: Order) -> None:
        """Send once, as often as it is sure that it was not taken."""
        provider, lane = self.desk.provider(order.provider), self.desk.lane(order.provider)
        price = priced(provider, order)
        refusal = self._refusal(order, price)
        if refusal is not None:
            raise refusal
        ticket, tries = lane.ticket(), 0
        while True:
            sent = await lane.enter(ticket)
            stays = False
            try:
                job = await self._permitted(order, price)
                try:
                    accepted = await self._sent(provider, order, job)
                except SubmitError as error:
                    if error.outcome is Outcome.UNKNOWN:
                        await self._held(job, error.code, error.detail)
                        return
                    crowded = await self._not_taken(job, lane, error, getattr(provider, "crowded", frozenset()), sent)
                    tries += not crowded
                    if tries >= self.desk.policy.tries:
                        raise not_taken(job, str(error)) from error
                    continue
                lane.taken()
                stays = await self._taken(job, accepted)
                if stays:
                    self.collector.placed.add(job.intent)
                return
            except OvertakenError:
                await self.desk.rest(0.2)
                return
            finally:
                if not stays:
                    lane.leave()

    def _refusal(self, order: Order, price: Price | None) -> ClipbuildError | None:
        journal, now = self.desk.scribe.journal, self.desk.now()
        build = journal.replay.open_build(self.desk.workspace)
        return self.desk.spending.refusal(order.name, price, journal.replay, build=build, month=now[:7])

    async def _permitted(self, order: Order, price: Price | None) -> Job:
        """Cap, claim, intent and sent, in one step under the journal's lock, durable when this returns."""
        made: list[Record] = []

        def operation(journal: Journal) -> Sequence[Record]:
            last = journal.replay.latest(order.key)
            if last is not None and not is_free(last):
                raise OvertakenError(f"{order.name}: already under way")
            refusal = self._refusal(order, price)
            if refusal is not None:
                raise refusal
            made[:] = self._permit(order, price, last, journal)
            return made

        try:
            is_shared = self.desk.spending.budget.month is not None
            await self.desk.scribe.run(operation, permits=True, shared=is_shared)
        except asyncio.CancelledError:
            if made:
                await self.desk.note(folded(None, made[-1]), Step.UNSENT, code="stopped")
            raise
        except SpendError as error:
            if error.what.startswith(order.name):
                raise
            raise SpendError(f"{order.name}: {error.what}", error.facts, error.hint) from error
        for record in made:
            self.desk.emit(events.JobNoted, name=order.name, provider=order.provider, step=record.state.value)
        return self.desk.jobs[made[-1].intent]

    def _permit(self, order: Order, price: Price | None, last: Job | None, journal: Journal) -> list[Record]:
        desk, replay = self.desk, journal.replay
        build = replay.open_build(desk.workspace)
        begun = [] if build else [Record(Step.BEGAN, desk.now(), name=desk.workspace, build=f"{journal.runs.name}")]
        again = last is not None and last.state is Step.UNSENT and not last.again
        intent = last.intent if again and last else intent_of(order.key, replay.attempts(order.key) + 1)
        record = Record(
            Step.INTENT, desk.now(), intent, order.key, order.name, order.provider,
            most=money(price.most if price else None), build=build or begun[0].build, run=journal.runs.name,
            model=str(order.request.params.get("model", ""))[:100],
        )  # fmt: skip
        if not again:
            journal.runs.begin()
            if not journal.runs.claim(intent):
                raise OvertakenError(f"{order.name}: claimed by another process")
        sent = Record(**{**{name: getattr(record, name) for name in Record.__slots__}, "state": Step.SENT})
        return [*begun, *([] if again else [record]), sent]

    async def _sent(self, provider: Provider, order: Order, job: Job) -> Accepted:
        """The one submit. Whatever is not told by a SubmitError is an unknown outcome."""
        submit: Any = provider.submit
        heard = [partial(self._told, job)] if getattr(provider, "gives_signs", False) else []
        try:
            accepted: Accepted = await self.desk.unless_stopped(submit(order.request, token(job.intent), *heard))
        except (SubmitError, asyncio.CancelledError):
            raise
        except HaltedError as error:
            raise SubmitError(Outcome.UNKNOWN, "stopped", "the run was stopped before the reply came") from error
        except Exception as error:
            raise SubmitError(Outcome.UNKNOWN, type(error).__name__, str(error)) from error
        if not _is_name(accepted.job):
            raise SubmitError(Outcome.UNKNOWN, "bad id", f"the reply names the job {shown(accepted.job, 60)!r}")
        return accepted

    async def _told(self, job: Job, sign: Sign) -> None:
        """A sign of life before the answer: the request's id is noted, for a person who has to look for it. Whatever goes
        wrong here, the answer is waited for."""
        with suppress(Exception):
            if _is_name(sign.job):
                await self.desk.note(job, Step.NAMED, job=sign.job)
            note = f"{job.provider}: {shown(sign.note, 100)}"
            self.desk.emit(events.ActionProgressed, name=job.name, done=sign.done, note=note)

    async def _taken(self, job: Job, accepted: Accepted) -> bool:
        """What was accepted, durable; True when the job goes on at the provider. Raises IntegrityError when another
        intent says that it is the same job."""
        if accepted.files is not None:
            await self._received(job, accepted)
            return False
        twins: list[Job] = []

        def operation(journal: Journal) -> Sequence[Record]:
            twins[:] = [other for other in journal.replay.named(job.provider, accepted.job) if other.intent != job.intent]
            if twins:
                return [self.desk.entry(job, Step.HELD, code="same id", detail=accepted.job)]
            return [self.desk.entry(job, Step.ACCEPTED, job=accepted.job)]

        await self.desk.scribe.run(operation)
        if twins:
            facts = [("job", shown(accepted.job)), ("also", f"{twins[0].name}, since {twins[0].since}")]
            raise IntegrityError(f"{job.name}: {job.provider} names one job for two things", facts, to_decide(job))
        self._tell_of(job, accepted, Step.ACCEPTED)
        return True

    async def _received(self, job: Job, accepted: Accepted) -> None:
        """The only copy of a result: first in one piece under its job's name, then in the store, then in the journal;
        under our own name for the job where another bears the provider's."""
        parcels = self.collector.parcels
        record = await self._stored(job, accepted)
        await self.desk.scribe.run(lambda journal: [unique(journal, record)])
        await asyncio.to_thread(settled, self.desk.scribe.journal, parcels, job.intent)
        self._tell_of(job, accepted, Step.FETCHED)
        job = self.desk.jobs.get(job.intent, job)
        self.collector.tell(job, Step.FETCHED)
        self.desk.spending.note(job)

    def _tell_of(self, job: Job, accepted: Accepted, step: Step) -> None:
        self.desk.emit(events.JobNoted, name=job.name, provider=job.provider, step=step.value)
        self.desk.emit(
            events.JobSubmitted, name=job.name, provider=job.provider, job=shown(accepted.job), cost=money(job.most) or "0"
        )

    async def _stored(self, job: Job, accepted: Accepted) -> Record:
        """Hold the result in memory and try again where the disk does not take it. Raises IncompleteError where it is
        kept but not in the store yet, OSError where it is given up, and noted as unsure."""
        tries, is_kept, given = 0, False, accepted.files or {}
        results = {named(name): data for name, data in sorted(given.items())}
        blobs = await asyncio.to_thread(lambda: {name: digest.of_bytes(data) for name, data in results.items()})
        record = self.desk.entry(job, Step.FETCHED, job=accepted.job, cost=accepted.cost, outputs=blobs)
        while True:
            try:
                is_kept = is_kept or await asyncio.to_thread(self.collector.kept, record, results)
                await asyncio.to_thread(self.collector.added, results)
                return record
            except OSError as error:
                tries += 1
                if tries >= self.desk.policy.tries:
                    if is_kept:
                        raise not_stored(job, self.collector.parcels.place(job.intent), error) from error
                    await self._held(job, "not stored", f"the answer came and could not be written: {error.strerror}")
                    raise
            with suppress(HaltedError):
                await self.desk.rest(2.0**tries)

    async def _not_taken(
        self, job: Job, lane: Lane, error: SubmitError, crowds: frozenset[str], sent: int
    ) -> bool:
        """A submit that surely made no job; True when it only has to wait for one of ours. Raises what ends it."""
        if error.outcome is Outcome.REFUSED:
            await self.desk.note(job, Step.REFUSED, cost=ZERO, code=error.code, detail=error.detail)
            raise ended(self.desk.jobs[job.intent])
        await self.desk.note(job, Step.UNSENT, code=error.code, detail=error.detail)
        longest = self.desk.policy.longest_wait
        if error.outcome is Outcome.LANE_CLOSED:
            lane.close(lane_closed(job, error))
        elif error.retry_after is not None and error.retry_after > longest:
            lane.close(lane_closed(job, error, f"asks to wait {error.retry_after / 3600:.1f} hours"))
        crowded = error.code in crowds and lane.flying > 1
        if error.outcome is Outcome.BUSY:
            lane.busy(error.retry_after, crowded=crowded, sent=sent)
        else:
            lane.hold_back(error.retry_after)
            self._say_again(job, lane, error)
        if lane.streak >= self.desk.policy.tries:
            lane.close(lane_closed(job, error, "is busy or can't be reached"))
        if lane.closed is not None:
            raise lane.closed
        return crowded

    def _say_again(self, job: Job, lane: Lane, error: SubmitError) -> None:
        """Nothing was sent and it is tried again: noted at the action, and said once, for it may take minutes."""
        what = f"{job.provider}: nothing could be sent ({shown(error.code, 60)})"
        self.desk.emit(events.ActionProgressed, name=job.name, done=0.0, note=f"{what}, tries again")
        if lane.streak == SAID:
            tries = self.desk.policy.tries
            self.desk.emit(events.Warned, text=f"{what}; it is tried {tries} times in all, with growing pauses: a few minutes")

    async def _held(self, job: Job, code: str, detail: str) -> None:
        if job.state is not Step.HELD:
            await self.desk.note(job, Step.HELD, code=code, detail=detail)


def _is_name(job: str) -> bool:
    return 0 < len(job) <= LONGEST_ID and job.isprintable()


def intent_of(key: str, attempt: int) -> str:
    """The name of the n-th attempt at a key: the same on every machine."""
    return digest.of_document({"key": key, "attempt": attempt})[:32]


def priced(provider: Provider, order: Order) -> Price | None:
    """What it may cost. Raises ActionError for what the model can't do, or an adapter that fails: nothing is sent then."""
    try:
        found, price = list(provider.problems(order.request)), provider.price(order.request)
    except ClipbuildError:
        raise
    except Exception as error:
        facts = [("adapter", shown(f"{type(error).__name__}: {error}"))]
        raise ActionError(f"{order.name}: the adapter of {order.provider} fails", facts) from error
    if found:
        facts = [("problem", shown(problem)) for problem in found]
        hint = "`clipbuild check` says where it is asked for"
        raise ActionError(f"{order.name}: {order.provider} can't make this", facts, hint)
    return price
