"""Subtitle files read: SubRip and WebVTT, as people and tools write them, into texts with their times.

Formatting is dropped, inline times of WebVTT are kept as the times of words. Every fault has its line. Formats:
https://www.w3.org/TR/webvtt1/ and SubRip as players read it. Knows nothing of clips.
"""

import html
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from clipbuild.errors import MediaError, shown
from clipbuild.media.timing import Word

SIZE_LIMIT, CUES_LIMIT = 2 << 20, 5000
_TIME = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_RANGE = re.compile(rf"^\s*{_TIME}\s*-->\s*{_TIME}(?:\s.*)?$")
_INLINE = re.compile(rf"<{_TIME}>")
_TAG = re.compile(r"</?(?:b|i|u|s|c|v|lang|ruby|rt|font)(?:[.\s][^<>]*)?>|\{\\[^{}]*\}", re.IGNORECASE)
_GUARDED = re.compile(r"(?<=[<{\\-])\u2060|(?<=\d)\u2060$", re.MULTILINE)
_SKIPPED = ("NOTE", "STYLE", "REGION")


@dataclass(frozen=True, slots=True)
class Said:
    """A text, its time in seconds, and the times of its words where the file has them."""

    text: str
    start: float
    end: float
    words: tuple[Word, ...] = ()


def read(data: bytes, name: str) -> list[Said]:
    """The texts of a subtitle file in order of time. Raises MediaError with the line of the first fault."""
    if len(data) > SIZE_LIMIT:
        raise MediaError(f"{shown(name)}: {len(data) >> 20} MB is too large for captions", [("limit", "2 MB")])
    found = []
    for line, block in _blocks(_decoded(data, name)):
        place = next((i for i, text in enumerate(block[:2]) if "-->" in text), None)
        if place is None:
            if (line == 1 and block[0].startswith("WEBVTT")) or block[0].split(" ")[0] in _SKIPPED:
                continue
            raise _fault(name, line, f"expected a time like 00:00:01,000 --> 00:00:02,500, found {shown(block[0], 40)!r}")
        found.append(_said(name, line + place, block[place], block[place + 1 :]))
        if len(found) > CUES_LIMIT:
            raise _fault(name, line, f"more than {CUES_LIMIT} captions")
    return sorted((said for said in found if said.text), key=lambda said: said.start)


def _decoded(data: bytes, name: str) -> list[str]:
    for mark, code in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"", "utf-8-sig")):
        if data.startswith(mark):
            try:
                return data.decode(code).replace("\r\n", "\n").replace("\r", "\n").split("\n")
            except UnicodeDecodeError as error:
                line = data[: error.start].count(b"\n") + 1
                raise _fault(name, line, f"not {code.removesuffix('-sig').upper()}", "save the file as UTF-8") from None
    raise AssertionError


def _blocks(lines: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Stretches without an empty line, with the number of their first line."""
    block: list[str] = []
    for number, line in enumerate([*lines, ""], 1):
        if line.strip():
            block.append(line.strip())
        elif block:
            yield number - len(block), block
            block = []


def _said(name: str, line: int, times: str, body: Sequence[str]) -> Said:
    match = _RANGE.match(times)
    if match is None:
        raise _fault(name, line, f"no time: {shown(times, 60)!r}", "write it like 00:00:01,000 --> 00:00:02,500")
    start, end = _seconds(match.groups()[:4]), _seconds(match.groups()[4:])
    if end <= start:
        raise _fault(name, line, "the caption ends before it starts")
    text, words = _words("\n".join(body), start, end)
    return Said(text, start, end, words)


def _words(body: str, start: float, end: float) -> tuple[str, tuple[Word, ...]]:
    """The plain text, and its words where times stand in it: each time is that of what follows it."""
    parts = _INLINE.split(body)
    text, marks = _plain(parts[0]), [(0, start)]
    for at in range(1, len(parts), 5):
        marks.append((len(text), _seconds(parts[at : at + 4])))
        text += _plain(parts[at + 4])
    marks.append((len(text), end))
    words = [
        _trimmed(text, first, last, begin, until)
        for (first, begin), (last, until) in itertools.pairwise(marks)
        if text[first:last].strip()
    ]
    kept = len(text) - len(text.lstrip())
    moved = tuple(Word(w.first - kept, w.last - kept, w.start, max(w.end, w.start)) for w in words)
    return text.strip(), moved if len(parts) > 1 else ()


def _trimmed(text: str, first: int, last: int, begin: float, until: float) -> Word:
    piece = text[first:last]
    return Word(first + len(piece) - len(piece.lstrip()), first + len(piece.rstrip()), begin, until)


def _plain(text: str) -> str:
    return _GUARDED.sub("", html.unescape(_TAG.sub("", text)))


def _seconds(parts: Sequence[str | None]) -> float:
    hours, minutes, seconds, rest = (part or "0" for part in parts)
    return ((int(hours) * 60 + int(minutes)) * 60_000 + int(seconds) * 1000 + int(rest.ljust(3, "0"))) / 1000


def _fault(name: str, line: int, what: str, hint: str = "") -> MediaError:
    return MediaError(f"{shown(name)}:{line}: {what}", hint=hint)
