"""Text set in fonts: shaped, in reading order, fitted into a width.

Works in em units, so that trying a smaller size costs nothing. Knows nothing of ink, colours, boxes or time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import uharfbuzz as hb
from bidi import algorithm as bidi

from clipbuild.errors import MediaError, shown
from clipbuild.media import linebreak, script
from clipbuild.media.faces import CAP, EMOJI_SCALE, Face, Glyph, reach

DESCENT = 0.17
SHRINK = 0.94
FEWER = 0.86
"""How much smaller letters may be to save a line."""
GENTLE_SHRINK = 0.8
"""How far a text shrinks to avoid an awkward break."""


@dataclass(frozen=True, slots=True)
class Line:
    """A shaped line: glyphs from left to right, width, and how far the ink reaches over and under the baseline (em)."""

    text: str
    width: float
    glyphs: tuple[Glyph, ...]
    above: float
    below: float


@dataclass(frozen=True, slots=True)
class Style:
    """How text is set: `role` heading or body, weight 100–900, tracking in em, line distance in em."""

    role: str = "body"
    weight: int = 700
    tracking: float = 0.0
    leading: float = 1.18


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of one size with their alignment: "left", "center" or "right". Its box runs from the top of capitals of
    the first line to just under the baseline of the last, or further where ink needs it."""

    lines: tuple[Line, ...]
    size: float
    leading: float
    align: str = "left"

    @property
    def width(self) -> float:
        """Pixels of the longest line."""
        return max(line.width for line in self.lines) * self.size

    @property
    def ascent(self) -> float:
        """Pixels from the top of the box to the first baseline."""
        return max(CAP, self.lines[0].above) * self.size

    @property
    def step(self) -> float:
        """Pixels from baseline to baseline."""
        pairs = zip(self.lines, self.lines[1:], strict=False)
        return max([self.leading, *(a.below + b.above + 0.06 for a, b in pairs)]) * self.size

    @property
    def height(self) -> float:
        """Pixels of the box."""
        below = self.lines[-1].below
        return self.ascent + self.step * (len(self.lines) - 1) + (below if below > 0.3 else DESCENT) * self.size

    def left(self, line: Line) -> float:
        """Where a line begins inside the box."""
        spare = self.width - line.width * self.size
        return {"left": 0.0, "center": spare / 2, "right": spare}[self.align]

    def baseline(self, index: int) -> float:
        """Where the baseline of a line is inside the box; a whole pixel keeps stems of all lines alike."""
        return self.ascent + self.step * index


class Fonts:
    """The fonts of one text: heading, body, then fallbacks. Not for several threads at once."""

    def __init__(self, paths: Sequence[str], language: str = "") -> None:
        if not paths:
            raise MediaError("there is text to draw but no font was given")
        self.heading, self.body = paths[0], paths[min(1, len(paths) - 1)]
        self.fallbacks, self.language = tuple(paths[2:]), language.replace("_", "-")
        self._faces: dict[tuple[str, int], Face] = {}
        self._lines: dict[tuple[str, Style, bool], Line] = {}

    def line(self, text: str, style: Style, rtl: bool = False) -> Line:
        """`text` shaped as one line whose paragraph runs right to left if `rtl`. Raises MediaError for a character
        that no font has."""
        key = (text, style, rtl)
        if key not in self._lines:
            self._lines[key] = self._shape(text, style, rtl)
        return self._lines[key]

    def width(self, text: str, style: Style, rtl: bool = False) -> float:
        """Width of `text` in em."""
        return self.line(text, style, rtl).width

    def fit(
        self, text: str, style: Style, size: float, least: float, width: float, height: float, lines: int, align: str,
        torn: bool = True,
    ) -> Block:  # fmt: skip
        """`text` as a block inside `width` x `height` pixels, at `size` or the next smaller one that fits, down to
        `least`; words are torn only where nothing else helps, if `torn`. Raises MediaError when it does not fit."""
        rtl = script.is_rtl(text)
        for level in (linebreak.GENTLE, linebreak.FREE, *([linebreak.TORN] if torn else [])):
            trial = size
            while trial >= (max(least, size * GENTLE_SHRINK) if level == linebreak.GENTLE else least) * 0.999:
                block = self._try(text, style, trial, width, lines, align, rtl, level)
                if block and block.height <= height:
                    return self._fewer(block, text, style, width, rtl, level, least)
                trial *= SHRINK
        raise MediaError(
            "a text is too long for its place",
            [
                ("text", f'"{shown(text, 60)}"'),
                ("place", f"{width:.0f}x{height:.0f} px, {lines} lines, letters of at least {least:.0f} px"),
            ],
            "shorten it, or split it into several captions",
        )

    def _fewer(
        self, block: Block, text: str, style: Style, width: float, rtl: bool, level: int, least: float
    ) -> Block:
        """The same text in two lines and not three, and so on, where a little smaller is enough for that."""
        trial = block.size * SHRINK
        while len(block.lines) > 2 and trial >= max(least, block.size * FEWER):
            other = self._try(text, style, trial, width, len(block.lines) - 1, block.align, rtl, level)
            if other and len(other.lines) < len(block.lines):
                return other
            trial *= SHRINK
        return block

    def _try(
        self, text: str, style: Style, size: float, width: float, lines: int, align: str, rtl: bool, level: int
    ) -> Block | None:
        def measure(piece: str) -> float:
            return self.width(piece, style, rtl)

        broken = linebreak.break_lines(text, measure, width / size, lines, level)
        if broken is None:
            return None
        block = Block(tuple(self.line(one, style, rtl) for one in broken), size, style.leading, align)
        return block if block.width <= width + 0.5 else None

    def _face(self, path: str, weight: int) -> Face:
        key = (path, weight)
        if key not in self._faces:
            self._faces[key] = Face(path, weight)
        return self._faces[key]

    def _order(self, style: Style) -> list[Face]:
        first, second = (self.heading, self.body) if style.role == "heading" else (self.body, self.heading)
        return [self._face(path, style.weight) for path in dict.fromkeys([first, second, *self.fallbacks])]

    def _shape(self, text: str, style: Style, rtl: bool) -> Line:
        glyphs: list[Glyph] = []
        x = 0.0
        for start, piece, face, level in _reordered(self._runs(text, style, rtl)):
            x = self._set(glyphs, x, start, piece, face, level, style)
        _demand_glyphs(glyphs, text)
        tops = [extents for glyph in glyphs if (extents := reach(glyph))]
        above = max((top for top, _ in tops), default=0.0)
        below = max((bottom for _, bottom in tops), default=0.0)
        return Line(text, max(x - style.tracking, 0.0), tuple(glyphs), above, below)

    def _runs(self, text: str, style: Style, rtl: bool) -> list[tuple[int, str, Face, int]]:
        """Stretches of one font, script and direction: (start, text, face, bidi level)."""
        order = self._order(style)
        levels = _levels(text, rtl)
        runs: list[tuple[int, str, Face, int]] = []
        at, kind = 0, ""
        for cluster in script.clusters(text):
            face = _choose(cluster, order, runs[-1][2] if runs else None)
            here = script.script_of(cluster[0])
            same = runs and runs[-1][2] is face and runs[-1][3] == levels[at] and (not here or not kind or here == kind)
            if same:
                start, before, _, level = runs[-1]
                runs[-1] = (start, before + cluster, face, level)
            else:
                runs.append((at, cluster, face, levels[at]))
            kind = here or kind if same else here
            at += len(cluster)
        return runs

    def _set(
        self, glyphs: list[Glyph], x: float, start: int, piece: str, face: Face, level: int, style: Style
    ) -> float:
        buffer = hb.Buffer()
        buffer.add_str(piece)
        buffer.guess_segment_properties()
        buffer.direction = "rtl" if level % 2 else "ltr"
        if self.language:
            buffer.language = self.language
        hb.shape(face.font, buffer)
        scale = (EMOJI_SCALE if face.coloured else 1.0) / face.upem
        tracking = 0.0 if script.script_of(piece.strip()[:1] or " ") in ("arabic", "devanagari") else style.tracking
        for info, place in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
            advance = place.x_advance * scale + (tracking if place.x_advance else 0.0)
            position = (x + place.x_offset * scale, place.y_offset * scale)
            glyphs.append(Glyph(face, info.codepoint, *position, advance, start + info.cluster))
            x += advance
        return x


