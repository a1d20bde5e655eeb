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

from clipbuild.media import backdrop, canvas, masks
from clipbuild.media.backdrop import Backdrop

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]

WORK = 512
"""Long side of the picture that the cut is decided on."""
CUT = 288
"""Long side of the picture that GrabCut sees."""
PEEL = 5
"""How deep a rim of backdrop-coloured pixels may be taken off the mask, in pixels of the work size."""
BITE, DARK = 5, 0.6
"""Bites into the mask at its foot are filled where they are narrow (half their width in pixels of the work size) and darker
than this share of the backdrop: a floor's reflection in something dark, and no gap."""
FREE = 0.5
"""Share of the band around the edge in which a pixel may be any mix. Towards the band's ends it is less and less free, so
that a shine or a shadow there ends softly and not in steps."""
HALO = 9.0
"""How far the rim of a given cut-out may lean to one colour, in levels, before it counts as a halo."""
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
        (x0, y0, x1, y1), (height, width) = masks.box_of(self.extent), self.extent.shape
        return x0 / width, y0 / height, x1 / width, y1 / height


def cut(rgb: Bytes) -> Cut:
    """Cut the subject of an opaque photo out of its backdrop."""
    small = canvas.resized(rgb, masks.fitting(rgb.shape[1], rgb.shape[0], WORK))
    lab = backdrop.to_lab(small)
    back = backdrop.fit_backdrop(lab)
    low, high = max(5.0, 3.5 * back.noise), max(12.0, 7.0 * back.noise)
    outside = masks.reached(back.away < low)
    holes = _holes(back.away < low, outside, lab, back.bold)
    sure = masks.opened(back.away > high) & ~outside
    mask, agreed = _settled(small, outside | holes, sure)
    mask = _unshaded(lab, mask, back, high)
    missed = _missed(lab, mask, back)
    main = masks.main_pieces(mask)
    whole = masks.box_area(main) / max(1, masks.box_area(main | missed))
    marks = _marks(back, mask, holes, sure, agreed, high) | {"whole": _ramp(whole, 0.6, 0.9)}
    confidence = float(np.prod(list(marks.values())))
    colours, alpha = _matte(rgb, mask) if confidence >= GOOD else (rgb, _coarse(rgb, mask))
    plain = round(marks["fit"] * marks["calm"], 3)
    return Cut(colours, alpha, main | missed, round(confidence, 3), plain, marks)


def cleaned(rgb: Bytes, alpha: Bytes) -> Bytes:
    """The colours of a given cut-out without the halo of the backdrop it was cut from, where it has one: rims that
    lean to one strange colour get the colour next to them."""
    thick = max(1, round(0.002 * max(alpha.shape)))
    solid = alpha >= 250
    inner = masks.eroded(solid, thick)
    rim = (alpha > 20) & ~inner & masks.dilated(inner, 3 * thick + 1) & masks.dilated(alpha <= 20, 2 * thick)
    if not rim.any() or inner.sum() < rim.sum():
        return rgb
    fore = _spread(rgb, inner, 3.0 * thick)
    leaning = (rgb[rim].astype(np.float32) - fore[rim]).mean(axis=0)
    if float((leaning**2).sum()) ** 0.5 < HALO:
        return rgb
    share = np.where(solid, np.float32(0.75), np.float32(1.0)) * rim
    return np.rint(canvas.over(rgb.astype(np.float32), fore, share)).astype(np.uint8)


