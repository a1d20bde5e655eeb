"""What can be measured on a clip: black, frozen and doubled frames, flicker, cuts, colours, seams, likeness.

Frames are read once: grey at about 270 px on the short side, and every few frames a colour sample of twice that.
Numbers only; knows nothing of limits, files or ffmpeg.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from clipbuild.media import clipmotion
from clipbuild.media.clipmotion import Grey
from clipbuild.media.metrics import Box
from clipbuild.media.subject import to_lab

SHORT = 270
EVERY = 15
_cv: Any = cv2  # OpenCV's stubs ask for a mask where its function takes None
DARK, BLACK_SHARE, STILL = 25, 0.98, 0.05


@dataclass(frozen=True, slots=True)
class Clip:
    """The frames of a clip as they are measured. `at` says which frames the colour `samples` are, `hidden` what was
    painted over."""

    grey: tuple[Grey, ...]
    samples: tuple[Grey, ...]
    at: tuple[int, ...]
    fps: float
    hidden: tuple[Box, ...] = ()


def collect(frames: Iterable[Grey], fps: float, hidden: Sequence[Box] = (), every: int = EVERY) -> Clip:
    """Read RGB frames once. `hidden` boxes (text, shares of the frame) are painted over, so that they don't count."""
    grey: list[Grey] = []
    samples: list[Grey] = []
    at: list[int] = []
    last: Grey | None = None
    for number, frame in enumerate(frames):
        last = _painted(frame, hidden)
        grey.append(_small(cv2.cvtColor(last, cv2.COLOR_RGB2GRAY), SHORT))
        if number % every == 0:
            samples.append(_small(last, 2 * SHORT))
            at.append(number)
    if last is not None and at[-1] != len(grey) - 1:
        samples.append(_small(last, 2 * SHORT))
        at.append(len(grey) - 1)
    return Clip(tuple(grey), tuple(samples), tuple(at), fps, tuple(hidden))


def collect_grey(frames: Iterable[Grey], fps: float, hidden: Sequence[Box] = ()) -> Clip:
    """Read grey frames once, without colour samples: enough for a clip that was drawn here."""
    grey = []
    for frame in frames:
        for x0, y0, x1, y1 in hidden:
            high, wide = frame.shape
            frame[round(y0 * high) : round(y1 * high), round(x0 * wide) : round(x1 * wide)] = 128
        grey.append(frame)
    return Clip(tuple(grey), (), (), fps, tuple(hidden))


def sparse(clip: Clip, count: int = 13) -> dict[str, float]:
    """The whole move, tracked over a few frames: where it went, not how evenly."""
    every = sorted({round(place) for place in np.linspace(0, len(clip.grey) - 1, count)})
    told = clipmotion.follow([clip.grey[place] for place in every], clip.hidden).delivered()
    return {name: told[name] for name in ("zoom", "pan_x", "pan_y", "turn")}


def _painted(frame: Grey, hidden: Sequence[Box]) -> Grey:
    if not hidden:
        return frame
    frame = frame.copy()
    height, width = frame.shape[:2]
    for x0, y0, x1, y1 in hidden:
        frame[round(y0 * height) : round(y1 * height), round(x0 * width) : round(x1 * width)] = 128
    return frame


def _small(frame: Grey, short: int) -> Grey:
    scale = short / min(frame.shape[:2])
    if scale >= 1:
        return frame
    size = round(frame.shape[1] * scale), round(frame.shape[0] * scale)
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)


