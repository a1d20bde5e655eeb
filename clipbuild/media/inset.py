"""A picture or clip of the user's own that lies on the clip for a while: where it lies, its shape, its frames.

A talking head in a circle, a product video in a rounded box, footage with an alpha channel over a scene. Text keeps
clear of it. Knows nothing of text or of what lies below.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clipbuild.errors import MediaError
from clipbuild.media import footage, pictures, probe, shapes
from clipbuild.media.frames import Film, Rows, Scene
from clipbuild.media.layers import Layer
from clipbuild.media.layout import Box
from clipbuild.media.probe import Facts
from clipbuild.media.shapes import Canvas, Rect
from clipbuild.media.warp import MARGIN, ONE, Placed, Plane

PLACES = {
    "top-left": (0.0, 0.0), "top": (0.5, 0.0), "top-right": (1.0, 0.0), "left": (0.0, 0.5), "middle": (0.5, 0.5),
    "right": (1.0, 0.5), "bottom-left": (0.0, 1.0), "bottom": (0.5, 1.0), "bottom-right": (1.0, 1.0),
}  # fmt: skip
SHAPES = ("box", "rounded", "circle", "full")
HIGHEST = 0.5
"""The most of the frame's height that an inset takes."""
RADIUS, SHADOW = 0.09, 0.34
FADE, Z = 0.25, 20
Bytes = NDArray[np.uint8]
Sampler = Callable[..., list[Any]]


@dataclass(frozen=True, slots=True)
class Inset:
    """A file, when it is seen, and the rectangle (even numbers) it takes. `facts` for a clip, None for a picture."""

    path: str
    start: float
    end: float
    rect: Box
    shape: str
    facts: Facts | None

    @property
    def whole(self) -> bool:
        """It covers the frame."""
        return self.shape == "full"


def insets(
    entries: Sequence[Mapping[str, Any]], paths: Sequence[str], size: tuple[int, int], safe: Sequence[int], seconds: float
) -> list[Inset]:
    """The insets of a clip of `size`, from the params `layers` (at, seconds, place, shape, width). Raises MediaError."""
    return [_inset(entry, path, size, safe, seconds) for entry, path in zip(entries, paths, strict=True)]


def _inset(entry: Mapping[str, Any], path: str, size: tuple[int, int], safe: Sequence[int], seconds: float) -> Inset:
    place, shape = str(entry.get("place", "bottom-right")), str(entry.get("shape", "rounded"))
    if shape not in SHAPES or place not in (*PLACES, "full"):
        raise MediaError(f"a layer can't be {shape!r} at {place!r}", [("shapes", ", ".join(SHAPES))])
    facts = probe.facts(path) if _is_clip(path) else None
    start, lasts = float(entry.get("at", 0.0)), entry.get("seconds")
    end = min(seconds, start + (float(lasts) if lasts is not None else facts.seconds if facts else seconds))
    if start >= seconds or end <= start:
        raise MediaError(f"a layer comes at {start:g} s, the clip ends at {seconds:g} s", hint="change its `at:`")
    own = (facts.width, facts.height) if facts else pictures.size(path)
    shape = "full" if place == "full" else shape
    return Inset(path, start, end, _rect(own, shape, place, float(entry.get("width", 0.36)), size, safe), shape, facts)


def _is_clip(path: str) -> bool:
    with open(path, "rb") as file:
        return file.read(8)[4:] == b"ftyp"


def _rect(
    own: tuple[int, int], shape: str, place: str, share: float, size: tuple[int, int], safe: Sequence[int]
) -> Box:
    if shape == "full":
        return 0, 0, *size
    room = safe[2] - safe[0], safe[3] - safe[1]
    ratio = 1.0 if shape == "circle" else own[1] / own[0]
    wide = min(share * size[0], room[0], min(HIGHEST * size[1], room[1]) / ratio)
    width, height = max(2, _even(wide)), max(2, _even(wide * ratio))
    across, down = PLACES[place]
    x, y = _even(safe[0] + across * (room[0] - width)), _even(safe[1] + down * (room[1] - height))
    return x, y, x + width, y + height


def _even(value: float) -> int:
    return int(value / 2) * 2


@contextmanager
def shown(scene: Scene, found: Sequence[Inset], program: str) -> Iterator[None]:
    """Have the insets in a scene; the clips among them are decoded for as long as the block lasts."""
    with ExitStack() as stack:
        films = []
        for number, inset in enumerate(found):
            mask = _mask(inset)
            scene.layers.extend(_shadow(inset, Z + number))
            if inset.facts is None:
                scene.layers.append(_picture(inset, mask, Z + number))
                continue
            width, height = inset.rect[2] - inset.rect[0], inset.rect[3] - inset.rect[1]
            fps = Fraction(scene.fps).limit_denominator(1001)
            moving = footage.Footage(program, inset.path, inset.facts, width, height, fps)
            film = Moving(stack.enter_context(moving), inset, mask, scene.fps)
            films.append(film)
            scene.films.append(Film(inset.start, inset.end, FADE, Z + number, film.rows))
        yield
        for film in films:
            film.footage.finish()


def voice(found: Sequence[Inset]) -> Inset | None:
    """The inset that is heard: the first clip with sound."""
    return next((inset for inset in found if inset.facts is not None and inset.facts.sound), None)


