"""Planes seen through a moving window: separable resampling, exact to a small part of a pixel, and laying over.

Samples are 16-bit whole numbers with 6 bits below a level, weights have 14: sums are exact, so the compiled loops
(`_warp.c`, optional) and the ones below give the same bytes on every machine. Magnified by a cubic over 4 samples,
minified by the same curve widened, which is the low-pass. Knows nothing of colours, pictures or time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

try:
    from clipbuild.media import _warp
except ImportError:  # no compiler where it was installed: slower, same bytes
    _warp = None  # type: ignore[assignment]

Samples = NDArray[np.int16]
LEVEL = 64
"""What one 8-bit level is in samples."""
ONE = 16384
"""A weight or alpha of 1."""
MARGIN = 8
MOST_STEP = 1.95
"""The strongest minification: more would need more than 8 taps."""
FINE_STEP = 1.33
PHASES = 2048
"""Positions between two samples that are told apart: a path is exact to a 4,000th of a pixel."""
DITHER_SIDE = 128
_BITS, _HALF = 14, 1 << 13


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """Samples with a margin of MARGIN on all sides; `width` and `height` are without it."""

    data: Samples
    width: int
    height: int


def plane(values: NDArray[Any], empty: bool = False) -> Plane:
    """Samples with their margin: the edge repeated, or (`empty`) nothing."""
    height, width = values.shape
    how: Any = {"mode": "constant"} if empty else {"mode": "edge"}
    return Plane(np.ascontiguousarray(np.pad(values, MARGIN, **how), np.int16), width, height)


@dataclass(frozen=True, slots=True, eq=False)
class Taps:
    """For each of a row of outputs: the first sample it is made of, and how much of each it takes."""

    first: NDArray[np.int32]
    weight: Samples

    @property
    def count(self) -> int:
        """How many samples make one output."""
        return int(self.weight.shape[1])


@lru_cache(maxsize=64)
def taps(start: float, step: float, begin: int, end: int, length: int, *, wide: bool, fine: bool = False) -> Taps:
    """The taps of outputs `begin`…`end` of a line that starts at `start` and takes `step` samples an output.

    Positions are edges: output i covers start + i·step … start + (i + 1)·step. `wide`: 4 or 8 taps only. `fine`:
    sharper, with more taps, for steps up to FINE_STEP.
    """
    step = min(step, FINE_STEP if fine else MOST_STEP)
    stretch = max(1.0, step)
    count = 8 if fine or step > 1.5 or (wide and step > 1.0) else 4 if step <= 1.0 else 6
    reach = (3.0 if fine else 2.0) * stretch
    at = np.arange(begin, end) * step + (start + 0.5 * step - 0.5 - reach)
    below = np.floor(at)
    phase = ((at - below) * PHASES + 0.5).astype(np.int64)
    first = np.clip(below.astype(np.int32) + (MARGIN + 1), 0, length + 2 * MARGIN - count)
    return Taps(first.astype(np.int32), np.ascontiguousarray(_weights(stretch, count, fine)[phase]))


@lru_cache(maxsize=4)
def _weights(stretch: float, count: int, fine: bool) -> Samples:
    """The weights of `count` samples for each of PHASES + 1 positions between two samples; each row's sum is ONE."""
    at = np.arange(PHASES + 1)[:, None] / PHASES + ((3.0 if fine else 2.0) * stretch - 1.0)
    far = np.abs(np.arange(count) - at) / stretch
    weight = _lanczos(far) if fine else _cubic(far)
    total = weight[:, 0].copy()
    for tap in range(1, count):  # in this order everywhere
        total += weight[:, tap]
    whole = np.floor(weight / total[:, None] * ONE + 0.5).astype(np.int64)
    largest = whole.argmax(axis=1)
    whole[np.arange(len(whole)), largest] += ONE - whole.sum(axis=1)
    return whole.astype(np.int16)


def _cubic(far: NDArray[np.float64]) -> NDArray[np.float64]:
    """The cubic of Keys (1981) with a = -1/2, also known as Catmull-Rom."""
    near = (1.5 * far - 2.5) * far * far + 1.0
    rest = ((-0.5 * far + 2.5) * far - 4.0) * far + 2.0
    return np.where(far < 1.0, near, np.where(far < 2.0, rest, 0.0))


