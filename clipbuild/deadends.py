"""What is not bought because it leads nowhere: a model can't make it, or what it is for, however the rest goes.

Asks the models' tables before a penny is spent, where a submit would only find out once the picture is paid. Buys nothing.
"""

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from clipbuild import standins, unchosen
from clipbuild.adapters import Adapters, request_of
from clipbuild.digest import Digest
from clipbuild.engine.action import Action, Output, Verdict
from clipbuild.errors import ActionError, ClipbuildError, UsageError, shown
from clipbuild.planned import Fault as Fault
from clipbuild.planning import Planned, Session
from clipbuild.providers.contract import Price
from clipbuild.providers.records import BOUGHT

if TYPE_CHECKING:
    from clipbuild.workshop import Gate


UNPRICED = "take another model, quality or resolution: docs/providers.md has the prices"


def faults(session: Session, action: Action, adapters: Adapters) -> list[Fault]:
    """What of this purchase its model can't do; photos that are there are looked at, too. Without a price nothing is bought."""
    provider = str(action.params["provider"])
    if not adapters.may_ask(provider):
        return []
    known = {name: session.origins.get(one, "") for name, one in action.inputs.items() if not isinstance(one, Output)}
    request = request_of(action, {**dict.fromkeys(action.inputs, ""), **known})
    try:
        found = [Fault(what) for what in adapters.get(provider).problems(request)]
        if not found and adapters.get(provider).price(request) is None:
            model = f"{provider}/{action.params.get('model', '')}"
            found = [Fault(f"the price of {model} is not known, so it is not bought", UNPRICED)]
        return found
    except ClipbuildError as error:
        return [Fault(error.what, error.hint, is_usage=isinstance(error, UsageError))]
    except Exception as error:  # somebody's own adapter
        return [Fault(f"the adapter of {provider} fails: {shown(f'{type(error).__name__}: {error}', 200)}")]


def price_of(action: Action, adapters: Adapters) -> Price | None:
    """What one action may cost; None where no price is known or nobody stands for its provider."""
    try:
        return adapters.get(str(action.params["provider"])).price(request_of(action))
    except Exception:  # told by `faults`
        return None


def found(session: Session, planned: Planned, adapters: Adapters) -> Mapping[Digest, Fault]:
    """Purchases of this plan that would be for nothing, and why. Known once a plan is whole, and kept with it."""
    if planned.dead is None:
        wrong = dict(_wrong(session, planned, adapters))
        planned.dead = _leads_nowhere(planned, wrong, _goals(session, planned)) if wrong else {}
    return planned.dead


def look(session: Session, planned: Planned) -> None:
    """Ask while the plan is whole, in a run that may buy at all."""
    if session.settings.trusted and any(one.precious for one in planned.plan.graph):
        found(session, planned, Adapters(session.settings, os.environ))


def gate(session: Session, planned: Planned, then: "Gate") -> "Gate":
    """Stops what would be of no use from being bought; what is paid already is taken in all the same, and what can't be made
    says so itself. `then` has the last word."""
    adapters = Adapters(session.settings, os.environ)

    def check(action: Action, key: Digest, inputs: Mapping[str, Digest]) -> None:
        fault = (planned.dead or {}).get(action.id)
        job = session.journal.replay.latest(key)
        is_paid = job is not None and (job.is_open or job.is_ambiguous or job.state in BOUGHT)
        if fault and not is_paid and session.lock.pin(key) is None and not _refusal(session, action, adapters):
            kind = UsageError if fault.is_usage else ActionError
            hint = fault.hint or "`clipbuild check` says where it is asked for"
            raise kind(f"{action.name}: not bought: {fault.what}", hint=hint)
        then(action, key, inputs)

    return check


def _wrong(session: Session, planned: Planned, adapters: Adapters) -> Iterator[tuple[Digest, Fault]]:
    """Actions that can't be had whatever happens: the model can't, or has no price, and nobody may stand in."""
    plan = planned.plan
    for action in plan.graph:
        if not action.precious or plan.verdicts[action.id] is Verdict.UP_TO_DATE:
            continue
        if (why := _refusal(session, action, adapters)) and not standins.allowed(planned, action):
            yield action.id, why
    chooses = _chooses(planned)
    for moves in unchosen.actions(session, planned):
        said = [_refusal(session, action, adapters) for action in moves]
        if said and all(said) and not standins.allowed(planned, moves[0]):
            yield chooses[_choice(moves[0])], next(fault for fault in said if fault)


def of_choice(planned: Planned, motion: Action) -> str:
    """Why a motion that is chosen later is never bought, "" when it may be."""
    fault = (planned.dead or {}).get(_chooses(planned).get(_choice(motion), Digest("")))
    return fault.what if fault else ""


def _chooses(planned: Planned) -> dict[str, Digest]:
    return {name: of for of, names in planned.plan.graph.aliases.items() for name in names if name.endswith("/choose")}


def _choice(motion: Action) -> str:
    return motion.name.removesuffix("animate") + "choose"


def _refusal(session: Session, action: Action, adapters: Adapters) -> Fault | None:
    said = faults(session, action, adapters)
    return replace(said[0], what="; ".join(fault.what for fault in said)) if said else None


def _goals(session: Session, planned: Planned) -> set[Digest]:
    """What gives files of the tree, or the choice of a motion of which they will come."""
    chooses = _chooses(planned)
    files = {wanted.source.action for every in planned.deliverables.values() for wanted in every}
    return files | {chooses[f"{where}/choose"] for where in session.undecided if f"{where}/choose" in chooses}


def _leads_nowhere(planned: Planned, wrong: Mapping[Digest, Fault], goals: Collection[Digest]) -> dict[Digest, Fault]:
    """The purchases of which no file comes."""
    graph, blocked, wanted = planned.plan.graph, dict(wrong), set[Digest]()
    consumers: dict[Digest, list[Digest]] = {}
    for action in graph:
        sources = [source.action for source in action.inputs.values() if isinstance(source, Output)]
        for source in sources:
            consumers.setdefault(source, []).append(action.id)
        why = next((blocked[source] for source in sources if source in blocked), None)
        if why:
            blocked.setdefault(action.id, why)
    for action in reversed(list(graph)):
        after = consumers.get(action.id, ())
        if action.id in blocked:
            continue
        if action.id in goals or any(one in wanted for one in after):
            wanted.add(action.id)
        elif why := next((blocked[one] for one in after if one in blocked), None):
            blocked[action.id] = why
    return {one.id: blocked[one.id] for one in graph if one.id in blocked and (one.precious or one.id in wrong)}
