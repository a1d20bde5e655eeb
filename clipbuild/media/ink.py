"""The ink of set text: coverage of what takes the text's colour, and colour signs as they are.

Knows nothing of where the text stands, its colour or time.
"""

import ctypes
import io
import math
from collections.abc import Callable
from dataclasses import dataclass

import freetype
import numpy as np
from numpy.typing import NDArray

from clipbuild.media.faces import CAP, EMOJI_SCALE, Glyph, unusable
from clipbuild.media.text import Block

SUBPIXELS = 4
_LOAD = freetype.FT_LOAD_NO_HINTING | freetype.FT_LOAD_NO_BITMAP

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Ink:
    """Coverage of what takes the text's colour, and the colour signs (premultiplied RGBA) or None. The pixel [0, 0] is
    at (`x`, `y`) of the box."""

    mask: Bytes
    colour: Bytes | None
    x: int
    y: int


def rasterise(block: Block, chosen: Callable[[int, int], bool] | None = None) -> Ink:
    """The ink of a block; with `chosen(line index, character index)` only of those characters.

    Raises MediaError for a damaged font.
    """
    pad = math.ceil(block.size * 0.35)
    width, height = math.ceil(block.width) + 2 * pad, math.ceil(block.height) + 2 * pad
    mask = np.zeros((height, width), np.uint8)
    colour: Bytes | None = None
    for index, line in enumerate(block.lines):
        left, baseline = pad + block.left(line), pad + round(block.baseline(index))
        for glyph in line.glyphs:
            if chosen and not chosen(index, glyph.cluster):
                continue
            x, y = left + glyph.x * block.size, baseline - round(glyph.y * block.size)
            if glyph.face.coloured:
                colour = np.zeros((height, width, 4), np.uint8) if colour is None else colour
                _stamp_picture(colour, glyph, x, y, block.size)
            else:
                _stamp(mask, glyph, x, y, block.size)
    return Ink(mask, colour, -pad, -pad)


def _stamp(mask: Bytes, glyph: Glyph, x: float, y: int, size: float) -> None:
    """Add one glyph's coverage, placed to a quarter of a pixel."""
    ft = glyph.face.ft
    whole, part = divmod(math.floor(x * SUBPIXELS + 0.5), SUBPIXELS)
    try:
        ft.set_char_size(round(size * 64))
        ft.load_glyph(glyph.index, _LOAD)
        freetype.FT_Outline_Translate(ctypes.byref(ft.glyph.outline._FT_Outline), part * 64 // SUBPIXELS, 0)
        ft.glyph.render(freetype.FT_RENDER_MODE_NORMAL)
    except freetype.FT_Exception as error:
        raise unusable(glyph.face.path, error) from error
    bitmap = ft.glyph.bitmap._FT_Bitmap
    if not bitmap.rows or not bitmap.width:
        return
    raw = np.frombuffer(ctypes.string_at(bitmap.buffer, bitmap.rows * bitmap.pitch), np.uint8)
    pixels = raw.reshape(bitmap.rows, bitmap.pitch)[:, : bitmap.width]
    target, source = _overlap(mask, pixels, whole + ft.glyph.bitmap_left, y - ft.glyph.bitmap_top)
    np.maximum(target, source, out=target)


def _stamp_picture(canvas: Bytes, glyph: Glyph, x: float, y: int, size: float) -> None:
    """Add one colour sign, scaled from its bitmap."""
    extents = glyph.face.font.get_glyph_extents(glyph.index)
    blob = glyph.face.font.get_glyph_color_png(glyph.index)
    if extents is None or not blob or not extents.width:
        return
    scale = size * EMOJI_SCALE / glyph.face.upem
    wide, high = max(round(extents.width * scale), 1), max(round(-extents.height * scale), 1)
    picture = _picture(glyph, blob.data, wide, high)
    # The sign is centred on the capitals beside it, not hung from its own baseline.
    top = y - round(CAP * size / 2 + high / 2)
    target, source = _overlap(canvas, picture, math.floor(x + 0.5), top)
    rest = (255 - source[..., 3:].astype(np.uint16)) * target // 255
    target[...] = source + rest.astype(np.uint8)


def _picture(glyph: Glyph, png: bytes, wide: int, high: int) -> Bytes:
    from PIL import Image

    cached = glyph.face.pictures.get(glyph.index)
    if cached is None:
        image = Image.open(io.BytesIO(png), formats=["PNG"])
        cached = glyph.face.pictures[glyph.index] = image.convert("RGBA").convert("RGBa")
    return np.asarray(cached.resize((wide, high), Image.Resampling.LANCZOS))


def _overlap(canvas: Bytes, patch: Bytes, x: int, y: int) -> tuple[Bytes, Bytes]:
    """The parts of canvas and patch that meet when the patch's corner is at (x, y)."""
    x0, y0 = max(x, 0), max(y, 0)
    x1, y1 = min(x + patch.shape[1], canvas.shape[1]), min(y + patch.shape[0], canvas.shape[0])
    if x1 <= x0 or y1 <= y0:
        return canvas[:0, :0], patch[:0, :0]
    return canvas[y0:y1, x0:x1], patch[y0 - y : y1 - y, x0 - x : x1 - x]
