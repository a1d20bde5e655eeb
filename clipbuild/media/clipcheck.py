"""Is a clip fit to be posted? Its measures against limits from a file, as findings with a time and advice.

What was asked for comes in as data (`Asked`); limits from `templates/clipcheck.yaml`. Knows nothing of builds.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from clipbuild import resources
from clipbuild.media import clipmeasures, clipmotion
from clipbuild.media.clipmeasures import Clip
from clipbuild.media.clipmotion import Grey
from clipbuild.media.cliptext import Text
from clipbuild.media.metrics import Box
from clipbuild.media.readiness import ERROR, NOT_READY, READY, RISKY, WARN, Finding

Limits = Mapping[str, tuple[float | None, float | None]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the clip was meant to be. Everything is optional: what is not said is not checked.

    `picture` is the source still (RGB), `mask` its subject and `label` a place on it, both as the clip shows them.
    `motion` has `zoom` and `pan_x`, `pan_y` as shares of the frame, `also` what other layers of the picture do; when
    `loose`, only its direction counts: a model decides how far it goes. `rest` are the seconds in a row, `calm` the share
    of all frames, in which the move itself hardly moves. `hidden` is painted over before measuring, and frames from
    `until` on are covered, by an end card or the like. `drawn` clips were drawn here, frame by frame: they can't bend,
    boil or change colour, and are not measured for it. `spec` and `facts` share their keys.
    """

    picture: Grey | None = None
    mask: Grey | None = None
    label: Box | None = None
    motion: Mapping[str, float] | None = None
    also: tuple[Mapping[str, float], ...] = ()
    loose: bool = False
    hidden: tuple[Box, ...] = ()
    moving: bool = True
    rest: float = 0.0
    calm: float = 0.0
    drawn: bool = False
    until: float | None = None
    loop: bool = False
    spec: Mapping[str, Any] = field(default_factory=dict)
    loudness: float | None = None
    texts: tuple[Text, ...] = ()
    safe: Box | None = None
    subject: Box | None = None


@dataclass(frozen=True, slots=True)
class ClipReport:
    """The verdict on one clip, and everything it rests on."""

    verdict: str
    findings: tuple[Finding, ...]
    measures: Mapping[str, float]

    def plain(self) -> dict[str, Any]:
        """As JSON data."""
        return {
            "verdict": self.verdict,
            "reasons": [f.advice for f in sorted(self.findings, key=lambda f: f.severity != ERROR)],
            "findings": [finding.plain() for finding in self.findings],
            "measures": dict(self.measures),
        }


def limits(own: Mapping[str, Any] | None = None) -> dict[str, tuple[float | None, float | None]]:
    """The shipped limits, with `own` over them."""
    import yaml

    with open(f"{resources.folder('templates')}/clipcheck.yaml", "rb") as file:
        shipped = yaml.safe_load(file)
    return {name: (pair[0], pair[1]) for name, pair in {**shipped, **(own or {})}.items()}


def measure(clip: Clip, asked: Asked) -> dict[str, float]:
    """All measures of a clip that what was asked for gives a meaning to."""
    if asked.drawn:
        return _rounded(clipmeasures.time_values(clip) | clipmeasures.sparse(clip) | _seam(clip, asked))
    path = clipmotion.follow(clip.grey, clip.hidden)
    values = clipmeasures.time_values(clip) | path.delivered()
    values["shimmer"] = clipmotion.shimmer(clip.grey, path)
    values |= clipmeasures.colour_values(clip)
    values |= clipmeasures.body_values(clip, path, asked.mask)
    if asked.loop:
        values |= clipmeasures.loop_values(clip, path)
    if asked.picture is not None:
        values |= clipmeasures.likeness_values(clip, asked.picture)
    if asked.label is not None:
        values |= clipmeasures.label_values(clip, path, asked.label)
    return _rounded(values)


def _seam(clip: Clip, asked: Asked) -> dict[str, float]:
    return {"seam": clipmeasures.ssim(clip.grey[-1], clip.grey[0])[0]} if asked.loop else {}


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: round(float(value), 5) for name, value in values.items()}


