"""Buying for one build: opens the journal, adapters and caps, fills the workshop's `buy`, and pins what was bought.

The only place where settings, keys, lock and providers meet. How a thing is bought once is `providers.jobs`.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from clipbuild.adapters import Adapters, order_of
from clipbuild.decisions import amend
from clipbuild.digest import Digest
from clipbuild.engine.action import Action, Trace, Verdict
from clipbuild.engine.store import Store
from clipbuild.engine.workspace import Workspace
from clipbuild.errors import ClipbuildError, DecisionError, SpendError
from clipbuild.events import Bus, JobNoted, Warned
from clipbuild.planning import Planned, Session, find
from clipbuild.plural import counted
from clipbuild.providers.collecting import Collector
from clipbuild.providers.desk import Desk, HaltedError, Policy, background
from clipbuild.providers.elsewhere import Elsewhere
from clipbuild.providers.jobs import Buyer
from clipbuild.providers.journal import Journal, workspace_name
from clipbuild.providers.records import BOUGHT, ZERO, Job, Record, Step, amount, money
from clipbuild.providers.scribe import Scribe
from clipbuild.providers.spend import FROZEN, Budget, Spending
from clipbuild.providers.wording import ended, undecided
from clipbuild.settings import Settings

LANE = 100
"""The widest a lane may be, unless the project's `pools` say otherwise."""


@dataclass(slots=True)
class Buying:
    """One build's buying. `problems` are what went wrong with jobs that no action of this build waits for."""

    session: Session
    desk: Desk
    buyer: Buyer
    planned: Planned
    problems: dict[str, ClipbuildError] = field(default_factory=dict)
    others: "list[asyncio.Task[None]]" = field(default_factory=list)

    async def buy(self, action: Action, key: Digest, paths: Mapping[str, str], folder: str) -> Trace:
        """The workshop's hook: what the action gives, bought once. Raises ClipbuildError."""
        pin = find(self.session, key)
        if pin is not None:
            return await self._back(action, pin)
        return await self.buyer.buy(order_of(action, key, paths))

    async def _back(self, action: Action, pin: Trace) -> Trace:
        """A bought result whose bytes are gone: from the provider while it has them, else a person must decide."""
        if all(self.session.store.has(blob) for blob in pin.outputs.values()):
            return replace(pin, name=action.name)
        provider, job = pin.facts.get("provider", ""), pin.facts.get("job", "")
        offline = self.desk.spending.budget.offline
        if provider and job and not offline and await self.buyer.collector.restore(provider, job, pin.outputs, action.name):
            return replace(pin, name=action.name)
        facts = [("bought", pin.facts.get("at", "")), ("job", f"{provider} {job}"), ("cost", f"${pin.cost}")]
        sku = action.name.split("/")[0]
        hint = f"bring the blobs back (a store, a remote), or buy it again: `clipbuild retake {sku} --because lost`"
        raise DecisionError(f"{action.name}: bought, and its bytes are nowhere to be found", facts, hint)

    def begin(self) -> None:
        """Let lost results be got back, and start to collect what is open and no action of the build waits for."""
        self.planned.plan.reopen_lost()
        wanted = set(self.planned.plan.keys.values())
        jobs = [job for job in self.desk.jobs.values() if job.key not in wanted and (job.is_open or job.is_ambiguous)]
        self.others = [background(self._collected(job)) for job in jobs]

    async def settled(self) -> None:
        """Wait for those others; what a person must decide joins the problems."""
        await asyncio.gather(*self.others)
        held = [job for job in self.desk.jobs.values() if job.is_ambiguous and job.state is Step.HELD]
        names = {problem.what for problem in self.problems.values()}
        for job in held:
            error = undecided(job)
            if error.what not in names:
                self.problems[f"{job.name} ({job.provider} job {job.intent[:8]})"] = error

    async def _collected(self, job: Job) -> None:
        try:
            if job.is_ambiguous:
                await self.buyer.settle(job)
                job = self.desk.jobs[job.intent]
            if job.is_open and not self.desk.spending.budget.offline:
                await self.buyer.collector.finish(job)
        except ClipbuildError as error:
            self.problems[f"{job.name} ({job.provider} job)"] = error

    def pin(self) -> None:
        """Write the lock from the plan: every precious action that is up to date. Raises OSError, UsageError."""
        plan = self.planned.plan
        ready = [a for a in plan.of(Verdict.UP_TO_DATE) if a.precious]
        traces = [t for a in ready if (t := find(self.session, plan.keys[a.id])) is not None]
        session = self.session
        fresh = [t for t in traces if session.lock.pin(t.key) is None]
        if fresh and self.desk.spending.budget != FROZEN:
            session.lock = amend(session.wish.root, lambda lock: lock.with_pins(fresh))
        keys_pinned = set(session.lock.pins)
        done = [job for job in self.desk.jobs.values() if job.state is Step.FETCHED and job.key in keys_pinned]
        if done:
            session.journal.append(*(self.desk.entry(job, Step.PINNED) for job in done))
            for job in done:
                self.desk.emit(JobNoted, name=job.name, provider=job.provider, step=Step.PINNED.value)

    def end(self, status: int) -> None:
        """The build is whole (done, or some failed): the next one begins anew, with a cap of its own."""
        build = self.session.journal.replay.open_build(self.desk.workspace)
        if build and status in (0, 1):
            self.session.journal.append(Record(Step.ENDED, self.desk.now(), name=self.desk.workspace, build=build))


