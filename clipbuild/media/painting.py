"""The colours of text: the brand's where they read, an ink for what stands on the picture, boxes that stand out.

Knows where text stands and what is behind it; draws nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clipbuild.media import contrast, legible, looks
from clipbuild.media.contrast import RGB
from clipbuild.media.drawing import Paint
from clipbuild.media.legible import Seen, Spot
from clipbuild.media.placing import Placed

WHITE, INK = (255, 255, 255), (17, 19, 24)


def spot(placed: Placed) -> Spot:
    return Spot(placed.rect, placed.cue.start, placed.cue.end, placed.element.size)


def inks(brand: Mapping[str, Any]) -> list[RGB]:
    """A light and a dark ink: the brand's, where they are light and dark enough."""
    light, dark = looks.colour("text", brand), looks.colour("primary", brand)
    return [light if contrast.luminance(light) > 0.5 else WHITE, dark if contrast.luminance(dark) < 0.12 else INK]


@dataclass(frozen=True, slots=True)
class Painter:
    """Chooses colours: the brand's, the ink of the clip, and boxes that stand out."""

    brand: Mapping[str, Any]
    seen: Seen
    ink: RGB

    def paint(self, item: Placed, spot: Spot) -> tuple[Paint, float]:
        """The colours of an element, and how much shade the picture behind it needs."""
        look = item.element.look
        if look.box:
            return self._on_box(item, spot, self._box(look.box)), 0.0
        letters = looks.colour(look.colour, self.brand, self.ink)
        mark = looks.colour(look.highlight, self.brand)
        outline = contrast.ink_on(letters, INK, WHITE)
        paint = Paint(letters, None, 1.0, outline, mark, look.shadow)
        if look.outline >= 0.05:
            return paint, 0.0
        return paint, legible.shade_needed(self.seen, spot, letters)

    def _box(self, name: str) -> RGB:
        """The box's colour; `auto` is the ink itself, as a button that stands out wherever text does."""
        return looks.colour(name, self.brand, self.ink)

    def _on_box(self, item: Placed, spot: Spot, box: RGB) -> Paint:
        look = item.element.look
        usual = looks.colour(look.colour, self.brand, contrast.ink_on(box, WHITE, INK))
        letters = usual if contrast.between(usual, box) >= contrast.NEEDED else contrast.ink_on(box, usual, WHITE, INK)
        box = standing_off(box, letters)
        solid = legible.box_opacity(self.seen, spot, letters, box, look.opacity)
        outline = contrast.ink_on(letters, INK, WHITE)
        return Paint(letters, box, solid, outline, looks.colour(look.highlight, self.brand), 0.0)


def standing_off(box: RGB, letters: RGB) -> RGB:
    """The box's colour, or the nearest darker or lighter one on which the letters read: some greys let no ink read."""
    towards = 0 if contrast.luminance(letters) > contrast.luminance(box) else 255
    for share in range(0, 100, 4):
        red, green, blue = (round(value + (towards - value) * share / 100) for value in box)
        if contrast.between((red, green, blue), letters) >= legible.WANTED:
            return red, green, blue
    return box
