"""Upkeep of a workspace: what is damaged, what nobody needs any more, what there is.

Only looks, but for damaged blobs, which go to quarantine, and for what a clean-up is told to remove. Knows nothing of
how results are shown.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from clipbuild import planning, publishing
from clipbuild.digest import Digest
from clipbuild.engine import lock
from clipbuild.engine.git import Git, is_repository
from clipbuild.engine.lock import LOCK_FILE, Lock
from clipbuild.engine.store import Damage, Sweep
from clipbuild.engine.traces import State
from clipbuild.engine.workspace import Workspace
from clipbuild.planning import Session
from clipbuild.settings import Settings
from clipbuild.wish import Wish


@dataclass(slots=True)
class Findings:
    """What was looked at and what is wrong. `outputs` are (path, what); `unfinished` are files that a build which did
    not end has placed and not listed yet: whole, and settled by the next build."""

    blobs: int = 0
    files: int = 0
    damaged: list[Damage] = field(default_factory=list)
    outputs: list[tuple[str, str]] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)


def inspect(session: Session) -> Findings:
    """Read every blob of the store and every file of the output tree."""
    known = {*session.store.blobs(), *session.store.marked()}
    if not session.settings.store:  # in a shared store another workspace's clean-up may have removed what is free
        traces = session.state.traces(session.state.keys()).values()
        known |= {blob for trace in traces for blob in trace.outputs.values()}
    found = Findings(damaged=list(session.store.verify(known)))
    found.blobs = sum(1 for _ in session.store.blobs())
    placing = publishing.unfinished(session)
    for path, row in session.tree.recorded().items():
        found.files += 1
        there = session.tree.digest(path)
        if there == row["sha256"]:
            continue
        if path in placing and (session.tree.is_absent(path) if there is None else session.store.sound(there)):
            found.unfinished.append(path)
        else:
            found.outputs.append((path, "missing" if session.tree.is_absent(path) else "not what was recorded"))
    return found


def clean_up(root: str, settings: Settings, *, now: float, remove: bool) -> tuple[set[Digest], Sweep]:
    """What is needed, and the blobs that nobody needs at the Unix time `now`; removed if told so.

    Raises CatalogError for a catalog that can't be read (what it needs is not known then), UsageError while another
    build uses the store.
    """
    keep: set[Digest] = set()
    for profile in _profiles(root, settings):
        session = planning.open_session(Wish(root, profile=profile), settings)
        try:
            keep |= _needed(session)
            locks = [session.lock, *_locks(root)]
            store = session.store
        finally:
            session.close()
    for known in locks:
        keep |= {blob for pin in known.pins.values() for blob in pin.outputs.values()}
        keep |= {said.digest for said in known.approvals.values() if said.verdict == "approved"}
    sweep = store.gc(keep, now=now, dry_run=not remove)
    if remove:
        _forget(root, {blob for blob, _ in sweep.blobs})
    return keep, sweep


def _forget(root: str, removed: set[Digest]) -> None:
    """Traces of what is no longer there say nothing any more."""
    state = State.open(Workspace(root).state)
    try:
        traces = state.traces(state.keys())
        state.forget(key for key, trace in traces.items() if not removed.isdisjoint(trace.outputs.values()))
    finally:
        state.close()


def _profiles(root: str, settings: Settings) -> list[str]:
    session = planning.open_session(Wish(root), settings)
    try:
        return list(session.catalog.project.profiles)
    finally:
        session.close()


def _needed(session: Session) -> set[Digest]:
    """What the tree shows, and what the catalog's plan would not have to make again."""
    plan = planning.make_plan(session).plan
    shown = {Digest(str(row["sha256"])) for row in session.tree.recorded().values()}
    return shown | set(session.origins) | {blob for made in plan.outputs.values() for blob in made.values()}


def _locks(root: str) -> Iterator[Lock]:
    """The locks of every branch and tag that git knows, and of its other worktrees as they are on disk. Raises
    ClipbuildError for one that can't be read, and where git refuses to tell: what it needs is not known then."""
    if not is_repository(root):
        return
    git = Git(root)
    for folder in git.worktrees():
        yield Lock.load(os.path.join(folder, LOCK_FILE))
    for commit, data in git.everywhere(LOCK_FILE):
        yield lock.parse(data, f"{LOCK_FILE} at {commit[:12]}")


def facts(session: Session) -> dict[str, Any]:
    """What store, state, lock and tree hold, in numbers."""
    sizes = {}
    for blob in session.store.blobs():
        sizes[blob] = session.store.size(blob)
    bought = {blob for blob in session.store.marked() if blob in sizes}
    return {
        "store": os.path.relpath(session.store.root, session.wish.root), "blobs": len(sizes),
        "bytes": sum(sizes.values()), "bought_blobs": len(bought), "bought_bytes": sum(sizes[blob] for blob in bought),
        "traces": len(session.state.keys()), "pins": len(session.lock.pins), "clips": len(session.catalog.entries),
        "files": len(session.tree.manifest()),
    }  # fmt: skip


