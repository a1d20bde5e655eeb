"""Stage `cover`: a still of the finished clip, for places that show one before it plays.

Knows nothing of how the clip was made.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clipbuild.stages.workdir import Workdir


@dataclass(frozen=True, slots=True)
class Cover:
    """The stage: input `video`, params `at` in seconds, `label`."""

    name: str = "cover"
    version: int = 1
    outputs: tuple[str, ...] = ("cover",)
    tools: tuple[str, ...] = ("ffmpeg", "pillow", "numpy")
    inline: bool = False

    def run(self, work: "Workdir") -> None:
        """Write the JPEG. Raises MediaError."""
        from clipbuild.media import ffmpeg, labels, stillframe

        program = work.tool("ffmpeg") or ffmpeg.find()
        stillframe.save(program, work.inputs["video"], float(work.params.get("at", 0.0)), work.out("cover"))
        if label := work.params.get("label"):
            labels.put(work.out("cover"), label)


STAGE = Cover()