def sampler(below: Sampler, found: Sequence[Inset], program: str, size: tuple[int, int]) -> Sampler:
    """A way to look at the picture with those insets on it that cover all of it."""
    covering = [inset for inset in found if inset.whole]

    def sample(times: Sequence[float], box: Any = None) -> list[Any]:
        frames = list(below(times, box))
        for inset in covering:
            inside = [i for i, at in enumerate(times) if inset.start <= at < inset.end]
            for i, frame in zip(inside, _seen(inset, [times[i] for i in inside], program, size, box), strict=True):
                frames[i] = frame
        return frames

    return sample if covering else below


def _seen(inset: Inset, times: Sequence[float], program: str, size: tuple[int, int], box: Any) -> list[Bytes]:
    if inset.facts is None:
        rgb = _picture(inset, None, 0).rgba[:, :, :3]
        return [rgb[box[1] : box[3], box[0] : box[2]] if box else rgb] * len(times)
    last = inset.facts.seconds - 1 / float(inset.facts.rate)
    return footage.sample(program, inset.path, size, [min(at - inset.start, last) for at in times], box)


def _mask(inset: Inset) -> Bytes | None:
    """Coverage of the shape, of the inset's size; None for all of it."""
    if inset.shape in ("box", "full"):
        return None
    width, height = inset.rect[2] - inset.rect[0], inset.rect[3] - inset.rect[1]
    radius = width / 2 if inset.shape == "circle" else RADIUS * min(width, height)
    mask, _, _ = shapes.round_mask(Rect(0, 0, width, height), radius)
    return mask[1 : height + 1, 1 : width + 1]


def _shadow(inset: Inset, z: int) -> list[Layer]:
    if inset.whole or _has_alpha(inset):
        return []
    rect = Rect(*inset.rect)
    blur = 0.03 * rect.width
    canvas = Canvas(rect.grown(4 * blur))
    mask, x, y = shapes.round_mask(rect, rect.width / 2 if inset.shape == "circle" else RADIUS * min(rect.width, rect.height))
    canvas.shadow(mask, x, y + round(0.5 * blur), blur, (0, 0, 0), SHADOW)
    x, y, rgba = canvas.cropped()
    return [Layer(x, y, rgba, inset.start, inset.end, FADE, z=z)]


def _has_alpha(inset: Inset) -> bool:
    if inset.facts is not None:
        return footage.has_alpha(inset.facts)
    return pictures.read(inset.path, side=64)[1] is not None


def _picture(inset: Inset, mask: Bytes | None, z: int) -> Layer:
    from PIL import Image, ImageOps
    from PIL.Image import Resampling

    size = inset.rect[2] - inset.rect[0], inset.rect[3] - inset.rect[1]
    rgb, alpha = pictures.read(inset.path, side=4096)
    rgba = np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8) if alpha is None else alpha])
    fitted = np.array(ImageOps.fit(Image.fromarray(rgba).convert("RGBa"), size, Resampling.LANCZOS).convert("RGBA"))
    if mask is not None:
        fitted[..., 3] = (fitted[..., 3].astype(np.uint16) * mask + 127) // 255
    return Layer(inset.rect[0], inset.rect[1], fitted, inset.start, inset.end, FADE, z=z)


class Moving:
    """The frames of a clip in an inset, one after the other."""

    __slots__ = ("_alpha", "_half", "_held", "_whole", "footage", "inset", "start")

    def __init__(self, decoded: "footage.Footage", inset: Inset, mask: Bytes | None, fps: float) -> None:
        self.footage, self.inset, self.start = decoded, inset, round(inset.start * fps)
        width, height = inset.rect[2] - inset.rect[0], inset.rect[3] - inset.rect[1]
        self._whole = mask is None and not decoded.alpha
        self._alpha, self._half = _alphas(mask if mask is not None else np.full((height, width), 255, np.uint8))
        self._held = [np.zeros_like(self._alpha), np.zeros_like(self._half), np.zeros_like(self._half)]

    def rows(self, index: int, opacity: int) -> Rows:
        """The inset as it lies in frame `index` of the clip."""
        found = self.footage.rows(max(0, index - self.start))
        x, y, width, height = self.inset.rect[0], self.inset.rect[1], found[0].w, found[0].h
        if self._whole:
            at = [(x, y, width, height), *[(x // 2, y // 2, width // 2, height // 2)] * 2]
            luma, blue, red = (Placed(r.colour, None, opacity, *p) for r, p in zip(found, at, strict=True))
            return luma, blue, red
        shares = self._shares()
        placed = []
        for row, share, held, part in zip(found, (shares[0], shares[1], shares[1]), self._held, (1, 2, 2), strict=True):
            held[:] = (row.colour.data.astype(np.int32) * share + ONE // 2) >> 14
            plane = Plane(held, row.w, row.h)
            alpha = Plane(share, row.w, row.h)
            placed.append(Placed(plane, alpha, opacity, x // part, y // part, row.w, row.h))
        return placed[0], placed[1], placed[2]

    def _shares(self) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
        own = self.footage.share
        if own is None:
            return self._alpha, self._half
        full = np.pad((own.astype(np.int32) * ONE + 127) // 255, MARGIN)
        full = (full * self._alpha + ONE // 2) >> 14
        half = _halved(full[MARGIN:-MARGIN, MARGIN:-MARGIN])
        return full.astype(np.int16), np.pad(half, MARGIN).astype(np.int16)


def _alphas(mask: Bytes) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    full = (mask.astype(np.int32) * ONE + 127) // 255
    return np.pad(full, MARGIN).astype(np.int16), np.pad(_halved(full), MARGIN).astype(np.int16)


def _halved(full: NDArray[Any]) -> NDArray[Any]:
    return np.asarray((full[::2, ::2] + full[1::2, ::2] + full[::2, 1::2] + full[1::2, 1::2] + 2) >> 2)
