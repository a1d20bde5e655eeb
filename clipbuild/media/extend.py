"""A photo made larger than it was taken: its own backdrop goes on past its edges, so that it fills another frame.

A plain backdrop goes on as the colours of its edges, softer the farther out, with the photo's own grain. A real place
goes on as its mirror image, out of focus and darker. The seam is a wide feather that spares the subject. Nothing is
ever stretched. Knows nothing of what the photo shows.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clipbuild.media import canvas
from clipbuild.media.canvas import Bytes, Floats

Mask = NDArray[np.bool_]
EDGE = 0.012
"""A subject nearer than this to the photo's edge runs out of it."""
SEAM = 0.07
"""Width of the feather, as a share of the photo's shorter side."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Where the photo lies in the frame: its corner and its size there, in pixels; parts of it may lie outside."""

    x: int
    y: int
    width: int
    height: int

    def covers(self, width: int, height: int) -> bool:
        """Nothing of the frame is left to fill."""
        return self.x <= 0 and self.y <= 0 and self.x + self.width >= width and self.y + self.height >= height


Box = tuple[float, float, float, float]
SHARP = 2.0
"""A photo is never blown up by more than this."""


def framed(photo: tuple[int, int], subject: Box, room: Box, size: tuple[int, int]) -> Fit:
    """How to lay a photo with a plain backdrop into a frame: its subject (shares of the photo) whole and in its room
    (shares of the frame), as large as stays sharp. A side that the subject touches stays at the frame's edge."""
    (wide, high), (width, height) = photo, size
    across = (room[2] - room[0]) * width / ((subject[2] - subject[0]) * wide)
    scale = min(across, (room[3] - room[1]) * height / ((subject[3] - subject[1]) * high), SHARP)
    if subject[0] < EDGE and subject[2] > 1 - EDGE:
        scale = max(scale, min(width / wide, 1.2 * SHARP))
    x = _anchored(subject[0], subject[2], wide * scale, width, (room[0] + room[2]) / 2)
    y = _anchored(subject[1], subject[3], high * scale, height, (room[1] + room[3]) / 2)
    return Fit(round(x), round(y), max(1, round(wide * scale)), max(1, round(high * scale)))


def _anchored(low: float, high: float, length: float, frame: int, middle: float) -> float:
    """Where the photo begins along one axis: its subject's middle at `middle`, moved so that the photo covers the
    frame if it can at a small cost, and flush where the subject runs out of the photo."""
    start = middle * frame - (low + high) / 2 * length
    if length >= frame:
        covering = min(0.0, max(frame - length, start))
        start = covering if abs(covering - start) < 0.12 * frame else start
    if low < EDGE:
        start = min(start, 0.0)
    if high > 1 - EDGE:
        start = max(start, frame - length)
    return start


def torn(fit: Fit, subject: Box, size: tuple[int, int]) -> bool:
    """The subject runs out of the photo at an edge that lies inside the frame: its cut side would be seen."""
    width, height = size
    return (
        (subject[0] < EDGE and fit.x > 0)
        or (subject[2] > 1 - EDGE and fit.x + fit.width < width)
        or (subject[1] < EDGE and fit.y > 0)
        or (subject[3] > 1 - EDGE and fit.y + fit.height < height)
    )


def filling(photo: tuple[int, int], subject: Box | None, focus: tuple[float, float], size: tuple[int, int]) -> Fit:
    """How to lay a real place into a frame: filling it where that leaves the subject (if there is one) whole and the
    photo sharp, else as near to that as can be, with the gap evenly on both sides."""
    (wide, high), (width, height) = photo, size
    scale = min(max(width / wide, height / high), SHARP)
    if subject is not None:
        whole = min(width / ((subject[2] - subject[0]) * wide), height / ((subject[3] - subject[1]) * high))
        scale = min(scale, whole)
    scale = max(scale, min(width / wide, height / high))
    low, top, right, bottom = subject or (*focus, *focus)
    x = _covered(low, right, focus[0], wide * scale, width, 0.5)
    y = _covered(top, bottom, focus[1], high * scale, height, 0.54)
    return Fit(round(x), round(y), max(1, round(wide * scale)), max(1, round(high * scale)))


