"""Is a picture fit to be animated? Measures become axes, findings and a verdict, in words a person would use.

Limits come from a file (`templates/readiness.yaml`), never from here. A finding is an error (not ready), a warning
(risky) or a note (no influence). Knows nothing of builds, providers or where pictures come from.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from clipbuild import resources
from clipbuild.media.metrics import Box, Seen

Limits = Mapping[str, float]
Measures = Mapping[str, float]
ERROR, WARN, NOTE = "error", "warn", "note"
READY, RISKY, NOT_READY = "ready", "risky", "not_ready"
VERDICTS = (READY, RISKY, NOT_READY)
SUITABLE = (
    "subject_area", "span", "off_centre", "headroom", "room_left", "room_top", "room_right", "room_bottom", "thin",
    "free_area", "free_left", "free_right", "free_top", "free_bottom", "bg_gradient", "detail", "bg_spread", "defocus",
    "planes", "shadow", "depth", "aspect", "upscale", "crop_loss",
)  # fmt: skip
"""The measures that a motion's `suits` may name; shares of the frame unless their names say otherwise."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth saying: `value` against `limit`, where (shares of the frame) and when (seconds), and advice."""

    id: str
    severity: str
    value: float
    limit: float
    advice: str
    box: Box | None = None
    at: float | None = None

    def plain(self) -> dict[str, Any]:
        """As JSON data."""
        return {**asdict(self), "box": list(self.box) if self.box else None}


@dataclass(frozen=True, slots=True)
class Axes:
    """What kind of picture it is, in the words people sort pictures by."""

    subject_count: str
    background: str
    negative_space: str
    lighting: str
    depth_cue: str


@dataclass(frozen=True, slots=True)
class Readiness:
    """The verdict on one picture, and everything it rests on."""

    verdict: str
    axes: Axes
    findings: tuple[Finding, ...]
    measures: Measures
    boxes: Mapping[str, Box]

    @property
    def reasons(self) -> list[str]:
        """What speaks against the picture, worst first."""
        order = (ERROR, WARN, NOTE)
        return [f.advice for f in sorted(self.findings, key=lambda f: order.index(f.severity)) if f.severity != NOTE]

    def plain(self) -> dict[str, Any]:
        """As JSON data."""
        return {
            "verdict": self.verdict,
            "reasons": self.reasons,
            "axes": asdict(self.axes),
            "findings": [finding.plain() for finding in self.findings],
            "measures": dict(self.measures),
            "boxes": {name: list(box) for name, box in self.boxes.items()},
        }


def limits(own: Limits | None = None) -> dict[str, float]:
    """The shipped limits, with `own` over them."""
    import yaml

    with open(f"{resources.folder('templates')}/readiness.yaml", "rb") as file:
        shipped = yaml.safe_load(file)
    return {name: float(value) for name, value in {**shipped, **(own or {})}.items()}


def judge(seen: Seen, limit: Limits, target: tuple[int, int] = (1080, 1920)) -> Readiness:
    """The verdict on a measured picture for a clip of `target` width and height."""
    axes = axes_of(seen.values, limit)
    measures = {**seen.values, **fit(seen, target), "depth": float(axes.depth_cue == "yes")}
    findings = findings_of(axes, measures, limit, seen.boxes.get("subject"))
    return Readiness(verdict_of(findings), axes, findings, measures, seen.boxes)


def findings_of(axes: Axes, v: Measures, limit: Limits, box: Box | None = None) -> tuple[Finding, ...]:
    """Everything worth saying of a measured picture; `box` is its subject's."""
    return (*_of_axes(axes, v, limit, box), *_of_file(v, limit), *_of_subject(v, limit, box))


def verdict_of(findings: Iterable[Finding]) -> str:
    """Not ready with an error, risky with a warning, else ready."""
    severities = {finding.severity for finding in findings}
    return NOT_READY if ERROR in severities else RISKY if WARN in severities else READY


