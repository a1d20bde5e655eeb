"""Which stage is found where. A module is imported when its stage is first asked for, never before.

To add a stage: one file beside this one with a `STAGE`, one line here. Knows nothing of what stages do.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

from clipbuild import __version__
from clipbuild.engine.action import Stage
from clipbuild.errors import ActionError
from clipbuild.stages.workdir import Workdir

MODULES = {
    "cutout": "clipbuild.stages.cutout",
    "image": "clipbuild.stages.image",
    "check": "clipbuild.stages.check",
    "choose": "clipbuild.stages.choose",
    "clipcheck": "clipbuild.stages.clipcheck",
    "render": "clipbuild.stages.render",
    "cover": "clipbuild.stages.cover",
    "captions": "clipbuild.stages.captions",
    "post": "clipbuild.stages.post",
    "generate": "clipbuild.stages.generate",
    "animate": "clipbuild.stages.animate",
    "transcribe": "clipbuild.stages.transcribe",
}

WORKER: list[str] = [sys.executable, "-P", "-m", "clipbuild.stages"]
"""The program that runs stages, one task a line."""
_others: dict[str, "Runnable"] = {}


class Runnable(Stage, Protocol):
    """A stage that can be run here. `run` leaves its outputs in the folder and may return facts about them."""

    def run(self, work: Workdir) -> dict[str, Any] | None: ...


class Memory(Protocol):
    """A small table that outlives the process."""

    def get(self, kind: str, key: str) -> bytes | None: ...

    def put(self, kind: str, key: str, data: bytes) -> None: ...


@dataclass(slots=True)
class Kind:
    """What planning needs to know of a stage; see `Stage`."""

    name: str
    version: int
    outputs: tuple[str, ...]
    tools: tuple[str, ...]
    inline: bool


def names() -> tuple[str, ...]:
    """Every stage there is."""
    return tuple(MODULES)


def replace(stages: Mapping[str, Runnable], worker: Sequence[str]) -> None:
    """Put these stages in the place of those of their names, for the whole process; `worker` is a program that has
    done the same. For rehearsals and measurements: give them versions of their own, for that is all keys tell."""
    _others.update(stages)
    WORKER[:] = worker


def stage(name: str) -> Runnable:
    """The stage `name`. Raises ActionError for an unknown one."""
    if name in _others:
        return _others[name]
    module = MODULES.get(name)
    if module is None:
        raise ActionError(f"there is no stage {name!r}", [("known", ", ".join(MODULES))])
    found: Runnable = import_module(module).STAGE
    return found


def kind(name: str, memory: Memory) -> Stage:
    """What planning needs to know of the stage `name`, without importing it and all it stands on where its file is the
    one that was asked before. Raises ActionError for an unknown one."""
    spec = None if name in _others or name not in MODULES else find_spec(MODULES[name])
    if spec is None or spec.origin is None:
        return stage(name)
    facts = os.stat(spec.origin)
    mark = json.dumps([__version__, spec.origin, facts.st_size, facts.st_mtime_ns, facts.st_ino])
    if known := memory.get("stage", f"{name} {mark}"):
        told = json.loads(known)
        return Kind(name, told["version"], tuple(told["outputs"]), tuple(told["tools"]), told["inline"])
    full = stage(name)
    found = Kind(full.name, full.version, tuple(full.outputs), tuple(full.tools), full.inline)
    memory.put("stage", f"{name} {mark}", json.dumps(asdict(found)).encode())
    return found


def run(name: str, work: Workdir) -> dict[str, Any]:
    """Run a stage and return the facts it told. Raises ActionError when it left no main output."""
    found = stage(name)
    facts = found.run(work) or {}
    work.made(found.outputs)
    return facts
