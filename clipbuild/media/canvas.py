"""Arithmetic on pictures that composing needs: colours, blurs, resizing, laying over, dither.

Floats 0..255, HxWx3, until the very end. Every step is plain arithmetic in a fixed order (no exponentials, no
library that picks its own), so the same picture has the same bytes on every machine. Knows nothing of products.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from clipbuild.errors import MediaError, shown

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Colour = tuple[float, float, float]

BLUR_SIDE = 6.0
"""A blur wider than this is made on a smaller copy."""
PNG_EFFORT = 1


@contextmanager
def steady() -> Iterator[None]:
    """One thread and no processor-specific shortcuts, for as long as it lasts."""
    threads, optimised = cv2.getNumThreads(), cv2.useOptimized()
    cv2.setNumThreads(1)
    cv2.setUseOptimized(False)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)
        cv2.setUseOptimized(optimised)


def colour(text: str) -> Colour:
    """ "#rrggbb" or "#rgb" as three numbers. Raises MediaError."""
    digits = text.removeprefix("#")
    if len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    try:
        if len(digits) != 6:
            raise ValueError
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
    except ValueError:
        raise MediaError(f"{shown(text)!r} is no colour", hint='write it as "#rrggbb"') from None


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """`share` of the other colour in the first."""
    return tuple(a + (b - a) * share for a, b in zip(one, other, strict=True))  # type: ignore[return-value]


def shaded(tone: Colour, light: float) -> Colour:
    """Lighter (> 0, towards white) or darker (< 0, towards black with its hue kept)."""
    return mixed(tone, (255.0, 255.0, 255.0), light) if light > 0 else tuple(c * (1 + light) for c in tone)  # type: ignore[return-value]


def luma(tone: Colour) -> float:
    """How light a colour looks, 0..255."""
    return 0.299 * tone[0] + 0.587 * tone[1] + 0.114 * tone[2]


def filled(width: int, height: int, tone: Colour) -> Floats:
    """A picture of one colour."""
    return np.ones((height, width, 1), np.float32) * np.array(tone, np.float32)


def ramp(values: Any, low: float, high: float) -> Floats:
    """0 below `low`, 1 above `high`, a smooth S between."""
    t = np.clip((np.asarray(values, np.float32) - np.float32(low)) / np.float32(high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def axes(width: int, height: int) -> tuple[Floats, Floats]:
    """x (1xW) and y (Hx1) of pixel centres as shares of the frame."""
    x = (np.arange(width, dtype=np.float32) + np.float32(0.5)) / np.float32(width)
    y = (np.arange(height, dtype=np.float32) + np.float32(0.5)) / np.float32(height)
    return x[None, :], y[:, None]


def glow(width: int, height: int, centre: tuple[float, float], radii: tuple[float, float]) -> Floats:
    """A soft spot: 1 at its centre, 0 from its rim on. Shares of the frame."""
    x, y = axes(width, height)
    far = ((x - centre[0]) / radii[0]) ** 2 + ((y - centre[1]) / radii[1]) ** 2
    return np.asarray(np.clip(1 - far, 0, 1) ** 2, np.float32)


def towards(picture: Floats, tone: Colour, share: Floats | float) -> Floats:
    """A picture pulled towards a colour by a map HxW or a number."""
    weight = np.asarray(share, np.float32)
    weight = weight[:, :, None] if weight.ndim == 2 else weight
    return np.asarray(picture + (np.array(tone, np.float32) - picture) * weight, np.float32)


def vignette(picture: Floats, strength: float) -> Floats:
    """Darker towards the corners."""
    height, width = picture.shape[:2]
    x, y = axes(width, height)
    far = ((x - 0.5) ** 2 + (y - 0.5) ** 2) * np.float32(2)
    return np.asarray(picture * (1 - np.float32(strength) * far * far)[:, :, None], np.float32)


def blurred(values: Floats, sigma: float, flat: float = 1.0) -> Floats:
    """A bell blur of a map or a picture, `flat` times as far up and down as aside; edges repeat. Wide ones are made on
    a smaller copy."""
    if sigma < 0.4:
        return values
    step = int(sigma * min(flat, 1.0) / BLUR_SIDE)
    if step <= 1:
        return _boxes(values, sigma, flat)
    height, width = values.shape[:2]
    small = cv2.resize(values, (max(2, -(-width // step)), max(2, -(-height // step))), interpolation=cv2.INTER_AREA)
    small = _boxes(np.asarray(small, np.float32), sigma / step, flat)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _boxes(values: Floats, sigma: float, flat: float) -> Floats:
    wide, high = (2 * max(1, round(reach * 0.94)) + 1 for reach in (sigma, sigma * flat))
    for _ in range(3):
        values = np.asarray(cv2.blur(values, (wide, high), borderType=cv2.BORDER_REPLICATE), np.float32)
    return values


def resized(values: Bytes, size: tuple[int, int]) -> Bytes:
    """8-bit picture or mask at another size: low-pass when smaller, sharp when larger."""
    if (values.shape[1], values.shape[0]) == size:
        return values
    return np.array(Image.fromarray(values).resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0))


def resized_cutout(rgb: Bytes, alpha: Bytes, size: tuple[int, int]) -> tuple[Bytes, Bytes]:
    """Colours and alpha at another size, weighted so that hidden colours don't bleed in."""
    if (rgb.shape[1], rgb.shape[0]) == size:
        return rgb, alpha
    whole = Image.fromarray(np.dstack([rgb, alpha]), "RGBA").convert("RGBa")
    back = np.array(whole.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0).convert("RGBA"))
    return back[:, :, :3].copy(), back[:, :, 3].copy()


