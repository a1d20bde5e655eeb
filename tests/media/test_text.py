"""Text shaped, ordered, fitted and inked."""

import numpy as np
import pytest

from clipbuild.errors import MediaError
from clipbuild.media import fonts, ink
from clipbuild.media.text import Fonts, Style

STYLE = Style()


def known(text: str) -> Fonts:
    return Fonts(fonts.needed(text))


def test_a_width_is_that_of_its_letters() -> None:
    """More letters are wider; kerning pairs are closer than their letters apart."""
    set_in = known("AVAH")
    assert set_in.width("HHHH", STYLE) == pytest.approx(2 * set_in.width("HH", STYLE), rel=0.01)
    assert set_in.width("AV", STYLE) < set_in.width("A", STYLE) + set_in.width("V", STYLE) - 0.02


def test_weights_differ() -> None:
    """A heavier weight of the same font is wider."""
    set_in = known("Weight")
    assert set_in.width("Weight", Style(weight=900)) > set_in.width("Weight", Style(weight=400)) + 0.1


def test_arabic_is_joined_and_runs_from_right_to_left() -> None:
    """Its first letter is the rightmost glyph, and joined letters are other glyphs than lone ones."""
    set_in = known("سلام")
    line = set_in.line("سلام", STYLE, rtl=True)
    assert line.glyphs[-1].cluster == 0
    alone = {set_in.line(letter, STYLE, rtl=True).glyphs[0].index for letter in "سلام"}
    assert not {glyph.index for glyph in line.glyphs} <= alone


def test_digits_in_hebrew_keep_their_order() -> None:
    """50% stands as 50% at the right end of a line that begins with it."""
    line = known("50% הנחה").line("50% הנחה", STYLE, rtl=True)
    places = {glyph.cluster: glyph.x for glyph in line.glyphs}
    assert places[0] < places[1]
    assert min(places[0], places[1], places[2]) > max(x for char, x in places.items() if char > 3)


def test_a_missing_glyph_is_an_error_that_names_the_character() -> None:
    """Never an empty box."""
    with pytest.raises(MediaError, match="U\\+65B0"):
        known("abc").line("新", STYLE)


def test_text_is_fitted_by_measured_width() -> None:
    """Inside its box at every size tried; smaller only where it must; too much is an error."""
    set_in = known("Hand-thrown stoneware, glazed twice")
    for width in (200, 320, 500, 900):
        block = set_in.fit("Hand-thrown stoneware, glazed twice", STYLE, 60, 20, width, 400, 3, "left")
        assert block.width <= width + 0.5
        assert 20 <= block.size <= 60
    assert set_in.fit("Hand-thrown", STYLE, 60, 20, 900, 400, 3, "left").size == 60
    with pytest.raises(MediaError, match="too long for its place"):
        set_in.fit("Hand-thrown stoneware", STYLE, 60, 50, 100, 60, 1, "left")


def test_a_line_is_saved_where_a_little_smaller_is_enough() -> None:
    """Two lines at nine tenths look better than three."""
    set_in = known("Slow mornings, poured right")
    wide = set_in.width("Slow mornings,", STYLE) * 100
    block = set_in.fit("Slow mornings, poured right", STYLE, 106, 40, wide, 900, 3, "left")
    assert [line.text for line in block.lines] == ["Slow mornings,", "poured right"]


@pytest.mark.parametrize("text", ["Ág", "مرحبا", "नमस्ते", "สวัสดี", "新品", "🔥 sale", "ŞÇĞ"])
def test_ink_lies_inside_its_block(text: str) -> None:
    """Nothing is cut off, and the block's box holds it but for a little overhang."""
    block = known(text).fit(text, STYLE, 60, 60, 900, 900, 1, "left")
    found = ink.rasterise(block)
    seen = found.mask if found.colour is None else np.maximum(found.mask, found.colour[..., 3])
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    assert rows[0] > 0
    assert rows[-1] < seen.shape[0] - 1
    assert rows[0] + found.y >= -0.15 * block.size
    assert rows[-1] + found.y <= block.height + 0.12 * block.size
    assert columns[0] + found.x >= -0.12 * block.size
    assert columns[-1] + found.x <= block.width + 0.12 * block.size


def test_emoji_are_in_colour() -> None:
    """The sign has colours of its own, the letters beside it take the text's."""
    block = known("🔥 sale").fit("🔥 sale", STYLE, 60, 60, 900, 900, 1, "left")
    found = ink.rasterise(block)
    assert found.colour is not None
    assert found.colour[..., 0].max() > found.colour[..., 2].max()
    assert found.mask.max() == 255


def test_the_same_text_has_the_same_ink() -> None:
    """Byte for byte, from fonts opened anew."""
    blocks = [known("Same").fit("Same", STYLE, 61.5, 40, 900, 900, 1, "left") for _ in range(2)]
    first, second = (ink.rasterise(block).mask for block in blocks)
    assert first.tobytes() == second.tobytes()
