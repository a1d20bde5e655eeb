"""Elements drawn as layers: whole, word by word, or with the said word marked."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from clipbuild.media import captions, contrast, drawing, fonts
from clipbuild.media.layers import Layer
from tests.support import styles

SIZE, SAFE = (540, 960), (54, 134, 445, 624)
MARK = drawing.Z["caption"] + 1
TEXT = "Keeps coffee hot for hours"


def drawn(style: str, level: int = 235, text: str = TEXT, **more: Any) -> list[Layer]:
    def sample(times: Sequence[float], box: Sequence[int]) -> list[Any]:
        return [np.full((box[3] - box[1], box[2] - box[0], 3), level, np.uint8) for _ in times]

    params = {"seconds": 4, "captions": [{"text": text, "at": 0.5, "seconds": 3, **more}], "caption_style": styles.style(style)}
    return captions.overlays(params, fonts.needed(text), SIZE, SAFE, sample)


def shown(layers: Sequence[Layer], level: int) -> Any:
    """The layers laid over a plain frame."""
    frame = np.full((SIZE[1], SIZE[0], 3), level, np.float32)
    for layer in sorted(layers, key=lambda item: item.z):
        high, wide = layer.rgba.shape[:2]
        part = frame[layer.y : layer.y + high, layer.x : layer.x + wide]
        alpha = layer.rgba[..., 3:] / 255.0
        part[...] = part * (1 - alpha) + layer.rgba[..., :3] * alpha
    return frame


def test_words_come_one_by_one_and_stay() -> None:
    """A layer a word, each a little later, all until the end."""
    layers = drawn("pop")
    assert len(layers) == 5
    assert all(a.start < b.start for a, b in pairwise(layers))
    assert {layer.end for layer in layers} == {3.5}
    assert all(layer.scale_from < 1 for layer in layers)


def test_the_said_word_is_marked_for_its_time() -> None:
    """One base, and a mark a word that takes over from the one before."""
    base, *marks = drawn("karaoke", words=[[0, 5, 0.5, 1.0], [6, 12, 1.0, 1.2], [13, 16, 1.2, 2], [17, 20, 2, 2.5], [21, 26, 2.5, 3.5]])
    assert (base.start, base.end) == (0.5, 3.5)
    assert [(mark.start, mark.end) for mark in marks] == [(0.5, 1.0), (1.0, 1.2), (1.2, 2), (2, 2.5), (2.5, 3.5)]
    assert all(mark.z > base.z for mark in marks)


@pytest.mark.parametrize("style", styles.styles())
@pytest.mark.parametrize("level", [0, 70, 128, 190, 255])
def test_every_style_reads_on_every_ground(style: str, level: int) -> None:
    """Measured on the drawn frame: the letters, or the outline round them, stand out from what is behind by 4.5:1."""
    layers = [layer for layer in drawn(style, level, "HHHH HHHH") if layer.z != MARK]
    frame = shown(layers, level)
    light = np.array([contrast.luminance([int(v) for v in pixel]) for pixel in frame.reshape(-1, 3)[::3]])
    assert contrast.ratio(float(light.min()), float(light.max())) >= contrast.NEEDED


def test_text_does_not_change_from_run_to_run() -> None:
    """The same bytes."""
    first, second = drawn("boxed"), drawn("boxed")
    assert [layer.rgba.tobytes() for layer in first] == [layer.rgba.tobytes() for layer in second]


@pytest.mark.parametrize("style", styles.styles())
def test_what_a_style_adds_stays_in_the_safe_box_too(style: str) -> None:
    """Boxes, outlines and marks: what can be seen of every layer."""
    for layer in drawn(style, 128, "Quietly gently Hg"):
        rows, columns = (np.flatnonzero((layer.rgba[..., 3] > 128).any(axis=axis)) for axis in (1, 0))
        if layer.z >= drawing.Z["hook"]:
            assert layer.x + columns[0] >= SAFE[0]
            assert layer.y + rows[0] >= SAFE[1]
            assert layer.x + columns[-1] < SAFE[2]
            assert layer.y + rows[-1] < SAFE[3]
