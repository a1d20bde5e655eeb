"""A font file at one weight, and glyphs of it in place. Knows nothing of lines, sizes in pixels or colours."""

from dataclasses import dataclass
from typing import Any

import freetype
import uharfbuzz as hb

from clipbuild.errors import MediaError, shown

EMOJI_SCALE = 0.86
"""Colour emoji are drawn a bit smaller than their em, so that they sit with capitals."""
CAP = 0.73


class Face:
    """One font file at one weight."""

    __slots__ = ("coloured", "font", "ft", "path", "pictures", "upem")

    def __init__(self, path: str, weight: int) -> None:
        self.path = path
        try:
            self._open(weight)
        except (freetype.FT_Exception, OSError, ValueError, MemoryError) as error:
            raise unusable(path, error) from error

    def _open(self, weight: int) -> None:
        face = hb.Face(hb.Blob.from_file_path(self.path))
        self.ft = freetype.Face(self.path)
        self.font, self.upem = hb.Font(face), max(1, face.upem)
        self.coloured = bool(face.has_color_png)
        self.pictures: dict[int, Any] = {}
        axes = [axis for axis in face.axis_infos if axis.tag == "wght"]
        if axes:
            value = min(max(float(weight), axes[0].min_value), axes[0].max_value)
            self.font.set_variations({"wght": value})
            self.ft.set_var_design_coords(
                [value if axis.tag == "wght" else axis.default_value for axis in face.axis_infos]
            )

    def has(self, char: str) -> bool:
        """Whether the font has a glyph of its own for the character."""
        return bool(self.font.get_nominal_glyph(ord(char)))


@dataclass(frozen=True, slots=True)
class Glyph:
    """One glyph in place: `x`, `y` and `advance` in em from the line's left end and baseline, y up."""

    face: Face
    index: int
    x: float
    y: float
    advance: float
    cluster: int


def unusable(path: str, error: Exception) -> MediaError:
    """What is said of a font that is damaged."""
    return MediaError(f"{shown(path)}: not a usable font", [("reason", shown(error, 80))], "use another file")


def reach(glyph: Glyph) -> tuple[float, float] | None:
    """How far its ink reaches over and under the baseline (em), None without ink."""
    found = glyph.face.font.get_glyph_extents(glyph.index)
    if found is None or not found.height:
        return None
    scale = (EMOJI_SCALE if glyph.face.coloured else 1.0) / glyph.face.upem
    if glyph.face.coloured:
        return CAP, 0.0
    top = glyph.y + found.y_bearing * scale
    return top, -(glyph.y + (found.y_bearing + found.height) * scale)
