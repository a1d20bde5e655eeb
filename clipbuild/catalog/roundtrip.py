"""Catalog files changed by a program and still a person's: comments, order and spelling stay.

Scalars are kept as text, so that nothing is retyped on the way (`0123`, `1.10`, `NO`). Knows nothing of what keys mean.
"""

import io
import re
from typing import Any

from clipbuild.catalog import load, places
from clipbuild.errors import CatalogError, Problem, shown

_COMMENT = re.compile(r"^[ ]*#.*$")


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


def dumped(yaml: Any, tree: Any) -> bytes:
    """The text of a tree."""
    out = io.BytesIO()
    yaml.dump(tree, out)
    return out.getvalue()


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
    inside = _inside(text)
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


def _inside(text: str) -> set[int]:
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
