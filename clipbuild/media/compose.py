"""A product put on a ground: placed, lit from the same side, standing on its shadow; in layers where it can be.

Layers are the ground, the shadow and the product, all of the frame's size, so that a camera can move them apart.
Knows nothing of recipes or brands.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from clipbuild.media import canvas
from clipbuild.media.canvas import Bytes, Floats
from clipbuild.media.ground import Stage

Box = tuple[float, float, float, float]
Mask = NDArray[np.bool_]

LARGEST = 1.9
"""A product is never blown up by more than this."""
SOLID = 128
FOOT = 0.3
"""How far over the foremost foot, as a share of the height, another one may end: they stand further behind."""
FLAT = 0.42
"""A shadow on a floor is seen at a slant: it reaches so much less far up and down than aside."""
FAINT = 8
"""Alpha up to here in a shadow is the rim of a crop, not shade, and is taken off it."""


@dataclass(frozen=True, slots=True, eq=False)
class Product:
    """A cut-out: colours, alpha, and a shadow of its own where it came with one (all of one size, tightly cropped)."""

    rgb: Bytes
    alpha: Bytes
    shade: Bytes | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """The picture in parts: `ground` (floats), the product and the shadow (0..1) over it."""

    ground: Floats
    rgb: Bytes
    alpha: Floats
    shadow: Floats

    def flat(self) -> Floats:
        """All of it in one picture."""
        return canvas.over(canvas.over(self.ground, np.zeros(3, np.float32), self.shadow), self.rgb, self.alpha)


def product(rgb: Bytes, alpha: Bytes, *, shaded: bool = False) -> Product:
    """A cut-out cropped to what it shows. Where it may be `shaded`, a soft dark part below or beside it is taken for
    its own shadow."""
    weak = _own_shadow(rgb, alpha) if shaded else None
    shade = None if weak is None else np.asarray(np.where(weak, np.maximum(alpha, FAINT) - FAINT, 0), np.uint8)
    body = alpha if weak is None else np.asarray(np.where(weak, 0, alpha), np.uint8)
    seen = body if shade is None else np.maximum(body, shade)
    rows, columns = np.flatnonzero((seen > 6).any(axis=1)), np.flatnonzero((seen > 6).any(axis=0))
    if not len(rows):
        return Product(rgb, alpha)
    part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return Product(rgb[part].copy(), body[part].copy(), None if shade is None else shade[part].copy())


def _own_shadow(rgb: Bytes, alpha: Bytes) -> Mask | None:
    """Pixels that are see-through, dark, and not the rim of the body; None where they are too few to be a shadow."""
    solid = (alpha >= SOLID).astype(np.uint8)
    rim = cv2.dilate(solid, np.ones((9, 9), np.uint8)) > 0
    weak = (alpha > 0) & (alpha < 170) & ~rim & (rgb.max(axis=2) < 90)
    return np.asarray(weak, np.bool_) if weak.sum() >= 0.01 * max(1, int(solid.sum())) else None


def stage_for(room: Box, size: tuple[int, int], item: Product | None = None, *, flat: bool = False) -> Stage:
    """Where the product will be, in shares of the frame, for the ground's light and for the depth of floor it needs."""
    x0, y0, x1, y1 = room
    if item is None:
        return Stage((x0 + x1) / 2, (y0 + y1) / 2, y1)
    width, height = size
    scale, corner = _fitted(item, room, width, height, middle=flat)
    tall, wide = item.alpha.shape[0] * scale, item.alpha.shape[1] * scale
    foot = (corner[1] + tall) / height
    depth = max(0.055, min(0.16, _depth(item.alpha >= SOLID) * tall / height + 0.03))
    return Stage((corner[0] + wide / 2) / width, (corner[1] + tall / 2) / height, foot, depth)


