"""A plan put aside before its first action runs, so that a build that was killed need not plan again what it had planned.

Only a cache: a clip taken from it counts as long as all that it was planned from is the same, told as `recall` tells it.
Clips that nothing is bought for are kept, and only where there are many. Knows nothing of judging or running.

    one line a clip: fingerprint of the rest, what was planned (JSON), the params of each action (JSON), split by tabs
    then the index as one line of JSON: files outside the workspace with their digests, specs, and for each clip what it was
    planned from and where its line begins and ends; then the length of the index in 20 digits
"""

import gc
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from clipbuild import __version__, digest
from clipbuild.catalog.model import Spec
from clipbuild.digest import Digest
from clipbuild.engine import files
from clipbuild.engine.action import Action, Graph, Output
from clipbuild.planner.recipes import Deliverable
from clipbuild.records import Mark

if TYPE_CHECKING:
    from clipbuild.planned import Planned
    from clipbuild.session import Session

MANY = 500
"""Planning fewer clips takes less than a second."""
_TAIL = 20


class Params(Mapping[str, Any]):
    """Params of an action, parsed when somebody asks for one."""

    __slots__ = ("_data", "_known")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._known: dict[str, Any] | None = None

    def __getitem__(self, name: str) -> Any:
        return self._read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def _read(self) -> dict[str, Any]:
        if self._known is None:
            self._known = json.loads(self._data)
        return self._known


