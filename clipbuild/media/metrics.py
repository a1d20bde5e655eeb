"""What can be measured on a still picture: numbers only, no verdicts and no limits.

Everything is computed on a copy of about 512 px (`SIDE`), texture and blocking on a full-size crop. Formulas are named
where they come from. Knows nothing of what the numbers are used for.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np

from clipbuild.media import printed
from clipbuild.media.pixels import Bytes, Floats, Mask, blocking, deviation, disc, gradient, middle, true_detail
from clipbuild.media.scene import depth_values, ground_values, light_values
from clipbuild.media.subject import OPAQUE, Subject, find, known

SIDE = 512
SMOOTH = 8.0
"""Local deviation of blurred luma below which a place counts as free of texture: weave and noise are no obstacle,"""
COARSE = 18.0
"""unless they are this coarse."""
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Seen:
    """A picture as it was measured: the working copy, its subject, the free places and the heat of its texture."""

    rgb: Bytes
    subject: Subject
    heat: Floats
    free: Mask
    values: dict[str, float]
    boxes: dict[str, Box] = field(default_factory=dict)
    """`subject`, `free` (largest empty rectangle) and free rectangles by side, as shares of the frame."""
    alpha: Bytes | None = None


def look(rgb: Bytes, alpha: Bytes | None = None, layer: Bytes | None = None) -> Seen:
    """Measure an RGB picture of any size (uint8, height × width × 3), with its alpha if it has one.

    `layer` is the alpha of the subject's own layer where the picture was composed of layers: it settles the mask.
    """
    height, width = rgb.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    size = max(8, round(width * scale)), max(8, round(height * scale))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    small_alpha = None if alpha is None else cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
    if small_alpha is not None:
        share = small_alpha[..., None] / 255.0
        small = np.asarray(small * share + 255 * (1 - share), np.uint8)
    subject = find(small, small_alpha)
    if layer is not None and (mask := cv2.resize(layer, size, interpolation=cv2.INTER_AREA) >= OPAQUE).any():
        subject = known(np.asarray(mask))
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    heat = gradient(grey)
    free = free_mask(grey, subject)
    boxes = free_boxes(free)
    if subject.box:
        boxes["subject"] = subject.box
    values = {"width": float(width), "height": float(height), "aspect": width / height, "alpha": float(subject.given)}
    values |= _full_size(rgb)
    values |= _subject_values(subject)
    print_ = printed.find(rgb)
    values["letters"] = float(print_.letters)
    if print_.lines:
        edges = np.array(print_.lines)
        low, high = edges[:, :2].min(axis=0), edges[:, 2:].max(axis=0)
        boxes["lettering"] = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
    values |= ground_values(small, grey, heat, subject)
    values |= depth_values(small, grey, subject, small_alpha)
    values |= light_values(small, grey, heat, subject)
    values |= {
        "free_area": one_area(free),
        **{f"free_{k[5:]}": _area(b) for k, b in boxes.items() if k.startswith("free_")},
    }
    values["free_rectangle"] = _area(boxes["free"]) if "free" in boxes else 0.0
    return Seen(small, subject, heat, free, {k: round(float(v), 4) for k, v in values.items()}, boxes, small_alpha)


def free_mask(grey: Bytes, subject: Subject) -> Mask:
    """Places for text or camera travel: smooth, away from the subject, and nowhere narrower than a seventh."""
    side = max(grey.shape)
    taken = subject.mask | subject.outline
    near: Bytes = cv2.dilate(taken.astype(np.uint8), disc(round(side * 0.02)))
    smooth: Bytes = np.ones_like(near)
    if not subject.given:
        calm = (deviation(cv2.GaussianBlur(grey, (0, 0), 2)) < SMOOTH) & (deviation(grey) < COARSE)
        smooth = calm.astype(np.uint8)
        smooth = cv2.morphologyEx(smooth, cv2.MORPH_CLOSE, disc(3))
    free = smooth & (1 - near)
    return np.asarray(cv2.morphologyEx(free, cv2.MORPH_OPEN, disc(round(side * 0.07))) > 0, np.bool_)


def one_area(mask: Mask) -> float:
    """Share of the frame in the largest connected piece."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    return float(stats[1:, cv2.CC_STAT_AREA].max() / mask.size) if count > 1 else 0.0


