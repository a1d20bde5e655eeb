"""A plan and a shared cache: bring what this machine lacks, give what others may lack.

What was bought comes by its pin in the lock; what is free comes by signed statements, round by round, because one
result's key is known only when the one before it is there. Knows nothing of how a cache is reached.
"""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from clipbuild import events, planning
from clipbuild.digest import Digest
from clipbuild.engine.action import Action, Trace, Verdict
from clipbuild.engine.remote import Remote, open_remote
from clipbuild.engine.workspace import Workspace
from clipbuild.planning import Planned, Session

AT_ONCE = 8
PUSHED = "pushed"


@dataclass(slots=True)
class Moved:
    """How many blobs and results went over, and how many could not."""

    blobs: int = 0
    results: int = 0
    failed: int = 0


def remote_of(session: Session, bus: events.Bus, *, write: bool = False) -> Remote | None:
    """The cache that the user's configuration names; the repository has no say. Raises UsageError."""
    chosen = session.settings
    return open_remote(
        chosen.remote, os.environ, trusted=chosen.trusted, write=write or chosen.remote_write,
        warn=lambda text: bus.emit(events.Warned, text=text),
    )  # fmt: skip


def pull(session: Session, planned: Planned, remote: Remote) -> Moved:
    """Bring the blobs of pinned results that are gone, and the results of free actions that would run. Judges again."""
    moved = Moved()
    folder = Workspace(session.wish.root).temp
    with session.store.use(), ThreadPoolExecutor(AT_ONCE) as crew:
        asked: set[Digest] = set()
        while not remote.closed:
            lost = [(trace, blob) for _, trace in planned.plan.lost for blob in trace.outputs.values()]
            wanted = [(action, key) for action, key in _lacking(planned) if key not in asked]
            asked |= {key for _, key in wanted}
            came = sum(crew.map(lambda pair: _bring(session, remote, folder, [pair[1]], precious=True), lost))
            found = [trace for trace in crew.map(lambda pair: _result(session, remote, folder, pair[1]), wanted) if trace]
            _record(session, planned, {key: action for action, key in wanted}, found)
            moved.blobs += came + sum(len(trace.outputs) for trace in found)
            moved.results += len(found)
            if not came and not found:
                break
            planned.plan = planning.judge(session, planned.plan.graph)
    moved.failed = len(planned.plan.lost)
    return moved


def _lacking(planned: Planned) -> list[tuple[Action, Digest]]:
    plan = planned.plan
    return [(action, plan.keys[action.id]) for action in plan.of(Verdict.WILL_RUN) if not action.precious]


def _bring(session: Session, remote: Remote, folder: str, blobs: Iterable[Digest], *, precious: bool) -> bool:
    """All of these blobs are here now, and some were not."""
    missing = [blob for blob in blobs if not session.store.has(blob)]
    return bool(missing) and all(remote.fetch(blob, session.store, folder, precious=precious) for blob in missing)


def _result(session: Session, remote: Remote, folder: str, key: Digest) -> Trace | None:
    trace = remote.statement(key)
    if trace is None:
        return None
    missing = [blob for blob in trace.outputs.values() if not session.store.has(blob)]
    return trace if all(remote.fetch(blob, session.store, folder) for blob in missing) else None


def _record(session: Session, planned: Planned, actions: dict[Digest, Action], found: Iterable[Trace]) -> None:
    """Blobs first, then the traces that speak of them."""
    session.store.flush()
    for trace in found:
        action = actions[trace.key]
        inputs = planned.plan.inputs(action)
        assert inputs is not None
        names = planned.plan.graph.aliases.get(action.id, (action.name,))
        session.state.record(trace, action.document(inputs), names)
    session.state.commit()


def push(session: Session, planned: Planned, remote: Remote) -> Moved:
    """Give the results of everything that is up to date and was not given before."""
    moved = Moved()
    given = session.state.get_all(f"{PUSHED}:{remote.name}")
    plan = planned.plan
    traces: dict[Digest, Trace] = {}
    for action in plan.of(Verdict.UP_TO_DATE):
        trace = plan.find(plan.keys[action.id])
        if trace is not None and trace.key not in given:
            traces[trace.key] = trace
    folder = Workspace(session.wish.root).temp
    with session.store.use(), ThreadPoolExecutor(AT_ONCE) as crew:
        for trace, (sent, done) in zip(
            traces.values(), crew.map(lambda trace: _give(session, remote, folder, trace), traces.values()), strict=True
        ):
            moved.blobs += sent
            moved.results += done
            moved.failed += not done
            if done:
                session.state.put(f"{PUSHED}:{remote.name}", trace.key, b"")
    session.state.commit()
    return moved


def _give(session: Session, remote: Remote, folder: str, trace: Trace) -> tuple[int, bool]:
    """(blobs sent, all of it is there). The word of a free result goes last: what it speaks of is there then."""
    said = [remote.push(blob, session.store) for blob in trace.outputs.values()]
    whole = "refused" not in said
    if whole and trace.cost == "0" and not trace.facts and remote.trust.secret:
        whole = remote.say(trace, session.store, folder) != "refused"
    return said.count("sent"), whole


def before(session: Session, planned: Planned, bus: events.Bus) -> None:
    """Within a build, before anything runs: what the cache has need not be made."""
    if not planned.plan.lost and not _lacking(planned):
        return
    remote = remote_of(session, bus)
    if remote is not None:
        moved = pull(session, planned, remote)
        if moved.blobs:
            bus.emit(events.Fetched, blobs=moved.blobs, results=moved.results, remote=remote.name)


def after(session: Session, planned: Planned, bus: events.Bus) -> None:
    """Within a build, after it: others need not make what is made."""
    remote = remote_of(session, bus)
    if remote is not None:
        push(session, planned, remote)
