"""A cut-out is honest: right where the backdrop is plain, and unsure where it is not."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clipbuild.media import cutout, pictures
from tests.support.pictures import before_backdrop, disc_mask, place

PHOTOS = Path(__file__).parents[2] / "examples" / "storefront" / "photos"


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Shared part of two masks."""
    a, b = one >= 128, other >= 128
    return float((a & b).sum() / (a | b).sum())


@pytest.mark.parametrize("tone", [(226, 222, 214), (250, 250, 250), (70, 74, 80), (90, 160, 190), (200, 40, 60)])
def test_finds_the_outline_on_any_plain_backdrop(tone: tuple[int, int, int]) -> None:
    """White, grey, dark or coloured: the mask covers the product and nothing else, and the confidence says so."""
    product = (30, 70, 150) if tone[2] < 180 or tone[0] > 200 else (220, 200, 40)
    photo, truth = before_backdrop(tone=tone, product=product)
    made = cutout.cut(photo)
    assert overlap(made.alpha, truth) > 0.96
    assert made.confidence >= cutout.GOOD
    assert made.plain > 0.8


def test_a_shadow_is_no_part_of_the_product() -> None:
    """The shadow on the floor beside the product stays behind."""
    photo, truth = before_backdrop()
    made = cutout.cut(photo)
    below = made.alpha[424:460, 180:440]
    assert (below > 60).mean() < 0.02
    assert overlap(made.alpha, truth) > 0.96


def test_a_reflection_at_the_rim_leaves_no_bite() -> None:
    """Where the light floor shows in a glossy black product near its foot, the product's outline goes on."""
    y, x = np.mgrid[0:512, 0:512].astype(np.float32)
    body = np.clip(150.5 - np.hypot(x - 256, y - 256), 0, 1)
    shade = 70 * np.exp(-(((x - 256) / 120) ** 2 + ((y - 410) / 14) ** 2))
    shine = 95 * np.exp(-((x - 230.6) ** 2 + (y - 399.8) ** 2) / 162)
    grey = (235 - shade) * (1 - body) + (45 + shine) * body + np.random.default_rng(3).normal(0, 0.6, y.shape)
    made = cutout.cut(np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[:, :, None], 3, 2))
    assert made.confidence >= cutout.GOOD
    assert ((body > 0.9) & (made.alpha < 128)).sum() < 60


def test_edges_are_soft_and_free_of_backdrop() -> None:
    """Alpha passes through its middle values within a few pixels, and the colours there are the product's."""
    photo, truth = before_backdrop(tone=(245, 245, 245), product=(20, 30, 60), shadow=False)
    made = cutout.cut(photo)
    rim = (made.alpha > 40) & (made.alpha < 215)
    assert 100 < rim.sum() < 12_000
    assert np.abs(made.alpha.astype(int) - truth).mean() < 3
    assert made.rgb[rim].mean() < 90, "the rim is still as light as the wall"


def test_no_bright_halo_on_a_dark_ground() -> None:
    """Laid on black, the rim of a product shot on white is not lighter than the product."""
    photo, _ = before_backdrop(tone=(250, 250, 250), product=(120, 20, 30), shadow=False)
    made = cutout.cut(photo)
    laid = made.rgb.astype(float) * (made.alpha / 255.0)[:, :, None]
    rim = (made.alpha > 10) & (made.alpha < 245)
    assert np.percentile(laid[rim][:, 2], 99) < 90


def test_holes_show_the_ground() -> None:
    """What can be seen through a handle is not product."""
    photo, _ = before_backdrop(box=(150, 150, 450, 450))
    wall, _ = before_backdrop(box=(0, 0, 1, 1), shadow=False)
    hole = np.hypot(*(np.mgrid[0:600, 0:600] - 300)) < 70
    photo = np.where(hole[:, :, None], wall, photo)
    made = cutout.cut(photo)
    assert made.alpha[300, 300] < 20
    assert made.alpha[300, 180] > 230


def test_a_real_place_gives_no_confidence() -> None:
    """Where there is no backdrop, there is no cut-out to be shown."""
    made = cutout.cut(place())
    assert made.confidence < 0.2
    assert made.plain < 0.4


