"""A large catalog file cut at its products, so that an edit costs the parsing of what changed.

Only a text whose cut is beyond doubt is cut: a block list below `products:`, no anchors, no unusual line breaks. Whoever
parses a piece must still find exactly one product in it, and parse the whole file when something does not fit.
"""

import re
from dataclasses import dataclass

LEAST = 32
"""Products below which cutting a file is not worth its while."""

_HEAD = re.compile(r"^products:[ \t]*(?:#[^\n]*)?\r?\n", re.MULTILINE)
_FIRST = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\r?\n)*( *)-(?=[ \r\n])")
_ANCHOR = re.compile(r"(?<![^\s\[\]{},:?-])[&*][^\s]")
_BREAKS = ("\x85", "\u2028", "\u2029")
_MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class Cut:
    """The file without its products (an empty list in their place), and each product's text and first line."""

    frame: str
    pieces: tuple[str, ...]
    lines: tuple[int, ...]


def cut(text: str) -> Cut | None:
    """The text cut at its products, or None where that is not safe or not worth it."""
    head = _HEAD.search(text)
    if head is None or text.find("\nproducts", head.end() - 1) >= 0 or not _plain(text):
        return None
    first = _FIRST.match(text, head.end())
    if first is None or text.count(",") + text.count("\n") > _MOST:
        return None
    indent = first[1]
    end = _end(text, first.end(), len(indent))
    starts = [match.start() for match in re.compile(rf"^{indent}-(?=[ \r\n])", re.MULTILINE).finditer(text, head.end(), end)]
    if len(starts) < LEAST:
        return None
    pieces = tuple(text[begin:stop] for begin, stop in zip(starts, [*starts[1:], end], strict=True))
    line = text.count("\n", 0, starts[0]) + 1
    lines = []
    for piece in pieces:
        lines.append(line)
        line += piece.count("\n")
    return Cut(f"{text[: head.start()]}products: []\n{text[end:]}", pieces, tuple(lines))


def _plain(text: str) -> bool:
    """No anchors or aliases, and every line break is one for YAML and for us alike."""
    if any(mark in text for mark in _BREAKS) or text.count("\r") != text.count("\r\n"):
        return False
    return not (("&" in text or "*" in text) and _ANCHOR.search(text))


def _end(text: str, start: int, indent: int) -> int:
    """Where the list ends: at the first line that is indented less than it and is no comment."""
    less = rf"^ {{0,{indent - 1}}}[^\s#]" if indent else r"^(?:[^\s#-]|-(?![ \r\n]))"
    match = re.compile(less, re.MULTILINE).search(text, start)
    return match.start() if match else len(text)
