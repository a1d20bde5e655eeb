"""`motion: auto` for motion that is bought: chosen by the picture first, then asked for in its own words, once."""

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
