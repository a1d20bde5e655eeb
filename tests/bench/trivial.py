"""Stages that do next to nothing, put in the place of the real ones so that a measurement sees the engine alone.

    python -m tests.bench.trivial -C DIR build      the command line with these stages
    python -m tests.bench.trivial worker            a worker process with these stages
    python -m tests.bench.trivial --sleep 3 …       what is made in workers takes so long

Each has the outputs, the tools and the way of running (worker or inline) of the real one, read from its source: importing
it would import what it stands on, which a build does not do either.
"""

import ast
import contextlib
import json
import os
import sys
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clipbuild.stages.workdir import Workdir

HERE = "tests.bench.trivial"
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FACTS = "CLIPBUILD_BENCH_STAGES"
KEYS = ("name", "outputs", "tools", "inline")


@dataclass(frozen=True, slots=True)
class Trivial:
    """Writes the key into its outputs, as JSON: distinct for distinct actions, the same bytes each time."""

    name: str
    outputs: tuple[str, ...]
    tools: tuple[str, ...] = ()
    inline: bool = False
    version: int = 10_000
    seconds: float = 0.0

    def run(self, work: "Workdir") -> None:
        """Leave every output."""
        time.sleep(self.seconds)
        for name in self.outputs:
            with open(work.out(name), "w") as file:
                file.write(json.dumps({"output": name, "key": work.key}))


def facts() -> dict[str, dict[str, Any]]:
    """What every real stage says of itself: outputs, tools, inline."""
    if known := os.environ.get(FACTS):
        return dict(json.loads(known))
    found = {}
    folder = os.path.join(ROOT, "clipbuild", "stages")
    for file in sorted(os.listdir(folder)):
        if file.endswith(".py") and (told := _facts(os.path.join(folder, file))):
            found[told.pop("name")] = told
    return found


def _facts(path: str) -> dict[str, Any]:
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    for node in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        values = {}
        for row in node.body:
            if isinstance(row, ast.AnnAssign) and isinstance(row.target, ast.Name) and row.target.id in KEYS and row.value:
                with contextlib.suppress(ValueError):
                    values[row.target.id] = ast.literal_eval(row.value)
        if len(values) == len(KEYS):
            return values
    return {}


def stages(**others: Any) -> dict[str, Trivial]:
    """A trivial one for every stage; `others` are put in the place of what the real ones say."""
    made = {}
    for name, told in facts().items():
        told = {**told, **others}
        told |= {"outputs": tuple(told["outputs"]), "tools": tuple(told["tools"])}
        made[name] = Trivial(name=name, **told)
    return made


def main(args: list[str]) -> None:
    """Be the command line or a worker, with these stages in the registry."""
    from clipbuild.stages import registry

    sleep = args[:2] if args[:1] == ["--sleep"] else []
    args, seconds = args[len(sleep) :], float(sleep[1]) if sleep else 0.0
    kinds = {name: stage if stage.inline else replace(stage, seconds=seconds) for name, stage in stages().items()}
    registry.replace(kinds, [sys.executable, "-m", HERE, *sleep, "worker"])
    if args == ["worker"]:
        from clipbuild.engine import worker
        from clipbuild.stages.__main__ import handle

        worker.serve(handle)
    from clipbuild.cli.main import main as command_line

    command_line(args)


if __name__ == "__main__":
    os.environ["PYTHONPATH"] = ROOT
    main(sys.argv[1:])
