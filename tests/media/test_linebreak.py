"""Where lines break: measured in letters, one wide each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipbuild.media import linebreak


def broken(text: str, width: float, lines: int, level: int = linebreak.FREE) -> list[str] | None:
    return linebreak.break_lines(text, lambda piece: float(len(piece)), width, lines, level)


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("Holds the heat for an hour", 18, ["Holds the heat", "for an hour"]),
        ("Slow mornings, poured right", 20, ["Slow mornings,", "poured right"]),
        ("only € 19 now", 9, ["only", "€\u00a019 now"]),
        ("up to 500 ml each", 12, ["up to", "500\u00a0ml each"]),
        ("one\ntwo", 50, ["one", "two"]),
        ("今だけ、半額。", 4, ["今だけ、", "半額。"]),
        ("แก้วเซรามิกทำมือเก็บความร้อน", 18, ["แก้วเซรามิกทำ", "มือเก็บความร้อน"]),
        ("ab\u200bcd", 3, ["ab\u200b", "cd"]),
    ],
)
def test_lines_break_at_good_places(text: str, width: float, lines: list[str]) -> None:
    """Balanced, after punctuation, never between a number and its sign, by kinsoku, at syllables, at marked words."""
    assert broken(text, width, 4) == lines


def test_a_word_is_torn_only_where_that_is_allowed() -> None:
    """Wider than the line: nothing at first, pieces at last."""
    assert broken("extraordinary", 6, 3) is None
    assert "".join(broken("extraordinary", 6, 3, linebreak.TORN) or []) == "extraordinary"


def test_joined_letters_are_never_torn() -> None:
    """An Arabic word keeps its shape."""
    assert broken("المريحة", 3, 5, linebreak.TORN) is None


@given(st.text("ab cあ漢、ก็เ-,€5ア", max_size=40), st.integers(4, 20), st.integers(1, 4))
def test_breaking_loses_nothing(text: str, width: int, lines: int) -> None:
    """Every letter stays, in order; lines keep to the width and the number asked for."""
    found = broken(text, width, lines)
    if found is None:
        return
    assert "".join("".join(found).split()) == "".join(text.split())
    assert len(found) <= lines
    assert all(len(line) <= width for line in found)


@pytest.mark.parametrize(
    ("line", "words"),
    [("Keep it, hot", ["Keep", "it,", "hot"]), ("ビーニー帽子", ["ビーニー", "帽", "子"]), ("ทำมือเก็บ", ["ทำ", "มือ", "เก็บ"])],
)
def test_words_are_found_with_and_without_spaces(line: str, words: list[str]) -> None:
    """A katakana word is one; Thai falls into what is sure."""
    assert [line[a:b] for a, b in linebreak.words(line)] == words
