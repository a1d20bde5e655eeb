"""Camera moves: every move of the library stays in the picture, has the speed it says, starts and ends softly, loops."""

import itertools
import math
import pathlib
from typing import Any

import pytest
import yaml

from clipbuild.errors import MediaError
from clipbuild.media import motion
from clipbuild.media.motion import View

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIBRARY: dict[str, Any] = yaml.safe_load((ROOT / "templates" / "motions.yaml").read_text(encoding="utf-8"))["motions"]
SIZES = {"9:16": (1080, 1920), "16:9": (1920, 1080), "4:5": (1080, 1350), "1:1": (1080, 1080)}


def named(name: str, **more: Any) -> motion.Move:
    return motion.move({**LIBRARY[name], "name": name, **more})


def views(name: str, size: tuple[int, int] = (1080, 1920), scale: float = 1.2, seconds: float = 5.0, fps: float = 30,
          picture: tuple[int, int] | None = None, layer: str = "", **more: Any) -> list[View]:  # fmt: skip
    box = more.pop("subject", None)
    seen = picture or (round(size[0] * scale / 2) * 2, round(size[1] * scale / 2) * 2)
    return motion.path(named(name, **more), seconds, fps, size, seen, layer=layer, subject=box)


@pytest.mark.parametrize("name", LIBRARY)
@pytest.mark.parametrize("shape", SIZES)
def test_no_edge_of_the_picture_comes_into_view(name: str, shape: str) -> None:
    """Every move, format, amount, length, layer, loop, picture size and subject: the view lies in the picture."""
    size = SIZES[shape]
    for picture in ((round(size[0] * 0.6) * 2, round(size[1] * 0.6) * 2), (1000, 1000), (3000, 900), (640, 1136)):
        for amount, seconds in ((0.0, 3.0), (0.5, 5.0), (1.0, 12.0)):
            for layer in ("", "background", "subject"):
                for more in ({}, {"loop": True}, {"subject": (0.6, 0.7, 0.98, 1.0)}):
                    for view in views(name, size, seconds=seconds, fps=6, picture=picture, layer=layer, amount=amount, **more):
                        assert view.left >= 0
                        assert view.top >= 0
                        assert view.left + view.step * size[0] <= picture[0] + 1e-6
                        assert view.top + view.step * size[1] <= picture[1] + 1e-6


@pytest.mark.parametrize("name", LIBRARY)
def test_a_move_is_smooth(name: str) -> None:
    """From frame to frame speed changes by little: no jump, no stop, in place and size."""
    found = views(name)
    for get in (lambda v: v.left / v.step, lambda v: v.top / v.step, lambda v: 500 / v.step):
        places = [get(view) for view in found]
        speeds = [b - a for a, b in itertools.pairwise(places)]
        turns = [abs(b - a) for a, b in itertools.pairwise(speeds)]
        fastest = max(map(abs, speeds))
        assert max(turns[1:-1]) <= max(0.35, 0.16 * fastest), (max(turns), fastest)


@pytest.mark.parametrize("fps", [24, 25, 30, 60])
def test_a_slow_push_in_is_two_percent_a_second(fps: int) -> None:
    """At its middle amount a push-in grows by 2 % of the frame a second, at any frame rate, about the frame's middle."""
    found = views("push-in", fps=fps)
    assert found[0].step / found[-1].step == pytest.approx(1.10, abs=1e-6)
    for view in found:
        assert view.left + 540 * view.step == pytest.approx(648, abs=1e-3)
        assert view.top + 960 * view.step == pytest.approx(1152, abs=1e-3)


@pytest.mark.parametrize("name", [name for name in LIBRARY if name != "hold"])
def test_a_loop_closes(name: str) -> None:
    """Asked to loop, the step from the last frame back to the first is no larger than those within."""
    for seconds in (3.0, 5.0, 7.5):
        found = views(name, seconds=seconds, loop=True)
        steps = [far(a, b) for a, b in itertools.pairwise(found)]
        assert far(found[-1], found[0]) <= max(steps) + 1e-6
        assert max(steps) > 0.05


def far(a: View, b: View) -> float:
    """How far the corner that moves most goes between two views, in frame pixels."""
    return max(
        math.hypot((a.left + x * a.step - b.left - x * b.step) / a.step, (a.top + y * a.step - b.top - y * b.step) / a.step)
        for x in (0, 1080) for y in (0, 1920)
    )  # fmt: skip


def test_how_far_one_may_push_in_depends_on_the_picture() -> None:
    """A picture as large as the frame is enlarged to `upscale` at most; a small one hardly, a large one to `travel`."""
    def enlarged(picture: tuple[int, int]) -> float:
        return 1 / views("push-in", seconds=30.0, picture=picture)[-1].step

    assert enlarged((2160, 3840)) == pytest.approx(1.22 / 2, abs=1e-3)
    assert enlarged((1080, 1920)) == pytest.approx(1.22, abs=1e-3)
    assert enlarged((720, 1280)) == pytest.approx(1.6, abs=1e-3)
    assert enlarged((540, 960)) == pytest.approx(2.0, abs=1e-3)  # can't be smaller than covering the frame


