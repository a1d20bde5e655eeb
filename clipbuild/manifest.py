"""The manifest of an output tree as bytes: one deliverable a line, sorted by path, looked up and spliced unparsed.

So one clip of many thousands is exchanged without reading the rest. Knows nothing of the files that it lists.
"""

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any

from clipbuild import digest

NAME = "manifest.json"
FORMAT = 1
_HEAD = f'{{"format": {FORMAT}, "deliverables": [\n'.encode()
_TAIL = b"\n]}\n"
_PATH = b'"path": "'

Row = Mapping[str, Any]


class Manifest:
    """The deliverables of one tree. Two manifests with the same rows have the same bytes."""

    __slots__ = ("_count", "body")

    def __init__(self, body: bytes = b"", count: int = -1) -> None:
        self.body = body
        """The lines, each with its comma and its end."""
        self._count = count

    @staticmethod
    def of(rows: Iterable[Row]) -> "Manifest":
        """The manifest of these rows."""
        return Manifest(b"".join(_line(row) for row in sorted(rows, key=lambda row: str(row["path"]))))

    @staticmethod
    def load(path: str) -> "Manifest":
        """The manifest at `path`; an empty one where there is none of this form. The last one is remembered while its
        file stays the same: a large one takes a while to read."""
        try:
            with open(path, "rb") as file:
                seal = _seal(path, file.fileno())
                if seal not in _last:
                    _last.clear()
                    _last[seal] = Manifest._parse(file.read())
                return _last[seal]
        except OSError:
            return Manifest()

    @staticmethod
    def _parse(data: bytes) -> "Manifest":
        if len(data) <= len(_HEAD) + len(_TAIL) or not data.startswith(_HEAD) or not data.endswith(_TAIL):
            return Manifest()
        return Manifest(b"".join((memoryview(data)[len(_HEAD) : -len(_TAIL)], b",\n")))

    def remember(self, path: str) -> None:
        """This very manifest was just written at `path`: it need not be read back."""
        with open(path, "rb") as file:
            _last.clear()
            _last[_seal(path, file.fileno())] = self

    def dump(self) -> bytes:
        """The bytes of the file."""
        return b"".join((_HEAD, memoryview(self.body)[:-2], _TAIL))

    def rows(self) -> dict[str, dict[str, Any]]:
        """Every row by its path; none when what is there can't be read."""
        try:
            return {str(row["path"]): row for row in json.loads(self.dump())["deliverables"]}
        except (ValueError, KeyError, TypeError, RecursionError):
            return {}

    def fingerprint(self) -> str:
        """By which it is told whether it is another."""
        return digest.fingerprint(self.body)

    def __len__(self) -> int:
        if self._count < 0:
            self._count = self.body.count(b"\n")
        return self._count

    def row(self, path: str) -> dict[str, Any] | None:
        """The row of one path, if it has one."""
        start, end = self._find(path)
        if start == end:
            return None
        found = json.loads(self.body[start : end - 2])
        return found if isinstance(found, dict) else None

    def exchanged(self, gone: Iterable[str], rows: Iterable[Row]) -> "Manifest":
        """This manifest without the paths `gone` and with these rows in the place of what it said of their paths."""
        lines = {str(row["path"]): _line(row) for row in rows}
        body, parts, done, count = memoryview(self.body), list[memoryview | bytes](), 0, len(self)
        for path in sorted({*gone, *lines}):
            start, end = self._find(path)
            parts += [body[done:start], lines.get(path, b"")]
            count += (path in lines) - (end > start)
            done = end
        return Manifest(b"".join([*parts, body[done:]]), count)

    def _find(self, path: str) -> tuple[int, int]:
        """Where the line of `path` begins and ends; twice the place where it would be put."""
        body = self.body
        low, high = 0, len(body)
        while low < high:
            middle = (low + high) // 2
            start = body.rfind(b"\n", low, middle) + 1 or low
            end = body.find(b"\n", middle, high) + 1 or high
            found = _path(body, start, end)
            if found == path:
                return start, end
            low, high = (end, high) if found < path else (low, start)
        return low, low


def _seal(path: str, fd: int) -> tuple[str, int, int, int, int]:
    facts = os.fstat(fd)
    return path, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns


_last: dict[tuple[str, int, int, int, int], Manifest] = {}


def _path(body: bytes, start: int, end: int) -> str:
    at = body.find(_PATH, start, end) + len(_PATH)
    stop = body.find(b'", "platform"', at, end)
    return str(json.loads(body[at - 1 : stop + 1]))


def _line(row: Row) -> bytes:
    return json.dumps(row, sort_keys=True, ensure_ascii=False).encode() + b",\n"
