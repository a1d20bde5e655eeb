"""Stage `clipcheck`: is the clip fit to be posted? Writes a report, and refuses a clip with errors where it is told to.

What was asked for comes from those who drew the clip (`told`) and from the params, so that a new limit checks again and
makes nothing again. Knows nothing of platforms, plans or approval.
"""

import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from clipbuild import digest
from clipbuild.errors import ActionError
from clipbuild.media import clipcheck, clipmeasures, clipreader, cliptext, metrics, pictures
from clipbuild.media.clipcheck import Asked, ClipReport
from clipbuild.media.clipreader import Beside
from clipbuild.media.cliptext import Bytes, Text
from clipbuild.media.metrics import Box
from clipbuild.media.readiness import ERROR, NOT_READY
from clipbuild.media.subject import parts_of
from clipbuild.stages.workdir import Workdir


@dataclass(frozen=True, slots=True)
class ClipCheck:
    """The stage: inputs `video` and, where there is one, `told` (by the render), `image` (the still a model was sent) and
    `subject` (its own layer).

    Params, all optional: `limits`, `spec` (facts the container must have), `motion` {zoom, pan_x, pan_y}, `move` (an
    entry of the motion library that a model was asked for) with `seconds`, `moving`, `loop`, `loudness` (LUFS), `texts`
    [{box, start, end, letters}], `safe` (box), `label` (box), `block`. Boxes are shares of the frame.
    """

    name: str = "clipcheck"
    version: int = 4
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
    hidden = asked.hidden or [text.box for text in asked.texts]
    count = None if asked.until is None else max(2, round(asked.until * fps))
    with tempfile.TemporaryDirectory(dir=work.folder) as folder:
        beside = Beside.of(cliptext.moments(asked.texts, told["seconds"], fps), os.path.join(folder, "frames"), told)
        if asked.drawn:
            seen = _first(count, clipreader.greys(path, program, told, beside=beside))
            clip = clipmeasures.collect_grey(seen, fps, hidden)
        else:
            seen = _first(count, clipreader.frames(path, program, told, beside=beside))
            clip = clipmeasures.collect(seen, fps, hidden)
        large = ((number / fps, frame) for number, frame in beside.frames()) if beside.numbers else iter(())
        read = cliptext.worst(asked.texts, large)
    loud = clipreader.loudness(path, program) if told["audio"] else {}
    values = clipcheck.measure(clip, asked)
    if read:
        values["contrast"] = round(min(value for value, _ in read.values()), 2)
    limits = clipcheck.limits(work.params.get("limits"))
    return clipcheck.judge(values, limits, asked, fps, {**told, **loud}, read)


def _first(count: int | None, frames: Iterable[Bytes]) -> Iterator[Bytes]:
    """So many frames; the rest is read and let go."""
    for number, frame in enumerate(frames):
        if count is None or number < count:
            yield frame


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
    told = _told(inputs)
    moves = [params["motion"]] if params.get("motion") else list(told.get("moves") or ())
    if params.get("move"):
        from clipbuild.media import told as telling

        moves = [telling.entry(params["move"], float(params.get("seconds") or 5.0), size)]
    texts = [text for text in told.get("texts") or () if text.get("text")] + list(params.get("texts") or ())
    return Asked(
        picture=picture,
        mask=mask,
        label=_box(params.get("label")) or subject,
        motion=moves[0] if moves else None,
        also=tuple(moves[1:]),
        loose=bool(params.get("move")),
        hidden=tuple(_hidden(told)),
        until=told.get("until"),
        moving=bool(told.get("moving", params.get("moving", True))),
        rest=float(told.get("rest", 0.0)),
        calm=float(told.get("calm", 0.0)),
        drawn=bool(told.get("drawn", False)),
        loop=bool(told.get("loop", params.get("loop", False))),
        spec=dict(params.get("spec") or {}),
        loudness=params.get("loudness"),
        texts=tuple(_text(text) for text in texts),
        safe=_box(params.get("safe")),
        subject=subject,
    )


def _hidden(told: Mapping[str, Any]) -> Iterator[Box]:
    """What lies on the picture while that is bare."""
    for text in told.get("texts") or ():
        box = _box(text["box"])
        if box and float(text["start"]) < float(told.get("until", text["start"] + 1)):
            yield box


def _told(inputs: Mapping[str, str]) -> dict[str, Any]:
    if "told" not in inputs:
        return {}
    with open(inputs["told"], "rb") as file:
        return dict(json.load(file))


def _text(told: Mapping[str, Any]) -> Text:
    box = _box(told["box"])
    assert box is not None
    begin, end = told.get("steady") or (told["start"], told["end"])
    letters = cliptext.letters(told["letters"]) if told.get("letters") else None
    edge = float(told.get("edge", 0.0))
    return Text(box, float(told["start"]), float(told["end"]), letters, edge, (float(begin), float(end)))


def _box(told: Any) -> Box | None:
    if not told:
        return None
    x0, y0, x1, y1 = (float(value) for value in told)
    return x0, y0, x1, y1
