"""How a clip moves: the camera's path from frame to frame, and what of the picture does not follow it.

Works on grey frames of about 270 px on the short side. Numbers only; knows nothing of limits or files.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from clipbuild.media.metrics import Box

Grey = NDArray[Any]
Matrix = NDArray[np.float64]
IDENTITY: Matrix = np.eye(3)
MARGIN = 10
"""Pixels around hidden boxes in which nothing is tracked."""
_cv: Any = cv2  # OpenCV's stubs ask for masks and buffers where its functions take None


@dataclass(frozen=True, slots=True)
class Path:
    """The camera's path: `steps[i]` takes points of frame i to frame i + 1 (3 × 3), `size` is width, height."""

    steps: tuple[Matrix, ...]
    size: tuple[int, int]

    def until(self, frame: int) -> Matrix:
        """Takes points of the first frame to `frame`."""
        total = IDENTITY
        for step in self.steps[:frame]:
            total = step @ total
        return total

    def moves(self) -> NDArray[np.float64]:
        """n × 4: sideways and downward travel of the centre in px, scale, turn in degrees, of every step."""
        return np.array([_parts(step, self.size) for step in self.steps]).reshape(-1, 4)

    def delivered(self) -> dict[str, float]:
        """The whole move: `zoom` (1.1 is 10 % closer), `pan_x`, `pan_y` (the content's travel as share of the frame),
        `turn` in degrees, and `judder`, the RMS change of travel from step to step in px."""
        across, down, zoom, turn = _parts(self.until(len(self.steps)), self.size)
        moves = self.moves()
        jumps = np.diff(moves[:, :2], axis=0) if len(moves) > 1 else np.zeros((1, 2))
        return {
            "zoom": zoom, "pan_x": across / self.size[0], "pan_y": down / self.size[1], "turn": turn,
            "judder": float(np.sqrt((jumps**2).sum(axis=1).mean())),
        }  # fmt: skip


def follow(frames: Sequence[Grey], hidden: Sequence[Box] = ()) -> Path:
    """The path through grey frames: features tracked by Lucas-Kanade, one similarity per frame by RANSAC.

    Frames are tracked from a key frame that stays while enough of it is found again, because small errors of many
    small steps add up. In and around `hidden` boxes (shares of the frame) nothing is tracked: text does not move along.
    """
    height, width = frames[0].shape
    steps: list[Matrix] = []
    where = _outside(hidden, width, height)
    key, points, base, before = frames[0], _corners(frames[0], where), IDENTITY, IDENTITY
    for last, frame in itertools.pairwise(frames):
        found = _tracked(key, frame, points)
        if found is None:
            key, points, base = last, _corners(last, where), before
            found = _tracked(key, frame, points)
            if found is None:
                found = _shift(key, frame)
        total = found @ base
        steps.append(total @ np.linalg.inv(before))
        before = total
    return Path(tuple(steps), (width, height))


def _outside(hidden: Sequence[Box], width: int, height: int) -> Grey | None:
    if not hidden:
        return None
    where = np.full((height, width), 255, np.uint8)
    for x0, y0, x1, y1 in hidden:
        left, top = max(0, int(x0 * width) - MARGIN), max(0, int(y0 * height) - MARGIN)
        where[top : int(y1 * height) + MARGIN, left : int(x1 * width) + MARGIN] = 0
    return where


def _corners(frame: Grey, where: Grey | None) -> Grey | None:
    points = _cv.goodFeaturesToTrack(frame, 200, 0.01, 7, mask=where)
    return None if points is None or len(points) < 12 else points


def _tracked(one: Grey, other: Grey, points: Grey | None) -> Matrix | None:
    """The similarity that takes `one` to `other`, or None where too little of `one` is found again."""
    if points is None:
        return None
    moved, found, _ = _cv.calcOpticalFlowPyrLK(one, other, points, None, winSize=(15, 15), maxLevel=3)
    kept = found.ravel() == 1
    if kept.sum() < max(12, 0.6 * len(points)):
        return None
    cv2.setRNGSeed(0)
    matrix, inliers = cv2.estimateAffinePartial2D(points[kept], moved[kept], ransacReprojThreshold=0.8)
    if matrix is None or int(inliers.sum()) < max(8, 0.4 * len(points)):
        return None
    return np.vstack([matrix, [0, 0, 1]]).astype(np.float64)


