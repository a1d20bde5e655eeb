"""An honest cut-out: the subject of a photo taken before a plain backdrop, with soft edges and a confidence.

The backdrop is fitted as a smooth surface of colour to the photo's border; what differs from it is subject, what is
only darker and soft is its shadow; GrabCut settles what is between. Because the backdrop is known everywhere, edges
are solved for (how much of each pixel is backdrop), not guessed. The confidence says how far each of these steps can
be believed; where it is low, the photo is better used whole. Knows nothing of grounds or clips.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]

WORK = 512
"""Long side of the picture that the cut is decided on."""
CUT = 288
"""Long side of the picture that GrabCut sees."""
GOOD = 0.5
"""From this confidence on a cut-out is fit to be shown on another ground."""


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """The subject: colours without backdrop in them, alpha (both at the photo's size), and how sure that is (0..1).

    `extent` (smaller than the photo) is all that is not backdrop: more than the cut where the cut missed something.
    `plain` says how much the backdrop is one smooth surface (0..1), whatever the subject; `marks` are the parts of the
    confidence, for people.
    """

    rgb: Bytes
    alpha: Bytes
    extent: Mask
    confidence: float
    plain: float
    marks: dict[str, float]

    @property
    def box(self) -> tuple[float, float, float, float] | None:
        """The box of `extent` as shares of the photo; None where there is nothing."""
        if not self.extent.any():
            return None
        (x0, y0, x1, y1), (height, width) = _box(self.extent), self.extent.shape
        return x0 / width, y0 / height, x1 / width, y1 / height


@dataclass(frozen=True, slots=True, eq=False)
class Backdrop:
    """A smooth surface of Lab colour, its distance map, and how well the border fits it."""

    away: Floats
    """Distance of each pixel from the surface in Lab units, shadows discounted."""
    hue: Floats
    """Distance in colour alone, from the surface or from the surface in shade, whichever is less."""
    ratio: Floats
    """Lightness of each pixel as a share of the surface's."""
    noise: float
    fit: float


def cut(rgb: Bytes) -> Cut:
    """Cut the subject of an opaque photo out of its backdrop."""
    small = _resized(rgb, WORK)
    lab = to_lab(small)
    back = fit_backdrop(lab)
    low, high = max(5.0, 3.5 * back.noise), max(12.0, 7.0 * back.noise)
    outside = _reached(back.away < low)
    holes = _holes(back.away < low, outside, lab)
    sure = _open(back.away > high) & ~outside
    mask, agreed = _settled(small, outside | holes, sure)
    mask = _unshaded(lab, mask, back, high)
    missed = _missed(lab, mask, back)
    marks = _marks(back, mask, holes, sure, agreed, high) | {"whole": _ramp(_area(_main(mask)) / max(1, _area(_main(mask) | missed)), 0.6, 0.9)}
    confidence = float(np.prod(list(marks.values())))
    colours, alpha = _matte(rgb, mask)
    plain = round(marks["fit"] * marks["calm"], 3)
    return Cut(colours, alpha, _main(mask) | missed, round(confidence, 3), plain, marks)


def to_lab(rgb: Bytes) -> Floats:
    """CIE Lab in its natural units, by way of 8 bit: integer tables, the same on every machine."""
    lab = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2Lab)).astype(np.float32)
    lab[:, :, 0] *= np.float32(100 / 255)
    lab[:, :, 1:] -= np.float32(128)
    return lab


