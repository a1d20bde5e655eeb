"""What failed at one provider and may be made by another: only where the clip's `fallback` says so, never in silence.

Notes what can't be had; planning then routes round it, and marks the clip as degraded. Buys nothing.
"""

from collections.abc import Mapping

from clipbuild.engine.action import Action
from clipbuild.errors import ActionError, ClipbuildError, IncompleteError, UsageError, shown
from clipbuild.planner import routing
from clipbuild.planner.recipes import Bought
from clipbuild.planning import Planned, Session
from clipbuild.providers.desk import HaltedError
from clipbuild.providers.records import FINAL


def note(session: Session, planned: Planned, failed: Mapping[str, Exception]) -> list[str]:
    """Note the requests that can't be had and that a stand-in may be made for: what to say of them. An unsure job, a cap
    or a person's word is no such reason."""
    told = []
    for action in planned.plan.graph:
        error = failed.get(action.name)
        if action.precious and isinstance(error, ClipbuildError) and _may(planned, action) and _counts(error):
            mark = routing.mark(Bought(str(action.params["provider"]), action.params))
            why = shown(error.what.partition(": ")[2] or error.what, 200)
            if mark not in session.unable:
                session.unable[mark] = why
                _keep(session, planned, action, mark, why)
                told.append(f"{action.name}: {why}; a stand-in is made, as `fallback` allows")
    return told


def degraded(planned: Planned) -> dict[str, str]:
    """The clips that were not made by whom they should be: clip → what and why."""
    return {d.clip: d.degraded for wanted in planned.deliverables.values() for d in wanted if d.degraded}


def _may(planned: Planned, action: Action) -> bool:
    names = planned.plan.graph.aliases.get(action.id, (action.name,))
    clips = [planned.entries[clip].load() for name in names if (clip := name.partition("/")[0]) in planned.entries]
    return any(clip.fallback for clip in clips)


def _counts(error: ClipbuildError) -> bool:
    """The provider said no, failed, or can't be used in this run."""
    return isinstance(error, ActionError | IncompleteError | UsageError) and not isinstance(error, HaltedError)


def _keep(session: Session, planned: Planned, action: Action, mark: str, why: str) -> None:
    """A refusal or failure for good is remembered beyond this run, for as long as the journal says so."""
    key = planned.plan.keys.get(action.id)
    job = session.journal.replay.latest(key) if key else None
    if key and job is not None and job.state in FINAL:
        session.state.put("failed", mark, f"{key} {why}".encode())