def judge(
    values: Mapping[str, float], limit: Limits, asked: Asked, fps: float, facts: Mapping[str, Any] | None = None,
    read: Mapping[int, tuple[float, float]] | None = None,
) -> ClipReport:  # fmt: skip
    """The verdict on a measured clip. `facts` are what its container says, with `loudness` and `true_peak`; `read` the
    least contrast of each text, and when."""
    found = [
        *_of_time(values, limit, asked, fps),
        *_of_motion(values, limit, asked),
        *_of_likeness(values, limit, sure=asked.mask is not None),
        *_of_texts(asked),
        *_of_contrast(asked.texts, read or {}, limit),
        *_of_container(facts or {}, limit, asked),
    ]
    severities = {finding.severity for finding in found}
    verdict = NOT_READY if ERROR in severities else RISKY if WARN in severities else READY
    return ClipReport(verdict, tuple(found), values)


def _of_time(v: Mapping[str, float], limit: Limits, asked: Asked, fps: float) -> Iterable[Finding]:
    yield from _over("black", v["black"], limit, "frames are black")
    still = max(0.0, v["frozen"] / fps - asked.rest)
    if asked.moving:
        yield from _over("frozen", still, limit, f"nothing moves for {still:.1f} s")
        if v["doubled"] < 0.9 and v["frozen"] <= 0.2 * v["frames"]:
            yield from _over("doubled", max(0.0, v["doubled"] - asked.calm), limit, "frames are doubled: the motion stutters")
    yield from _over("flicker", v["flicker"], limit, "the brightness flickers")
    yield from _over("cut", v["cut"], limit, "a cut or jump where one shot was asked for", at=v["cut_at"])
    if asked.drawn:
        return
    yield from _over("shimmer", v["shimmer"], limit, "texture shimmers: use a calmer background or move it locally")
    yield from _over("judder", v["judder"], limit, "the camera judders")


def _of_motion(v: Mapping[str, float], limit: Limits, asked: Asked) -> Iterable[Finding]:
    if asked.loop and "seam" in v:
        yield from _under("seam", v["seam"], limit, "the loop's end does not meet its beginning")
        yield from _over("seam_jump", v.get("seam_jump", 0.0), limit, "the camera's speed jumps where the loop closes")
    if asked.motion is None:
        return
    miss, told = min(missed(v, move, loose=asked.loose) for move in (asked.motion, *asked.also))
    yield from _over("motion", miss, limit, told)


def missed(have: Mapping[str, float], asked: Mapping[str, float], *, loose: bool = False) -> tuple[float, str]:
    """How far the delivered move is from the asked one, 0 (as asked) upwards, and in words.

    Zoom counts as the travel it gives the frame's edge, so that it compares with a pan. `loose`: up to six times as far
    is as asked.
    """
    want = (asked.get("pan_x", 0.0), asked.get("pan_y", 0.0), (asked.get("zoom", 1.0) - 1) / 2)
    got = (have["pan_x"], have["pan_y"], (have["zoom"] - 1) / 2)
    length = sum(value**2 for value in want) ** 0.5
    if loose and length > 0.005:
        further = min(6.0, max(1.0, sum(value**2 for value in got) ** 0.5 / length))
        want = (want[0] * further, want[1] * further, want[2] * further)
    size = max(0.02, sum(value**2 for value in want) ** 0.5)
    miss = sum((a - b) ** 2 for a, b in zip(want, got, strict=True)) ** 0.5 / size
    return miss, f"asked for {_words(want)}, got {_words(got)}"


def _words(move: Sequence[float]) -> str:
    names = [
        ("push-in" if move[2] > 0 else "pull-out", abs(move[2])),
        ("travel right" if move[0] > 0 else "travel left", abs(move[0])),
        ("travel down" if move[1] > 0 else "travel up", abs(move[1])),
    ]
    said = [
        f"{name} {share * (200 if k == 0 else 100):.0f} %" for k, (name, share) in enumerate(names) if share > 0.005
    ]
    return ", ".join(said) or "no move"


