"""Frames of a clip, made one by one as the planes an encoder takes: pictures seen by a camera, layers over them.

A scene is data: parts with one view a frame, and timed layers. Any frame can be drawn at any time, alone and always
the same. Knows nothing of files, text or encoders.
"""

import math
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clipbuild.media import color, warp
from clipbuild.media.color import Sheet
from clipbuild.media.layers import Layer
from clipbuild.media.motion import View
from clipbuild.media.warp import ONE, Placed

Bytes = NDArray[np.uint8]
Box = tuple[int, int, int, int]
AHEAD = 3
LEAVING = 0.12
"""Seconds in which a layer goes at most."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A picture with a view and an opacity (0…1) a frame; its corner lies at `x`, `y` of what the views look at."""

    sheet: Sheet
    views: Sequence[View]
    opacity: Sequence[float] = ()
    x: float = 0.0
    y: float = 0.0


Rows = tuple[Placed, Placed, Placed]
"""One thing in a frame: its luma and both its chroma planes."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """The planes of one frame, side by side in one piece of memory, as I420."""

    data: bytearray
    y: Bytes
    u: Bytes
    v: Bytes

    @staticmethod
    def of(width: int, height: int) -> "Frame":
        """An empty frame."""
        data = bytearray(width * height * 3 // 2)
        whole = np.frombuffer(data, np.uint8)
        split, quarter = width * height, width * height // 4
        half = (height // 2, width // 2)
        return Frame(
            data, whole[:split].reshape(height, width),
            whole[split : split + quarter].reshape(half), whole[split + quarter :].reshape(half),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """Something that moves by itself, seen from `start` to `end` like a layer: `rows(index, opacity of ONE)` is what it
    shows in a frame. Frames are asked for in order."""

    start: float
    end: float
    fade: float
    z: int
    rows: Callable[[int, int], Rows]


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What a clip shows: `count` frames at `fps`, the lowest part first, layers and films above by their `z`.

    `layers` may be filled after the scene was looked at: text is placed by what it covers. `under` gives what lies
    below everything at a frame, where that is not a picture.
    """

    width: int
    height: int
    fps: float
    count: int
    parts: tuple[Part, ...]
    layers: list[Layer] = field(default_factory=list)
    films: list[Film] = field(default_factory=list)
    under: Callable[[int], Rows] | None = None
    _sheets: dict[int, tuple[Layer, Sheet, int, int]] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.count / self.fps


def draw(scene: Scene, index: int, frame: Frame, *, text: bool = True) -> None:
    """Draw frame `index`, with or without its layers."""
    placed = [scene.under(index)] if scene.under else []
    placed += [_part(scene, part, index) for part in _seen_parts(scene, index)]
    if text:
        placed += _layers(scene, index)
    placed = placed[_lowest_seen(scene, placed) :]
    for target, rows in zip((frame.y, frame.u, frame.v), zip(*placed, strict=True), strict=True):
        warp.compose(target, [row for row in rows if row.w and row.h])


def _lowest_seen(scene: Scene, placed: Sequence[Rows]) -> int:
    """The highest thing that covers all of the frame: nothing below it is drawn."""
    for number in range(len(placed) - 1, 0, -1):
        luma = placed[number][0]
        if luma.alpha is None and luma.opacity >= ONE and (luma.w, luma.h) == (scene.width, scene.height):
            return number
    return 0


def _seen_parts(scene: Scene, index: int) -> list[Part]:
    """The parts that show at a frame: nothing below one that covers all."""
    found: list[Part] = []
    for part in scene.parts:
        shown = part.opacity[index] if part.opacity else 1.0
        if shown >= 1.0 and part.sheet.alpha is None:
            found = [part]
        elif shown > 0.0:
            found.append(part)
    return found


def _part(scene: Scene, part: Part, index: int) -> Rows:
    opacity = round(part.opacity[index] * ONE) if part.opacity else ONE
    view = part.views[index]
    return _seen(part.sheet, view.left - part.x, view.top - part.y, view.step, opacity, (scene.width, scene.height))


