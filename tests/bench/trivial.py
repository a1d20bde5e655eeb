"""Stages that do next to nothing, put in the place of the real ones so that a measurement sees the engine alone.

    python -m tests.bench.trivial -C DIR build      the command line with these stages
    python -m tests.bench.trivial worker            a worker process with these stages

Each has the outputs, the tools and the way of running (worker or inline) of the real one.
"""

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clipbuild.stages.workdir import Workdir

HERE = "tests.bench.trivial"


@dataclass(frozen=True, slots=True)
class Trivial:
    """Writes the key into its outputs: distinct for distinct actions, the same bytes each time."""

    name: str
    outputs: tuple[str, ...]
    tools: tuple[str, ...] = ()
    inline: bool = False
    version: int = 10_000
    left: int = 9

    def run(self, work: "Workdir") -> None:
        """Leave the first `left` outputs."""
        for name in self.outputs[: self.left]:
            with open(work.out(name), "w") as file:
                file.write(f"{name} {work.key}\n")


STAGES = {
    stage.name: stage
    for stage in (
        Trivial("image", ("image", "background", "subject", "shadow"), ("pillow", "numpy", "opencv"), left=1),
        Trivial("check", ("image", "report"), ("numpy", "opencv")),
        Trivial("choose", ("choice", "advice"), inline=True),
        Trivial("clipcheck", ("report",), ("ffmpeg", "numpy", "opencv")),
        Trivial("render", ("video",), ("ffmpeg", "pillow", "numpy", "freetype", "harfbuzz", "bidi")),
        Trivial("cover", ("cover",), ("ffmpeg", "pillow", "numpy")),
        Trivial("captions", ("srt", "vtt"), inline=True),
        Trivial("post", ("post",), inline=True),
    )
}


def main(args: list[str]) -> None:
    """Be the command line or a worker, with these stages in the registry."""
    from clipbuild.stages import registry

    registry.replace(STAGES, [sys.executable, "-m", HERE, "worker"])
    if args == ["worker"]:
        from clipbuild.engine import worker
        from clipbuild.stages.__main__ import handle

        worker.serve(handle)
    from clipbuild.cli.main import main as command_line

    command_line(args)


if __name__ == "__main__":
    os.environ["PYTHONPATH"] = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    main(sys.argv[1:])
