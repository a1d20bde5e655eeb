"""Money in the plan: prices before anything is bought, caps that hold, and who may say yes."""

import json
import pathlib
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal

import pytest

from clipbuild.consent import money_of
from clipbuild.errors import UsageError
from tests.support.shop import Shop, opened


@pytest.fixture
def shop(tmp_path: pathlib.Path) -> Iterator[Shop]:
    """Two products whose pictures are bought; motion is local."""
    with opened(tmp_path, "openai", "kling") as found:
        found.stock(2, motion="local")
        yield found


def cost(shop: Shop) -> dict[str, object]:
    """The cost that `plan` tells."""
    status, out, err = shop.run("plan", "--json", "--profile", "studio")
    assert status == 0, err
    found = json.loads(out)["cost"]
    assert isinstance(found, dict)
    return found


def test_the_plan_prices_everything(tmp_path: pathlib.Path) -> None:
    """Pictures for certain, motion at most; by provider and by product; no request is made; the bill is in between."""
    with opened(tmp_path, "openai", "kling") as shop:
        shop.stock(2)
        told = cost(shop)
        assert set(told["by_provider"]) == {"kling", "openai"}
        assert set(told["by_product"]) == {"item-0", "item-1"}
        assert told["by_provider"]["kling"] == {"least": "0", "most": "0.504"}
        assert not any(fake.log for fake in shop.fakes.values())
        status, out, _ = shop.run("plan", "--profile", "studio")
        assert status == 0
        assert "kling" in out
        assert "in all" in out
        assert shop.build().status == 0
        total = sum(fake.ledger.total for fake in shop.fakes.values())
        assert Decimal(told["least"]) <= total <= Decimal(told["most"])
        assert cost(shop)["most"] == "0"


def test_without_a_budget_nothing_is_bought_where_nobody_can_be_asked(shop: Shop) -> None:
    """Status 3, each price named, no request; `--max-spend` is a yes up to an amount."""
    shop.configure(budget_build='""')
    built = shop.build()
    assert built.status == 3
    assert "--max-spend" in built.text
    assert "item-1/vertical/image" in built.text
    assert shop.submits() == 0
    assert shop.build("--max-spend", "1").status == 0


def test_a_build_over_its_cap_ends_before_it_begins(shop: Shop) -> None:
    """What it costs at least is over the cap: nothing is bought, nothing runs."""
    built = shop.build("--max-spend", "0.01")
    assert (built.status, built.ran, shop.submits()) == (3, [], 0)
    assert "cost more than it may" in built.text


def test_a_cap_holds_over_builds_that_did_not_end(shop: Shop) -> None:
    """The cap fits one picture: one is bought, the other refused; running again with the same cap buys nothing more."""
    told = cost(shop)
    cap = str((Decimal(told["least"]) + Decimal(told["most"])) / 2)
    assert Decimal(cap) >= Decimal(told["least"])
    first = shop.build("--max-spend", cap, "--jobs", "1")
    assert first.status in (0, 3)
    spent = shop.fakes["openai"].ledger.total
    assert spent <= Decimal(cap)
    shop.build("--max-spend", cap)
    assert shop.fakes["openai"].ledger.total <= Decimal(cap)


def test_a_project_lowers_the_users_cap_and_never_raises_it(shop: Shop) -> None:
    """`budget` in clipbuild.yaml of a cent stops a user who allows 100; one of 1000 changes nothing."""
    text = (shop.root / "clipbuild.yaml").read_text()
    shop.write("clipbuild.yaml", text + "budget: {build: '0.01'}\n")
    assert shop.build().status == 3
    assert shop.build("--max-spend", "50").status == 3
    shop.write("clipbuild.yaml", text + "budget: {build: '1000'}\n")
    shop.configure(budget_build="0.01")
    assert shop.build().status == 3
    assert shop.submits() == 0


def test_the_month_counts_everything_this_user_bought(shop: Shop, tmp_path: pathlib.Path) -> None:
    """What one workspace spent is missing from the month of the next."""
    most = Decimal(str(cost(shop)["most"])) / 2
    assert shop.build().status == 0
    spent = shop.fakes["openai"].ledger.total
    (tmp_path / "other").mkdir()
    other = Shop(tmp_path / "other", shop.fakes)
    other.env = shop.env
    shop.configure(budget_month=str(spent + most * 9 / 10))
    other.stock(1, motion="local")
    other.photo("photos/p0.png", "#118833")
    built = other.build()
    assert built.status == 3
    assert "budget_month" in str(built.plain["errors"])
    assert shop.fakes["openai"].ledger.total == spent


