"""What it takes that texts read well where they stand: their ink, and a shade or box where the picture is restless.

Measures on frames of the clip, over the whole time of each text, in tiles of about a line's height, so that a light
spot behind one word counts. Knows nothing of how text is set.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clipbuild.media import contrast
from clipbuild.media.contrast import NEEDED, RGB
from clipbuild.media.shapes import Rect

MOMENTS = 8
WANTED = NEEDED + 0.2
"""Encoding takes a little contrast away."""
HEAVY = 0.5
"""A shade of more than this looks like a stain: a box is better."""

Bytes = NDArray[np.uint8]
Sampler = Callable[..., list[Any]]


@dataclass(frozen=True, slots=True)
class Spot:
    """A place and a time in which text is read; `em` is the size of its letters."""

    rect: Rect
    start: float
    end: float
    em: float


@dataclass(frozen=True, slots=True)
class Seen:
    """Frames of a part of the picture (its corner at `x`, `y`) at moments of the clip."""

    times: tuple[float, ...]
    frames: tuple[Bytes, ...]
    x: int
    y: int

    def tiles(self, spot: Spot) -> list[Bytes]:
        """Pixels (n x 3) of each tile of a spot in each frame of its time."""
        inside = [f for t, f in zip(self.times, self.frames, strict=True) if spot.start - 0.02 <= t <= spot.end + 0.02]
        middle = (spot.start + spot.end) / 2
        nearest = min(range(len(self.times)), key=lambda i: abs(self.times[i] - middle))
        found: list[Bytes] = []
        for frame in inside or [self.frames[nearest]]:
            found += list(_tiles(frame, spot.rect, self.x, self.y, max(spot.em * 1.2, 8.0)))
        return found


def look(sample: Sampler, spots: Sequence[Spot], size: tuple[int, int]) -> Seen:
    """See the picture behind all spots, at the moments that matter."""
    x0, y0 = max(0, int(min(s.rect.x0 for s in spots))), max(0, int(min(s.rect.y0 for s in spots)))
    x1 = min(size[0], int(np.ceil(max(s.rect.x1 for s in spots))))
    y1 = min(size[1], int(np.ceil(max(s.rect.y1 for s in spots))))
    times = _moments(spots)
    frames = sample(times, (x0, y0, max(x1, x0 + 2), max(y1, y0 + 2)))
    return Seen(tuple(times), tuple(frames), x0, y0)


def _moments(spots: Sequence[Spot]) -> list[float]:
    """Starts, middles and ends, thinned out to MOMENTS."""
    every = sorted({round(t, 2) for s in spots for t in (s.start, (s.start + s.end) / 2, max(s.start, s.end - 0.05))})
    if len(every) <= MOMENTS:
        return every
    return [every[round(i * (len(every) - 1) / (MOMENTS - 1))] for i in range(MOMENTS)]


def _tiles(frame: Bytes, rect: Rect, x: int, y: int, side: float) -> list[Bytes]:
    x0, y0, x1, y1 = rect.x0 - x, rect.y0 - y, rect.x1 - x, rect.y1 - y
    rows, columns = max(1, round((y1 - y0) / side)), max(1, round((x1 - x0) / side))
    found = []
    for row in range(rows):
        for column in range(columns):
            top, left = y0 + (y1 - y0) * row / rows, x0 + (x1 - x0) * column / columns
            box = left, top, left + (x1 - x0) / columns, top + (y1 - y0) / rows
            found += contrast.behind([frame], box, (frame.shape[1], frame.shape[0]))
    return found


def best_ink(seen: Seen, spots: Sequence[Spot], inks: Sequence[RGB]) -> tuple[float, RGB]:
    """The ink for all spots together and the shade it needs: the first that reads everywhere, else the one that
    needs the least."""
    tiles = [tile for spot in spots for tile in seen.tiles(spot)]
    spreads = contrast.spreads(tiles)
    worst = [contrast.least(ink, spreads) for ink in inks]
    for ink, value in zip(inks, worst, strict=True):
        if value >= WANTED:
            return 0.0, ink
    needs = [contrast.opacity_needed(ink, tiles, shade_for(ink), WANTED) for ink in inks]
    best = min(range(len(inks)), key=lambda i: (needs[i], -worst[i]))
    return needs[best], inks[best]


def shade_for(ink: RGB) -> RGB:
    """What darkens behind light letters, or lightens behind dark ones."""
    return (12, 13, 16) if contrast.luminance(ink) > 0.3 else (250, 250, 248)


def shade_needed(seen: Seen, spot: Spot, ink: RGB) -> float:
    """The least opacity of a shade with which `ink` reads there; 0.0 where none is needed."""
    tiles = seen.tiles(spot)
    if contrast.measured(ink, tiles) >= WANTED:
        return 0.0
    return contrast.opacity_needed(ink, tiles, shade_for(ink), WANTED)


def box_opacity(seen: Seen, spot: Spot, ink: RGB, box: RGB, wanted: float) -> float:
    """`wanted`, or more where `ink` would not read on the box laid over the picture."""
    tiles = seen.tiles(spot)
    if contrast.measured(ink, contrast.shaded(tiles, box, wanted)) >= WANTED:
        return wanted
    return max(wanted, contrast.opacity_needed(ink, tiles, box, WANTED))
