"""A product is put on its ground whole, in proportion, on its shadow, in layers that make up the picture."""

import numpy as np
import pytest

from clipbuild.media import canvas, compose, ground
from clipbuild.media.compose import Product
from tests.support.pictures import cut_out, disc_mask

ROOM = (0.1, 0.3, 0.9, 0.8)


def egg(width: int = 300, height: int = 400) -> Product:
    rgba = cut_out((width, height))
    return compose.product(rgba[:, :, :3].copy(), rgba[:, :, 3].copy())


def wall(width: int = 360, height: int = 640) -> np.ndarray:
    return ground.plain(width, height, (230.0, 220.0, 200.0))


def box(alpha: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero((alpha > 0.5).any(axis=1)), np.flatnonzero((alpha > 0.5).any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


@pytest.mark.parametrize("size", [(360, 640), (640, 360), (480, 600)])
@pytest.mark.parametrize("shape", [(300, 400), (400, 120), (80, 500)])
@pytest.mark.parametrize("flat", [False, True])
def test_never_stretched_never_cropped_never_outside_its_room(
    size: tuple[int, int], shape: tuple[int, int], flat: bool
) -> None:
    """Whatever the frame and the product: its proportions stay, all of it shows, and it keeps to its room."""
    item = egg(*shape)
    made = compose.placed(item, wall(*size), ROOM, flat=flat)
    x0, y0, x1, y1 = box(made.alpha)
    high, wide = item.alpha.shape
    assert (x1 - x0) / (y1 - y0) == pytest.approx(wide / high, rel=0.05)
    assert x0 >= ROOM[0] * size[0] - 2
    assert x1 <= ROOM[2] * size[0] + 2
    assert y0 >= ROOM[1] * size[1] - 2
    assert y1 <= ROOM[3] * size[1] + 2
    assert made.alpha.sum() == pytest.approx((item.alpha / 255.0).sum() * ((x1 - x0) / wide) ** 2, rel=0.06)


def test_small_photos_are_not_blown_up() -> None:
    """A product of few pixels is placed smaller instead."""
    made = compose.placed(egg(40, 50), wall(), ROOM)
    x0, y0, x1, y1 = box(made.alpha)
    assert (x1 - x0) <= 40 * compose.LARGEST + 2
    assert (y0 + y1) / 2 > 0.4 * 640


def test_layers_make_up_the_picture() -> None:
    """Ground, then shadow, then product: laid over each other they are the flat picture, and the ground is clean."""
    base = wall()
    made = compose.placed(egg(), base, ROOM)
    assert np.array_equal(made.ground, base)
    by_hand = base * (1 - made.shadow)[:, :, None]
    by_hand = by_hand + (made.rgb - by_hand) * made.alpha[:, :, None]
    assert np.abs(made.flat() - by_hand).max() < 1e-3


def test_it_stands_on_its_shadow() -> None:
    """The shadow is darkest at the foot, lies mostly below and beside it, and is soft."""
    made = compose.placed(egg(), wall(), ROOM)
    x0, y0, x1, y1 = box(made.alpha)
    middle = (x0 + x1) // 2
    assert made.shadow[y1 - 1, middle] > 0.4
    assert made.shadow[y1 - 1, middle] > 3 * made.shadow[min(639, y1 + 40), middle]
    assert made.shadow[: y0 + (y1 - y0) // 2].max() < 0.2
    assert np.abs(np.diff(made.shadow[y1 + 3 :], axis=0)).max() < 0.12


def test_a_shadow_lies_on_the_floor() -> None:
    """Round a thin foot it reaches further aside than up its side."""
    alpha = np.zeros((200, 200), np.uint8)
    alpha[:30], alpha[:, 92:108] = 255, 255
    made = compose.placed(Product(np.full((200, 200, 3), 120, np.uint8), alpha), wall(), ROOM)
    _, y0, _, y1 = box(made.alpha)
    foot = made.shadow[y0 + (y1 - y0) // 2 :] > 0.12
    wide, high = int(foot.any(axis=0).sum()), int(foot.any(axis=1).sum())
    assert wide > 1.3 * high


def test_every_leg_touches_the_floor() -> None:
    """A stool stands on each of its legs, also those that end higher in the picture."""
    alpha = np.zeros((200, 200), np.uint8)
    alpha[:40], alpha[:, :20], alpha[:185, 180:] = 255, 255, 255
    made = compose.placed(Product(np.full((200, 200, 3), 120, np.uint8), alpha), wall(), ROOM)
    x0, _, x1, y1 = box(made.alpha)
    left, right = made.shadow[y1 - 1, x0 + 5], made.shadow[round(y1 - 15 * (x1 - x0) / 200) - 1, x1 - 6]
    assert left > 0.35
    assert right > 0.3
    assert made.shadow[y1 - 1, (x0 + x1) // 2] < 0.6 * left


def test_its_own_shadow_is_kept_and_no_other_added() -> None:
    """A cut-out that came with a soft shadow keeps that one, in the shadow's layer."""
    rgba = np.zeros((300, 300, 4), np.uint8)
    rgba[:, :, :3] = 10
    rgba[20:180, 80:220] = (40, 90, 200, 255)
    faint = disc_mask((300, 300), (40, 240, 260, 270))
    rgba[:, :, 3] = np.maximum(rgba[:, :, 3], (faint * 0.4).astype(np.uint8))
    item = compose.product(rgba[:, :, :3].copy(), rgba[:, :, 3].copy(), shaded=True)
    assert item.shade is not None
    made = compose.placed(item, wall(), ROOM)
    _, _, _, foot = box(made.alpha)
    assert made.shadow[foot + 10 :].max() == pytest.approx(0.39, abs=0.06)
    assert made.shadow[foot - 4 : foot + 4].max() < 0.05
    assert made.alpha[foot + 8 :].max() == 0


def test_soft_rims_are_no_shadow() -> None:
    """A cut-out with merely soft edges has no shadow of its own."""
    rgba = cut_out()
    assert compose.product(rgba[:, :, :3].copy(), rgba[:, :, 3].copy(), shaded=True).shade is None


def test_what_lies_is_told_from_what_stands() -> None:
    """A watch laid aslant and pots seen from above lie; a bottle, a mug and a ruler upright stand."""
    y, x = np.mgrid[0:300, 0:300]
    slant = (np.abs(x - y) < 18).astype(np.uint8) * 255
    scattered = np.zeros((300, 300), np.uint8)
    for left, top in ((0, 0), (200, 0), (100, 120), (0, 230), (220, 220)):
        scattered[top : top + 60, left : left + 60] = 255
    colours = np.zeros((300, 300, 3), np.uint8)
    assert compose.lying(Product(colours, slant))
    assert compose.lying(Product(colours, scattered))
    for standing in (disc_mask((300, 300), (100, 10, 200, 290)), disc_mask((300, 300), (20, 60, 280, 240))):
        assert not compose.lying(Product(colours, standing))


def test_light_wraps_only_the_rim() -> None:
    """The ground's light changes the product's rim and leaves its middle alone."""
    item = egg()
    made = compose.placed(item, ground.plain(360, 640, (255.0, 255.0, 255.0)), ROOM)
    x0, y0, x1, y1 = box(made.alpha)
    middle = made.rgb[(y0 + y1) // 2, (x0 + x1) // 2].astype(int)
    rim = made.rgb[(y0 + y1) // 2, x0 + 2].astype(int)
    assert np.abs(middle - (40, 90, 60)).max() <= 2
    assert rim.sum() > middle.sum() + 20


def test_a_print_is_whole_and_in_proportion() -> None:
    """A photo shown as a print keeps its shape, with round corners, inside its box."""
    photo = np.full((200, 300, 3), 90, np.uint8)
    _, alpha, rgb = compose.print_card(photo, wall(), (30, 100, 330, 540), 0.05)
    x0, y0, x1, y1 = box(alpha)
    assert (x1 - x0, y1 - y0) == (300, 200)
    assert alpha[y0, x0] < 0.5
    assert alpha[(y0 + y1) // 2, (x0 + x1) // 2] == 1
    assert rgb[(y0 + y1) // 2, (x0 + x1) // 2].tolist() == [90, 90, 90]


@pytest.mark.parametrize("alpha", [np.zeros((50, 50), np.uint8), np.full((1, 1), 255, np.uint8)])
def test_nothing_and_next_to_nothing(alpha: np.ndarray) -> None:
    """An empty cut-out and one of a pixel are placed without a fault."""
    item = compose.product(np.zeros((*alpha.shape, 3), np.uint8), alpha)
    made = compose.placed(item, wall(), ROOM)
    assert np.isfinite(made.flat()).all()
    assert canvas.dithered(made.flat()).shape == (640, 360, 3)
