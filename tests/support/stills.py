"""Pictures and clips drawn for tests: a product on a plain, busy or blurred ground, and clips that push in on it."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def plain(width: int = 900, height: int = 900, tone: int = 232) -> Picture:
    """A seamless studio ground, a little darker below."""
    rows = np.linspace(tone + 6, tone - 8, height)[:, None, None]
    noise = np.random.default_rng(1).normal(0, 0.6, (height, width, 1))
    return np.clip(np.broadcast_to(rows, (height, width, 3)) + noise, 0, 255).astype(np.uint8)


def busy(width: int = 900, height: int = 900, seed: int = 3) -> Picture:
    """Pebbles: sharp, high-contrast detail everywhere."""
    rng = np.random.default_rng(seed)
    ground = np.full((height, width, 3), 90, np.uint8)
    for _ in range(1400):
        at = int(rng.integers(0, width)), int(rng.integers(0, height))
        axes = int(rng.integers(6, 26)), int(rng.integers(5, 18))
        colour = tuple(int(v) for v in rng.integers(40, 235, 3))
        cv2.ellipse(ground, at, axes, float(rng.integers(0, 180)), 0, 360, colour, -1, cv2.LINE_AA)
    return ground


def blurred(width: int = 900, height: int = 900) -> Picture:
    """The pebbles far out of focus, with coarse light and dark."""
    rng = np.random.default_rng(5)
    tones = rng.integers(30, 220, (5, 5, 1)) * 0.7 + rng.integers(20, 235, (5, 5, 3)) * 0.3
    coarse = cv2.resize(tones.astype(np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(cv2.GaussianBlur(coarse, (0, 0), 30), np.uint8)


def bottle(
    ground: Picture, x: float = 0.5, y: float = 0.5, tall: float = 0.55, hue: tuple[int, int, int] = (168, 42, 36)
) -> Picture:
    """A labelled bottle on a ground, `tall` of its height, its centre at x, y."""
    picture = ground.copy()
    height, width = picture.shape[:2]
    high, wide = tall * height, tall * height * 0.34
    cx, cy = x * width, y * height
    shade = np.clip(1.15 - np.abs((np.arange(width) - cx + wide * 0.18) / wide), 0.35, 1.0)[None, :, None]
    body = np.zeros((height, width), np.uint8)
    _rounded(body, cx - wide / 2, cy - high * 0.25, cx + wide / 2, cy + high / 2, wide * 0.12)
    _rounded(body, cx - wide * 0.16, cy - high / 2, cx + wide * 0.16, cy - high * 0.2, wide * 0.05)
    paint = np.clip(np.array(hue)[None, None] * shade, 0, 255)
    share = cv2.GaussianBlur(body.astype(np.float32) / 255, (0, 0), 0.8)[..., None]
    picture = np.asarray(picture * (1 - share) + paint * share, np.uint8)
    left, top = int(cx - wide * 0.4), int(cy - high * 0.05)
    right, bottom = int(cx + wide * 0.4), int(cy + high * 0.3)
    cv2.rectangle(picture, (left, top), (right, bottom), (242, 236, 220), -1)
    for k, words in enumerate(("FERN", "& FIELD", "No. 17")):
        spot = left + int(wide * 0.06), top + int((k + 1) * (bottom - top) / 3.6)
        cv2.putText(
            picture, words, spot, cv2.FONT_HERSHEY_DUPLEX, wide / 260, (30, 30, 34), max(1, int(wide / 90)), cv2.LINE_AA
        )
    return picture


def _rounded(mask: Picture, x0: float, y0: float, x1: float, y1: float, radius: float) -> None:
    r = int(radius)
    cv2.rectangle(mask, (int(x0) + r, int(y0)), (int(x1) - r, int(y1)), 255, -1)
    cv2.rectangle(mask, (int(x0), int(y0) + r), (int(x1), int(y1) - r), 255, -1)
    for x in (x0 + r, x1 - r):
        for y in (y0 + r, y1 - r):
            cv2.circle(mask, (int(x), int(y)), r, 255, -1)


def push(picture: Picture, frames: int = 60, zoom: float = 1.06, pan: tuple[float, float] = (0.0, 0.0), size: tuple[int, int] = (270, 480),
         shake: float = 0.0) -> list[Picture]:  # fmt: skip
    """A clip that pushes in on `picture` by `zoom` and carries it by `pan` (shares of the frame)."""
    wide, high = 2 * size[0], 2 * size[1]
    scale = max(wide / picture.shape[1], high / picture.shape[0])
    rng = np.random.default_rng(7)
    made = []
    for i in range(frames):
        t = i / max(1, frames - 1)
        z = scale * (1.04 + (zoom - 1) * 1.04 * t)
        dx, dy = pan[0] * t * wide, pan[1] * t * high
        if shake:
            dx, dy = dx + shake * rng.standard_normal(), dy + shake * rng.standard_normal()
        centre = picture.shape[1] / 2, picture.shape[0] / 2
        move = np.array([[z, 0, wide / 2 - z * centre[0] + dx], [0, z, high / 2 - z * centre[1] + dy]])
        large = cv2.warpAffine(picture, move, (wide, high), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
        made.append(np.asarray(cv2.resize(large, size, interpolation=cv2.INTER_AREA), np.uint8))
    return made


def each(frames: list[Picture], change: Callable[[Picture, float, int], Picture]) -> list[Picture]:
    """The frames with `change(frame, time 0..1, number)` done to each."""
    return [np.asarray(change(frame, i / max(1, len(frames) - 1), i), np.uint8) for i, frame in enumerate(frames)]


def flickering(frames: list[Picture]) -> list[Picture]:
    """±2 % of brightness, frame by frame."""
    return each(frames, lambda f, _, i: np.clip(f * (1 + 0.02 * (-1) ** i), 0, 255))


def shimmering(frames: list[Picture]) -> list[Picture]:
    """The upper third boils."""
    rng = np.random.default_rng(0)

    def boil(frame: Picture, _: float, __: int) -> Picture:
        out = frame.astype(np.float32)
        third = out.shape[0] // 3
        out[:third] += rng.normal(0, 12, (third, out.shape[1], 1))
        return np.asarray(np.clip(out, 0, 255), np.uint8)

    return each(frames, boil)


def waving(frames: list[Picture], px: float) -> list[Picture]:
    """A wave that bends the picture sideways, up to `px` at the end."""
    height, width = frames[0].shape[:2]
    down, across = np.mgrid[0:height, 0:width].astype(np.float32)

    def bend(frame: Picture, t: float, _: int) -> Picture:
        moved = (across + px * t * np.sin(down / 30)).astype(np.float32)
        return np.asarray(cv2.remap(frame, moved, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT), np.uint8)

    return each(frames, bend)


def tinting(frames: list[Picture]) -> list[Picture]:
    """Colours that grow warmer."""
    return each(frames, lambda f, t, _: np.clip(f + np.array([14, 0, -14]) * t, 0, 255))


def smearing(frames: list[Picture], box: tuple[float, float, float, float]) -> list[Picture]:
    """A label (shares of the frame) that melts, as small print does in generated motion."""
    height, width = frames[0].shape[:2]
    x0, y0, x1, y1 = (round(v * s) for v, s in zip(box, (width, height, width, height), strict=True))

    def melt(frame: Picture, t: float, _: int) -> Picture:
        out = frame.copy()
        out[y0:y1, x0:x1] = cv2.GaussianBlur(out[y0:y1, x0:x1], (0, 0), 0.1 + 4 * t)
        return out

    return each(frames, melt)
