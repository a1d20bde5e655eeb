"""Where the subject of a picture is: a mask and its parts, found without any model.

Two cues are cheap and fail in different ways: what can't be reached from the frame's border without crossing an edge
(minimum barrier distance), and what differs in colour from the border. Together with a centre prior they seed GrabCut
at a small size; pieces without an edge are dropped. Alpha, where a picture has it, settles the matter. Knows no
verdicts.
"""

import itertools
from dataclasses import dataclass

import cv2
import numpy as np

from clipbuild.media.pixels import Bytes, Floats, Mask, gradient

GRID = 128
"""Long side of the grid that cues are computed on."""
CUT = 160
"""Long side of the picture that GrabCut sees."""
NO_EDGE = 0.12
"""A piece whose rim is this much softer than the sharpest piece's is none."""
EVEN = 3.0
"""Gradient of the border, grey levels a pixel, up to which a ground is even enough for outlines to count."""
FRAGMENTS = 0.45
"""Share of an outline below which a mask found only fragments of what it encloses."""
OPAQUE = 128
"""Alpha from here on is subject; a soft shadow under a cut-out is not."""


@dataclass(frozen=True, slots=True)
class Part:
    """One connected piece of the subject. Boxes are x0, y0, x1, y1 as shares of the frame."""

    area: float
    box: tuple[float, float, float, float]
    centre: tuple[float, float]
    outline: int = 0
    """Number of the outline it lies in, 0 for none."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject of a picture at the size it was given: `mask`, its parts (largest first) and the cue map 0..1.

    `outline` is what edges enclose on an even ground: the subject with its shadow, clear glass with it.
    """

    mask: Mask
    parts: tuple[Part, ...]
    cue: Floats
    outline: Mask
    given: bool = False
    """The mask is the picture's own alpha channel, not a guess."""

    @property
    def area(self) -> float:
        """Share of the frame that is subject."""
        return float(self.mask.mean()) if self.mask.size else 0.0

    @property
    def box(self) -> tuple[float, float, float, float] | None:
        """The box of all parts, as shares of the frame; None where there is no subject."""
        if not self.parts:
            return None
        boxes = np.array([part.box for part in self.parts])
        low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    @property
    def rival(self) -> float:
        """Area of the largest other thing over the largest part's. What stands close above or below it (a cap over
        clear glass, a bloom over its pot) belongs to it and does not count."""
        if len(self.parts) < 2:
            return 0.0
        first = self.parts[0]
        return max((part.area for part in self.parts[1:] if not _stacked(first, part)), default=0.0) / first.area


def _stacked(one: Part, other: Part) -> bool:
    shared = min(one.box[2], other.box[2]) - max(one.box[0], other.box[0])
    gap = max(one.box[1], other.box[1]) - min(one.box[3], other.box[3])
    near = gap < 0.06 or (one.outline == other.outline != 0)
    return shared >= 0.6 * min(one.box[2] - one.box[0], other.box[2] - other.box[0]) and near


def find(rgb: Bytes, alpha: Bytes | None = None) -> Subject:
    """The subject of an RGB picture (any size; about 512 px on the long side is meant)."""
    if alpha is not None and has_shape(alpha):
        mask = alpha >= OPAQUE
        return known(mask, given=True)
    cue, outline = cue_map(rgb), outlined(rgb)
    mask = whole(edged(_cut(rgb, cue), rgb), outline)
    return Subject(mask, parts_of(mask, outline), cue, outline)


def known(mask: Mask, given: bool = False) -> Subject:
    """A subject whose mask is known."""
    return Subject(mask, parts_of(mask), mask.astype(np.float32), mask, given)


def has_shape(alpha: Bytes) -> bool:
    """Whether an alpha channel says something: some of it clear, some of it solid."""
    clear, solid = float((alpha < OPAQUE).mean()), float((alpha >= OPAQUE).mean())
    return clear > 0.01 and solid > 0.002


