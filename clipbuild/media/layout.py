"""Where things stand on a card: one split of the frame that the picture and the words share.

Pure arithmetic on shares of the frame, so a picture made larger than the frame agrees with the words laid on it.
Knows nothing of pixels' content, fonts or time.
"""

from collections.abc import Sequence

Box = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels."""

# Portrait text keeps to the box that TikTok, Reels and Shorts all leave free (rows 269–1248, columns 108–890 of
# 1080x1920); the picture may reach below it, because their own words there are few and see-through.
_PORTRAIT = {"text": (0.1, 0.145, 0.824, 0.445), "photo": (0.08, 0.465, 0.92, 0.83)}
_SQUARE = {"text": (0.08, 0.07, 0.92, 0.4), "photo": (0.08, 0.43, 0.92, 0.93)}
_LANDSCAPE = {"text": (0.06, 0.12, 0.49, 0.88), "photo": (0.53, 0.09, 0.95, 0.91)}
_BARE = {"portrait": (0.1, 0.16, 0.824, 0.65), "square": (0.09, 0.12, 0.91, 0.88), "landscape": (0.1, 0.14, 0.9, 0.86)}


def shape(width: int, height: int) -> str:
    """What kind of frame it is: portrait, square (up to 4:5) or landscape."""
    ratio = width / height
    return "portrait" if ratio < 0.7 else "landscape" if ratio > 1.25 else "square"


def card_layout(width: int, height: int, has_photo: bool) -> dict[str, Box]:
    """The boxes of a card: `text`, and `photo` where there is one. They never overlap."""
    kind = shape(width, height)
    if not has_photo:
        return {"text": _pixels(_BARE[kind], width, height)}
    shares = {"portrait": _PORTRAIT, "square": _SQUARE, "landscape": _LANDSCAPE}[kind]
    return {name: _pixels(box, width, height) for name, box in shares.items()}


def _pixels(box: tuple[float, float, float, float], width: int, height: int) -> Box:
    x0, y0, x1, y1 = box
    return round(x0 * width), round(y0 * height), round(x1 * width), round(y1 * height)


_STAND = {
    ("portrait", True): (0.12, 0.33, 0.88, 0.77),
    ("portrait", False): (0.1, 0.26, 0.9, 0.78),
    ("square", True): (0.14, 0.36, 0.86, 0.86),
    ("square", False): (0.12, 0.18, 0.88, 0.84),
    ("landscape", True): (0.46, 0.15, 0.92, 0.85),
    ("landscape", False): (0.24, 0.13, 0.76, 0.85),
}


def standing_room(width: int, height: int, text_space: bool) -> tuple[float, float, float, float]:
    """Where a product stands, in shares of the frame: with `text_space` above it (beside it in a wide frame) for
    captions. Its lower edge is the line it stands on."""
    return _STAND[shape(width, height), text_space]


def text_room(width: int, height: int, safe: Sequence[int]) -> Box:
    """Where text stands so that it leaves the product free: above it, beside it in a wide frame; inside `safe`."""
    x0, y0, x1, y1 = safe
    left, top, _, _ = standing_room(width, height, text_space=True)
    if shape(width, height) == "landscape":
        return x0, y0, min(x1, round((left - 0.02) * width)), y1
    below = min(y1, round((top - 0.01) * height))
    return (x0, y0, x1, below) if below - y0 > 0.1 * height else (x0, y0, x1, y1)


def beside(room: Box, taken: Sequence[Box], gap: int) -> Box:
    """What is left of a room for text when boxes are taken: the largest part above, below or beside each of them."""
    for x0, y0, x1, y1 in taken:
        if x1 <= room[0] or x0 >= room[2] or y1 <= room[1] or y0 >= room[3]:
            continue
        parts = [
            (room[0], room[1], room[2], min(room[3], y0 - gap)), (room[0], max(room[1], y1 + gap), room[2], room[3]),
            (room[0], room[1], min(room[2], x0 - gap), room[3]), (max(room[0], x1 + gap), room[1], room[2], room[3]),
        ]  # fmt: skip
        tall = room[3] - room[1] > room[2] - room[0]  # a column stays one
        shares = [_area(part) * (1.2 if tall and number < 2 else 1.0) for number, part in enumerate(parts)]
        room = parts[shares.index(max(shares))]
    return room


def _area(box: Box) -> int:
    return max(0, box[2] - box[0]) * max(0, box[3] - box[1])


def inside(box: Sequence[int], safe: Sequence[int]) -> Box:
    """The part of a box that lies in `safe`."""
    return max(box[0], safe[0]), max(box[1], safe[1]), min(box[2], safe[2]), min(box[3], safe[3])