def _depth(solid: Mask) -> float:
    """How far behind its foremost foot a product still touches the floor, as a share of its height: the legs of a
    stool end at different heights in the picture."""
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    if not len(rows):
        return 0.0
    lowest = len(solid) - 1 - np.argmax(solid[::-1][:, columns], axis=0)
    rise = (rows[-1] - lowest) / (rows[-1] - rows[0] + 1)
    return float(np.percentile(rise[rise < 0.22], 92)) if (rise < 0.22).any() else 0.0


def lying(item: Product) -> bool:
    """The product lies on a surface seen from above: long and thin and aslant, or scattered, as nothing stands."""
    solid = item.alpha >= SOLID
    ys, xs = np.nonzero(solid)
    if len(xs) < 16:
        return False
    x, y = xs - xs.mean(), ys - ys.mean()
    xx, yy, xy = float((x * x).mean()), float((y * y).mean()), float((x * y).mean())
    spread = ((xx - yy) ** 2 + 4 * xy * xy) ** 0.5
    long, short = (xx + yy + spread) / 2, max(1e-6, (xx + yy - spread) / 2)
    return (abs(2 * xy) > 0.5 * spread and long / short > 3.2) or _scattered(solid)


def _scattered(solid: Mask) -> bool:
    """Three or more pieces whose feet are far from one line."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(solid.astype(np.uint8), connectivity=8)
    feet = [int(row[1] + row[3]) for row in stats[1:] if row[4] >= 0.02 * solid.sum()]
    return count > 3 and len(feet) >= 3 and sum(max(feet) - foot > 0.3 * len(solid) for foot in feet) >= 2


def placed(item: Product, ground: Floats, room: Box, *, flat: bool = False) -> Layers:
    """The product in its room of the frame (shares), as large as fits and looks sharp, on its shadow."""
    height, width = ground.shape[:2]
    scale, corner = _fitted(item, room, width, height, middle=flat)
    size = max(1, round(item.alpha.shape[1] * scale)), max(1, round(item.alpha.shape[0] * scale))
    rgb, alpha = canvas.resized_cutout(item.rgb, item.alpha, size)
    rgb = _crisped(rgb, alpha, scale)
    full_rgb, full_alpha = np.zeros((height, width, 3), np.uint8), np.zeros((height, width), np.float32)
    _pasted(full_rgb, rgb, corner)
    _pasted(full_alpha, alpha.astype(np.float32) / 255, corner)
    if item.shade is not None:
        shadow = np.zeros((height, width), np.float32)
        _pasted(shadow, canvas.resized(item.shade, size).astype(np.float32) / 255, corner)
    else:
        shadow = drop_shadow(full_alpha) if flat else standing_shadow(full_alpha)
    return Layers(ground, wrapped(full_rgb, full_alpha, ground), full_alpha, shadow)


def _fitted(item: Product, room: Box, width: int, height: int, *, middle: bool) -> tuple[float, tuple[int, int]]:
    """(scale, corner of the product): standing on the room's lower edge, or in its middle."""
    x0, y0, x1, y1 = room[0] * width, room[1] * height, room[2] * width, room[3] * height
    high, wide = item.alpha.shape
    scale = min((x1 - x0) / wide, (y1 - y0) / high, LARGEST)
    x = (x0 + x1 - wide * scale) / 2
    y = (y0 + y1 - high * scale) / 2 if middle else y1 - high * scale
    if not middle and high * scale < 0.6 * (y1 - y0):  # a small product on the lowest line would look dropped
        y -= 0.25 * (y1 - y0 - high * scale)
    return scale, (round(x), round(y))


def _pasted(target: NDArray[np.generic], source: NDArray[np.generic], corner: tuple[int, int]) -> None:
    x, y = max(0, corner[0]), max(0, corner[1])
    part = source[y - corner[1] :, x - corner[0] :]
    high, wide = min(part.shape[0], target.shape[0] - y), min(part.shape[1], target.shape[1] - x)
    if high > 0 and wide > 0:
        target[y : y + high, x : x + wide] = part[:high, :wide]