def whole(mask: Mask, outline: Mask) -> Mask:
    """The mask with every outline of which it found only fragments: a white thing on white has its outline, and a dark
    display for a subject. Fragments that are twins side by side are things of their own."""
    count, labels = cv2.connectedComponents(outline.astype(np.uint8), connectivity=8)
    found = np.bincount(labels[mask], minlength=count)
    share = found / np.maximum(1, np.bincount(labels.ravel(), minlength=count))
    fragments = (share > 0.02) & (share < FRAGMENTS)
    fragments[0] = False
    for one, other in itertools.combinations(parts_of(mask, outline), 2):
        if one.outline == other.outline and _twins(one, other):
            fragments[one.outline] = False
    return np.asarray(mask | fragments[labels])


def _twins(one: Part, other: Part) -> bool:
    shared = min(one.box[3], other.box[3]) - max(one.box[1], other.box[1])
    apart = max(one.box[0], other.box[0]) >= min(one.box[2], other.box[2])
    return (
        apart
        and other.area >= 0.7 * one.area
        and shared >= 0.6 * min(one.box[3] - one.box[1], other.box[3] - other.box[1])
    )


def parts_of(mask: Mask, outline: Mask | None = None, least: float = 0.002) -> tuple[Part, ...]:
    """The connected pieces of a mask that are at least `least` of the frame, largest first."""
    height, width = mask.shape
    outlines = None if outline is None else cv2.connectedComponents(outline.astype(np.uint8), connectivity=8)[1]
    count, labels, stats, centres = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    found = []
    for i in range(1, count):
        x, y, w, h, area = (int(v) for v in stats[i])
        if area >= least * width * height:
            box = (x / width, y / height, (x + w) / width, (y + h) / height)
            centre = float(centres[i][0] / width), float(centres[i][1] / height)
            around = 0 if outlines is None else int(np.bincount(outlines[labels == i]).argmax())
            found.append(Part(area / (width * height), box, centre, around))
    return tuple(sorted(found, key=lambda part: (-part.area, part.box)))


def edged(mask: Mask, rgb: Bytes) -> Mask:
    """The mask without pieces that have no edge: a thing has one, a light patch of a blurred ground has none."""
    heat = cv2.dilate(gradient(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)), np.ones((5, 5), np.uint8))
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    rim = mask & (cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0)
    sharp = np.array([0.0] + [float(np.median(heat[rim & (labels == k)])) for k in range(1, count)])
    return np.asarray((sharp >= NO_EDGE * sharp.max())[labels] & mask)


def cue_map(rgb: Bytes) -> Floats:
    """How much each pixel looks like subject, 0..1, at the picture's own size."""
    height, width = rgb.shape[:2]
    small = cv2.resize(rgb, _fit(width, height, GRID), interpolation=cv2.INTER_AREA)
    lab = cv2.GaussianBlur(to_lab(small), (0, 0), 1.0)
    away = border_distance(lab)
    colour = np.maximum(_spread(away), np.clip((away - 2.5) / 5, 0, 1))
    barrier = _spread(np.minimum(barrier_distance(lab, strong_difference(lab)), 400))
    cue = _spread((0.6 * barrier + 0.4 * colour) * (0.35 + 0.65 * centre_prior(*lab.shape[:2])))
    grown = cv2.resize(cue, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.clip(grown, 0, 1).astype(np.float32)


def to_lab(rgb: Bytes) -> Floats:
    """CIE Lab in its natural units (L 0..100)."""
    return np.asarray(cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2Lab), np.float32)


