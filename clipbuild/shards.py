"""Splits a build over machines: the same split on every one of them, even by cost, and steady when the catalog changes.

A product stays in one part, and so does all that shares a bought result, so that two machines never buy one thing.
Knows nothing of where a shard runs.
"""

import hashlib
import math
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clipbuild.errors import UsageError

if TYPE_CHECKING:
    from clipbuild.catalog.model import Clip
    from clipbuild.engine.action import Graph
    from clipbuild.planning import Session

SLACK = 1.05
"""A shard takes at most this much more than its even share, as far as single groups are smaller than that."""


@dataclass(frozen=True, slots=True)
class Shard:
    """The `number`th of `count` parts, counted from 1."""

    number: int
    count: int


def parse(text: str) -> Shard:
    """"2/5" as a shard. Raises UsageError."""
    number, slash, count = text.partition("/")
    if slash and number.isascii() and count.isascii() and number.isdigit() and count.isdigit():
        shard = Shard(int(number), int(count))
        if 1 <= shard.number <= shard.count <= 1000:
            return shard
    raise UsageError(f"--shard {text!r}: not a part of a whole", hint="--shard 2/5 is the second of five")


def clips(session: "Session", shard: Shard, among: frozenset[str] | None = None) -> frozenset[str]:
    """The wished clips of this part; those of `among`, split as the whole is split."""
    wished = {clip.id: clip for clip in session.selected()}
    graph = _graph(session, wished.values())
    ties = [[name.partition("/")[0] for name in names] for id_, names in graph.aliases.items()
            if graph.actions[id_].precious]  # fmt: skip
    skus: dict[str, list[str]] = {}
    for clip in wished.values():
        skus.setdefault(clip.sku, []).append(clip.id)
    group = groups(wished, [*ties, *skus.values()])
    weights: dict[str, float] = {}
    platforms = session.catalog.project.platforms
    for clip in wished.values():
        specs = {platforms[name].spec for name in clip.platforms}
        work = sum(spec.width * spec.height * spec.fps * clip.seconds for spec in specs)
        weights[group[clip.id]] = weights.get(group[clip.id], 0.0) + work
    place = split(weights, shard.count)
    found = frozenset(name for name in wished if place[group[name]] == shard.number)
    return found if among is None else found & among


def _graph(session: "Session", clips: "Iterable[Clip]") -> "Graph":
    """Every action of these clips, not judged. Raises ClipbuildError."""
    from clipbuild import cutouts, planning
    from clipbuild.engine.action import Graph
    from clipbuild.planner import spoken
    from clipbuild.planner.recipes import plan_clip

    files, platforms = session.files(), session.catalog.project.platforms
    resolved = [spoken.resolved(clip, files)[0] for clip in clips]

    def planned() -> "Graph":
        graph, box = Graph(), planning.toolbox(session)
        for clip in resolved:
            plan_clip(graph, clip, platforms, box)
        return graph

    return cutouts.settled(session, planned)


def split(weights: Mapping[str, float], count: int) -> dict[str, int]:
    """The shard (from 1) of each group, from the groups' weights alone.

    Each group goes to the first shard of an order of its own that has room: rendezvous hashing with bounded loads
    (Thaler and Ravishankar 1998; Mirrokni, Thorup, Zadimoghaddam 2016).
    """
    total = sum(weights.values())
    room = max(SLACK * total / count, max(weights.values(), default=0.0))
    load = dict.fromkeys(range(1, count + 1), 0.0)
    found: dict[str, int] = {}
    for group in sorted(weights, key=lambda name: (-_rank(weights[name]), _hash(name, 0))):
        order = sorted(load, key=lambda shard: _hash(group, shard))
        fits = (shard for shard in order if load[shard] + weights[group] <= room)
        chosen = next(fits, min(load, key=lambda shard: (load[shard], shard)))
        load[chosen] += weights[group]
        found[group] = chosen
    return found


def groups(members: Iterable[str], ties: Iterable[Iterable[str]]) -> dict[str, str]:
    """The group of each member, named by its first: those that a tie names together are in one."""
    root: dict[str, str] = {member: member for member in members}

    def find(member: str) -> str:
        while root[member] != member:
            root[member] = root[root[member]]
            member = root[member]
        return member

    for tie in ties:
        first, *others = sorted(find(member) for member in tie)
        for other in others:
            root[find(other)] = find(first)
    return {member: find(member) for member in root}


def _rank(weight: float) -> int:
    """Weights by powers of two: heavy ones first, and a small change of one does not reorder all."""
    return math.frexp(weight)[1]


def _hash(name: str, salt: Hashable) -> bytes:
    return hashlib.sha256(f"{salt}\0{name}".encode("utf-8", "surrogatepass")).digest()
