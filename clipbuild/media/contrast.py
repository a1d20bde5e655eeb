"""How well text reads on what is behind it, by the formulas of WCAG 2.x, and how much shade it takes to read well.

Knows pixels and colours only. Colours are "#rrggbb" or RGB triples 0–255; frames are uint8 RGB arrays.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

NEEDED = 4.5
"""Contrast of normal text (WCAG 2.x, success criterion 1.4.3)."""
SAMPLES = 1600

RGB = tuple[int, int, int]
Frame = NDArray[np.uint8]

_LEVELS = np.arange(256) / 255.0
LINEAR = np.where(_LEVELS <= 0.04045, _LEVELS / 12.92, ((_LEVELS + 0.055) / 1.055) ** 2.4)
"""Linear light 0–1 of each of 256 levels."""
WEIGHTS = np.array([0.2126, 0.7152, 0.0722])


def rgb(colour: str | Sequence[int]) -> RGB:
    """A colour as three numbers. Raises ValueError for anything but "#rgb" or "#rrggbb"."""
    if not isinstance(colour, str):
        red, green, blue = colour
        return red, green, blue
    digits = colour.removeprefix("#")
    if len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    if len(digits) != 6:
        raise ValueError(f"not a colour: {colour!r}")
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


def luminance(colour: str | Sequence[int]) -> float:
    """Relative luminance 0–1 of a colour."""
    return float(LINEAR[list(rgb(colour))] @ WEIGHTS)


def ratio(one: float, other: float) -> float:
    """Contrast ratio 1–21 of two luminances."""
    low, high = sorted((one, other))
    return (high + 0.05) / (low + 0.05)


def between(one: str | Sequence[int], other: str | Sequence[int]) -> float:
    """Contrast ratio of two colours."""
    return ratio(luminance(one), luminance(other))


def ink_on(ground: str | Sequence[int], *inks: str | Sequence[int]) -> RGB:
    """The first ink that reads well on `ground`, else the one that reads best."""
    for ink in inks:
        if between(ink, ground) >= NEEDED:
            return rgb(ink)
    return rgb(max(inks, key=lambda ink: between(ink, ground)))


def behind(frames: Sequence[Frame], box: tuple[float, float, float, float], size: tuple[int, int]) -> list[Frame]:
    """Thinned-out pixels (n x 3) of each frame inside `box` (x0, y0, x1, y1), given in a picture of `size`."""
    found = []
    for frame in frames:
        sx, sy = frame.shape[1] / size[0], frame.shape[0] / size[1]
        x0, y0 = max(int(box[0] * sx), 0), max(int(box[1] * sy), 0)
        x1, y1 = max(min(round(box[2] * sx), frame.shape[1]), x0 + 1), max(min(round(box[3] * sy), frame.shape[0]), y0 + 1)
        patch = frame[min(y0, frame.shape[0] - 1) : y1, min(x0, frame.shape[1] - 1) : x1, :3]
        step = max(int((patch.shape[0] * patch.shape[1] / SAMPLES) ** 0.5), 1)
        found.append(patch[::step, ::step].reshape(-1, 3))
    return found


def spreads(pixels: Sequence[Frame]) -> list[tuple[float, float]]:
    """The 10th and 90th percentile of the pixels' luminance in each frame."""
    return [_spread(patch) for patch in pixels]


def least(text: str | Sequence[int], found: Sequence[tuple[float, float]]) -> float:
    """The least contrast of `text` against what `spreads` found."""
    ink = luminance(text)
    return min([21.0, *(ratio(ink, end) for ends in found for end in ends)])


def measured(text: str | Sequence[int], pixels: Sequence[Frame]) -> float:
    """The least contrast of `text` against the 10th and 90th percentile of the pixels, over all frames."""
    return least(text, spreads(pixels))


def shaded(pixels: Sequence[Frame], shade: str | Sequence[int], opacity: float) -> list[Frame]:
    """The pixels with a flat colour laid over them, as the encoder will see them."""
    colour = np.array(rgb(shade), np.float32)
    return [(patch + (colour - patch) * np.float32(opacity) + 0.5).astype(np.uint8) for patch in pixels]


def opacity_needed(
    text: str | Sequence[int], pixels: Sequence[Frame], shade: str | Sequence[int], wanted: float = NEEDED
) -> float:
    """The least opacity (in steps of 0.05) of `shade` with which `text` reaches `wanted`; 1.0 where none does."""
    order = list(pixels)  # the one that failed last comes first: most steps then look at one
    for step in range(20):
        failed = (i for i, patch in enumerate(order) if measured(text, shaded([patch], shade, step / 20)) < wanted)
        worst = next(failed, None)
        if worst is None:
            return step / 20
        order.insert(0, order.pop(worst))
    return 1.0


def _spread(patch: Frame) -> tuple[float, float]:
    light = np.sort(LINEAR[patch] @ WEIGHTS)
    last = len(light) - 1
    return float(light[last // 10]), float(light[last - last // 10])
