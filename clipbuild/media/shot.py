"""A shot: pictures from files and the camera's move over them, as a scene that can be drawn.

Layers (background, shadow, subject) are used where the move tells them apart; else the flat picture does, faster.
Knows nothing of text, sound or encoders.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clipbuild.errors import MediaError
from clipbuild.media import clearance, color, motion, pictures, warp
from clipbuild.media.clearance import Words
from clipbuild.media.color import Sheet
from clipbuild.media.frames import Part, Scene
from clipbuild.media.motion import Box, Move, View

Bytes = NDArray[np.uint8]
MOST_STEP = 1.3
"""A picture with more than this many pixels a frame pixel is made smaller first."""
LEAST_STEP = 0.87
"""Working copies are as small as they can be without being enlarged by more than this in the closest view (where the
picture has more to give): views that enlarge a little cost half of views that reduce."""
SOFT = (3, 5, 9, 15, 25, 41)
"""Widths of the boxes of the blurred copies a change of focus goes through; three boxes of w blur by about w / 2."""
LAYERS = ("background", "subject", "shadow")


@dataclass(frozen=True, slots=True)
class Still:
    """The files of a picture: the whole, and its layers where it has some. All of one size."""

    image: str
    background: str = ""
    subject: str = ""
    shadow: str = ""

    @staticmethod
    def of(inputs: Mapping[str, str]) -> "Still":
        """From a stage's inputs."""
        return Still(inputs["image"], *(inputs.get(name, "") for name in LAYERS))


@dataclass(frozen=True, slots=True)
class Frames:
    """The frames to make."""

    width: int
    height: int
    fps: float
    seconds: float

    @property
    def count(self) -> int:
        """How many there are."""
        return motion.frame_count(self.seconds, self.fps)


def scene(still: Still, wanted: Move, out: Frames, subject: Box | None = None, texts: Sequence[Words] = ()) -> Scene:
    """The scene of a move over a picture. `subject` (shares of the picture) is used where no layer shows it; the move is
    no larger than keeps it off the `texts`.

    Raises MediaError for a picture that can't be read or layers of different sizes.
    """
    layered = bool(still.subject and still.background and (wanted.depth or wanted.blur))
    image, alpha = _read(still.background if layered else still.image, out)
    size = (image.shape[1], image.shape[0])
    top, mask = (None, None) if not still.subject else _read(still.subject, out, size)
    if mask is not None:
        subject = _extent(mask) or subject
    if subject is not None and texts:
        apart = "subject" if layered and mask is not None else ""
        frame = (out.width, out.height)
        wanted = clearance.clear(wanted, out.seconds, out.fps, frame, size, subject, texts, apart)
    paths = _Paths(wanted, out, size, subject)
    if not layered or top is None or mask is None:
        parts = _grounded(image, alpha, paths, "all" if wanted.blur else "")
    else:
        parts = _grounded(image, alpha, paths, "background")
        if still.shadow:
            parts += _piece(*_read(still.shadow, out, size), paths)
        parts += _piece(top, mask, paths)
    return Scene(out.width, out.height, out.fps, out.count, tuple(parts))


@dataclass(frozen=True, slots=True)
class _Paths:
    """The views of each layer of one move."""

    move: Move
    out: Frames
    picture: tuple[int, int]
    subject: Box | None

    def views(self, layer: str) -> tuple[list[View], float]:
        """The views of a layer's working copy, and how large that is."""
        size = (self.out.width, self.out.height)
        views = motion.path(
            self.move, self.out.seconds, self.out.fps, size, self.picture, layer=layer, subject=self.subject
        )
        steps = [view.step for view in views]
        factor = max(1 / max(steps), LEAST_STEP / min(steps), 1 / warp.FINE_STEP)
        if factor > 0.98:
            return views, 1.0
        return [View(view.left * factor, view.top * factor, view.step * factor) for view in views], factor


def _read(path: str, out: Frames, size: tuple[int, int] | None = None) -> tuple[Bytes, Bytes | None]:
    """A picture's pixels and alpha, of even size, not much larger than can be used."""
    rgb, alpha = pictures.read(path)
    high, wide = rgb.shape[0] // 2 * 2, rgb.shape[1] // 2 * 2
    if min(high, wide) < 16:
        raise MediaError(f"the picture is too small for a clip ({rgb.shape[1]}x{rgb.shape[0]})")
    rgb, alpha = rgb[:high, :wide], None if alpha is None else alpha[:high, :wide]
    step = min(wide / out.width, high / out.height)
    if step > MOST_STEP:
        wanted = round(wide * MOST_STEP / step / 2) * 2, round(high * MOST_STEP / step / 2) * 2
        rgb, alpha = _smaller(rgb, alpha, wanted)
    if size is not None and (rgb.shape[1], rgb.shape[0]) != size:
        raise MediaError("the picture's layers differ in size")
    return rgb, alpha


