"""A number with its noun."""

import pathlib
import re

import pytest

import clipbuild
from clipbuild.plural import counted


@pytest.mark.parametrize(
    ("number", "noun", "expected"),
    [(0, "file", "0 files"), (1, "file", "1 file"), (2, "file", "2 files"), (30000, "clip", "30,000 clips"),
     (1, "entry", "1 entry"), (3, "entry", "3 entries"), (2, "day", "2 days")],
)  # fmt: skip
def test_counted(number: int, noun: str, expected: str) -> None:
    """One is singular, nothing and many are plural, thousands are parted."""
    assert counted(number, noun) == expected


def test_nobody_counts_by_hand_on_the_command_line() -> None:
    """No message says "1 files": a counted length goes through `counted`."""
    by_hand = re.compile(r"\{(?:len\([^{}]*\)|moved\.\w+|blobs|count\[\d\]|report\.up_to_date)\} [a-z]+s\b")
    for path in (pathlib.Path(clipbuild.__file__).parent / "cli").glob("*.py"):
        assert not by_hand.findall(path.read_text(encoding="utf-8")), path.name
