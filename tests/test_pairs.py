"""The record of pairs: what counts, how sure it is, and when it overrules what suits."""

import hashlib

import pytest

from clipbuild import pairs
from clipbuild.digest import Digest
from clipbuild.engine.lock import Approval, Lock


def d(text: str) -> Digest:
    return Digest(hashlib.sha256(text.encode()).hexdigest())


def lock(**decisions: list[str]) -> Lock:
    """Decisions by motion, on one kind of picture."""
    found = Lock()
    for motion, verdicts in decisions.items():
        for place, verdict in enumerate(verdicts):
            name = f"{motion}-{place}"
            pair = pairs.pair("one subject, plain", motion, "local")
            found = found.with_approval(Approval(d(name), d(name), verdict, "kim", "2026-01-01T00:00:00Z", "", name, pair))
    return found


def test_counts() -> None:
    """Made counts results once, decided or not; a rejection counts as retaken."""
    said = lock(push=["approved", "approved", "rejected"])
    text = pairs.pair("one subject, plain", "push", "local")
    (row,) = pairs.records(said, [(text, d("push-0")), (text, d("other")), ("", d("unmeasured"))])
    assert (row.made, row.approved, row.retaken) == (4, 2, 1)


@pytest.mark.parametrize(("good", "of", "low", "high"), [(0, 0, 0, 1), (10, 10, 0.722, 1), (5, 10, 0.237, 0.763), (0, 5, 0, 0.434)])
def test_wilson(good: int, of: int, low: float, high: float) -> None:
    """The interval of the literature's worked values."""
    assert pairs.wilson(good, of) == pytest.approx((low, high), abs=0.002)


def test_the_record_speaks_only_when_sure() -> None:
    """A motion that is rejected again and again where another one is approved is avoided; a few decisions say nothing."""

    def avoided(**decisions: list[str]) -> dict[str, list[str]]:
        return pairs.avoided(pairs.records(lock(**decisions)), "local")

    assert avoided() == {}
    assert avoided(sway=["rejected"] * 3, push=["approved"] * 3) == {}
    assert avoided(sway=["rejected"] * 8) == {}
    assert avoided(sway=["rejected"] * 8, push=["approved"] * 8) == {"one subject, plain": ["sway"]}
