"""Motion that is to be bought and not chosen yet: the request for each of the moves that `auto` may come to.

The plan has no such action until the choice is known; a price and a look at what a model can do need none. Buys nothing.
"""

from collections.abc import Iterator
from dataclasses import replace

from clipbuild.catalog.model import Clip, Spec
from clipbuild.engine.action import Action, Graph, Output
from clipbuild.planner import routing
from clipbuild.planner.recipes import aspect
from clipbuild.planning import Planned, Session
from clipbuild.stages import registry
from clipbuild.tooling import rendered


def actions(session: Session, planned: Planned) -> Iterator[list[Action]]:
    """For each clip of a spec whose motion is not chosen, the purchases it may become: one of them is made."""
    checks = {name: of for of, names in planned.plan.graph.aliases.items() for name in names if name.endswith("/check")}
    for where in sorted(session.undecided):
        name, _, spec_name = where.rpartition("/")
        entry = planned.entries.get(name)
        clip = entry.load() if entry else None
        for spec in _specs(session, clip, spec_name) if clip else ():
            found = Graph()
            found.actions[checks[f"{where}/check"]] = planned.plan.graph.actions[checks[f"{where}/check"]]
            image = Output(checks[f"{where}/check"], "image")
            assert clip is not None
            yield list(_moves(session, clip, spec, found, image))


def _specs(session: Session, clip: Clip, name: str) -> list[Spec]:
    platforms = session.catalog.project.platforms
    return [spec for spec in dict.fromkeys(platforms[one].spec for one in clip.platforms) if spec.name == name]


def _moves(session: Session, clip: Clip, spec: Spec, graph: Graph, image: Output) -> Iterator[Action]:
    def prompt(of: Clip, kind: str, ratio: str) -> str:
        return rendered(session, of, kind, ratio).text

    version = registry.kind("animate", session.state).version
    for move in session.library.motions():
        moved = replace(clip, motion=replace(clip.motion, name=move))
        found, _ = routing.route(moved, "video", spec, aspect(spec.width, spec.height), prompt, session.failed)
        if found is not None:
            params = {"provider": found.provider, **found.params}
            name = f"{clip.id}/{spec.name}/animate"
            yield graph.add(name, "animate", version, params, {"image": image}, pool=found.provider, precious=True)