def test_a_product_of_the_wall_s_colour_gives_no_confidence() -> None:
    """White on white can't be told apart, and is not pretended to be."""
    photo, _ = before_backdrop(tone=(236, 236, 236), product=(240, 240, 240))
    assert cutout.cut(photo).confidence < cutout.GOOD


def test_a_product_that_leaves_the_photo_gives_no_confidence() -> None:
    """A cut side would be seen on another ground."""
    photo, _ = before_backdrop(box=(200, 180, 400, 640))
    assert cutout.cut(photo).confidence < cutout.GOOD


def test_glass_is_missed_and_said_to_be() -> None:
    """Edges that are neither cut nor backdrop lower the confidence, and the extent reaches over them."""
    photo, _ = before_backdrop(box=(220, 120, 380, 240), shadow=False, noise=0.5)
    image = Image.fromarray(photo)
    from PIL import ImageDraw

    pen = ImageDraw.Draw(image)
    pen.rectangle((232, 230, 368, 480), outline=(196, 194, 190), width=5)
    made = cutout.cut(np.asarray(image))
    assert made.confidence < cutout.GOOD
    assert made.box is not None
    assert made.box[3] > 470 / 600


@pytest.mark.parametrize("photo", [np.full((64, 64, 3), 200, np.uint8), np.zeros((2, 2, 3), np.uint8), np.zeros((1, 900, 3), np.uint8)])
def test_empty_and_tiny_photos(photo: np.ndarray) -> None:
    """Nothing to find is found without a fault."""
    made = cutout.cut(photo)
    assert made.alpha.shape == photo.shape[:2]
    assert made.confidence < cutout.GOOD


def test_the_same_photo_gives_the_same_bytes() -> None:
    """No chance, no order of threads."""
    photo, _ = before_backdrop()
    one, two = cutout.cut(photo), cutout.cut(photo)
    assert np.array_equal(one.alpha, two.alpha)
    assert np.array_equal(one.rgb, two.rgb)
    assert one.confidence == two.confidence


SURE = ["mug_black_01", "watch_gold_01", "vase_red_01", "belt_tan_01", "duck_toy_01"]
UNSURE = ["jar_bamboo_01", "shakers_01", "sofa_grey_01", "lollipop_01"]


@pytest.mark.parametrize(("name", "sure"), [*((n, True) for n in SURE), *((n, False) for n in UNSURE)])
def test_real_photos_are_judged_as_a_person_would(name: str, sure: bool) -> None:
    """Of the example's photos the solid products before a wall can be cut out; glass, rooms and cropped ones can't."""
    rgb, _ = pictures.read(str(PHOTOS / f"{name}.jpg"), side=512)
    made = cutout.cut(rgb)
    assert (made.confidence >= cutout.GOOD) is sure, made.marks


def test_a_given_cut_out_loses_its_halo() -> None:
    """A rim of the old backdrop's colour gets the product's; a clean cut-out is left alone, pixel for pixel."""
    truth = disc_mask((300, 300), (40, 40, 260, 260))
    clean = np.zeros((300, 300, 3), np.uint8)
    clean[:] = (60, 120, 70)
    share = (disc_mask((300, 300), (41, 41, 259, 259)) / 255.0)[:, :, None]
    haloed = np.rint(clean * share + np.array((250, 250, 250)) * (1 - share)).astype(np.uint8)
    made = cutout.cleaned(haloed, truth)
    rim = (truth > 60) & (share[:, :, 0] < 0.5)
    assert haloed[rim].mean() > 160
    assert made[rim].mean() < 110
    assert np.array_equal(made[150, 150], clean[150, 150])
    assert np.array_equal(cutout.cleaned(clean, truth), clean)


def test_a_rim_of_shade_is_peeled_off() -> None:
    """A thin shade of the wall beside the product, with hard edges, is no part of it."""
    photo, truth = before_backdrop(tone=(240, 240, 240), product=(30, 60, 140), shadow=False)
    shade = (disc_mask((600, 600), (194, 176, 404, 424)) > 128) & (truth == 0)
    photo = photo.copy()
    photo[shade] = (190, 190, 190)
    made = cutout.cut(photo)
    assert (made.alpha[shade] > 128).mean() < 0.12
    assert overlap(made.alpha, truth) > 0.95
