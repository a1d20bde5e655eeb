"""A canvas with alpha: rounded boxes, ink, soft shadows and pictures, cropped to what was drawn.

Plain arithmetic in a fixed order, so that the same drawing has the same bytes on every machine. Knows nothing of
text, layout or time.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clipbuild.media.contrast import RGB

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
BLUR_PASSES = 3


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle in pixels, fractions allowed."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width(self) -> float:
        """x1 - x0."""
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        """y1 - y0."""
        return self.y1 - self.y0

    def grown(self, x: float, y: float | None = None) -> "Rect":
        """Larger by `x` (and `y`) on every side."""
        y = x if y is None else y
        return Rect(self.x0 - x, self.y0 - y, self.x1 + x, self.y1 + y)

    def overlaps(self, other: "Rect") -> bool:
        """Whether the two share an area."""
        return self.x0 < other.x1 and other.x0 < self.x1 and self.y0 < other.y1 and other.y0 < self.y1

    def inside(self, other: "Rect", slack: float = 0.5) -> bool:
        """Whether all of it lies in `other`, but for `slack` pixels."""
        return (
            self.x0 >= other.x0 - slack and self.y0 >= other.y0 - slack
            and self.x1 <= other.x1 + slack and self.y1 <= other.y1 + slack
        )  # fmt: skip


class Canvas:
    """A transparent picture of a part of the frame: premultiplied RGBA, 0–1, with its corner at (`left`, `top`)."""

    __slots__ = ("left", "pixels", "top")

    def __init__(self, area: Rect) -> None:
        self.left, self.top = int(np.floor(area.x0)), int(np.floor(area.y0))
        width, height = int(np.ceil(area.x1)) - self.left, int(np.ceil(area.y1)) - self.top
        self.pixels: Floats = np.zeros((max(height, 1), max(width, 1), 4), np.float32)

    def tint(self, mask: Bytes, x: int, y: int, colour: RGB, opacity: float = 1.0) -> None:
        """Lay `colour` through a coverage mask whose corner is at (x, y) of the frame."""
        target, part = self._meet(mask, x, y)
        if not part.size:
            return
        alpha = part.astype(np.float32) * np.float32(opacity / 255.0)
        target *= 1 - alpha[..., None]
        target[..., 3] += alpha
        for channel in range(3):
            target[..., channel] += alpha * np.float32(colour[channel] / 255.0)

    def picture(self, rgba: Bytes, x: int, y: int, opacity: float = 1.0) -> None:
        """Lay a premultiplied picture whose corner is at (x, y) of the frame."""
        target, part = self._meet(rgba, x, y)
        if not part.size:
            return
        over = part.astype(np.float32) * np.float32(opacity / 255.0)
        target *= 1 - over[..., 3:]
        target += over

    def box(self, rect: Rect, radius: float, colour: RGB, opacity: float = 1.0) -> None:
        """Lay a rounded box."""
        self.tint(*round_mask(rect, radius), colour, opacity)

    def shadow(self, mask: Bytes, x: int, y: int, blur: float, colour: RGB, opacity: float) -> None:
        """Lay the soft shadow of a mask."""
        soft, pad = blurred(mask, blur)
        self.tint(soft, x - pad, y - pad, colour, opacity)

    def cropped(self) -> tuple[int, int, Bytes]:
        """x, y and straight RGBA of what was drawn; one clear pixel when nothing was."""
        alpha = self.pixels[..., 3] > 1 / 512
        rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
        if not rows.size:
            return self.left, self.top, np.zeros((1, 1, 4), np.uint8)
        y0, y1, x0, x1 = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
        part = self.pixels[y0:y1, x0:x1]
        straight = part.copy()
        straight[..., :3] /= np.maximum(part[..., 3:], np.float32(1 / 1024))
        whole = np.clip(straight * 255 + 0.5, 0, 255).astype(np.uint8)
        return self.left + int(x0), self.top + int(y0), whole

    def _meet(self, patch: Bytes, x: int, y: int) -> tuple[Floats, Bytes]:
        left, top = x - self.left, y - self.top
        x0, y0 = max(left, 0), max(top, 0)
        x1 = max(min(left + patch.shape[1], self.pixels.shape[1]), x0)
        y1 = max(min(top + patch.shape[0], self.pixels.shape[0]), y0)
        return self.pixels[y0:y1, x0:x1], patch[y0 - top : y1 - top, x0 - left : x1 - left]


def round_mask(rect: Rect, radius: float) -> tuple[Bytes, int, int]:
    """Coverage of a rounded box with its corner: (mask, x, y). Edges are smooth by the distance to the outline."""
    left, top = int(np.floor(rect.x0)) - 1, int(np.floor(rect.y0)) - 1
    width, height = int(np.ceil(rect.x1)) + 1 - left, int(np.ceil(rect.y1)) + 1 - top
    radius = min(radius, rect.width / 2, rect.height / 2)
    xs = np.abs(np.arange(width) + 0.5 + left - (rect.x0 + rect.x1) / 2) - rect.width / 2 + radius
    ys = np.abs(np.arange(height) + 0.5 + top - (rect.y0 + rect.y1) / 2) - rect.height / 2 + radius
    corner = np.sqrt(np.maximum(xs, 0)[None, :] ** 2 + np.maximum(ys, 0)[:, None] ** 2)
    distance = corner + np.minimum(np.maximum(xs[None, :], ys[:, None]), 0) - radius
    return (np.clip(0.5 - distance, 0, 1) * 255 + 0.5).astype(np.uint8), left, top


def blurred(mask: Bytes, blur: float) -> tuple[Bytes, int]:
    """`mask` blurred by about a Gaussian of sigma `blur`, grown by the returned pad; whole numbers only."""
    radius = max(round(blur), 1)
    pad = radius * BLUR_PASSES
    wide = np.pad(mask, pad).astype(np.int32) * 256
    for _ in range(BLUR_PASSES):
        wide = _box_blur(_box_blur(wide, radius, 0), radius, 1)
    return (wide // 256).astype(np.uint8), pad


def _box_blur(values: NDArray[np.int32], radius: int, axis: int) -> NDArray[np.int32]:
    size = 2 * radius + 1
    before = [(0, 0), (0, 0)]
    before[axis] = (radius + 1, radius)
    sums = np.cumsum(np.pad(values, before), axis=axis, dtype=np.int64)
    take = [slice(None), slice(None)]
    drop = [slice(None), slice(None)]
    take[axis], drop[axis] = slice(size, None), slice(None, -size)
    return ((sums[tuple(take)] - sums[tuple(drop)]) // size).astype(np.int32)


def spread(mask: Bytes, reach: int) -> Bytes:
    """The mask grown by `reach` pixels all round, and larger by as much on each side."""
    wide = np.pad(mask, reach)
    grown = wide.copy()
    for step in range(1, reach + 1, max(1, reach // 3)) if reach > 1 else (1,):
        for angle in range(max(8, 6 * reach)):
            turn = 2 * math.pi * angle / max(8, 6 * reach)
            radius = reach if step + reach // 3 > reach else step
            dx, dy = round(radius * math.cos(turn)), round(radius * math.sin(turn))
            np.maximum(grown, np.roll(wide, (dy, dx), (0, 1)), out=grown)
    return grown
