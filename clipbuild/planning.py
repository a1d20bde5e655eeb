"""From an opened workspace to a judged plan: plan the clips that changed, judge every action.

`plan`, `why`, `graph`, price and `build` all come through here, so they can't disagree. Runs nothing, buys nothing.
"""

import json
from collections.abc import Collection, Iterable
from contextlib import closing
from functools import partial

from clipbuild import checkpoint, recall
from clipbuild.catalog.catalog import Entry
from clipbuild.catalog.model import Place
from clipbuild.cutouts import settled
from clipbuild.digest import Digest
from clipbuild.engine import rebuilder
from clipbuild.engine.action import Graph, Output, Trace
from clipbuild.engine.rebuilder import Plan
from clipbuild.errors import CatalogError, ClipbuildError, Problem
from clipbuild.look import Drift
from clipbuild.planned import Planned as Planned
from clipbuild.planner import spoken
from clipbuild.planner.recipes import Toolbox, plan_clip
from clipbuild.providers.receipts import bought
from clipbuild.recall import Recall
from clipbuild.session import Session as Session
from clipbuild.session import open_session as open_session
from clipbuild.session import unknown
from clipbuild.tooling import rendered
from clipbuild.tooling import toolbox as toolbox

MAX_STEPS = 1_000_000


def make_plan(session: Session, drift: Drift | None = None, *, among: Collection[str] | None = None) -> Planned:
    """Plan and judge the wished clips, or those `among` them. Those that are as the last whole build left them are not
    looked at: `drift` is what differs from it; None: nothing is known of it.

    Where `auto` is to choose a motion that is bought, the choice shapes what is asked for: planned once to find what
    is known of it, and again with that; so with photos that are to be looked at first. Raises CatalogError when a clip
    can't be planned because of what its catalog entry says.
    """
    session.chosen = {}
    while True:
        session.undecided = set()
        planned = settled(session, partial(_planned, session, drift, among))
        if not (found := choices(session, planned.plan)):
            return planned
        session.chosen |= found


def choices(session: Session, plan: Plan) -> dict[str, str]:
    """What `auto` came to, of what was not known when the plan was made."""
    if not session.undecided:
        return {}
    names = {name: of for of, every in plan.graph.aliases.items() for name in every}
    found = {}
    for where in session.undecided:
        blob = plan.outputs.get(names[f"{where}/choose"], {}).get("choice")
        if blob and session.store.has(blob):
            with open(session.store.path(blob), "rb") as file:
                found[where] = str(json.loads(file.read())["motion"])
    return found


def _planned(session: Session, drift: Drift | None, among: Collection[str] | None) -> Planned:
    graph, box = Graph(), toolbox(session)
    entries = {entry.id: entry for entry in session.wished() if among is None or entry.id in among}
    memory = Recall(session, drift, lambda clip, kind, ratio: rendered(session, clip, kind, ratio).text)
    planned = Planned(Plan(graph, *_knowledge(session)), drift, entries, memory.context)
    doubtful = memory.doubtful(entries.values())
    aside = checkpoint.opened(session) if len(doubtful) >= checkpoint.MANY else checkpoint.Checkpoint()
    with closing(aside), checkpoint.uncollected(len(doubtful)):
        _plan_clips(session, planned, memory, doubtful, aside, box)
    planned.kept_actions = memory.kept_actions(planned.deliverables)
    session.state.commit()  # another process may write while this one judges and builds
    rebuilder.walk(planned.plan)
    return planned


def _plan_clips(
    session: Session, planned: Planned, memory: Recall, doubtful: Iterable[Entry], aside: checkpoint.Checkpoint, box: Toolbox
) -> None:
    """Plan the clips that are not as they were left, or take them from a plan put aside. Raises CatalogError."""
    problems: list[Problem] = []
    graph, platforms = planned.plan.graph, session.catalog.project.platforms
    for entry in doubtful:
        before = len(graph)
        try:
            whole = memory.whole(entry)
            if memory.is_same(entry, whole):
                continue
            if (known := aside.take(entry.id, whole, graph)) is not None:
                planned.deliverables[entry.id], planned.marks[entry.id] = known
                continue
            clip, draft = spoken.resolved(entry.load(), session.files())
            made = plan_clip(graph, clip, platforms, box)
        except CatalogError as error:  # a template's place is better than the clip's
            problems += [problem for problem in error.problems if problem not in problems]
            continue
        except ClipbuildError as error:
            place = entry.place
            problem = Problem(place.file, place.line, place.column, error.what, tuple(error.facts), error.hint)
            problems += [problem] if problem not in problems else []
            continue
        check_room(len(graph), entry.place)
        planned.drafts += [draft] if draft else []
        planned.deliverables[entry.id] = made
        planned.marks[entry.id] = memory.mark(entry, whole, len(graph) - before)
        planned.planned += 1
    if problems:
        raise CatalogError(problems)


def check_room(steps: int, place: Place, most: int = MAX_STEPS) -> None:
    """A plan this long can be made. Raises CatalogError at the product that is too much."""
    if steps > most:
        facts = (("steps", f"{steps:,} so far"),)
        hint = "plan a part: name products, or `--shard 1/8`; or split the project"
        raise CatalogError([Problem(place.file, place.line, place.column, f"more than {most:,} steps to plan", facts, hint)])


def up_to(session: Session, graph: Graph, stage: str) -> Plan:
    """The plan of this graph as far as `stage`: its actions and what they need. Raises UsageError for an unknown one.

    "image" is the picture, composed or bought, and its check: what a person approves.
    """
    known = {action.stage for action in graph}
    stages = {"image", "generate", "check"} if stage == "image" else {stage}
    if not stages & known:
        unknown("stage", stage, known - {"generate"} | {"image"}, "of this plan")
    needed = {action.id for action in graph if action.stage in stages}
    for action in reversed(list(graph)):
        if action.id in needed:
            needed |= {source.action for source in action.inputs.values() if isinstance(source, Output)}
    part = Graph()
    part.actions = {action.id: action for action in graph if action.id in needed}
    part.aliases = {of: names for of, names in graph.aliases.items() if of in needed}
    left = {name for names in part.aliases.values() for name in names}
    session.undecided = {where for where in session.undecided if f"{where}/choose" in left}
    return judge(session, part)


def judge(session: Session, graph: Graph) -> Plan:
    """The verdict on every action, from lock and traces."""
    return rebuilder.walk(Plan(graph, *_knowledge(session)))


def _knowledge(session: Session) -> tuple[rebuilder.Find, rebuilder.Has, rebuilder.Last]:
    """What a judge needs: what keys gave, the store, the documents judged last."""
    return partial(find, session), session.store.has, session.state.last


def find(session: Session, key: Digest) -> Trace | None:
    """What a key gave: pinned, traced, or bought and not yet pinned."""
    return session.lock.pin(key) or session.state.trace(key) or bought(session.journal, key)


def context(session: Session) -> str:
    """What shapes every clip beside its own entry: versions, tools, templates."""
    return f"{recall.shared(session)} {session.prompts.signature()}"


def fingerprint(session: Session, entry: Entry, context: str) -> str:
    """Changes when anything does that shapes this clip. `context` is `context(session)`."""
    return recall.whole(session, entry, context)
