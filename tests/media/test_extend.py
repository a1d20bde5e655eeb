"""A photo goes on past its edges without a seam, and is never stretched."""

import numpy as np
import pytest

from clipbuild.media import extend
from clipbuild.media.extend import Fit
from tests.support.pictures import before_backdrop, place

ROOM = (0.12, 0.33, 0.88, 0.77)
TALL, WIDE = (360, 640), (640, 360)


@pytest.mark.parametrize("size", [TALL, WIDE])
@pytest.mark.parametrize("photo", [(600, 600), (900, 300), (300, 800)])
def test_a_fit_keeps_the_photo_s_shape_and_the_subject_in_its_room(size: tuple[int, int], photo: tuple[int, int]) -> None:
    """Scaled evenly; the subject fits its room and sits in the frame."""
    subject = (0.35, 0.3, 0.65, 0.7)
    fit = extend.framed(photo, subject, ROOM, size)
    assert fit.width / fit.height == pytest.approx(photo[0] / photo[1], rel=0.02)
    x0, x1 = fit.x + subject[0] * fit.width, fit.x + subject[2] * fit.width
    y0, y1 = fit.y + subject[1] * fit.height, fit.y + subject[3] * fit.height
    assert x0 >= -1
    assert x1 <= size[0] + 1
    assert y0 >= -1
    assert y1 <= size[1] + 1
    assert (x1 - x0) <= (ROOM[2] - ROOM[0]) * size[0] + 2


def test_a_subject_that_leaves_the_photo_leaves_the_frame_there() -> None:
    """A lollipop's stick that is cut by the photo's lower edge ends at the frame's lower edge."""
    fit = extend.framed((400, 500), (0.3, 0.4, 0.7, 1.0), ROOM, TALL)
    assert fit.y + fit.height >= TALL[1] - 1
    assert not extend.torn(fit, (0.3, 0.4, 0.7, 1.0), TALL)


def test_a_cut_side_inside_the_frame_is_noticed() -> None:
    """Where the photo is too small to reach the frame's edge, the cut side would be seen."""
    subject = (0.0, 0.4, 1.0, 0.6)
    assert extend.torn(extend.framed((50, 40), subject, ROOM, TALL), subject, TALL)


@pytest.mark.parametrize("size", [TALL, WIDE])
def test_a_place_fills_the_frame_and_keeps_its_subject(size: tuple[int, int]) -> None:
    """Cropping scenery is fine, cropping the subject is not; without a subject the frame is simply filled."""
    free = extend.filling((700, 500), None, (0.5, 0.5), size)
    assert free.covers(*size)
    subject = (0.05, 0.2, 0.95, 0.9)
    kept = extend.filling((700, 500), subject, (0.5, 0.5), size)
    assert kept.x + subject[0] * kept.width >= -1
    assert kept.x + subject[2] * kept.width <= size[0] + 1
    assert kept.y + subject[1] * kept.height >= -1
    assert kept.y + subject[3] * kept.height <= size[1] + 1


def test_small_places_are_not_blown_up() -> None:
    """A photo of few pixels does not fill a large frame."""
    fit = extend.filling((100, 80), None, (0.5, 0.5), (1000, 2000))
    assert fit.width <= 1000
    assert not fit.covers(1000, 2000)


@pytest.mark.parametrize("busy", [False, True])
def test_no_seam_shows(busy: bool) -> None:
    """Along the photo's edges the picture changes no more than inside it."""
    photo, alpha = before_backdrop(noise=0.8)
    fit = Fit(0, 140, 360, 360)
    made = extend.extended(photo, alpha.astype(np.float32) / 255, fit, TALL, busy=busy)
    assert made.shape == (640, 360, 3)
    steps = np.abs(np.diff(made.mean(axis=2), axis=0)).mean(axis=1)
    usual = np.median(steps)
    assert steps[138:144].max() < usual + 1.0
    assert steps[496:504].max() < usual + 1.0


def test_the_subject_is_untouched() -> None:
    """Where the subject is, the picture is the photo, level for level, also next to the seam."""
    photo, alpha = before_backdrop(size=(360, 360), box=(100, 20, 260, 340), shadow=False)
    made = extend.extended(photo, alpha.astype(np.float32) / 255, Fit(0, 140, 360, 360), TALL, busy=False)
    inside = alpha > 250
    assert np.abs(made[140:500][inside] - photo[inside]).max() < 1.0


def test_the_subject_s_colour_is_not_smeared_outwards() -> None:
    """A product near the edge does not bleed into the carried-on backdrop."""
    photo, alpha = before_backdrop(size=(360, 360), box=(100, 8, 260, 340), product=(200, 20, 20), shadow=False)
    made = extend.extended(photo, alpha.astype(np.float32) / 255, Fit(0, 140, 360, 360), TALL, busy=False)
    above = made[:120]
    assert np.abs(above - above.mean(axis=(0, 1))).max() < 30
    assert (above[:, :, 0] - above[:, :, 2]).max() < 40


def test_a_horizon_goes_on() -> None:
    """Beside a photo of a table before a wall the table stays below and the wall above."""
    photo = np.full((360, 360, 3), 200, np.uint8)
    photo[220:] = 90
    made = extend.extended(photo, np.zeros((360, 360), np.float32), Fit(140, 0, 360, 360), WIDE, busy=False)
    for column in (20, 100, 620):
        assert made[20, column, 0] > 170
        assert made[350, column, 0] < 120


def test_a_photo_that_covers_is_the_photo() -> None:
    """Nothing is filled or softened where nothing is missing."""
    photo = place((700, 500))
    made = extend.extended(photo, np.zeros((500, 700), np.float32), Fit(-100, -20, 700, 500), (360, 360), busy=True)
    assert np.array_equal(made, photo[20:380, 100:460].astype(np.float32))
