"""What a change costs before it is made: for each clip and step cached, local or paid, why, for how much, how long.

Puts together what `since` found out and what the plan judges; the same plan that `build` runs. Time is what the same
steps took before. Knows nothing of how it is shown.
"""

import math
import statistics
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from clipbuild.digest import Digest
from clipbuild.engine.action import Action, Graph, Verdict
from clipbuild.engine.executor import cores
from clipbuild.engine.traces import State
from clipbuild.planning import Planned, Session
from clipbuild.since import Cause, Difference, by_clip, causes, names

CACHED, LOCAL, PAID = "cached", "local", "paid"
SAMPLE = 20_000

Price = tuple[Decimal, Decimal]
"""USD, least and most."""


@dataclass(frozen=True, slots=True)
class Step:
    """One action of one clip. `changed`: it is not the one of the commit; else it would run here only because this
    store does not have its result. `price` None: not known. `seconds` None: never measured."""

    clip: str
    step: str
    stage: str
    id: Digest
    state: str
    verdict: str
    changed: bool
    causes: tuple[Cause, ...]
    price: Price | None
    seconds: float | None

    def plain(self) -> dict[str, Any]:
        """As JSON data."""
        cost = None if self.price is None else {"least": str(self.price[0]), "most": str(self.price[1])}
        return {
            "clip": self.clip, "action": f"{self.clip}/{self.step}", "stage": self.stage, "state": self.state,
            "verdict": self.verdict, "changed": self.changed, "cost": cost, "seconds": self.seconds,
            "causes": [[cause.what, cause.old, cause.new] for cause in self.causes],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reach:
    """One cause, and the clips and steps it touches."""

    cause: Cause
    clips: tuple[str, ...]
    stages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Impact:
    """All of a change."""

    difference: Difference
    steps: tuple[Step, ...]
    jobs: int
    clips: Mapping[str, str] = field(default_factory=dict)
    """The touched clips with their products."""

    def once(self, *, changed: bool | None = None) -> list[Step]:
        """Each action once, whatever number of clips it serves; only changed or unchanged ones if asked."""
        found: dict[Digest, Step] = {}
        for step in self.steps:
            if changed is None or step.changed == changed:
                found.setdefault(step.id, step)
        return list(found.values())

    def counts(self) -> Counter[str]:
        """How many actions are cached, and how many changed ones are local and paid."""
        return Counter(step.state for step in self.once() if step.changed or step.state == CACHED)

    def elsewhere(self) -> int:
        """How many actions that did not change run here, because this store does not have their results."""
        return sum(step.state != CACHED for step in self.once(changed=False))

    def price(self, steps: Iterable[Step] | None = None) -> Price | None:
        """What buying may cost, least and most; None when a price is not known."""
        least = most = Decimal(0)
        for step in self.once() if steps is None else steps:
            if step.state == PAID:
                if step.price is None:
                    return None
                least += step.price[0] if step.verdict == Verdict.WILL_RUN.value else Decimal(0)
                most += step.price[1]
        return least, most

    def seconds(self, steps: Iterable[Step] | None = None) -> float | None:
        """How long the local work may take on `jobs` jobs; None when nothing like it was ever measured."""
        todo = [step.seconds for step in (self.once() if steps is None else steps) if step.state == LOCAL]
        known = [seconds for seconds in todo if seconds is not None]
        if todo and not known:
            return None
        whole = sum(known) * (len(todo) / len(known) if known else 1.0)
        return max(whole / self.jobs, max(known, default=0.0))

    def reaches(self) -> list[Reach]:
        """Every cause with what it touches, the widest first."""
        clips: dict[Cause, set[str]] = {}
        stages: dict[Cause, set[str]] = {}
        for step in self.steps:
            for cause in step.causes:
                clips.setdefault(cause, set()).add(step.clip)
                stages.setdefault(cause, set()).add(step.stage)
        found = [Reach(cause, tuple(sorted(clips[cause])), tuple(sorted(stages[cause]))) for cause in clips]
        return sorted(found, key=lambda reach: (-len(reach.clips), reach.cause.what, reach.cause.new))

    def plain(self) -> dict[str, Any]:
        """As JSON data: a row for each action of each touched clip."""
        told, price, seconds = self.difference, self.price(), self.seconds()
        return {
            "since": told.base, "new": sorted(told.new), "changed": sorted(told.changed), "gone": list(told.gone),
            "broken": told.broken, "pins": {kind: list(found) for kind, found in told.pins.items()},
            "causes": [
                {"what": r.cause.what, "old": r.cause.old, "new": r.cause.new, "clips": list(r.clips), "stages": list(r.stages)}
                for r in self.reaches()
            ],
            "counts": {state: self.counts()[state] for state in (CACHED, LOCAL, PAID)}, "elsewhere": self.elsewhere(),
            "cost": None if price is None else {"least": str(price[0]), "most": str(price[1])},
            "seconds": None if seconds is None else round(seconds, 1), "jobs": self.jobs,
            "actions": [step.plain() for step in self.steps],
        }  # fmt: skip


def impact(
    session: Session, planned: Planned, told: Difference, clips: Collection[str],
    price: Callable[[Action], Price | None],
) -> Impact:
    """The cost of what differs in these clips. `planned` is a plan that has them."""
    plan = planned.plan
    times = Times(session.state, plan.graph)
    files = names(session)
    steps = []
    for clip, actions in by_clip(plan.graph).items():
        if clip not in clips:
            continue
        before = told.before.get(clip, {})
        for step, action in actions.items():
            verdict, changed = plan.verdicts[action.id], action.id not in told.ids
            paid = action.precious and verdict is not Verdict.UP_TO_DATE
            state = CACHED if verdict is Verdict.UP_TO_DATE else PAID if paid else LOCAL
            found = tuple(causes(before.get(step), action, files)) if changed else ()
            steps.append(Step(
                clip, step, action.stage, action.id, state, verdict.value, changed, found,
                price(action) if paid else (Decimal(0), Decimal(0)), times.of(action) if state == LOCAL else None,
            ))  # fmt: skip
    jobs = session.settings.jobs or cores()
    return Impact(told, tuple(steps), jobs, {name: planned.entries[name].sku for name in clips})


class Times:
    """How long actions took: the very action before, else the median of its step."""

    def __init__(self, state: State, graph: Graph) -> None:
        wanted = {name for names in graph.aliases.values() for name in names}
        last = state.last_keys(wanted)
        traces = state.traces({*last.values(), *sorted(state.keys())[:SAMPLE]})
        self._own = {name: traces[key].seconds for name, key in last.items() if key in traces}
        self._aliases = graph.aliases
        kinds: dict[str, list[float]] = {}
        for trace in traces.values():
            if trace.cost == "0" and not trace.facts:
                kinds.setdefault(_kind(trace.name), []).append(trace.seconds)
        self._median = {kind: statistics.median(values) for kind, values in kinds.items()}

    def of(self, action: Action) -> float | None:
        """Seconds, None when nothing like it ever ran here."""
        for name in self._aliases.get(action.id, (action.name,)):
            if self._own.get(name):
                return self._own[name]
        return self._median.get(_kind(action.name))


def _kind(name: str) -> str:
    return name.rpartition("/")[2]


def span(seconds: float | None) -> str:
    """A time for people: "about 14 min"."""
    if seconds is None:
        return "a time nobody measured yet"
    if seconds < 1:
        return "under a second"
    if seconds < 90:
        return f"about {math.ceil(seconds)} s"
    if seconds < 5400:
        return f"about {math.ceil(seconds / 60)} min"
    return f"about {seconds / 3600:.1f} h"


def by_product(found: Impact) -> Iterator[tuple[str, list[Step]]]:
    """The changed steps of each product, in order."""
    rows: dict[str, list[Step]] = {}
    for step in found.steps:
        rows.setdefault(found.clips.get(step.clip, step.clip), []).append(step)
    for sku in sorted(rows):
        yield sku, rows[sku]