class Checkpoint:
    """What was put aside, for one session."""

    def __init__(self, path: str = "", index: Mapping[str, Any] | None = None, specs: tuple[Spec, ...] = ()) -> None:
        self._path, self._clips, self._specs = path, dict((index or {}).get("clips", {})), specs
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW) if self._clips else -1

    def close(self) -> None:
        """No more is taken."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd, self._clips = -1, {}

    def take(self, clip: str, whole: str, graph: Graph) -> tuple[list[Deliverable], Mark] | None:
        """The files and the mark of a clip that was planned from this very `whole`, its actions added to the graph."""
        known = self._clips.get(clip)
        if known is None or known[0] != whole:
            return None
        with suppress(OSError, ValueError, KeyError, TypeError, IndexError):
            line = os.pread(self._fd, known[2] - known[1], known[1])
            seal, _, body = line.partition(b"\t")
            if digest.fingerprint(body).encode() == seal:
                return self._restored(clip, whole, body.split(b"\t"), graph)
        return None

    def _restored(self, clip: str, whole: str, parts: list[bytes], graph: Graph) -> tuple[list[Deliverable], Mark]:
        entry, rows, made, tools = json.loads(parts[0])
        ids, specs = [Digest(row[0]) for row in rows], self._specs

        def output(number: int, name: str, optional: bool) -> Output:
            return Output(ids[number], name, optional)

        actions = [
            Action(id_, name, stage, version, Params(data), {**given, **{n: output(*made) for n, made in follows.items()}},
                   pool, False, tools[use])
            for (id_, name, stage, version, given, follows, pool, use), data in zip(rows, parts[1:], strict=True)
        ]  # fmt: skip
        deliverables = [
            Deliverable(path, output(*source), clip, platform, kind, specs[spec], seconds, output(*check) if check else None)
            for path, source, platform, kind, spec, seconds, check in made
        ]
        before = len(graph)
        for action in actions:
            graph.put(action)
        return deliverables, Mark(entry, whole, len(graph) - before)


@contextmanager
def uncollected(clips: int) -> Iterator[None]:
    """Plan so many clips. A plan of many thousand actions is all kept: looking for garbage in it again and again would take
    half as long as making it. A large one is not looked at until the next plan."""
    was = gc.isenabled()
    gc.unfreeze()
    gc.disable()
    try:
        yield
    finally:
        if clips >= MANY:
            gc.freeze()
        if was:
            gc.enable()


def place(root: str, profile: str) -> str:
    """Where the plan of a profile is put aside."""
    return os.path.join(root, ".clipbuild", f"plan.{profile}")


def opened(session: "Session") -> Checkpoint:
    """What an unfinished build put aside; nothing where there is nothing, or where it no longer holds."""
    path = place(session.wish.root, session.catalog.project.profile)
    with suppress(OSError, ValueError, KeyError, TypeError):
        index = _index(path)
        if index["version"] == __version__ and all(session.shipped(p) == told for p, told in index["outside"].items()):
            return Checkpoint(path, index, tuple(_spec(row) for row in index["specs"]))
    return Checkpoint()


def _index(path: str) -> dict[str, Any]:
    """Raises OSError, ValueError."""
    with open(path, "rb") as file:
        end = file.seek(-_TAIL, os.SEEK_END)
        size = int(file.read(_TAIL))
        file.seek(end - size)
        seal, _, body = file.read(size).partition(b"\t")
    if digest.fingerprint(body).encode() != seal:
        raise ValueError("not whole")
    found: dict[str, Any] = json.loads(body)
    return found


def _spec(row: Mapping[str, Any]) -> Spec:
    from clipbuild.catalog.model import Box

    return Spec(**{**row, "safe": Box(**row["safe"])})


def put_aside(session: "Session", planned: "Planned") -> None:
    """Keep this plan until it is built, when it has many clips that were planned just now."""
    if planned.planned < MANY or not session.wish.is_whole:
        return
    path = place(session.wish.root, session.catalog.project.profile)
    with suppress(OSError):  # a full disk: the build itself will tell
        files.write_atomic(path, _written(session, planned), mode=0o600)


def forget(session: "Session") -> None:
    """The plan was built."""
    if session.wish.is_whole:
        with suppress(FileNotFoundError):
            os.unlink(place(session.wish.root, session.catalog.project.profile))


def _written(session: "Session", planned: "Planned") -> Iterator[bytes]:
    actions, specs = _by_clip(planned.plan.graph), dict[Spec, int]()
    clips, at = {}, 0
    for clip, mark in planned.marks.items():
        entry = planned.entries[clip]
        if entry.bought or entry.spoken or mark.asked or any(action.precious for _, action in actions.get(clip, ())):
            continue
        body = _line(actions[clip], planned.deliverables[clip], mark, lambda spec: specs.setdefault(spec, len(specs)))
        line = digest.fingerprint(body).encode() + b"\t" + body
        yield line + b"\n"
        clips[clip] = [mark.whole, at, at + len(line)]
        at += len(line) + 1
    index = {"version": __version__, "outside": session.outside, "specs": [asdict(spec) for spec in specs], "clips": clips}
    body = json.dumps(index, ensure_ascii=False, separators=(",", ":")).encode()
    seal = digest.fingerprint(body).encode() + b"\t"
    yield seal + body
    yield f"{len(seal) + len(body):{_TAIL}d}".encode()


def _line(
    actions: list[tuple[str, Action]], made: list[Deliverable], mark: Mark, number: Callable[[Spec], int]
) -> bytes:
    rows, tools = [], list[Mapping[str, str]]()
    place = {action.id: number for number, (_, action) in enumerate(actions)}

    def row(source: Output) -> list[Any]:
        return [place[source.action], source.name, source.optional]

    for name, action in actions:
        use = tools.index(action.tools) if action.tools in tools else len(tools)
        tools += [action.tools] if use == len(tools) else []
        given = {n: source for n, source in action.inputs.items() if isinstance(source, str)}
        follows = {n: row(source) for n, source in action.inputs.items() if isinstance(source, Output)}
        rows.append([action.id, name, action.stage, action.version, given, follows, action.pool, use])
    left = [
        [d.path, row(d.source), d.platform, d.kind, number(d.spec), d.seconds, row(d.check) if d.check else None] for d in made
    ]
    parts = [[mark.entry, rows, left, [dict(tool) for tool in tools]], *(dict(action.params) for _, action in actions)]
    return b"\t".join(json.dumps(part, ensure_ascii=False, separators=(",", ":")).encode() for part in parts)


def _by_clip(graph: Graph) -> dict[str, list[tuple[str, Action]]]:
    """The actions of each clip by the names that it has for them, in run order."""
    found: dict[str, list[tuple[str, Action]]] = {}
    for action in graph:
        for name in graph.aliases[action.id]:
            found.setdefault(name.partition("/")[0], []).append((name, action))
    return found
