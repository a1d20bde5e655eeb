"""The walk of `clipbuild build`: look at the snapshot, load, plan, judge, run, publish. Read this first.

Assembles the rooms and holds no cleverness of its own. The judging half is `planning`, one action's run is
`workshop`, the tree is `outputs`.
"""

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from clipbuild import events
from clipbuild.look import Drift, Look, examine
from clipbuild.settings import Settings
from clipbuild.wish import Wish

if TYPE_CHECKING:
    import asyncio

    from clipbuild.consent import Ask
    from clipbuild.planning import Planned, Session
    from clipbuild.shift import Shift

DONE, SOME_FAILED, USAGE, INCOMPLETE, DECISION, INTEGRITY, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130


@dataclass(frozen=True, slots=True)
class Options:
    """How to build: `jobs` 0 means one a core; `shift` None: a shift of its own; `max_spend` USD as text; `locked`:
    nothing is bought; `frozen`: nothing is bought or asked for, and the lock stays as it is; `until`: the last stage
    that runs; `ask`: how a person is asked before money is spent; `approved_only`: only what a person approved goes into
    the tree; `touched`: this process built here last and well, and only these sources may have changed since."""

    jobs: int = 0
    fail_fast: bool = False
    dry_run: bool = False
    max_spend: str = ""
    locked: bool = False
    frozen: bool = False
    approved_only: bool = False
    until: str = ""
    ask: "Ask | None" = None
    shift: "Shift | None" = None
    touched: frozenset[str] | None = None

    def work(self) -> "Shift":
        """The shift to build in."""
        from clipbuild.shift import Shift

        return self.shift or Shift()


@dataclass(slots=True)
class Report:
    """What a build did: names of actions that ran, that failed and why, and the files of the tree."""

    ran: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    """Those of the failed for which a person must decide."""
    unfinished: list[str] = field(default_factory=list)
    """Those of the failed that another build goes on with: nothing is wrong with them."""
    blocked: list[str] = field(default_factory=list)
    up_to_date: int = 0
    cost: str = "0"
    seconds: float = 0.0
    deliverables: int = 0
    written: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)
    status: int = DONE
    agreed: str = ""
    degraded: dict[str, str] = field(default_factory=dict)
    left: bool = False
    """How it left things is remembered: the next build may stop at a look."""

    def plain(self) -> dict[str, Any]:
        """The report as JSON data, for `--json`."""
        return {
            "ran": self.ran, "failed": sorted(self.failed), "errors": self.failed, "waiting": self.waiting,
            "unfinished": self.unfinished,
            "blocked": self.blocked,
            "up_to_date": self.up_to_date, "cost": self.cost, "seconds": round(self.seconds, 3),
            "deliverables": self.deliverables, "written": self.written, "removed": self.removed,
            "held": self.held, "degraded": self.degraded, "status": self.status,
        }  # fmt: skip


def build(wish: Wish, settings: Settings, bus: events.Bus, options: Options) -> Report:
    """Make everything wished for that is out of date. Raises CatalogError, UsageError, IntegrityError."""
    began = time.monotonic()
    look = Look.take(wish, settings, touched=options.touched)
    if look.changes is not None and not look.changes and not options.approved_only:
        report = Report(up_to_date=look.note["actions"], deliverables=look.note["deliverables"], left=True)
    else:
        from clipbuild.engine.workspace import Workspace

        place = Workspace(wish.root)
        with place.held(waiting=lambda who: bus.emit(events.Warned, text=f"waiting for {who}, which builds here")):
            options.work().clean(place)
            report = _walk(look.again(), bus, options)
    report.seconds = time.monotonic() - began
    bus.emit(
        events.BuildFinished, ran=len(report.ran), failed=len(report.failed), up_to_date=report.up_to_date,
        seconds=report.seconds, cost=report.cost, status=report.status,
    )  # fmt: skip
    return report


