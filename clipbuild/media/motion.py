"""Camera moves: from an entry of the motion library to one view of the picture a frame.

A view is the part of the picture that fills the frame. Views are exact numbers, never whole pixels; no view leaves
the picture. Knows nothing of pixels: this is the curve that frames are measured against.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from clipbuild.errors import MediaError, shown

Size = tuple[int, int]
Box = tuple[float, float, float, float]
KINDS = ("zoom", "pan", "wave", "hold")
GRID = float(1 << 32)
"""Views are rounded to this part of a pixel, so that two mathematics libraries make one path."""
KEEP_FREE = 0.02
"""How near to the frame's edge a subject may come, as a share of the frame."""


@dataclass(frozen=True, slots=True)
class View:
    """The part of a picture that fills a frame: its left and top edge and picture pixels a frame pixel."""

    left: float
    top: float
    step: float


@dataclass(frozen=True, slots=True)
class Move:
    """A camera move with its amount settled. `zoom`, `x`, `y` are shares of the frame: a second, or a wave's reach."""

    name: str
    kind: str
    curve: str = "ease"
    zoom: float = 0.0
    x: float = 0.0
    y: float = 0.0
    period: float = 5.0
    travel: float = 0.2
    upscale: float = 1.6
    loop: bool = False
    depth: Mapping[str, float] = field(default_factory=dict)
    blur: Mapping[str, Any] = field(default_factory=dict)


def move(entry: Mapping[str, Any]) -> Move:
    """An entry of the motion library, with `name`, `amount` and `loop` from the catalog. Raises MediaError."""
    name, kind = str(entry.get("name", "")), str(entry.get("kind", "zoom"))
    curve = str(entry.get("curve", "ease"))
    _known(name, "kind", kind, KINDS)
    _known(name, "curve", curve, CURVES)
    amount = entry.get("amount")
    share = 0.5 if amount is None else min(1.0, max(0.0, float(amount)))
    reach = {axis: _between(span, share) for axis, span in dict(entry.get("range") or {}).items()}
    bounds = dict(entry.get("limits") or {})
    return Move(
        name, kind, curve, reach.get("zoom", 0.0), reach.get("x", 0.0), reach.get("y", 0.0),
        max(0.5, float(entry.get("period", 5.0))), float(bounds.get("travel", 0.2)), float(bounds.get("upscale", 1.6)),
        bool(entry.get("loop", False)), dict(entry.get("depth") or {}), dict(entry.get("blur") or {}),
    )  # fmt: skip


def _known(name: str, what: str, value: str, known: Sequence[str] | Mapping[str, Any]) -> None:
    if value not in known:
        raise MediaError(f"motion {shown(name)!r} has an unknown {what} {shown(value)!r}", [("known", ", ".join(known))])


def _between(span: Any, share: float) -> float:
    if isinstance(span, int | float):
        return float(span)
    least, most = (float(end) for end in span)
    return least + (most - least) * share


def frame_count(seconds: float, fps: float) -> int:
    """How many frames a clip has; at least one."""
    return max(1, round(seconds * fps))


def path(
    wanted: Move,
    seconds: float,
    fps: float,
    size: Size,
    picture: Size,
    *,
    layer: str = "",
    subject: Box | None = None,
) -> list[View]:
    """The view of each frame. `size` is the frame's, `picture` the picture's, in pixels.

    `layer` ("background", "subject"): its share of the move, by `depth`. `subject` (left, top, right, bottom in
    shares of the picture): the move goes around its centre and, where that is possible, keeps it in the frame.
    """
    depth = float(wanted.depth.get(layer, 1.0)) if layer else 1.0
    camera = _Camera(size, picture, _focus(subject))
    ends = _ends(wanted, seconds, camera, subject)
    count = frame_count(seconds, fps)
    reach = _reach(wanted, ends)
    return [
        camera.view(*_at(wanted, ends, _progress(wanted, i, count), seconds, depth), reach) for i in range(count)
    ]


@dataclass(frozen=True, slots=True)
class _Ends:
    """The settled move: its size at the start and the end (1: the whole picture), how far the view goes (shares of
    the frame), and the size it needs for that room."""

    first: float
    last: float
    x: float
    y: float
    base: float