def test_a_push_in_keeps_the_subject_in_the_frame() -> None:
    """A large subject stops the push-in before it touches the edge."""
    box = (0.08, 0.2, 0.92, 0.9)
    last = views("push-in", seconds=10.0, subject=box)[-1]
    left = (box[0] * 1296 - last.left) / last.step
    right = (box[2] * 1296 - last.left) / last.step
    assert left > 0.015 * 1080
    assert right < 0.985 * 1080
    assert views("push-in", seconds=10.0)[-1].step < last.step


@pytest.mark.parametrize("name", LIBRARY)
def test_no_move_crops_a_subject_that_fits(name: str) -> None:
    """A product that fills three quarters of the picture's width stays in the frame through every move; a smaller one
    is carried further; one too wide to fit does not stop a pan across it."""
    def places(box: tuple[float, float, float, float]) -> list[tuple[float, float]]:
        found = views(name, amount=1.0, subject=box)
        return [((box[0] * 1296 - v.left) / v.step / 1080, (box[2] * 1296 - v.left) / v.step / 1080) for v in found]

    wide = places((0.12, 0.3, 0.88, 0.7))
    if name != "reveal":  # it may begin in the midst of the product
        assert min(low for low, _ in wide) > 0.005
        assert max(high for _, high in wide) < 0.995
    small = places((0.4, 0.4, 0.6, 0.6))
    travel = [max(low for low, _ in p) - min(low for low, _ in p) for p in (wide, small)]
    assert name not in ("pan-left", "pan-right") or 0.01 < travel[0] < travel[1]
    whole = places((0.0, 0.2, 1.0, 0.8))
    assert name not in ("pan-left", "pan-right") or max(low for low, _ in whole) - min(low for low, _ in whole) > 0.1


def test_a_push_in_goes_to_the_subject() -> None:
    """The subject's centre stays where it is in the frame while all else moves away from it."""
    box = (0.5, 0.55, 0.7, 0.75)
    places = [((0.6 * 1296 - v.left) / v.step, (0.65 * 2304 - v.top) / v.step) for v in views("push-in", subject=box)]
    assert max(abs(x - places[0][0]) for x, _ in places) < 0.01
    assert max(abs(y - places[0][1]) for _, y in places) < 0.01


@pytest.mark.parametrize(("name", "axis", "sign"), [
    ("pan-left", 0, -1), ("pan-right", 0, 1), ("pan-up", 1, -1), ("pan-down", 1, 1),
])  # fmt: skip
def test_a_pan_goes_where_its_name_says(name: str, axis: int, sign: int) -> None:
    """The view moves left, right, up or down, straight, by the same size throughout."""
    found = views(name)
    went = (found[-1].left - found[0].left, found[-1].top - found[0].top)
    assert went[axis] * sign > 40
    assert abs(went[1 - axis]) < 1e-6
    assert len({view.step for view in found}) == 1


def test_layers_move_apart() -> None:
    """In a parallax the subject grows more than the background; in a sway they go opposite ways."""
    back, front = views("parallax", layer="background"), views("parallax", layer="subject")
    assert front[0].step / front[-1].step > 1.5 * (back[0].step / back[-1].step - 1) + 1
    back, front = views("sway", layer="background"), views("sway", layer="subject")
    aside = [[view.left + 540 * view.step - 648 for view in layer] for layer in (back, front)]
    assert max(b * f for b, f in zip(*aside, strict=True)) < 1e-6
    assert max(map(abs, aside[0])) > 4
    assert max(map(abs, aside[1])) > 12


def test_a_drift_starts_and_ends_in_motion() -> None:
    """A drift has an even speed: the first step is as long as those in the middle; a push-in starts softly."""
    found = [view.left / view.step for view in views("drift")]
    assert found[1] - found[0] == pytest.approx((found[-1] - found[0]) / (len(found) - 1), rel=0.2)
    soft = [view.step for view in views("push-in")]
    assert abs(soft[1] - soft[0]) < 0.1 * abs(soft[75] - soft[74])


def test_hold_holds() -> None:
    """The still camera shows one view."""
    assert len(set(views("hold"))) == 1


def test_frame_counts() -> None:
    """A clip has seconds × fps frames, rounded, and at least one."""
    assert [motion.frame_count(s, f) for s, f in ((5, 30), (1, 23.976), (0.01, 24), (2.5, 25))] == [150, 24, 1, 62]


def test_unknown_words_are_told() -> None:
    """A motion with a kind or curve that does not exist names it and those that do."""
    with pytest.raises(MediaError, match="unknown kind 'spin'") as found:
        motion.move({"name": "mine", "kind": "spin"})
    assert dict(found.value.facts)["known"] == "zoom, pan, wave, hold"
    with pytest.raises(MediaError, match="unknown curve"):
        motion.move({"name": "mine", "curve": "bouncy"})


@pytest.mark.parametrize("name", motion.CURVES)
def test_curves_go_from_start_to_end_and_never_back(name: str) -> None:
    """Every curve starts at 0, ends at 1 and only rises."""
    at = [motion.CURVES[name](i / 200) for i in range(201)]
    assert at[0] == pytest.approx(0, abs=1e-12)
    assert at[-1] == pytest.approx(1, abs=1e-12)
    assert all(b >= a for a, b in itertools.pairwise(at))