def barrier_distance(lab: Floats, subject: Mask, rounds: int = 2) -> Floats:
    """Minimum barrier distance of every pixel from the border: the least range of values on a path out of the frame.

    What is plainly `subject` is no way out: the frame may cut a product.

    Zhang et al., "Minimum Barrier Salient Object Detection at 80 FPS" (ICCV 2015), with whole rows and columns as
    the raster step.
    """
    high, low = lab.copy(), lab.copy()
    cost = np.full(lab.shape, np.float32(1e6))
    cost[0], cost[-1], cost[:, 0], cost[:, -1] = 0, 0, 0, 0
    if not subject.all():
        cost[subject] = 1e6
    height, width = lab.shape[:2]
    for _ in range(rounds):
        for y in range(1, height):
            _relax(lab[y], cost[y], high[y], low[y], high[y - 1], low[y - 1])
        for x in range(1, width):
            _relax(lab[:, x], cost[:, x], high[:, x], low[:, x], high[:, x - 1], low[:, x - 1])
        for y in range(height - 2, -1, -1):
            _relax(lab[y], cost[y], high[y], low[y], high[y + 1], low[y + 1])
        for x in range(width - 2, -1, -1):
            _relax(lab[:, x], cost[:, x], high[:, x], low[:, x], high[:, x + 1], low[:, x + 1])
    return np.asarray(cost.sum(axis=2), np.float32)


def _relax(value: Floats, cost: Floats, high: Floats, low: Floats, from_high: Floats, from_low: Floats) -> None:
    new_high, new_low = np.maximum(from_high, value), np.minimum(from_low, value)
    reach = new_high - new_low
    better = reach < cost
    np.copyto(cost, reach, where=better)
    np.copyto(high, new_high, where=better)
    np.copyto(low, new_low, where=better)


def border_distance(lab: Floats, sides: int = 4) -> Floats:
    """Colour distance to the border: Mahalanobis to each of the four sides' own colours, the second nearest taken.

    Per side, because a table and a wall are both background; the second nearest, because a subject may touch one.
    """
    height, width = lab.shape[:2]
    ring = max(2, round(0.05 * min(height, width)))
    strips = [lab[:ring], lab[-ring:], lab[:, :ring], lab[:, -ring:]]
    flat = lab.reshape(-1, 3)
    distances = []
    for strip in strips[:sides]:
        colours = strip.reshape(-1, 3)
        spread = np.cov(colours.T) + np.eye(3) * 9.0
        away = flat - colours.mean(axis=0)
        distances.append(np.sqrt(np.einsum("ij,jk,ik->i", away, np.linalg.inv(spread), away)))
    ranked = np.sort(np.stack(distances), axis=0)
    return np.asarray(ranked[1].reshape(height, width), np.float32)


def strong_difference(lab: Floats) -> Mask:
    """What is plainly not background where the border is even: unlike every side in colour, or in lightness beyond
    what a shadow does (25 of 100). Where a side is uneven it takes that much more."""
    height, width = lab.shape[:2]
    ring = max(2, round(0.05 * min(height, width)))
    unlike = np.ones((height, width), np.bool_)
    for strip in (lab[:ring], lab[-ring:], lab[:, :ring], lab[:, -ring:]):
        colours = strip.reshape(-1, 3)
        middle = np.median(colours, axis=0)
        spread = np.sqrt(((colours - middle) ** 2).sum(axis=1).mean())
        away = lab - middle
        light = np.where(away[..., 0] < 0, np.maximum(0, -away[..., 0] - 25), away[..., 0])
        unlike &= np.hypot(np.hypot(away[..., 1], away[..., 2]), light) > 14 + 2 * spread
    return unlike


