"""A ground is lit and deep enough for what stands on it."""

import numpy as np

from clipbuild.media import ground
from clipbuild.media.ground import Stage
from tests.support.pictures import place

SIZE = (270, 480)


def test_light_falls_on_the_wall_beside_the_product() -> None:
    """The studio is lightest near the product, and lighter up left of it than down right."""
    made = ground.studio(*SIZE, (200.0, 190.0, 170.0), (190.0, 180.0, 165.0), Stage(0.5, 0.5, 0.75)).mean(axis=2)
    assert made[220, 120] > made[10, 260] + 10
    assert made[220, 100] > made[220, 240]


def test_the_floor_reaches_behind_the_feet() -> None:
    """A product that touches the floor far back gets a floor that reaches there."""
    near = ground.studio(*SIZE, (230.0, 60.0, 60.0), (60.0, 60.0, 230.0), Stage(0.5, 0.5, 0.75, 0.055))
    deep = ground.studio(*SIZE, (230.0, 60.0, 60.0), (60.0, 60.0, 230.0), Stage(0.5, 0.5, 0.75, 0.16))

    def horizon(picture: np.ndarray) -> int:
        return int(np.argmax(picture[:, 20, 2] > picture[:, 20, 0]))

    assert horizon(near) - horizon(deep) > 0.08 * 480


def test_a_place_is_out_of_focus_behind_and_nearer_in_focus_below() -> None:
    """Texture is softer above than at the foot, and softer than it was."""
    made = ground.plate(place((270, 480)), *SIZE, 0.5, Stage(0.5, 0.4, 0.8)).mean(axis=2)

    def detail(rows: slice) -> float:
        return float(np.abs(np.diff(made[rows], axis=1)).mean())

    assert detail(slice(20, 150)) < 0.8 * detail(slice(420, 470))


def test_a_counter_covers_what_is_below_its_edge_only() -> None:
    """Above its edge the place is untouched."""
    base = ground.plate(place((270, 480)), *SIZE, 0.5, Stage())
    made = ground.counter(base, (200.0, 190.0, 170.0), Stage(0.5, 0.5, 0.75, 0.06))
    assert np.array_equal(made[:320], base[:320])
    assert np.abs(np.diff(made[345:], axis=1)).max() < 4


def test_a_card_s_accents_keep_clear_of_its_words() -> None:
    """Nothing but the base gradient is inside the text's box, in any frame."""
    for size in ((270, 480), (480, 270), (300, 300)):
        text = (round(0.1 * size[0]), round(0.15 * size[1]), round(0.8 * size[0]), round(0.42 * size[1]))
        photo = (round(0.1 * size[0]), round(0.45 * size[1]), round(0.9 * size[0]), round(0.8 * size[1]))
        made = ground.card(*size, (36.0, 68.0, 58.0), (224.0, 163.0, 58.0), (240.0, 235.0, 224.0), text, photo)
        words = made[text[1] : text[3], text[0] : text[2]]
        assert (words[:, :, 0] < words[:, :, 1]).all()
        assert words.max() < 130
