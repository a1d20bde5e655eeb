"""A plain backdrop is one smooth surface of colour; what is not one is said to fit badly."""

import numpy as np
import pytest

from clipbuild.media import backdrop
from tests.support.pictures import before_backdrop, place


@pytest.mark.parametrize("tone", [(240, 240, 240), (90, 160, 190), (40, 40, 44)])
def test_a_lit_wall_fits(tone: tuple[int, int, int]) -> None:
    """Uneven light on a wall is part of the surface: the wall is near it everywhere, the product far from it."""
    photo, alpha = before_backdrop(size=(300, 300), box=(100, 90, 200, 210), tone=tone, product=(200, 30, 30))
    back = backdrop.fit_backdrop(backdrop.to_lab(photo))
    assert back.fit > 0.95
    assert back.noise < 3
    assert np.percentile(back.away[alpha == 0], 90) < 6
    assert np.percentile(back.away[alpha == 255], 10) > 25


def test_a_shadow_is_near_and_a_dark_thing_is_far() -> None:
    """Of two things darker than the wall the soft one counts little."""
    photo, alpha = before_backdrop(size=(300, 300), box=(100, 90, 200, 210), product=(60, 58, 56))
    back = backdrop.fit_backdrop(backdrop.to_lab(photo))
    shadow = back.away[216:224, 120:200]
    assert shadow.mean() < 0.3 * back.away[alpha == 255].mean()


def test_a_place_does_not_fit() -> None:
    """A real place has no surface of colour."""
    back = backdrop.fit_backdrop(backdrop.to_lab(place((300, 300))))
    assert back.noise > 5 or back.fit < 0.75


@pytest.mark.parametrize(("tone", "bold"), [((240, 240, 240), False), ((60, 62, 64), False), ((90, 170, 210), True), ((200, 40, 60), True)])
def test_colour_of_its_own(tone: tuple[int, int, int], bold: bool) -> None:
    """White, grey and black are no colour."""
    photo, _ = before_backdrop(size=(200, 200), box=(70, 60, 130, 140), tone=tone, product=(20, 20, 20))
    assert backdrop.fit_backdrop(backdrop.to_lab(photo)).bold is bold


def test_lab_is_in_its_natural_units() -> None:
    """White is 100, 0, 0 and black 0, 0, 0."""
    lab = backdrop.to_lab(np.array([[[255, 255, 255], [0, 0, 0]]], np.uint8))
    assert np.abs(lab[0, 0] - (100, 0, 0)).max() < 1
    assert np.abs(lab[0, 1]).max() < 1
