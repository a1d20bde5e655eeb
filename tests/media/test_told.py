"""What a clip is said to show is what its frames show: the told move against the measured one, for every motion."""

from typing import Any

import numpy as np
import pytest

from clipbuild.media import clipmotion, frames, motion, shot, told
from clipbuild.media.layers import Layer
from clipbuild.planner.library import Library
from tests.support import stills

SIZE = (270, 480)


def scene(tmp_path: Any, name: str) -> Any:
    from PIL import Image

    from clipbuild.catalog.load import plain

    path = tmp_path / "still.png"
    Image.fromarray(stills.bottle(stills.blurred(360, 640), tall=0.5)).save(path)
    entry = {**Library("/nonexistent", plain).motion(name), "name": name}
    return shot.scene(shot.Still(str(path)), motion.move(entry), shot.Frames(*SIZE, 30, 1.5))


@pytest.mark.parametrize("name", ["push-in", "pull-back", "pan-left", "pan-down", "drift", "float", "hold"])
def test_the_told_move_is_the_measured_one(tmp_path: Any, name: str) -> None:
    """Within a hundredth of the frame."""
    shown = scene(tmp_path, name)
    (move,) = told.scene(shown, name, loop=False)["moves"]
    seen = frames.sample(shown, [0.0, 0.75, 1.5 - 1 / 30])
    grey = [np.asarray(frame[..., :3].mean(axis=2), np.uint8) for frame in seen]
    have = clipmotion.follow(grey).delivered()
    assert have["zoom"] == pytest.approx(move["zoom"], abs=0.01)
    assert (have["pan_x"], have["pan_y"]) == pytest.approx((move["pan_x"], move["pan_y"]), abs=0.01)


def test_texts_are_told_by_what_can_be_read(tmp_path: Any) -> None:
    """The box of the solid part, in shares of the frame; soft shades are no text."""
    shown = scene(tmp_path, "hold")
    rgba = np.zeros((48, 54, 4), np.uint8)
    rgba[12:36, 27:54, 3] = 255
    shown.layers.append(Layer(27, 48, rgba, 0.5, 1.0, z=32))
    shown.layers.append(Layer(0, 0, rgba, 0.0, 1.0, z=5))
    facts = told.scene(shown, "hold", loop=True)
    assert facts["texts"] == [{"box": [0.2, 0.125, 0.3, 0.175], "start": 0.5, "end": 1.0, "text": True}]
    assert (facts["moving"], facts["loop"], facts["drawn"]) == (False, True, True)


def test_pauses_are_told(tmp_path: Any) -> None:
    """A camera that stands still is said to, and for how long."""
    assert told.scene(scene(tmp_path, "hold"), "hold", loop=False)["rest"] == pytest.approx(1.5, abs=0.05)
    assert told.scene(scene(tmp_path, "pan-left"), "pan-left", loop=False)["rest"] < 0.3


def test_an_end_cards_ground_is_no_text(tmp_path: Any) -> None:
    """It covers the frame: the picture ends there, and it lies under no button of an app."""
    made = scene(tmp_path, "push-in")
    card = np.full((made.height, made.width, 4), 255, np.uint8)
    made.layers.append(Layer(0, 0, card, 1.0, made.seconds, z=60))
    found = told.scene(made, "push-in", loop=False)
    assert [text["text"] for text in found["texts"]] == [False]
    assert found["until"] == 1.0