def fit_backdrop(lab: Floats, rounds: int = 5) -> Backdrop:
    """Fit a quadratic surface per channel to the border, then to all that is connected to the border and fits."""
    height, width = lab.shape[:2]
    basis = _basis(height, width)
    ring = border_ring(height, width)
    samples, weights = ring, np.ones((height, width), np.float32)
    surface = lab
    for turn in range(rounds):
        surface = _surface(lab, basis, samples, weights)
        error = _norm(lab - surface)
        scale = max(1.5, float(np.median(error[samples])) * 1.5)
        weights = np.clip(1 - (error / np.float32(4.0 * scale)) ** 2, 0, 1).astype(np.float32) ** 2
        if turn >= 1:
            samples = _reached(error < 4 * scale) | (ring & (weights > 0))
            if samples.sum() < 0.25 * ring.sum():
                samples = ring
    delta = lab - surface
    error = _norm(delta)
    noise = float(np.median(error[samples & (error < 15)])) if (samples & (error < 15)).any() else 15.0
    fit = float((error[ring] < max(6.0, 4 * noise)).mean())
    ratio = np.asarray(lab[:, :, 0] / np.maximum(surface[:, :, 0], 1), np.float32)
    shaded = _norm(lab[:, :, 1:] - surface[:, :, 1:] * np.clip(ratio, 0, 1)[:, :, None])
    hue = np.minimum(_norm(delta[:, :, 1:]), shaded)
    return Backdrop(_discounted(delta, lab, hue, ratio), hue, ratio, noise, fit)


def _discounted(delta: Floats, lab: Floats, hue: Floats, ratio: Floats) -> Floats:
    """Distance with shadows made small: darker, of the backdrop's own hue, and soft-edged."""
    soft = _gradient(lab[:, :, 0]) < 2.2
    shade = (ratio < 1) & (ratio > 0.55) & (hue < 5) & soft
    weight = np.where(shade, np.float32(0.25), np.float32(1.0))
    return np.asarray(np.sqrt((delta[:, :, 0] * weight) ** 2 + _norm(delta[:, :, 1:]) ** 2), np.float32)


def _gradient(channel: Floats) -> Floats:
    """Steps of a channel per pixel, over a small neighbourhood."""
    soft = _blurred(channel, 1.2)
    down, right = np.zeros_like(soft), np.zeros_like(soft)
    down[1:-1], right[:, 1:-1] = (soft[2:] - soft[:-2]) / 2, (soft[:, 2:] - soft[:, :-2]) / 2
    return _blurred(np.sqrt(down**2 + right**2), 1.5)


def border_ring(height: int, width: int, share: float = 0.06) -> Mask:
    """The outer `share` of the frame."""
    ring = np.ones((height, width), np.bool_)
    step = max(3, round(share * min(height, width)))
    ring[step:-step, step:-step] = False
    return ring


def _basis(height: int, width: int) -> Floats:
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None] * np.ones((1, width), np.float32)
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :] * np.ones((height, 1), np.float32)
    return np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=2)


def _surface(lab: Floats, basis: Floats, samples: Mask, weights: Floats) -> Floats:
    """Weighted least squares by normal equations, summed in a fixed order."""
    terms = basis[samples].astype(np.float64)
    weighted = terms * weights[samples].astype(np.float64)[:, None]
    left = [[float((weighted[:, i] * terms[:, j]).sum()) for j in range(6)] for i in range(6)]
    for i in range(6):
        left[i][i] += 1e-3 * max(1.0, left[0][0])
    values = lab[samples].astype(np.float64)
    out = np.zeros_like(lab)
    for channel in range(3):
        right = [float((weighted[:, i] * values[:, channel]).sum()) for i in range(6)]
        right[0] += 1e-3 * max(1.0, left[0][0]) * float(np.median(values[:, channel]))
        for i, factor in enumerate(_solve([row[:] for row in left], right)):
            out[:, :, channel] += np.float32(factor) * basis[:, :, i]
    return out


def _solve(left: list[list[float]], right: list[float]) -> list[float]:
    """Gauss elimination of a small, positive system in plain floats: no library, no order of its own."""
    size = len(right)
    for i in range(size):
        for j in range(i + 1, size):
            factor = left[j][i] / left[i][i]
            for k in range(i, size):
                left[j][k] -= factor * left[i][k]
            right[j] -= factor * right[i]
    found = [0.0] * size
    for i in reversed(range(size)):
        found[i] = (right[i] - sum(left[i][k] * found[k] for k in range(i + 1, size))) / left[i][i]
    return found


def _reached(alike: Mask) -> Mask:
    """The part of a mask that is connected to the frame's border."""
    _, labels = cv2.connectedComponents(alike.astype(np.uint8), connectivity=4)
    edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    return np.asarray(np.isin(labels, np.unique(edge[edge > 0])), np.bool_)


