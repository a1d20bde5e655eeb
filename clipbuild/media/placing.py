"""Where each text stands: in the room left for text, below what is seen at the same time, never on one another.

Knows nothing of colours or of what is behind.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from clipbuild.errors import MediaError
from clipbuild.media.layout import Box
from clipbuild.media.lettering import Element, Setter
from clipbuild.media.shapes import Rect
from clipbuild.media.timing import CLOSING, Cue

LARGE = (1.5, 1.35, 1.2, 1.1)
"""What a card tries first: its text is what it shows."""
SCALES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
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


def place(setter: Setter, cues: Sequence[Cue], rooms: Sequence[Box], *, large: bool) -> tuple[list[Placed], Box]:
    """Every cue at the top of the first of `rooms` that holds them all, as large as they go there; and that room.

    `large`: try larger than usual first. Raises MediaError when nothing helps.
    """
    ordered = sorted(cues, key=lambda cue: (ORDER.index(cue.kind), cue.start))
    tries = [(room, scale, 0) for room in rooms for scale in (*(LARGE if large else ()), *SCALES)]
    tries += [(rooms[-1], scale, MANY) for scale in SCALES[-3:]]
    failure: MediaError | None = None
    for room, scale, lines in tries:
        try:
            found = _stacked(setter, ordered, room, scale, lines)
        except MediaError as error:
            failure = error
            continue
        if found is not None:
            return found, room
    raise failure or MediaError(
        "there is more text at once than has room",
        [("texts", ", ".join(f'"{cue.text}"' for cue in ordered)[:200])],
        "shorten it, or give captions times of their own",
    )


def _stacked(setter: Setter, cues: Sequence[Cue], room: Box, scale: float, lines: int) -> list[Placed] | None:
    """Each below all it meets in time; None when the last of them leaves the room."""
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
        if y1 - top < 8:
            return None
        element = setter.element(cue, x1 - x0, y1 - top, scale, lines)
        if top + element.height > y1 + 0.5:
            return None
        found.append(Placed(element, x1 - element.width if element.rtl else x0, top))
    return found


def _apart(above: Cue, below: Cue) -> float:
    """What belongs to the offer keeps more distance from what does not."""
    return 1.0 if below.kind not in CLOSING or above.kind in CLOSING else 1.9


def _beside(setter: Setter, cue: Cue, met: Sequence[Placed], room: Box, scale: float) -> Placed | None:
    """A button stands beside the price where both fit in a row."""
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
    if element.size < 0.95 * element.look.size * setter.unit * scale:
        return None
    y = price.y + (price.element.height - element.height) / 2
    if y < room[1]:
        return None
    x = price.x - gap - element.width if price.element.rtl else price.rect.x1 + gap
    return Placed(element, x, y)


def lowered(found: Sequence[Placed], room: Box, share: float) -> list[Placed]:
    """What is seen at once moved down as one by a share of the height it leaves: 0.5 centres it, 1.0 is the bottom."""
    groups: list[list[Placed]] = []
    for placed in sorted(found, key=lambda item: item.cue.start):
        meeting = [group for group in groups if any(placed.cue.meets(other.cue) for other in group)]
        groups = [group for group in groups if group not in meeting]
        groups.append([placed, *(item for group in meeting for item in group)])
    moved = []
    for group in groups:
        bottom = max(item.rect.y1 for item in group)
        shift = max((room[3] - bottom) * share, 0.0)
        moved += [Placed(item.element, item.x, item.y + shift) for item in group]
    return moved