def _of_likeness(v: Mapping[str, float], limit: Limits, *, sure: bool) -> Iterable[Finding]:
    if "first_like" in v:
        yield from _under("first", v["first_like"], limit, "the first frame is not the picture that was sent", at=0.0)
        yield from _under("first_worst", v["first_worst"], limit, "a part of the first frame was changed", at=0.0)
    if "warp" not in v or not all(_calm(name, v[name], limit) for name in ("cut", "black")):
        return  # what comes after a cut compares with another shot
    if "label_worst" in v:
        yield from _under("label", v["label_worst"], limit, "the label does not keep its looks", at=v["label_at"])
    told = limit if sure else {**limit, "warp": (limit["warp"][0], None)}  # it may be text that comes and goes
    yield from _over("warp", v["warp"], told, "the subject bends")
    yield from _over("drift", v["drift"], limit, "the subject slides over its ground")
    yield from _over("colour", v["colour_most"], limit, "the colours drift")
    yield from _over("subject_colour", v["subject_colour"], limit, "the subject changes colour")


def _of_texts(asked: Asked) -> Iterable[Finding]:
    """Texts inside the safe zone, and off the subject."""
    for text in asked.texts:
        if asked.safe and not _inside(text.box, asked.safe):
            yield Finding("unsafe_text", ERROR, 0, 0, "a text is under the app's own buttons", text.box, text.start)
        if asked.subject and _overlap(text.box, asked.subject) > 0.5:
            share = round(_overlap(text.box, asked.subject), 2)
            yield Finding("text_on_subject", WARN, share, 0.5, "a text covers the subject", text.box, text.start)


def _of_contrast(texts: Sequence[Text], read: Mapping[int, tuple[float, float]], limit: Limits) -> Iterable[Finding]:
    """Texts that do not stand out from what is around their letters at some time."""
    for place, (value, at) in sorted(read.items()):
        yield from _under("contrast", value, limit, "a text is hard to read on what is behind it", texts[place].box, at)


def _of_container(facts: Mapping[str, Any], limit: Limits, asked: Asked) -> Iterable[Finding]:
    for name, want in asked.spec.items():
        have = facts.get(name)
        near = isinstance(want, float) and isinstance(have, int | float) and abs(have - want) <= 0.05 * max(1.0, want)
        if have != want and not near:
            yield Finding("spec", ERROR, 0, 0, f"{name} is {have}, asked for {want}")
    if asked.loudness is not None and facts.get("loudness") is not None:
        away = abs(facts["loudness"] - asked.loudness)
        yield from _over("loudness", away, limit, f"{facts['loudness']:.1f} LUFS, asked for {asked.loudness:.1f}")
    if facts.get("true_peak") is not None:
        yield from _over("true_peak", facts["true_peak"], limit, f"true peak of {facts['true_peak']:.1f} dB clips")


def _over(
    name: str, value: float, limit: Limits, advice: str, box: Box | None = None, at: float | None = None
) -> list[Finding]:
    warn, error = limit[name]
    for severity, most in ((ERROR, error), (WARN, warn)):
        if most is not None and value > most:
            return [Finding(name, severity, round(value, 4), most, advice, box, at)]
    return []


def _calm(name: str, value: float, limit: Limits) -> bool:
    error = limit[name][1]
    return error is None or value <= error


def _under(
    name: str, value: float, limit: Limits, advice: str, box: Box | None = None, at: float | None = None
) -> list[Finding]:
    warn, error = limit[name]
    for severity, least in ((ERROR, error), (WARN, warn)):
        if least is not None and value < least:
            return [Finding(name, severity, round(value, 4), least, advice, box, at)]
    return []


def _inside(box: Box, other: Box) -> bool:
    slack = 0.008  # an outline or the overhang of a letter
    return all(box[k] >= other[k] - slack for k in (0, 1)) and all(box[k] <= other[k] + slack for k in (2, 3))


def _overlap(box: Box, other: Box) -> float:
    wide = max(0.0, min(box[2], other[2]) - max(box[0], other[0]))
    high = max(0.0, min(box[3], other[3]) - max(box[1], other[1]))
    return wide * high / max(1e-9, (box[2] - box[0]) * (box[3] - box[1]))
