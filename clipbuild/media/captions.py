"""Everything written on a clip, as layers: hook, captions, price, call to action, the words of a card.

Read top to bottom: the timetable, where each text stands, what is behind it, its colours, its layers. Text stays
inside the safe box and reads at a contrast of 4.5:1 or more over its whole time. Knows nothing of encoders.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clipbuild.media import contrast, drawing, layout, legible, lettering, looks, placing, script, shades, timing
from clipbuild.media.contrast import RGB
from clipbuild.media.drawing import Paint
from clipbuild.media.layers import Layer
from clipbuild.media.legible import Seen, Spot
from clipbuild.media.placing import Placed
from clipbuild.media.text import Fonts

Sampler = Callable[..., list[Any]]
WHITE, INK = (255, 255, 255), (17, 19, 24)
WIDER = 1.12
LOWERED = (0.5, 0.12, 0.88)
"""Where text may stand in a wide frame, the best-looking first: in the middle, high or low."""


def overlays(
    params: Mapping[str, Any], fonts: Sequence[str], size: tuple[int, int], safe: Sequence[int], sample: Sampler
) -> list[Layer]:
    """The layers of all text of a clip. `sample(times, box)` gives RGB frames of what is behind.

    Raises MediaError for a text that does not fit, can't be drawn or has a character that no font has.
    """
    cues = timing.cues(params)
    if not cues:
        return []
    known = Fonts(fonts, str(params.get("language") or ""))
    rtl = sum(script.is_rtl(cue.text) or -1 for cue in cues if script.has_direction(cue.text)) > 0
    setter = lettering.Setter(known, lettering.looks_of(params), _unit(size), rtl)
    placed, room = placing.place(setter, cues, _rooms(params, size, safe), large=bool(params.get("card")))
    ways = [placing.lowered(placed, room, share) for share in (LOWERED if layout.shape(*size) == "landscape" else ())]
    ways = ways or [placed]
    seen = legible.look(sample, [_spot(item) for way in ways for item in way], size)
    placed, ink = _calmest(ways, _inks(params), seen)
    spots = {id(item): _spot(item) for item in placed}
    painter = Painter(dict(params.get("brand") or {}), seen, ink)
    painted = [(item, *painter.paint(item, spots[id(item)])) for item in placed]
    found = shades.layers([(item, shade) for item, _, shade in painted if shade > 0], painter.ink, size)
    for item, paint, _ in painted:
        found += drawing.layers(item, paint)
    return found


def _unit(size: tuple[int, int]) -> float:
    """What letter sizes are shares of: the frame's shorter side, a bit more in a wide frame, which is seen smaller."""
    return min(size) * (WIDER if layout.shape(*size) == "landscape" else 1.0)


def _rooms(params: Mapping[str, Any], size: tuple[int, int], safe: Sequence[int]) -> list[layout.Box]:
    whole = layout.inside(safe, (0, 0, *size))
    card = params.get("card") or {}
    if params.get("recipe") == "card":
        box = layout.card_layout(*size, has_photo=bool(card.get("photo")))["text"]
        return [layout.inside(box, whole), whole]
    return [layout.text_room(*size, whole), whole]


def _spot(placed: Placed) -> Spot:
    return Spot(placed.rect, placed.cue.start, placed.cue.end, placed.element.size)


def _inks(params: Mapping[str, Any]) -> list[RGB]:
    """A light and a dark ink: the brand's, where they are light and dark enough."""
    brand = dict(params.get("brand") or {})
    light, dark = looks.colour("text", brand), looks.colour("primary", brand)
    return [light if contrast.luminance(light) > 0.5 else WHITE, dark if contrast.luminance(dark) < 0.12 else INK]


def _calmest(ways: Sequence[list[Placed]], inks: Sequence[RGB], seen: Seen) -> tuple[list[Placed], RGB]:
    """Of several ways to place the text the one whose place needs the least shade, and the ink for all bare text
    there, so that it does not change from line to line."""
    found: list[tuple[float, list[Placed], RGB]] = []
    for way in ways:
        bare = [item for item in way if not item.element.look.box] or way
        needed, ink = legible.best_ink(seen, [_spot(item) for item in bare], inks)
        found.append((needed, way, ink))
        if needed == 0:
            break
    _, placed, ink = min(found, key=lambda entry: entry[0])
    return placed, ink


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
        needed = legible.shade_needed(self.seen, spot, letters)
        if needed > legible.HEAVY:
            own = looks.colour("primary", self.brand)
            box = own if contrast.between(own, letters) >= legible.WANTED else legible.shade_for(letters)
            return self._on_box(item, spot, box, 0.88, letters), 0.0
        return paint, needed

    def _box(self, name: str) -> RGB:
        """The box's colour; `auto` is the ink itself, as a button that stands out wherever text does."""
        return looks.colour(name, self.brand, self.ink)

    def _on_box(self, item: Placed, spot: Spot, box: RGB, opacity: float = 0.0, ink: RGB | None = None) -> Paint:
        look = item.element.look
        usual = looks.colour(look.colour, self.brand, ink or contrast.ink_on(box, WHITE, INK))
        letters = usual if contrast.between(usual, box) >= contrast.NEEDED else contrast.ink_on(box, usual, WHITE, INK)
        solid = legible.box_opacity(self.seen, spot, letters, box, opacity or look.opacity)
        outline = contrast.ink_on(letters, INK, WHITE)
        return Paint(letters, box, solid, outline, looks.colour(look.highlight, self.brand), 0.0)
