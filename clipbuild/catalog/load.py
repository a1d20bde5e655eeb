"""YAML read strictly: text, numbers, true and false, null, lists, maps; nothing retyped, nothing doubled, nothing run.

Limits hold before anything is built, and every fault is found with line and column. Knows nothing of what the keys
mean.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import yaml
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from clipbuild.catalog import parsers, places
from clipbuild.catalog.places import Path, Spot
from clipbuild.catalog.yamlwords import yaml_problem
from clipbuild.errors import CatalogError, Problem, shown

MAX_BYTES = 8 << 20
MAX_DEPTH = 64
MAX_NODES = 1_000_000
MAX_PROBLEMS = 200
MAX_ANCHORS = 10_000

WORDS = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
"""YAML 1.2's words that are not text. `yes`, `no`, `on` and `off` are."""

_NUMBER = re.compile(r"(?!-0(?:\.0+)?\Z)-?(?:0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?\Z")
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_CONFLICT = re.compile(r"^(?:<{7}|={7}|>{7})(?=\s|\Z)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Document:
    """A file's content as plain data, and where each entry of its top-level list `items` begins."""

    value: Any
    items: tuple[Spot, ...] = ()


def plain(file: str, data: bytes) -> Any:
    """The content as plain data; whatever looks like a number is one. Raises CatalogError with every fault."""
    return read(file, data).value


def read(file: str, data: bytes, numbers: Collection[str] | None = None, items: str = "") -> Document:
    """Read one file. Raises CatalogError with every fault.

    `numbers`: the keys below which a number is wanted; elsewhere `1.10` stays the text that was written (None: all).
    """
    text = decode(file, data)
    return build(file, text, numbers, items)


def decode(file: str, data: bytes) -> str:
    """The file's text. Raises CatalogError when it is too large, not UTF-8, or not text at all."""
    if len(data) > MAX_BYTES:
        hint = "split it: `catalog:` in clipbuild.yaml takes several files"
        raise _refused(file, 0, 0, f"{len(data)} bytes; a file may have {MAX_BYTES}", hint)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = _spot(data[: error.start].decode("utf-8", "replace"))
        raise _refused(file, line, column, "not UTF-8", "save the file as UTF-8") from None
    if match := _UNPRINTABLE.search(text):
        what = f"a character that text can't hold: {shown(match[0])}"
        raise _refused(file, *_spot(text[: match.start()]), what, "remove it")
    if match := _CONFLICT.search(text):
        what = "a merge conflict that is not settled"
        raise _refused(file, *_spot(text[: match.start()]), what, "choose a side and remove the markers")
    return text


def build(file: str, text: str, numbers: Collection[str] | None = None, items: str = "") -> Document:
    """Plain data from decoded text. Raises CatalogError with every fault."""
    builder = _Builder(file, numbers, items, text)
    try:
        value = builder.run(parsers.parser(text).get_event)
    except yaml.YAMLError as error:
        builder.problems.append(yaml_problem(file, text, error))
    if not builder.problems:
        hint = "put the text in quotes"
        lost = (_spot(text[:at]) for at in places.swallowed(text))
        builder.problems += [Problem(file, *spot, "a # that makes the rest of the line a comment", (), hint) for spot in lost]
    if builder.problems or builder.doubled:
        raise CatalogError(_with_first_places(text, builder))
    return Document(value, tuple(builder.items))


class _Frame:
    """An open list or map while it is filled."""

    __slots__ = ("anchor", "began", "folded", "key", "numeric", "value")

    def __init__(self, value: Any, numeric: bool, anchor: str | None, began: int) -> None:
        self.value, self.numeric, self.anchor, self.began = value, numeric, anchor, began
        self.key: str | None = None
        self.folded: set[str] | None = None


class _Builder:
    """Events to plain data, with every fault noted."""

    def __init__(self, file: str, numbers: Collection[str] | None, items: str, text: str = "") -> None:
        self.file, self.numbers, self.wanted_items = file, numbers, items
        self.text, self.asks = text, "?" in text
        self.problems: list[Problem] = []
        self.doubled: list[tuple[Path, Problem]] = []
        self.items: list[Spot] = []
        self.stack: list[_Frame] = []
        self.anchors: dict[str, tuple[Any, int] | None] = {}
        self.nodes = 0
        self.result: Any = None

    def run(self, get: Callable[[], Any]) -> Any:
        documents = 0
        while True:
            event = get()
            kind = type(event)
            if kind is ScalarEvent:
                self._scalar(event)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                self._open(event, {} if kind is MappingStartEvent else [])
            elif kind is AliasEvent:
                self._alias(event)
            elif kind is DocumentStartEvent:
                documents += 1
                self._document(event, documents)
            elif kind is StreamEndEvent:
                break
            elif kind is not DocumentEndEvent and kind is not StreamStartEvent:
                self._close()
        if not documents:
            self._stop(0, 0, "the file is empty", "remove it, or write what belongs there")
        return self.result

    def _document(self, event: Any, count: int) -> None:
        mark = event.start_mark
        if count > 1:
            self._stop(mark.line + 1, mark.column + 1, "a second document", "one file holds one document: split it at ---")
        if event.tags:
            self._fault(event, "a tag directive", "remove the %TAG line: tags are not read")

    def _scalar(self, event: Any) -> None:
        frame = self.stack[-1] if self.stack else None
        if frame is not None and type(frame.value) is dict and frame.key is None:
            self._key(event, frame)
            return
        self.nodes += 1
        text = event.value
        if event.tag is not None:
            self._tagged(event)
        if event.style:
            if event.style == '"' and (match := _CONTROL.search(text)):
                self._fault(event, f"text with the character {shown(match[0])}", "remove it")
            value = text
        elif text in WORDS:
            value = WORDS[text]
        elif (frame is None or self._numeric(frame)) and (match := _NUMBER.match(text)):
            value = float(text) if match[1] else int(text)
        else:
            value = text
        self._put(frame, event, value)
        if event.anchor:
            self._name(event, event.anchor)
            self.anchors[event.anchor] = (value, 1)

    def _numeric(self, frame: _Frame) -> bool:
        return frame.numeric or self.numbers is None or frame.key in self.numbers

    def _key(self, event: Any, frame: _Frame) -> None:
        key: str = event.value
        if self.asks and not event.style and self.text[event.start_mark.index - 1 : event.start_mark.index] == "?":
            self._fault(event, "text that begins with '?'", "put the text in quotes")
        if event.tag is not None:
            self._tagged(event)
        if event.anchor:
            self._name(event, event.anchor)
            self.anchors[event.anchor] = (key, 1)
        if not event.style:
            if key == "<<":
                hint = "`defaults:` of the file or the project is shared by all products"
                self._fault(event, "merge keys (<<) are not read", hint)
            elif key in ("", "~", "null"):
                self._fault(event, "a value without a key", "write `key: value`")
        elif event.style == '"' and (match := _CONTROL.search(key)):
            self._fault(event, f"a key with the character {shown(match[0])}", "remove it")
        self._check_double(event, frame, key)
        frame.key = key

    def _check_double(self, event: Any, frame: _Frame, key: str) -> None:
        if frame.folded is None and key.isascii():
            if key in frame.value:
                self._double(event, frame, key)
            return
        if frame.folded is None:
            frame.folded = {unicodedata.normalize("NFKC", known) for known in frame.value}
        folded = unicodedata.normalize("NFKC", key)
        if folded in frame.folded:
            self._double(event, frame, next(k for k in frame.value if unicodedata.normalize("NFKC", k) == folded))
        frame.folded.add(folded)

    def _double(self, event: Any, frame: _Frame, first: str) -> None:
        path = tuple(len(f.value) if type(f.value) is list else f.key for f in self.stack[:-1])
        mark = event.start_mark
        problem = Problem(self.file, mark.line + 1, mark.column + 1, f"{shown(first, 60)!r} is written twice")
        self.doubled.append(((*path, first), problem))  # type: ignore[arg-type]
        self._room()

    def _open(self, event: Any, value: Any) -> None:
        frame = self.stack[-1] if self.stack else None
        mark = event.start_mark
        if frame is not None and type(frame.value) is dict and frame.key is None:
            self._stop(mark.line + 1, mark.column + 1, "a list or map as a key", "keys are text")
        if event.tag is not None:
            self._tagged(event)
        if len(self.stack) >= MAX_DEPTH:
            self._stop(mark.line + 1, mark.column + 1, f"nested more than {MAX_DEPTH} levels deep", "flatten it")
        if frame is not None and len(self.stack) == 2 and type(frame.value) is list and self.stack[0].key == self.wanted_items:
            self.items.append((mark.line + 1, mark.column + 1))
        if event.anchor:
            self._name(event, event.anchor)
            self.anchors[event.anchor] = None
        numeric = frame is not None and self.numbers is not None and self._numeric(frame)
        self.stack.append(_Frame(value, numeric, event.anchor, self.nodes))
        self.nodes += 1

    def _close(self) -> None:
        frame = self.stack.pop()
        if frame.anchor:
            self.anchors[frame.anchor] = (frame.value, self.nodes - frame.began)
        self._put(self.stack[-1] if self.stack else None, None, frame.value)

    def _alias(self, event: Any) -> None:
        frame = self.stack[-1] if self.stack else None
        name = event.anchor
        known = self.anchors.get(name)
        mark = event.start_mark
        if known is None:
            what = f"*{shown(name, 60)} " + ("contains itself" if name in self.anchors else "is not defined")
            self._stop(mark.line + 1, mark.column + 1, what, "if it is text, put it in quotes")
        if frame is not None and type(frame.value) is dict and frame.key is None:
            self._stop(mark.line + 1, mark.column + 1, "an alias as a key", "keys are text")
        self.nodes += known[1]
        if self.nodes > MAX_NODES:
            self._stop(mark.line + 1, mark.column + 1, f"aliases make more than {MAX_NODES} values", "use `defaults:`")
        self._put(frame, event, known[0])

    def _put(self, frame: _Frame | None, event: Any, value: Any) -> None:
        if frame is None:
            self.result = value
        elif type(frame.value) is dict:
            frame.value.setdefault(frame.key, value)
            frame.key = None
        else:
            if event is not None and len(self.stack) == 2 and self.stack[0].key == self.wanted_items:
                self.items.append((event.start_mark.line + 1, event.start_mark.column + 1))
            frame.value.append(value)

    def _name(self, event: Any, name: str) -> None:
        if event.__class__ is ScalarEvent and not event.style and event.value.startswith(":"):
            self._fault(event, f"the anchor &{shown(name, 60)} with a colon", "name it with letters and digits")
        if len(self.anchors) >= MAX_ANCHORS:
            mark = event.start_mark
            self._stop(mark.line + 1, mark.column + 1, f"more than {MAX_ANCHORS:,} anchors", "use `defaults:`")
        if name in self.anchors:
            self._fault(event, f"the anchor &{shown(name, 60)} is defined twice", "rename one")

    def _tagged(self, event: Any) -> None:
        tag = event.tag.replace("tag:yaml.org,2002:", "!!")
        hint = "if it is text, put it in quotes; only text, numbers, true, false, lists and maps are read"
        self._fault(event, f"the tag {shown(tag, 60)} is not read", hint)

    def _fault(self, event: Any, what: str, hint: str) -> None:
        mark = event.start_mark
        self.problems.append(Problem(self.file, mark.line + 1, mark.column + 1, what, (), hint))
        self._room()

    def _room(self) -> None:
        if len(self.problems) + len(self.doubled) >= MAX_PROBLEMS:
            self._stop(0, 0, f"more than {MAX_PROBLEMS} faults; the rest is not read", "")

    def _stop(self, line: int, column: int, what: str, hint: str) -> NoReturn:
        self.problems.append(Problem(self.file, line, column, what, (), hint))
        raise CatalogError([*self.problems, *(problem for _, problem in self.doubled)])


def _with_first_places(text: str, builder: _Builder) -> list[Problem]:
    return [*builder.problems, *second_places(text, builder.doubled)]


def second_places(text: str, doubled: Iterable[tuple[Path, Problem]]) -> list[Problem]:
    """Problems of doubled keys, with the place of the first one as a fact."""
    doubled = list(doubled)
    try:
        found: Mapping[Path, tuple[Spot, Spot]] = places.locate(text, [path for path, _ in doubled]) if doubled else {}
    except yaml.YAMLError:
        found = {}
    out = []
    for path, problem in doubled:
        line, column = found[path][0] if path in found else (0, 0)
        facts = (("first", f"{problem.file}:{line}:{column}"),) if line else ()
        out.append(Problem(problem.file, problem.line, problem.column, problem.what, facts, "keep one"))
    return out


def _refused(file: str, line: int, column: int, what: str, hint: str) -> CatalogError:
    return CatalogError([Problem(file, line, column, what, (), hint)])


def _spot(before: str) -> Spot:
    lines = before.count("\n") + 1
    return lines, len(before) - (before.rfind("\n") + 1) + 1