def _walk(look: Look, bus: events.Bus, options: Options) -> Report:
    from clipbuild import planning

    def placed(kind: str, path: str) -> None:
        if kind == "warned":
            bus.emit(events.Warned, text=path)
            return
        if kind == "placed":
            bus.emit(events.TreeReady)
            return
        written = kind == "written"
        (report.written if written else report.removed).append(path)
        bus.emit(events.DeliverableWritten if written else events.DeliverableRemoved, path=path)

    report, settings = Report(), look.settings
    session = planning.open_session(
        look.wish, settings, placed, suspects=look.suspects(), kept=options.work().kept
    )  # fmt: skip
    for problem in session.catalog.warnings:
        bus.emit(events.Warned, text=str(problem).partition("\n")[0])
    try:
        with session.store.use():
            session.tree.ready()
            drift = None if options.approved_only else look.drift(session)
            if drift is None:
                examine(look, session)
            planned = _until_settled(session, drift, bus, options, report)
            _publish(session, planned, look, bus, options, report)
            if settings.remote_write and settings.trusted and report.ran:
                from clipbuild import sharing

                sharing.after(session, planned, bus)
        return report
    finally:
        session.close()


def _until_settled(
    session: "Session", drift: Drift | None, bus: events.Bus, options: Options, report: Report
) -> "Planned":
    """Plan and run; again when a blob turned out lost: each round may find another. After nine, what is left has failed."""
    from clipbuild import checkpoint, deadends, planning
    from clipbuild.publishing import is_sound, publish_drafts

    for _ in range(9):
        planned = planning.make_plan(session, drift)
        if planned.drafts:
            publish_drafts(session, planned.drafts, bus)
            planned = planning.make_plan(session, drift)
        checkpoint.put_aside(session, planned)
        if options.until:
            deadends.look(session, planned)
            planned.plan = planning.up_to(session, planned.plan.graph, options.until)
        if session.settings.remote:
            from clipbuild import sharing

            sharing.before(session, planned, bus)
        if _run(session, planned, bus, options, report):
            continue
        if is_sound(session, planned) or report.status not in (DONE, SOME_FAILED):
            break
    return planned


def _run(session: "Session", planned: "Planned", bus: events.Bus, options: Options, report: Report) -> bool:
    """Run what will run; fills the report. True when the plan must be made again."""
    from clipbuild.engine.action import Verdict

    plan = planned.plan
    counts = {verdict: len(plan.of(verdict)) for verdict in Verdict}
    report.up_to_date = counts[Verdict.UP_TO_DATE] + planned.kept_actions
    bus.emit(
        events.BuildStarted, will_run=counts[Verdict.WILL_RUN], may_run=counts[Verdict.MAY_RUN],
        up_to_date=report.up_to_date,
    )  # fmt: skip
    unpinned = (a for a in plan.of(Verdict.UP_TO_DATE) if a.precious and session.lock.pin(plan.keys[a.id]) is None)
    if not (counts[Verdict.WILL_RUN] or plan.lost or session.journal.replay.unsettled() or any(unpinned)):
        return False
    return options.work().run(_make(session, planned, bus, options, report))