@dataclass(frozen=True, slots=True)
class _Camera:
    """Turns size and offset into views that stay inside the picture."""

    size: Size
    picture: Size
    focus: tuple[float, float]

    @property
    def widest(self) -> float:
        """Picture pixels a frame pixel when the picture just covers the frame."""
        return min(self.picture[0] / self.size[0], self.picture[1] / self.size[1])

    def view(self, zoom: float, shift: tuple[float, float] = (0, 0), reach: tuple[float, float] = (0, 0)) -> View:
        """The view at `zoom`, moved by shares of the frame, where the whole move goes as far as `reach` either way."""
        step = self.widest / zoom
        edges = []
        for axis in (0, 1):
            wide, room = self.size[axis] * step, self.picture[axis]
            rest, focus = self.size[axis] * self.widest, self.focus[axis] * room
            start = min(max(0.0, focus - rest / 2), room - rest)
            edge = focus - (focus - start) / rest * wide  # the focus stays where it is in the frame
            need = min(reach[axis] * wide, (room - wide) / 2)
            edge = min(max(need, edge), room - wide - need) + shift[axis] * wide
            edges.append(_exact(min(max(0.0, edge), max(0.0, room - wide))))
        return View(edges[0], edges[1], _exact(step))


def _exact(value: float) -> float:
    return math.floor(value * GRID + 0.5) / GRID


def _focus(subject: Box | None) -> tuple[float, float]:
    if subject is None:
        return 0.5, 0.5
    x0, y0, x1, y1 = subject
    return min(max((x0 + x1) / 2, 0.0), 1.0), min(max((y0 + y1) / 2, 0.0), 1.0)


def _ends(wanted: Move, seconds: float, camera: _Camera, subject: Box | None) -> _Ends:
    """How far the move goes: its speed times the time, within its limits, those of the picture, and as far sideways
    as keeps the subject in the frame."""
    ends = _unbound(wanted, seconds, camera, subject)
    if subject is None or not (ends.x or ends.y) or _shows(ends, wanted, camera, subject):
        return ends
    least, most = 0.0, 1.0
    for _ in range(10):
        middle = (least + most) / 2
        if _shows(_unbound(wanted, seconds, camera, subject, middle), wanted, camera, subject):
            least = middle
        else:
            most = middle
    narrower = _unbound(wanted, seconds, camera, subject, least)
    return narrower if _shows(narrower, wanted, camera, subject) else ends


def _shows(ends: _Ends, wanted: Move, camera: _Camera, subject: Box) -> bool:
    """The subject is in the frame at both ends of the way."""
    reach = _reach(wanted, ends)
    for zoom in (ends.first, ends.last):
        for sign in (-1, 1):
            view = camera.view(ends.base * zoom, (sign * reach[0], sign * reach[1]), reach)
            for axis, edge in ((0, view.left), (1, view.top)):
                wide = camera.size[axis] * view.step
                low, high = ((subject[i] * camera.picture[axis] - edge) / wide for i in (axis, axis + 2))
                if low < KEEP_FREE / 2 or high > 1 - KEEP_FREE / 2:
                    return False
    return True


def _reach(wanted: Move, ends: _Ends) -> tuple[float, float]:
    """How far a move goes to either side."""
    part = 1.0 if wanted.kind == "wave" else 0.5
    return abs(ends.x) * part, abs(ends.y) * part


def _unbound(wanted: Move, seconds: float, camera: _Camera, subject: Box | None, share: float = 1.0) -> _Ends:
    """The same with a share of the way sideways, wherever the subject is then."""
    spare = max(1.0, wanted.upscale * camera.widest)
    keep = _keeping(camera, subject)
    if wanted.kind == "wave":
        zoom = min(abs(wanted.zoom), wanted.travel)
        x, y = (_bounded(value, wanted.travel) * share for value in (wanted.x, wanted.y))
        base = _room_for(camera, 2 * abs(x), 2 * abs(y), spare)
        return _Ends(1.0, 1 + zoom, x, y, base)
    travel = _bounded(wanted.zoom * seconds, wanted.travel)
    x, y = (_bounded(value * seconds, wanted.travel) * share for value in (wanted.x, wanted.y))
    base = _room_for(camera, abs(x), abs(y), spare)
    most = max(1.0, min(spare / base, keep / base if keep >= 1.0 else math.inf))
    near = min(1 + abs(travel), most)
    return _Ends(*((1.0, near) if travel >= 0 else (near, 1.0)), x, y, base)


