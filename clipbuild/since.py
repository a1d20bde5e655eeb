"""What a change touches: the clips whose inputs differ from a commit, found by planning both and comparing.

The workspace as it was is laid out beside the real one: text as git has it, photos and clips as empty stand-ins whose
digests are known. Two plans then say what differs, down to the value; nothing runs and nothing is fetched. Knows
nothing of prices or of how a change is shown.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from clipbuild import cutouts, planning
from clipbuild.catalog.catalog import Entry
from clipbuild.catalog.model import Clip
from clipbuild.digest import Digest
from clipbuild.engine import files
from clipbuild.engine.action import Action, Graph, Output
from clipbuild.engine.git import Git, lfs_digest
from clipbuild.engine.lock import Lock
from clipbuild.engine.rebuilder import why
from clipbuild.engine.workspace import Workspace
from clipbuild.errors import CatalogError, UsageError, shown
from clipbuild.planner import spoken
from clipbuild.planner.recipes import plan_clip
from clipbuild.planning import Session

_PICTURES = ("png", "jpg", "jpeg", "jpe", "webp", "gif", "bmp", "tif", "tiff", "heic", "heif", "avif", "psd")
_CLIPS = ("mp4", "m4v", "mov", "webm", "mkv", "avi")
_SOUNDS = ("wav", "mp3", "m4a", "aac", "flac", "ogg", "opus")
ASSETS = frozenset((*_PICTURES, *_CLIPS, *_SOUNDS, "zip", "pdf", "ai"))
"""What is stood in for when it did not change: only its digest shapes a plan."""
FOLLOWS = "follows"

Actions = dict[str, Action]
"""The actions of one clip by their name without the clip's."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The clips that differ from the commit `base`: new ones, changed ones, and those that are gone. `broken` tells why
    the catalog of then could not be read: everything counts as changed."""

    base: str
    new: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()
    gone: tuple[str, ...] = ()
    before: Mapping[str, Actions] = field(default_factory=dict)
    ids: frozenset[Digest] = frozenset()
    """Every action of then that was looked at."""
    broken: str = ""
    pins: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Names of what the lock says was bought: "added", "removed" and "replaced" (the same key, other bytes)."""

    @property
    def touched(self) -> frozenset[str]:
        """New and changed clips."""
        return self.new | self.changed


@dataclass(frozen=True, slots=True)
class Cause:
    """A value that differs: where in the action's document or which file, old and new as short text."""

    what: str
    old: str
    new: str


def difference(session: Session, rev: str) -> Difference:
    """What differs in the wished clips since the commit at which this branch parted from `rev`. Raises UsageError."""
    git = Git(session.wish.root)
    base = git.base(rev)
    changed = git.changed(base)
    if not changed:
        return Difference(base)
    now = {entry.id: entry for entry in session.wished()}
    try:
        with past(session, git, base, frozenset(changed)) as then:
            return _compare(session, now, then, base)
    except (CatalogError, UsageError) as error:  # broken then, or without the profile that is asked for
        return Difference(base, changed=frozenset(now), broken=shown(str(error).split("\n")[0]))


def _compare(session: Session, now: Mapping[str, Entry], then: Session, base: str) -> Difference:
    before = {entry.id: entry for entry in then.catalog.entries}
    old, new = planning.context(then), planning.context(session)
    suspects = [
        name for name, entry in now.items()
        if name not in before
        or planning.fingerprint(session, entry, new) != planning.fingerprint(then, before[name], old)
    ]  # fmt: skip
    gone = () if session.wish.products else tuple(sorted(before.keys() - {entry.id for entry in session.catalog.entries}))
    graph_then, paths_then = _plan(then, (before[name].load() for name in [*suspects, *gone] if name in before))
    graph_now, paths_now = _plan(session, (now[name].load() for name in suspects))
    actions_then, actions_now = by_clip(graph_then), by_clip(graph_now)
    differs = {
        name for name in suspects
        if name in before
        and (_ids(actions_then[name]) != _ids(actions_now[name]) or paths_then[name] != paths_now[name])
    }  # fmt: skip
    fresh = frozenset(name for name in suspects if name not in before)
    ids = frozenset(graph_then.actions)
    return Difference(base, fresh, frozenset(differs), gone, actions_then, ids, "", pins(then.lock, session.lock))


def pins(then: Lock, now: Lock) -> dict[str, tuple[str, ...]]:
    """What two locks say differently of what was bought."""
    both = then.pins.keys() & now.pins.keys()
    replaced = (key for key in both if dict(then.pins[key].outputs) != dict(now.pins[key].outputs))
    return {
        "added": tuple(sorted(now.pins[key].name for key in now.pins.keys() - both)),
        "removed": tuple(sorted(then.pins[key].name for key in then.pins.keys() - both)),
        "replaced": tuple(sorted(now.pins[key].name for key in replaced)),
    }