def _holes(alike: Mask, outside: Mask, lab: Floats) -> Mask:
    """Backdrop seen through the subject: like it, not tiny, and without texture."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((alike & ~outside).astype(np.uint8), connectivity=4)
    calm = _gradient(lab[:, :, 0])
    least = 0.0008 * alike.size
    found = np.zeros_like(alike)
    for i in range(1, count):
        if stats[i, cv2.CC_STAT_AREA] >= least:
            piece = labels == i
            core = _eroded(piece, 2)
            if core.any() and float(calm[core].mean()) < 1.2:
                found |= piece
    return found


def _settled(small: Bytes, out: Mask, sure: Mask) -> tuple[Mask, float]:
    """GrabCut decides what is between; returns the mask and how far it agrees with the seeds' own split."""
    height, width = out.shape
    size = _fit(width, height, CUT)
    seeds = np.full((size[1], size[0]), cv2.GC_PR_BGD, np.uint8)
    far, near = _shrunk(out, size), _shrunk(sure, size)
    seeds[near > 0.5] = cv2.GC_PR_FGD
    seeds[near > 0.95] = cv2.GC_FGD
    seeds[far > 0.9] = cv2.GC_BGD
    mask = near > 0.5
    if mask.sum() > 40 and (seeds == cv2.GC_BGD).sum() > 40:
        cv2.setRNGSeed(0)
        view = np.ascontiguousarray(np.asarray(_image(small).resize(size, Image.Resampling.BOX))[:, :, ::-1])
        try:
            cv2.grabCut(view, seeds, (0, 0, 1, 1), np.zeros((1, 65)), np.zeros((1, 65)), 3, cv2.GC_INIT_WITH_MASK)
            mask = np.isin(seeds, (cv2.GC_FGD, cv2.GC_PR_FGD))
        except cv2.error:
            pass  # too few pixels of one kind: the seeds are the answer
    union = (mask | (near > 0.5)).sum()
    agreed = float((mask & (near > 0.5)).sum() / union) if union else 0.0
    grown = _grown(mask, (width, height)) > 0.5
    return _tidy((grown | sure) & ~(out & ~_dilated(sure, 1))), agreed


def _unshaded(lab: Floats, mask: Mask, back: Backdrop, high: float) -> Mask:
    """The mask without the shadow, or the reflection, that the subject stands on: what is of the backdrop's hue and can
    be reached from outside through soft changes, near the foot. A subject that is itself of that hue is spared more."""
    rows = np.flatnonzero(mask.any(axis=1))
    if not len(rows):
        return mask
    core = _eroded(mask, 6)
    bold = core.any() and float((back.hue[core] < 10).mean()) < 0.1
    reach = min(20.0, 0.45 * float(np.median(back.hue[core]))) if bold else 6.0
    steep = _gradient(lab[:, :, 0])
    soft = (back.hue < reach) & (steep < (8 if bold else 3)) & (back.ratio > (0.05 if bold else 0.45))
    above, line = rows[-1] - 0.3 * (rows[-1] - rows[0]), rows[-1] - 0.04 * (rows[-1] - rows[0])
    y = np.arange(len(mask))[:, None]
    fringe = (back.away < high) & (y > line)
    shade = _closed(_reached((soft & (y > above) & mask) | (fringe & mask) | ~mask) & mask, 1)
    kept = _without_slivers(mask & ~shade, line)
    below = np.maximum.accumulate(kept[::-1], axis=0)[::-1]  # the subject goes on below: no shadow, but a shine on it
    return _tidy(kept | (mask & below))


