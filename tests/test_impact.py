"""What a change costs: each action once, what only this store lacks apart, and no price where one is not known."""

from decimal import Decimal
from typing import Any

import pytest

from clipbuild import digest
from clipbuild.engine.action import Verdict
from clipbuild.impact import CACHED, LOCAL, PAID, Impact, Step, by_product, span
from clipbuild.since import Cause, Difference

ONE, TWO = Cause("price", "5", "6"), Cause("template", "a", "b")


def step(clip: str, name: str, state: str, identity: str = "", **facts: Any) -> Step:
    """A step of a clip; equal identities are one action."""
    values: dict[str, Any] = {
        "verdict": Verdict.WILL_RUN.value, "changed": True, "causes": (ONE,), "price": (Decimal(0), Decimal(0)), "seconds": None, **facts
    }  # fmt: skip
    return Step(clip, name, name, digest.of_bytes((identity or f"{clip}/{name}").encode()), state, **values)


def impact(*steps: Step, jobs: int = 2) -> Impact:
    """All of a change."""
    told = Difference("main", frozenset(), frozenset({"a"}), (), {}, frozenset(), "", {"added": (), "removed": (), "replaced": ()})
    return Impact(told, steps, jobs, {one.clip: one.clip.split(".")[0] for one in steps})


def test_an_action_of_many_clips_is_paid_once() -> None:
    """Two clips share a picture: one price, one count."""
    price = (Decimal("0.1"), Decimal("0.4"))
    found = impact(step("a.x", "image", PAID, "shared", price=price), step("a.y", "image", PAID, "shared", price=price))
    assert found.price() == price
    assert found.counts()[PAID] == 1
    assert found.plain()["cost"] == {"least": "0.1", "most": "0.4"}


def test_what_may_run_counts_to_the_most_alone() -> None:
    """Motion that waits for its picture is not certain; cached and local steps cost nothing."""
    may = step("a", "animate", PAID, verdict=Verdict.MAY_RUN.value, price=(Decimal("0.5"), Decimal("0.6")))
    assert impact(may, step("a", "render", LOCAL), step("a", "cover", CACHED)).price() == (0, Decimal("0.6"))


def test_one_unknown_price_makes_the_whole_unknown() -> None:
    """Better no sum than a wrong one."""
    found = impact(step("a", "image", PAID, price=None), step("b", "image", PAID, price=(Decimal(1), Decimal(1))))
    assert found.price() is None
    assert found.plain()["cost"] is None


def test_what_did_not_change_is_told_apart() -> None:
    """An action that only this store lacks is no part of the change."""
    found = impact(step("a", "render", LOCAL), step("a", "image", LOCAL, changed=False), step("a", "cover", CACHED, changed=False))
    assert found.elsewhere() == 1
    assert found.counts() == {LOCAL: 1, CACHED: 1}


def test_time_is_shared_by_jobs_and_no_less_than_the_longest() -> None:
    """Unmeasured steps count like the measured ones; where nothing was measured nothing is said."""
    three = [step(name, "render", LOCAL, seconds=seconds) for name, seconds in (("a", 10.0), ("b", 20.0), ("c", None))]
    assert impact(*three).seconds() == pytest.approx(22.5)
    assert impact(*three, jobs=8).seconds() == 20.0
    assert impact(three[2]).seconds() is None
    assert impact().seconds() == 0.0
    assert [span(s) for s in (None, 0.2, 12.1, 120, 7200)] == ["a time nobody measured yet", "under a second", "about 13 s", "about 2 min", "about 2.0 h"]


def test_causes_are_told_with_what_they_touch() -> None:
    """The widest first, each clip once."""
    found = impact(
        step("a", "render", LOCAL, causes=(ONE,)), step("b", "render", LOCAL, causes=(ONE, TWO)), step("b", "cover", LOCAL, causes=(TWO,))
    )
    assert [(reach.cause, reach.clips, reach.stages) for reach in found.reaches()] == [
        (ONE, ("a", "b"), ("render",)), (TWO, ("b",), ("cover", "render")),
    ]  # fmt: skip


def test_steps_are_listed_by_product() -> None:
    """Clips of one product together, products in order."""
    found = impact(step("b", "render", LOCAL), step("a.y", "render", LOCAL), step("a.x", "render", LOCAL))
    assert [(sku, [one.clip for one in rows]) for sku, rows in by_product(found)] == [("a", ["a.y", "a.x"]), ("b", ["b"])]
