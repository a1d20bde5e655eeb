"""A whole build in miniature on the real engine: a catalog of one line a clip, photos that are text, a tree of text.

Stages read their inputs from the store and nothing else, so that any lie of the engine shows in the tree.
Run as a program it builds once: `python toy.py ROOT`; `bought.txt` beside the root counts what was paid for.

    catalog.txt     NAME PHOTO CAPTION
    photos/PHOTO    any bytes
    dist/NAME.txt   render
"""

import asyncio
import os
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field

from clipbuild.engine import files, rebuilder, scheduler
from clipbuild.engine.action import Action, Graph, Trace, Verdict
from clipbuild.engine.disk import DISK, Disk
from clipbuild.engine.lock import Lock
from clipbuild.engine.snapshot import Snapshot, disk_clock, output_signature, settled
from clipbuild.engine.sources import Sources
from clipbuild.engine.store import Store
from clipbuild.engine.traces import State
from clipbuild.engine.workspace import Workspace

QUESTION = b"all"


def make(stage: str, params, inputs: dict[str, bytes]) -> bytes:
    """What each stage makes; `check` looks at the first byte only, so that cutoff has something to do."""
    if stage == "image":
        return b"image of " + inputs["photo"]
    if stage == "check":
        return b"checked " + inputs["image"][9:10]
    return b"render of " + inputs["check"] + b" saying " + params["caption"].encode()


def clips(root: str) -> dict[str, tuple[str, str]]:
    """NAME → (PHOTO, CAPTION) of the catalog."""
    with open(os.path.join(root, "catalog.txt")) as file:
        return {name: (photo, caption) for name, photo, caption in (line.split() for line in file)}


def expected(root: str) -> dict[str, bytes]:
    """The tree that a clean build ends with."""
    tree = {}
    for name, (photo, caption) in clips(root).items():
        with open(os.path.join(root, "photos", photo), "rb") as file:
            image = make("image", {}, {"photo": file.read()})
        check = make("check", {}, {"image": image})
        tree[f"{name}.txt"] = make("render", {"caption": caption}, {"check": check})
    return tree


def tree(root: str) -> dict[str, bytes]:
    """The tree that is there, without temporaries."""
    found = {}
    folder = os.path.join(root, "dist")
    for name in os.listdir(folder) if os.path.isdir(folder) else []:
        if files.is_temporary(name):
            continue
        with open(os.path.join(folder, name), "rb") as file:
            found[name] = file.read()
    return found