def _holes(alike: Mask, outside: Mask, lab: Floats, bold: bool) -> Mask:
    """Backdrop seen through the subject: like it, not tiny, and without texture."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((alike & ~outside).astype(np.uint8), connectivity=4)
    calm = backdrop.gradient(lab[:, :, 0])
    least = (0.0002 if bold else 0.0008) * alike.size  # what is blue before blue is no product, however small
    found = np.zeros_like(alike)
    for i in range(1, count):
        if stats[i, cv2.CC_STAT_AREA] >= least:
            piece = labels == i
            core = masks.eroded(piece, 2)
            if core.any() and float(calm[core].mean()) < 1.2:
                found |= piece
    return found


def _settled(small: Bytes, out: Mask, sure: Mask) -> tuple[Mask, float]:
    """GrabCut decides what is between; returns the mask and how far it agrees with the seeds' own split."""
    height, width = out.shape
    size = masks.fitting(width, height, CUT)
    seeds = np.full((size[1], size[0]), cv2.GC_PR_BGD, np.uint8)
    far, near = masks.shrunk(out, size), masks.shrunk(sure, size)
    seeds[near > 0.5] = cv2.GC_PR_FGD
    seeds[near > 0.95] = cv2.GC_FGD
    seeds[far > 0.9] = cv2.GC_BGD
    mask = near > 0.5
    if mask.sum() > 40 and (seeds == cv2.GC_BGD).sum() > 40:
        cv2.setRNGSeed(0)
        view = np.ascontiguousarray(np.asarray(Image.fromarray(small).resize(size, Image.Resampling.BOX))[:, :, ::-1])
        try:
            cv2.grabCut(view, seeds, (0, 0, 1, 1), np.zeros((1, 65)), np.zeros((1, 65)), 3, cv2.GC_INIT_WITH_MASK)
            mask = np.isin(seeds, (cv2.GC_FGD, cv2.GC_PR_FGD))
        except cv2.error:
            pass  # too few pixels of one kind: the seeds are the answer
    union = (mask | (near > 0.5)).sum()
    agreed = float((mask & (near > 0.5)).sum() / union) if union else 0.0
    grown = masks.grown(mask, (width, height)) > 0.5
    return masks.tidied((grown | sure) & ~(out & ~masks.dilated(sure, 1))), agreed


def _unshaded(lab: Floats, mask: Mask, back: Backdrop, high: float) -> Mask:
    """The mask without the shadow, or the reflection, that the subject stands on: what is of the backdrop's hue and can
    be reached from outside through soft changes, near the foot. A subject that is itself of that hue is spared more."""
    rows = np.flatnonzero(mask.any(axis=1))
    if not len(rows):
        return mask
    core = masks.eroded(mask, 6)
    bold = core.any() and float((back.hue[core] < 10).mean()) < 0.1
    reach = min(20.0, 0.45 * float(np.median(back.hue[core]))) if bold else 6.0
    steep = backdrop.gradient(lab[:, :, 0])
    soft = (back.hue < reach) & (steep < (8 if bold else 3)) & (back.ratio > (0.05 if bold else 0.45))
    above, line = rows[-1] - 0.3 * (rows[-1] - rows[0]), rows[-1] - 0.04 * (rows[-1] - rows[0])
    y = np.arange(len(mask))[:, None]
    fringe = (back.away < high) & (y > line)
    shade = masks.closed(masks.reached((((soft & (y > above)) | fringe) & mask) | ~mask) & mask, 1)
    kept = masks.without_slivers(mask & ~shade, line)
    below = np.maximum.accumulate(kept[::-1], axis=0)[::-1]  # the subject goes on below: no shadow, but a shine on it
    peeled = _peeled(kept | (mask & below), back, steep)
    dark = mask & (back.ratio < DARK)
    return masks.tidied(peeled | (masks.closed(peeled, BITE) & dark))


def _peeled(mask: Mask, back: Backdrop, steep: Floats) -> Mask:
    """The mask without a rim of shaded backdrop: what is of its hue and nearly as light, and touches the outside. A
    bold backdrop's light falls on the subject too: there a rim of its hue may be the subject's own."""
    if back.bold:
        return mask
    pale = (back.hue < 5) & (back.ratio > 0.6) & (back.ratio < 1.05) & ((steep < 3) | masks.dilated(~mask, PEEL))
    return mask & ~masks.linked(pale & mask, ~mask)


def _missed(lab: Floats, mask: Mask, back: Backdrop) -> Mask:
    """What has edges, is near the cut, and is neither cut nor backdrop: glass, mostly. Shadows have no edges."""
    edges = (backdrop.gradient(lab[:, :, 0]) > 0.55 + 0.3 * back.noise) & (back.away > max(1.5, 1.4 * back.noise))
    edges &= ~masks.dilated(mask, 6)
    if not _gathered(edges):
        return np.zeros_like(mask)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(edges.astype(np.uint8), connectivity=8)
    # what runs out of the frame is the backdrop's: a horizon
    rim = np.unique(labels[masks.border_ring(mask.shape[0], mask.shape[1], 0.02)])
    large = [i for i in range(1, count) if stats[i, cv2.CC_STAT_AREA] >= 0.00025 * mask.size and i not in rim]
    found, box = mask, masks.box_of(masks.main_pieces(mask))
    for i in large:
        if _meets(stats[i], box, mask):
            found = found | (labels == i)
    return np.asarray(found & ~mask, np.bool_)


def _gathered(edges: Mask) -> bool:
    """Edges are few along the frame's border: they are the subject's, not a texture of the backdrop."""
    ring = masks.border_ring(edges.shape[0], edges.shape[1], 0.1)
    return float(edges[~ring].mean()) > 3 * float(edges[ring].mean())