def axes_of(v: Measures, limit: Limits) -> Axes:
    """What kind of picture it is."""
    ground, light = background(v, limit), lighting(v, limit)
    return Axes(
        subject_count(v, limit), ground, negative_space(ground, v, limit), light, depth_cue(ground, light, v, limit)
    )


def fit(seen: Seen, target: tuple[int, int]) -> dict[str, float]:
    """How the picture fills `target`: upscaling its crop needs, and the share of the subject's box that is cut off."""
    width, height = seen.values["width"], seen.values["height"]
    need = max(target[0] / width, target[1] / height)
    box = seen.boxes.get("subject")
    cut = 0.0
    if box:
        share_x, share_y = min(1.0, target[0] / (width * need)), min(1.0, target[1] / (height * need))
        wide, high = box[2] - box[0], box[3] - box[1]
        kept = min(wide, share_x) * min(high, share_y)
        cut = 1 - kept / max(1e-6, wide * high)
    return {"upscale": round(need, 4), "crop_loss": round(cut, 4)}


def subject_count(v: Measures, limit: Limits) -> str:
    """ "none" for mere texture, "many" where parts rival each other or the whole sprawls like a group, else "1"."""
    textured = v["busy"] >= limit["texture"] and v["distinct"] < limit["subject_distinct"]
    if v["subject_area"] < limit["subject_least"] or textured:
        return "none"
    sprawls = v["off_centre"] >= limit["sprawl_off_centre"] and v["span"] >= 0.6 and v["filled"] < 0.8
    return "many" if v["rival"] >= limit["rival"] or sprawls else "1"


def background(v: Measures, limit: Limits) -> str:
    """alpha, busy, blurred, gradient or plain."""
    if v["alpha"]:
        return "alpha"
    if strongly_busy(v, limit) or sharp_scene(v, limit):
        return "busy"
    if v["bg_spread"] >= limit["blurred_spread"]:
        return "blurred"
    return "gradient" if v["bg_spread"] >= limit["plain_spread"] else "plain"


def strongly_busy(v: Measures, limit: Limits) -> bool:
    """Texture that will shimmer: much of it, and coarse enough to be read."""
    return v["bg_gradient"] >= limit["busy_gradient"] and v["detail"] >= limit["busy_detail"]


def sharp_scene(v: Measures, limit: Limits) -> bool:
    """A real scene in focus: coarse colour variation, some detail, and edges as sharp as the picture can show."""
    scene = v["bg_spread"] >= limit["scene_spread"] and v["detail"] >= limit["scene_detail"]
    return scene and v["bg_edge"] < limit["scene_edge"]


def negative_space(ground: str, v: Measures, limit: Limits) -> str:
    """Whether one free area is about a quarter of the frame; a busy ground is never free."""
    free = ground != "busy" and v["free_area"] >= limit["negative_space"]
    return "yes" if free else "no"


def lighting(v: Measures, limit: Limits) -> str:
    """hard (a lit scene with strong contrast), flat (every grain shown evenly) or soft."""
    scene = v["bg_spread"] >= limit["hard_spread"] and v["planes"] >= limit["hard_planes"]
    if scene and v["frame_contrast"] >= limit["hard_contrast"] and v["bg_gradient"] < limit["hard_gradient"]:
        return "hard"
    return "flat" if v["grain"] >= limit["flat_grain"] else "soft"


def depth_cue(ground: str, light: str, v: Measures, limit: Limits) -> str:
    """Whether focus, a ground plane, a cast shadow or the light on the subject's form tells near from far."""
    if ground == "blurred":
        return "yes"
    if ground == "busy":
        return "yes" if v["planes"] >= limit["depth_planes"] else "no"
    formed = v["shadow"] >= limit["depth_shadow"] or v["modelling"] >= limit["depth_modelling"]
    return "yes" if formed and light != "flat" else "no"


