"""Text on a clip: drawn, inside the safe box, readable."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from clipbuild.errors import MediaError
from clipbuild.media import captions, fonts, timing
from clipbuild.media.layers import Layer
from tests.support import styles

SIZE, SAFE = (540, 960), (54, 134, 445, 624)


def sampler(colour: tuple[int, int, int]) -> Any:
    """A picture of one colour."""

    def sample(times: Sequence[float], box: Sequence[int]) -> list[Any]:
        return [np.full((box[3] - box[1], box[2] - box[0], 3), colour, np.uint8) for _ in times]

    return sample


def drawn(colour: tuple[int, int, int] = (230, 225, 215), **params: Any) -> list[Layer]:
    """The layers of a clip's text on a plain picture."""
    texts = [c["text"] for c in params.get("captions", ())]
    texts += [params.get(name, "") for name in ("hook", "cta")] + list(params.get("offer", {}).values())
    params = {"seconds": 5, **params}
    return captions.overlays(params, fonts.needed("\n".join(texts)), SIZE, SAFE, sampler(colour))


def test_all_text_is_drawn_inside_the_safe_box() -> None:
    """Hook, captions, price and button leave ink, and none of it leaves the box."""
    layers = drawn(hook="Slow mornings, poured right", captions=[{"text": "50% off"}], offer={"price": "€19"}, cta="Buy")
    assert len(layers) == 4
    for layer in layers:
        high, wide = layer.rgba.shape[:2]
        assert layer.rgba[..., 3].max() > 200
        assert layer.x >= SAFE[0] - 6
        assert layer.y >= SAFE[1] - 6
        assert layer.x + wide <= SAFE[2] + 6
        assert layer.y + high <= SAFE[3] + 6


def test_a_button_waits_for_its_price_only() -> None:
    """Alone it comes at once, so that no part of the clip stands without a word."""
    looks = styles.overlays()
    price, button = drawn(offer={"price": "€9"}, cta="Shop", overlays=looks, captions=[{"text": "Warm"}])[-2:]
    assert button.start > price.start
    (_, late) = drawn(cta="Shop", overlays=looks, captions=[{"text": "Warm"}])
    assert late.start == timing.cues({"seconds": 5, "cta": "Shop", "captions": [{"text": "Warm"}]})[-1].start


def test_a_character_without_glyph_is_an_error_that_names_it() -> None:
    """Never a box in its place."""
    with pytest.raises(MediaError, match="U\\+16A0"):
        captions.overlays({"seconds": 5, "hook": "a\u16a0"}, fonts.needed("a"), SIZE, SAFE, sampler((0, 0, 0)))