def _without_slivers(mask: Mask, line: float) -> Mask:
    """The mask without pieces that lie wholly below a row: rims of shadows."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    low = [i for i in range(1, count) if stats[i, cv2.CC_STAT_TOP] > line]
    return mask & ~np.isin(labels, low) if low else mask


def _missed(lab: Floats, mask: Mask, back: Backdrop) -> Mask:
    """What has edges, is near the cut, and is neither cut nor backdrop: glass, mostly. Shadows have no edges."""
    edges = (_gradient(lab[:, :, 0]) > 0.55 + 0.3 * back.noise) & (back.away > max(1.5, 1.4 * back.noise))
    edges &= ~_dilated(mask, 6)
    if not _gathered(edges):
        return np.zeros_like(mask)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(edges.astype(np.uint8), connectivity=8)
    rim = np.unique(labels[border_ring(*mask.shape, 0.02)])  # what runs out of the frame is the backdrop's: a horizon
    large = [i for i in range(1, count) if stats[i, cv2.CC_STAT_AREA] >= 0.00025 * mask.size and i not in rim]
    found, box = mask, _box(_main(mask))
    for i in large:
        if _meets(stats[i], box, mask):
            found = found | (labels == i)
    return np.asarray(found & ~mask, np.bool_)


def _gathered(edges: Mask) -> bool:
    """Edges are few along the frame's border: they are the subject's, not a texture of the backdrop."""
    ring = border_ring(*edges.shape, 0.1)
    return float(edges[~ring].mean()) > 3 * float(edges[ring].mean())


def _box(mask: Mask) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1) if len(rows) else (0, 0, 0, 0)


def _area(mask: Mask) -> int:
    x0, y0, x1, y1 = _box(mask)
    return (x1 - x0) * (y1 - y0)


def _meets(piece: Any, box: tuple[int, int, int, int], mask: Mask) -> bool:
    """A piece's box (of component statistics) lies above or below another box, and near it."""
    x, y, wide, high = (int(v) for v in piece[:4])
    slack = 0.3 * max(mask.shape)
    inside = min(x + wide, box[2]) - max(x, box[0])
    return inside > 0.7 * wide and y < box[3] + slack and box[1] < y + high + slack


def _main(mask: Mask) -> Mask:
    """The pieces of a mask that matter: at least a tenth of the largest."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count < 2:
        return mask
    areas = stats[1:, cv2.CC_STAT_AREA]
    return np.asarray(np.isin(labels, 1 + np.flatnonzero(areas >= areas.max() / 10)), np.bool_)


def _tidy(mask: Mask) -> Mask:
    """Without crumbs: pieces under a fiftieth of the largest go, and pinholes close."""
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    if count < 2:
        return np.asarray(closed > 0, np.bool_)
    areas = stats[1:, cv2.CC_STAT_AREA]
    kept = 1 + np.flatnonzero(areas >= max(12, areas.max() / 50))
    return np.asarray(np.isin(labels, kept), np.bool_)


def _marks(back: Backdrop, mask: Mask, holes: Mask, sure: Mask, agreed: float, high: float) -> dict[str, float]:
    """What the confidence is made of, each 0..1."""
    height, width = mask.shape
    edge = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    area = float(mask.mean())
    rim = mask & ~_eroded(mask, 3)
    contrast = float((back.away[rim] > 0.8 * high).mean()) if rim.any() else 0.0
    solid = float((sure & mask).sum() / max(1, mask.sum()))
    return {
        "fit": _ramp(back.fit, 0.75, 0.95),
        "calm": _ramp(-back.noise, -5.0, -2.5),
        "inside": _ramp(-float(edge.mean()), -0.02, -0.002),
        "area": _ramp(area, 0.004, 0.015) * _ramp(-area, -0.8, -0.65),
        "contrast": _ramp(contrast, 0.55, 0.9),
        "solid": _ramp(solid, 0.6, 0.9),
        "agreed": _ramp(agreed, 0.6, 0.9),
        "closed": _ramp(-float(holes.sum() / max(1, mask.sum())), -1.5, -0.9),
    }


def _ramp(value: float, low: float, high: float) -> float:
    return round(min(1.0, max(0.0, (value - low) / (high - low))), 3)


def _matte(rgb: Bytes, mask: Mask) -> tuple[Bytes, Bytes]:
    """Colours and alpha at full size: in a band around the mask's edge each pixel is solved as a mix of the subject's
    colour next to it and the backdrop's colour next to it."""
    height, width = rgb.shape[:2]
    step = max(height, width) / max(mask.shape)
    band = max(2.0, 2.2 * step)
    soft = _grown(mask, (width, height))
    inner, outer = _eroded(soft > 0.5, round(band)), ~_dilated(soft > 0.5, round(band))
    inner |= (soft > 0.5) & ~_dilated(inner, round(3 * band))  # parts thinner than the band keep their core
    fore, back = _spread(rgb, inner, 3 * band), _spread(rgb, outer, 3 * band)
    span = fore - back
    mix = ((rgb.astype(np.float32) - back) * span).sum(axis=2) / np.maximum((span**2).sum(axis=2), 150)
    known = np.where(inner, np.float32(1), np.where(outer, np.float32(0), np.clip(mix, 0, 1)))
    alpha = np.clip((known - 0.04) / 0.92, 0, 1)
    near = np.clip((rgb.astype(np.float32) - (1 - alpha[:, :, None]) * back) / np.maximum(alpha[:, :, None], 0.15), 0, 255)
    trust = np.clip((alpha - 0.15) / 0.6, 0, 1)[:, :, None]
    colours = np.where(alpha[:, :, None] >= 1, rgb, near * trust + fore * (1 - trust))
    return np.rint(colours).astype(np.uint8), np.rint(alpha * 255).astype(np.uint8)


