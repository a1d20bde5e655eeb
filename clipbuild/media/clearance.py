"""How much of a camera move keeps the product off the words: all of it, or as much as fits between the two.

Boxes and views only. Knows nothing of pixels, fonts or of how a text found its place.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from clipbuild.media import motion
from clipbuild.media.motion import Box, Move, Size, View

APART = 0.014
"""What stays free between a product and a text, as a share of the frame."""
LEAST = 0.15
"""So much of a move is always made: a camera that stands still is worse than a touch."""
LOOKS = 9


@dataclass(frozen=True, slots=True)
class Words:
    """A text: its box in shares of the frame, and from when until when it is seen."""

    box: Box
    start: float
    end: float


def clear(
    wanted: Move, seconds: float, fps: float, size: Size, picture: Size, subject: Box, texts: Sequence[Words], layer: str
) -> Move:
    """The move, or a smaller one: so that `subject` (shares of the picture) comes over no text that it is clear of in
    the middle of the way. `layer` is the one the product is on, "" for a flat picture."""

    def made(share: float) -> list[View]:
        return motion.path(smaller(wanted, share), seconds, fps, size, picture, layer=layer, subject=subject)

    rest = made(0.0)
    held = [text for text in texts if not _meets(rest, text, fps, size, picture, subject)]

    def fits(share: float) -> bool:
        views = made(share)
        return not any(_meets(views, text, fps, size, picture, subject) for text in held)

    if not held or fits(1.0):
        return wanted
    least, most = 0.0, 1.0
    for _ in range(6):
        middle = (least + most) / 2
        least, most = (middle, most) if fits(middle) else (least, middle)
    return smaller(wanted, max(LEAST, least))


def smaller(wanted: Move, share: float) -> Move:
    """The move, going so much less far."""
    if share == 1.0:
        return wanted
    return replace(wanted, zoom=wanted.zoom * share, x=wanted.x * share, y=wanted.y * share, travel=wanted.travel * share)


def _meets(views: Sequence[View], text: Words, fps: float, size: Size, picture: Size, subject: Box) -> bool:
    """The product comes nearer to the text than it may, at some moment of the text."""
    first, last = round(text.start * fps), min(len(views) - 1, round(text.end * fps))
    return any(_near(_seen(views[first + (last - first) * n // (LOOKS - 1)], size, picture, subject), text.box)
               for n in range(LOOKS) if first <= last)  # fmt: skip


def _seen(view: View, size: Size, picture: Size, subject: Box) -> Box:
    """Where the product is in the frame."""
    edges = (view.left, view.top)
    x0, y0, x1, y1 = (
        (subject[place] * picture[place % 2] - edges[place % 2]) / (size[place % 2] * view.step) for place in range(4)
    )
    return x0, y0, x1, y1


def _near(one: Box, other: Box) -> bool:
    return all(min(one[k + 2], other[k + 2]) - max(one[k], other[k]) > -APART for k in (0, 1))
