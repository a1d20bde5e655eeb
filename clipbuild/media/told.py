"""What a finished clip is meant to show, told by those who drew it, so that a check can compare: moves, texts, loop.

Moves are measured from the camera's views, never from pixels. Knows nothing of limits or of how a clip is checked.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from clipbuild.media import motion
from clipbuild.media.frames import Scene
from clipbuild.media.layers import Layer, Lettering
from clipbuild.media.motion import View

SHADES = 5
"""Layers up to this height are soft shades: part of the picture, not of the text."""
SOLID, COVER, WORDS = 128, 0.85, 30
HARDLY = 0.0003
"""Travel from frame to frame, as a share of the frame's width, that hardly changes a picture of few edges."""


Spell = tuple[tuple[int, int, int, int], float, float]
"""A rectangle of the frame, from when until when."""


def scene(shown: Scene, name: str, *, loop: bool, films: Sequence[Spell] = ()) -> dict[str, Any]:
    """The facts of a scene: `motion` its name, `moves` (one for each of its layers), `moving`, `loop`, `texts`, and
    `until` when the picture is bare of what covers it whole (an end card, a film of the user's own)."""
    size = (shown.width, shown.height)
    layers = [layer for layer in shown.layers if layer.z > SHADES]
    spells = [*films, *map(_spell, layers)]
    until = min([shown.seconds, *(start for box, start, _ in spells if _area(box) > COVER * size[0] * size[1])])
    count = max(1, round(until * shown.fps))
    parts = [part.views[:count] for part in shown.parts if len(part.views) > 1]
    still = all(views[0] == view for views in parts for view in views)
    return {
        "motion": name, "moves": _different([travel(views, size) for views in parts]),
        "moving": not still or shown.under is not None, "loop": loop and until == shown.seconds,
        "drawn": shown.under is None, "until": round(until, 3), **_pauses(parts, shown, count),
        "texts": [*(_text(layer, size) for layer in layers), *(_told_box(*film, size) for film in films)],
    }  # fmt: skip


def _spell(layer: Layer) -> Spell:
    solid = float((layer.rgba[..., 3] >= SOLID).mean()) > 0.9
    high, wide = layer.rgba.shape[:2] if solid else (0, 0)
    return (layer.x, layer.y, layer.x + wide, layer.y + high), layer.start, layer.end


def _area(box: tuple[int, int, int, int]) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])


def entry(told: Mapping[str, Any], seconds: float, size: tuple[int, int]) -> dict[str, float]:
    """The move that an entry of the motion library asks for, in a picture a little larger than the frame."""
    wanted = motion.move(told)
    picture = (round(size[0] * 1.2), round(size[1] * 1.2))
    return travel(motion.path(wanted, seconds, 30.0, size, picture), size)


def travel(views: Sequence[View], size: tuple[int, int]) -> dict[str, float]:
    """From the first view to the last: `zoom` (1.1 is 10 % closer), and the content's travel as shares of the frame."""
    first, last = views[0], views[-1]
    across, down = (
        ((a - b) + s / 2 * first.step) / last.step / s - 0.5
        for a, b, s in ((first.left, last.left, size[0]), (first.top, last.top, size[1]))
    )
    found = {"zoom": first.step / last.step, "pan_x": across, "pan_y": down}
    return {name: round(value, 5) + 0.0 for name, value in found.items()}


def _pauses(parts: Sequence[Sequence[View]], shown: Scene, count: int) -> dict[str, float]:
    """`rest`: the longest time, `calm`: the share of all frames, in which no layer moves enough to be measured."""
    size = (shown.width, shown.height)
    reach = [np.zeros(max(1, count - 1)), *(_speeds(views, size) for views in parts if len(views) > 1)]
    quiet = np.max(reach, axis=0) < HARDLY
    longest = run = 0
    for flag in quiet:
        run = run + 1 if flag else 0
        longest = max(longest, run)
    return {"rest": round((longest + 1) / shown.fps, 3) if longest else 0.0, "calm": round(float(quiet.mean()), 4)}


def _speeds(views: Sequence[View], size: tuple[int, int]) -> Any:
    """How far each frame's corners travel to the next, as shares of the frame's width."""
    rows = np.array([(v.left, v.top, v.left + v.step * size[0], v.top + v.step * size[1]) for v in views])
    steps = np.array([v.step for v in views[1:]])[:, None] * size[0]
    return np.abs(np.diff(rows, axis=0) / steps).max(axis=1)


def _different(moves: Sequence[dict[str, float]]) -> list[dict[str, float]]:
    return [move for place, move in enumerate(moves) if move not in moves[:place]]


def _text(layer: Layer, size: tuple[int, int]) -> dict[str, Any]:
    """Box of what can be read of a layer, in shares of the frame, and its time."""
    solid = layer.rgba[..., 3] >= SOLID
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    high, wide = solid.shape
    x0, x1 = (int(columns[0]), int(columns[-1]) + 1) if columns.size else (0, wide)
    y0, y1 = (int(rows[0]), int(rows[-1]) + 1) if rows.size else (0, high)
    box = (layer.x + x0, layer.y + y0, layer.x + x1, layer.y + y1)
    ground = _area(box) > COVER * size[0] * size[1]  # of an end card
    found = {**_told_box(box, layer.start, layer.end, size), "text": layer.z >= WORDS and not ground}
    if layer.lettering is None:
        return found
    return found | _lettering(layer, layer.lettering, (slice(y0, y1), slice(x0, x1)))


def _lettering(layer: Layer, written: Lettering, part: tuple[slice, slice]) -> dict[str, Any]:
    """Where the letters are, the width of their outline, and the time in which they neither come nor go."""
    from clipbuild.media import cliptext

    rgba = layer.rgba.copy() if written.struck else layer.rgba
    for first, last in written.struck:
        rgba[:, max(0, first - layer.x) : max(0, last - layer.x), 3] = 0
    return {
        "letters": cliptext.told(rgba[part], written.ink, written.em),
        "edge": round(written.edge * cliptext.EM / written.em, 2),
        "steady": [round(max(0.0, layer.start + layer.fade), 3), round(layer.end - layer.fade, 3)],
    }  # fmt: skip


def _told_box(box: tuple[int, int, int, int], start: float, end: float, size: tuple[int, int]) -> dict[str, Any]:
    shares = [round(value / size[place % 2], 4) for place, value in enumerate(box)]
    return {"box": shares, "start": round(start, 3), "end": round(end, 3), "text": False}
