"""The record of image-to-motion pairs: how often a motion on a kind of picture, by a provider, was approved.

A pair is composition × motion × provider, as text in the lock's approvals. Knows nothing of pages or of how clips are
made.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from clipbuild.decisions import APPROVED, REJECTED
from clipbuild.digest import Digest
from clipbuild.engine.lock import Lock

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


def avoided(rows: Sequence[Record], provider: str) -> dict[str, list[str]]:
    """For each kind of picture the motions that the record speaks against: approved surely less often than another one,
    which is when their intervals do not meet, with at least LEAST decisions on each."""
    sure: dict[str, dict[str, tuple[float, float]]] = {}
    for row in rows:
        if row.provider == (provider or "local") and row.approved + row.retaken >= LEAST:
            sure.setdefault(row.composition, {})[row.motion] = row.interval
    found = {}
    for kind, of in sure.items():
        best = max(low for low, _ in of.values())
        if worse := sorted(name for name, (_, high) in of.items() if high < best):
            found[kind] = worse
    return found
