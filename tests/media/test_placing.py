"""Where texts stand."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clipbuild.errors import MediaError
from clipbuild.media import fonts, lettering, placing
from clipbuild.media.text import Fonts
from clipbuild.media.timing import Cue
from tests.support import styles

ROOM = (54, 134, 445, 624)
LOOKS = lettering.looks_of({"caption_style": styles.style("boxed"), "overlays": styles.overlays()})
LETTERS = "".join(map(chr, range(32, 127))) + "€äöüß–"
FONTS = Fonts(fonts.needed(LETTERS))


def place(cues: list[Cue], rtl: bool = False) -> list[placing.Placed]:
    setter = lettering.Setter(FONTS, LOOKS, 540.0, rtl)
    groups = placing.place(setter, cues, [(54, 134, 445, 310), ROOM], large=False)
    return [item for group in groups for item in group.placed]


def test_texts_of_one_time_never_touch() -> None:
    """Hook, caption and offer at once stand below one another, in this order."""
    cues = [Cue("cta", "Shop now", 0, 5), Cue("caption", "Twice glazed", 0, 5), Cue("hook", "Slow mornings", 0, 5)]
    found = place(cues)
    assert [item.cue.kind for item in found] == ["hook", "caption", "cta"]
    assert found[0].rect.y1 < found[1].rect.y0
    assert found[1].rect.y1 < found[2].rect.y0


def test_texts_one_after_the_other_share_a_place() -> None:
    """The second stands where the first stood."""
    first, second = place([Cue("caption", "one", 0, 2), Cue("caption", "two", 2, 4)])
    assert (first.x, first.y) == (second.x, second.y)


def test_a_button_stands_beside_the_price_where_there_is_room() -> None:
    """In a row, middles level; on the other side where the clip runs from right to left."""
    cues = [Cue("price", "€9", 0, 5), Cue("cta", "Buy", 0, 5)]
    price, button = place(cues)
    assert button.rect.x0 > price.rect.x1
    assert abs(button.rect.y0 + button.rect.y1 - price.rect.y0 - price.rect.y1) < 1
    price, button = place(cues, rtl=True)
    assert button.rect.x1 < price.rect.x0
    assert price.rect.x1 == ROOM[2]


def test_a_button_is_never_made_small_to_stand_in_a_row() -> None:
    """It stands under the price, in its full size, where the row has too little room for it."""
    price, button = place([Cue("price", "€49", 0, 5), Cue("cta", "Find your size now", 0, 5)])
    assert button.rect.y0 > price.rect.y1
    assert button.element.size == pytest.approx(LOOKS["cta"].size * 540, rel=0.01)


def test_a_headline_takes_the_room_that_is_left() -> None:
    """On a card its letters grow where the words under it, which need the width, can't; all stays in the room."""
    cues = [Cue("headline", "Sweet week", 0, 5), Cue("caption", "Everything sugar, 20% off until the end of the week", 0, 5),
            Cue("price", "−20%", 3, 5), Cue("cta", "Code SWEET20", 3, 5)]  # fmt: skip
    setter = lettering.Setter(FONTS, LOOKS, 540.0)
    room = (54, 139, 374, 419)
    (group,) = placing.place(setter, cues, [room], large=True)
    sizes = {item.cue.kind: item.element.size / (LOOKS[item.cue.kind].size * 540) for item in group.placed}
    assert sizes["headline"] > 1.08 * sizes["cta"]
    assert all(item.rect.inside(placing.Rect(*room), 1.0) for item in group.placed)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["hook", "caption", "offer", "cta"]), st.text(LETTERS, min_size=1, max_size=90),
                       st.integers(0, 3), st.integers(1, 3)), min_size=1, max_size=5)
)  # fmt: skip
def test_whatever_is_placed_lies_in_the_room_and_apart(rows: list[tuple[str, str, int, int]]) -> None:
    """Any texts at any times: inside the safe box, none on another, or an error."""
    cues = [Cue(kind, text.strip() or "x", at, at + lasts) for kind, text, at, lasts in rows]
    try:
        found = place(cues)
    except MediaError:
        return
    room = placing.Rect(*ROOM)
    for number, item in enumerate(found):
        assert item.rect.inside(room, 1.0)
        for other in found[number + 1 :]:
            assert not (item.cue.meets(other.cue) and item.rect.grown(-0.5).overlaps(other.rect.grown(-0.5)))


def test_too_much_at_once_is_an_error_that_says_so() -> None:
    """Rather than unreadable."""
    with pytest.raises(MediaError) as caught:
        place([Cue("caption", "word " * 120, 0, 5) for _ in range(4)])
    assert "shorten it" in caught.value.hint
