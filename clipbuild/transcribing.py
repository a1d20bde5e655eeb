"""Word times of a sound or a clip, bought once: the file that `words:` of a product names.

Goes the same way as everything that is bought: price, cap, journal, store, lock. Knows nothing of captions.
"""

import asyncio
import os

from clipbuild import consent, decisions
from clipbuild.adapters import Adapters, order_of
from clipbuild.engine import files
from clipbuild.engine.action import Action, Graph, Trace
from clipbuild.engine.workspace import Workspace
from clipbuild.errors import UsageError, shown
from clipbuild.planning import Session, find
from clipbuild.pricing import Bill, Line, price_of
from clipbuild.providers.collecting import Collector
from clipbuild.providers.desk import Desk
from clipbuild.providers.elsewhere import Elsewhere
from clipbuild.providers.jobs import Buyer
from clipbuild.providers.journal import workspace_name
from clipbuild.providers.records import Record, Step
from clipbuild.providers.scribe import Scribe
from clipbuild.providers.spend import Budget, Spending


def wanted(session: Session, sound: str, seconds: float, language: str, target: str) -> Action:
    """The action that gives the words of the workspace file `sound`. Raises UsageError."""
    provider, slash, model = target.partition("/")
    if not slash:
        raise UsageError(f"{shown(target)}: name a provider and a model", hint="for example openai/whisper-1")
    params = {"provider": provider, "model": model, "seconds": round(seconds, 2)}
    params |= {"language": language} if language else {}
    name = f"{os.path.basename(sound)}/transcribe"
    return Graph().add(name, "transcribe", 1, params, {"sound": session.source(sound)}, pool=provider, precious=True)


def transcribe(session: Session, action: Action, path: str, out: str, *, max_spend: str, ask: consent.Ask | None) -> Trace:
    """Buy the words unless they are bought, and write them to the workspace file `out`. Raises ClipbuildError."""
    trace = find(session, action.id)
    if trace is None or not all(session.store.has(blob) for blob in trace.outputs.values()):
        line = Line(action, action.name, action.pool, True, price_of(action, Adapters(session.settings, os.environ)))
        budget = consent.allowed(session, Bill((line,)), max_spend=max_spend, ask=ask)
        trace = asyncio.run(_bought(session, action, path, budget))
        decisions.amend(session.wish.root, lambda lock: lock.with_pins([trace]))
    with open(session.store.path(trace.outputs["words"]), "rb") as file:
        files.write_atomic(os.path.join(session.wish.root, out), file.read(), root=session.wish.root)
    return trace


async def _bought(session: Session, action: Action, path: str, budget: Budget) -> Trace:
    adapters = Adapters(session.settings, os.environ)
    spending = Spending(budget, session.lock.pins.values(), Elsewhere(session.journal.mirror))
    place = Workspace(session.wish.root)
    is_own = not session.journal.replay.open_build(workspace_name(place.root))
    desk = Desk(Scribe(session.journal), session.store, spending, adapters.get, workspace_name(place.root), place.temp)
    try:
        with session.store.use():
            trace = await Buyer(desk, Collector(desk)).buy(order_of(action, action.id, {"sound": path}))
        build = session.journal.replay.open_build(desk.workspace)
        if is_own and build:  # a whole of its own: the next build has a cap of its own
            session.journal.append(Record(Step.ENDED, desk.now(), name=desk.workspace, build=build))
        return trace
    finally:
        await adapters.close()

