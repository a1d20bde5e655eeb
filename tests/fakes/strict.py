"""Bodies checked strictly: what is not known is refused, as the providers do. Knows no provider."""

from collections.abc import Callable, Mapping
from typing import Any

Rule = Callable[[Any], str]
"""A rule looks at a value and says what is wrong, "" for nothing."""


def one_of(*values: Any) -> Rule:
    """Exactly one of these."""
    return lambda value: "" if any(value == v and type(value) is type(v) for v in values) else f"{value!r} is not one of {values}"


def whole(least: int, most: int) -> Rule:
    """An integer in a span."""
    return lambda v: "" if isinstance(v, int) and not isinstance(v, bool) and least <= v <= most else f"{v!r} is not {least}-{most}"


def text(least: int, most: int) -> Rule:
    """Text of a length in UTF-16 units."""
    return lambda v: "" if isinstance(v, str) and least <= len(v.encode("utf-16-le")) // 2 <= most else "text too short or long"


def flag(value: Any) -> str:
    """True or false."""
    return "" if isinstance(value, bool) else f"{value!r} is not a boolean"


def fields(known: Mapping[str, Rule], *needed: str) -> Rule:
    """An object with these members and no others."""

    def look(value: Any) -> str:
        if not isinstance(value, dict):
            return "not an object"
        for name in needed:
            if name not in value:
                return f"{name} is missing"
        for name, member in value.items():
            if name not in known:
                return f"unknown field {name}"
            wrong = known[name](member)
            if wrong:
                return f"{name}: {wrong}"
        return ""

    return look


def each(rule: Rule, least: int = 1, most: int = 1000) -> Rule:
    """A list of such."""

    def look(value: Any) -> str:
        if not isinstance(value, list) or not least <= len(value) <= most:
            return f"not a list of {least} to {most}"
        return next((wrong for wrong in map(rule, value) if wrong), "")

    return look