def _bounded(value: float, most: float) -> float:
    return min(most, max(-most, value))


def _room_for(camera: _Camera, x: float, y: float, spare: float) -> float:
    """The size at which the view can travel by `x` and `y` of the frame inside the picture."""
    need = 1.0
    for axis, share in ((0, x), (1, y)):
        slack = camera.picture[axis] / (camera.size[axis] * camera.widest)
        need = max(need, (1 + share) / slack)
    return min(need, max(spare, 1.02))


def _keeping(camera: _Camera, subject: Box | None) -> float:
    """The largest size at which the subject stays inside the frame; 0 where it does not even at the start."""
    if subject is None:
        return math.inf
    most = math.inf
    start = camera.view(1.0)
    for axis in (0, 1):
        edge, wide = (start.left, start.top)[axis], camera.size[axis] * start.step
        low, high = ((subject[i] * camera.picture[axis] - edge) / wide for i in (axis, axis + 2))
        if low < 0 or high > 1:
            return 0.0
        middle = (camera.focus[axis] * camera.picture[axis] - edge) / wide
        for far, room in ((middle - low, middle - KEEP_FREE), (high - middle, 1 - KEEP_FREE - middle)):
            if far > 1e-9:
                most = min(most, max(1.0, room / far))
    return most


def _progress(wanted: Move, index: int, count: int) -> float:
    """How far along frame `index` is, 0…1. A loop's last frame comes just before its first again."""
    if wanted.kind == "wave" or wanted.loop:
        return index / count
    return index / max(1, count - 1)


def _at(wanted: Move, ends: _Ends, u: float, seconds: float, depth: float) -> tuple[float, tuple[float, float]]:
    """Size and offset at `u`."""
    if wanted.kind == "hold":
        return 1.0, (0.0, 0.0)
    if wanted.kind == "wave":
        turns = max(1, round(seconds / wanted.period)) if wanted.loop else seconds / wanted.period
        across = math.sin(2 * math.pi * turns * u)
        along = math.sin(2 * math.pi * turns * u + math.pi / 2) if wanted.x and wanted.y else across
        breath = math.cos(2 * math.pi * turns * u)
        size = 1 + (ends.last - 1) * (1 - breath) / 2 * depth if depth > 0 else 1.0
        return ends.base * size, (ends.x * across * depth, ends.y * along * depth)
    p = (1 - math.cos(2 * math.pi * u)) / 2 if wanted.loop else CURVES[wanted.curve](u)
    size = ends.first * (ends.last / ends.first) ** p
    size = 1 + (size - 1) * depth
    return ends.base * size, (ends.x * (p - 0.5) * depth, ends.y * (p - 0.5) * depth)


def progress(wanted: Move, index: int, count: int) -> float:
    """How far the move has come at a frame, by its curve, 0…1."""
    u = _progress(wanted, index, count)
    return (1 - math.cos(2 * math.pi * u)) / 2 if wanted.loop else CURVES[wanted.curve](u)


RAMP = 0.3


def _ease(u: float) -> float:
    """Even speed with a soft start and end of RAMP each: not the heavy S that stands still too long."""
    def run(t: float) -> float:  # distance while the speed rises by smoothstep to 1
        return RAMP * (t**3 - t**4 / 2) if t < 1 else RAMP * 0.5

    whole = 1 - RAMP
    if u < RAMP:
        return run(u / RAMP) / whole
    if u > 1 - RAMP:
        return 1 - run((1 - u) / RAMP) / whole
    return (RAMP * 0.5 + u - RAMP) / whole


CURVES: dict[str, Callable[[float], float]] = {
    "linear": lambda u: u,
    "ease": _ease,
    "ease-in": lambda u: u * u,
    "ease-out": lambda u: u * (2 - u),
    "settle": lambda u: 1 - (1 - u) ** 4,
    "sine": lambda u: (1 - math.cos(math.pi * u)) / 2,
}
