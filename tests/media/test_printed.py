"""Words that are part of a picture: found by their lines; patterns and noise are none."""

import cv2
import numpy as np
import pytest

from clipbuild.media import metrics, printed, readiness
from tests.support import stills
from tests.support.stills import Picture


def lettered(picture: Picture, words: tuple[str, ...], at: tuple[int, int], tone: int = 30) -> Picture:
    """Lines of words on a picture."""
    picture = picture.copy()
    for number, line in enumerate(words):
        spot = (at[0], at[1] + 44 * number)
        cv2.putText(picture, line, spot, cv2.FONT_HERSHEY_DUPLEX, 0.9, (tone,) * 3, 2, cv2.LINE_AA)
    return picture


WORDS = ("Hand made in small batches", "Best before end of June")


@pytest.mark.parametrize("tone", [20, 255])
def test_lines_of_letters_are_found(tone: int) -> None:
    """Dark ones and light ones, each line with its box."""
    ground = np.full((900, 900, 3), 120, np.uint8)
    found = printed.find(lettered(ground, WORDS, (120, 200), tone))
    assert found.letters >= 24
    assert all(0.1 < x0 < x1 < 0.9 and 0.15 < y0 < y1 < 0.3 for x0, y0, x1, y1 in found.lines)


@pytest.mark.parametrize("ground", [stills.plain(), stills.busy(), stills.blurred(), np.zeros((5, 900, 3), np.uint8)])
def test_what_is_no_lettering(ground: Picture) -> None:
    """Studio, pebbles, blur, a strip, stripes and a grid of dots: too little for a line of words."""
    assert printed.find(ground).letters < readiness.limits()["lettering"]
    y, x = np.mgrid[0:600, 0:600]
    for pattern in ((x // 9 % 2) * 200, ((x % 14 < 8) & (y % 20 < 10)) * 200):
        assert printed.find(np.dstack([pattern.astype(np.uint8)] * 3)).letters == 0


def test_noise_costs_no_time() -> None:
    """Thousands of signs are texture."""
    noise = np.random.default_rng(1).integers(0, 255, (1024, 1024, 3)).astype(np.uint8)
    assert printed.find(noise).letters == 0


def test_words_in_a_picture_are_noted() -> None:
    """They do not spoil the verdict: a label is part of many a product."""
    limits = readiness.limits()
    bottle = stills.bottle(stills.plain(1200, 1200), y=0.62, tall=0.5)
    found = readiness.judge(metrics.look(lettered(bottle, WORDS, (300, 100))), limits)
    assert [f.severity for f in found.findings if f.id == "lettering"] == ["note"]
    assert found.boxes["lettering"][3] < 0.2
    assert "lettering" not in {f.id for f in readiness.judge(metrics.look(bottle), limits).findings}
