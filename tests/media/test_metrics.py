"""Each measure tells a picture that has the property from one that has not, whatever its size or exposure."""

import cv2
import numpy as np
import pytest

from clipbuild.media import metrics, pixels
from clipbuild.media.metrics import look
from tests.support import stills
from tests.support.stills import Picture


def values(picture: Picture) -> dict[str, float]:
    return look(picture).values


def test_texture_tells_busy_from_plain_and_blurred() -> None:
    """Pebbles have at least four times the gradient and detail of a plain or a blurred ground."""
    busy, plain, soft = (values(stills.bottle(g())) for g in (stills.busy, stills.plain, stills.blurred))
    for name in ("bg_gradient", "detail"):
        assert busy[name] > 4 * max(plain[name], soft[name])


def test_noise_is_not_detail() -> None:
    """Film grain raises the gradient but not the detail that survives a blur."""
    rng = np.random.default_rng(2)
    ground = stills.plain()
    grainy = np.clip(ground + rng.normal(0, 14, ground.shape[:2])[..., None], 0, 255).astype(np.uint8)
    noisy, pebbles = values(stills.bottle(grainy)), values(stills.bottle(stills.busy()))
    assert noisy["detail"] < 0.25 * pebbles["detail"]


def test_coarse_spread_tells_a_scene_from_a_studio() -> None:
    """A blurred scene spreads in colour, a seamless ground does not."""
    assert values(stills.bottle(stills.blurred()))["bg_spread"] > 3 * values(stills.bottle(stills.plain()))["bg_spread"]


def test_defocus_is_positive_where_the_ground_is_soft() -> None:
    """The subject is much sharper than a blurred ground and not than pebbles."""
    assert values(stills.bottle(stills.blurred()))["defocus"] > 1.5
    assert values(stills.bottle(stills.busy()))["defocus"] < 0.5


def test_edge_width_grows_with_blur() -> None:
    """The strongest edges of a blurred picture are wider."""
    sharp = stills.busy(512, 512)
    soft = cv2.GaussianBlur(sharp, (0, 0), 3)
    everywhere = np.ones((512, 512), np.bool_)
    widths = []
    for picture in (sharp, soft):
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        widths.append(pixels.edge_width(grey, pixels.gradient(grey), everywhere, 97))
    assert widths[0] < 2 < widths[1]


def test_true_detail_exposes_an_enlarged_picture() -> None:
    """A picture enlarged four times has well under half the detail of one that was not."""
    small = stills.bottle(stills.busy(300, 300))
    enlarged = np.asarray(cv2.resize(small, (1200, 1200), interpolation=cv2.INTER_CUBIC), np.uint8)
    assert values(enlarged)["true_detail"] < 0.5 * values(stills.bottle(stills.busy(1200, 1200)))["true_detail"]


def test_blocking_grows_with_compression() -> None:
    """Quality 8 shows blocks, quality 90 does not."""
    picture = stills.bottle(stills.busy())

    def at(quality: int) -> float:
        data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        return values(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8))["blocking"]

    assert at(90) < 1.2 < 2.2 < at(8)


def test_free_space_is_where_nothing_stands() -> None:
    """A bottle on the left leaves the right free, and one area for it."""
    seen = look(stills.bottle(stills.plain(), x=0.25))
    assert seen.values["free_area"] > 0.5
    assert seen.values["free_right"] > 2 * seen.values["free_left"]
    box = seen.boxes["free"]
    assert box[0] > 0.35
    assert not seen.free[seen.subject.mask].any()


def test_pebbles_leave_no_free_space() -> None:
    """Nothing is free on a busy ground."""
    assert values(stills.bottle(stills.busy()))["free_area"] < 0.05


def test_headroom_is_exact() -> None:
    """A box that reaches half way to the edges can be pushed into by a factor of two, one at the edge not at all."""
    assert metrics.headroom((0.25, 0.3, 0.75, 0.7)) == pytest.approx(2.0)
    assert metrics.headroom((0.0, 0.3, 0.5, 0.7)) == pytest.approx(1.0)
    assert metrics.headroom(None) == 4.0


def test_a_cast_shadow_is_seen() -> None:
    """A soft dark ellipse beside the bottle counts as its shadow; without it there is none."""
    ground = stills.plain()
    shade = np.zeros(ground.shape[:2], np.float32)
    cv2.ellipse(shade, (580, 660), (190, 60), 0, 0, 360, 1.0, -1)
    dark = np.asarray(ground * (1 - 0.3 * cv2.GaussianBlur(shade, (0, 0), 18)[..., None]), np.uint8)
    assert values(stills.bottle(dark))["shadow"] > 0.08 > 4 * values(stills.bottle(ground))["shadow"]


def test_two_planes_are_seen() -> None:
    """A table edge gives a lasting step of row colour."""
    ground = stills.plain()
    ground[520:] = (140, 110, 84)
    assert values(stills.bottle(ground))["planes"] > 20 > values(stills.bottle(stills.plain()))["planes"]


def test_the_frame_that_cuts_the_subject_is_seen() -> None:
    """A bottle half out of the frame runs out of that side along its own height."""
    assert values(stills.bottle(stills.plain(), x=0.05, tall=0.8))["cut_off"] > 0.45
    assert values(stills.bottle(stills.plain()))["cut_off"] == 0


def test_the_subjects_own_layer_wins() -> None:
    """The alpha of a subject layer replaces the guess, and the ground stays what it is."""
    layer = np.zeros((900, 900), np.uint8)
    layer[90:450, 90:450] = 255
    seen = look(stills.bottle(stills.plain()), layer=layer)
    assert seen.boxes["subject"] == pytest.approx((0.1, 0.1, 0.5, 0.5), abs=0.01)
    assert seen.values["alpha"] == 0


def test_measures_hardly_change_with_size() -> None:
    """The same picture at half the size measures nearly the same: everything is judged at one scale."""
    large = stills.bottle(stills.blurred(1600, 1600))
    small = np.asarray(cv2.resize(large, (800, 800), interpolation=cv2.INTER_AREA), np.uint8)
    one, other = values(large), values(small)
    for name in ("subject_area", "bg_spread", "free_area", "headroom"):
        assert one[name] == pytest.approx(other[name], rel=0.05, abs=0.02)


@pytest.mark.parametrize("shape", [(1, 1), (2, 900), (900, 3), (17, 17)])
def test_no_picture_breaks_it(shape: tuple[int, int]) -> None:
    """Pictures of hardly any pixels give finite numbers."""
    rng = np.random.default_rng(4)
    for picture in (np.zeros((*shape, 3), np.uint8), rng.integers(0, 256, (*shape, 3)).astype(np.uint8)):
        for alpha in (None, np.zeros(shape, np.uint8), np.full(shape, 255, np.uint8)):
            assert all(np.isfinite(v) for v in look(picture, alpha).values.values())
