"""A text in its look, as large as it will be: set, fitted, with its box, ready to be put somewhere and drawn.

Knows nothing of what is behind it or of other texts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from clipbuild.errors import MediaError
from clipbuild.media import script
from clipbuild.media.looks import Look
from clipbuild.media.text import Block, Fonts
from clipbuild.media.timing import Cue

WAS_SIZE = 0.62
"""An earlier price, as a share of the price's size."""
WAS_GAP = 0.34
ROOM = 0.13
"""Between the ink of a line and the edge of its box at least, in em."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A block inside an element, at (x, y) of it; `struck` is crossed out."""

    block: Block
    x: float
    y: float
    struck: bool = False


@dataclass(frozen=True, slots=True)
class Element:
    """What stands somewhere as one: pieces in a box of `width` x `height` pixels, a look and a time."""

    cue: Cue
    look: Look
    pieces: tuple[Piece, ...]
    width: float
    height: float
    rtl: bool

    @property
    def size(self) -> float:
        """Pixels of an em of its first piece."""
        return self.pieces[0].block.size


@dataclass(frozen=True, slots=True)
class Setter:
    """Sets cues in looks for a frame whose shorter side is `unit` pixels. `looks` are by kind of cue.

    `rtl`: the clip runs from right to left, so a price in digits stands at the right too.
    """

    fonts: Fonts
    looks: Mapping[str, Look]
    unit: float
    rtl: bool = False

    def element(self, cue: Cue, width: float, height: float, scale: float = 1.0, lines: int = 0) -> Element:
        """The cue within `width` x `height` pixels, its usual size times `scale`, in its look's number of lines or
        as many as `lines`; words are torn only then. Raises MediaError."""
        look = self.looks[cue.kind]
        size, least = look.size * self.unit * scale, look.least * self.unit * min(scale, 1.0)
        if cue.kind == "price" and cue.was:
            return self._tag(cue, look, size, least, width)
        room = self._inside(look, size, width, height)
        align = "center" if look.align == "center" else "right" if self.rtl else "left"
        block = self.fonts.fit(cue.text, look.style, size, least, *room, max(lines, look.lines), align, lines > 0)
        return boxed(cue, look, (Piece(block, 0.0, 0.0),), self.rtl)

    def _inside(self, look: Look, size: float, width: float, height: float) -> tuple[float, float]:
        if not look.box:
            return width - 2 * look.margin * size, height - 2 * look.margin * size
        return width - 2 * look.pad_x * size, height - 2 * look.pad_y * size

    def _tag(self, cue: Cue, look: Look, size: float, least: float, width: float) -> Element:
        """Price and earlier price side by side, sharing their baseline."""
        while True:
            now = self._one_line(cue.text, look, size)
            was = self._one_line(cue.was, replace(look, weight=600), size * WAS_SIZE)
            gap = WAS_GAP * size
            whole = now.width + gap + was.width + (2 * look.pad_x * size if look.box else 0.0)
            if whole <= width:
                break
            if size * 0.94 < least:
                raise MediaError("a price is too long for its place", [("price", cue.said), ("place", f"{width:.0f} px")])
            size *= 0.94
        drop = now.ascent - was.ascent
        pieces = (Piece(now, 0.0, 0.0), Piece(was, now.width + gap, drop, struck=True))
        if self.rtl:
            pieces = (Piece(now, was.width + gap, 0.0), Piece(was, 0.0, drop, struck=True))
        return boxed(cue, look, pieces, self.rtl)

    def _one_line(self, text: str, look: Look, size: float) -> Block:
        line = self.fonts.line(text.replace("\n", " "), look.style, script.is_rtl(text))
        return Block((line,), size, look.leading)


def boxed(cue: Cue, look: Look, pieces: tuple[Piece, ...], rtl: bool) -> Element:
    """Pieces with their box round them; what hangs under the baseline keeps its distance too."""
    em = pieces[0].block.size
    x, y = (look.pad_x * em, look.pad_y * em) if look.box else (look.margin * em, look.margin * em)
    width = max(piece.x + piece.block.width for piece in pieces)
    height = max(piece.y + piece.block.height for piece in pieces)
    if look.box:  # capitals look centred when what is under the baseline does not count
        low = max(0.12, *(piece.block.lines[-1].below + ROOM - look.pad_y for piece in pieces))
        height = min(height, max(p.y + p.block.baseline(len(p.block.lines) - 1) for p in pieces) + low * em)
    moved = tuple(replace(piece, x=piece.x + x, y=piece.y + y) for piece in pieces)
    return Element(cue, look, moved, width + 2 * x, height + 2 * y, rtl)


def looks_of(params: Mapping[str, Any]) -> dict[str, Look]:
    """The look of each kind of cue, from the params `caption_style` and `overlays`; a card's captions are its body,
    its hook an eyebrow."""
    from clipbuild.media import looks

    given = params.get("overlays") or {}
    found = {kind: looks.look(given.get(kind) or {}, f"overlay {kind}") for kind in KINDS}
    style = looks.look(params.get("caption_style") or {}, "caption style")
    if params.get("card"):
        return {**found, "caption": found["body"], "hook": found["eyebrow"]}
    return {**found, "caption": style}


KINDS = ("hook", "eyebrow", "headline", "body", "sign", "offer", "price", "cta")
