"""Elements of text as layers: box, shadow, outline and ink; whole, word by word, or with the said word marked.

Knows nothing of why a colour was chosen or what is behind it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from clipbuild.errors import MediaError, shown
from clipbuild.media import contrast, faces, ink, linebreak, shapes, text, timing
from clipbuild.media.contrast import RGB
from clipbuild.media.layers import Layer, Lettering
from clipbuild.media.lettering import ROOM, Piece
from clipbuild.media.looks import MARK
from clipbuild.media.placing import Placed
from clipbuild.media.shapes import Canvas, Rect
from clipbuild.media.timing import Cue

Bytes = NDArray[np.uint8]
STRIKE = 0.075
"""Thickness of the line through an earlier price, in em."""
DIM = 0.78
"""Opacity of an earlier price."""
Z = {"hook": 30, "headline": 30, "caption": 32, "sign": 33, "offer": 34, "price": 35, "cta": 36}


@dataclass(frozen=True, slots=True)
class Paint:
    """The colours of one element: letters, the box behind them or None, outline, and the mark of a said word."""

    letters: RGB
    box: RGB | None = None
    opacity: float = 1.0
    outline: RGB = (14, 15, 18)
    mark: RGB = (224, 164, 58)
    shadow: float = 0.0


@dataclass(frozen=True, slots=True)
class Part:
    """Some characters of one line of a piece, with the time they come."""

    line: int
    first: int
    last: int
    start: float
    end: float


def layers(placed: Placed, paint: Paint) -> list[Layer]:
    """The layers of one element. Raises MediaError when nothing of it would be seen."""
    found = _layers(placed, paint)
    if not any(layer.rgba[..., 3].any() for layer in found):
        raise MediaError("a text leaves no ink", [("text", f'"{shown(placed.cue.text, 60)}"')])
    return found


def _layers(placed: Placed, paint: Paint) -> list[Layer]:
    look = placed.element.look
    if look.by == "block":
        return [_layer(placed, _whole(placed, paint), placed.cue, paint)]
    parts = list(_parts(placed))
    if look.by == "word":
        box = [_layer(placed, _whole(placed, paint, letters=False), placed.cue)] if paint.box else []
        return box + [_word(placed, paint, part) for part in parts]
    return [_layer(placed, _whole(placed, paint), placed.cue, paint), *(_marked(placed, paint, part) for part in parts)]


def _layer(placed: Placed, canvas: Canvas, cue: Cue, paint: Paint | None = None) -> Layer:
    x, y, rgba = canvas.cropped()
    look = placed.element.look
    late = min(look.delay, max(0.0, (cue.end - cue.start) * 0.3))
    fade = min(look.fade, (cue.end - cue.start - late) / 3)
    rise = look.rise * placed.element.size
    if cue.start <= 0:  # what opens a clip is there in its first frame: it is what a still of it shows
        late = -fade
    written = _written(placed, paint) if paint else None
    return Layer(x, y, rgba, cue.start + late, cue.end, fade, rise, look.scale, Z[cue.kind], written)


def _written(placed: Placed, paint: Paint) -> Lettering:
    """What a check is told of it: an earlier price is dimmed on purpose and left out."""
    em = max(piece.block.size for piece in placed.element.pieces)
    lines = [(placed.x + p.x, p) for p in placed.element.pieces if p.struck]
    struck = tuple((int(x - 0.1 * p.block.size), int(x + p.block.width + 0.1 * p.block.size) + 1) for x, p in lines)
    return Lettering(paint.letters, em, placed.element.look.outline * em, struck)


def _area(placed: Placed) -> Rect:
    return placed.rect.grown(0.6 * placed.element.size)


def _whole(placed: Placed, paint: Paint, letters: bool = True) -> Canvas:
    canvas = Canvas(_area(placed))
    if paint.box:
        _box(canvas, placed, paint, paint.box)
    if letters:
        for piece in placed.element.pieces:
            _letters(canvas, placed, piece, paint, ink.rasterise(piece.block))
            if piece.struck:
                _strike(canvas, placed, piece, paint)
    return canvas


def _box(canvas: Canvas, placed: Placed, paint: Paint, colour: RGB) -> None:
    look, em = placed.element.look, placed.element.size
    if not look.hug:
        canvas.box(placed.rect, look.radius * em, colour, paint.opacity)
        return
    whole = Canvas(_area(placed))
    for rect in line_boxes(placed):
        whole.box(rect, look.radius * em, (255, 255, 255))
    mask = np.asarray(whole.pixels[..., 3] * 255 + 0.5, np.uint8)
    canvas.tint(mask, whole.left, whole.top, colour, paint.opacity)


def line_boxes(placed: Placed) -> list[Rect]:
    """The box of each line, for looks whose box hugs them."""
    look, em = placed.element.look, placed.element.size
    found = []
    for piece in placed.element.pieces:
        block = piece.block
        above = max(faces.CAP + look.pad_y, *(line.above + ROOM for line in block.lines))
        below = max(0.08 + look.pad_y, *(line.below + ROOM for line in block.lines))
        for index, line in enumerate(block.lines):
            x = placed.x + piece.x + block.left(line)
            base = placed.y + piece.y + block.baseline(index)
            top, bottom = base - above * em, base + below * em
            found.append(Rect(x - look.pad_x * em, top, x + line.width * block.size + look.pad_x * em, bottom))
    return found


def _letters(canvas: Canvas, placed: Placed, piece: Piece, paint: Paint, found: ink.Ink) -> None:
    look, em = placed.element.look, piece.block.size
    x, y = round(placed.x + piece.x) + found.x, round(placed.y + piece.y) + found.y
    if paint.shadow and not paint.box:
        dark = contrast.luminance(paint.letters) > 0.3
        if dark:
            canvas.shadow(found.mask, x, y + round(0.03 * em), 0.1 * em, (0, 0, 0), paint.shadow)
    if look.outline:
        reach = max(1, round(look.outline * em))
        canvas.tint(shapes.spread(found.mask, reach), x - reach, y - reach, paint.outline)
    opacity = DIM if piece.struck else 1.0
    canvas.tint(found.mask, x, y, paint.letters, opacity)
    if found.colour is not None:
        canvas.picture(found.colour, x, y, opacity)


def _strike(canvas: Canvas, placed: Placed, piece: Piece, paint: Paint) -> None:
    em = piece.block.size
    x, middle = placed.x + piece.x, placed.y + piece.y + piece.block.baseline(0) - 0.34 * em
    half = max(1.0, STRIKE * em / 2)
    rect = Rect(x - 0.06 * em, middle - half, x + piece.block.width + 0.06 * em, middle + half)
    canvas.box(rect, half, paint.letters)


def _parts(placed: Placed) -> Iterator[Part]:
    """The words of an element where they ended up in its lines, with their times."""
    block, cue = placed.element.pieces[0].block, placed.cue
    words = timing.words(cue)
    spots = [(i, *span) for i, line in enumerate(block.lines) for span in linebreak.words(line.text)]
    if len(spots) == len(words):
        for (line, first, last), word in zip(spots, words, strict=True):
            yield Part(line, first, last, word.start, word.end)
        return
    begin, end = words[0].start, words[-1].end
    weights = [last - first for _, first, last in spots]
    clock, step = begin, (end - begin) / max(1, sum(weights))
    for (line, first, last), weight in zip(spots, weights, strict=True):
        yield Part(line, first, last, clock, clock + weight * step)
        clock += weight * step


def _chosen(placed: Placed, part: Part) -> ink.Ink:
    block = placed.element.pieces[0].block
    whole = ink.rasterise(block, lambda index, char: index == part.line and part.first <= char < part.last)
    seen = whole.mask if whole.colour is None else np.maximum(whole.mask, whole.colour[..., 3])
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    if not rows.size:
        return whole
    cut = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    colour = None if whole.colour is None else whole.colour[cut]
    return ink.Ink(whole.mask[cut], colour, whole.x + int(columns[0]), whole.y + int(rows[0]))


def _word(placed: Placed, paint: Paint, part: Part) -> Layer:
    canvas = Canvas(_area(placed))
    _letters(canvas, placed, placed.element.pieces[0], paint, _chosen(placed, part))
    return _layer(placed, canvas, replace(placed.cue, start=part.start), paint)


def _marked(placed: Placed, paint: Paint, part: Part) -> Layer:
    """The said word on a box of the mark's colour, over the same word of the whole."""
    block, piece = placed.element.pieces[0].block, placed.element.pieces[0]
    line, em = block.lines[part.line], block.size
    x0, x1 = text.extent(line, part.first, part.last)
    left = placed.x + piece.x + block.left(line)
    base = placed.y + piece.y + block.baseline(part.line)
    above, below = max(faces.CAP, line.above), max(0.12, line.below)
    before, after = line.text[: part.first][-1:], line.text[part.last :][:1]
    pads = [MARK if not beside or beside.isspace() else 0.03 for beside in (before, after)]
    pads = pads[::-1] if placed.element.rtl else pads
    rect = Rect(
        left + (x0 - pads[0]) * em, base - (above + MARK) * em, left + (x1 + pads[1]) * em, base + (below + 0.08) * em
    )
    canvas = Canvas(_area(placed))
    canvas.box(rect, 0.18 * em, paint.mark)
    letters = contrast.ink_on(paint.mark, (20, 21, 24), (255, 255, 255))
    plain = replace(paint, letters=letters, shadow=0.0)
    _letters(canvas, placed, piece, plain, _chosen(placed, part))
    x, y, rgba = canvas.cropped()
    fade = min(0.06, (part.end - part.start) / 3)
    return Layer(x, y, rgba, part.start, part.end, fade, 0.0, 1.0, Z["caption"] + 1, _written(placed, plain))