def _spread(rgb: Bytes, known: Mask, reach: float) -> Floats:
    """Colours of the known pixels carried over the rest: near ones first, far ones where there are no near ones."""
    weight = known.astype(np.float32)
    total = rgb.astype(np.float32) * weight[:, :, None]
    out, left = np.zeros_like(total), np.ones_like(weight)
    for sigma in (reach / 2, reach * 1.5, reach * 6):
        mass = _blurred(weight, sigma)
        part = np.stack([_blurred(total[:, :, i], sigma) for i in range(3)], axis=2) / np.maximum(mass, 1e-4)[:, :, None]
        share = left * np.clip(mass * 12, 0, 1)
        out += part * share[:, :, None]
        left = left - share
    mean = total.sum(axis=(0, 1)) / max(1.0, float(weight.sum()))
    return np.asarray(out + left[:, :, None] * mean.astype(np.float32), np.float32)


def _blurred(values: Floats, sigma: float) -> Floats:
    """Three box blurs: a bell, at a cost that does not grow with its width."""
    side = max(1, round(sigma * 1.0 + 0.5)) * 2 - 1
    out = values
    for _ in range(3):
        out = cv2.blur(out, (side, side), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(out, np.float32)


def _norm(values: Floats) -> Floats:
    return np.asarray(np.sqrt((values**2).sum(axis=2)), np.float32)


def _open(mask: Mask) -> Mask:
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)) > 0, np.bool_)


def _closed(mask: Mask, radius: int) -> Mask:
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, _disc(radius)) > 0, np.bool_)


def _disc(radius: int) -> Any:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))


def _eroded(mask: Mask, radius: int) -> Mask:
    return np.asarray(cv2.erode(mask.astype(np.uint8), _disc(radius), borderValue=0) > 0, np.bool_)


def _dilated(mask: Mask, radius: int) -> Mask:
    return np.asarray(cv2.dilate(mask.astype(np.uint8), _disc(radius)) > 0, np.bool_)


def _fit(width: int, height: int, side: int) -> tuple[int, int]:
    scale = min(1.0, side / max(width, height))
    return max(8, round(width * scale)), max(8, round(height * scale))


def _image(values: Any) -> Image.Image:
    return Image.fromarray(values)


def _resized(rgb: Bytes, side: int) -> Bytes:
    size = _fit(rgb.shape[1], rgb.shape[0], side)
    return np.asarray(_image(rgb).resize(size, Image.Resampling.BOX if side < max(rgb.shape[:2]) else Image.Resampling.BICUBIC))


def _shrunk(mask: Mask, size: tuple[int, int]) -> Floats:
    return np.asarray(_image(mask.astype(np.float32)).resize(size, Image.Resampling.BOX), np.float32)


def _grown(mask: Mask, size: tuple[int, int]) -> Floats:
    return np.asarray(_image(mask.astype(np.float32)).resize(size, Image.Resampling.BICUBIC), np.float32)
