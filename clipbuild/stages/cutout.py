"""Stage `cutout`: can the product of a photo stand on another ground? Measured as the picture stage would cut it.

Asked before a picture is planned, so that a place is only bought for what can be put into it. Knows nothing of plans.
"""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clipbuild.stages.workdir import Workdir

SIDE = 2048
"""Long side of what is read: the cut itself is decided on far less."""


@dataclass(frozen=True, slots=True)
class Cutout:
    """The stage: input `photo`. Output `cutout` {confidence 0–1, given: the photo is cut out already, weak: what is least
    sure of it}."""

    name: str = "cutout"
    version: int = 1
    outputs: tuple[str, ...] = ("cutout",)
    tools: tuple[str, ...] = ()
    inline: bool = False

    def run(self, work: "Workdir") -> None:
        """Measure and write it down. Raises MediaError for what is no picture."""
        import numpy as np

        from clipbuild.media import canvas, cutout, masks, pictures, subject

        rgb, alpha = pictures.read(work.inputs["photo"], name="the photo", side=SIDE)
        given = alpha is not None and subject.has_shape(alpha)
        told = {"confidence": 1.0, "given": given, "weak": ""}
        if alpha is not None and not given:
            rgb = np.rint(canvas.over(np.full(rgb.shape, 255, np.float32), rgb, alpha / np.float32(255))).astype(np.uint8)
        if not given:
            cut = cutout.cut(canvas.resized(rgb, masks.fitting(rgb.shape[1], rgb.shape[0], cutout.WORK)))
            told |= {"confidence": cut.confidence, "weak": min(cut.marks, key=lambda name: cut.marks[name])}
        with open(work.out("cutout"), "w", encoding="utf-8") as file:
            json.dump(told, file)


STAGE = Cutout()
