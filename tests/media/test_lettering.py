"""A text in its look, set as large as it will be."""

import pytest

from clipbuild.errors import MediaError
from clipbuild.media import fonts, lettering
from clipbuild.media.text import Fonts
from clipbuild.media.timing import Cue
from tests.support import styles

LOOKS = lettering.looks_of({"caption_style": styles.style("plain"), "overlays": styles.overlays()})
SETTER = lettering.Setter(Fonts(fonts.needed("€19€29Shop now Ágq")), LOOKS, 1080.0)


def test_a_button_has_its_words_in_its_middle() -> None:
    """As much room above capitals as below the baseline, as much left as right."""
    button = SETTER.element(Cue("cta", "Shop now", 0, 5), 900, 400)
    (piece,) = button.pieces
    above = piece.y + piece.block.ascent - 0.73 * button.size
    below = button.height - piece.y - piece.block.baseline(0)
    assert abs(above - below) < 0.14 * button.size
    assert piece.x == pytest.approx(button.width - piece.x - piece.block.width)


def test_an_earlier_price_stands_beside_on_the_same_line() -> None:
    """Smaller, struck through, sharing the baseline; on the left where text runs from right to left."""
    tag = SETTER.element(Cue("price", "€19", 0, 5, was="€29"), 900, 400)
    now, was = tag.pieces
    assert was.struck
    assert was.block.size < now.block.size
    assert now.y + now.block.baseline(0) == pytest.approx(was.y + was.block.baseline(0))
    assert was.x > now.x + now.block.width
    now, was = lettering.Setter(SETTER.fonts, LOOKS, 1080.0, rtl=True).element(Cue("price", "€19", 0, 5, was="€29"), 900, 400).pieces
    assert was.x + was.block.width < now.x


def test_a_price_shrinks_into_its_room_and_no_further() -> None:
    """Down to its least size; then it is an error."""
    wide = SETTER.element(Cue("price", "€19", 0, 5, was="€29"), 900, 400).width
    assert SETTER.element(Cue("price", "€19", 0, 5, was="€29"), 0.7 * wide, 400).width <= 0.7 * wide
    with pytest.raises(MediaError, match="too long for its place"):
        SETTER.element(Cue("price", "€19", 0, 5, was="€29"), 0.2 * wide, 400)


def test_a_cards_captions_and_hook_have_looks_of_their_own() -> None:
    """A caption style is for pictures."""
    looks = lettering.looks_of({"caption_style": styles.style("pop"), "overlays": styles.overlays(), "card": {"photo": True}})
    assert (looks["caption"], looks["hook"]) == (looks["body"], looks["eyebrow"])
