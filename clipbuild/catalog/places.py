"""Where values are written: looked up afterwards, for files that have something to say.

Walks a text's events; knows nothing of what the keys mean.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from clipbuild.catalog import parsers

Path = tuple[str | int, ...]
Spot = tuple[int, int]
_NODES = (AliasEvent, MappingStartEvent, ScalarEvent, SequenceStartEvent)
_LOST = re.compile(r"[,\[{]#")
_HASHTAGS = re.compile(r"(?<=\S)[ \t]+(#[^\W\d_]\w*(?:[ \t]+#\w+)*)[ \t]*$", re.MULTILINE)
_COMMENT = re.compile(r"(?:^|\s)#", re.MULTILINE)


def locate(text: str, paths: Iterable[Path]) -> dict[Path, tuple[Spot, Spot]]:
    """Where each path's key and value are written, 1-based. What is not in the text is not in the answer."""
    wanted = {path[:n] for path in paths for n in range(len(path) + 1)}
    found: dict[Path, tuple[Spot, Spot]] = {}
    for path, key, value in _walk(parsers.parser(text).get_event, wanted):
        found.setdefault(path, (key, value))
    return found


def swallowed(text: str) -> list[int]:
    """Where a value is taken for a comment, as in `[a,#b]`: a parser drops it without a word."""
    hits = [match.end() - 1 for match in _LOST.finditer(text)]
    hits = [at for at in hits if not _COMMENT.search(text, text.rfind("\n", 0, at) + 1, at)]
    scalars = list(spans(text)) if hits else []
    return [at for at in hits if not any(begin <= at < end for begin, end in scalars)]


def hashtags(text: str) -> list[int]:
    """Where hashtags behind a text are a comment, as in `hook: Big sale #summer`: few write comments like that."""
    hits = list(_HASHTAGS.finditer(text))
    ends = {end for begin, end in spans(text) if text[begin] not in "'\"|>"} if hits else set()
    return [hit.start(1) for hit in hits if hit.start() in ends]


def spans(text: str) -> Iterator[tuple[int, int]]:
    """Where each scalar begins and ends, as indexes of the text."""
    get: Callable[[], Any] = parsers.parser(text).get_event
    while type(event := get()) is not StreamEndEvent:
        if type(event) is ScalarEvent:
            start: Any = event.start_mark
            end: Any = event.end_mark
            yield start.index, end.index


def extent(text: str, key: str) -> tuple[int, int, int, bool]:
    """Of the value of a key of the outermost map: where it begins, where its last entry ends (-1: it has none), where it
    ends itself, as indexes of the text, and whether it is a list in brackets. All 0 where the key is not there."""
    get: Callable[[], Any] = parsers.parser(text).get_event
    depth, nodes = 0, 0
    begin, last, flow, inside = 0, -1, False, False
    while type(event := get()) is not StreamEndEvent:
        kind = type(event)
        closes = kind is MappingEndEvent or kind is SequenceEndEvent
        if inside and closes and depth == 2:
            return begin, last, event.end_mark.index if flow else event.start_mark.index, flow
        depth -= closes
        if depth == 1 and kind in _NODES:  # a key, a value, a key ...
            if inside and kind in (ScalarEvent, AliasEvent):
                return event.start_mark.index, -1, event.end_mark.index, False
            if inside:
                begin, flow = event.start_mark.index, bool(event.flow_style)
            else:
                inside = nodes % 2 == 0 and kind is ScalarEvent and event.value == key
            nodes += 1
        elif inside and depth == 2 and (closes or kind is ScalarEvent):
            last = event.end_mark.index
        depth += kind is MappingStartEvent or kind is SequenceStartEvent
    return 0, -1, 0, False


def _walk(get: Callable[[], Any], wanted: Collection[Path]) -> Iterator[tuple[Path, Spot, Spot]]:
    """(path, place of key, place of value) of every wanted node, in file order."""
    stack: list[list[Any]] = []  # [path, next index or None for a map, key, key's place]
    while True:
        event = get()
        kind = type(event)
        if kind is StreamEndEvent:
            return
        if kind is StreamStartEvent or kind is DocumentStartEvent or kind is DocumentEndEvent:
            continue
        if kind not in (ScalarEvent, AliasEvent, MappingStartEvent, SequenceStartEvent):
            stack.pop()
            continue
        spot = (event.start_mark.line + 1, event.start_mark.column + 1)
        path, key_spot = _step(stack, event, kind, spot)
        if path is None:
            continue
        if path in wanted:
            yield path, key_spot, spot
        if kind is MappingStartEvent or kind is SequenceStartEvent:
            stack.append([path, 0 if kind is SequenceStartEvent else None, None, spot])


def _step(stack: list[list[Any]], event: Any, kind: type, spot: Spot) -> tuple[Path | None, Spot]:
    """The path of the node that begins here and its key's place; None for a key itself."""
    if not stack:
        return (), spot
    top = stack[-1]
    if top[1] is None and top[2] is None and kind in (ScalarEvent, AliasEvent):
        top[2], top[3] = (event.value if kind is ScalarEvent else ""), spot
        return None, spot
    if top[1] is None:
        path, key_spot, top[2] = (*top[0], top[2]), top[3], None
        return path, key_spot
    top[1] += 1
    return (*top[0], top[1] - 1), spot
