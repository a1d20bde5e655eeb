"""The end card: over everything, with all that the offer says, in the middle."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from clipbuild.media import captions, color, endcard, fonts, frames, timing
from clipbuild.media.frames import Frame, Part, Scene
from clipbuild.media.layers import Layer
from clipbuild.media.motion import View

SIZE, SAFE = (540, 960), (54, 134, 445, 624)
PARAMS: dict[str, Any] = {
    "seconds": 5, "hook": "Hello", "offer": {"price": "€19", "text": "This week"}, "cta": "Shop now",
    "end_card": {"seconds": 1.5, "name": "Fern & Field"},
}  # fmt: skip
FONTS = fonts.needed("Hello€19This week Shop now Fern & Field")


def sample(times: Sequence[float], box: Sequence[int]) -> list[Any]:
    return [np.full((box[3] - box[1], box[2] - box[0], 3), 240, np.uint8) for _ in times]


def test_the_card_covers_the_frame_and_has_the_offer() -> None:
    """A full layer at its time, the name, price, line and button above it, centred, inside the safe box."""
    ground, *text = endcard.layers(PARAMS, FONTS, SIZE, SAFE, None)
    assert (ground.x, ground.y, ground.start, ground.end) == (0, 0, 3.5, 5.0)
    assert ground.rgba.shape[:2] == SIZE[::-1]
    assert ground.rgba[..., 3].min() == 255
    assert len(text) == 4
    for layer in text:
        high, wide = layer.rgba.shape[:2]
        assert layer.z > ground.z
        assert layer.start >= 3.5
        assert abs(layer.x + wide / 2 - SIZE[0] / 2) < 6
        assert layer.y >= SAFE[1]
        assert layer.y + high <= SAFE[3]


def test_what_is_on_the_card_is_not_on_the_picture() -> None:
    """The offer is shown once, and what is on the picture ends when the card comes."""
    layers = captions.overlays(PARAMS, FONTS, SIZE, SAFE, sample)
    assert len(layers) == 1
    assert layers[0].end == 3.5
    assert [cue.kind for cue in timing.cues(PARAMS)] == ["hook", "sign", "offer", "price", "cta"]


def test_the_logo_stands_on_the_colour_it_stands_out_from() -> None:
    """A dark logo turns the card light."""
    dark = np.full((40, 40, 4), (20, 40, 30, 255), np.uint8)
    with_dark, without = (
        endcard.layers(PARAMS, FONTS, SIZE, SAFE, logo)[0].rgba[0, 0, :3].mean() for logo in (Layer(0, 0, dark, 0, 5), None)
    )
    assert with_dark > 200 > 100 > without


def test_no_card_no_layers() -> None:
    """Only a clip that asks for one has it."""
    assert endcard.layers({"seconds": 5, "hook": "Hello"}, FONTS, SIZE, SAFE, None) == []


def test_nothing_below_the_card_is_drawn() -> None:
    """A layer that covers the frame costs no more than itself, and shows itself alone."""
    sheet = color.sheet(np.full((96, 64, 3), 250, np.uint8))
    card = np.full((96, 64, 4), (36, 68, 58, 255), np.uint8)
    layer = Layer(0, 0, card, 0.5, 2.0, fade=0.25)
    scene = Scene(64, 96, 20.0, 40, (Part(sheet, [View(0.0, 0.0, 1.0)] * 40),), [layer])
    seen = []
    for index in (2, 12, 30):
        frame = Frame.of(64, 96)
        frames.draw(scene, index, frame)
        seen.append(color.to_rgb(frame.y, frame.u, frame.v)[50, 30])
    assert seen[0].min() > 245
    assert 60 < seen[1][0] < 240
    assert abs(seen[2].astype(int) - [36, 68, 58]).max() <= 3
