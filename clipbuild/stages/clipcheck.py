"""Stage `clipcheck`: is the clip fit to be posted? Writes a report, and refuses a clip with errors where it is told to.

What was asked for is all in the params, so that a new limit checks again and makes nothing again. Knows nothing of
platforms, plans or approval.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clipbuild import digest
from clipbuild.errors import ActionError
from clipbuild.media import clipcheck, clipmeasures, clipreader, metrics, pictures
from clipbuild.media.clipcheck import Asked, ClipReport, Text
from clipbuild.media.metrics import Box
from clipbuild.media.readiness import ERROR, NOT_READY
from clipbuild.media.subject import parts_of
from clipbuild.stages.workdir import Workdir


@dataclass(frozen=True, slots=True)
class ClipCheck:
    """The stage: inputs `video` and, where there is one, `image` (its source still) and `subject` (its own layer).

    Params, all optional: `limits`, `spec` (facts the container must have), `motion` {zoom, pan_x, pan_y}, `moving`,
    `loop`, `loudness` (LUFS), `texts` [{box, start, end, colour}], `safe` (box), `label` (box), `block`. Boxes are
    shares of the frame.
    """

    name: str = "clipcheck"
    version: int = 1
    outputs: tuple[str, ...] = ("report",)
    tools: tuple[str, ...] = ("ffmpeg", "numpy", "opencv")
    inline: bool = False

    def run(self, work: Workdir) -> None:
        """Measure, judge, write the report. Raises ActionError for a refused clip, MediaError for a damaged one."""
        result = _judged(work)
        with open(work.out("report"), "wb") as file:
            file.write(digest.canonical(result.plain()))
        if work.params.get("block") and result.verdict == NOT_READY:
            facts = [(f.id, f.advice) for f in result.findings if f.severity == ERROR]
            raise ActionError(f"{work.name}: the clip is not ready", facts, "look at it, then approve or retake it")


STAGE = ClipCheck()


def _judged(work: Workdir) -> ClipReport:
    path, program = work.inputs["video"], work.tool("ffmpeg") or clipreader.program()
    told = clipreader.facts(path, program)
    fps = told["fps"] or 30.0
    asked = _asked(work.params, work.inputs, (told["width"], told["height"]))
    hidden = [text.box for text in asked.texts]
    clip = clipmeasures.collect(clipreader.frames(path, program, told), fps, hidden)
    loud = clipreader.loudness(path, program) if told["audio"] else {}
    values = clipcheck.measure(clip, asked)
    limits = clipcheck.limits(work.params.get("limits"))
    return clipcheck.judge(values, limits, asked, fps, {**told, **loud})


def _asked(params: Mapping[str, Any], inputs: Mapping[str, str], size: tuple[int, int]) -> Asked:
    picture = mask = subject = None
    if "image" in inputs:
        picture, alpha = pictures.read(inputs["image"])
        layer = pictures.read(inputs["subject"])[1] if "subject" in inputs else None
        seen = metrics.look(picture, alpha, layer)
        short = clipmeasures.SHORT / min(size)
        frame = round(size[0] * short), round(size[1] * short)
        mask = clipmeasures.fitted(seen.subject.mask.astype("uint8"), *frame) > 0
        parts = parts_of(mask)
        subject = parts[0].box if parts else None
    return Asked(
        picture=picture,
        mask=mask,
        label=_box(params.get("label")) or subject,
        motion=params.get("motion"),
        moving=bool(params.get("moving", True)),
        loop=bool(params.get("loop", False)),
        spec=dict(params.get("spec") or {}),
        loudness=params.get("loudness"),
        texts=tuple(_text(text) for text in params.get("texts") or ()),
        safe=_box(params.get("safe")),
        subject=subject,
    )


def _text(told: Mapping[str, Any]) -> Text:
    red, green, blue = told.get("colour", (255, 255, 255))
    box = _box(told["box"])
    assert box is not None
    return Text(box, float(told["start"]), float(told["end"]), (int(red), int(green), int(blue)))


def _box(told: Any) -> Box | None:
    if not told:
        return None
    x0, y0, x1, y1 = (float(value) for value in told)
    return x0, y0, x1, y1