def _shift(one: Grey, other: Grey) -> Matrix:
    (across, down), sure = cv2.phaseCorrelate(one.astype(np.float32), other.astype(np.float32))
    matrix = IDENTITY.copy()
    if sure > 0.1:
        matrix[0, 2], matrix[1, 2] = across, down
    return matrix


def _parts(matrix: Matrix, size: tuple[int, int]) -> tuple[float, float, float, float]:
    centre = np.array([size[0] / 2, size[1] / 2, 1.0])
    moved = matrix @ centre
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    turn = float(np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0])))
    return float(moved[0] - centre[0]), float(moved[1] - centre[1]), scale, turn


def aligned(frame: Grey, matrix: Matrix) -> tuple[Grey, Grey]:
    """`frame` laid back over the frame that `matrix` starts from, and where it covers that frame."""
    height, width = frame.shape[:2]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    back = cv2.warpAffine(frame, matrix[:2], (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    there = cv2.warpAffine(np.full((height, width), 255, np.uint8), matrix[:2], (width, height), flags=flags)
    return back, np.asarray(there > 250)


def shimmer(frames: Sequence[Grey], path: Path) -> float:
    """Texture that boils: high-passed difference of neighbours with the camera's step undone, worst cell of 3 × 3."""
    total = np.zeros((3, 3))
    count = 0
    for one, other, step in zip(frames, frames[1:], path.steps, strict=False):
        back, there = aligned(other, step)
        left = np.abs(_high(one) - _high(back)) * there
        total += cv2.resize(left, (3, 3), interpolation=cv2.INTER_AREA)
        count += 1
    return float(total.max() / max(1, count))


def _high(frame: Grey) -> Grey:
    values = frame.astype(np.float32)
    return np.asarray(values - cv2.GaussianBlur(values, (0, 0), 2))


def bending(first: Grey, later: Grey, matrix: Matrix, where: Grey | None = None) -> tuple[float, float]:
    """(warp, drift) of a later frame against the first, both as shares of the width.

    Warp: the 90th percentile of what the best affine map leaves of the flow on textured places of the subject.
    Drift: how far the subject as a whole travelled against the ground. `where` is the subject's mask.
    """
    back, there = aligned(later, matrix)
    flow = _cv.DISOpticalFlow_create(_cv.DISOPTICAL_FLOW_PRESET_FAST).calc(first, back, None)
    heat = cv2.GaussianBlur(np.abs(_high(first)), (0, 0), 3)
    known = there & (heat > 1.5)
    if where is None:
        known &= ~_written(first, back)
    inside = known & where if where is not None else known
    if inside.sum() < 200:
        return 0.0, 0.0
    left = _unaffine(flow, inside)
    warp = float(np.percentile(np.hypot(left[..., 0], left[..., 1])[inside], 90))
    drift = 0.0
    if where is not None and (outside := known & ~where).sum() > 200:
        away = np.median(flow[inside], axis=0) - np.median(flow[outside], axis=0)
        drift = float(np.hypot(*away))
    return warp / first.shape[1], drift / first.shape[1]


def _written(first: Grey, back: Grey) -> Grey:
    """Where something came or went, as captions do: unlike by far, over more than an edge."""
    apart = cv2.morphologyEx((cv2.absdiff(first, back) > 40).astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    return np.asarray(cv2.dilate(apart, np.ones((31, 31), np.uint8)) > 0)


def _unaffine(flow: Grey, where: Grey) -> Grey:
    """The flow less its best affine fit within a place."""
    height, width = where.shape
    down, across = np.mgrid[0:height, 0:width].astype(np.float32)
    model = np.stack([np.ones_like(across), across / width, down / height], axis=-1)
    fit, *_ = np.linalg.lstsq(model[where], flow[where], rcond=None)
    return np.asarray(flow - model @ fit)
