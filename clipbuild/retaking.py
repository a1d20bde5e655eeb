"""A bought picture that its check refuses is taken again, as often as the product allows; then the plan is made anew.

Writes takes to the lock; buys nothing. Knows nothing of how a picture is judged.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from clipbuild import decisions
from clipbuild.digest import Digest
from clipbuild.engine.action import Action, Output, Verdict
from clipbuild.engine.lock import Lock
from clipbuild.errors import ClipbuildError
from clipbuild.planner import hints
from clipbuild.planning import Planned, Session


@dataclass(frozen=True, slots=True)
class Rejected:
    """A take that was refused, and why; another one follows."""

    name: str
    base: Digest
    take: int
    because: str


def retake(session: Session, planned: Planned, failed: Mapping[str, Exception]) -> list[Rejected]:
    """Mean the next take of every bought picture that was refused and may be taken again. Raises as `Lock.load`."""
    found = {one.base: one for one in _refused(planned, failed)}
    if not found:
        return []
    takes = list(found.values())

    def noted(lock: Lock) -> Lock:
        for one in takes:
            lock = lock.with_take(one.base, one.take + 1, one.because)
        return lock

    session.lock = decisions.amend(session.wish.root, noted)
    return takes


def further(planned: Planned) -> dict[Digest, int]:
    """How many takes may follow unasked, by bought picture: of those whose check has not been passed yet."""
    graph, found = planned.plan.graph, dict[Digest, int]()
    for action in graph:
        source = action.inputs.get("image") if action.stage == "check" else None
        if isinstance(source, Output) and planned.plan.verdicts[action.id] is not Verdict.UP_TO_DATE:
            bought = graph.actions[source.action]
            left = _allowed(planned, action) - int(bought.params.get("take") or 1) if bought.precious else 0
            if left > 0:
                found[bought.id] = max(left, found.get(bought.id, 0))
    return found


def _refused(planned: Planned, failed: Mapping[str, Exception]) -> Iterator[Rejected]:
    graph = planned.plan.graph
    for action in graph:
        error = failed.get(action.name) if action.stage == "check" else None
        source = action.inputs.get("image")
        if not isinstance(error, ClipbuildError) or not isinstance(source, Output):
            continue
        ids = [name for name, _ in error.facts if name in hints.WORDS]
        bought = graph.actions[source.action]
        take = int(bought.params.get("take") or 1)
        if ids and bought.precious and take < _allowed(planned, action):
            yield Rejected(bought.name, decisions.base_key(bought), take, ", ".join(ids))


def _allowed(planned: Planned, action: Action) -> int:
    """How many takes the most patient of the clips allows that want this picture."""
    names = planned.plan.graph.aliases.get(action.id, (action.name,))
    clips = {name.rsplit("/", 2)[0] for name in names}
    return max((planned.entries[clip].load().takes for clip in clips if clip in planned.entries), default=1)
