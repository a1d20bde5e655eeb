"""Masks: yes or no for every pixel, and what can be done with shapes. Knows nothing of colours."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]


def border_ring(height: int, width: int, share: float = 0.06) -> Mask:
    """The outer `share` of the frame."""
    ring = np.ones((height, width), np.bool_)
    step = max(3, round(share * min(height, width)))
    ring[step:-step, step:-step] = False
    return ring


def reached(alike: Mask) -> Mask:
    """The part of a mask that is connected to the frame's border."""
    _, labels = cv2.connectedComponents(alike.astype(np.uint8), connectivity=4)
    edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    return np.asarray(np.isin(labels, np.unique(edge[edge > 0])), np.bool_)


def linked(mask: Mask, other: Mask) -> Mask:
    """The part of a mask that is connected to another mask."""
    _, labels = cv2.connectedComponents((mask | other).astype(np.uint8), connectivity=4)
    return mask & np.isin(labels, np.unique(labels[other]))


def main_pieces(mask: Mask) -> Mask:
    """The pieces of a mask that matter: at least a tenth of the largest."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count < 2:
        return mask
    areas = stats[1:, cv2.CC_STAT_AREA]
    return np.asarray(np.isin(labels, 1 + np.flatnonzero(areas >= areas.max() / 10)), np.bool_)


def tidied(mask: Mask) -> Mask:
    """Without crumbs: pieces under a fiftieth of the largest go, and pinholes close."""
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    if count < 2:
        return np.asarray(closed > 0, np.bool_)
    areas = stats[1:, cv2.CC_STAT_AREA]
    kept = 1 + np.flatnonzero(areas >= max(12, areas.max() / 50))
    return np.asarray(np.isin(labels, kept), np.bool_)


def without_slivers(mask: Mask, line: float) -> Mask:
    """The mask without pieces that lie wholly below a row: rims of shadows."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    low = [i for i in range(1, count) if stats[i, cv2.CC_STAT_TOP] > line]
    return mask & ~np.isin(labels, low) if low else mask


def box_of(mask: Mask) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1 of what a mask holds; zeros for an empty one."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1) if len(rows) else (0, 0, 0, 0)


def box_area(mask: Mask) -> int:
    """Pixels of the box of a mask."""
    x0, y0, x1, y1 = box_of(mask)
    return (x1 - x0) * (y1 - y0)


def opened(mask: Mask) -> Mask:
    """Without specks."""
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)) > 0, np.bool_)


def _disc(radius: int) -> Any:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))


def closed(mask: Mask, radius: int) -> Mask:
    """Pinholes closed."""
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, _disc(radius)) > 0, np.bool_)


def smoothed(mask: Mask) -> Mask:
    """With a calm outline: no steps, dents or crumbs of a few pixels. Parts thin enough to be lost are as they were."""
    thick = dilated(eroded(mask, 3), 3)
    calm = cv2.GaussianBlur(thick.astype(np.float32), (0, 0), 2.0) > 0.5
    thin = dilated(opened(mask & ~thick), 2) & mask  # with what joins them
    return np.asarray(calm | thin, np.bool_)


def depth(mask: Mask) -> Floats:
    """How far inside a mask's outline each pixel is, in pixels; outside it is below 0. Smooth where the outline is."""
    inside, outside = (
        cv2.distanceTransform(part.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) for part in (mask, ~mask)
    )
    return np.asarray(cv2.GaussianBlur(inside - outside, (0, 0), 1.2), np.float32)


def eroded(mask: Mask, radius: int) -> Mask:
    """Smaller by a radius; what is outside the frame is not in the mask."""
    return np.asarray(cv2.erode(mask.astype(np.uint8), _disc(radius), borderValue=0) > 0, np.bool_)


def dilated(mask: Mask, radius: int) -> Mask:
    """Larger by a radius."""
    return np.asarray(cv2.dilate(mask.astype(np.uint8), _disc(radius)) > 0, np.bool_)


def fitting(width: int, height: int, side: int) -> tuple[int, int]:
    """A size with the given longer side, never larger than it was."""
    scale = min(1.0, side / max(width, height))
    return max(8, round(width * scale)), max(8, round(height * scale))


def shrunk(mask: Mask, size: tuple[int, int]) -> Floats:
    """A mask at a smaller size: shares 0..1."""
    return np.asarray(Image.fromarray(mask.astype(np.float32)).resize(size, Image.Resampling.BOX), np.float32)


def grown(mask: Mask, size: tuple[int, int]) -> Floats:
    """A mask at a larger size: soft steps 0..1."""
    return resized(mask.astype(np.float32), size)


def resized(values: Floats, size: tuple[int, int]) -> Floats:
    """Values of every pixel at a larger size."""
    return np.asarray(Image.fromarray(values).resize(size, Image.Resampling.BICUBIC), np.float32)