def time_values(clip: Clip) -> dict[str, float]:
    """Black, frozen and doubled frames (counts of frames), flicker (grey levels) and the hardest cut.

    `flicker` is the mean second difference of mean luma without its loudest twentieth; `cut` the greatest drop of
    likeness between neighbours against what is usual around it; `cut_at` its time in seconds.
    """
    means = np.array([float(frame.mean()) for frame in clip.grey])
    black = [float((frame < DARK).mean()) >= BLACK_SHARE for frame in clip.grey]
    change = np.array([_difference(a, b) for a, b in zip(clip.grey, clip.grey[1:], strict=False)] or [0.0])
    still = change < STILL
    bends = np.sort(np.abs(np.diff(means, 2))) if len(means) > 2 else np.zeros(1)
    cut, place = _cut(clip.grey)
    frozen = _longest(still)
    return {
        "frames": float(len(clip.grey)),
        "black": float(_longest(np.array(black))),
        "frozen": float(frozen + 1 if frozen else 0),
        "doubled": float(still.sum() / max(1, len(still))),
        "change": float(np.median(change)),
        "flicker": float(bends[: max(1, int(len(bends) * 0.95))].mean()),
        "cut": cut,
        "cut_at": place / clip.fps,
    }


def _difference(one: Grey, other: Grey) -> float:
    return float(cv2.absdiff(one, other).mean())


def _longest(flags: Grey) -> int:
    best = run = 0
    for flag in flags:
        run = run + 1 if flag else 0
        best = max(best, run)
    return best


def _cut(frames: Sequence[Grey]) -> tuple[float, int]:
    """The greatest fall of likeness between neighbours below the median of the eight pairs around it."""
    tiny = [cv2.resize(frame, (64, 96), interpolation=cv2.INTER_AREA) for frame in frames]
    like = np.array([ssim(a, b)[0] for a, b in itertools.pairwise(tiny)] or [1.0])
    falls = [float(np.median(like[max(0, i - 4) : i + 5]) - like[i]) for i in range(len(like))]
    worst = int(np.argmax(falls))
    return falls[worst], worst + 1


def ssim(one: Grey, other: Grey, tiles: tuple[int, int] = (5, 8)) -> tuple[float, float]:
    """Structural likeness of two grey pictures (Wang 2004): mean, and the worst of `tiles` across × down."""
    a, b = one.astype(np.float32), other.astype(np.float32)
    mean_a, mean_b = cv2.GaussianBlur(a, (0, 0), 1.5), cv2.GaussianBlur(b, (0, 0), 1.5)
    var_a = cv2.GaussianBlur(a * a, (0, 0), 1.5) - mean_a**2
    var_b = cv2.GaussianBlur(b * b, (0, 0), 1.5) - mean_b**2
    both = cv2.GaussianBlur(a * b, (0, 0), 1.5) - mean_a * mean_b
    c1, c2 = 6.5025, 58.5225
    like = ((2 * mean_a * mean_b + c1) * (2 * both + c2)) / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
    return float(like.mean()), float(cv2.resize(like, tiles, interpolation=cv2.INTER_AREA).min())


def colour_values(clip: Clip) -> dict[str, float]:
    """Drift of colour (Lab a, b) from the first sample: at the end, and at most."""
    mean = [to_lab(_small(sample, 64)).reshape(-1, 3).mean(axis=0) for sample in clip.samples]
    away = [float(np.hypot(*(colour - mean[0])[1:])) for colour in mean]
    return {"colour_drift": away[-1], "colour_most": max(away)}


def loop_values(clip: Clip, path: clipmotion.Path) -> dict[str, float]:
    """Seam of a loop: likeness of last and first frame, and the jump of the camera's speed across it in px."""
    moves = path.moves()
    jump = np.zeros(4) if len(moves) < 10 else moves[-5:].mean(axis=0) - moves[:5].mean(axis=0)
    return {"seam": ssim(clip.grey[-1], clip.grey[0])[0], "seam_jump": float(np.hypot(jump[0], jump[1]))}


