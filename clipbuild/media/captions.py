"""Everything written on a clip, as layers: hook, captions, price, call to action, the words of a card.

Read top to bottom: the timetable, where each text stands, what is behind it, its colours, its layers. Text stays
inside the safe box and reads at a contrast of 4.5:1 or more over its whole time. Knows nothing of encoders.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from clipbuild.media import drawing, layout, legible, lettering, placing, shades, timing
from clipbuild.media.contrast import RGB
from clipbuild.media.drawing import Paint
from clipbuild.media.layers import Layer
from clipbuild.media.legible import Seen
from clipbuild.media.painting import Painter, inks, spot
from clipbuild.media.placing import Placed
from clipbuild.media.text import Fonts

Sampler = Callable[..., list[Any]]
Painted = tuple[Placed, Paint, float]
WIDER, MOVES = 1.12, 0.02
ROUND = 0.035
"""Distance of text from a logo or a layer, as a share of the frame's shorter side."""
LOWERED = (0.5, 0.12, 0.88)
"""Where text may stand in a wide frame, the best-looking first: in the middle, high or low."""


def overlays(
    params: Mapping[str, Any], fonts: Sequence[str], size: tuple[int, int], safe: Sequence[int], sample: Sampler,
    taken: Sequence[layout.Box] = (),
) -> list[Layer]:  # fmt: skip
    """The layers of all text of a clip, clear of the boxes `taken`. `sample(times, box)` gives RGB frames of what is
    behind.

    Raises MediaError for a text that does not fit, can't be drawn or has a character that no font has.
    """
    ink, painted = written(params, fonts, size, safe, sample, taken)
    found = shades.layers([(item, shade) for item, _, shade in painted if shade > 0], ink, size)
    for item, paint, _ in painted:
        found += drawing.layers(item, paint)
    return found


def written(
    params: Mapping[str, Any], fonts: Sequence[str], size: tuple[int, int], safe: Sequence[int], sample: Sampler,
    taken: Sequence[layout.Box] = (),
) -> tuple[RGB, list[Painted]]:  # fmt: skip
    """The ink of bare text, and every text in its place with its colours and the shade it needs."""
    cues = _cues(params)
    if not cues:
        return (0, 0, 0), []
    setter = _setter(params, fonts, size, cues)
    rooms = _rooms(params, size, safe, taken)
    text = _Text(cues, rooms, bool(params.get("card")), size, dict(params.get("brand") or {}), sample)
    painter, painted = text.painted(setter)
    if heavy := {item.cue.kind for item, _, shade in painted if shade > legible.HEAVY}:
        boxed = {kind: look.boxed() if kind in heavy else look for kind, look in setter.looks.items()}
        painter, painted = text.painted(replace(setter, looks=boxed))
    return painter.ink, painted


def stands(
    params: Mapping[str, Any], fonts: Sequence[str], size: tuple[int, int], safe: Sequence[int],
    taken: Sequence[layout.Box] = (),
) -> list[Placed]:  # fmt: skip
    """Where every text will stand, wherever it may be lowered to, before anything is behind it. Raises as `overlays`."""
    cues = _cues(params)
    if not cues:
        return []
    rooms = _rooms(params, size, safe, taken)
    groups = placing.place(_setter(params, fonts, size, cues), cues, rooms, large=bool(params.get("card")))
    return [item for group in groups for share in _lowered(size) for item in group.lowered(share)]


def _cues(params: Mapping[str, Any]) -> list[timing.Cue]:
    on_card = timing.CLOSING if params.get("end_card") else ()
    return [cue for cue in timing.cues(params) if cue.kind not in on_card]


def _setter(
    params: Mapping[str, Any], fonts: Sequence[str], size: tuple[int, int], cues: Sequence[timing.Cue]
) -> lettering.Setter:
    known, looks = Fonts(fonts, str(params.get("language") or "")), lettering.looks_of(params)
    if not any(cue.kind in ("offer", "price") for cue in cues):  # a button waits for its price only
        looks["cta"] = replace(looks["cta"], delay=0.0)
    return lettering.Setter(known, looks, _unit(size), timing.runs_rtl(cues))


def _lowered(size: tuple[int, int]) -> tuple[float, ...]:
    return LOWERED if layout.shape(*size) == "landscape" else (0.0,)


@dataclass(frozen=True, slots=True)
class _Text:
    """What is to be written, and where it may stand."""

    cues: Sequence[timing.Cue]
    rooms: Sequence[layout.Box]
    large: bool
    size: tuple[int, int]
    brand: Mapping[str, Any]
    sample: Sampler

    def painted(self, setter: lettering.Setter) -> tuple[Painter, list[Painted]]:
        """Every text in its place with its colours and the shade it needs."""
        groups = placing.place(setter, self.cues, self.rooms, large=self.large)
        ways = [[item for group in groups for item in group.lowered(share)] for share in _lowered(self.size)]
        seen = legible.look(self.sample, [spot(item) for way in ways for item in way], self.size)
        placed, ink = _calmest(ways, inks(self.brand), seen)
        painter = Painter(self.brand, seen, ink)
        return painter, [(item, *painter.paint(item, spot(item))) for item in placed]


def _unit(size: tuple[int, int]) -> float:
    """What letter sizes are shares of: the frame's shorter side, a bit more in a wide frame, which is seen smaller."""
    return min(size) * (WIDER if layout.shape(*size) == "landscape" else 1.0)


def _rooms(
    params: Mapping[str, Any], size: tuple[int, int], safe: Sequence[int], taken: Sequence[layout.Box]
) -> list[layout.Box]:
    """Where text may stand: beside the product, and at worst anywhere in the safe box."""
    whole = layout.inside(safe, (0, 0, *size))
    first = layout.text_room(*size, whole)
    if params.get("recipe") == "card":
        photo = bool((params.get("card") or {}).get("photo"))
        x0, y0, x1, y1 = layout.card_layout(*size, has_photo=photo)["text"]
        wide = layout.shape(*size) == "landscape"  # a move brings the photo nearer to the words
        x1, y1 = (x1 - round(MOVES * size[0]), y1) if wide else (x1, y1 - round(MOVES * size[1]))
        first = layout.inside((x0, y0, x1, y1), whole)
    return [layout.beside(room, taken, round(ROUND * min(size))) for room in (first, whole)]


def _calmest(ways: Sequence[list[Placed]], inks: Sequence[RGB], seen: Seen) -> tuple[list[Placed], RGB]:
    """Of several ways to place the text the one whose place needs the least shade, and the ink for all bare text
    there, so that it does not change from line to line. Where all text has a box of a named colour it needs neither."""
    if len(ways) == 1 and all(item.element.look.box not in ("", "auto") for item in ways[0]):
        return ways[0], inks[0]
    found: list[tuple[float, list[Placed], RGB]] = []
    for way in ways:
        bare = [item for item in way if not item.element.look.box] or way
        needed, ink = legible.best_ink(seen, [spot(item) for item in bare], inks)
        found.append((needed, way, ink))
        if needed == 0:
            break
    _, placed, ink = min(found, key=lambda entry: entry[0])
    return placed, ink