def free_boxes(free: Mask) -> dict[str, Box]:
    """The largest empty rectangle of all (`free`) and of the left, right, upper and lower part of the frame."""
    grid = cv2.resize(free.astype(np.float32), (32, 32), interpolation=cv2.INTER_AREA) > 0.8
    regions = {
        "free": (0, 0, 32, 32), "free_left": (0, 0, 14, 32), "free_right": (18, 0, 32, 32),
        "free_top": (0, 0, 32, 14), "free_bottom": (0, 18, 32, 32),
    }  # fmt: skip
    found = {}
    for name, (x0, y0, x1, y1) in regions.items():
        box = _largest_rectangle(np.asarray(grid[y0:y1, x0:x1], np.bool_))
        if box:
            found[name] = ((box[0] + x0) / 32, (box[1] + y0) / 32, (box[2] + x0) / 32, (box[3] + y0) / 32)
    return found


def _largest_rectangle(grid: Mask) -> tuple[int, int, int, int] | None:
    best, area = None, 0
    heights = np.zeros(grid.shape[1], int)
    for y, row in enumerate(grid):
        heights = np.where(row, heights + 1, 0)
        for x in range(len(heights)):
            low = heights[x]
            for end in range(x, len(heights)):
                low = min(low, heights[end])
                if low == 0:
                    break
                if low * (end - x + 1) > area:
                    area, best = low * (end - x + 1), (x, y - low + 1, end + 1, y + 1)
    return None if best is None else (int(best[0]), int(best[1]), int(best[2]), int(best[3]))


def headroom(box: Box | None) -> float:
    """How far a push-in to the centre may go before the subject's box leaves the frame (1.0: not at all)."""
    if box is None:
        return 4.0
    reach = max(abs(0.5 - box[0]), abs(box[2] - 0.5), abs(0.5 - box[1]), abs(box[3] - 0.5))
    return float(min(4.0, 0.5 / max(reach, 0.125)))


def _full_size(rgb: Bytes) -> dict[str, float]:
    crop = middle(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), 512)
    return {"true_detail": true_detail(crop), "blocking": blocking(crop)}


def _subject_values(subject: Subject) -> dict[str, float]:
    parts, box, mask = subject.parts, subject.box, subject.mask
    touching = 0 if box is None else sum((box[0] < 0.008, box[1] < 0.008, box[2] > 0.992, box[3] > 0.992))
    thin = 0.0
    if subject.mask.any():
        opened = cv2.morphologyEx(subject.mask.astype(np.uint8), cv2.MORPH_OPEN, disc(2))
        thin = 1 - float(opened.sum()) / float(subject.mask.sum())
    centre = parts[0].centre if parts else (0.5, 0.5)
    filled = 1.0
    if box and subject.mask.any():
        points = np.argwhere(subject.mask)[:, ::-1].astype(np.int32)
        filled = float(subject.mask.sum()) / max(1.0, float(cv2.contourArea(cv2.convexHull(points))))
    return {
        "subject_area": subject.area,
        "parts": float(len(parts)),
        "rival": subject.rival,
        "filled": min(1.0, filled),
        "span": box[2] - box[0] if box else 0.0,
        "off_centre": float(np.hypot(centre[0] - 0.5, centre[1] - 0.5)),
        "headroom": headroom(box),
        "room_left": box[0] if box else 1.0,
        "room_top": box[1] if box else 1.0,
        "room_right": 1 - box[2] if box else 1.0,
        "room_bottom": 1 - box[3] if box else 1.0,
        "touching": float(touching),
        "cut_off": max(float(edge.mean()) for edge in (mask[0], mask[-1], mask[:, 0], mask[:, -1])),
        "thin": thin,
    }


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
