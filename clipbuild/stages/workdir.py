"""What a stage is given: params, input files, a folder of its own, its tools. Nothing else shapes its result.

Knows nothing of plans, stores or what becomes of the outputs.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from clipbuild.errors import ActionError


def _silent(_done: float, _note: str) -> None:
    """Progress nobody listens to."""


@dataclass(frozen=True, slots=True)
class Workdir:
    """One run of one stage. `inputs` are paths by name, `params` plain JSON data, `tools` paths of programs."""

    key: str
    name: str
    params: Mapping[str, Any]
    inputs: Mapping[str, str]
    folder: str
    report: Callable[[float, str], None] = _silent
    tools: Mapping[str, str] = field(default_factory=dict)

    def out(self, name: str) -> str:
        """Where the output `name` is to be written."""
        return os.path.join(self.folder, name)

    def made(self, names: Sequence[str]) -> dict[str, str]:
        """The outputs that are there. Raises ActionError when the first, the main one, is not."""
        there = {name: self.out(name) for name in names if os.path.isfile(self.out(name))}
        if names and names[0] not in there:
            raise ActionError(f"{self.name}: the stage left no {names[0]!r}")
        return there

    def progress(self, done: float, note: str = "") -> None:
        """Say how far it is: `done` of 1.0."""
        self.report(min(1.0, max(0.0, done)), note)

    def tool(self, name: str) -> str:
        """The path of a named program; "" means the usual one."""
        return self.tools.get(name, "")
