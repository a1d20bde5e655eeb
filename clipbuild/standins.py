"""What failed at one provider and may be made by another: only where the clip's `fallback` says so, never in silence.

Notes what can't be had; planning then routes round it, and marks the clip as degraded. Knows who may stand in, so that a
price can have it in it. Buys nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from clipbuild import digest
from clipbuild.catalog.model import Clip
from clipbuild.digest import Digest
from clipbuild.engine.action import Action
from clipbuild.errors import ActionError, ClipbuildError, IncompleteError, JournalError, UsageError, shown
from clipbuild.planner import routing
from clipbuild.planner.recipes import Bought
from clipbuild.planning import Planned, Session
from clipbuild.providers.desk import HaltedError
from clipbuild.providers.records import BOUGHT, FINAL


def note(session: Session, planned: Planned, failed: Mapping[str, Exception]) -> list[str]:
    """Note the requests that can't be had and that a stand-in may be made for: what to say of them. A job that is unsure,
    open or paid, a cap, a person's word or a journal that can't be written is no such reason."""
    told = []
    for action in planned.plan.graph:
        error = failed.get(action.name)
        if action.precious and isinstance(error, ClipbuildError) and _counts(error) and _may(session, planned, action):
            mark = routing.mark(Bought(str(action.params["provider"]), action.params))
            why = shown(error.what.partition(": ")[2] or error.what, 200)
            if mark not in session.unable:
                session.unable[mark] = why
                _keep(session, planned, action, mark, why)
                told.append(f"{action.name}: {why}; a stand-in is made, as `fallback` allows")
    return told


def after(session: Session, planned: Planned, action: Action) -> list[Action]:
    """What may be bought instead of this purchase, should it fail: one action for each request, of all the clips that
    want it."""
    now = Bought(str(action.params["provider"]), action.params)
    kind = "video" if action.stage == "animate" else "plate" if action.name.endswith("/plate") else "image"
    found: dict[Digest, Action] = {}
    for clip in _clips(planned, action):
        for other in routing.standins(clip, kind, now, session.failed) if clip.fallback else ():
            params = {"provider": other.provider, **other.params}
            found[digest.of_document(params)] = replace(action, params=params, pool=other.provider)
    return list(found.values())


def degraded(planned: Planned) -> dict[str, str]:
    """The clips that were not made by whom they should be: clip → what and why."""
    return {d.clip: d.degraded for wanted in planned.deliverables.values() for d in wanted if d.degraded}


def _may(session: Session, planned: Planned, action: Action) -> bool:
    """The clip allows it, and no job of this one may still give it."""
    key = planned.plan.keys.get(action.id)
    job = session.journal.replay.latest(key) if key else None
    is_over = job is None or not (job.is_open or job.is_ambiguous or job.state in BOUGHT)
    return is_over and allowed(planned, action)


def allowed(planned: Planned, action: Action) -> bool:
    """Whether a clip that wants this lets others make it."""
    return any(clip.fallback for clip in _clips(planned, action))


def _clips(planned: Planned, action: Action) -> Iterator[Clip]:
    """The clips that want this."""
    for name in planned.plan.graph.aliases.get(action.id, (action.name,)):
        if (entry := planned.entries.get(name.partition("/")[0])) is not None:
            yield entry.load()


def _counts(error: ClipbuildError) -> bool:
    """The provider said no, failed, or can't be used in this run."""
    if isinstance(error, HaltedError | JournalError):
        return False
    return isinstance(error, ActionError | IncompleteError | UsageError)


def _keep(session: Session, planned: Planned, action: Action, mark: str, why: str) -> None:
    """A refusal or failure for good is remembered beyond this run, for as long as the journal says so."""
    key = planned.plan.keys.get(action.id)
    job = session.journal.replay.latest(key) if key else None
    if key and job is not None and job.state in FINAL:
        session.state.put("failed", mark, f"{key} {why}".encode())
