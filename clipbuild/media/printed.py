"""Lettering that is part of a picture: lines of signs of one height, close to one another, darker or lighter than their ground.

A classic, without a model: connected signs of a letter's shape, gathered into lines. It misses script and single words in
large letters; what it finds is print. Knows nothing of limits or languages.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Box = tuple[int, int, int, int]
SIDE = 1024
"""Longer side of the copy that is looked at."""
LEAST, MOST = 7, 36
"""Heights of letters that are looked for, in its pixels."""
APART = 16
"""Levels by which letters differ from their surroundings."""
LETTERS, LEAST_SIGNS = 6, 4
"""A line has as many letters, and signs that do not touch, at least."""
JOINED = 2.5
"""Letters that touch are one sign, up to so many times as wide as high."""
SIGNS = 1500
"""More signs than this are texture."""


@dataclass(frozen=True, slots=True)
class Print:
    """Boxes of lines in shares of the picture, and how many letters they have together."""

    lines: tuple[tuple[float, float, float, float], ...]
    letters: int


def find(rgb: Bytes) -> Print:
    """The lines of lettering in a picture."""
    high, wide = rgb.shape[:2]
    scale = min(1.0, SIDE / max(high, wide))
    size = max(8, round(wide * scale)), max(8, round(high * scale))
    grey = np.asarray(cv2.cvtColor(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY), np.uint8)
    lines = [line for sign in (-1, 1) for line in _lines(_letters(grey, sign)) if _is_print(line, grey)]
    boxes = [_around(line) for line in lines]
    shares = tuple((x0 / size[0], y0 / size[1], x1 / size[0], y1 / size[1]) for x0, y0, x1, y1 in boxes)
    return Print(shares, sum(map(_count, lines)))


def _letters(grey: Bytes, sign: int) -> list[Box]:
    """Boxes of connected signs that are darker (`sign` -1) or lighter than what is around them."""
    away = grey.astype(np.float32) - cv2.GaussianBlur(grey, (0, 0), 12).astype(np.float32)
    count, _, stats, _ = cv2.connectedComponentsWithStats((away * sign > APART).astype(np.uint8), connectivity=8)
    found = []
    for x, y, w, h, area in stats[1:count].tolist():
        if LEAST <= h <= MOST and 0.1 * h <= w <= JOINED * h and 0.15 <= area / (w * h) <= 0.95:
            found.append((x, y, x + w, y + h))
    return sorted(found) if len(found) <= SIGNS else []


def _lines(letters: list[Box]) -> list[list[Box]]:
    """Letters of about one height that stand beside one another on one line."""
    open_: list[list[Box]] = []
    for box in letters:
        best = None
        for line in open_:
            last = line[-1]
            tall, near = last[3] - last[1], box[0] - last[2]
            alike = 0.55 < (box[3] - box[1]) / tall < 1.8
            level = min(abs(box[3] - last[3]), abs(box[1] + box[3] - last[1] - last[3]) / 2) < 0.3 * tall
            if alike and level and -0.3 * tall <= near <= 1.1 * tall and (best is None or near < box[0] - best[-1][2]):
                best = line
        if best is None:
            open_.append([box])
        else:
            best.append(box)
    return [line for line in open_ if len(line) >= LEAST_SIGNS and _count(line) >= LETTERS]


def _count(line: list[Box]) -> int:
    """About how many letters: those that touch are told apart by their width."""
    return sum(max(1, round((b[2] - b[0]) / (0.7 * (b[3] - b[1])))) for b in line)


def _is_print(line: list[Box], grey: Bytes) -> bool:
    """Its letters differ in width, as a pattern's do not, and stand out from their ground alike."""
    widths = np.array([b[2] - b[0] for b in line], float)
    tops = np.array([b[3] for b in line], float)
    tall = float(np.median([b[3] - b[1] for b in line]))
    slope = np.polyfit(np.arange(len(line)), tops, 1)
    heights = np.array([b[3] - b[1] for b in line], float)
    even = float(heights.std() / heights.mean()) < 0.3
    straight = float(np.abs(tops - np.polyval(slope, np.arange(len(line)))).mean()) < 0.15 * tall
    x0, y0, x1, y1 = _around(line)
    part = grey[y0:y1, x0:x1]
    spread = float(np.subtract(*np.percentile(part, (95, 5))))
    return even and straight and float(widths.std() / widths.mean()) > 0.12 and spread > 40 and x1 - x0 > 2.5 * tall


def _around(line: list[Box]) -> Box:
    return min(b[0] for b in line), min(b[1] for b in line), max(b[2] for b in line), max(b[3] for b in line)