def _seen(sheet: Sheet, left: float, top: float, step: float, opacity: int, size: tuple[int, int]) -> Rows:
    """A sheet as it lies in the frame whose edges are at `left`, `top` of it and whose pixels are `step` of its own."""
    wide, high = sheet.size
    x0, x1 = _span(left, step, wide, size[0], sheet.alpha is None)
    y0, y1 = _span(top, step, high, size[1], sheet.alpha is None)
    across = warp.taps(left, step, x0, x1, wide, wide=True)
    down = warp.taps(top, step, y0, y1, high, wide=False)
    luma = Placed(sheet.y, sheet.alpha, opacity, x0, y0, x1 - x0, y1 - y0, across, down)
    across = warp.taps(left / 2 - step / 4 + 0.25, step, x0 // 2, x1 // 2, wide // 2, wide=True)
    down = warp.taps(top / 2, step, y0 // 2, y1 // 2, high // 2, wide=False)
    at = (x0 // 2, y0 // 2, (x1 - x0) // 2, (y1 - y0) // 2)
    blue, red = (Placed(p, sheet.half, opacity, *at, across, down) for p in (sheet.u, sheet.v))
    return luma, blue, red


def _span(start: float, step: float, length: int, room: int, covers: bool) -> tuple[int, int]:
    """First and last output, even, in which a line of `length` shows."""
    if covers:
        return 0, room
    first = math.floor(-start / step) - 3
    last = math.ceil((length - start) / step) + 3
    first, last = max(0, first - first % 2), min(room, last + last % 2)
    return (first, last) if first < last else (0, 0)


def _layers(scene: Scene, index: int) -> Iterator[Rows]:
    """The layers and films that are seen in a frame, lowest first."""
    at = index / scene.fps
    items: list[Layer | Film] = [*scene.layers, *scene.films]
    for item in sorted(items, key=lambda item: item.z):
        shown = opacity(item, at, scene.seconds)
        if shown > 0:
            yield item.rows(index, round(shown * ONE)) if isinstance(item, Film) else _laid(scene, item, at, shown)


def opacity(layer: Layer | Film, at: float, seconds: float) -> float:
    """How much of a layer shows at a moment, 0…1. It goes quicker than it comes, so that the next one need not wait; one
    that stays to the clip's end does not fade out before it."""
    if not layer.start <= at < layer.end:
        return 0.0
    come = _smooth((at - layer.start) / layer.fade) if layer.fade > 0 else 1.0
    stays = layer.end >= seconds - 1e-6
    gone = 1.0 if layer.fade <= 0 or stays else _smooth((layer.end - at) / min(layer.fade, LEAVING))
    return min(come, gone)


def _smooth(t: float) -> float:
    t = min(1.0, max(0.0, t))
    return t * t * (3 - 2 * t)


def _arrival(layer: Layer, at: float) -> float:
    """How far a layer has come in, 0…1, fast at first."""
    t = min(1.0, max(0.0, (at - layer.start) / layer.fade)) if layer.fade > 0 else 1.0
    return 1 - (1 - t) ** 3


def _laid(scene: Scene, layer: Layer, at: float, shown: float) -> Rows:
    sheet, x, y = _sheet(scene, layer)
    come = _arrival(layer, at)
    scale = layer.scale_from + (1 - layer.scale_from) * come
    lift = layer.rise * (1 - come)
    whole = round(shown * ONE)
    wide, high = sheet.size
    inside = x >= 0 and y >= 0 and x + wide <= scene.width and y + high <= scene.height
    if scale == 1.0 and lift == 0.0 and inside:
        luma = Placed(sheet.y, sheet.alpha, whole, x, y, wide, high)
        at_half = (x // 2, y // 2, wide // 2, high // 2)
        blue, red = (Placed(p, sheet.half, whole, *at_half) for p in (sheet.u, sheet.v))
        return luma, blue, red
    left = x + (1 - scale) * wide / 2
    top = y + (1 - scale) * high / 2 + lift
    return _seen(sheet, -left / scale, -top / scale, 1 / scale, whole, (scene.width, scene.height))


def _sheet(scene: Scene, layer: Layer) -> tuple[Sheet, int, int]:
    """A layer's planes and its corner on even coordinates; made once."""
    known = scene._sheets.get(id(layer))
    if known is None:
        left, top = layer.x % 2, layer.y % 2
        high, wide = layer.rgba.shape[:2]
        pad = ((top, (high + top) % 2), (left, (wide + left) % 2), (0, 0))
        rgba = np.pad(layer.rgba, pad)
        sheet = color.sheet(rgba[:, :, :3], None if _covers(scene, layer) else rgba[:, :, 3])
        known = scene._sheets[id(layer)] = (layer, sheet, layer.x - left, layer.y - top)
    return known[1:]


def _covers(scene: Scene, layer: Layer) -> bool:
    """It hides the whole frame, and does not move."""
    still = layer.x == layer.y == 0 and layer.rise == 0 and layer.scale_from == 1
    return still and layer.rgba.shape[:2] == (scene.height, scene.width) and int(layer.rgba[:, :, 3].min()) == 255


def sample(scene: Scene, times: Sequence[float], box: Box | None = None) -> list[Bytes]:
    """The picture without its layers at moments, as RGB; only the part in `box` (x0, y0, x1, y1) if there is one."""
    frame = Frame.of(scene.width, scene.height)
    x0, y0, x1, y1 = _even(box, scene) if box else (0, 0, scene.width, scene.height)
    found = []
    for at in times:
        draw(scene, min(scene.count - 1, max(0, round(at * scene.fps))), frame, text=False)
        halves = (plane[y0 // 2 : y1 // 2, x0 // 2 : x1 // 2] for plane in (frame.u, frame.v))
        pixels = color.to_rgb(frame.y[y0:y1, x0:x1], *halves)
        found.append(pixels[box[1] - y0 : box[3] - y0, box[0] - x0 : box[2] - x0] if box else pixels)
    return found


def _even(box: Box, scene: Scene) -> Box:
    x0, y0, x1, y1 = box
    return (
        max(0, x0 - x0 % 2), max(0, y0 - y0 % 2), min(scene.width, x1 + x1 % 2), min(scene.height, y1 + y1 % 2),
    )  # fmt: skip


def all_frames(scene: Scene) -> Iterator[memoryview]:
    """Every frame in order; the next ones are drawn while the last is used. Raises what drawing raises."""
    return ahead(scene.width, scene.height, scene.count, lambda index, frame: draw(scene, index, frame))


def ahead(width: int, height: int, count: int, make: Callable[[int, Frame], Any]) -> Iterator[memoryview]:
    """Frames made by a thread that is at most two ahead; a frame is good until the next is asked for."""
    ready: queue.Queue[Frame | BaseException] = queue.Queue()
    free: queue.Queue[Frame | None] = queue.Queue()
    for _ in range(AHEAD):
        free.put(Frame.of(width, height))

    def work() -> None:
        try:
            for index in range(count):
                frame = free.get()
                if frame is None:
                    return
                make(index, frame)
                ready.put(frame)
        except BaseException as error:
            ready.put(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        for _ in range(count):
            frame = ready.get()
            if isinstance(frame, BaseException):
                raise frame
            yield memoryview(frame.data)
            free.put(frame)
    finally:
        free.put(None)
        thread.join()


