"""Texts set in their looks: large enough, within their place, prices beside what they were."""

from dataclasses import replace
from typing import Any

import pytest

from clipbuild.errors import MediaError
from clipbuild.media import fonts
from clipbuild.media.lettering import KINDS, Element, Setter, looks_of
from clipbuild.media.looks import Look
from clipbuild.media.text import Fonts
from clipbuild.media.timing import Cue

TEXT = "Hello there world €14 €19 שלום"


def setter(rtl: bool = False, **look: Any) -> Setter:
    """Sets every kind of cue in one look."""
    one = Look(**({"size": 0.06, "least": 0.03, "box": "black"} | look))
    return Setter(Fonts(fonts.needed(TEXT)), dict.fromkeys((*KINDS, "caption"), one), 1000.0, rtl)


def price(was: str = "", text: str = "€14") -> Cue:
    """A price, and what it was."""
    return Cue("price", text, 0.0, 1.0, was)


def caption(text: str) -> Cue:
    """A caption."""
    return Cue("caption", text, 0.0, 1.0)


def test_a_short_text_has_its_usual_size() -> None:
    """Where there is room nothing is made smaller, and its box is as large as it and its padding."""
    made = setter().element(caption("Hello"), 900, 400)
    assert made.size == pytest.approx(60)
    [piece] = made.pieces
    assert made.width == pytest.approx(piece.block.width + 2 * 0.5 * 60)
    assert (piece.x, piece.y) == pytest.approx((30, 0.36 * 60))


def test_a_long_text_breaks_before_it_shrinks() -> None:
    """It takes its lines first; what does not fit then is smaller, but not below the least."""
    narrow = setter().element(caption("Hello there world"), 300, 600)
    assert len(narrow.pieces[0].block.lines) > 1
    assert narrow.width <= 300
    tight = setter(lines=1).element(caption("Hello there world"), 420, 600)
    assert len(tight.pieces[0].block.lines) == 1
    assert 30 <= tight.size < 60
    assert tight.width <= 420


def test_what_can_not_fit_is_told() -> None:
    """Never smaller than can be read, never outside: an error with the text."""
    with pytest.raises(MediaError):
        setter(lines=1).element(caption("Hello there world"), 150, 100)
    with pytest.raises(MediaError, match="a price is too long") as caught:
        setter().element(price("€19 there world", "€14 there world"), 120, 100)
    assert dict(caught.value.facts)["place"] == "120 px"


@pytest.mark.parametrize("scale", [0.5, 1.0, 1.5])
def test_scale(scale: float) -> None:
    """Everything grows together."""
    one, scaled = setter().element(caption("Hello"), 2000, 900), setter().element(caption("Hello"), 2000, 900, scale)
    assert scaled.size == pytest.approx(one.size * scale)
    assert scaled.width == pytest.approx(one.width * scale, rel=0.01)


def test_an_earlier_price_stands_beside_the_new_one() -> None:
    """Smaller, struck, on one baseline, without touching."""
    made = setter().element(price("€19"), 900, 200)
    now, was = made.pieces
    assert (now.struck, was.struck) == (False, True)
    assert was.block.size == pytest.approx(now.block.size * 0.62)
    assert was.x > now.x + now.block.width
    assert was.y + was.block.ascent == pytest.approx(now.y + now.block.ascent)
    assert made.width <= 900


def test_from_right_to_left_the_new_price_is_rightmost() -> None:
    """The first thing that is read stands where reading begins."""
    now, was = setter(rtl=True).element(price("€19"), 900, 200).pieces
    assert now.x > was.x + was.block.width


def test_without_a_box_an_outline_needs_room() -> None:
    """The margin is that of the outline, so that it is not cut."""
    made = setter(box="", outline=0.1).element(caption("Hello"), 900, 200)
    assert made.pieces[0].x == pytest.approx(6)
    assert made.height == pytest.approx(made.pieces[0].block.height + 12)


def test_a_tag_shrinks_to_its_place() -> None:
    """Both prices together, until the least size."""
    wide: Element = setter().element(price("€19"), 900, 200)
    made = setter().element(price("€19"), wide.width * 0.8, 200)
    assert made.width <= wide.width * 0.8
    assert made.size < wide.size


def test_looks_by_kind() -> None:
    """Each kind has the look of its overlay; a card's captions are its body and its hook an eyebrow."""
    params = {"caption_style": {"size": 0.05}, "overlays": {"body": {"size": 0.04}, "eyebrow": {"size": 0.03}, "hook": {"size": 0.09}}}
    plain, card = looks_of(params), looks_of({**params, "card": {"headline": "x"}})
    assert (plain["caption"].size, plain["hook"].size) == (0.05, 0.09)
    assert (card["caption"].size, card["hook"].size) == (0.04, 0.03)
    assert set(KINDS) <= set(plain)
    assert replace(plain["cta"]) == Look()