def outlined(rgb: Bytes) -> Mask:
    """What edges enclose on an even ground, at the picture's size: clear glass has hardly a colour, but an outline.

    Shadows come along, so this is where no text should stand rather than what the subject is.
    """
    size = rgb.shape[1], rgb.shape[0]
    rgb = cv2.resize(rgb, _fit(*size, CUT), interpolation=cv2.INTER_AREA)
    heat = gradient(cv2.GaussianBlur(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), (0, 0), 0.7))
    height, width = heat.shape
    ring = np.ones(heat.shape, np.bool_)
    edge = max(2, round(0.06 * min(height, width)))
    ring[edge:-edge, edge:-edge] = False
    usual = float(np.percentile(heat[ring], 80))
    if usual > EVEN:
        return np.zeros(size[::-1], np.bool_)
    lines: Bytes = (heat > max(4.0, 3.0 * usual)).astype(np.uint8)
    lines = cv2.morphologyEx(lines, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7)))
    contours, _ = cv2.findContours(lines, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = cv2.drawContours(np.zeros_like(lines), contours, -1, 1, cv2.FILLED)
    filled = cv2.morphologyEx(filled, cv2.MORPH_OPEN, np.ones((7, 7), np.uint8))
    return np.asarray(cv2.resize(filled, size, interpolation=cv2.INTER_NEAREST) > 0)


def centre_prior(height: int, width: int) -> Floats:
    """A wide bell over the frame: products are rarely put at its very edge."""
    y = (np.arange(height, dtype=np.float32) / max(1, height - 1) - 0.5) / 0.5
    x = (np.arange(width, dtype=np.float32) / max(1, width - 1) - 0.5) / 0.5
    return np.asarray(np.exp(-(x[None, :] ** 4 + y[:, None] ** 4) * 1.2), np.float32)


def _spread(values: Floats) -> Floats:
    """Values stretched so that the 2nd and 98th percentiles are 0 and 1."""
    low, high = np.percentile(values, (2, 98))
    return np.asarray(np.clip((values - low) / max(1e-6, high - low), 0, 1), np.float32)


def _fit(width: int, height: int, side: int) -> tuple[int, int]:
    scale = min(1.0, side / max(width, height))
    return max(8, round(width * scale)), max(8, round(height * scale))


def _cut(rgb: Bytes, cue: Floats, rounds: int = 3) -> Mask:
    """GrabCut at a small size, seeded by the cue map; falls back to the thresholded cue where it finds nothing."""
    height, width = cue.shape
    size = _fit(width, height, CUT)
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    cue_small = cv2.resize(cue, size, interpolation=cv2.INTER_AREA)
    level, _ = cv2.threshold((cue_small * 255).astype(np.uint8), 0, 255, cv2.THRESH_OTSU)
    split = float(level) / 255
    seeds = np.full(cue_small.shape, cv2.GC_PR_BGD, np.uint8)
    seeds[cue_small > split] = cv2.GC_PR_FGD
    seeds[cue_small > min(0.95, split + 0.35)] = cv2.GC_FGD
    seeds[cue_small < split * 0.25] = cv2.GC_BGD
    mask: Bytes = (cue_small > split).astype(np.uint8)
    if mask.any() and (seeds == cv2.GC_BGD).any():
        cv2.setRNGSeed(0)
        try:
            back, front = np.zeros((1, 65)), np.zeros((1, 65))
            cv2.grabCut(
                cv2.cvtColor(small, cv2.COLOR_RGB2BGR), seeds, (0, 0, 1, 1), back, front, rounds, cv2.GC_INIT_WITH_MASK
            )
            mask = np.isin(seeds, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
        except cv2.error:
            pass  # too few pixels of one kind: the seeds are the answer
    mask = _joined(mask, strong_difference(cv2.GaussianBlur(to_lab(small), (0, 0), 1.0)))
    square = np.ones((2, 2), np.uint8)
    mask = cv2.dilate(cv2.erode(mask, square, anchor=(0, 0)), square, anchor=(1, 1))
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    grown = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(grown > 0.5, np.bool_)


def _joined(mask: Bytes, more: Mask) -> Bytes:
    """The mask and those pieces of `more` that touch it."""
    both = (mask > 0) | more
    count, labels = cv2.connectedComponents(both.astype(np.uint8), connectivity=8)
    kept = np.zeros(count, np.bool_)
    kept[np.unique(labels[mask > 0])] = True
    kept[0] = False
    return np.asarray(kept[labels], np.uint8)
