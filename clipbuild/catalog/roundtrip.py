"""Catalog files changed by a program and still a person's: comments, order and spelling stay.

Scalars are kept as text, so that nothing is retyped on the way (`0123`, `1.10`, `NO`). Knows nothing of what keys mean.
"""

import io
import re
from collections.abc import Iterator
from typing import Any

from clipbuild.catalog import load, places
from clipbuild.errors import CatalogError, Problem, shown

_COMMENT = re.compile(r"^[ ]*#.*$")
_BETWEEN = re.compile(
    r"^([ ]*(?:- )?[^\s#:][^\n:]*:)[ \t\r]*\n((?:[ ]*#[^\n]*\n)+)(?=[ ]+(?![^\n]*:(?:\s|\Z))[^\s#-])", re.MULTILINE
)
_ANY_COMMENT = re.compile(r"(?:(?<=\s)|^)#.*$", re.MULTILINE)
BOM = b"\xef\xbb\xbf"
COLUMN = 4
"""Where a comment stands that had to move: left of any long text's lines."""


def parse(file: str, text: bytes) -> tuple[Any, Any]:
    """(ruamel's YAML, the tree) of a text; an empty tree for an empty text. Raises CatalogError."""
    from ruamel.yaml.comments import CommentedMap
    from ruamel.yaml.error import YAMLError

    yaml = _yaml()
    try:
        tree = yaml.load(text) if text.strip() else None
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        what = f"can't be read as YAML: {shown(getattr(error, 'problem', error), 120)}"
        raise CatalogError([Problem(file, line, column, what, (), "mend the file; nothing was changed")]) from None
    return yaml, CommentedMap() if tree is None else tree


def dumped(yaml: Any, tree: Any, before: bytes = b"") -> bytes:
    """The text of a tree; its line breaks are those of the text it was `before`."""
    out = io.BytesIO()
    yaml.dump(tree, out)
    return as_before(out.getvalue(), before)


def as_before(text: bytes, before: bytes) -> bytes:
    """The text with the line breaks and the byte order mark of another."""
    if b"\r\n" in before:
        text = text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return BOM + text if before.startswith(BOM) and not text.startswith(BOM) else text


def put(holder: Any, key: Any, value: Any) -> None:
    """Another value at `key`, or one more at the end; comments in and behind the old one, or the end, stay behind it."""
    from ruamel.yaml.scalarstring import LiteralScalarString

    old = holder.get(key)
    if all(isinstance(one, str) and not isinstance(one, LiteralScalarString) for one in (old, value)):
        holder[key] = value
        return
    said = _taken(holder, key) if key in holder else _behind(holder)
    holder[key] = value
    _follow(holder, key, said)


def drop(holder: Any, key: Any) -> None:
    """The key and its value go; comments in and behind it stay behind what is before it, or last where it was the first."""
    before = list(holder)[list(holder).index(key) - 1]
    said = _taken(holder, key)
    del holder[key]
    if before in holder:
        _follow(holder, before, said)


def apart(node: Any) -> Any:
    """A map that changes alone: itself, or a copy where an anchor shares it with others."""
    from copy import deepcopy

    if node.yaml_anchor() is None:
        return node
    copy = deepcopy(node)
    copy.yaml_set_anchor(None)
    return copy


def lifted(file: str, data: bytes) -> bytes:
    """The text with comments that stand between a key and its text above the key, where what it says stays the same:
    there a round trip would lose them."""
    text = data.decode("utf-8-sig")
    long = [(begin, end) for begin, end in places.spans(text) if "\n" in text[begin:end]]

    def above(found: "re.Match[str]") -> str:
        return found[0] if any(begin <= found.start() < end for begin, end in long) else _above(found)

    moved = _BETWEEN.sub(above, text)
    try:
        is_same = load.read(file, moved.encode(), ()).value == load.read(file, data, ()).value
    except CatalogError:
        is_same = False
    return as_before(moved.encode(), data) if is_same and comments(moved) == comments(text) else data


def _above(found: "re.Match[str]") -> str:
    space = " " * (len(found[1]) - len(found[1].lstrip(" ")))
    return "".join(f"{space}{line.strip()}\n" for line in found[2].splitlines()) + f"{found[1]}\n"


def comments(text: str) -> list[str]:
    """Every comment of a text, sorted."""
    bare = list(text)
    for begin, end in places.spans(text):
        bare[begin:end] = ["\n" if char == "\n" else "x" for char in text[begin:end]]
    return sorted(" ".join(match[0].split()) for match in _ANY_COMMENT.finditer("".join(bare)))


def _taken(holder: Any, key: Any) -> str:
    """The comments at `key`, in its value and behind it, taken away from there: each on a line of its own."""
    every = [*_tokens(holder.ca.items.pop(key, None)), *_inside(holder[key])]
    texts = [token.value.rstrip("\n") for token in {id(token): token for token in every}.values()]
    return "".join(f"\n{' ' * COLUMN}{text}" if text.startswith("#") else text for text in texts)