def _meets(piece: Any, box: tuple[int, int, int, int], mask: Mask) -> bool:
    """A piece's box (of component statistics) lies above or below another box, and near it."""
    x, y, wide, high = (int(v) for v in piece[:4])
    slack = 0.3 * max(mask.shape)
    inside = min(x + wide, box[2]) - max(x, box[0])
    return inside > 0.7 * wide and y < box[3] + slack and box[1] < y + high + slack


def _marks(back: Backdrop, mask: Mask, holes: Mask, sure: Mask, agreed: float, high: float) -> dict[str, float]:
    """What the confidence is made of, each 0..1."""
    edge = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    area = float(mask.mean())
    rim = mask & ~masks.eroded(mask, 3)
    contrast = float((back.away[rim] > 0.8 * high).mean()) if rim.any() else 0.0
    solid = float((sure & mask).sum() / max(1, mask.sum()))
    return {
        "fit": _ramp(back.fit, 0.75, 0.95),
        "calm": _ramp(-back.noise, -5.0, -2.5),
        "inside": _ramp(-float(edge.mean()), -0.012, -0.001),
        "area": _ramp(area, 0.004, 0.015) * _ramp(-area, -0.8, -0.65),
        "contrast": _ramp(contrast, 0.55, 0.9),
        "solid": _ramp(solid, 0.6, 0.9),
        "agreed": _ramp(agreed, 0.6, 0.9),
        "closed": _ramp(-float(holes.sum() / max(1, mask.sum())), -1.5, -0.9),
    }


def _ramp(value: float, low: float, high: float) -> float:
    return round(min(1.0, max(0.0, (value - low) / (high - low))), 3)


def _coarse(rgb: Bytes, mask: Mask) -> Bytes:
    """The mask at full size: where the cut-out won't be shown, its edges are not worth solving for."""
    return canvas.resized(mask.astype(np.uint8) * np.uint8(255), (rgb.shape[1], rgb.shape[0]))


def _matte(rgb: Bytes, mask: Mask) -> tuple[Bytes, Bytes]:
    """Colours and alpha at full size, solved where the subject is and some way around it."""
    height, width = rgb.shape[:2]
    step = max(height, width) / max(mask.shape)
    x0, y0, x1, y1 = masks.box_of(mask)
    pad = 16
    low, high = max(0, y0 - pad), min(mask.shape[0], y1 + pad)
    left, right = max(0, x0 - pad), min(mask.shape[1], x1 + pad)
    rows = slice(round(low * step), height if high == mask.shape[0] else round(high * step))
    columns = slice(round(left * step), width if right == mask.shape[1] else round(right * step))
    alpha = np.zeros((height, width), np.uint8)
    colours = rgb.copy()
    colours[rows, columns], alpha[rows, columns] = _solved(rgb[rows, columns], mask[low:high, left:right], step)
    return colours, alpha


def _solved(rgb: Bytes, mask: Mask, step: float) -> tuple[Bytes, Bytes]:
    """In a band around the mask's edge each pixel is solved as a mix of the subject's
    colour next to it and the backdrop's colour next to it."""
    height, width = rgb.shape[:2]
    band = max(2.0, 2.2 * step)
    depth = masks.resized(masks.depth(masks.smoothed(mask)), (width, height)) * np.float32(step / band)
    inner, outer = depth > 1, depth < -1
    inner |= (depth > 0) & ~masks.dilated(inner, round(3 * band))  # parts thinner than the band keep their core
    fore, back = _spread(rgb, inner, 3 * band), _spread(rgb, outer, 3 * band)
    span = fore - back
    mix = ((rgb.astype(np.float32) - back) * span).sum(axis=2) / np.maximum((span**2).sum(axis=2), 150)
    least = np.where(inner, np.float32(1), np.clip((depth - FREE) / (1 - FREE), 0, 1))
    known = np.clip(np.clip(mix, 0, 1), least, np.clip((depth + 1) / (1 - FREE), 0, 1))
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
        mass = canvas.blurred(weight, sigma)
        part = np.stack([canvas.blurred(total[:, :, i], sigma) for i in range(3)], axis=2) / np.maximum(mass, 1e-4)[:, :, None]
        share = left * np.clip(mass * 12, 0, 1)
        out += part * share[:, :, None]
        left = left - share
    mean = total.sum(axis=(0, 1)) / max(1.0, float(weight.sum()))
    return np.asarray(out + left[:, :, None] * mean.astype(np.float32), np.float32)
