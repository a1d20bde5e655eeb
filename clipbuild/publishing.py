"""From a finished plan to the tree: manifest rows of what is done, records of clips, and what must go.

Runs after the scheduler and also when nothing ran. Knows nothing of how actions run.
"""

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from clipbuild import events
from clipbuild.engine import files
from clipbuild.holds import Hold, Holds
from clipbuild.look import Drift
from clipbuild.manifest import Manifest
from clipbuild.outputs import MANIFEST, Entry
from clipbuild.planner.recipes import Deliverable
from clipbuild.planner.spoken import Draft
from clipbuild.planning import Planned, Session
from clipbuild.records import Mark

Rows = Mapping[str, Mapping[str, Any]]


@dataclass(slots=True)
class Published:
    """What became of the tree: how many files it has, those of the clips that were looked at, those that went; and the
    clips that were held back. `waits`: a person must decide."""

    count: int = 0
    placed: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    held: list[Hold] = field(default_factory=list)
    waits: bool = False


def publish(session: Session, planned: Planned, *, approved_only: bool = False) -> Published:
    """Bring the tree in line with the plan.

    A clip that is not whole keeps its files of before, and gets no record. So does one that is held back, but for files
    that may not be there; `approved_only`: those are all that nobody approved.
    """
    holds = Holds(session, planned, approved_only)
    table, known = session.tree.manifest(), {entry.id for entry in session.catalog.entries}
    before = _Before(session, table, planned.drift)
    placing = _Unfinished(session)
    entries = {clip: _entries(session, planned, clip, holds) for clip in planned.deliverables}
    old = placing.strays(table)
    rows: dict[str, Mapping[str, Any]] = {}
    for clip, whole in entries.items():
        had = before.of(clip)
        old |= had.keys()
        rows |= _rows(session, whole, holds.kept(had) if clip in holds.found or approved_only else had)
    left = before.clips() - known
    for clip in left:
        old |= before.of(clip).keys()
    gone = sorted(old - rows.keys())
    placing.begin([*rows, *gone])
    unlisted = _unlisted(session, table, entries)
    for entry in (entry for whole in entries.values() for entry in whole):
        ours = table.row(entry.path) is not None or entry.path in unlisted or placing.made(entry.path)
        session.tree.put(entry, session.store.path(entry.sha256), ours)
    session.tree.drop(gone)
    session.tree.emit("placed", "")
    changed = table.exchanged(gone, rows.values())
    session.tree.save(changed)
    for clip in (clip for clip, whole in entries.items() if whole and not session.wish.platforms):
        session.records.put(clip, planned.marks[clip], [entry.plain() for entry in entries[clip]])
    unlike = {wanted.clip for files in planned.deliverables.values() for wanted in files if wanted.degraded}
    for clip in {*holds.found, *unlike}:
        left_there = [dict(row) for row in rows.values() if row.get("clip") == clip]
        session.records.put(clip, Mark("", "", planned.marks[clip].actions), left_there)
    session.records.put_held((session.records.held() - set(planned.deliverables) | set(holds.found)) & known)
    session.records.drop(left)
    # A part that was built on a manifest that is not ours says nothing of the rest: the next whole build looks at all.
    sure = session.wish.is_whole or table.fingerprint() == session.records.manifest()
    there = (before.clips() | {clip for clip, whole in entries.items() if whole}) - left
    session.records.put_tree(there, changed.fingerprint() if sure else "")
    session.state.commit()
    placing.end()
    return Published(len(changed), [*rows, MANIFEST], gone, list(holds.found.values()), holds.needs_person())


def is_sound(session: Session, planned: Planned) -> bool:
    """Read what is to be placed and was not seen in this run. A damaged blob goes to quarantine: its clip is not whole then,
    and this is False."""
    store, found = session.store, True
    for clip in planned.deliverables.values():
        for wanted in clip:
            blob = planned.plan.resolve(wanted.source)
            if blob is None or store.checked(blob) or (entry := _entry(planned, wanted, session)) is None:
                continue
            if not session.tree.is_right(entry, store.path(blob)):
                found = store.sound(blob) and found
    return found


def _unlisted(session: Session, table: Manifest, clips: Iterable[str]) -> frozenset[str]:
    """The files that these clips had by our own records, where the manifest is not the one that was written last: they
    are ours, whatever somebody did to it."""
    if session.records.manifest() in ("", table.fingerprint()):
        return frozenset()
    return frozenset(str(row["path"]) for clip in clips for row in session.records.files(clip))