def cover(rgb: Bytes, width: int, height: int, focus: tuple[float, float] = (0.5, 0.5)) -> Bytes:
    """The largest part of a picture that has the frame's shape, around `focus`, at the frame's size."""
    high, wide = rgb.shape[:2]
    scale = max(width / wide, height / high)
    part_w, part_h = min(wide, round(width / scale)), min(high, round(height / scale))
    x = min(max(0, round(focus[0] * wide - part_w / 2)), wide - part_w)
    y = min(max(0, round(focus[1] * high - part_h / 2)), high - part_h)
    return resized(np.ascontiguousarray(rgb[y : y + part_h, x : x + part_w]), (width, height))


def over(picture: Floats, rgb: Any, alpha: Any) -> Floats:
    """`rgb` laid over a picture by `alpha` (0..1, HxW)."""
    return np.asarray(picture + (np.asarray(rgb, np.float32) - picture) * np.asarray(alpha, np.float32)[:, :, None], np.float32)


def rounded_box(width: int, height: int, box: Sequence[float], radius: float, soft: float = 1.0) -> Floats:
    """Coverage 0..1 of a box with round corners."""
    x = np.arange(width, dtype=np.float32)[None, :] + np.float32(0.5)
    y = np.arange(height, dtype=np.float32)[:, None] + np.float32(0.5)
    x0, y0, x1, y1 = box
    radius = min(radius, (x1 - x0) / 2, (y1 - y0) / 2)
    dx = np.maximum(np.maximum(x0 + radius - x, x - (x1 - radius)), 0)
    dy = np.maximum(np.maximum(y0 + radius - y, y - (y1 - radius)), 0)
    return np.asarray(np.clip((radius - np.sqrt(dx * dx + dy * dy)) / soft + 0.5, 0, 1), np.float32)


def ellipse(width: int, height: int, centre: tuple[float, float], radii: tuple[float, float], soft: float = 1.0) -> Floats:
    """Coverage 0..1 of an ellipse, in pixels."""
    x = (np.arange(width, dtype=np.float32)[None, :] + np.float32(0.5) - centre[0]) / np.float32(radii[0])
    y = (np.arange(height, dtype=np.float32)[:, None] + np.float32(0.5) - centre[1]) / np.float32(radii[1])
    edge = (1 - np.sqrt(x * x + y * y)) * np.float32(min(radii))
    return np.asarray(np.clip(edge / soft + 0.5, 0, 1), np.float32)


def grain(width: int, height: int, strength: float) -> Floats:
    """Fine noise HxWx1 with the given deviation, always the same."""
    source = np.random.Generator(np.random.PCG64(20240607))
    total = np.zeros((height, width), np.float32)
    for _ in range(3):
        total += source.random((height, width), dtype=np.float32)
    return np.asarray((total - np.float32(1.5)) * np.float32(2 * strength), np.float32)[:, :, None]


def dithered(picture: Floats) -> Bytes:
    """8 bit without bands: rounded at a random height, the same each time."""
    height, width = picture.shape[:2]
    source = np.random.Generator(np.random.PCG64(7))
    lift = source.random((height, width, 1), dtype=np.float32)
    return np.asarray(np.clip(np.floor(picture + lift), 0, 255), np.uint8)


def save(path: str, picture: Bytes) -> None:
    """Write a PNG, RGB or RGBA, packed fast. Raises MediaError."""
    swapped = picture[:, :, [2, 1, 0] if picture.shape[2] == 3 else [2, 1, 0, 3]]
    flags = [cv2.IMWRITE_PNG_COMPRESSION, PNG_EFFORT]
    done, data = cv2.imencode(".png", np.ascontiguousarray(swapped), flags)
    if not done:
        raise MediaError("the picture could not be packed as PNG")
    with open(path, "wb") as file:
        file.write(data.tobytes())
