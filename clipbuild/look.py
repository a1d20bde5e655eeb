"""The look before a build: what differs from how the last whole build left things, and how this one leaves them.

Only stat calls when nothing differs, and nothing heavy imported then. Knows nothing of what is built.
"""

import contextlib
import json
import os
import time
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clipbuild import __version__
from clipbuild.engine.snapshot import Changes, Snapshot
from clipbuild.settings import Settings
from clipbuild.wish import Wish

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from clipbuild.engine.snapshot import Signature
    from clipbuild.session import Session



def question(wish: Wish, settings: Settings) -> bytes:
    """What a snapshot answers: this version, this wish, these tools. Another question needs a walk of its own."""
    asked = (__version__, wish.profile, settings.ffmpeg, settings.store)
    return repr(asked).encode() + _part(wish)


def snapshot_path(wish: Wish) -> str:
    """Where the snapshot of this wish is; partial wishes share eight places."""
    part = _part(wish)
    place = f"@{zlib.crc32(part) % 8}" if part else ""
    return os.path.join(wish.root, ".clipbuild", f"snapshot.{wish.profile}{place}")


def _part(wish: Wish) -> bytes:
    """Which part is wished for; nothing for all."""
    if wish.is_whole:
        return b""
    return repr((wish.products, wish.platforms, wish.clips and sorted(wish.clips))).encode()


@dataclass(frozen=True, slots=True)
class Drift:
    """What differs from the last whole build of this wish: sources, and clips whose files in the tree do.

    `tree` are all clips that have files there, `context` is what shaped all clips of it, `actions` how many it had.
    """

    sources: frozenset[str]
    clips: frozenset[str]
    tree: frozenset[str]
    context: str
    actions: int


@dataclass(slots=True)
class Look:
    """What was seen. `changes` None: there was no whole build of this wish to compare with."""

    wish: Wish
    settings: Settings
    snapshot: Snapshot
    changes: Changes | None
    note: "Mapping[str, Any]"
    file: tuple[int, int]

    @staticmethod
    def take(wish: Wish, settings: Settings, *, touched: "Collection[str] | None" = None) -> "Look":
        """Look at every source and every file of the tree; `touched`: at these sources only, and at listed folders."""
        path = snapshot_path(wish)
        file = _identity(path)
        snapshot = _last.get((path, *file)) or Snapshot.load(path)
        answered, _, note = snapshot.question.partition(b"\n")
        if answered != question(wish, settings):
            return Look(wish, settings, snapshot, None, {}, file)
        return Look(wish, settings, snapshot, snapshot.changes(wish.root, among=touched), json.loads(note), file)

    def again(self) -> "Look":
        """The same look, unless another build ended since it was taken."""
        return self if _identity(snapshot_path(self.wish)) == self.file else Look.take(self.wish, self.settings)

    def suspects(self) -> frozenset[str] | None:
        """The sources that differ; None when that is not known."""
        return None if self.changes is None else frozenset(self.changes.sources)

    def drift(self, session: "Session") -> Drift | None:
        """What differs, in clips; None when not everything that must be known of the last build is still known."""
        manifest = f"{session.tree.name}/manifest.json"
        tree = session.records.remembered(self.note.get("stamp", "")) if self.changes is not None else None
        if self.changes is None or tree is None:
            return None
        table = session.tree.manifest()
        if manifest in self.changes.outputs and table.fingerprint() != session.records.manifest():
            return None
        dirty = set()
        for path in self.changes.outputs:
            row = table.row(path.removeprefix(session.tree.name + "/"))
            if row is not None:
                session.store.sound(row["sha256"])  # the file may share its bytes with the blob
                dirty.add(str(row["clip"]))
        sheets = {entry.place.file for entry in session.catalog.entries}
        return Drift(
            frozenset({*self.changes.sources, *self.snapshot.without(sheets)}), frozenset(dirty), tree,
            str(self.note["context"]), int(self.note["actions"]),
        )  # fmt: skip


def examine(look: Look, session: "Session") -> None:
    """Read the blobs whose bytes are seen in the tree, where nothing says that these files are as they were left: a damaged
    one goes to quarantine, and is made again."""
    from clipbuild.digest import parse

    clips, tree = {entry.id for entry in session.wished()}, session.tree
    rows = ((path, row) for path, row in tree.recorded().items() if row.get("clip") in clips)
    if look.changes is not None:
        there = {path.removeprefix(f"{tree.name}/") for path in look.changes.outputs}
        rows = ((path, row) for path, row in rows if path in there)
    for path, row in rows:
        with contextlib.suppress(ValueError):  # a manifest that somebody wrote into
            name = parse(row.get("sha256"))
            if session.store.is_seen_at(name, os.path.join(tree.top, path)):
                session.store.sound(name)


def leave(
    look: Look,
    session: "Session",
    note: "Mapping[str, Any]",
    outputs: "Iterable[str]",
    gone: "Collection[str]",
    *,
    afresh: bool,
) -> None:
    """Remember what sources and outputs look like now. `outputs` and `gone` are what is new and no longer in the tree;
    `afresh`: `outputs` are all, nothing of the last look counts. Paths relative to the workspace."""
    from clipbuild.engine.lock import LOCK_FILE

    found = _settled(look.wish.root, outputs, session.tree.seen)
    session.sources.still(LOCK_FILE, session.lock.seen)  # somebody may have decided something while we built
    sources, folders = session.sources.seen(), session.sources.dirs()
    if afresh:
        snapshot = Snapshot.of(b"?", sources, found, folders)
    else:
        assert look.changes is not None
        unseen = {*look.changes.sources, *look.changes.dirs} - sources.keys() - folders.keys()
        missing = {path for path in look.changes.outputs if path not in found}
        snapshot = look.snapshot.amended(sources, found, folders, {*gone, *unseen, *missing})
    snapshot.question = question(look.wish, look.settings) + b"\n" + json.dumps(note).encode()
    path = snapshot_path(look.wish)
    snapshot.save(path)
    _last.clear()
    _last[path, *_identity(path)] = snapshot


_last: dict[tuple[str, int, int], Snapshot] = {}
"""The snapshot that this process left, by what its file looks like: a large one takes a while to read."""


def _settled(root: str, outputs: "Iterable[str]", seen: "Mapping[str, Signature]") -> "dict[str, Signature]":
    """What outputs look like, once the disk's clock is past the youngest of them: a later change will show. `seen` is what
    those looked like that were placed just now: one that somebody changed since will differ, too."""
    from clipbuild.engine.snapshot import disk_clock, doubted, settled

    found = {path: seen.get(path) or doubted(os.path.join(root, path)) for path in outputs}
    for _ in range(10):
        now, _ = disk_clock(os.path.join(root, ".clipbuild"))
        young = [path for path, row in found.items() if row[1] >= now]
        found |= {path: doubted(os.path.join(root, path), seen.get(path)) for path in young}
        if not young:
            break
        time.sleep(0.003)
    return settled(found, now)


def forget(root: str, profiles: "Iterable[str]") -> None:
    """The next build of these profiles has nothing to compare with."""
    folder = os.path.join(root, ".clipbuild")
    for name in os.listdir(folder):
        if name.partition("@")[0] in {f"snapshot.{profile}" for profile in profiles}:
            os.unlink(os.path.join(folder, name))


def _identity(path: str) -> tuple[int, int]:
    try:
        facts = os.stat(path)
    except OSError:
        return 0, 0
    return facts.st_mtime_ns, facts.st_ino
