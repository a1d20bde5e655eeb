"""Which clips need no plan: told by entry, files, context and the texts of their prompts, never by times or templates."""

import os
import pathlib
from collections.abc import Iterator

import pytest

from clipbuild import planning, resources
from clipbuild.look import Look
from clipbuild.settings import Settings
from clipbuild.wish import Wish
from tests.support.project import Project
from tests.support.shop import Shop, opened


def planned(root: pathlib.Path, profile: str, settings: Settings | None = None) -> set[str]:
    """The clips that a build would plan now."""
    wish, chosen = Wish(str(root), profile=profile), settings or Settings()
    look = Look.take(wish, chosen)
    session = planning.open_session(wish, chosen, suspects=look.suspects())
    try:
        return set(planning.make_plan(session, look.drift(session)).deliverables)
    finally:
        session.close()


@pytest.fixture
def project(tmp_path: pathlib.Path) -> Project:
    """Three products, built."""
    made = Project(tmp_path / "shop")
    made.sample(3)
    assert made.build().status == 0
    return made


def test_nothing_is_planned_but_what_an_edit_is_about(project: Project) -> None:
    """A caption, a photo, a file of the tree: the one clip it belongs to; the project file: those it changes."""
    assert planned(project.root, "draft") == set()
    project.photo("photos/p1.png", "#00aa55")
    assert planned(project.root, "draft") == {"item-1"}
    assert project.build().status == 0
    text = (project.root / "catalog/all.yaml").read_text()
    project.write("catalog/all.yaml", text.replace("name: Item 2", "name: Item two"))
    (project.tree / "tiktok/item-0/item-0.json").unlink()
    assert planned(project.root, "draft") == {"item-0", "item-2"}
    assert project.build().status == 0
    project.edit("clipbuild.yaml", "duration: 1", "duration: 1.2")
    assert planned(project.root, "draft") == {"item-0", "item-1", "item-2"}


def test_a_touch_and_what_is_taken_back_are_no_change(project: Project) -> None:
    """Times do not count; an edit that was undone before a build leaves nothing to plan."""
    for path in [*project.root.glob("photos/*"), project.root / "clipbuild.yaml", project.root / "catalog/all.yaml"]:
        os.utime(path)
    assert planned(project.root, "draft") == set()
    text = (project.root / "catalog/all.yaml").read_text()
    project.write("catalog/all.yaml", text.replace("Hello there", "Good morning"))
    project.write("catalog/all.yaml", text)
    assert planned(project.root, "draft") == set()


def test_a_part_that_was_built_does_not_make_the_whole_forget(project: Project) -> None:
    """After `build item-1` the next whole build plans at most what that one touched and what was edited."""
    project.photo("photos/p1.png", "#00aa55")
    project.photo("photos/p2.png", "#5500aa")
    assert project.build("item-1").status == 0
    assert planned(project.root, "draft") <= {"item-1", "item-2"}
    assert {name.split("/")[0] for name in project.build().ran} == {"item-2"}


@pytest.fixture
def shop(tmp_path: pathlib.Path) -> Iterator[Shop]:
    """Two products, pictures bought."""
    with opened(tmp_path, "openai", "kling") as found:
        found.stock(2)
        yield found


def test_a_bought_clip_is_told_by_what_its_prompts_say(shop: Shop) -> None:
    """A template edited so that it says the same plans nothing; one that says something else plans every bought clip."""
    assert shop.build().status == 0
    assert shop.build().ran == []
    before = shop.submits()
    shipped = pathlib.Path(resources.folder("templates"), "prompts", "packshot.j2").read_text()
    shop.write("templates/prompts/packshot.j2", "{# a remark #}" + shipped)
    built = shop.build()
    assert (built.ran, shop.submits()) == ([], before)
    shop.write("templates/prompts/packshot.j2", shipped + "\nOn a rainy day.")
    assert {row["action"].rsplit("/", 1)[1] for row in shop.plan() if row["verdict"] == "will run"} == {"image"}