def unfinished(session: Session) -> frozenset[str]:
    """The files that a build which did not end was placing in the tree or removing from it."""
    with suppress(OSError, ValueError), open(_placing(session), encoding="utf-8") as file:
        return frozenset(map(str, json.load(file)))
    return frozenset()


def _placing(session: Session) -> str:
    return os.path.join(session.wish.root, ".clipbuild", f"placing.{session.catalog.project.profile}")


def publish_drafts(session: Session, drafts: Iterable[Draft], bus: events.Bus) -> None:
    """Write drafts of captions into the workspace, for a person to correct. Raises IntegrityError for a folder that
    leads out of it."""
    root = session.wish.root
    for draft in drafts:
        target = files.within(root, draft.path)
        files.ensure_dir(os.path.dirname(target), root=root)
        files.write_atomic(target, draft.text.encode(), root=root)
        bus.emit(events.Warned, text=f"{draft.path}: captions written; correct them there and build again")


class _Before:
    """The files of clips as they were: by their records, or by the manifest where those are not believed or not there."""

    def __init__(self, session: Session, table: Manifest, drift: Drift | None) -> None:
        self._session, self._table, self._drift = session, table, drift

    def of(self, clip: str) -> Rows:
        """path → row of the files that the clip has."""
        if self._drift and (rows := self._session.records.files(clip)):
            return {str(row["path"]): row for row in rows}
        return self._listed.get(clip, {}) if clip in self.clips() else {}

    def clips(self) -> frozenset[str]:
        """Every clip that has files."""
        return self._drift.tree if self._drift else frozenset(self._listed)

    @cached_property
    def _listed(self) -> dict[str, dict[str, Mapping[str, Any]]]:
        found: dict[str, dict[str, Mapping[str, Any]]] = {}
        for path, row in self._table.rows().items():
            found.setdefault(str(row.get("clip")), {})[path] = row
        return found


class _Unfinished:
    """Files that are about to be placed or removed, noted before the first one is: what a killed run placed can be told
    from a stranger's, and what it removed from what is missing."""

    def __init__(self, session: Session) -> None:
        self._session, self._path = session, _placing(session)
        self._paths = unfinished(session)
        session.tree.sweep(self._paths)

    def strays(self, table: Manifest) -> set[str]:
        """What a killed run placed and did not list."""
        return {path for path in self._paths if table.row(path) is None and self.made(path)}

    def made(self, path: str) -> bool:
        """A killed run was about to place this, and what is there is whole and ours."""
        found = self._session.tree.digest(path) if path in self._paths else None
        return found is not None and self._session.store.has(found)

    def begin(self, paths: Iterable[str]) -> None:
        """From now on these may be there, or not."""
        self._paths |= set(paths)
        if self._paths:
            files.write_atomic(self._path, json.dumps(sorted(self._paths)).encode(), mode=0o600)

    def end(self) -> None:
        """All of them are listed."""
        files.remove(self._path)


def _entries(session: Session, planned: Planned, clip: str, holds: Holds) -> list[Entry]:
    """The files of a clip; none when it is not whole or held back."""
    wanted = planned.deliverables[clip]
    found = [entry for deliverable in wanted if (entry := _entry(planned, deliverable, session))]
    if len(found) < len(wanted) or any(w.check and planned.plan.resolve(w.check) is None for w in wanted):
        return []
    return [] if holds.of(clip) else found


def _rows(session: Session, entries: list[Entry], before: Rows) -> Rows:
    """What the manifest says of a clip: its new files, or those of before while it is not whole."""
    if not entries:
        return before
    rows: dict[str, Mapping[str, Any]] = {entry.path: entry.plain() for entry in entries}
    if not session.wish.platforms:
        return rows
    return {path: row for path, row in before.items() if row["platform"] not in session.wish.platforms} | rows


def _entry(planned: Planned, wanted: Deliverable, session: Session) -> Entry | None:
    digest = planned.plan.resolve(wanted.source)
    key = planned.plan.keys.get(wanted.source.action)
    if digest is None or key is None or not session.store.has(digest):
        return None
    spec = wanted.spec
    return Entry(
        wanted.path, digest, session.store.size(digest), key, wanted.clip, wanted.platform, wanted.kind,
        spec.width, spec.height, spec.fps, wanted.seconds, wanted.degraded,
    )  # fmt: skip
