"""`motion: auto` for motion that is bought: chosen by the picture first, then asked for in its own words, once."""

import json
import pathlib

from clipbuild.catalog.load import plain
from clipbuild.gallery.desk import ProjectDesk
from clipbuild.planner.library import Library
from clipbuild.settings import Settings
from clipbuild.wish import Wish
from tests.support.shop import opened


def test_the_choice_comes_before_the_purchase(tmp_path: pathlib.Path) -> None:
    """One build: the picture, the choice, then one clip with the chosen motion's words; a second build buys nothing."""
    with opened(tmp_path, "openai", "kling") as shop:
        shop.stock(1)
        shop.edit("clipbuild.yaml", "motion: push-in", "motion: auto")
        built = shop.build()
        assert built.status == 0, built.text
        assert shop.charges() == {"openai": 1, "kling": 1}
        assert {"choose", "animate", "render"} <= set(built.stages())
        desk = ProjectDesk(Wish(str(shop.root), profile=shop.profile), Settings(), "")
        try:
            (card,) = desk.shelf().cards
            asked = dict(desk.shelf().detail(card).prompts)["motion, sent to kling kling-3.0"]
            library = Library(str(shop.root), plain).motions()
            assert card.motion in library
            assert library[card.motion]["words"]["motion"] in asked
        finally:
            desk.close()
        again = shop.build()
        assert (again.status, again.ran) == (0, [])
        assert shop.submits() == 2


def test_what_is_not_chosen_yet_has_its_price(tmp_path: pathlib.Path) -> None:
    """The first plan lists the motion that may be bought, from the cheapest to the dearest move, in the total too; what
    is then bought costs no more, and a second plan lists nothing."""
    with opened(tmp_path, "openai", "kling") as shop:
        shop.stock(1)
        named = shop.run("plan", "--json", "--profile", shop.profile)[1]
        shop.edit("clipbuild.yaml", "motion: push-in", "motion: auto")
        first = json.loads(shop.run("plan", "--json", "--profile", shop.profile)[1])
        (row,) = [row for row in first["actions"] if row["stage"] == "animate"]
        assert (row["action"], row["verdict"]) == ("item-0/vertical/animate", "may run")
        assert "to be chosen" in row["reason"]
        assert abs(float(first["cost"]["most"]) - float(json.loads(named)["cost"]["most"])) < 0.01
        assert float(row["most"]) > 0
        text = shop.run("plan", "--profile", shop.profile)[1]
        assert "item-0/vertical/animate  (waits for its motion to be chosen, by its picture)" in text
        assert shop.build().status == 0
        assert float(sum(fake.ledger.total for fake in shop.fakes.values())) <= float(first["cost"]["most"])
        assert json.loads(shop.run("plan", "--json", "--profile", shop.profile)[1])["to_do"] == 0


def test_a_local_picture_and_a_bought_motion_that_is_not_chosen(tmp_path: pathlib.Path) -> None:
    """The plan has nothing to buy in it and still says what may be; without a budget nothing is begun."""
    with opened(tmp_path, "kling") as shop:
        shop.stock(1)
        shop.edit("clipbuild.yaml", 'image: "openai/gpt-image-2.5-flare:low"', "image: local")
        shop.edit("clipbuild.yaml", "motion: push-in", "motion: auto")
        assert "to be bought" in shop.run("plan", "--profile", shop.profile)[1]
        shop.configure(budget_build='""')
        built = shop.build()
        assert built.status == 3
        assert "no budget is given" in built.text + str(built.plain)


def test_what_a_model_can_t_do_is_told_before_it_is_chosen(tmp_path: pathlib.Path) -> None:
    """A length that no move of it can have."""
    with opened(tmp_path, "openai", "kling") as shop:
        shop.stock(1)
        shop.edit("clipbuild.yaml", "motion: push-in", "motion: auto")
        shop.edit("clipbuild.yaml", "duration: 3", "duration: 40")
        status, _, err = shop.run("check", "--profile", shop.profile)
        assert status == 2
        assert "item-0:" in err
