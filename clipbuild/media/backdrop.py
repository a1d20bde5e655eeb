"""The backdrop of a photo as one smooth surface of colour, fitted to its border; and how far each pixel is from it.

Knows nothing of subjects: a photo of a real place just fits badly.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from clipbuild.media import canvas, masks

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]


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
    bold: bool
    """The backdrop has a colour of its own: it is not white, grey or black."""


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
    ring = masks.border_ring(height, width)
    samples, weights = ring, np.ones((height, width), np.float32)
    surface = lab
    for turn in range(rounds):
        surface = _surface(lab, basis, samples, weights)
        error = norm(lab - surface)
        scale = max(1.5, float(np.median(error[samples])) * 1.5)
        weights = np.clip(1 - (error / np.float32(4.0 * scale)) ** 2, 0, 1).astype(np.float32) ** 2
        if turn >= 1:
            samples = masks.reached(error < 4 * scale) | (ring & (weights > 0))
            if samples.sum() < 0.25 * ring.sum():
                samples = ring
    delta = lab - surface
    error = norm(delta)
    noise = float(np.median(error[samples & (error < 15)])) if (samples & (error < 15)).any() else 15.0
    fit = float((error[ring] < max(6.0, 4 * noise)).mean())
    ratio = np.asarray(lab[:, :, 0] / np.maximum(surface[:, :, 0], 1), np.float32)
    shaded = norm(lab[:, :, 1:] - surface[:, :, 1:] * np.clip(ratio, 0, 1)[:, :, None])
    hue = np.minimum(norm(delta[:, :, 1:]), shaded)
    bold = float(np.median(norm(surface[:, :, 1:]))) > 13
    return Backdrop(_discounted(delta, lab, hue, ratio), hue, ratio, noise, fit, bold)


def _discounted(delta: Floats, lab: Floats, hue: Floats, ratio: Floats) -> Floats:
    """Distance with shadows made small: darker, of the backdrop's own hue, and soft-edged."""
    soft = gradient(lab[:, :, 0]) < 2.2
    shade = (ratio < 1) & (ratio > 0.55) & (hue < 5) & soft
    weight = np.where(shade, np.float32(0.25), np.float32(1.0))
    return np.asarray(np.sqrt((delta[:, :, 0] * weight) ** 2 + norm(delta[:, :, 1:]) ** 2), np.float32)


def gradient(channel: Floats) -> Floats:
    """Steps of a channel per pixel, over a small neighbourhood."""
    soft = canvas.blurred(channel, 1.2)
    down, right = np.zeros_like(soft), np.zeros_like(soft)
    down[1:-1], right[:, 1:-1] = (soft[2:] - soft[:-2]) / 2, (soft[:, 2:] - soft[:, :-2]) / 2
    return canvas.blurred(np.sqrt(down**2 + right**2), 1.5)


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


def norm(values: Floats) -> Floats:
    """Length of each pixel's vector."""
    return np.asarray(np.sqrt((values**2).sum(axis=2)), np.float32)
