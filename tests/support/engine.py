"""A small world for engine tests: a store, a state, a graph of toy stages, and a runner that notes what ran."""

import asyncio
import os
from collections import Counter
from dataclasses import dataclass, field

from clipbuild import digest
from clipbuild.engine import rebuilder, scheduler
from clipbuild.engine.action import Graph, Trace
from clipbuild.engine.store import Store
from clipbuild.engine.traces import State
from clipbuild.errors import ActionError


def content(action, inputs) -> bytes:
    """What a toy stage makes: its parameters' `says`, else everything it was given."""
    said = action.params.get("says")
    return (said if said is not None else repr((action.stage, sorted(inputs.items())))).encode()


@dataclass
class World:
    """`runs` counts how often each action ran over the life of the world, `ran` names those of the last build."""

    folder: str
    store: Store = None
    state: State = None
    events: list = field(default_factory=list)
    runs: Counter = field(default_factory=Counter)
    broken: set = field(default_factory=set)
    delay: dict = field(default_factory=dict)
    most: Counter = field(default_factory=Counter)
    busy: Counter = field(default_factory=Counter)

    def __post_init__(self):
        self.store = self.store or Store(os.path.join(self.folder, "store"))
        self.state = self.state or State.open(os.path.join(self.folder, "state.db"))

    def reopen(self):
        """What a new process sees."""
        self.state.close()
        self.store = Store(self.store.root)
        self.state = State.open(self.state.path)

    def plan(self, graph: Graph, pins=None):
        """Judge the graph by what this world knows."""

        def find(key):
            return (pins or {}).get(key) or self.state.trace(key)

        return rebuilder.judge(graph, find, self.store.has, self.state.last)

    async def run_one(self, action, key, inputs) -> Trace:
        """The runner."""
        self.busy[action.pool] += 1
        self.most[action.pool] = max(self.most[action.pool], self.busy[action.pool])
        try:
            await asyncio.sleep(self.delay.get(action.name, 0))
            self.runs[action.name] += 1
            if action.name in self.broken:
                raise ActionError(f"{action.name}: broken", [("why", "told to")])
            blob = self.store.add_bytes(content(action, inputs), precious=action.precious)
            return Trace(action.name, key, {"out": blob}, "1" if action.precious else "0", 0.1)
        finally:
            self.busy[action.pool] -= 1

    def build(self, graph: Graph, *, plan=None, runner=None, stop=None, pools=None, **options):
        """Plan and run; the outcome."""
        self.events = []

        async def main():
            return await scheduler.run(
                plan or self.plan(graph),
                runner or self.run_one,
                pools=pools or {"cpu": 2},
                emit=lambda kind, **facts: self.events.append((kind.__name__, facts)),
                state=self.state,
                store=self.store,
                stop=stop,
                **options,
            )

        return asyncio.run(main())


def clip(graph: Graph, name: str, *, photo: str = "photo", caption: str = "", spec: str = "9:16", **options):
    """A clip's actions: image, check and render, as the recipes make them."""
    source = digest.of_bytes(photo.encode())
    image = graph.add(f"{name}/image", "image", 1, {"prompt": f"of {photo}"}, {"photo": source}, **options)
    check = graph.add(f"{name}/check", "check", 1, {"limit": 1, "says": f"ok {photo[:1]}"}, {"image": image.out("out")})
    params = {"caption": caption, "spec": spec}
    return graph.add(f"{name}/render", "render", 1, params, {"image": check.out("out")}, tools={"ffmpeg": "7"})
