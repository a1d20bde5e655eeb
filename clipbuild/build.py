"""The walk of `clipbuild build`: look at the snapshot, load, plan, judge, run, publish. Read this first.

Assembles the rooms and holds no cleverness of its own. The judging half is `planning`, one action's run is
`workshop`, the tree is `outputs`.
"""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from clipbuild import __version__, events
from clipbuild.engine.snapshot import Snapshot
from clipbuild.settings import Settings
from clipbuild.wish import Wish

if TYPE_CHECKING:
    import asyncio

    from clipbuild.planning import Planned, Session
    from clipbuild.shift import Shift

DONE, SOME_FAILED, INCOMPLETE, DECISION, INTEGRITY, INTERRUPTED = 0, 1, 3, 4, 5, 130


@dataclass(frozen=True, slots=True)
class Options:
    """How to build: `jobs` 0 means one a core; `shift` None: a shift of its own."""

    jobs: int = 0
    fail_fast: bool = False
    dry_run: bool = False
    shift: "Shift | None" = None

    def work(self) -> "Shift":
        """The shift to build in."""
        from clipbuild.shift import Shift

        return self.shift or Shift()


@dataclass(slots=True)
class Report:
    """What a build did: names of actions that ran, that failed and why, and the files of the tree."""

    ran: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    blocked: list[str] = field(default_factory=list)
    up_to_date: int = 0
    cost: str = "0"
    seconds: float = 0.0
    deliverables: int = 0
    written: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    status: int = DONE

    def plain(self) -> dict[str, Any]:
        """The report as JSON data, for `--json`."""
        return {
            "ran": self.ran, "failed": sorted(self.failed), "errors": self.failed, "blocked": self.blocked,
            "up_to_date": self.up_to_date, "cost": self.cost, "seconds": round(self.seconds, 3),
            "deliverables": self.deliverables, "written": self.written, "removed": self.removed,
            "status": self.status,
        }  # fmt: skip


def question(wish: Wish) -> bytes:
    """What a snapshot answers: this version, this wish. Another question needs a walk of its own."""
    asked = (__version__, wish.products, wish.platforms, wish.profile)
    return repr(asked if wish.clips is None else (*asked, sorted(wish.clips))).encode()


def snapshot_path(root: str, profile: str) -> str:
    """Where the snapshot of a profile's last whole build is; "" is the project's usual profile."""
    return os.path.join(root, ".clipbuild", f"snapshot.{profile}" if profile else "snapshot")


def _note_path(root: str, profile: str) -> str:
    return f"{snapshot_path(root, profile)}.json"


def build(wish: Wish, settings: Settings, bus: events.Bus, options: Options) -> Report:
    """Make everything wished for that is out of date. Raises CatalogError, UsageError, IntegrityError."""
    began = time.monotonic()
    asked = question(wish)
    snapshot = Snapshot.load(snapshot_path(wish.root, wish.profile))
    if snapshot.unchanged(asked, wish.root):
        return _nothing_to_do(wish, began, bus)
    from clipbuild.engine.workspace import Workspace

    place = Workspace(wish.root)
    with place.held(waiting=lambda who: bus.emit(events.Warned, text=f"waiting for {who}, which builds here")):
        options.work().clean(place)
        report = _walk(wish, settings, bus, options, asked, snapshot)
    report.seconds = time.monotonic() - began
    bus.emit(
        events.BuildFinished, ran=len(report.ran), failed=len(report.failed), up_to_date=report.up_to_date,
        seconds=report.seconds, cost=report.cost, status=report.status,
    )  # fmt: skip
    return report


def _nothing_to_do(wish: Wish, began: float, bus: events.Bus) -> Report:
    try:
        with open(_note_path(wish.root, wish.profile), encoding="utf-8") as file:
            known = json.load(file)
    except (OSError, ValueError):
        known = {}
    report = Report(up_to_date=known.get("actions", 0), deliverables=known.get("deliverables", 0))
    report.seconds = time.monotonic() - began
    bus.emit(
        events.BuildFinished, ran=0, failed=0, up_to_date=report.up_to_date, seconds=report.seconds,
        cost="0", status=DONE,
    )  # fmt: skip
    return report


def _walk(
    wish: Wish, settings: Settings, bus: events.Bus, options: Options, asked: bytes, snapshot: Snapshot
) -> Report:
    from clipbuild import planning

    def placed(kind: str, path: str) -> None:
        written = kind == "written"
        (report.written if written else report.removed).append(path)
        bus.emit(events.DeliverableWritten if written else events.DeliverableRemoved, path=path)

    report = Report()
    session = planning.open_session(wish, settings, placed)
    try:
        with session.store.use():
            planned = _until_settled(session, _dirty(session, snapshot), bus, options, report)
            _publish(session, planned, report)
            if settings.remote_write and settings.trusted and report.ran:
                from clipbuild import sharing

                sharing.after(session, planned, bus)
        if report.status == DONE:
            _take_snapshot(session, asked, report)
        return report
    finally:
        session.close()