def _covered(low: float, high: float, focus: float, length: float, frame: int, middle: float) -> float:
    """Where a covering photo begins along one axis: the focus at `middle`, the subject inside, no gap."""
    if length <= frame:
        return (frame - length) / 2
    start = middle * frame - focus * length
    start = min(max(start, -low * length), frame - high * length) if low < high else start
    return min(0.0, max(frame - length, start))


def extended(photo: Bytes, keep: Floats, fit: Fit, size: tuple[int, int], *, busy: bool) -> Floats:
    """The photo in a frame of `size`, its backdrop carried on. `keep` (0..1, at the photo's size) is its subject."""
    width, height = size
    scaled = canvas.resized(photo, (fit.width, fit.height))
    guard = canvas.resized(np.rint(keep * 255).astype(np.uint8), (fit.width, fit.height))
    x, y = np.arange(width) - fit.x, np.arange(height) - fit.y
    u, v = np.clip(x, 0, fit.width - 1), np.clip(y, 0, fit.height - 1)
    inside = scaled[v][:, u].astype(np.float32)
    if fit.covers(width, height):
        return inside
    subject = np.asarray(guard[v][:, u] / np.float32(255), np.float32)
    out_x, out_y = np.abs(x - u).astype(np.float32)[None, :], np.abs(y - v).astype(np.float32)[:, None]
    weight = _feather(fit, size, x, y, subject)
    weight = np.asarray(weight * ((out_x + out_y) == 0), np.float32)
    fill = _mirrored(scaled, x, y, size, out_x + out_y) if busy else _carried(scaled, guard, u, v, out_x, out_y, size)
    noise = _noise(scaled, guard)
    fill = fill + canvas.grain(width, height, noise) * (1 - weight)[:, :, None]
    return np.asarray(fill + (inside - fill) * weight[:, :, None], np.float32)


def _feather(fit: Fit, size: tuple[int, int], x: NDArray[np.int_], y: NDArray[np.int_], subject: Floats) -> Floats:
    """1 where the photo shows, falling to 0 at those of its edges that lie in the frame; never over the subject."""
    width, height = size
    soft = SEAM * min(fit.width, fit.height)
    across, down = np.ones(width, np.float32), np.ones(height, np.float32)
    if fit.x > 0:
        across *= canvas.ramp(x, 0, soft)
    if fit.x + fit.width < width:
        across *= canvas.ramp(fit.width - 1 - x, 0, soft)
    if fit.y > 0:
        down *= canvas.ramp(y, 0, soft)
    if fit.y + fit.height < height:
        down *= canvas.ramp(fit.height - 1 - y, 0, soft)
    spared = canvas.ramp(canvas.blurred(subject, soft / 5), 0.02, 0.35)
    return np.asarray(np.maximum(down[:, None] * across[None, :], spared), np.float32)


def _carried(
    scaled: Bytes, guard: Bytes, u: NDArray[np.int_], v: NDArray[np.int_], out_x: Floats, out_y: Floats,
    size: tuple[int, int],
) -> Floats:  # fmt: skip
    """The colours of the photo's edges, carried outwards: near the edge as they are, farther out smoothed along it."""
    pixels, free = scaled.astype(np.float32), np.asarray(1 - guard / np.float32(255), np.float32)
    sides = {name: _edge(pixels, free, name) for name in ("left", "right", "top", "bottom")}
    near, far = (_field(sides, level, u, v, scaled.shape, out_x, out_y) for level in (0, 1))
    reach = canvas.ramp(np.maximum(out_x, out_y), 0, 0.1 * max(size))
    return canvas.over(near, far, reach)


