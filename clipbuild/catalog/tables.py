"""Strict tables: CSV and TSV with every fault named by row and column, values kept as text exactly as written.

Knows nothing of shops. A table is refused as a whole only where its form is broken; bad rows are the reader's matter.
"""

import codecs
import csv
import io
from dataclasses import dataclass
from typing import NoReturn

from clipbuild.errors import CatalogError, Problem, shown

MAX_BYTES = 64 << 20
DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon"}


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its line in the file and its cells by column name."""

    line: int
    cells: dict[str, str]

    def get(self, *names: str) -> str:
        """The first cell of these columns that is not empty, trimmed."""
        for name in names:
            if value := self.cells.get(name, "").strip():
                return value
        return ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table's columns in file order, its rows, and the rows that could not be read."""

    file: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    problems: tuple[Problem, ...]


def read(file: str, data: bytes, delimiter: str = "") -> Table:
    """Parse a CSV or TSV file. `delimiter` "" finds it out from the first line.

    Raises CatalogError when the file as a whole can't be a table: not UTF-8, empty, no header, an open quote.
    """
    text = _decode(file, data)
    delimiter = delimiter or _delimiter(text)
    records = _records(file, text, delimiter)
    if not records:
        _refuse(file, 0, "the table is empty", "the first line names the columns")
    columns = _header(file, *records[0])
    rows, problems = [], []
    for line, cells in records[1:]:
        if len(cells) != len(columns):
            many = "more" if len(cells) > len(columns) else "fewer"
            what = f"{len(cells)} cells, {many} than the {len(columns)} columns"
            problems.append(Problem(file, line, 1, what, (), "quote cells that hold the delimiter"))
            continue
        rows.append(Row(line, dict(zip(columns, cells, strict=True))))
    if not rows and not problems:
        _refuse(file, 0, "the table has a header and no rows", "")
    return Table(file, columns, tuple(rows), tuple(problems))


def _decode(file: str, data: bytes) -> str:
    if len(data) > MAX_BYTES:
        _refuse(file, 0, f"{len(data)} bytes, more than {MAX_BYTES}", "split the export")
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))  # what spreadsheets call Unicode text
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        hint = f'in a spreadsheet, save as "CSV UTF-8"; elsewhere `iconv -f cp1252 -t utf-8 {shown(file, 60)} > new.csv`'
        _refuse(file, line, "not UTF-8", hint)
    if "\0" in text:
        _refuse(file, text[: text.index("\0")].count("\n") + 1, "a NUL character", "export the file again")
    return text


def _delimiter(text: str) -> str:
    first = text.split("\n", 1)[0]
    return max(DELIMITERS, key=lambda d: (first.count(d), d == ","))


def _records(file: str, text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    records = []
    began = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                records.append((began, cells))
            began = reader.line_num + 1
    except csv.Error as error:
        _refuse(file, began, f"can't be read as a table: {error}", "look for a quote that is not closed")
    return records


def _header(file: str, line: int, cells: list[str]) -> tuple[str, ...]:
    columns = tuple(cell.strip() for cell in cells)
    if len(columns) == 1 and any(d in columns[0] for d in DELIMITERS):
        _refuse(file, line, f"one column only: {shown(columns[0], 60)!r}", "is the delimiter right?")
    for number, name in enumerate(columns):
        if not name:
            _refuse(file, line, f"column {number + 1} has no name", "")
        if name in columns[:number]:
            _refuse(file, line, f"two columns are named {shown(name, 60)!r}", "rename one")
    return columns


def _refuse(file: str, line: int, what: str, hint: str) -> NoReturn:
    raise CatalogError([Problem(file, line, 1 if line else 0, what, (), hint)])