def test_two_workspaces_at_once_stay_below_the_month(tmp_path: pathlib.Path) -> None:
    """Two builds in two processes, six pictures each, and a month that pays for four at their highest price: the month
    holds, and both say that it did."""
    with opened(tmp_path, "openai") as one:
        (tmp_path / "other").mkdir()
        two = Shop(tmp_path / "other", one.fakes)
        two.env = one.env
        for number, shop in enumerate((one, two)):
            shop.stock(6, motion="local")
            for product in range(6):
                shop.photo(f"photos/p{product}.png", f"#{number}{product}8833")
        most = Decimal(str(cost(one)["most"])) / 6
        one.configure(budget_month=str(most * 4))
        line = [sys.executable, "-m", "clipbuild", "-C"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        builds = [subprocess.Popen([*line, str(s.root), "build", "--profile", "studio"], env=s.env, **quiet) for s in (one, two)]  # type: ignore[call-overload]
        assert [process.wait(120) for process in builds] == [3, 3]
        assert 4 <= one.submits() < 12
        assert one.fakes["openai"].ledger.total <= most * 4


@pytest.mark.parametrize("flag", ["--locked", "--frozen"])
def test_locked_and_frozen_fail_if_anything_would_be_bought(shop: Shop, flag: str) -> None:
    """Before: status 3 and no request. After an ordinary build: status 0, and the lock is not touched."""
    built = shop.build(flag)
    assert (built.status, built.ran, shop.submits()) == (3, [], 0)
    assert flag in built.text
    assert shop.build().status == 0
    lock = (shop.root / "clipbuild.lock").read_bytes()
    shop.photo("brand/logo.png", "#123456", (64, 64))
    shop.edit("clipbuild.yaml", "  name: Test\n", "  name: Test\n  logo: brand/logo.png\n")
    assert shop.build(flag).status == 0
    assert (shop.root / "clipbuild.lock").read_bytes() == lock


def test_until_image_stops_before_the_motion(tmp_path: pathlib.Path) -> None:
    """Stills are bought, motion is not; the next build goes on from them and buys no still again."""
    with opened(tmp_path, "openai", "kling") as shop:
        shop.stock(1)
        built = shop.build("--until", "image")
        assert (built.status, shop.charges()) == (0, {"openai": 1})
        assert sorted(built.stages()) == ["check", "image"]
        assert shop.build("--until", "image").ran == []
        assert shop.build().status == 0
        assert shop.charges() == {"openai": 1, "kling": 1}


def test_a_state_folder_that_can_not_be_written_stops_buying_under_a_cap_of_the_month(tmp_path: pathlib.Path) -> None:
    """Refused for each, with the place and the way out; no stand-in is made for want of it, and no request goes out. Without
    a budget of the month it is only a warning."""
    with opened(tmp_path, "openai", "kling") as shop:
        shop.stock(1, motion="local")
        shop.edit("catalog/all.yaml", "    offer: {price: €5}", "    fallback: [local]")
        shop.configure(budget_month="50")
        (shop.home / "state" / "clipbuild").mkdir(parents=True)
        (shop.home / "state" / "clipbuild" / "journals").write_bytes(b"in the way")
        built = shop.build()
        told = str(built.plain["errors"])
        assert (built.status, shop.submits(), built.plain["degraded"]) == (3, 0, {})
        assert (built.plain["unfinished"], built.plain["waiting"]) == (["item-0/vertical/image"], [])
        assert "item-0/vertical/image: not bought: your other workspaces would not see it" in told
        assert "XDG_STATE_HOME" in told
        shop.configure()
        assert (shop.build().status, shop.submits()) == (0, 1)


def test_approve_stills_waits_for_a_person(tmp_path: pathlib.Path) -> None:
    """With `approve: stills` motion is bought only for pictures that somebody approved."""
    with opened(tmp_path, "openai", "kling") as shop:
        shop.stock(2, extra="approve: stills\n")
        built = shop.build()
        assert (built.status, shop.charges()) == (4, {"openai": 2})
        assert "approve --still" in str(built.plain["errors"])
        assert built.plain["waiting"] == ["item-0/vertical/animate", "item-1/vertical/animate"]
        status, out, err = shop.run("approve", "--still", "item-0", "--profile", "studio", "--by", "test")
        assert status == 0, out + err
        assert cost(shop)["most"] == "0.252"
        built = shop.build()
        assert (built.status, shop.charges()) == (4, {"openai": 2, "kling": 1})
        assert "tiktok/item-0/item-0.mp4" in shop.files()


def test_check_names_what_a_model_cannot_honour(tmp_path: pathlib.Path) -> None:
    """A length, sound, a shape, an ended model and its successor: with the product's place, before anything is bought."""
    with opened(tmp_path, "openai", "kling", "runway") as shop:
        shop.stock(1)
        shop.edit("clipbuild.yaml", "openai/gpt-image-2.5-flare:low", "openai/dall-e-3")
        shop.edit("clipbuild.yaml", "kling/kling-3.0", "runway/gen4.5")
        shop.edit("clipbuild.yaml", "duration: 3", "duration: 14")
        shop.edit("catalog/all.yaml", "    offer: {price: €5}", "    sound: {own: keep}")
        status, _, err = shop.run("check", "--profile", "studio")
        assert status == 2
        assert "its successor is gpt-image-2.5-flare" in err
        assert "makes clips of 2 to 10 s, not of 14 s" in err
        assert "gen4.5 makes no sound" in err
        assert "catalog/all.yaml:2:" in err


@pytest.mark.parametrize("text", ["x", "-1", "nan", "1e999999999", "$"])
def test_an_amount_is_read_strictly(text: str) -> None:
    """What is no amount of money is refused."""
    with pytest.raises(UsageError):
        money_of(text, "--max-spend")
