"""RGB to the planes an encoder takes and back: BT.709, limited range, chroma half as fine both ways.

Chroma samples lie on even columns and between rows, as H.264 has them. Plain sums in a fixed order, so the same
picture gives the same samples everywhere. Knows nothing of frames or time.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clipbuild.media import warp
from clipbuild.media.warp import LEVEL, MARGIN, ONE, Plane, Taps, plane

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
_KR, _KB = 0.2126, 0.0722
_KG = 1.0 - _KR - _KB
_LUMA = tuple(219.0 / 255.0 * k * LEVEL for k in (_KR, _KG, _KB))
_BLUE = tuple(224.0 / 255.0 * k / (2 * (1 - _KB)) * LEVEL for k in (-_KR, -_KG, 1 - _KB))
_RED = tuple(224.0 / 255.0 * k / (2 * (1 - _KR)) * LEVEL for k in (1 - _KR, -_KG, -_KB))
BLACK, MIDDLE = 16 * LEVEL, 128 * LEVEL
BAND = 32
"""Rows that are worked on at once: what they take stays near the processor."""


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A picture as planes. With alpha (full and half size) the colours are weighted by it."""

    y: Plane
    u: Plane
    v: Plane
    alpha: Plane | None = None
    half: Plane | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.y.width, self.y.height


