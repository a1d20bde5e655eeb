"""What a change touches: the clips whose inputs differ from a commit, found by planning both and comparing.

The workspace as it was is laid out beside the real one: text as git has it, photos and clips as empty stand-ins whose
digests are known. Two plans then say what differs, down to the value; nothing runs and nothing is fetched. Knows
nothing of prices or of how a change is shown.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from clipbuild import cutouts, planning
from clipbuild.catalog.catalog import Entry
from clipbuild.catalog.entries import KIND as PIECES
from clipbuild.catalog.seals import KIND as SEALS
from clipbuild.checkpoint import uncollected
from clipbuild.digest import Digest
from clipbuild.engine import files
from clipbuild.engine.action import Action, Graph, Output
from clipbuild.engine.git import Git, lfs_digest
from clipbuild.engine.lock import Lock
from clipbuild.engine.rebuilder import why
from clipbuild.engine.traces import State
from clipbuild.engine.workspace import Workspace
from clipbuild.errors import CatalogError, UsageError, shown
from clipbuild.planned import Planned
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
    planned: Planned | None = None
    """The judged plan of now of every clip that was compared; None where none was."""

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
            return _compare(session, now, then, base, frozenset(changed))
    except (CatalogError, UsageError) as error:  # broken then, or without the profile that is asked for
        return Difference(base, changed=frozenset(now), broken=shown(str(error).split("\n")[0]))


def _compare(
    session: Session, now: Mapping[str, Entry], then: Session, base: str, changed: frozenset[str]
) -> Difference:
    before = {entry.id: entry for one in then.catalog.entries if (entry := then.within(one)) is not None}
    old, new = planning.context(then), planning.context(session)

    def differs_surely(entry: Entry, other: Entry) -> bool:
        """Another fingerprint; only what may have one is asked."""
        if old != new or entry.print != other.print:
            return True
        same = not entry.spoken and changed.isdisjoint(entry.files)
        return not same and planning.fingerprint(session, entry, new) != planning.fingerprint(then, other, old)

    suspects = [name for name, entry in now.items() if name not in before or differs_surely(entry, before[name])]
    gone = () if session.wish.products else tuple(sorted(before.keys() - {entry.id for entry in session.catalog.entries}))
    planned = planning.make_plan(session, among=frozenset(suspects))
    stand_in = next((move for move in session.library.motions() if move in then.library.motions()), "")
    actions_now, paths_now = _completed(session, planned, stand_in)
    graph_then, paths_then = _plan(
        then, (before[name] for name in [*suspects, *gone] if name in before), session.chosen, stand_in
    )
    actions_then = by_clip(graph_then)
    differs = {
        name for name in suspects
        if name in before
        and (_ids(actions_then[name]) != _ids(actions_now[name]) or paths_then[name] != paths_now[name])
    }  # fmt: skip
    return Difference(
        base, frozenset(suspects) - before.keys(), frozenset(differs), gone, actions_then, frozenset(graph_then.actions), "",
        pins(then.lock, session.lock), planned,
    )  # fmt: skip


def _completed(session: Session, planned: Planned, stand_in: str) -> tuple[dict[str, Actions], dict[str, list[str]]]:
    """The actions and files of planned clips; what follows a choice of motion that is not made yet is there as if it were
    `stand_in`, for a plan that ends at the choice can't be compared."""
    actions = by_clip(planned.plan.graph)
    paths = {name: sorted(one.path for one in made) for name, made in planned.deliverables.items()}
    if session.undecided:
        chosen, undecided = session.chosen, session.undecided
        entries = (planned.entries[name] for name in sorted({where.partition("/")[0] for where in undecided}))
        graph, more = _plan(session, entries, chosen, stand_in)
        session.chosen, session.undecided = chosen, undecided
        actions, paths = {**actions, **by_clip(graph)}, {**paths, **more}
    return actions, paths


def pins(then: Lock, now: Lock) -> dict[str, tuple[str, ...]]:
    """What two locks say differently of what was bought."""
    both = then.pins.keys() & now.pins.keys()
    replaced = (key for key in both if dict(then.pins[key].outputs) != dict(now.pins[key].outputs))
    return {
        "added": tuple(sorted(now.pins[key].name for key in now.pins.keys() - both)),
        "removed": tuple(sorted(then.pins[key].name for key in then.pins.keys() - both)),
        "replaced": tuple(sorted(now.pins[key].name for key in replaced)),
    }


def _plan(
    session: Session, entries: Iterable[Entry], chosen: Mapping[str, str], stand_in: str
) -> tuple[Graph, dict[str, list[str]]]:
    """The actions of these clips and their files, not judged. `chosen` are the moves that `auto` came to; where nothing
    is known it is `stand_in`."""
    platforms, spoken_in = session.catalog.project.platforms, session.files()
    resolved = [spoken.resolved(entry.load(), spoken_in)[0] for entry in entries]
    places = (f"{clip.id}/{platforms[name].spec.name}" for clip in resolved for name in clip.platforms)
    session.chosen = {**dict.fromkeys(places, stand_in), **chosen}

    def planned() -> tuple[Graph, dict[str, list[str]]]:
        graph, box, paths = Graph(), planning.toolbox(session), {}
        with uncollected(len(resolved)):
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
        _lend(session, folder, changed)

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


def _lend(session: Session, folder: str, changed: frozenset[str]) -> None:
    """Give the past what is known of texts, tools and stages: all of it goes by content, and most is as it was then."""
    place = Workspace(folder)
    place.prepare()
    state = State.open(place.state)
    try:
        kinds = ("yaml", "tools", "program", "stage", "shipped", cutouts.KIND, f"{SEALS}:{session.wish.profile}")
        for kind in kinds:
            state.put_all(kind, session.state.get_all(kind))
        pieces = ((path, session.state.get(PIECES, path)) for path in changed)
        state.put_all(PIECES, {path: data for path, data in pieces if data is not None})
    finally:
        state.close()


def _lay_out(
    session: Session, git: Git, commit: str, changed: frozenset[str], folder: str
) -> dict[str, Digest]:
    """Write the files of then; returns the digests of large files that git only points to."""
    tree, root = git.tree(commit), session.wish.root
    told: dict[str, Digest] = {}
    stand_ins: list[str] = []
    by_id: dict[str, list[str]] = {}
    for path, name in tree.items():
        if path in changed:
            by_id.setdefault(name, []).append(path)
        elif _stands_in(path):
            stand_ins.append(path)
        else:
            with open(os.path.join(root, path), "rb") as file:
                _write(folder, path, file.read())
    for name, data in git.contents(by_id):
        for path in by_id[name]:
            _write(folder, path, data)
            if pointed := lfs_digest(data):
                told[path] = pointed
    _empty(folder, [*stand_ins, *(path for path in git.unwatched() if _stands_in(path))])
    return told


def _empty(folder: str, paths: Iterable[str]) -> None:
    """Make empty files: of many thousands each call counts."""
    made = set()
    for path in paths:
        target = files.within(folder, path) if (above := os.path.dirname(path)) not in made else f"{folder}/{path}"
        if above not in made:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            made.add(above)
        with suppress(FileExistsError):  # tracked then, ignored now: it is there as it was then
            os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _stands_in(path: str) -> bool:
    return path.rpartition(".")[2].lower() in ASSETS


def _write(folder: str, path: str, data: bytes) -> None:
    target = files.within(folder, path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "wb") as file:
        file.write(data)
