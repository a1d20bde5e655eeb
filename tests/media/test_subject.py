"""Where the subject is: masks overlap what was drawn, parts are counted, alpha settles the matter."""

import numpy as np
import pytest

from clipbuild.media import pixels, subject
from tests.support import stills

GROUNDS = {"plain": stills.plain, "blurred": stills.blurred}


def drawn(x: float = 0.5, y: float = 0.5) -> pixels.Mask:
    """The bottle's true mask: what differs between two grounds drawn with and without it."""
    ground = np.zeros((512, 512, 3), np.uint8)
    return np.asarray((stills.bottle(ground, x, y) > 0).any(axis=2))


def overlap(one: pixels.Mask, other: subject.Mask) -> float:
    return float((one & other).sum() / (one | other).sum())


@pytest.mark.parametrize("name", GROUNDS)
@pytest.mark.parametrize("x", [0.4, 0.5, 0.6])
def test_the_mask_is_where_the_bottle_is(name: str, x: float) -> None:
    """Intersection over union with the truth is at least 0.85, wherever it stands."""
    found = subject.find(stills.bottle(GROUNDS[name](512, 512), x))
    assert overlap(found.mask, drawn(x)) >= 0.85


def test_alpha_settles_the_matter() -> None:
    """A cut-out's own alpha is the mask, and its soft shadow is not subject."""
    alpha = np.zeros((400, 400), np.uint8)
    alpha[100:300, 150:250] = 255
    alpha[320:340, 120:280] = 60
    found = subject.find(np.full((400, 400, 3), 90, np.uint8), alpha)
    assert found.given
    assert found.box == pytest.approx((0.375, 0.25, 0.625, 0.75))


def test_an_opaque_alpha_says_nothing() -> None:
    """A fully opaque alpha channel is no mask."""
    picture = stills.bottle(stills.plain(300, 300))
    assert not subject.find(picture, np.full((300, 300), 255, np.uint8)).given


def test_a_blurred_light_is_no_subject() -> None:
    """A soft patch of light beside the bottle is dropped: it has no edge."""
    ground = stills.plain(512, 512, tone=90).astype(np.float32)
    down, across = np.mgrid[0:512, 0:512]
    light = np.exp(-(((down - 250) / 60) ** 2 + ((across - 400) / 60) ** 2))[..., None]
    picture = stills.bottle(np.asarray(ground + 140 * light, np.uint8), 0.35, tall=0.5)
    assert subject.find(picture).rival < 0.1


def test_two_bottles_are_rivals() -> None:
    """A second bottle beside the first rivals it; alone it has none."""
    one = stills.bottle(stills.plain(512, 512), 0.28, tall=0.5)
    both = stills.bottle(one, 0.72, tall=0.5)
    assert subject.find(both).rival > 0.7
    assert subject.find(one).rival < 0.1


def test_a_cap_over_clear_glass_is_no_rival() -> None:
    """What stands close above the largest part belongs to it; the same thing aside does not."""
    mask = np.zeros((100, 100), np.bool_)
    mask[40:90, 30:60] = True
    above, aside = mask.copy(), mask.copy()
    above[25:36, 35:55] = True
    aside[45:56, 75:95] = True
    views = [subject.known(m) for m in (above, aside)]
    assert [view.rival > 0.1 for view in views] == [False, True]


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (300, 2), (8, 8), (40, 512)])
@pytest.mark.parametrize("kind", ["flat", "noise"])
def test_no_picture_breaks_it(shape: tuple[int, int], kind: str) -> None:
    """One pixel, a line, a flat or noisy picture: a mask of the picture's own size comes out."""
    rng = np.random.default_rng(0)
    picture = np.full((*shape, 3), 128, np.uint8)
    if kind == "noise":
        picture = rng.integers(0, 256, (*shape, 3)).astype(np.uint8)
    assert subject.find(picture).mask.shape == shape


def test_it_is_the_same_every_time() -> None:
    """GrabCut draws random numbers; from a fixed seed."""
    picture = stills.bottle(stills.busy(400, 400))
    assert np.array_equal(subject.find(picture).mask, subject.find(picture).mask)
