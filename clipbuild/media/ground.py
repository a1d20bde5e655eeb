"""What a product stands on or before: plain, gradient, studio, a surface seen from above, a blur, a plate, a card.

Each ground is a picture of floats; light comes softly from the upper left in all of them. Knows nothing of the
product but where its foot is.
"""

from dataclasses import dataclass

import numpy as np

from clipbuild.media import canvas
from clipbuild.media.canvas import Bytes, Colour, Floats

Box = tuple[int, int, int, int]
WHITE: Colour = (255.0, 255.0, 255.0)
LIGHT: Colour = (255.0, 251.0, 244.0)


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the product is, as shares of the frame: the middle of its body, the line it stands on, and how far behind
    that line the floor must reach."""

    x: float = 0.5
    y: float = 0.55
    foot: float = 0.75
    depth: float = 0.055


def plain(width: int, height: int, tone: Colour) -> Floats:
    """One colour, breathing a little: a flat one looks like a mistake."""
    picture = canvas.filled(width, height, tone)
    picture = canvas.towards(picture, canvas.shaded(tone, 0.25), canvas.glow(width, height, (0.42, 0.4), (0.9, 0.7)) * 0.35)
    return canvas.vignette(picture, 0.05)


def gradient(width: int, height: int, top: Colour, bottom: Colour) -> Floats:
    """One colour into another, on a slight slant."""
    x, y = canvas.axes(width, height)
    share = canvas.ramp(y * 0.9 + x * 0.1, -0.05, 1.05)
    picture = canvas.towards(canvas.filled(width, height, top), bottom, share)
    spot = canvas.glow(width, height, (0.45, 0.42), (0.8, 0.6))
    return canvas.towards(picture, canvas.shaded(canvas.mixed(top, bottom, 0.4), 0.4), spot * 0.2)


def studio(width: int, height: int, wall: Colour, floor: Colour, at: Stage) -> Floats:
    """A sweep: wall and floor meet in a soft curve behind the product, light falls on the wall beside it."""
    x, y = canvas.axes(width, height)
    horizon, bend = at.foot - at.depth, 0.05
    back = canvas.filled(width, height, canvas.shaded(wall, -0.07))
    back = canvas.towards(back, canvas.shaded(wall, 0.04), canvas.ramp(y, -0.1, horizon) + 0 * x)
    lamp = canvas.glow(width, height, (at.x - 0.1, at.y - 0.08), (0.85 * _tall(width, height), 0.5))
    back = canvas.towards(back, canvas.mixed(canvas.shaded(wall, 0.45), LIGHT, 0.25), lamp * _lamp(wall))
    front = canvas.filled(width, height, canvas.shaded(floor, 0.1))
    front = canvas.towards(front, canvas.shaded(floor, -0.15), canvas.ramp(y, horizon, 1.1) + 0 * x)
    pool = canvas.glow(width, height, (at.x - 0.06, at.foot + 0.01), (0.75 * _tall(width, height), 0.22))
    front = canvas.towards(front, canvas.mixed(canvas.shaded(floor, 0.45), LIGHT, 0.2), pool * _lamp(floor))
    seam = canvas.ramp(y, horizon - bend, horizon + bend) + 0 * x
    return canvas.vignette(canvas.over(back, front, seam), 0.11)


def surface(width: int, height: int, tone: Colour, at: Stage) -> Floats:
    """A table seen from above: light from the upper left, falling off to the lower right."""
    x, y = canvas.axes(width, height)
    slant = canvas.ramp((x * 0.8 + y * 1.2) / 2, 0.1, 1.0)
    picture = canvas.filled(width, height, canvas.shaded(tone, 0.12))
    picture = canvas.towards(picture, canvas.shaded(tone, -0.16), slant)
    pool = canvas.glow(width, height, (at.x - 0.08, at.y - 0.05), (0.8 * _tall(width, height), 0.55))
    picture = canvas.towards(picture, canvas.mixed(canvas.shaded(tone, 0.4), LIGHT, 0.25), pool * 0.5)
    return canvas.vignette(picture, 0.12)


def blur(photo: Bytes, width: int, height: int, tint: Colour) -> Floats:
    """The photo itself, far out of focus and a little darker, with a breath of the brand's colour."""
    small = canvas.cover(photo, max(2, width // 4), max(2, height // 4)).astype(np.float32)
    soft = canvas.blurred(small, 0.05 * max(small.shape[:2]))
    wide = np.asarray(canvas.resized(np.clip(np.rint(soft), 0, 255).astype(np.uint8), (width, height)), np.float32)
    wide = canvas.blurred(wide, 8)
    return canvas.vignette(canvas.towards(_richer(wide, 1.25) * np.float32(0.8), tint, 0.1), 0.25)


def _mean(picture: Floats) -> Colour:
    red, green, blue = (float(v) for v in picture[::8, ::8].mean(axis=(0, 1), dtype=np.float64))
    return red, green, blue


def _richer(picture: Floats, share: float) -> Floats:
    """Colours farther from grey."""
    grey = picture.mean(axis=2, keepdims=True)
    return np.asarray(np.clip(grey + (picture - grey) * np.float32(share), 0, 255), np.float32)


def plate(picture: Bytes, width: int, height: int, focus: float, at: Stage) -> Floats:
    """A place behind the product: whole in height or width, out of focus, softer the farther above the foot."""
    rgb = canvas.cover(picture, width, height, (focus, 0.5)).astype(np.float32)
    near = canvas.blurred(rgb, 0.0035 * max(width, height))
    far = canvas.blurred(rgb, 0.009 * max(width, height))
    _, y = canvas.axes(width, height)
    sharp = canvas.ramp(y, at.foot - 0.28, at.foot + 0.06) * np.ones((1, width), np.float32)
    soft = canvas.over(far, near, sharp)
    lamp = canvas.glow(width, height, (at.x - 0.1, at.y - 0.05), (0.9 * _tall(width, height), 0.6))
    return canvas.vignette(canvas.towards(soft * np.float32(0.97), LIGHT, lamp * 0.08), 0.2)


def counter(picture: Floats, tone: Colour, at: Stage) -> Floats:
    """A counter before a place: something to stand on where the place has nothing."""
    height, width = picture.shape[:2]
    x, y = canvas.axes(width, height)
    edge = at.foot - at.depth
    tone = canvas.mixed(tone, _mean(picture), 0.3)
    top = canvas.filled(width, height, canvas.shaded(tone, 0.18))
    top = canvas.towards(top, canvas.shaded(tone, -0.28), canvas.ramp(y, edge, 1.05) + 0 * x)
    mirror = canvas.blurred(picture[::-1], 0.03 * max(width, height))
    turned = round((2 * edge - 1) * height)
    glossy = np.roll(mirror, turned, axis=0)
    top = canvas.over(top, glossy, (1 - canvas.ramp(y, edge, edge + 0.22)) * 0.3 + 0 * x)
    pool = canvas.glow(width, height, (at.x - 0.06, at.foot + 0.01), (0.7 * _tall(width, height), 0.16))
    top = canvas.towards(top, LIGHT, pool * 0.25)
    return canvas.over(picture, top, canvas.ramp(y, edge - 0.004, edge + 0.004) + 0 * x)


def card(width: int, height: int, base: Colour, accent: Colour, disc: Colour, text: Box, photo: Box | None) -> Floats:
    """A graphic ground: a deep gradient, a disc behind the product, and a disc and a ring of the accent colour that
    keep clear of the text's box."""
    long = max(width, height)
    picture = gradient(width, height, canvas.shaded(base, 0.06), canvas.shaded(base, -0.3))
    corner = (width * 0.95, height * 0.02)
    reach = min(0.17 * long, _clear(corner, text) - 0.012 * long)
    if reach > 0.03 * long:
        picture = canvas.towards(picture, accent, canvas.ellipse(width, height, corner, (reach, reach), 1.5) * 0.92)
    x0, y0, x1, y1 = photo or (round(width * 0.62), round(height * 0.75), round(width * 1.1), height)
    centre = ((x0 + x1) / 2, (y0 + y1) / 2)
    reach = min(0.52 * max(x1 - x0, y1 - y0), _clear(centre, text) - 0.012 * long)
    if reach > 0.03 * long:
        picture = _disc(picture, base, disc, centre, reach)
    spot = (width * 0.03, height * 0.965)
    reach = min(0.135 * long, _clear(spot, text) - 0.012 * long)
    if reach > 0.03 * long:
        inner = reach - 0.007 * long
        ring = canvas.ellipse(width, height, spot, (reach, reach)) - canvas.ellipse(width, height, spot, (inner, inner))
        picture = canvas.towards(picture, accent, ring * 0.85)
    return picture


def _disc(picture: Floats, base: Colour, tone: Colour, centre: tuple[float, float], radius: float) -> Floats:
    """A disc with light on it and a soft shadow under it."""
    height, width = picture.shape[:2]
    long = max(width, height)
    under = canvas.ellipse(width, height, (centre[0], centre[1] + 0.012 * long), (radius, radius), 0.05 * long)
    picture = canvas.towards(picture, canvas.shaded(base, -0.6), under * 0.35)
    shape = canvas.ellipse(width, height, centre, (radius, radius), 1.5)
    picture = canvas.towards(picture, tone, shape)
    lit = canvas.glow(width, height, (centre[0] / width - 0.06, centre[1] / height - 0.06), (0.5, 0.4))
    return canvas.towards(picture, canvas.shaded(tone, 0.35), lit * shape * 0.5)


def _clear(point: tuple[float, float], box: Box) -> float:
    """How far a point is from a box."""
    x = max(box[0] - point[0], 0.0, point[0] - box[2])
    y = max(box[1] - point[1], 0.0, point[1] - box[3])
    return float((x * x + y * y) ** 0.5)


def _lamp(tone: Colour) -> float:
    """How much light shows on a colour: less on a dark one, or it would turn grey."""
    return 0.2 + 0.42 * canvas.luma(tone) / 255


def _tall(width: int, height: int) -> float:
    """Widths of round things as shares of the width: wider in a tall frame, narrower in a wide one."""
    return min(1.0, max(0.45, height / width * 0.62))