def _until_settled(
    session: "Session", dirty: frozenset[str] | None, bus: events.Bus, options: Options, report: Report
) -> "Planned":
    """Plan and run; again when a blob turned out lost: each round may find another. After nine, what is left has failed."""
    from clipbuild import planning
    from clipbuild.publishing import publish_drafts

    for _ in range(9):
        planned = planning.make_plan(session, dirty)
        if planned.drafts:
            publish_drafts(session, planned.drafts, bus)
            planned = planning.make_plan(session, dirty)
        if session.settings.remote:
            from clipbuild import sharing

            sharing.before(session, planned, bus)
        if not _run(session, planned, bus, options, report):
            break
    return planned


def _dirty(session: "Session", snapshot: Snapshot) -> frozenset[str] | None:
    """The clips whose files in the tree are not as they were left; None when that is not known."""
    if not snapshot.question:
        return None
    changed = snapshot.changes(session.wish.root).outputs
    prefix = os.path.relpath(session.tree.top, session.wish.root).replace(os.sep, "/") + "/"
    rows = session.tree.recorded()
    if changed and not rows:
        return None
    found = [rows[p] for path in changed if (p := path.removeprefix(prefix)) in rows]
    for row in found:
        session.store.sound(row["sha256"])
    return frozenset(str(row["clip"]) for row in found)


def _run(session: "Session", planned: "Planned", bus: events.Bus, options: Options, report: Report) -> bool:
    """Run what will run; fills the report. True when the plan must be made again."""
    from clipbuild.engine.action import Verdict

    plan = planned.plan
    counts = {verdict: len(plan.of(verdict)) for verdict in Verdict}
    report.up_to_date = counts[Verdict.UP_TO_DATE]
    bus.emit(
        events.BuildStarted, will_run=counts[Verdict.WILL_RUN], may_run=counts[Verdict.MAY_RUN],
        up_to_date=report.up_to_date,
    )  # fmt: skip
    return bool(counts[Verdict.WILL_RUN]) and options.work().run(_make(session, planned, bus, options, report))


async def _make(
    session: "Session", planned: "Planned", bus: events.Bus, options: Options, report: Report
) -> bool:
    import asyncio
    import contextlib
    import signal

    from clipbuild import workshop
    from clipbuild.engine import scheduler
    from clipbuild.engine.workspace import Workspace

    jobs = options.jobs or session.settings.jobs or os.cpu_count() or 1
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
        loop.add_signal_handler(signal.SIGINT, stop.set)
        loop.add_signal_handler(signal.SIGTERM, stop.set)
    shift = options.work()
    temporary = shift.folder(Workspace(session.wish.root))
    crew = shift.crew(jobs, temporary)
    shop = workshop.Workshop(session.store, session.origins, _tool_paths(session), temporary, crew, bus)
    pools = {"cpu": jobs, "inline": 1, **session.catalog.project.pools}
    try:
        outcome = await scheduler.run(
            planned.plan, shift.runner(planned.plan.graph, shop.run, stop), pools=pools, emit=bus.emit,
            state=session.state, store=session.store, fail_fast=options.fail_fast, stop=stop,
        )  # fmt: skip
    finally:
        await shift.leave(crew)
    report.ran += outcome.ran
    report.failed = {name: str(error) for name, error in outcome.failed.items()}
    report.blocked = list(outcome.blocked)
    report.up_to_date += len(outcome.skipped)
    report.status = _status(outcome.failed.values(), stop)
    return bool(outcome.lost) and not stop.is_set()


def _status(errors: Any, stop: "asyncio.Event") -> int:
    if stop.is_set():
        return INTERRUPTED
    statuses = {getattr(error, "exit_status", SOME_FAILED) for error in errors}
    return next((s for s in (INTEGRITY, DECISION, INCOMPLETE, SOME_FAILED) if s in statuses), DONE)


def _tool_paths(session: "Session") -> Mapping[str, str]:
    from clipbuild.media import ffmpeg

    return {"ffmpeg": ffmpeg.find(session.settings.ffmpeg)}


def _publish(session: "Session", planned: "Planned", report: Report) -> None:
    """Put deliverables into the tree, take away what left the catalog, write the manifest and the records."""
    from clipbuild.publishing import publish

    report.deliverables = publish(session, planned)


def _take_snapshot(session: "Session", asked: bytes, report: Report) -> None:
    """Remember what sources and outputs look like, so that the next build may stop at a look."""
    from clipbuild.engine.files import write_atomic
    from clipbuild.engine.snapshot import disk_clock, output_signature, settled
    from clipbuild.publishing import tree_paths

    root, profile = session.wish.root, session.wish.profile
    outputs = {path: output_signature(os.path.join(root, path)) for path in tree_paths(session)}
    now, _ = disk_clock(os.path.join(root, ".clipbuild"))
    sources, folders = session.sources.seen(), session.sources.dirs()
    snapshot = Snapshot.of(asked, sources, settled(outputs, now), folders)
    note = {"actions": report.up_to_date + len(report.ran), "deliverables": report.deliverables}
    write_atomic(_note_path(root, profile), json.dumps(note).encode())
    snapshot.save(snapshot_path(root, profile))
