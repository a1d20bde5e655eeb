"""Frames: drawn alone or in order they are the same, layers come and go as told, and the next is made ahead."""

import random
import threading
import time

import numpy as np
import pytest

from clipbuild.media import color, frames
from clipbuild.media.frames import Frame, Part, Scene
from clipbuild.media.layers import Layer
from clipbuild.media.motion import View

SIZE = (64, 96)


def still(tone: int = 90, size: tuple[int, int] = (80, 120)) -> Part:
    rgb = np.random.default_rng(2).integers(tone, tone + 60, (size[1], size[0], 3), dtype=np.uint8)
    return Part(color.sheet(rgb), [View(4 + 0.1 * i, 5 + 0.2 * i, 1.0 + 0.004 * i) for i in range(30)])


def scene(*layers: Layer, parts: tuple[Part, ...] | None = None) -> Scene:
    return Scene(*SIZE, 10.0, 30, (still(),) if parts is None else parts, list(layers))


def patch(x: int = 10, y: int = 20, tone: int = 255, **more: float) -> Layer:
    rgba = np.full((20, 30, 4), 255, np.uint8)
    rgba[:, :, :3] = tone
    given = {"start": 0.0, "end": 3.0, "fade": 0.0, **more}
    return Layer(x, y, rgba, **given)  # type: ignore[arg-type]


def frame(made: Scene, index: int, *, text: bool = True) -> Frame:
    out = Frame.of(*SIZE)
    frames.draw(made, index, out, text=text)
    return out


def test_any_frame_alone_is_the_same() -> None:
    """Frames drawn backwards, alone or ahead in a thread have the same bytes: nothing is carried over."""
    made = scene(patch(fade=0.4, start=0.5, end=2.0, rise=9, scale_from=0.8))
    whole = [bytes(view) for view in frames.all_frames(made)]
    assert len(whole) == 30
    order = list(range(30))
    random.Random(4).shuffle(order)
    for index in order:
        assert bytes(frame(made, index).data) == whole[index]