def _crisped(rgb: Bytes, alpha: Bytes, scale: float) -> Bytes:
    """A little of the sharpness back that enlarging takes."""
    if scale <= 1.15:
        return rgb
    picture = rgb.astype(np.float32)
    weight = np.maximum(alpha.astype(np.float32), 1)[:, :, None]
    soft = canvas.blurred(picture * weight, 1.1 * scale) / np.maximum(canvas.blurred(weight[:, :, 0], 1.1 * scale), 1)[:, :, None]
    strength = np.float32(min(0.5, 0.45 * (scale - 1)))
    return np.clip(np.rint(picture + (picture - soft) * strength), 0, 255).astype(np.uint8)


def standing_shadow(alpha: Floats) -> Floats:
    """The shadow of a thing that stands: dark where each foot touches, a soft pool under it, a faint one cast aside."""
    solid = alpha >= 0.5
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    if not len(rows):
        return np.zeros_like(alpha)
    foot, tall, wide = int(rows[-1]), int(rows[-1] - rows[0] + 1), int(columns[-1] - columns[0] + 1)
    unit = 0.5 * (wide + min(wide, tall))
    light = 1 - _cast(alpha, foot, tall, unit)
    for start, end in _feet(solid, foot, tall):
        touch = _contact(solid[:, start:end], foot, tall, alpha.shape[1], start)
        own = min(unit, 2.4 * (end - start))  # a thin leg has a small dark foot, not the pool of the whole thing
        light *= 1 - _deep(canvas.blurred(touch, max(1.0, 0.006 * own), FLAT), 0.55)
        light *= 1 - _deep(_moved(canvas.blurred(touch, max(1.5, 0.022 * own), FLAT), 0, 0.012 * own) * 3, 0.45)
        light *= 1 - _deep(_moved(canvas.blurred(touch, max(4.0, 0.09 * own), FLAT), 0.02 * own, 0.03 * own) * 6, 0.38)
    return np.asarray(np.clip(1 - light, 0, 0.85), np.float32)


def _deep(shade: Floats, most: float) -> Floats:
    """The shade as deep as `most` where there is much of it, without an edge where it gets there."""
    return np.asarray(np.float32(most) * shade / (shade + np.float32(0.6 * most)), np.float32)


def _feet(solid: Mask, foot: int, tall: int) -> list[tuple[int, int]]:
    """Runs of columns (first, past the last) whose lowest pixel is near the floor: one under a mug, four under a stool."""
    lowest = len(solid) - 1 - np.argmax(solid[::-1], axis=0)
    low = solid.any(axis=0) & (foot - lowest < FOOT * tall)
    turns = np.flatnonzero(np.diff(np.concatenate([[False], low, [False]]).astype(np.int8)))
    runs = [(int(a), int(b)) for a, b in zip(turns[::2], turns[1::2], strict=True)]
    return [run for run in runs if run[1] - run[0] > 0.01 * tall] or runs


def _contact(solid: Mask, foot: int, tall: int, width: int, start: int) -> Floats:
    """A thin line under a foot: each column's lowest pixel, fading with its height over that foot, and less the further
    behind the foremost one the foot stands."""
    height, run = solid.shape
    lowest = height - 1 - np.argmax(solid[::-1], axis=0)
    behind, reach = foot - int(lowest.max()), max(1.0, 0.2 * tall)
    near = np.clip(1 - (lowest.max() - lowest) / reach, 0, 1) ** 2 * (1 - 0.8 * behind / (FOOT * tall))
    line = np.zeros((height, width), np.float32)
    thick, columns = max(2, round(0.006 * tall)), start + np.arange(run)
    for step in range(-thick, thick + 1):
        rows = np.clip(lowest + step, 0, height - 1)
        line[rows, columns] = np.maximum(line[rows, columns], near)
    return line


