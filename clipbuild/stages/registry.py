"""Which stage is found where. A module is imported when its stage is first asked for, never before.

To add a stage: one file beside this one with a `STAGE`, one line here. Knows nothing of what stages do.
"""

from importlib import import_module
from typing import Any, Protocol

from clipbuild.engine.action import Stage
from clipbuild.errors import ActionError
from clipbuild.stages.workdir import Workdir

MODULES = {
    "image": "clipbuild.stages.image",
    "check": "clipbuild.stages.check",
    "clipcheck": "clipbuild.stages.clipcheck",
    "render": "clipbuild.stages.render",
    "cover": "clipbuild.stages.cover",
    "captions": "clipbuild.stages.captions",
    "post": "clipbuild.stages.post",
}


class Runnable(Stage, Protocol):
    """A stage that can be run here. `run` leaves its outputs in the folder and may return facts about them."""

    def run(self, work: Workdir) -> dict[str, Any] | None: ...


def names() -> tuple[str, ...]:
    """Every stage there is."""
    return tuple(MODULES)


def stage(name: str) -> Runnable:
    """The stage `name`. Raises ActionError for an unknown one."""
    module = MODULES.get(name)
    if module is None:
        raise ActionError(f"there is no stage {name!r}", [("known", ", ".join(MODULES))])
    found: Runnable = import_module(module).STAGE
    return found


def run(name: str, work: Workdir) -> dict[str, Any]:
    """Run a stage and return the facts it told. Raises ActionError when it left no main output."""
    kind = stage(name)
    facts = kind.run(work) or {}
    work.made(kind.outputs)
    return facts