def _smaller(rgb: Bytes, alpha: Bytes | None, size: tuple[int, int]) -> tuple[Bytes, Bytes | None]:
    from PIL import Image
    from PIL.Image import Resampling

    if alpha is None:
        return np.array(Image.fromarray(rgb).resize(size, Resampling.LANCZOS)), None
    whole = Image.fromarray(np.dstack([rgb, alpha])).convert("RGBa").resize(size, Resampling.LANCZOS)
    pixels = np.array(whole.convert("RGBA"))
    return pixels[:, :, :3], pixels[:, :, 3]


def _extent(mask: Bytes) -> Box | None:
    """Where a layer shows anything, as shares of the picture."""
    rows, columns = np.flatnonzero(mask.max(axis=1) > 24), np.flatnonzero(mask.max(axis=0) > 24)
    if not len(rows):
        return None
    high, wide = mask.shape
    return float(columns[0] / wide), float(rows[0] / high), float((columns[-1] + 1) / wide), float((rows[-1] + 1) / high)


def _grounded(rgb: Bytes, alpha: Bytes | None, paths: _Paths, layer: str) -> list[Part]:
    """The picture below everything: opaque, and as soft as the move has it."""
    if alpha is not None:
        share = alpha[:, :, None].astype(np.float32) / np.float32(255)
        rgb = np.asarray(rgb * share + np.float32(255) * (1 - share) + np.float32(0.5), np.uint8)
    wanted = paths.move
    views, factor = paths.views(layer if layer != "all" else "")
    sharp = _sheet(rgb, None, factor)
    span = wanted.blur.get(layer) if layer else None
    if not span:
        return [Part(sharp, views)]
    step = views[0].step
    short = min(paths.out.width, paths.out.height)
    widths = [_softness(wanted, span, i, paths.out.count) * short * step * 2 for i in range(paths.out.count)]
    return _focused(sharp, views, widths)


def _sheet(rgb: Bytes, alpha: Bytes | None, factor: float) -> Sheet:
    whole = color.sheet(rgb, alpha)
    return whole if factor == 1.0 else color.resized(whole, factor)


def _softness(wanted: Move, span: Sequence[float], index: int, count: int) -> float:
    """The blur at a frame, as a share of the frame's shorter side."""
    until = 1.0 if wanted.loop else float(wanted.blur.get("until", 1.0))
    reach = max(2, round(count * until))
    come = motion.progress(replace(wanted, curve="ease"), min(index, reach - 1) if not wanted.loop else index,
                           count if wanted.loop else reach)  # fmt: skip
    first, last = (float(end) for end in span)
    return first + (last - first) * come


def _focused(sharp: Sheet, views: list[View], widths: list[float]) -> list[Part]:
    """Copies of rising softness, each laid over the one before as far as the wanted width has come to it."""
    parts = [Part(sharp, views)]
    below = 1.0
    for width in SOFT:
        if max(widths) <= below:
            break
        shown = [min(1.0, max(0.0, (wanted - below) / (width - below))) for wanted in widths]
        parts.append(Part(color.softened(sharp, width), views, shown))
        below = float(width)
    return parts


def _piece(rgb: Bytes, alpha: Bytes | None, paths: _Paths) -> list[Part]:
    """A layer cut to where it shows."""
    if alpha is None:
        raise MediaError("the picture's layer has no transparency")
    rows, columns = np.flatnonzero(alpha.max(axis=1)), np.flatnonzero(alpha.max(axis=0))
    if not len(rows):
        return []
    top, left = rows[0] // 2 * 2, columns[0] // 2 * 2
    bottom, right = (rows[-1] + 2) // 2 * 2, (columns[-1] + 2) // 2 * 2
    cut = (slice(top, bottom), slice(left, right))
    views, factor = paths.views("subject")
    return [Part(_sheet(rgb[cut], alpha[cut], factor), views, (), left * factor, top * factor)]


def camera(entry: Mapping[str, Any], chosen: str) -> Move:
    """The move asked for; for `auto` the `chosen` one of its library. Raises MediaError where that has none such."""
    if entry.get("name") != "auto":
        return motion.move(entry)
    library = dict(entry.get("library") or {})
    if chosen not in library:
        raise MediaError("there is no motion to move by", hint="name one in `motion:`")
    own = dict(library[chosen])
    if entry.get("amount") is not None:
        own["amount"] = entry["amount"]
    return motion.move({**own, "name": chosen, "loop": entry.get("loop", False)})
