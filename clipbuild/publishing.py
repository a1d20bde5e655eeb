"""From a finished plan to the tree: manifest rows of what is done, records of clips, and what must go.

Runs after the scheduler and also when nothing ran. Knows nothing of how actions run.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from clipbuild import events
from clipbuild.engine import files
from clipbuild.outputs import MANIFEST, Entry
from clipbuild.planner.recipes import Deliverable
from clipbuild.planner.spoken import Draft
from clipbuild.planning import Planned, Session, record_kind


def publish(session: Session, planned: Planned) -> int:
    """Bring the tree in line with the plan; returns how many deliverables it now has.

    A clip that is not whole keeps its files of before, and gets no record.
    """
    before = session.tree.recorded()
    rows: dict[str, Mapping[str, Any]] = {}
    for clip in session.catalog.clips:
        if clip.id in planned.deliverables:
            rows |= _clip(session, planned, clip.id, before)
        elif clip.id in planned.kept:
            rows |= {str(row["path"]): row for row in planned.kept[clip.id]["files"]}
        else:
            rows |= {path: row for path, row in before.items() if row.get("clip") == clip.id}
    session.tree.drop(path for path in before if path not in rows)
    session.tree.save(list(rows.values()))
    session.state.commit()
    return len(rows)


def publish_drafts(session: Session, drafts: Iterable[Draft], bus: events.Bus) -> None:
    """Write drafts of captions into the workspace, for a person to correct. Raises IntegrityError for a folder that
    leads out of it."""
    root = session.wish.root
    for draft in drafts:
        target = files.within(root, draft.path)
        files.ensure_dir(os.path.dirname(target), root=root)
        files.write_atomic(target, draft.text.encode(), root=root)
        bus.emit(events.Warned, text=f"{draft.path}: captions written; correct them there and build again")


def _clip(
    session: Session, planned: Planned, clip: str, before: Mapping[str, Mapping[str, Any]]
) -> dict[str, Mapping[str, Any]]:
    wanted = planned.deliverables[clip]
    entries = [_entry(planned, deliverable, session) for deliverable in wanted]
    whole = [entry for entry in entries if entry]
    if len(whole) < len(wanted):
        return {path: row for path, row in before.items() if row.get("clip") == clip}
    for entry in whole:
        session.tree.put(entry, session.store.path(entry.sha256), before.get(entry.path))
    rows: dict[str, Mapping[str, Any]] = {entry.path: entry.plain() for entry in whole}
    if session.wish.platforms:
        kept = {p: r for p, r in before.items() if r.get("clip") == clip and r["platform"] not in session.wish.platforms}
        return {**kept, **rows}
    record = {"fp": planned.fingerprints[clip], "files": list(rows.values())}
    session.state.put(record_kind(session), clip, json.dumps(record).encode())
    return rows


def _entry(planned: Planned, wanted: Deliverable, session: Session) -> Entry | None:
    digest = planned.plan.resolve(wanted.source)
    key = planned.plan.keys.get(wanted.source.action)
    if digest is None or key is None or not session.store.has(digest):
        return None
    spec = wanted.spec
    return Entry(
        wanted.path, digest, session.store.size(digest), key, wanted.clip, wanted.platform, wanted.kind,
        spec.width, spec.height, spec.fps, wanted.seconds,
    )  # fmt: skip


def tree_paths(session: Session) -> Iterator[str]:
    """Every file of the tree that the manifest names, and the manifest, relative to the workspace."""
    top = os.path.relpath(session.tree.top, session.wish.root).replace(os.sep, "/")
    yield f"{top}/{MANIFEST}"
    for path in session.tree.recorded():
        yield f"{top}/{path}"