def fitted(picture: Grey, width: int, height: int) -> Grey:
    """A picture scaled and cropped from its centre to fill width × height."""
    scale = max(width / picture.shape[1], height / picture.shape[0])
    size = max(width, round(picture.shape[1] * scale)), max(height, round(picture.shape[0] * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    grown = cv2.resize(picture, size, interpolation=method)
    x, y = (size[0] - width) // 2, (size[1] - height) // 2
    return np.asarray(grown[y : y + height, x : x + width])


def likeness_values(clip: Clip, picture: Grey) -> dict[str, float]:
    """First frame against the source picture (RGB): mean and worst tile, after the best small alignment."""
    height, width = clip.grey[0].shape
    source = cv2.cvtColor(_painted(fitted(picture, width, height), clip.hidden), cv2.COLOR_RGB2GRAY)
    first = clip.grey[0]
    matrix = register(source, first)
    back, there = clipmotion.aligned(first, matrix)
    back = np.where(there, back, source)
    mean, worst = ssim(source, back)
    return {"first_like": mean, "first_worst": worst}


def register(template: Grey, frame: Grey) -> Grey:
    """The similarity that takes `template` to `frame`: matched features first, then ECC (Evangelidis 2008)."""
    start = clipmotion.follow([template, frame]).steps[0]
    warp = start[:2].astype(np.float32)
    limit = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 40, 1e-4)
    try:
        _, warp = _cv.findTransformECC(template, frame, warp, cv2.MOTION_AFFINE, limit, None, 3)
    except cv2.error:
        pass  # too unlike to refine: what features said stands
    return np.vstack([warp, [0, 0, 1]]).astype(np.float64)


def label_values(clip: Clip, path: clipmotion.Path, box: Box) -> dict[str, float]:
    """Whether a place of the first frame (a label, a logo; shares of the frame) keeps its looks: worst likeness.

    The place is carried along by the camera's path, registered again, and compared at the samples' size.
    """
    first = cv2.cvtColor(clip.samples[0], cv2.COLOR_RGB2GRAY)
    height, width = first.shape
    x0, y0, x1, y1 = round(box[0] * width), round(box[1] * height), round(box[2] * width), round(box[3] * height)
    template = first[y0:y1, x0:x1]
    if min(template.shape) < 16:
        return {"label_worst": 1.0, "label_at": 0.0}
    grow = np.diag([width / path.size[0], height / path.size[1], 1.0])
    worst, place = 1.0, 0.0
    for sample, number in zip(clip.samples[1:], clip.at[1:], strict=False):
        back, there = clipmotion.aligned(
            cv2.cvtColor(sample, cv2.COLOR_RGB2GRAY), grow @ path.until(number) @ np.linalg.inv(grow)
        )
        piece, seen = back[y0:y1, x0:x1], there[y0:y1, x0:x1]
        if seen.mean() < 0.9:
            continue  # it left the frame: the camera's doing, not the model's
        fine, _ = clipmotion.aligned(piece, register(template, piece))
        like = max(ssim(template, piece)[0], ssim(template, fine)[0])
        if like < worst:
            worst, place = like, number / clip.fps
    return {"label_worst": worst, "label_at": place}


def body_values(clip: Clip, path: clipmotion.Path, mask: Grey | None) -> dict[str, float]:
    """Warp and drift of the subject over time (shares of the width), and the change of its mean colour (Lab)."""
    first = clip.grey[0]
    height, width = first.shape
    where = None
    if mask is not None:
        where = cv2.resize(mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0
    bends = [clipmotion.bending(first, clip.grey[n], path.until(n), where) for n in clip.at[1:]]
    values = {"warp": max((b[0] for b in bends), default=0.0), "drift": max((b[1] for b in bends), default=0.0)}
    values["subject_colour"] = 0.0
    if where is not None and where.any():
        colours = []
        for sample, number in zip(clip.samples, clip.at, strict=True):
            back, there = clipmotion.aligned(cv2.resize(sample, (width, height)), path.until(number))
            both = where & there
            if both.any():
                colours.append(to_lab(back)[both].mean(axis=0))
        values["subject_colour"] = max(float(np.linalg.norm(c - colours[0])) for c in colours)
    return values