@asynccontextmanager
async def opened(
    session: Session, planned: Planned, bus: Bus, stop: asyncio.Event, budget: Budget, *, policy: Policy | None = None,
    **doors: Any,
) -> AsyncIterator[Buying]:  # fmt: skip
    """Buying for the running loop; ends with the adapters closed and what the journal is owed written."""
    adapters = Adapters(session.settings, os.environ)
    widths = session.catalog.project.pools
    spending = Spending(budget, session.lock.pins.values(), Elsewhere(session.journal.mirror))
    desk = Desk(
        Scribe(session.journal), session.store, spending, adapters.get, workspace_name(session.wish.root),
        os.path.join(session.wish.root, ".clipbuild", "tmp"), bus.emit, lambda name: widths.get(name, LANE),
        policy or Policy(), stop=stop, **doors,
    )  # fmt: skip
    for name, reason in session.closed.items():
        desk.lane(name).close(reason)
    collector = Collector(desk)
    closing = background(_close_lanes(desk))
    try:
        yield Buying(session, desk, Buyer(desk, collector), planned)
    finally:
        closing.cancel()
        left = [*collector.tasks.values()]
        if stop.is_set() and left:
            await asyncio.wait(left, timeout=1.0)
        for task in left:
            task.cancel()
        session.closed |= {name: lane.closed for name, lane in desk.lanes.items() if lane.closed is not None}
        await adapters.close()


async def _close_lanes(desk: Desk) -> None:
    """Once the run is to stop, nobody waits for a place any more; a person is told what the end still waits for."""
    await desk.stop.wait()
    run = desk.scribe.journal.runs.name
    sent = sum(job.state in (Step.SENT, Step.NAMED) and job.run == run for job in desk.jobs.values())
    if sent and desk.policy.grace:
        wait = f"{counted(sent, 'submit')} not answered yet: waiting {desk.policy.grace:g} s"
        desk.emit(Warned, text=f"{wait}; stop again to end at once, and leave what is not answered unsure")
    for lane in desk.lanes.values():
        lane.close(HaltedError("stopped", hint="`clipbuild build` goes on from here"))


def pools(session: Session, planned: Planned) -> dict[str, int]:
    """The width of each provider's pool, and of those that the project names."""
    providers = {action.pool for action in planned.plan.graph if action.precious}
    return {**dict.fromkeys(providers, LANE), **session.catalog.project.pools}


def summed(before: str, traces: Iterable[Trace]) -> str:
    """USD in all, as text."""
    total = sum((amount(trace.cost) or ZERO for trace in traces), amount(before) or ZERO)
    return money(total) or "0"


def collect_open(root: str, settings: Settings, journal: Journal, only: Collection[str]) -> dict[str, ClipbuildError | None]:
    """Wait for open jobs (all, or those of `only`) and store their results: by action name, None for one that is
    stored. Needs no catalog."""
    if not settings.trusted:
        raise SpendError("an untrusted run asks no provider", hint="CLIPBUILD_TRUSTED=1 if you trust this checkout")
    jobs = [job for job in journal.replay.jobs.values() if job.is_open and (not only or job.intent in only)]
    return asyncio.run(_collect(root, settings, journal, jobs)) if jobs else {}


async def _collect(root: str, settings: Settings, journal: Journal, jobs: list[Job]) -> dict[str, ClipbuildError | None]:
    place = Workspace(root)
    place.prepare()
    adapters = Adapters(settings, os.environ)
    store = Store(settings.store or place.store)
    desk = Desk(Scribe(journal), store, Spending(Budget()), adapters.get, workspace_name(root), place.temp)
    collector = Collector(desk)
    try:
        with store.use():
            done = await asyncio.gather(*(collector.finish(job) for job in jobs), return_exceptions=True)
    finally:
        await adapters.close()
    found: dict[str, ClipbuildError | None] = {}
    for job, result in zip(jobs, done, strict=True):
        if isinstance(result, BaseException) and not isinstance(result, ClipbuildError):
            raise result
        found[job.name] = result if isinstance(result, ClipbuildError) else _failure(result)
    return found


def _failure(job: Job) -> ClipbuildError | None:
    return None if job.state in BOUGHT else ended(job)
