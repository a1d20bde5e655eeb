"""Where each text stands: in the room left for text, below what is seen at the same time, never on one another.

Knows nothing of colours or of what is behind.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from clipbuild.errors import MediaError
from clipbuild.media.layout import Box
from clipbuild.media.lettering import Element, Setter
from clipbuild.media.shapes import Rect
from clipbuild.media.timing import CLOSING, Cue

LARGE = (1.5, 1.35, 1.2, 1.1)
"""What a card tries first: its text is what it shows."""
SCALES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
ROW = 0.95
"""How small, against the other texts, the letters of a button may get so that it stands in a row with the price."""
LEADS = (1.5, 1.35, 1.2, 1.1)
"""How much larger than its usual share of the texts a card's headline becomes where there is room for it."""
STEP_BACK = 0.88
"""What a larger headline counts where all other texts get a size smaller for it."""
MANY = 40
"""Lines a text may have where nothing else helps."""
GAP = 0.022
"""Between two texts, as a share of the frame's shorter side."""
ORDER = ("hook", "headline", "caption", "sign", "offer", "price", "cta")


@dataclass(frozen=True, slots=True)
class Placed:
    """An element with its corner in the frame."""

    element: Element
    x: float
    y: float

    @property
    def rect(self) -> Rect:
        """Its box."""
        return Rect(self.x, self.y, self.x + self.element.width, self.y + self.element.height)

    @property
    def cue(self) -> Cue:
        """Its text and time."""
        return self.element.cue


@dataclass(frozen=True, slots=True)
class Group:
    """What is seen at once, or one after the other without a gap between, in the room it was fitted to."""

    placed: tuple[Placed, ...]
    room: Box

    def lowered(self, share: float) -> list[Placed]:
        """Moved down as one by a share of the height it leaves: 0.5 centres it, 1.0 is the bottom of the room."""
        shift = max((self.room[3] - max(item.rect.y1 for item in self.placed)) * share, 0.0)
        return [Placed(item.element, item.x, item.y + shift) for item in self.placed]


def place(setter: Setter, cues: Sequence[Cue], rooms: Sequence[Box], *, large: bool) -> list[Group]:
    """Every cue at the top of the first of `rooms` that holds it with all it meets, as large as they go there.

    `large`: try larger than usual first. The rooms after the first are for what does not fit there, and smaller
    letters. Raises MediaError when nothing helps.
    """
    return [_grouped(setter, group, rooms, large) for group in _meeting(cues)]


def _meeting(cues: Sequence[Cue]) -> list[list[Cue]]:
    """Cues in groups that share no moment with one another, each in the order they stand."""
    groups: list[list[Cue]] = []
    for cue in sorted(cues, key=lambda cue: cue.start):
        joined = [group for group in groups if any(cue.meets(other) for other in group)]
        groups = [group for group in groups if group not in joined]
        groups.append([*(other for group in joined for other in group), cue])
    return [sorted(group, key=lambda cue: (ORDER.index(cue.kind), cue.start)) for group in groups]


def _grouped(setter: Setter, cues: Sequence[Cue], rooms: Sequence[Box], large: bool) -> Group:
    failure: MediaError | None = None
    for number, (room, scale, lines) in enumerate(tries := list(_tries(rooms, large))):
        try:
            found = _stacked(setter, cues, room, scale, lines)
        except MediaError as error:
            failure = error
            continue
        if found is not None:
            led = _led(setter, cues, tries[number : number + 2]) if large and not lines else None
            return Group(tuple(led or found), room)
    raise failure or MediaError(
        "there is more text at once than has room",
        [("texts", ", ".join(f'"{cue.text}"' for cue in cues)[:200])],
        "shorten it, or give captions times of their own",
    )


def _tries(rooms: Sequence[Box], large: bool) -> Iterator[tuple[Box, float, int]]:
    """Rooms, sizes and (0: the look's own) numbers of lines, the best-looking first."""
    yield from ((rooms[0], scale, 0) for scale in (*(LARGE if large else ()), *SCALES))
    yield from ((room, scale, 0) for room in rooms[1:] for scale in SCALES[2:])
    yield from ((rooms[-1], scale, MANY) for scale in SCALES[-3:])


def _led(setter: Setter, cues: Sequence[Cue], tries: Sequence[tuple[Box, float, int]]) -> list[Placed] | None:
    """The same with a larger headline, where it can be had for little: the other texts at most one size smaller."""
    if not any(cue.kind == "headline" for cue in cues):
        return None
    found: list[tuple[float, list[Placed]]] = []
    for (room, scale, _), weight in zip(tries, (1.0, STEP_BACK), strict=False):
        look = setter.looks["headline"]
        for lead in LEADS:
            leading = replace(setter, looks={**setter.looks, "headline": replace(look, size=look.size * lead)})
            if room == tries[0][0] and (placed := _or_none(leading, cues, room, scale)) is not None:
                found.append((_letters(placed, "headline") * weight, placed))
                break
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _or_none(setter: Setter, cues: Sequence[Cue], room: Box, scale: float) -> list[Placed] | None:
    try:
        return _stacked(setter, cues, room, scale, 0)
    except MediaError:
        return None


def _letters(placed: Sequence[Placed], kind: str) -> float:
    """The size of the letters of this kind of text."""
    return max((item.element.size for item in placed if item.cue.kind == kind), default=0.0)


def _stacked(setter: Setter, cues: Sequence[Cue], room: Box, scale: float, lines: int) -> list[Placed] | None:
    """Each below all it meets in time, a button beside its price where that fits; None when the last of them leaves the
    room."""
    found: list[Placed] = []
    x0, y0, x1, y1 = room
    gap = GAP * setter.unit
    for cue in cues:
        met = [placed for placed in found if placed.cue.meets(cue)]
        beside = _beside(setter, cue, met, room, scale) if cue.kind == "cta" else None
        if beside is not None:
            found.append(beside)
            continue
        top = max([placed.rect.y1 + gap * _apart(placed.cue, cue) for placed in met], default=float(y0))
        element = setter.element(cue, x1 - x0, y1 - y0, scale, lines)
        if top + element.height > y1 + 0.5:
            return None
        found.append(Placed(element, x1 - element.width if element.rtl else x0, top))
    return found


def _apart(above: Cue, below: Cue) -> float:
    """What belongs to the offer, and what stands below a headline, keeps more distance."""
    if below.kind in CLOSING:
        return 1.0 if above.kind in CLOSING else 1.9
    return 1.4 if above.kind == "headline" else 1.0


def _beside(setter: Setter, cue: Cue, met: Sequence[Placed], room: Box, scale: float) -> Placed | None:
    """A button stands beside the price where both fit in a row and its letters stay in proportion to the other texts."""
    price = next((placed for placed in met if placed.cue.kind == "price"), None)
    if price is None:
        return None
    gap = 1.2 * GAP * setter.unit
    width = room[2] - room[0] - price.element.width - gap
    if width < 0.2 * (room[2] - room[0]):
        return None
    try:
        element = setter.element(cue, width, room[3] - room[1], scale)
    except MediaError:
        return None
    if element.size < ROW * scale * element.look.size * setter.unit:
        return None
    y = price.y + (price.element.height - element.height) / 2
    if y < room[1]:
        return None
    x = price.x - gap - element.width if price.element.rtl else price.rect.x1 + gap
    return Placed(element, x, y)