def _plan(session: Session, clips: Iterable[Clip]) -> tuple[Graph, dict[str, list[str]]]:
    platforms, spoken_in = session.catalog.project.platforms, session.files()
    resolved = [spoken.resolved(clip, spoken_in)[0] for clip in clips]

    def planned() -> tuple[Graph, dict[str, list[str]]]:
        graph, box, paths = Graph(), planning.toolbox(session), {}
        for clip in resolved:
            paths[clip.id] = sorted(one.path for one in plan_clip(graph, clip, platforms, box))
        return graph, paths

    return cutouts.settled(session, planned)


def by_clip(graph: Graph) -> dict[str, Actions]:
    """The actions of each clip."""
    found: dict[str, Actions] = {}
    for identity, names in graph.aliases.items():
        for name in names:
            clip, _, step = name.partition("/")
            found.setdefault(clip, {})[step] = graph.actions[identity]
    return found


def _ids(actions: Actions) -> dict[str, Digest]:
    return {step: action.id for step, action in actions.items()}


def causes(old: Action | None, new: Action, names: Mapping[Digest, str]) -> list[Cause]:
    """Where two actions of one name differ in what they are given; [] where the later one only follows others.
    `names` tells the files of source digests."""
    if old is None:
        return []
    found = []
    for what, before, after in why(*_without_the_same(_told(old), _told(new))):
        if before == FOLLOWS or after == FOLLOWS:
            continue
        if what.startswith("inputs."):
            name = names.get(Digest(after)) or what.removeprefix("inputs.")
            found.append(Cause(name, before[:8], after[:8]))
        else:
            found.append(Cause(what.removeprefix("params."), before, after))
    return found


def _without_the_same(
    old: Mapping[str, Any], new: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both without the large parts that are equal: of many thousands of actions nearly all is."""
    kept: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    for name in ("params", "inputs", "tools", "version"):
        one, two = old[name], new[name]
        if isinstance(one, Mapping) and isinstance(two, Mapping):
            odd = [key for key in {*one, *two} if key not in one or key not in two or one[key] != two[key]]
            kept[0][name], kept[1][name] = ({key: side[key] for key in odd if key in side} for side in (one, two))
        elif one != two:
            kept[0][name], kept[1][name] = one, two
    return kept


def names(session: Session) -> dict[Digest, str]:
    """The files of the workspace by their digests, as far as they were asked for."""
    root = session.wish.root
    return {name: os.path.relpath(path, root).replace(os.sep, "/") for name, path in session.origins.items()}


def _told(action: Action) -> dict[str, Any]:
    """The action's document with its sources, and the outputs of others by a word."""
    inputs = {name: FOLLOWS if isinstance(given, Output) else given for name, given in action.inputs.items()}
    return {"version": action.version, "params": dict(action.params), "inputs": inputs, "tools": dict(action.tools)}


@contextmanager
def past(session: Session, git: Git, commit: str, changed: frozenset[str]) -> Iterator[Session]:
    """The workspace as it was at a commit, opened; gone after. Raises CatalogError."""
    place = Workspace(session.wish.root)
    place.prepare()
    with tempfile.TemporaryDirectory(prefix="past-", dir=place.temp) as folder:
        told = _lay_out(session, git, commit, changed, folder)

        def known(path: str) -> Digest | None:
            if path in told:
                return told[path]
            return None if path in changed or not _stands_in(path) else session.source(path)

        wish = replace(session.wish, root=folder, products=(), clips=None)
        then = planning.open_session(wish, session.settings, told=known)
        try:
            yield then
        finally:
            then.close()


def _lay_out(
    session: Session, git: Git, commit: str, changed: frozenset[str], folder: str
) -> dict[str, Digest]:
    """Write the files of then; returns the digests of large files that git only points to."""
    tree, root = git.tree(commit), session.wish.root
    told: dict[str, Digest] = {}
    by_id: dict[str, list[str]] = {}
    for path, name in tree.items():
        if path in changed:
            by_id.setdefault(name, []).append(path)
        elif _stands_in(path):
            _write(folder, path, b"")
        else:
            with open(os.path.join(root, path), "rb") as file:
                _write(folder, path, file.read())
    for name, data in git.contents(by_id):
        for path in by_id[name]:
            _write(folder, path, data)
            if pointed := lfs_digest(data):
                told[path] = pointed
    for path in git.unwatched():
        if _stands_in(path):
            _write(folder, path, b"")
    return told


def _stands_in(path: str) -> bool:
    return path.rpartition(".")[2].lower() in ASSETS


def _write(folder: str, path: str, data: bytes) -> None:
    target = files.within(folder, path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "wb") as file:
        file.write(data)
