"""YAML's event parser, the fast one where it is safe: deep nesting overflows the stack of libyaml.

Knows nothing of what the events mean.
"""

import re
from typing import Any

import yaml

SUSPECT = 200
"""Open brackets at once, quotes not heeded, from which a text goes to the slow parser, whose stack can't be hurt."""

_BRACKET = re.compile(r"[\[\]{}]")


def parser(text: str) -> Any:
    """libyaml's event parser, or the pure one where it is missing or where brackets are nested suspiciously deep."""
    if text.count("[") + text.count("{") > SUSPECT and _running_depth(text) > SUSPECT:
        return pure(text)
    try:
        from yaml.cyaml import CParser  # type: ignore[attr-defined]
    except ImportError:
        return pure(text)
    return CParser(text)


def pure(text: str) -> Any:
    """The parser in Python."""

    class Pure(yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser):
        def __init__(self) -> None:
            yaml.reader.Reader.__init__(self, text)
            yaml.scanner.Scanner.__init__(self)
            yaml.parser.Parser.__init__(self)

    return Pure()


def _running_depth(text: str) -> int:
    depth = deepest = 0
    for match in _BRACKET.finditer(text):
        depth = depth + 1 if match[0] in "[{" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest
