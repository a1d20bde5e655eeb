"""What leads nowhere is not bought: bought through the fakes, seen in plan, build and bill."""

import json
import pathlib

from tests.support.shop import Shop, opened


def portrait(shop: Shop) -> None:
    """One product more, for a platform of 4:5, which Kling makes no clips for."""
    shop.edit("catalog/all.yaml", "products:\n", "products:\n  - {sku: tall, name: Tall, photos: photos/p0.png, platforms: [feed]}\n")


def test_no_picture_is_bought_for_a_motion_that_nobody_can_make(tmp_path: pathlib.Path) -> None:
    """The other product is whole, the plan prices it alone, and says of the tall one's picture why it is not bought; so
    does a build that stops after the pictures."""
    with opened(tmp_path, "openai", "kling") as shop:
        shop.stock(1)
        portrait(shop)
        told = json.loads(shop.run("plan", "--json", "--profile", "studio")[1])
        prices = {row["action"]: row.get("price", "") for row in told["actions"] if row["action"].startswith("tall/")}
        assert prices["tall/portrait/image"].startswith("not bought: kling-3.0 makes no 4:5 frame")
        assert told["cost"]["by_product"]["tall"] == {"least": "0", "most": "0"}
        status, _, err = shop.run("build", "--until", "image", "--profile", "studio")
        assert (status, shop.charges()) == (1, {"openai": 1}), err
        assert "tall/portrait/image: not bought: kling-3.0 makes no 4:5 frame" in err
        built = shop.build()
        assert (built.status, shop.charges()) == (1, {"openai": 1, "kling": 1})
        assert "tiktok/item-0/item-0.mp4" in shop.files()


def test_a_picture_is_bought_where_another_may_make_the_motion(tmp_path: pathlib.Path) -> None:
    """Kling can't, `fallback` lets it be moved here: the picture is of use."""
    with opened(tmp_path, "openai", "kling") as shop:
        shop.stock(1)
        shop.edit("catalog/all.yaml", "    offer: {price: €5}", "    platforms: [feed]\n    fallback: [local]")
        built = shop.build()
        assert (built.status, shop.charges(), list(built.plain["degraded"])) == (1, {"openai": 1}, ["item-0"])


def test_a_model_without_a_price_costs_no_picture(tmp_path: pathlib.Path) -> None:
    """Runway's Kling has no published price, so it is never bought, nor what it would start from."""
    with opened(tmp_path, "openai", "runway") as shop:
        shop.stock(1, motion="runway/kling3.0_pro")
        status, _, err = shop.run("check", "--profile", "studio")
        assert (status, "the price of runway/kling3.0_pro is not known, so it is not bought" in err) == (2, True), err
        built = shop.build()
        assert (built.status, shop.submits()) == (1, 0)
        assert "the price of runway/kling3.0_pro is not known" in "".join(built.plain["errors"].values())


def test_a_motion_that_is_chosen_later_counts_too(tmp_path: pathlib.Path) -> None:
    """With `motion: auto` the plan has no motion yet: none of those that may be chosen can be made."""
    with opened(tmp_path, "openai", "kling") as shop:
        shop.stock(1)
        shop.edit("catalog/all.yaml", "    offer: {price: €5}", "    platforms: [feed]\n    motion: auto")
        told = json.loads(shop.run("plan", "--json", "--profile", "studio")[1])
        assert (told["cost"]["least"], told["cost"]["most"]) == ("0", "0")
        assert shop.build().status == 1
        assert shop.submits() == 0


def test_a_plan_that_stops_after_the_pictures_has_no_motion_in_it(tmp_path: pathlib.Path) -> None:
    """Neither a named one nor one that is chosen later, in the list as in the price: what `build --until image` does."""
    with opened(tmp_path, "openai", "kling") as shop:
        shop.stock(2)
        shop.edit("catalog/all.yaml", "    offer: {price: €5}", "    motion: auto")
        whole = json.loads(shop.run("plan", "--json", "--profile", "studio")[1])
        told = json.loads(shop.run("plan", "--until", "image", "--json", "--profile", "studio")[1])
        assert list(told["cost"]["by_provider"]) == ["openai"]
        assert told["cost"]["least"] == whole["cost"]["least"]
        assert {row["stage"] for row in told["actions"]} == {"generate", "check"}
        most = told["cost"]["most"]
        assert shop.run("build", "--until", "image", "--max-spend", most, "--profile", "studio")[0] == 0
        assert shop.charges() == {"openai": 2}
        assert shop.run("plan", "--until", "image", "--since", "HEAD")[0] == 2
        assert json.loads(shop.run("build", "-n", "--until", "image", "--json", "--profile", "studio")[1])["to_do"] == 0


def test_check_says_that_a_place_has_no_candidates(tmp_path: pathlib.Path) -> None:
    """Three are asked for, and a composite buys its place once: a note, for it costs less and not more."""
    with opened(tmp_path, "openai") as shop:
        shop.stock(1, motion="local", picture="composite")
        shop.edit("clipbuild.yaml", "flare:low", "flare:low*3")
        status, out, err = shop.run("check", "--profile", "studio")
        assert (status, "of a composite one is made" in out + err) == (0, True), out + err