def _edge(pixels: Floats, free: Floats, side: str) -> tuple[Floats, Floats]:
    """The backdrop's colours along one edge, (as they are, smooth): averaged over a strip, subject left out."""
    if side in ("left", "right"):
        pixels, free = pixels.swapaxes(0, 1), free.swapaxes(0, 1)
    if side in ("right", "bottom"):
        pixels, free = pixels[::-1], free[::-1]
    depth = max(2, round(0.04 * len(pixels)))
    weight = np.ascontiguousarray(free[:depth]) + np.float32(1e-3)
    line = (pixels[:depth] * weight[:, :, None]).sum(axis=0)
    mass = weight.sum(axis=0)
    long = len(line)
    return _smooth(line, mass, 0.015 * long), _smooth(line, mass, 0.12 * long)


def _smooth(line: Floats, mass: Floats, sigma: float) -> Floats:
    """A weighted line of colours, smoothed along itself; gaps are bridged from both sides."""
    total = canvas.blurred(np.ascontiguousarray(line[None]), sigma)[0]
    count = canvas.blurred(np.ascontiguousarray(mass[None]), sigma)[0]
    wide_total = canvas.blurred(np.ascontiguousarray(line[None]), sigma * 8)[0]
    wide = wide_total / canvas.blurred(np.ascontiguousarray(mass[None]), sigma * 8)[0][:, None]
    sure = canvas.ramp(count / max(1e-6, float(mass.max())), 0.05, 0.4)[:, None]
    return np.asarray(wide + (total / np.maximum(count, 1e-6)[:, None] - wide) * sure, np.float32)


def _field(
    sides: dict[str, tuple[Floats, Floats]], level: int, u: NDArray[np.int_], v: NDArray[np.int_],
    shape: tuple[int, ...], out_x: Floats, out_y: Floats,
) -> Floats:  # fmt: skip
    """What each pixel of the frame gets from the nearest edge; between two edges, a mix by distance."""
    high, wide = shape[:2]
    left, right = sides["left"][level][v][:, None], sides["right"][level][v][:, None]
    top, bottom = sides["top"][level][u][None], sides["bottom"][level][u][None]
    at_x = (u / max(1, wide - 1)).astype(np.float32)[None, :, None]
    at_y = (v / max(1, high - 1)).astype(np.float32)[:, None, None]
    across, down = left + (right - left) * at_x, top + (bottom - top) * at_y
    edge_x = np.minimum(at_x, 1 - at_x) * wide + out_y[:, :, None] * 1e-3 + 1
    edge_y = np.minimum(at_y, 1 - at_y) * high + out_x[:, :, None] * 1e-3 + 1
    push_x = (out_x[:, :, None] + 1) / edge_x
    push_y = (out_y[:, :, None] + 1) / edge_y
    return np.asarray((across * push_x + down * push_y) / (push_x + push_y), np.float32)


def _mirrored(scaled: Bytes, x: NDArray[np.int_], y: NDArray[np.int_], size: tuple[int, int], out: Floats) -> Floats:
    """The place's mirror image, farther out of focus and darker with every step from the edge."""
    high, wide = scaled.shape[:2]
    picture = scaled[_folded(y, high)][:, _folded(x, wide)].astype(np.float32)
    long = max(size)
    near, far = canvas.blurred(picture, 0.006 * long), canvas.blurred(picture, 0.03 * long)
    picture = canvas.over(near, far, canvas.ramp(out, 0, 0.12 * long))
    return np.asarray(picture * (1 - np.float32(0.38) * canvas.ramp(out, 0, 0.4 * long))[:, :, None], np.float32)


def _folded(at: NDArray[np.int_], length: int) -> NDArray[np.int_]:
    period = max(1, 2 * length - 2)
    turned = np.mod(at, period)
    return np.asarray(np.minimum(turned, period - turned))


def _noise(scaled: Bytes, guard: Bytes) -> float:
    """The photo's own grain: the usual step between neighbours, where there is no subject."""
    grey = scaled[:, :, 1].astype(np.int16)
    steps = np.abs(grey[:, 2:] - 2 * grey[:, 1:-1] + grey[:, :-2])[guard[:, 1:-1] < 8]
    return float(min(2.5, np.mean(np.minimum(steps, 12)) / 2.0)) if steps.size else 0.6
