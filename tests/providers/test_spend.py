"""Caps: what counts against them, and what may be bought."""

from decimal import Decimal
from typing import Any

import pytest

from clipbuild import digest
from clipbuild.engine.action import Trace
from clipbuild.providers.contract import Price
from clipbuild.providers.records import Job, Record, Replay, Step
from clipbuild.providers.spend import FROZEN, LOCKED, UNTRUSTED, Budget, Spending, smaller, span, usd

PRICE = Price(Decimal("0.3"), Decimal("0.5"))
MONTH = "2026-11"


def replay(*rows: tuple[str, Step, dict[str, Any]]) -> Replay:
    """A journal with one record a job."""
    found = Replay()
    for intent, step, facts in rows:
        key = digest.of_bytes(intent.encode())
        found.add(Record(step, f"{MONTH}-26T10:00:00Z", intent, key, f"{intent}/animate", "kling", **{"build": "b", **facts}))
    return found


def refusal(budget: Budget, *rows: tuple[str, Step, dict[str, Any]], price: Price | None = PRICE, pinned: Any = ()) -> str:
    """Why it may not be bought, "" when it may."""
    found = Spending(budget, pinned).refusal("item", price, replay(*rows), build="b", month=MONTH)
    return str(found) if found else ""


def test_the_last_cent_may_be_spent_and_not_one_more() -> None:
    """The highest price has to fit, to the last digit."""
    sent = ("i1", Step.SENT, {"most": "0.5"})
    assert refusal(Budget(build=Decimal("1.0")), sent) == ""
    assert "over the cap" in refusal(Budget(build=Decimal("0.999999999")), sent)
    assert "budget_month" in refusal(Budget(month=Decimal("0.99")), sent)
    assert refusal(Budget()) == ""


def test_what_is_unsure_counts_at_its_highest_price() -> None:
    """Held, abandoned, failed without a bill: all may have been charged. Surely not sent is free, a bill is what it says."""
    for step in (Step.SENT, Step.HELD, Step.ABANDONED, Step.FAILED, Step.LOST):
        assert refusal(Budget(build=Decimal("0.9")), ("i1", step, {"most": "0.5", "job": "j"})), step
    assert refusal(Budget(build=Decimal("0.9")), ("i1", Step.UNSENT, {"most": "0.5"})) == ""
    assert refusal(Budget(build=Decimal("0.9")), ("i1", Step.REFUSED, {"most": "0.5", "cost": "0"})) == ""
    assert refusal(Budget(build=Decimal("0.9")), ("i1", Step.FETCHED, {"most": "0.5", "cost": "0.1"})) == ""


def test_another_build_counts_to_the_month_alone() -> None:
    """A build has a cap of its own."""
    other = ("i1", Step.SENT, {"most": "0.5", "build": "a"})
    assert refusal(Budget(build=Decimal("0.5")), other) == ""
    assert refusal(Budget(month=Decimal("0.5")), other)


def test_the_lock_counts_once() -> None:
    """What only the lock knows counts to its month; what the journal knows too does not count again."""
    facts = {"provider": "kling", "job": "j", "at": f"{MONTH}-01T00:00:00Z"}
    pin = Trace("i1/animate", digest.of_bytes(b"i1"), {}, "0.5", 0.0, facts)
    assert refusal(Budget(month=Decimal("0.9")), pinned=[pin])
    assert refusal(Budget(month=Decimal("1.0")), ("i1", Step.FETCHED, {"cost": "0.5", "job": "j"}), pinned=[pin]) == ""
    old = Trace("x", digest.of_bytes(b"x"), {}, "99", 0.0, {**facts, "at": "2025-11-01T00:00:00Z"})
    free = Trace("y", digest.of_bytes(b"y"), {}, "99", 0.0, {})
    assert refusal(Budget(month=Decimal("0.5")), pinned=[old, free]) == ""


@pytest.mark.parametrize("budget", [UNTRUSTED, LOCKED, FROZEN])
def test_a_closed_budget_says_why_and_what_it_would_cost(budget: Budget) -> None:
    """With and without a price."""
    assert budget.closed in refusal(budget)
    assert "$0.30 to $0.50" in refusal(budget)
    assert budget.closed in refusal(budget, price=None)


def test_an_unknown_price_is_a_no() -> None:
    """Unless unknown prices are allowed."""
    assert "not known" in refusal(Budget(), price=None)
    assert refusal(Budget(unknown=True), price=None) == ""


def test_a_charge_above_the_plan_stops_everything() -> None:
    """From the first one on; one at the plan's most does not."""
    spending = Spending(Budget())

    def bought(cost: str | None) -> Job:
        return Job("i", digest.of_bytes(b"i"), "item", "kling", Step.FETCHED, "", Decimal("0.5"), None if cost is None else Decimal(cost))

    for fine in ("0.5", None):
        spending.note(bought(fine))
        assert spending.refusal("next", PRICE, Replay(), build="", month=MONTH) is None
    spending.note(bought("0.500000001"))
    assert "planned were $0.50" in str(spending.refusal("next", PRICE, Replay(), build="", month=MONTH))


def test_the_lowest_cap_counts() -> None:
    """None is no cap."""
    assert smaller(Decimal(3), None, Decimal(2)) == 2
    assert smaller(None, None) is None
    assert smaller(Decimal(0), Decimal(2)) == 0


def test_amounts_for_people() -> None:
    """Cents, or more digits where cents would hide something."""
    assert [usd(Decimal(v)) for v in ("0.5", "0.0123", "12.3456", "0")] == ["$0.50", "$0.0123", "$12.35", "$0.00"]
    assert (span(PRICE), span(Price(Decimal(1), Decimal(1)))) == ("$0.30 to $0.50", "$1.00")
