"""What text needs to read well where it stands."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from clipbuild.media import contrast, legible
from clipbuild.media.legible import Spot
from clipbuild.media.shapes import Rect

LIGHT, DARK = (255, 255, 255), (17, 19, 24)


def seen(frame: Any, spot: Spot) -> legible.Seen:
    def sample(times: Sequence[float], box: Sequence[int]) -> list[Any]:
        return [frame[box[1] : box[3], box[0] : box[2]] for _ in times]

    return legible.look(sample, [spot], (frame.shape[1], frame.shape[0]))


def grey(level: int) -> Any:
    return np.full((100, 200, 3), level, np.uint8)


SPOT = Spot(Rect(20, 20, 180, 60), 0.0, 2.0, 20.0)


def test_ink_is_dark_on_light_and_light_on_dark() -> None:
    """Without any shade."""
    assert legible.best_ink(seen(grey(230), SPOT), [SPOT], [LIGHT, DARK]) == (0.0, DARK)
    assert legible.best_ink(seen(grey(40), SPOT), [SPOT], [LIGHT, DARK]) == (0.0, LIGHT)


def test_a_light_spot_behind_one_word_counts() -> None:
    """Dark all over but for a tile: a shade, and with it every tile reads."""
    frame = grey(30)
    frame[20:60, 20:44] = 250
    looked = seen(frame, SPOT)
    needed = legible.shade_needed(looked, SPOT, LIGHT)
    assert needed > 0.3
    tiles = contrast.shaded(looked.tiles(SPOT), legible.shade_for(LIGHT), needed)
    assert contrast.measured(LIGHT, tiles) >= contrast.NEEDED


def test_the_whole_time_counts() -> None:
    """A picture that turns light at the end of a text is seen."""
    asked: list[float] = []

    def sample(times: Sequence[float], box: Sequence[int]) -> list[Any]:
        asked.extend(times)
        return [np.full((box[3] - box[1], box[2] - box[0], 3), 250 if at > 1.8 else 20, np.uint8) for at in times]

    looked = legible.look(sample, [SPOT], (200, 100))
    assert max(asked) > 1.9
    assert legible.shade_needed(looked, SPOT, LIGHT) > 0.3


def test_a_box_is_as_opaque_as_it_must_be() -> None:
    """What was wanted where that is enough, else more."""
    assert legible.box_opacity(seen(grey(20), SPOT), SPOT, LIGHT, (30, 60, 50), 0.5) == 0.5
    assert legible.box_opacity(seen(grey(250), SPOT), SPOT, LIGHT, (30, 60, 50), 0.5) > 0.5
