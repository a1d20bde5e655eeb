"""Bought pictures that are refused: taken again with another hint, as often as allowed, and never beyond the budget."""

import json
import pathlib
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from clipbuild.engine.lock import Lock
from tests.support.shop import Shop, opened


@pytest.fixture
def shop(tmp_path: pathlib.Path) -> Iterator[Shop]:
    """One product whose every picture counts as busy."""
    with opened(tmp_path, "openai", "kling") as found:
        found.stock(1)
        shipped = (pathlib.Path(__file__).parent.parent / "templates" / "readiness.yaml").read_text()
        strict = shipped.replace("busy_gradient: 9.3", "busy_gradient: 0.0").replace("busy_detail: 6.0", "busy_detail: 0.0")
        assert strict != shipped
        found.write("templates/readiness.yaml", strict)
        yield found


def test_taken_again_with_a_hint_as_often_as_allowed(shop: Shop) -> None:
    """Three takes are three charges, the later prompts say what was wrong, no motion is bought, and the build says so."""
    shop.edit("catalog/all.yaml", "name: Item 0", "name: Item 0\n    takes: 3")
    built = shop.build()
    assert built.status == 1
    assert shop.charges() == {"openai": 3}
    assert "not ready" in str(built.plain["errors"])
    (take,) = Lock.load(str(shop.root / "clipbuild.lock")).takes.values()
    assert (take.take, take.because) == (3, "background_busy")
    wanted = [charge.wanted for charge in shop.fakes["openai"].ledger.charges]
    assert len(set(wanted)) == 2, "the first without the hint, the others with it"
    again = shop.build()
    assert (again.status, shop.charges()) == (1, {"openai": 3}), "nothing is bought again unasked"


def planned(shop: Shop) -> tuple[dict[str, Any], str]:
    """What `plan` says, as data and in words."""
    status, out, err = shop.run("plan", "--json", "--profile", "studio")
    assert status == 0, err
    return json.loads(out), shop.run("plan", "--profile", "studio")[1]


def test_the_most_of_a_plan_has_every_take_in_it(shop: Shop) -> None:
    """Three takes allowed: three pictures are in the most and said so, one for certain; what is bought stays below, and
    each take that was refused leaves one less."""
    once = planned(shop)[0]
    assert once["cost"]["further_takes"] == "0"
    shop.edit("catalog/all.yaml", "name: Item 0", "name: Item 0\n    takes: 3")
    told, text = planned(shop)
    pictures = Decimal(once["cost"]["by_provider"]["openai"]["most"])
    assert Decimal(told["cost"]["by_provider"]["openai"]["most"]) == 3 * pictures
    assert Decimal(told["cost"]["further_takes"]) == 2 * pictures
    assert Decimal(told["cost"]["least"]) == Decimal(once["cost"]["least"])
    assert (told["actions"][0]["takes"], Decimal(told["actions"][0]["most"])) == (3, 3 * pictures)
    assert "up to 3 takes: $0.0" in text
    assert "of it further takes" in text
    assert shop.build("--max-spend", str(pictures)).status == 3, "the second may cost too much"
    left = planned(shop)[0]
    assert left["actions"][0]["takes"] == 2, "the first is paid, the second is meant, a third may follow"
    assert Decimal(left["actions"][0]["most"]) < Decimal("2.1") * pictures
    assert shop.build().status == 1
    assert shop.charges() == {"openai": 3}
    assert shop.fakes["openai"].ledger.total <= Decimal(told["cost"]["most"])
    assert planned(shop)[0]["cost"]["further_takes"] == "0"


def test_a_picture_that_is_bought_and_not_yet_checked_may_be_taken_again(tmp_path: pathlib.Path) -> None:
    """A stricter table after the purchase: nothing is sure to be bought, and the most has the takes that may follow."""
    with opened(tmp_path, "openai", "kling") as shop:
        shop.stock(1, motion="local")
        shop.edit("catalog/all.yaml", "name: Item 0", "name: Item 0\n    takes: 3")
        assert shop.build().status == 0
        shipped = (pathlib.Path(__file__).parent.parent / "templates" / "readiness.yaml").read_text()
        shop.write("templates/readiness.yaml", shipped.replace("busy_gradient: 9.3", "busy_gradient: 9.2"))
        told, text = planned(shop)
        assert told["cost"]["least"] == "0"
        assert told["cost"]["most"] == told["cost"]["further_takes"] != "0"
        assert "of it further takes" in text


def test_one_take_unless_more_are_allowed(shop: Shop) -> None:
    """Without `takes` a refused picture is reported and nothing more is spent."""
    assert shop.build().status == 1
    assert shop.charges() == {"openai": 1}


def test_retakes_stay_within_the_budget(shop: Shop) -> None:
    """The cap is the build's, not the round's: two takes fit, a third is not allowed."""
    shop.edit("catalog/all.yaml", "name: Item 0", "name: Item 0\n    takes: 9")
    shop.configure(budget_build='"0.085"')  # a picture costs 0.011, and may cost 0.066
    built = shop.build()
    assert built.status == 3, built.text
    assert shop.charges() == {"openai": 2}
    assert float(shop.fakes["openai"].ledger.total) <= 0.085


def test_reject_retake_approve_publish(tmp_path: pathlib.Path) -> None:
    """The whole loop for one product of two: rejected, taken again from the page, approved, published; the other one is
    not touched and not charged."""
    from clipbuild.gallery.desk import ProjectDesk
    from clipbuild.settings import Settings
    from clipbuild.wish import Wish

    with opened(tmp_path, "openai", "kling") as shop:
        shop.stock(2)
        shop.edit("catalog/all.yaml", "photos: photos/p1.png\n    captions: [Hello there]", "photos: photos/p1.png\n    captions: [Other]")
        assert shop.build().status == 0
        desk = ProjectDesk(Wish(str(shop.root), profile=shop.profile), Settings(), "kim")
        try:
            card = desk.shelf().cards[0]
            assert card.blob
            assert card.cost != "0"
            assert [name.rsplit("/", 1)[1] for name, *_ in desk.shelf().detail(card).takes] == ["animate", "image"]
            desk.retake(card.name, card.blob, "the label melts")
            before = shop.charges()
            built = shop.build()
            assert built.status == 0, built.text
            assert shop.charges() == {**before, "kling": before["kling"] + 1}
            assert not [name for name in built.ran if name.startswith("item-1")]
            fresh = desk.shelf().cards[0]
            assert fresh.subject
            assert desk.decide(fresh.name, fresh.blob or "", "approved", "").state == "approved"
        finally:
            desk.close()
        only = shop.build("--approved-only")
        assert only.status == 0
        assert {name.split("/")[1] for name in shop.files() if name.endswith(".mp4")} == {"item-0"}


def test_stills_are_approved_before_motion_is_bought(tmp_path: pathlib.Path) -> None:
    """`approve: stills`: the picture is bought, motion waits for a person, then is bought."""
    with opened(tmp_path, "openai", "kling") as shop:
        shop.stock(1, extra="approve: stills\n")
        first = shop.build()
        assert first.status == 4, first.text
        assert shop.charges() == {"openai": 1}
        assert "approve --still item-0" in str(first.plain["errors"])
        status, _, err = shop.run("approve", "--still", "item-0", "--profile", shop.profile, "--by", "kim")
        assert status == 0, err
        assert shop.build().status == 0
        assert shop.charges() == {"openai": 1, "kling": 1}