@dataclass
class Toy:
    """One run. `ran` are the actions that ran, None when the snapshot said that there is nothing to do."""

    root: str
    disk: Disk = DISK
    jobs: int = 2
    store: str = ""
    ran: list[str] | None = None
    failed: dict = field(default_factory=dict)
    origins: dict = field(default_factory=dict)
    wait: bool = True

    def build(self) -> "Toy":
        """The walk."""
        place = Workspace(self.root)
        if Snapshot.load(place.snapshot).unchanged(QUESTION, self.root):
            return self
        with place.held(wait=self.wait, sleep=lambda s: time.sleep(0.01)), ExitStack() as stack:
            place.clean()
            state = State.open(place.state)
            stack.callback(state.close)
            store = Store(self.store or place.store, disk=self.disk)
            stack.enter_context(store.use())
            for _ in range(9):  # each time something else may turn out to be lost
                if not self.walk(place, state, store):
                    break
        return self

    def walk(self, place: Workspace, state: State, store: Store) -> bool:
        """Plan, run, publish. True when a blob was lost and the plan must be made again."""
        sources = Sources(self.root, state)
        lock_path = os.path.join(self.root, "clipbuild.lock")
        lock = Lock.load(lock_path)
        graph, ends = self.plan(sources)

        def find(key):
            return lock.pin(key) or state.trace(key)

        plan = rebuilder.judge(graph, find, store.has, state.last)
        for action, trace in plan.lost:  # nobody to fetch from: a person asks to buy again
            lock = lock.without_pins([trace.key])
            state.forget([trace.key])
            assert action.precious
        if plan.lost:
            lock.save(lock_path, self.disk)
            return True
        outcome = asyncio.run(
            scheduler.run(
                plan,
                lambda action, key, inputs: self.run(store, action, key, inputs),
                pools={"cpu": self.jobs, "kling": 2},
                emit=lambda kind, **facts: None,
                state=state,
                store=store,
            )
        )
        self.ran = [*(self.ran or []), *outcome.ran]
        self.failed = outcome.failed
        bought = [find(plan.keys[a.id]) for a in graph if a.precious and plan.verdicts[a.id] is Verdict.UP_TO_DATE]
        lock.with_pins(trace for trace in bought if trace).save(lock_path, self.disk)
        if outcome.lost:
            return True
        if outcome.failed:
            return False
        if any(not store.sound(plan.resolve(end.out("out"))) for end in ends.values()):
            return True
        self.publish(plan, ends, store)
        state.commit()
        self.take_snapshot(place, sources, ends)
        return False

    def plan(self, sources: Sources) -> tuple[Graph, dict[str, Action]]:
        """Catalog to graph."""
        graph, ends = Graph(), {}
        for line in sources.read("catalog.txt").decode().splitlines():
            name, photo, caption = line.split()
            digest = sources.digest(f"photos/{photo}")
            self.origins[digest] = os.path.join(self.root, "photos", photo)
            image = graph.add(f"{name}/image", "image", 1, {}, {"photo": digest}, pool="kling", precious=True)
            check = graph.add(f"{name}/check", "check", 1, {}, {"image": image.out("out")})
            ends[name] = graph.add(f"{name}/render", "render", 1, {"caption": caption}, {"check": check.out("out")})
        return graph, ends

    async def run(self, store: Store, action: Action, key, inputs) -> Trace:
        """One action: inputs from the store, the output into it."""
        await asyncio.sleep(0)
        data = {}
        for name, blob in inputs.items():
            if not store.has(blob):
                store.add_file(self.origins[blob], expect=blob)
            with open(store.path(blob), "rb") as file:
                data[name] = file.read()
        blob = store.add_bytes(make(action.stage, action.params, data), precious=action.precious)
        if action.precious:
            with open(os.path.join(self.root, "bought.txt"), "a") as file:
                file.write(f"{key}\n")
        return Trace(action.name, key, {"out": blob}, "1" if action.precious else "0")

    def publish(self, plan, ends: dict[str, Action], store: Store) -> None:
        """Blobs into the tree, and out of it what left the catalog."""
        dist = os.path.join(self.root, "dist")
        files.ensure_dir(dist, root=self.root, disk=self.disk)
        files.sweep(dist, root=self.root, disk=self.disk)
        for name, end in ends.items():
            blob = store.path(plan.resolve(end.out("out")))
            target = os.path.join(dist, f"{name}.txt")
            if not self.same(target, plan.resolve(end.out("out"))):
                files.place(blob, target, share=True, root=self.root, disk=self.disk)
        for name in set(os.listdir(dist)) - {f"{name}.txt" for name in ends}:
            files.remove(os.path.join(dist, name), root=self.root, disk=self.disk)

    @staticmethod
    def same(target: str, blob) -> bool:
        """The file is there and is the blob's bytes."""
        from clipbuild import digest

        return os.path.isfile(target) and not os.path.islink(target) and digest.of_file(target) == blob

    def take_snapshot(self, place: Workspace, sources: Sources, ends) -> None:
        """What it looks like now."""
        lock = "clipbuild.lock"
        sources.exists(lock)
        outputs = {f"dist/{n}.txt": output_signature(os.path.join(self.root, f"dist/{n}.txt")) for n in ends}
        found = settled(outputs, disk_clock(place.home)[0])
        Snapshot.of(QUESTION, sources.seen(), found, sources.dirs()).save(place.snapshot)


if __name__ == "__main__":
    done = Toy(sys.argv[1], store=sys.argv[2] if len(sys.argv) > 2 else "").build()
    print("nothing to do" if done.ran is None else " ".join(["ran", *done.ran]))
    sys.exit(1 if done.failed else 0)
