"""How far the picture in the frames that go to the encoder is from where the move's curve has it, in pixels.

Gaussian spots on grey are found in each frame by their centre of weight; the curve is computed here anew from
the move's rate, its ease and the frame's number, not taken from the renderer.
"""

import math
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.bench._work import Work

Floats = NDArray[np.float64]
SIGMA, SPACING, REACH = 9.0, 150, 34
RATE = 0.02
"""Change of size a second of the push-in that is measured."""


def rates(folder: str) -> dict[str, Any]:
    """RMS and largest deviation over the common frame rates."""
    each = {fps: of(folder, fps) for fps in (24, 25, 30, 60)}
    every = np.concatenate(list(each.values()))
    return {
        "jitter_rms_px": float(np.sqrt((every**2).mean())), "jitter_max_px": float(np.abs(every).max()),
        "jitter_rms_px_by_fps": [float(np.sqrt((one**2).mean())) for one in each.values()],
    }  # fmt: skip


def of(folder: str, fps: int, seconds: float = 5.0, size: tuple[int, int] = (1080, 1920)) -> Floats:
    """How far spots of each frame are off, across and down, in pixels: a fifth of them, others in each frame."""
    picture, spots = spotted(folder, size)
    raw = os.path.join(folder, "spots.yuv")
    Work(folder, *size, fps=fps, seconds=seconds, preset="ultrafast", picture=picture, text=False).dump(raw)
    count, found, area = round(seconds * fps), [], size[0] * size[1]
    shown = np.memmap(raw, np.uint8, "r").reshape(count, area * 3 // 2)
    for index in range(count):
        luma = shown[index, :area].reshape(size[1], size[0])
        at = expected(spots, index, count, seconds, size)
        inside = at[(at > REACH).all(axis=1) & (at < np.array(size) - REACH).all(axis=1)]
        found += [centre(luma, spot) - spot for spot in inside[index % 5 :: 5]]
    os.unlink(raw)
    assert len(found) > 2 * count
    return np.array(found)


def spotted(folder: str, size: tuple[int, int]) -> tuple[str, Floats]:
    """A picture 1.2 times the frame with spots, and their places (edges of pixels, x and y)."""
    wide, high = (round(side * 0.6) * 2 for side in size)
    spots = [(x + 0.5 * SPACING, y + 0.5 * SPACING) for y in range(0, high - SPACING, SPACING) for x in range(0, wide - SPACING, SPACING)]
    y, x = np.mgrid[0:high, 0:wide] + 0.5
    near_x = np.minimum(x // SPACING, wide // SPACING - 1) * SPACING + 0.5 * SPACING
    near_y = np.minimum(y // SPACING, high // SPACING - 1) * SPACING + 0.5 * SPACING
    grey = 60 + 150 * np.exp(-((x - near_x) ** 2 + (y - near_y) ** 2) / (2 * SIGMA**2))
    path = os.path.join(folder, f"spots-{size[0]}x{size[1]}.png")
    Image.fromarray(np.repeat(np.rint(grey).astype(np.uint8)[..., None], 3, axis=2)).save(path)
    return path, np.array(spots)


def expected(spots: Floats, index: int, count: int, seconds: float, size: tuple[int, int]) -> Floats:
    """Where the curve has the spots in a frame: a geometric push-in about the middle, eased."""
    zoom = (1 + RATE * seconds) ** ease(index / (count - 1))
    picture = np.array([round(side * 0.6) * 2 for side in size])
    scale = max(size[0] / picture[0], size[1] / picture[1]) * zoom
    return np.asarray((spots - picture / 2) * scale + np.array(size) / 2)


def ease(u: float, ramp: float = 0.3) -> float:
    """The distance at `u` when the speed rises by a smoothstep for `ramp`, is even, and falls the same way."""
    grid = np.linspace(0, 1, 20001)
    t = np.clip(np.minimum(grid, 1 - grid) / ramp, 0, 1)
    speed = t * t * (3 - 2 * t)
    way = np.concatenate([[0], np.cumsum((speed[1:] + speed[:-1]) / 2)])
    return float(np.interp(u, grid, way / way[-1]))


def centre(luma: NDArray[np.uint8], near: Floats) -> Floats:
    """The centre of weight of the spot that is near a place, by a window that follows it."""
    at = near.copy()
    for _ in range(3):
        x0, y0 = (math.floor(v) - REACH for v in at)
        part = luma[y0 : y0 + 2 * REACH, x0 : x0 + 2 * REACH].astype(np.float64)
        y, x = np.mgrid[0 : part.shape[0], 0 : part.shape[1]] + 0.5
        window = np.exp(-((x + x0 - at[0]) ** 2 + (y + y0 - at[1]) ** 2) / (2 * SIGMA**2))
        weight = (part - np.median(part[[0, -1]])) * window
        moved = np.array([(weight * (x + x0)).sum(), (weight * (y + y0)).sum()]) / weight.sum() - at
        at = at + 2 * moved  # under a window as wide as the spot the centre goes half of the way
    return np.asarray(at)