def sheet(rgb: Bytes, alpha: Bytes | None = None) -> Sheet:
    """The planes of a picture (even width and height), weighted by its alpha if there is one."""
    height, width = rgb.shape[:2]
    luma = np.empty((height, width), np.int16)
    halves = [np.empty((height // 2, width // 2), np.int16) for _ in range(3)]
    opaque = np.empty((height, width), np.int16)
    for top in range(0, height, BAND):
        rows = slice(top, min(height, top + BAND))
        half = slice(top // 2, min(height, top + BAND) // 2)
        part = [rgb[rows, :, i].astype(np.float32) for i in range(3)]
        share = None if alpha is None else alpha[rows].astype(np.float32) * np.float32(1 / 255)
        luma[rows] = _samples(_mixed(part, _LUMA, BLACK), share)
        halves[0][half] = _halved(_mixed(part, _BLUE, MIDDLE), share)
        halves[1][half] = _halved(_mixed(part, _RED, MIDDLE), share)
        if share is not None:
            opaque[rows] = np.floor(share * np.float32(ONE) + np.float32(0.5))
            halves[2][half] = np.floor(_quartered(share) * np.float32(ONE) + np.float32(0.5))
    empty = alpha is not None
    found = [plane(values, empty) for values in (luma, halves[0], halves[1])]
    return Sheet(*found, *((plane(opaque, True), plane(halves[2], True)) if empty else ()))


def resized(whole: Sheet, factor: float) -> Sheet:
    """A sheet `factor` (at least 1 / FINE_STEP) times as large, sharp. Its even size may end a part of a pixel later."""
    wide, high = (2 * math.ceil(length * factor / 2 - 1e-6) for length in whole.size)
    step, empty = 1 / factor, whole.alpha is not None
    full = _through(whole.size, (wide, high), step, 0.0, 0.0)
    half = _through((whole.u.width, whole.u.height), (wide // 2, high // 2), step, 0.25 - step / 4, 0.0)

    def made(source: Plane, how: tuple[Taps, Taps], size: tuple[int, int]) -> Plane:
        return warp.resampled(source, size, *how, empty=empty)

    small = (wide // 2, high // 2)
    return Sheet(
        made(whole.y, full, (wide, high)), made(whole.u, half, small), made(whole.v, half, small),
        made(whole.alpha, full, (wide, high)) if whole.alpha else None, made(whole.half, half, small) if whole.half else None,
    )  # fmt: skip


def _through(own: tuple[int, int], size: tuple[int, int], step: float, left: float, top: float) -> tuple[Taps, Taps]:
    across = warp.taps(left, step, 0, size[0], own[0], wide=True, fine=True)
    return across, warp.taps(top, step, 0, size[1], own[1], wide=False, fine=True)


def solid(rgb: Sequence[float], width: int, height: int) -> Sheet:
    """Planes of one colour."""
    pixel = [np.full((2, 2), value, np.float32) for value in rgb]
    values = [_samples(_mixed(pixel, *how), None)[0, 0] for how in ((_LUMA, BLACK), (_BLUE, MIDDLE), (_RED, MIDDLE))]
    full, half = (height, width), (height // 2, width // 2)
    planes = [plane(np.full(shape, value, np.int16)) for shape, value in zip((full, half, half), values, strict=True)]
    return Sheet(*planes)


def _mixed(rgb: Sequence[Floats], weights: Sequence[float], offset: float) -> Floats:
    red, green, blue = (np.float32(w) for w in weights)
    total = rgb[0] * red
    total += rgb[1] * green
    total += rgb[2] * blue
    total += np.float32(offset)
    return total


def _samples(values: Floats, share: Floats | None) -> NDArray[np.int16]:
    weighted = values if share is None else values * share
    return np.asarray(np.floor(weighted + np.float32(0.5)), np.int16)


def _halved(values: Floats, share: Floats | None) -> NDArray[np.int16]:
    return np.asarray(np.floor(_quartered(values if share is None else values * share) + np.float32(0.5)), np.int16)


def _quartered(values: Floats) -> Floats:
    """Half the columns and rows: [1 2 1] around each even column, then pairs of rows."""
    left = np.concatenate([values[:, :1], values[:, 1:-1:2]], axis=1)
    across = (left + values[:, 1::2]) * np.float32(0.25) + values[:, 0::2] * np.float32(0.5)
    return np.asarray((across[0::2] + across[1::2]) * np.float32(0.5), np.float32)


def to_rgb(y: Bytes, u: Bytes, v: Bytes) -> Bytes:
    """8-bit planes as RGB pixels; each chroma sample is used for its four pixels."""
    luma = (y.astype(np.float32) - np.float32(16)) * np.float32(255 / 219)
    blue, red = (np.repeat(np.repeat(p, 2, 0), 2, 1)[: y.shape[0], : y.shape[1]].astype(np.float32) - 128 for p in (u, v))
    out: NDArray[Any] = np.empty((*y.shape, 3), np.float32)
    out[:, :, 0] = luma + red * np.float32(255 / 224 * 2 * (1 - _KR))
    out[:, :, 2] = luma + blue * np.float32(255 / 224 * 2 * (1 - _KB))
    out[:, :, 1] = luma - blue * np.float32(255 / 224 * 2 * (1 - _KB) * _KB / _KG)
    out[:, :, 1] -= red * np.float32(255 / 224 * 2 * (1 - _KR) * _KR / _KG)
    return np.asarray(np.clip(out + np.float32(0.5), 0, 255), np.uint8)


def softened(sharp: Sheet, width: int) -> Sheet:
    """A sheet without alpha, blurred by three boxes of an odd `width`: whole sums, the same everywhere."""
    half = max(3, (width // 2) | 1)
    return Sheet(*(_boxes(p, w) for p, w in ((sharp.y, width), (sharp.u, half), (sharp.v, half))))


def _boxes(source: Plane, width: int) -> Plane:
    values = source.data[MARGIN:-MARGIN, MARGIN:-MARGIN]
    for _ in range(3):
        for axis in (0, 1):
            values = _box(values, width, axis)
    return plane(values)


def _box(values: NDArray[np.int16], width: int, axis: int) -> NDArray[np.int16]:
    radius = width // 2
    pad = [(0, 0), (0, 0)]
    pad[axis] = (radius + 1, radius)
    total = np.cumsum(np.pad(values, pad, mode="edge"), axis=axis, dtype=np.int32)
    length = values.shape[axis]
    whole = [slice(None), slice(None)]
    whole[axis] = slice(width, width + length)
    upper = total[tuple(whole)]
    whole[axis] = slice(0, length)
    return np.asarray((upper - total[tuple(whole)] + radius) // width, np.int16)