def _of_axes(axes: Axes, v: Measures, limit: Limits, box: Box | None) -> list[Finding]:
    found: list[Finding] = []
    if axes.subject_count == "none":
        what = "the frame is texture" if v["bg_gradient"] >= 1 else "the frame is empty"
        found.append(Finding("no_subject", ERROR, v["subject_area"], limit["subject_least"],
                             f"no single thing stands out: {what}; show one whole product"))  # fmt: skip
    elif axes.subject_count == "many":
        pair = axes.background in ("plain", "gradient", "alpha") and v["parts"] == 2
        text = "two things compete" if pair else "several things compete"
        found.append(Finding("many_subjects", WARN if pair else ERROR, v["rival"], limit["rival"],
                             f"{text}: show one product, or crop to one", box))  # fmt: skip
    if axes.background == "busy":
        strong = strongly_busy(v, limit) or v["defocus"] < limit["scene_defocus"]
        found.append(Finding("background_busy", ERROR if strong else WARN, v["detail"],
                             limit["scene_detail"],
                             "sharp detail behind the subject will shimmer: use a plain or blurred background"))  # fmt: skip
    if axes.negative_space == "no":
        found.append(Finding("no_free_space", NOTE, v["free_area"], limit["negative_space"],
                             "no free area for text or camera travel: leave about a quarter of the frame empty"))  # fmt: skip
    return found


def _of_file(v: Measures, limit: Limits) -> list[Finding]:
    found = []
    if v["letters"] >= limit["lettering"] and v["detail"] < limit["busy_detail"]:
        found.append(Finding("lettering", NOTE, v["letters"], limit["lettering"],
                             "words are part of the picture and may melt where a model moves it: move it locally"))  # fmt: skip
    longest, shortest = max(v["width"], v["height"]), min(v["width"], v["height"])
    shape = longest / shortest
    if shape >= limit["banner"]:
        found.append(Finding("banner", ERROR, round(shape, 2), limit["banner"],
                             f"{shape:.1f}:1 is a banner: a clip can use only a strip of it"))  # fmt: skip
    if longest < limit["small_side"] or shortest < limit["least_side"]:
        found.append(Finding("too_small", ERROR, longest, limit["small_side"],
                             f"{v['width']:.0f}x{v['height']:.0f} is too small for a clip"))  # fmt: skip
    if v["upscale"] > limit["upscale"]:
        found.append(Finding("upscaled", NOTE, v["upscale"], limit["upscale"],
                             f"must be enlarged {v['upscale']:.1f} times to fill the frame"))  # fmt: skip
    if v["blocking"] >= limit["blocking"]:
        found.append(Finding("compressed", WARN, v["blocking"], limit["blocking"],
                             "compression blocks are visible and will crawl in motion: use a better file"))  # fmt: skip
    if v["true_detail"] < limit["true_detail"]:
        found.append(Finding("soft", NOTE, v["true_detail"], limit["true_detail"],
                             "little real detail for its size: it was enlarged or is out of focus"))  # fmt: skip
    return found


def _of_subject(v: Measures, limit: Limits, box: Box | None) -> list[Finding]:
    found: list[Finding] = []
    if v["subject_area"] <= 0:
        return found
    if v["separation"] < limit["separation"] and not v["alpha"]:
        found.append(Finding("weak_separation", NOTE, v["separation"], limit["separation"],
                             "the subject hardly differs from what is behind it", box))  # fmt: skip
    if v["cut_off"] >= limit["cut_off"]:
        found.append(Finding("subject_cut", WARN, v["cut_off"], limit["cut_off"],
                             "the frame cuts the subject: show the whole product", box))  # fmt: skip
    elif v["touching"] >= 1:
        found.append(
            Finding("subject_at_edge", NOTE, v["touching"], 1, "the subject touches the edge of the frame", box)
        )
    if v["crop_loss"] > 0.02:
        found.append(Finding("subject_leaves_frame", NOTE, v["crop_loss"], 0.02,
                             f"filling the frame cuts {v['crop_loss']:.0%} of the subject: fit it instead", box))  # fmt: skip
    return found
