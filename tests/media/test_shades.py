"""Soft shades behind text."""

import numpy as np

from clipbuild.media import fonts, lettering, placing, shades
from clipbuild.media.placing import Placed
from clipbuild.media.text import Fonts
from clipbuild.media.timing import Cue
from tests.support import styles

LOOKS = lettering.looks_of({"caption_style": styles.style("plain"), "overlays": styles.overlays()})


def placed(size: tuple[int, int], start: float, end: float, y: int = 0) -> Placed:
    setter = lettering.Setter(Fonts(fonts.needed("Hello")), LOOKS, float(min(size)))
    room = (40, 60 + y, size[0] // 2, size[1])
    ((found,),) = [group.placed for group in placing.place(setter, [Cue("caption", "Hello", start, end)], [room], large=False)]
    return found


def test_a_shade_is_full_behind_the_text_and_fades_out() -> None:
    """From the edge of the frame past the text, then to nothing; dark under light ink."""
    item = placed((540, 960), 1, 3)
    (layer,) = shades.layers([(item, 0.4)], (255, 255, 255), (540, 960))
    assert (layer.x, layer.y, layer.rgba.shape[1]) == (0, 0, 540)
    alpha = layer.rgba[..., 3].astype(float)
    assert abs(alpha[: int(item.rect.y1)].mean() - 0.4 * 255) < 1
    assert alpha[-1].max() <= 1
    assert (np.diff(alpha.mean(axis=1)) < 0.6).all()
    assert layer.rgba[0, 0, :3].max() < 40


def test_in_a_wide_frame_it_comes_from_the_side() -> None:
    """The full height, and not the full width."""
    (layer,) = shades.layers([(placed((960, 540), 1, 3), 0.4)], (255, 255, 255), (960, 540))
    assert layer.rgba.shape[0] == 540
    assert layer.rgba.shape[1] < 960


def test_it_comes_from_the_nearer_edge() -> None:
    """Text in the lower part is shaded from below, light under dark ink."""
    (layer,) = shades.layers([(placed((540, 960), 1, 3, y=760), 0.4)], (20, 20, 20), (540, 960))
    assert layer.y + layer.rgba.shape[0] == 960
    assert layer.rgba[-1, 0, :3].min() > 220


def test_shades_of_texts_that_follow_are_one() -> None:
    """It stays on between them, as strong as the weaker of both needs."""
    items = [(placed((540, 960), 0, 2), 0.2), (placed((540, 960), 2.2, 4), 0.4), (placed((540, 960), 6, 8), 0.3)]
    first, second = shades.layers(items, (255, 255, 255), (540, 960))
    assert (first.start, first.end, second.start) == (0, 4, 6)
    assert abs(int(first.rgba[0, 0, 3]) - 0.4 * 255) <= 1
