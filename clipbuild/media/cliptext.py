"""How well the texts of a finished clip read: their letters against what is right around them, in the clip's own frames.

Where the letters are is told by those who drew them, as a small mask; how light they and their surroundings are is
measured, tile by tile, so that a light spot behind one word counts. Knows nothing of files, limits or how text was set.
"""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from clipbuild.media import contrast
from clipbuild.media.metrics import Box

Bytes = NDArray[np.uint8]
EVERY, MOST = 0.4, 40
"""Seconds between two looks, and the most looks at a clip."""
EM = 32
"""Pixels of an em in a mask."""
NEAR, WIDE = 2, 3
"""The ground that counts begins so many pixels of a mask away from the letters, and is so wide. In small letters it begins
further off: encoding smears over a pixel and a half."""
SMEAR = 1.6
INKED = 80
"""Percentile of the letters' pixels that shows their ink: thin strokes hardly reach it."""
LEAST = 20
"""Fewer pixels of letters than this in a tile are the end of one from next door."""


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """A text of the clip: its box (shares of the frame), from and until when (seconds).

    `letters` is where they are in the box (0 and 1, an em is `EM` pixels), `edge` the width of their outline in these
    pixels, `steady` the time in which the text neither comes nor goes.
    """

    box: Box
    start: float
    end: float
    letters: Bytes | None = None
    edge: float = 0.0
    steady: tuple[float, float] | None = None

    @property
    def time(self) -> tuple[float, float]:
        """From when until when it is looked at."""
        begin, end = self.steady or (self.start, self.end)
        return (begin, end) if begin <= end else ((begin + end) / 2,) * 2


def told(rgba: Bytes, ink: tuple[int, int, int], em: float) -> dict[str, Any]:
    """Where the letters of a drawn text are, as JSON data: `size` of the mask and its `bits`."""
    near = np.abs(rgba[..., :3].astype(np.int16) - np.array(ink, np.int16)).max(axis=2) <= 8
    mask = np.asarray(near & (rgba[..., 3] >= 128), np.uint8) * np.uint8(255)
    size = (max(1, round(mask.shape[1] * EM / em)), max(1, round(mask.shape[0] * EM / em)))
    small = cv2.resize(mask, size, interpolation=cv2.INTER_AREA if em > EM else cv2.INTER_LINEAR) >= 128
    return {"size": list(size), "bits": base64.b64encode(np.packbits(small).tobytes()).decode("ascii")}


def letters(said: Mapping[str, Any]) -> Bytes:
    """The mask again."""
    wide, high = (int(value) for value in said["size"])
    bits = np.unpackbits(np.frombuffer(base64.b64decode(said["bits"]), np.uint8))
    return np.asarray(bits[: wide * high].reshape(high, wide), np.uint8)


def moments(texts: Sequence[Text], seconds: float, fps: float) -> list[int]:
    """The numbers of the frames to look at: at even steps while there is text, and the middle of each."""
    known = [text for text in texts if text.letters is not None]
    step = max(EVERY, seconds / MOST)
    last = max(0, round(seconds * fps) - 1)
    found = {round(sum(text.time) / 2 * fps) for text in known}
    for text in known:
        begin, end = text.time
        found |= {round(at * fps) for at in np.arange(np.ceil(begin / step) * step, end, step)}
    return sorted({min(number, last) for number in found})


def worst(texts: Sequence[Text], frames: Iterator[tuple[float, Bytes]]) -> dict[int, tuple[float, float]]:
    """The least contrast of each text, by its place in `texts`, and when: of frames (seconds, RGB)."""
    found: dict[int, tuple[float, float]] = {}
    for at, frame in frames:
        for place, text in enumerate(texts):
            begin, end = text.time
            if text.letters is not None and begin - 0.02 <= at <= end + 0.02:
                value = _least(text, text.letters, frame)
                if value < found.get(place, (99.0, 0.0))[0]:
                    found[place] = (value, at)
    return found


def _least(text: Text, mask: Bytes, frame: Bytes) -> float:
    """The least contrast (WCAG 2.x) over the tiles of one frame."""
    high, wide = frame.shape[:2]
    x0, y0, x1, y1 = (round(v * s) for v, s in zip(text.box, (wide, high, wide, high), strict=True))
    scale = mask.shape[1] / max(1, x1 - x0)
    near = max(NEAR, round(SMEAR * scale))
    far = near + WIDE
    pad = max(1, round(far / scale))  # the ground of a bare text goes on beyond its box
    cut = _cut(frame, x0 - pad, y0 - pad, x1 + pad, y1 + pad)
    size = mask.shape[1] + 2 * far, mask.shape[0] + 2 * far
    small = cv2.resize(cut, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    light = contrast.LINEAR[small] @ contrast.WEIGHTS
    there = np.pad(mask, far)
    if text.edge:
        ring = (_grown(there, max(1, int(text.edge))) > 0) & (there == 0)
    else:
        ring = (_grown(there, far) > 0) & (_grown(there, near - 1) == 0)
    tiles = list(_tiles(*there.shape))
    return min((_tile(light[t][there[t] > 0], light[t][ring[t]], text.edge > 0) for t in tiles), default=21.0)


def _tile(inside: Any, around: Any, outlined: bool) -> float:
    if inside.size < LEAST or around.size < LEAST:
        return 21.0
    middle = float(np.median(around))
    letter = float(np.percentile(inside, INKED if float(np.median(inside)) >= middle else 100 - INKED))
    if outlined:
        return contrast.ratio(letter, middle)
    ground = np.sort(around)
    low, high = float(ground[ground.size // 10]), float(ground[-1 - ground.size // 10])
    return min(contrast.ratio(letter, low), contrast.ratio(letter, high))


def _cut(frame: Bytes, x0: int, y0: int, x1: int, y1: int) -> Bytes:
    """That part of the frame, its edge repeated where it goes beyond."""
    high, wide = frame.shape[:2]
    rows, columns = np.clip(np.arange(y0, y1), 0, high - 1), np.clip(np.arange(x0, x1), 0, wide - 1)
    return np.ascontiguousarray(frame[rows[:, None], columns[None, :]])


def _grown(mask: Bytes, by: int) -> Bytes:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * by + 1, 2 * by + 1))
    return np.asarray(cv2.dilate(mask, kernel), np.uint8)


def _tiles(high: int, wide: int) -> Iterator[tuple[slice, slice]]:
    rows, columns = max(1, round(high / EM / 1.3)), max(1, round(wide / EM / 2))
    down, across = np.linspace(0, high, rows + 1).astype(int), np.linspace(0, wide, columns + 1).astype(int)
    for row in range(rows):
        for column in range(columns):
            yield slice(down[row], down[row + 1]), slice(across[column], across[column + 1])