def _lanczos(far: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sinc windowed by its own first three lobes (Lanczos; Duchon 1979)."""
    return np.where(far < 3.0, np.sinc(far) * np.sinc(far / 3.0), 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A plane as it lies in a frame: in the rectangle x, y, w, h, through its taps (None: as it is, from sx, sy on).

    With `alpha` its colours are weighted by it already; `opacity` is of ONE.
    """

    colour: Plane
    alpha: Plane | None
    opacity: int
    x: int
    y: int
    w: int
    h: int
    across: Taps | None = None
    down: Taps | None = None
    sx: int = 0
    sy: int = 0


@cache
def dither() -> Samples:
    """A fixed pattern of thresholds 0…63 without visible structure (interleaved gradient noise, Jimenez 2014)."""
    y, x = np.mgrid[0:DITHER_SIDE, 0:DITHER_SIDE].astype(np.int64)
    turn = (6711056 * x + 583715 * y) % 100_000_000
    noise = 529829189 * turn % 10**15
    return np.ascontiguousarray(noise * LEVEL // 10**15, np.int16)


def compose(out: NDArray[np.uint8] | Samples, placed: Sequence[Placed]) -> None:
    """Draw the planes over each other, the first below, the first covering all: into 8 bits with dither, or samples."""
    if _warp is None:
        compose_slowly(out, placed)
        return
    height, width = out.shape
    pattern = dither() if out.dtype == np.uint8 else None
    _warp.compose(out, width, height, tuple(_row(item) for item in placed), pattern, DITHER_SIDE)


def resampled(source: Plane, size: tuple[int, int], across: Taps, down: Taps, *, empty: bool) -> Plane:
    """A plane of another size, through taps for all of it."""
    values = np.empty((size[1], size[0]), np.int16)
    compose(values, [Placed(source, None, ONE, 0, 0, size[0], size[1], across, down)])
    return plane(values, empty)


def _row(item: Placed) -> tuple[Any, ...]:
    alpha = None if item.alpha is None else item.alpha.data
    stride = item.colour.data.shape[1]
    at = (item.colour.data, alpha, stride, item.opacity, item.x, item.y, item.w, item.h)
    if item.across is None or item.down is None:
        return (*at, item.sx + MARGIN, item.sy + MARGIN, 0, None, None, 0, None, None, 0)
    begin, end = _used(item.across)
    first = np.ascontiguousarray(item.across.first - begin, np.int32)
    return (*at, begin, 0, end - begin, first, item.across.weight, item.across.count,
            item.down.first, item.down.weight, item.down.count)  # fmt: skip


def _used(across: Taps) -> tuple[int, int]:
    """Which columns of the source the taps read."""
    if not len(across.first):
        return 0, 0
    return int(across.first.min()), int(across.first.max()) + across.count


BLOCK = 96


def compose_slowly(out: NDArray[np.uint8] | Samples, placed: Sequence[Placed]) -> None:
    """The same bytes as `compose` without anything compiled, a block of rows at a time."""
    height, width = out.shape
    pattern = dither().astype(np.int32)
    pattern = np.tile(pattern, (-(-BLOCK // DITHER_SIDE) + 1, -(-width // DITHER_SIDE)))[:, :width]
    for top in range(0, height, BLOCK):
        bottom = min(height, top + BLOCK)
        acc = np.zeros((bottom - top, width), np.int32)
        for item in placed:
            begin, end = max(top, item.y), min(bottom, item.y + item.h)
            if begin < end and item.w and item.opacity:
                part = acc[begin - top : end - top, item.x : item.x + item.w]
                _lay(part, item, begin - item.y, end - item.y)
        if out.dtype == np.uint8:
            phase = top % DITHER_SIDE
            acc += pattern[phase : phase + bottom - top]
            out[top:bottom] = np.clip(acc >> 6, 0, 255)
        else:
            out[top:bottom] = np.clip(acc, -32768, 32767)


def _lay(acc: NDArray[np.int32], item: Placed, begin: int, end: int) -> None:
    colour = _sampled(item, item.colour, begin, end)
    if item.alpha is not None:
        alpha = np.clip(_sampled(item, item.alpha, begin, end), 0, ONE)
        alpha = (alpha * item.opacity + _HALF) >> _BITS
        colour = (colour * item.opacity + _HALF) >> _BITS
        acc[:] = ((acc * (ONE - alpha) + _HALF) >> _BITS) + colour
    elif item.opacity < ONE:
        acc[:] = (acc * (ONE - item.opacity) + colour * item.opacity + _HALF) >> _BITS
    else:
        acc[:] = colour


def _sampled(item: Placed, source: Plane, begin: int, end: int) -> NDArray[np.int32]:
    if item.across is None or item.down is None:
        y, x = item.sy + MARGIN + begin, item.sx + MARGIN
        return source.data[y : y + end - begin, x : x + item.w].astype(np.int32)
    left, right = _used(item.across)
    rows = np.full((end - begin, right - left), _HALF, np.int32)
    for tap in range(item.down.count):
        lines = source.data[item.down.first[begin:end] + tap, left:right].astype(np.int32)
        lines *= item.down.weight[begin:end, tap].astype(np.int32)[:, None]
        rows += lines
    rows >>= _BITS
    found = np.full((end - begin, item.w), _HALF, np.int32)
    for tap in range(item.across.count):
        found += rows[:, item.across.first - left + tap] * item.across.weight[:, tap].astype(np.int32)
    found >>= _BITS
    return found
