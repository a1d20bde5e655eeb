"""The bill of a plan: what is counted, what only may be, and how it is said."""

from decimal import Decimal
from typing import Any

from clipbuild import digest
from clipbuild.engine.action import Action
from clipbuild.pricing import Bill, Line, table, worded
from clipbuild.providers.contract import Price


def action(name: str) -> Action:
    """An action that is bought."""
    return Action(digest.of_bytes(name.encode()), name, "generate", 1, {"provider": "openai", "model": "m"}, {}, "openai", precious=True)


def line(name: str = "item-0/vertical/image", least: str = "0.1", most: str = "0.4", **facts: Any) -> Line:
    """A line of the bill: bought for certain unless said otherwise."""
    values = {"sku": name.partition("/")[0], "provider": "openai", "will": True, **facts}
    return Line(action(name), price=Price(Decimal(least), Decimal(most)), **values)


def total(*lines: Line) -> tuple[str, str]:
    """Least and most of a bill."""
    found = Bill(lines).plain()
    return found["least"], found["most"]


def test_what_may_be_bought_counts_to_the_most_alone() -> None:
    """For certain: both ends; perhaps: the upper one; waiting for a person, or without a price: neither."""
    assert total(line()) == ("0.1", "0.4")
    assert total(line(will=False)) == ("0", "0.4")
    assert total(line(waits="its still is not approved yet")) == ("0", "0")
    assert total(Line(action("a"), "a", "openai", True, None)) == ("0", "0")
    assert total() == ("0", "0")


def test_every_take_counts_to_the_most() -> None:
    """Two may follow: three times the most, once the least; when the first is paid, two times and nothing for certain."""
    assert total(line(more=2)) == ("0.1", "1.2")
    assert total(line(more=2, paid=True, will=False)) == ("0", "0.8")
    assert total(line(more=2, waits="approval")) == ("0", "0")
    assert Bill((line(more=2), line(more=1, waits="approval"), line())).retakes == Decimal("0.8")


def test_groups_add_up_to_the_whole() -> None:
    """By provider and by product: nothing is counted twice, nothing is left out."""
    bill = Bill((line("a/v/image"), line("a/v/animate", provider="kling", will=False), line("b/v/image", more=1)))
    for what in ("provider", "sku"):
        groups = bill.by(what).values()
        assert sum(price.least for price in groups) == bill.total.least
        assert sum(price.most for price in groups) == bill.total.most
    assert list(bill.by("sku")) == ["a", "b"]


def test_what_has_no_price_is_named() -> None:
    """It will not be bought, and the bill says which it is; one that waits is not asked for its price yet."""
    unknown = Line(action("a/v/image"), "a", "openai", True, None)
    assert Bill((unknown, line())).unknown == ["a/v/image"]
    assert Bill((Line(action("a"), "a", "openai", True, None, "approval"),)).unknown == []
    assert worded(unknown) == "price not known: not bought"
    rows = [row.split(maxsplit=1) for row in table(Bill((Line(action("b/v/animate"), "b", "kling", True, None), line())))]
    assert ["kling", "not known"] in rows
    assert rows[-1][0] == "price"
    assert "1 action, not bought; `clipbuild check` says why" in rows[-1][1]


def test_a_line_in_words() -> None:
    """One price, a range, several takes, only further ones, and why not now."""
    assert worded(line(least="0.4")) == "$0.40"
    assert worded(line()) == "$0.10 to $0.40"
    assert worded(line(more=2)) == "up to 3 takes: $0.10 to $1.20"
    assert worded(line(more=1, paid=True)) == "up to 1 further take: $0.00 to $0.40"
    assert worded(line(waits="its still is not approved yet")) == "not bought: its still is not approved yet (then $0.10 to $0.40)"


def test_what_stands_in_counts_to_the_most_alone() -> None:
    """On top of what it stands in for, with every take of it; it is no further take, and the table says how much it is."""
    spare = line(provider="runway", will=False, standin=True, more=1)
    bill = Bill((line(more=1), spare))
    assert (total(*bill.lines), bill.standins, bill.retakes) == (("0.1", "1.6"), Decimal("0.8"), Decimal("0.4"))
    assert worded(spare) == "$0.00 to $0.80, should that fail: runway stands in"
    assert list(table(bill))[-1].split()[:4] == ["of", "it", "stand-ins", "$0.80"]


def test_what_waits_for_approval_is_told_beside_the_sum() -> None:
    """Not in the total of anything, and a person sees what a yes will cost; who waits alone has no row of its own."""
    bill = Bill((line("a/v/image"), line("a/v/animate", "0.4", "0.6", provider="kling", waits="its still is not approved yet")))
    assert (total(*bill.lines), bill.plain()["waits"]) == (("0.1", "0.4"), {"least": "0.4", "most": "0.6"})
    rows = list(table(bill))
    assert not any("kling" in row for row in rows)
    assert rows[-1].split() == ["waits", "for", "approval", "$0.40", "to", "$0.60", "more,", "once", "it", "is", "given"]


def test_the_table_ends_with_all_of_it() -> None:
    """Products are listed where there are several, further takes where there are any."""
    one = list(table(Bill((line(),))))
    assert [row.split("  ")[1].strip() for row in one] == ["openai", "in all"]
    several = list(table(Bill((line("a/v/image", more=1), line("b/v/image")))))
    assert several[-2].split() == ["in", "all", "$0.20", "to", "$1.20"]
    assert several[-1].split()[:5] == ["of", "it", "further", "takes", "$0.40"]


def test_what_the_lock_may_have_already_is_told_beside_the_most() -> None:
    """On a fresh clone nobody knows yet whether a picture comes out as it did: the most stays the most, and says so."""
    bill = Bill((line("a/v/animate", will=False, known=True), line("b/v/image")))
    assert (total(*bill.lines), bill.plain()["in_lock"]) == (("0.1", "0.8"), "0.4")
    assert list(table(bill))[-1].split()[:5] == ["of", "it", "in", "the", "lock"]
    assert not any("lock" in row for row in table(Bill((line(),))))