def _inside(node: Any) -> Iterator[Any]:
    if hasattr(node, "ca"):
        yield from _tokens(node.ca.comment)
        for key, value in node.items() if hasattr(node, "items") else enumerate(node):
            yield from _tokens(node.ca.items.get(key))
            yield from _inside(value)


def _tokens(found: Any) -> Iterator[Any]:
    for token in found or ():
        yield from _tokens(token) if isinstance(token, list) else [token] if token is not None else []


def _behind(holder: Any) -> str:
    """The comments on lines of their own behind all that is in a map, taken away from there."""
    from ruamel.yaml.scalarstring import LiteralScalarString

    if not len(holder) or holder.fa.flow_style():
        return ""
    holder, key, slot = _last(holder, list(holder)[-1])
    there = holder.ca.items.get(key)
    if there is None or there[slot] is None:
        return ""
    at_once = isinstance(holder[key], LiteralScalarString)
    own, _, said = ("", "", there[slot].value) if at_once else there[slot].value.partition("\n")
    there[slot] = _token(f"{own}\n", there[slot].start_mark.column) if own else None
    if hasattr(holder[key], "ca"):
        holder[key].ca.comment = [there[slot], None] if own else None
    return f"\n{' ' * COLUMN if at_once else ''}{said.rstrip()}" if said.strip() else ""


def _follow(holder: Any, key: Any, said: str) -> None:
    """Put comments behind the last line of what is at `key`."""
    from ruamel.yaml.scalarstring import LiteralScalarString

    if not said:
        return
    holder, key, slot = _last(holder, key)
    there = holder.ca.items.setdefault(key, [None, None, None, None])
    text = f"{'' if there[slot] is None else there[slot].value.rstrip()}{said}\n"
    there[slot] = _token(text.lstrip("\n ") if isinstance(holder[key], LiteralScalarString) else text, COLUMN)
    if hasattr(holder[key], "ca"):
        holder[key].ca.comment = [there[slot], None]


def _last(holder: Any, key: Any) -> tuple[Any, Any, int]:
    """Where the last line of what is at `key` is written: its list or map, its key there, and its comment's slot."""
    value = holder[key]
    while hasattr(value, "ca") and len(value) and not value.fa.flow_style():
        holder, key = value, list(value)[-1] if hasattr(value, "items") else len(value) - 1
        value = holder[key]
    return holder, key, 2 if hasattr(holder, "items") else 0


def _token(text: str, column: int) -> Any:
    from ruamel.yaml.error import CommentMark
    from ruamel.yaml.tokens import CommentToken

    return CommentToken(text, CommentMark(column), None)


def tidy(file: str, data: bytes) -> bytes:
    """The file in one style: indentation, spaces, blank lines. What it says and every comment stay. Raises CatalogError
    for a file that clipbuild could not read."""
    before = load.read(file, data, ()).value
    yaml, tree = parse(file, data)
    text = dumped(yaml, tree).decode()
    for change in (_stripped, _airy):
        changed = change(text)
        if _same(file, changed, before, text):
            text = changed
    if not _same(file, text, before, data.decode("utf-8-sig")):
        raise CatalogError([Problem(file, 0, 0, "can't be brought into style without changing it", (), "leave it as it is")])
    return text.encode()


def _same(file: str, text: str, value: Any, other: str) -> bool:
    try:
        return bool(load.read(file, text.encode(), ()).value == value) and _comments(text) == _comments(other)
    except CatalogError:
        return False


def _comments(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if _COMMENT.match(line)]


def _stripped(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.split("\n")).rstrip("\n") + "\n"


def _airy(text: str) -> str:
    """At most one blank line, and a comment on a line of its own stands where the line below it begins; lines of long
    texts are left alone."""
    inside = _long(text)
    kept: list[str] = []
    below, blank = "", False
    lines = text.split("\n")
    for number in range(len(lines) - 1, -1, -1):
        line = lines[number]
        if number in inside:
            kept.append(line)
            blank = False
            continue
        if not line.strip() and (blank or not number):
            continue
        blank = not line.strip()
        if _COMMENT.match(line):
            line = below + line.lstrip()
        elif line.strip():
            below = line[: len(line) - len(line.lstrip())]
        kept.append(line)
    return "\n".join(reversed(kept))


def _long(text: str) -> set[int]:
    """The numbers of lines that belong to a text that began in a line before."""
    found: set[int] = set()
    line = at = 0
    for begin, end in places.spans(text):
        line, at = line + text.count("\n", at, begin), begin
        last = line + text.count("\n", begin, end)
        found |= set(range(line + 1, last + (text[end - 1 : end] != "\n")))
    return found


def _yaml() -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.nodes import ScalarNode
    from ruamel.yaml.resolver import VersionedResolver
    from ruamel.yaml.tag import Tag

    class Text(VersionedResolver):
        """Every plain scalar is text."""

        def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
            if kind is ScalarNode:
                return Tag(suffix="tag:yaml.org,2002:str")
            return super().resolve(kind, value, implicit)

    yaml = YAML()
    yaml.Resolver = Text
    yaml.preserve_quotes = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 4096
    return yaml
