"""What Unicode says of a text."""

import pytest

from clipbuild.errors import MediaError
from clipbuild.media import script


@pytest.mark.parametrize(
    ("text", "named"),
    [("a\x00b", "U+0000"), ("a\ud800", "U+D800"), ("abc\u202edef", "U+202E"), ("\x1b[31m", "U+001B"), ("\ue000", "U+E000")],
)
def test_what_cannot_be_drawn_as_written_is_named(text: str, named: str) -> None:
    """Controls, lone surrogates, overrides of direction and private characters are refused by their number."""
    with pytest.raises(MediaError, match=f"U\\+{named[2:]}"):
        script.clean(text)


@pytest.mark.parametrize("text", ["", "   ", "\n\n", "\u200b"])
def test_an_empty_text_is_refused(text: str) -> None:
    """Nothing that would leave ink."""
    with pytest.raises(MediaError, match="empty"):
        script.clean(text)


def test_line_ends_and_letters_become_one_form() -> None:
    """CRLF, tabs and decomposed letters; nothing else changes."""
    assert script.clean("a\r\nb\tc e\u0301") == "a\nb c \u00e9"


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("ab", ["a", "b"]), ("e\u0301a", ["e\u0301", "a"]), ("👨\u200d👩\u200d👧!", ["👨\u200d👩\u200d👧", "!"]),
        ("👍🏽👍", ["👍🏽", "👍"]), ("🇩🇪🇫🇷", ["🇩🇪", "🇫🇷"]), ("❤\ufe0fa", ["❤\ufe0f", "a"]), ("क्ष", ["क्ष"]), ("เก็", ["เก็"]),
    ],
)  # fmt: skip
def test_what_belongs_together_stays_together(text: str, pieces: list[str]) -> None:
    """Marks, joined emoji, skin tones, flags, conjuncts and Thai vowels."""
    assert list(script.clusters(text)) == pieces


@pytest.mark.parametrize(("text", "rtl"), [("שלום", True), ("50% הנחה", True), ("Ember שלום", False), ("123", False)])
def test_the_first_strong_letter_gives_the_direction(text: str, rtl: bool) -> None:
    """Digits and signs do not."""
    assert script.is_rtl(text) is rtl


def test_wide_scripts_are_read_slower() -> None:
    """Eight kanji take a second, seventeen letters do."""
    assert script.reading_seconds("新品上市限时优惠") == pytest.approx(1.0)
    assert script.reading_seconds("a" * 17) == pytest.approx(1.0)
