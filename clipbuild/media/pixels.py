"""Formulas on arrays of pixels: gradients, local deviation, edge widths, true detail, compression blocks.

Pure functions of grey pictures. Know nothing of subjects or verdicts.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]
"""Float values, mostly float32."""
Bytes = NDArray[Any]
"""8-bit values, as OpenCV gives them."""
Mask = NDArray[np.bool_]


def gradient(grey: Bytes) -> Floats:
    """Scharr gradient / 16: how many grey levels the picture changes a pixel."""
    x, y = cv2.Scharr(grey, cv2.CV_32F, 1, 0), cv2.Scharr(grey, cv2.CV_32F, 0, 1)
    return np.asarray(cv2.magnitude(x, y) / 16, np.float32)


def deviation(grey: Bytes, window: int = 9) -> Floats:
    """Local standard deviation in a square window."""
    values = grey.astype(np.float32)
    mean = cv2.blur(values, (window, window))
    square = cv2.blur(values * values, (window, window))
    return np.asarray(np.sqrt(np.maximum(square - mean * mean, 0)), np.float32)


def edge_width(grey: Bytes, heat: Floats, where: Mask, percentile: float) -> float:
    """Width in px of the strongest luma edges in a place: local range / gradient (after Marziliano 2002)."""
    limit = max(6.0, float(np.percentile(heat[where], percentile)))
    window = np.ones((9, 9), np.uint8)
    reach = cv2.dilate(grey, window).astype(np.float32) - cv2.erode(grey, window)
    strong = where & (heat >= limit)
    return float(np.median(reach[strong] / heat[strong])) if strong.any() else 9.0


def true_detail(grey: Bytes) -> float:
    """Radius that holds 99.9 % of the windowed power, as a share of Nyquist: low where a picture was upscaled."""
    size = min(grey.shape)
    square = grey[:size, :size].astype(np.float32)
    square = (square - square.mean()) * np.outer(np.hanning(size), np.hanning(size)).astype(np.float32)
    power = np.abs(np.fft.rfft2(square)) ** 2
    radius = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :]) / 0.5
    order = np.bincount(np.minimum((radius * 100).astype(int), 141).ravel(), power.ravel())
    total = np.cumsum(order)
    return float(np.searchsorted(total, 0.999 * total[-1]) / 100) if total[-1] > 0 else 0.0


def blocking(grey: Bytes) -> float:
    """JPEG damage: how far the steps at every eighth column and row stand out, in grey levels and as a ratio.

    The geometric mean of both, because a smooth ground has a high ratio of next to nothing; below 1 is clean. The hardest
    eighth of the steps is left out: blocks stand out everywhere, an edge of the picture's own at one of them.
    """
    values = grey.astype(np.float32)
    found = []
    for axis in (0, 1):
        step = np.abs(np.diff(values, axis=axis)).mean(axis=1 - axis)
        if len(step) < 16:
            continue
        phases = sorted(_usual(step[k::8]) for k in range(8))
        excess, ratio = phases[-1] - phases[-2], (phases[-1] + 0.25) / (phases[4] + 0.25)
        found.append((excess * (ratio - 1)) ** 0.5)
    return float(np.mean(found)) if found else 0.0


def _usual(steps: Floats) -> float:
    return float(np.sort(steps)[: len(steps) - max(1, len(steps) // 8)].mean())


def middle(grey: Bytes, side: int) -> Bytes:
    """The middle of a picture, at most side × side, begun at a multiple of eight so that JPEG blocks stay aligned."""
    height, width = grey.shape
    y, x = max(0, (height - side) // 2), max(0, (width - side) // 2)
    y, x = y - y % 8, x - x % 8
    return grey[y : y + side, x : x + side]


def disc(radius: int) -> Bytes:
    """A round kernel."""
    size = 2 * max(1, radius) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)
