"""Which moves of a library suit a picture, by its measures. Plain numbers: no pixels, no files.

Knows nothing of records, plans or how a move is made.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Measures = Mapping[str, float]
CLEARLY = 0.75
"""How much better (in misses: 1 is a measure far out of its range) another motion must suit before a person is told."""


@dataclass(frozen=True, slots=True)
class Suit:
    """How well one motion suits: the sum of its misses, and the measures that are out of their range."""

    name: str
    misses: float
    out: tuple[str, ...]


def suits(have: Measures, motions: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Motion names, best first: fewest and smallest misses of the ranges under `suits`, then most ranges, then order of
    the table.

    A range is [least, most], either null for open; a measure that is not there counts as a miss.
    """
    return [suit.name for suit in ranked(have, motions)]


def ranked(have: Measures, motions: Mapping[str, Mapping[str, Any]]) -> list[Suit]:
    """As `suits`, with the misses."""
    scored = []
    for place, (name, motion) in enumerate(motions.items()):
        ranges = motion.get("suits") or {}
        missed = {axis: _miss(have.get(axis), span) for axis, span in ranges.items()}
        out = tuple(axis for axis, miss in missed.items() if miss > 0)
        scored.append((sum(missed.values()), -len(ranges), place, Suit(name, round(sum(missed.values()), 4), out)))
    return [suit for *_, suit in sorted(scored, key=lambda row: row[:3])]


def better(name: str, order: Sequence[Suit]) -> Suit | None:
    """The best suited motion where `name` suits clearly worse, else None."""
    own = next((suit for suit in order if suit.name == name), None)
    if own is None or not order or own.misses - order[0].misses < CLEARLY:
        return None
    return order[0]


COUNTS = {"1": "one subject", "many": "many subjects", "none": "no subject"}


def composition(axes: Mapping[str, str]) -> str:
    """A picture's kind, coarse enough that records gather: "one subject, plain"; "" where it was not measured."""
    if not axes:
        return ""
    ground = "cut out" if axes.get("background") == "alpha" else axes.get("background", "")
    return f"{COUNTS.get(axes.get('subject_count', ''), 'unknown')}, {ground}"


def _miss(value: float | None, span: Any) -> float:
    if value is None:
        return 1.0
    least: float | None
    most: float | None
    least, most = span if isinstance(span, list | tuple) else (span, span)
    if least is not None and value < least:
        return float(min(1.0, 0.25 + (least - value) / max(1e-6, abs(least))))
    if most is not None and value > most:
        return float(min(1.0, 0.25 + (value - most) / max(1e-6, abs(most))))
    return 0.0
