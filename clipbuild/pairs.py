"""The record of image-to-motion pairs: how often a motion on a kind of picture, by a provider, was approved.

A pair is composition × motion × provider, as text in the lock's approvals. Knows nothing of pages or of how clips are
made.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clipbuild.decisions import APPROVED, REJECTED
from clipbuild.digest import Digest
from clipbuild.engine.lock import Lock

COUNTS = {"1": "one subject", "many": "many subjects", "none": "no subject"}
Z = 1.96
"""Of a 95 % interval."""
LEAST = 5
"""Decisions a pair needs before it may speak against another motion."""


@dataclass(frozen=True, slots=True)
class Record:
    """What became of one pair: results made, approved, and rejected (retaken); the Wilson interval of approval."""

    composition: str
    motion: str
    provider: str
    made: int
    approved: int
    retaken: int

    @property
    def interval(self) -> tuple[float, float]:
        """Between which shares the true share of approvals lies, with 95 % confidence."""
        return wilson(self.approved, self.approved + self.retaken)

    def plain(self) -> dict[str, Any]:
        """As JSON data."""
        low, high = self.interval
        return {
            "composition": self.composition, "motion": self.motion, "provider": self.provider, "made": self.made,
            "approved": self.approved, "retaken": self.retaken, "interval": [round(low, 3), round(high, 3)],
        }  # fmt: skip


def composition(axes: Mapping[str, str]) -> str:
    """A picture's kind, coarse enough that records gather: "one subject, plain"; "" where it was not measured."""
    if not axes:
        return ""
    ground = "cut out" if axes.get("background") == "alpha" else axes.get("background", "")
    return f"{COUNTS.get(axes.get('subject_count', ''), 'unknown')}, {ground}"


def pair(kind: str, motion: str, provider: str) -> str:
    """The text that stands in the lock; "" for a picture that was not measured."""
    return f"{kind} / {motion} / {provider or 'local'}" if kind else ""


def wilson(good: int, of: int) -> tuple[float, float]:
    """The score interval of a share (Wilson 1927); the whole range where nothing is known."""
    if not of:
        return 0.0, 1.0
    share, width = good / of, Z * Z / of
    middle = (share + width / 2) / (1 + width)
    reach = Z * math.sqrt(share * (1 - share) / of + width / (4 * of)) / (1 + width)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def records(lock: Lock, current: Iterable[tuple[str, Digest]] = ()) -> list[Record]:
    """The record of every pair in the lock and among the `current` results (pair, bytes), most made first."""
    seen: dict[str, dict[Digest, str]] = {}
    for blob, said in lock.decisions().items():
        if said.pair:
            seen.setdefault(said.pair, {})[blob] = said.verdict
    for text, blob in current:
        if text:
            seen.setdefault(text, {}).setdefault(blob, "")
    rows = [_record(text, list(of.values())) for text, of in seen.items() if text.count(" / ") == 2]
    return sorted(rows, key=lambda r: (-r.made, r.composition, r.motion, r.provider))


def _record(text: str, verdicts: Sequence[str]) -> Record:
    kind, motion, provider = text.split(" / ")
    return Record(kind, motion, provider, len(verdicts), verdicts.count(APPROVED), verdicts.count(REJECTED))


def preferred(ranked: Sequence[str], rows: Sequence[Record], kind: str, provider: str) -> str:
    """The first of `ranked` (best suited first) that the record does not speak against.

    It speaks against a motion where that one was approved surely less often than another of the ranked: their
    intervals do not meet, with at least LEAST decisions on each.
    """
    known = {r.motion: r for r in rows if r.composition == kind and r.provider == (provider or "local")}
    sure = {name: r.interval for name, r in known.items() if r.approved + r.retaken >= LEAST}
    best = max((sure[name][0] for name in ranked if name in sure), default=0.0)
    for name in ranked:
        if name not in sure or sure[name][1] >= best:
            return name
    return ranked[0]
