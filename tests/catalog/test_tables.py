"""Strict tables: every fault with its line, every value as written."""

import json
import pathlib

import pytest

from clipbuild.catalog import feeds, tables
from clipbuild.errors import CatalogError

HOSTILE = pathlib.Path(__file__).parent.parent / "hostile" / "data" / "csv" / "cases.jsonl"
CASES = [json.loads(line) for line in HOSTILE.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_hostile_tables(case: dict[str, str]) -> None:
    """Accepted as written, or refused with a reason; never a traceback."""
    try:
        feed = feeds.read("x.csv", case["text"].encode())
        accepted = not feed.problems
    except CatalogError as error:
        accepted = False
        assert str(error).startswith("x.csv")
    if case["id"] == "semi":  # a semicolon table is a table: its delimiter is found
        assert accepted
    elif case["expect"] in ("accept", "reject"):
        assert accepted == (case["expect"] == "accept"), case["why"]


def test_latin_1_is_refused_not_garbled() -> None:
    """With the line and how to convert."""
    with pytest.raises(CatalogError, match="x.csv:2:1: not UTF-8"):
        tables.read("x.csv", "id,name\nA,café\n".encode("latin-1"))


def test_the_unicode_text_of_a_spreadsheet_is_read() -> None:
    """UTF-16 with its mark, of either byte order."""
    for encoding in ("utf-16-le", "utf-16-be"):
        table = tables.read("x.csv", "\ufeffid\tname\r\nA\tcafé\r\n".encode(encoding))
        assert table.rows[0].cells == {"id": "A", "name": "café"}
    with pytest.raises(CatalogError, match="not UTF-8"):
        tables.read("x.csv", b"\xff\xfei\x00d\x00\n")


def test_rows_of_the_wrong_width_are_named_and_the_rest_is_read() -> None:
    """Line numbers count line breaks inside quoted cells."""
    table = tables.read("x.csv", b'id,name\nA,"two\nlines"\nB\nC,c\n')
    assert [row.cells["id"] for row in table.rows] == ["A", "C"]
    assert [problem.line for problem in table.problems] == [4]


@pytest.mark.parametrize("value", ["0001", "1e3", "=1+1", "NO", "12:30", "1.10"])
def test_values_stay_as_written(value: str) -> None:
    """No number, date or truth is made of a cell."""
    assert tables.read("x", f"id\n{value}\n".encode()).rows[0].cells["id"] == value