async def _make(
    session: "Session", planned: "Planned", bus: events.Bus, options: Options, report: Report
) -> bool:
    import asyncio
    import contextlib
    import signal

    from clipbuild import buying, consent, deadends, holds, planning, retaking, standins, workshop
    from clipbuild.engine import scheduler
    from clipbuild.engine.executor import cores
    from clipbuild.engine.workspace import Workspace
    from clipbuild.media.encode import THREADS as ENCODE_THREADS
    from clipbuild.providers.desk import HaltedError

    jobs = options.jobs or session.settings.jobs or cores()
    stop, hurry, signals = asyncio.Event(), asyncio.Event(), list[int]()

    def stopped(number: int) -> None:
        signals.append(number)
        (hurry if stop.is_set() else stop).set()

    loop = asyncio.get_running_loop()
    with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stopped, number)
    shift = options.work()
    temporary = shift.folder(Workspace(session.wish.root))
    crew = shift.crew(jobs, temporary)
    shop = workshop.Workshop(session.store, session.origins, {"ffmpeg": session.ffmpeg}, temporary, crew, bus)
    shop.gate, shop.root = deadends.gate(session, planned, holds.gate(session)), session.wish.root
    pools = {"cpu": jobs, "encode": max(1, jobs // ENCODE_THREADS), "inline": 1, **buying.pools(session, planned)}
    budget = consent.budget(
        session, planned, max_spend=options.max_spend, locked=options.locked, frozen=options.frozen, ask=options.ask,
        agreed=report.agreed,
    )  # fmt: skip
    report.agreed, before = str(budget.build or ""), frozenset(session.lock.pins)
    try:
        async with buying.opened(session, planned, bus, stop, budget, hurry=hurry) as counter:
            shop.buy = counter.buy
            counter.begin()
            outcome = await scheduler.run(
                planned.plan, shift.runner(planned.plan.graph, shop.run, stop), pools=pools, emit=bus.emit,
                state=session.state, store=session.store, fail_fast=options.fail_fast, stop=stop,
                hurry=hurry,
            )  # fmt: skip
            await counter.settled()
    finally:
        await shift.leave(crew)
    counter.pin()
    told = {getattr(error, "what", "") for error in outcome.failed.values()}
    failed = {**outcome.failed, **{name: error for name, error in counter.problems.items() if error.what not in told}}
    report.ran += outcome.ran
    halted = [name for name, error in failed.items() if isinstance(error, HaltedError)]
    report.failed = {name: str(error) for name, error in failed.items() if name not in halted}
    ends = {name: getattr(failed[name], "exit_status", SOME_FAILED) for name in sorted(report.failed)}
    report.waiting = [name for name, status in ends.items() if status == DECISION]
    report.unfinished = [name for name, status in ends.items() if status == INCOMPLETE]
    report.blocked = [*halted, *outcome.blocked]
    report.up_to_date += len(outcome.skipped)
    report.cost = buying.summed(report.cost, (trace for trace in outcome.traces.values() if trace.key not in before))
    report.status = 128 + signals[0] if signals else _status(failed.values(), stop)
    again = retaking.retake(session, planned, outcome.failed) if report.status == SOME_FAILED else []
    instead = standins.note(session, planned, outcome.failed) if not stop.is_set() else []
    if not (again or instead):
        counter.end(report.status)
    for text in instead:
        bus.emit(events.Warned, text=text)
    for one in again:
        bus.emit(events.TakeRejected, name=one.name, take=one.take, because=one.because)
    anew = outcome.lost or again or instead or planning.choices(session, planned.plan)
    return bool(anew) and not stop.is_set()


def _status(errors: Any, stop: "asyncio.Event") -> int:
    if stop.is_set():
        return INTERRUPTED
    statuses = {getattr(error, "exit_status", SOME_FAILED) for error in errors}
    return next((s for s in (INTEGRITY, DECISION, INCOMPLETE, USAGE, SOME_FAILED) if s in statuses), DONE)


def _publish(
    session: "Session", planned: "Planned", look: Look, bus: events.Bus, options: Options, report: Report
) -> None:
    """Bring the tree in line; when all is well, remember how it was left, so that the next build may stop at a look."""
    from clipbuild import checkpoint, holds, publishing, standins
    from clipbuild.look import leave
    from clipbuild.manifest import NAME as MANIFEST

    done = publishing.publish(session, planned, approved_only=options.approved_only)
    report.deliverables = done.count
    report.held = {hold.clip: str(hold) for hold in done.held}
    made = set(report.ran)
    for text in (*holds.advice(session, planned, made), *holds.too_large(session, planned, made)):
        bus.emit(events.Warned, text=text)
    report.degraded = standins.degraded(planned)
    for clip, text in report.degraded.items():
        bus.emit(events.Warned, text=f"{clip}: degraded: {text}")
    if report.status == DONE and done.waits:
        report.status = DECISION
    elif report.status == DONE and report.degraded:
        report.status = SOME_FAILED
    if report.status != DONE or options.approved_only or options.until or session.state.dropped:
        return
    actions = planned.kept_actions + len(planned.plan.graph)
    note = {
        "context": planned.context, "actions": actions, "deliverables": done.count, "stamp": session.records.stamp()
    }  # fmt: skip
    afresh = planned.drift is None
    paths = [*session.tree.recorded(), MANIFEST] if afresh else done.placed
    leave(look, session, note, session.tree.below(paths), set(session.tree.below(done.gone)), afresh=afresh)
    report.left = True
    checkpoint.forget(session)