def _cast(alpha: Floats, foot: int, tall: int, unit: float) -> Floats:
    """The product laid flat to the right and back by light from the upper left: faint, and softer all over."""
    height, width = alpha.shape
    flat = 0.16
    matrix = np.array([[1, -0.42, 0.42 * foot], [0, flat, foot - flat * foot]], np.float32)
    laid = cv2.warpAffine(alpha, matrix, (width, height), flags=cv2.INTER_LINEAR)
    soft = canvas.blurred(np.asarray(laid, np.float32), 0.035 * unit)
    rows = np.arange(height, dtype=np.float32)[:, None]
    fade = canvas.ramp(rows, foot - flat * tall * 1.1, foot)
    return np.asarray(soft * 0.26 * (0.35 + 0.65 * fade), np.float32)


def drop_shadow(alpha: Floats) -> Floats:
    """The shadow of a thing that lies: its own shape, a little to the lower right, tight and wide."""
    rows, columns = np.flatnonzero((alpha > 0.5).any(axis=1)), np.flatnonzero((alpha > 0.5).any(axis=0))
    if not len(rows):
        return np.zeros_like(alpha)
    unit = float(max(rows[-1] - rows[0], columns[-1] - columns[0]))
    near = _moved(canvas.blurred(alpha, 0.006 * unit), 0.006 * unit, 0.008 * unit) * 0.42
    far = _moved(canvas.blurred(alpha, 0.03 * unit), 0.018 * unit, 0.028 * unit) * 0.34
    return np.asarray(1 - (1 - near) * (1 - far), np.float32)


def _moved(values: Floats, right: float, down: float) -> Floats:
    height, width = values.shape
    matrix = np.array([[1, 0, round(right)], [0, 1, round(down)]], np.float32)
    return np.asarray(cv2.warpAffine(values, matrix, (width, height), flags=cv2.INTER_NEAREST), np.float32)


def wrapped(rgb: Bytes, alpha: Floats, ground: Floats) -> Bytes:
    """The ground's light on the product's rim, so that it belongs there."""
    rows, columns = np.flatnonzero((alpha > 0.02).any(axis=1)), np.flatnonzero((alpha > 0.02).any(axis=0))
    if not len(rows):
        return rgb
    unit = 0.006 * max(alpha.shape)
    pad = round(6 * unit)
    part = (
        slice(max(0, rows[0] - pad), min(alpha.shape[0], rows[-1] + pad)),
        slice(max(0, columns[0] - pad), min(alpha.shape[1], columns[-1] + pad)),
    )
    inside, around = alpha[part], canvas.blurred(np.ascontiguousarray(ground[part]), 3 * unit)
    rim = canvas.blurred(np.ascontiguousarray(1 - inside), unit) * inside
    body = rgb[part].astype(np.float32)
    lit = 255 - (255 - body) * (255 - around * 0.55) / 255
    out = rgb.copy()
    out[part] = np.clip(np.rint(body + (lit - body) * (rim * 0.5)[:, :, None]), 0, 255).astype(np.uint8)
    return out


def print_card(photo: Bytes, ground: Floats, box: Box, radius: float) -> tuple[Floats, Floats, Bytes]:
    """A photo whole, as a print with round corners and a soft shadow, in the middle of `box` (pixels): the picture,
    and the print's alpha and colours as a layer."""
    height, width = ground.shape[:2]
    high, wide = photo.shape[:2]
    scale = min((box[2] - box[0]) / wide, (box[3] - box[1]) / high, LARGEST * 1.3)
    size = max(1, round(wide * scale)), max(1, round(high * scale))
    corner = round((box[0] + box[2] - size[0]) / 2), round((box[1] + box[3] - size[1]) / 2)
    edge = (corner[0], corner[1], corner[0] + size[0], corner[1] + size[1])
    alpha = canvas.rounded_box(width, height, edge, radius * min(size), 1.4)
    rgb = np.zeros((height, width, 3), np.uint8)
    _pasted(rgb, canvas.resized(photo, size), corner)
    return ground, alpha, rgb
