"""What stands behind and around a product, as numbers: each rises with what it is named for."""

import cv2
import numpy as np
import pytest

from clipbuild.media import pixels, scene, subject
from clipbuild.media.pixels import Bytes
from clipbuild.media.subject import Subject

SIZE = (240, 160)


def mask() -> Bytes:
    """A product in the lower middle."""
    where = np.zeros(SIZE, np.uint8)
    where[90:200, 55:105] = 1
    return where


def product() -> Subject:
    """The product, seen on a photo."""
    return subject.known(mask() > 0)


def photo(ground: Bytes, colour: tuple[int, int, int] = (160, 40, 40)) -> Bytes:
    """The product on this ground."""
    picture = ground.copy()
    picture[mask() > 0] = colour
    return picture


def plain(level: int = 200) -> Bytes:
    """One colour."""
    return np.full((*SIZE, 3), level, np.uint8)


def textured(strength: int = 60) -> Bytes:
    """Blotches of some pixels."""
    rng = np.random.default_rng(3)
    spots = cv2.resize(rng.integers(-strength, strength, (60, 40)).astype(np.float32), SIZE[::-1])
    return np.clip(plain().astype(np.float32) + spots[..., None], 0, 255).astype(np.uint8)


def ground(picture: Bytes) -> dict[str, float]:
    """The values of a picture's ground."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return scene.ground_values(picture, grey, pixels.gradient(grey), product())


def test_texture_is_told_from_calm() -> None:
    """A busy ground has more gradient, more detail and a larger busy share; a plain one has none."""
    calm, busy = ground(photo(plain())), ground(photo(textured()))
    assert calm["bg_gradient"] < 0.5
    assert calm["busy"] == 0.0
    for name in ("bg_gradient", "detail", "bg_spread"):
        assert busy[name] > calm[name] + 1, name


def test_a_smooth_gradient_is_explained() -> None:
    """It spreads widely, but a smooth model leaves next to nothing of it: it can be put anew behind the product."""
    down = np.linspace(80, 230, SIZE[0]).astype(np.uint8)[:, None, None].repeat(SIZE[1], 1).repeat(3, 2)
    values = ground(photo(down))
    assert values["bg_spread"] > 8
    assert values["bg_left"] < values["bg_spread"] / 5
    assert values["bg_row_left"] < values["bg_spread"] / 5


def test_a_product_of_the_grounds_colour_does_not_stand_out() -> None:
    """Separation and distinctness fall with the distance of the colours."""
    far, near = ground(photo(plain(), (30, 30, 120))), ground(photo(plain(), (196, 196, 196)))
    assert far["separation"] > 20 > near["separation"]
    assert far["distinct"] > near["distinct"]


def test_no_product_no_separation() -> None:
    """Nothing to compare gives nothing, not an error."""
    grey = plain()[..., 0].copy()
    empty = subject.known(np.zeros(SIZE, np.bool_))
    values = scene.ground_values(plain(), grey, pixels.gradient(grey), empty)
    assert (values["separation"], values["distinct"]) == (0.0, 0.0)
    assert scene.contact(grey, empty) == 0.0


def test_a_cutout_has_no_ground_to_judge() -> None:
    """What is see-through counts neither as busy nor as calm."""
    cut = subject.known(mask() > 0, True)
    grey = cv2.cvtColor(photo(textured()), cv2.COLOR_RGB2GRAY)
    values = scene.ground_values(photo(textured()), grey, pixels.gradient(grey), cut)
    assert (values["bg_gradient"], values["busy"], values["bg_left"]) == (0.0, 0.0, 0.0)


def test_a_table_edge_is_two_planes() -> None:
    """A step of colour from top to bottom that lasts; a plain ground and a narrow line are none."""
    table, line = plain(), plain()
    table[150:] = 90
    line[150:153] = 90
    outside = scene.outside_of(product())
    step, thin, none = (scene.planes(subject.to_lab(p), outside) for p in (table, line, plain()))
    assert step > 20
    assert none < 1
    assert thin < step / 2


def test_a_contact_shadow() -> None:
    """Darker just under the product than beside it: by about as many grey levels."""
    grey = np.full(SIZE, 200, np.uint8)
    assert abs(scene.contact(grey, product())) < 2
    grey[200:212, 55:105] = 140
    assert scene.contact(grey, product()) == pytest.approx(60, abs=15)


def test_a_cast_shadow_is_darker_not_otherwise_coloured() -> None:
    """Grey beside the product counts, a coloured thing there does not."""
    grey, red = photo(plain()), photo(plain())
    grey[150:200, 106:116] = 150
    red[150:200, 106:116] = (200, 90, 90)
    values = [scene.shadow(subject.to_lab(p), product()) for p in (photo(plain()), grey, red)]
    assert values[1] > values[0] + 0.02
    assert values[2] < values[1] / 2


def test_light() -> None:
    """A shaded product models more than a flat one; what is burnt out and what is black is counted."""
    across = np.linspace(40, 220, SIZE[1]).astype(np.uint8)[None, :, None].repeat(SIZE[0], 0).repeat(3, 2)
    shaded = plain()
    shaded[mask() > 0] = across[mask() > 0]
    burnt, black = photo(plain(), (255, 255, 255)), photo(np.zeros((*SIZE, 3), np.uint8))

    def light(picture: Bytes) -> dict[str, float]:
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        return scene.light_values(picture, grey, pixels.gradient(grey), product())

    assert light(shaded)["modelling"] > light(photo(plain(), (130, 130, 130)))["modelling"]
    assert light(shaded)["contrast"] > light(photo(plain(), (130, 130, 130)))["contrast"]
    assert light(burnt)["bright"] == 1.0
    assert light(burnt)["shine"] == 1.0
    assert light(black)["dark"] > 0.7


def test_outside_keeps_its_distance() -> None:
    """The margin grows with the share that is asked for and never reaches into the product."""
    near, far = scene.outside_of(product()), scene.outside_of(product(), 0.1)
    assert not (near & product().mask).any()
    assert far.sum() < near.sum()
