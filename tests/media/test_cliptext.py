"""Letters against what is around them in the frames: light and dark grounds, one bad moment, one bad word, outlines."""

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from clipbuild.media import cliptext
from clipbuild.media.cliptext import Text
from tests.support.stills import Picture

SIZE = (540, 960)
BOX = (60, 400, 480, 470)


def written(ground: Picture, ink: int = 255, outline: int = 0) -> Picture:
    """Large words on a ground."""
    mask = np.zeros(ground.shape[:2], np.uint8)
    cv2.putText(mask, "Salt, meet", (BOX[0], BOX[3] - 18), cv2.FONT_HERSHEY_DUPLEX, 1.8, 255, 5, cv2.LINE_AA)
    around = cv2.dilate(mask, np.ones((2 * outline + 1, 2 * outline + 1), np.uint8)) if outline else mask
    frame = ground * (1 - around[..., None] / 255.0)
    return np.asarray(frame + (ink - frame) * (mask[..., None] / 255.0), np.uint8)


def text(outline: int = 0, steady: tuple[float, float] = (0.0, 1.0)) -> Text:
    """The same as it is told."""
    bare = written(np.zeros((SIZE[1], SIZE[0], 3), np.uint8))[BOX[1] : BOX[3], BOX[0] : BOX[2]]
    rgba = np.dstack([bare, bare[..., 0]])
    said = cliptext.told(rgba, (255, 255, 255), 56.0)
    box = (BOX[0] / SIZE[0], BOX[1] / SIZE[1], BOX[2] / SIZE[0], BOX[3] / SIZE[1])
    return Text(box, 0.0, 1.0, cliptext.letters(said), outline * cliptext.EM / 56, steady)


def flat(level: int) -> Picture:
    return np.full((SIZE[1], SIZE[0], 3), level, np.uint8)


def least(one: Text, frames: list[Picture]) -> float:
    """The least contrast over these frames, spread over a second."""
    timed: Iterator[tuple[float, Picture]] = ((n / len(frames), frame) for n, frame in enumerate(frames))
    return cliptext.worst([one], timed)[0][0]


@pytest.mark.parametrize(("ground", "least_", "most"), [(0, 18, 21), (60, 9, 12), (119, 4.0, 4.8), (190, 1.5, 2.1), (255, 1.0, 1.01)])
def test_it_is_the_ratio_of_letters_and_ground(ground: int, least_: float, most: float) -> None:
    """As WCAG has it for white on grey; on white the letters are not there."""
    assert least_ <= least(text(), [written(flat(ground))]) <= most


def test_the_worst_moment_counts() -> None:
    """A ground that turns white under the text is caught, though it begins black; before and after the text nothing is."""
    frames = [written(flat(25 * n)) for n in range(10)]
    assert least(text(), frames) < 2
    assert least(text(steady=(0.0, 0.3)), frames) > 7


def test_a_light_spot_behind_one_word_counts() -> None:
    """The rest of the line reads well."""
    spotted = flat(20)
    cv2.circle(spotted, (300, 440), 70, (245, 245, 245), -1)
    assert least(text(), [written(spotted)]) < 1.3


def test_an_outline_is_the_ground_of_its_letters() -> None:
    """On a white ground outlined letters read."""
    assert least(text(outline=5), [written(flat(255), outline=5)]) > 6


def test_a_mask_comes_back_as_it_was_told() -> None:
    """At the size of 32 pixels an em, whatever it was drawn at."""
    mask = text().letters
    assert mask is not None
    assert mask.shape == (round(70 * 32 / 56), round(420 * 32 / 56))
    assert 0.1 < float(mask.mean()) < 0.4


def test_moments_are_even_and_miss_no_text() -> None:
    """Every 0.4 seconds of text, and the middle of the shortest; of a long clip no more than forty steps."""
    short = Text((0, 0, 1, 1), 0.3, 0.42, np.ones((4, 4), np.uint8), steady=(0.32, 0.38))
    assert cliptext.moments([short], 5.0, 30.0) == [round(0.35 * 30)]
    long = Text((0, 0, 1, 1), 0.0, 60.0, np.ones((4, 4), np.uint8), steady=(0.0, 60.0))
    assert len(cliptext.moments([long], 60.0, 30.0)) <= 42
    assert cliptext.moments([Text((0, 0, 1, 1), 0.0, 5.0)], 5.0, 30.0) == []