def extent(line: Line, start: int, end: int) -> tuple[float, float]:
    """From where to where (em) the characters start..end of a line reach."""
    inside = [g for g in line.glyphs if start <= g.cluster < end]
    if not inside:
        return 0.0, 0.0
    return min(g.x for g in inside), max(g.x + g.advance for g in inside)


def _choose(cluster: str, order: Sequence[Face], before: Face | None) -> Face:
    """The first font that has all of a cluster; colour for emoji; a space stays with the text before it."""
    wanted = [char for char in cluster if not script.is_ignorable(char)]
    if before and not before.coloured and cluster.isspace() and all(map(before.has, wanted)):
        return before
    if cluster.isspace():
        wanted = [" "]
    emoji = script.is_emoji(cluster[0]) or script.VS16 in cluster
    for face in sorted(order, key=lambda face: not face.coloured) if emoji else order:
        if all(map(face.has, wanted)):
            return face
    for face in order:
        if wanted and face.has(wanted[0]):
            return face
    return order[0]


def _demand_glyphs(glyphs: Sequence[Glyph], text: str) -> None:
    for glyph in glyphs:
        if glyph.index == 0 and glyph.cluster < len(text) and not script.is_ignorable(text[glyph.cluster]):
            raise MediaError(
                f"no font has the character {script.name(text[glyph.cluster])}",
                [("text", f'"{shown(text, 60)}"')],
                "name a font that has it under brand: fonts, or change the text",
            )


def _levels(text: str, rtl: bool) -> list[int]:
    """The embedding level of every character (UAX 9, rules P2 to I2)."""
    if not rtl and not any(script.script_of(char) in ("arabic", "hebrew") or char in "\u200f\u061c" for char in text):
        return [0] * len(text)
    storage = bidi.get_empty_storage()
    storage["base_level"], storage["base_dir"] = int(rtl), "R" if rtl else "L"
    bidi.get_embedding_levels(text, storage)
    bidi.explicit_embed_and_overrides(storage)
    bidi.resolve_weak_types(storage)
    bidi.resolve_neutral_types(storage, False)
    bidi.resolve_implicit_levels(storage, False)
    return [char["level"] for char in storage["chars"]]


def _reordered(runs: list[tuple[int, str, Face, int]]) -> list[tuple[int, str, Face, int]]:
    """Runs from left to right (UAX 9, rule L2)."""
    highest = max((run[3] for run in runs), default=0)
    for level in range(highest, 0, -1):
        at = 0
        while at < len(runs):
            end = at
            while end < len(runs) and runs[end][3] >= level:
                end += 1
            runs[at:end] = runs[at:end][::-1]
            at = max(end, at + 1)
    return runs