def test_a_frame_is_i420() -> None:
    """Luma, blue and red stand behind each other in one piece of memory."""
    out = frame(scene(parts=(Part(color.solid((255, 0, 0), 80, 120), [View(0, 0, 1.0)] * 30),)), 0)
    data = np.frombuffer(out.data, np.uint8)
    split = SIZE[0] * SIZE[1]
    assert len(data) == split * 3 // 2
    assert (abs(data[:split].astype(int) - 63) <= 1).all()
    assert (abs(data[split : split * 5 // 4].astype(int) - 102) <= 1).all()
    assert (data[split * 5 // 4 :] == 240).all()


def test_layers_lie_where_and_when_they_are_told() -> None:
    """A layer covers its rectangle in [start, end), also at odd places, and nothing else changes by a byte."""
    made = scene(patch(11, 21, start=0.5, end=1.5))
    for index in (0, 4, 5, 14, 15):
        with_it, without = frame(made, index).y, frame(made, index, text=False).y
        shown = np.zeros(with_it.shape, bool)
        shown[21:41, 11:41] = 5 <= index < 15
        assert (with_it[shown] == 235).all()
        assert (with_it[~shown] == without[~shown]).all()


def test_the_higher_layer_lies_above() -> None:
    """`z` decides, not the order they came in."""
    made = scene(patch(tone=255, z=2), patch(tone=0, z=1))
    assert (frame(made, 0).y[20:40, 10:40] == 235).all()


def test_a_fade_comes_and_goes() -> None:
    """A layer fades in smoothly over `fade` and goes quickly; one that stays to the end of the clip does not fade there."""
    layer = patch(fade=0.5, start=0.5, end=2.0)
    shown = [frames.opacity(layer, t / 50, 3.0) for t in range(150)]
    assert shown[:26] == [0.0] * 26
    assert shown[37] < 0.5 < shown[38]
    assert shown[50:95] == [1.0] * 45
    assert shown[97] == pytest.approx(0.5)
    assert shown[100] == 0
    assert shown == sorted(shown[:50]) + shown[50:94] + sorted(shown[94:100], reverse=True) + shown[100:]
    assert frames.opacity(patch(fade=0.5, start=0.5, end=3.0), 2.99, 3.0) == 1.0


def test_a_layer_rises_and_grows_in() -> None:
    """While it fades in it comes from `rise` pixels below, `scale_from` of its size; then it stands at its place."""
    layer = patch(tone=255, fade=1.0, rise=12.0, scale_from=0.5)
    dark = Part(color.solid((0, 0, 0), 80, 120), [View(0, 0, 1.0)] * 30)
    made = scene(layer, parts=(dark,))
    early, done = frame(made, 2).y.astype(float) - 16, frame(made, 12).y.astype(float) - 16
    y = np.arange(SIZE[1])
    middles = [float((plane.sum(axis=1) * y).sum() / plane.sum()) for plane in (early, done)]
    assert middles[1] == pytest.approx(29.5, abs=0.05)
    assert 33 < middles[0] < 40
    assert (early.max(axis=1) > 8).sum() < 19 < (done.max(axis=1) > 8).sum()


def test_a_layer_may_reach_out_of_the_frame() -> None:
    """What lies outside is cut off, at every edge."""
    for x, y in ((-10, -10), (50, 85), (-29, 40), (20, -19)):
        out = frame(scene(patch(x, y)), 0).y
        covered = out[max(0, y) : y + 20, max(0, x) : x + 30]
        assert (covered[1:-1, 1:-1] >= 225).all()


def test_a_part_fades_into_the_one_below() -> None:
    """An opacity of a half gives the mean of both; one that covers all hides what lies below."""
    low = Part(color.solid((0, 0, 0), 80, 120), [View(0, 0, 1.0)] * 30)
    high = Part(color.solid((255, 255, 255), 80, 120), [View(0, 0, 1.0)] * 30, [i / 29 for i in range(30)])
    made = scene(parts=(low, high))
    tones = [float(frame(made, i).y.mean()) for i in range(30)]
    assert tones[0] == pytest.approx(16, abs=0.1)
    assert tones[-1] == pytest.approx(235, abs=0.1)
    assert np.allclose(np.diff(tones), 219 / 29, atol=0.2)


def test_sampling_sees_the_picture_without_its_layers() -> None:
    """The sampler gives RGB of the frame nearest to a moment, whole or the part in a box, without text."""
    made = scene(patch())
    whole, = frames.sample(made, [1.02])
    part, = frames.sample(made, [1.02], (11, 21, 40, 44))
    assert whole.shape == (96, 64, 3)
    assert part.shape == (23, 29, 3)
    bare = frame(made, 10, text=False)
    assert (whole == color.to_rgb(bare.y, bare.u, bare.v)).all()
    assert (part == whole[21:44, 11:40]).all()


def test_frames_are_made_ahead_but_not_far() -> None:
    """While one frame is used the next are made, never more than there is room for, and an error arrives in order."""
    made: list[int] = []

    def make(index: int, out: Frame) -> None:
        if index == 9:
            raise ValueError("frame 9")
        out.y[0, 0] = index
        made.append(index)

    seen, ahead = [], []
    with pytest.raises(ValueError, match="frame 9"):  # noqa: PT012
        for view in frames.ahead(8, 8, 20, make):
            time.sleep(0.01)
            seen.append(view[0])
            ahead.append(len(made) - len(seen))
    assert seen == list(range(9))
    assert 1 <= max(ahead) < frames.AHEAD


def test_leaving_early_ends_the_thread() -> None:
    """A consumer that stops in the middle leaves no thread behind."""
    before = threading.active_count()
    view = frames.ahead(8, 8, 1000, lambda index, out: None)
    next(view)
    view.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before
