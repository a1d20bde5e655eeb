"""Motions, styles, overlays and limits: what ships with clipbuild, and a project's own over it."""

import os
from typing import Any

import pytest

from clipbuild.catalog.load import plain
from clipbuild.errors import CatalogError, UsageError
from clipbuild.planner.library import Library
from tests.support.templates import Memory


def library(**files: str) -> Library:
    """A library whose project has these templates."""
    own = {f"templates/{name.replace('__', '/')}.yaml": text for name, text in files.items()}
    return Library("/nowhere", plain, Memory(dict(own)))


def test_what_ships_is_there() -> None:
    """Every motion has words for both models; every style and limit is a map."""
    box = library()
    assert {"push-in", "parallax", "hold", "reveal"} <= set(box.motions())
    for name in box.motions():
        words = box.motion(name)["words"]
        assert words["image"]
        assert words["motion"]
    assert {"plain", "boxed", "karaoke", "pop"} <= set(box.styles())
    assert all(box.style(name) for name in box.styles())
    assert {"hook", "price", "cta", "offer", "headline"} <= set(box.overlays())
    assert box.readiness()
    assert box.clip_limits()


def test_a_motion_of_ones_own_wins_and_others_stay() -> None:
    """An entry of the project replaces the shipped one of its name and adds new ones."""
    box = library(motions="motions:\n  push-in: {zoom: [1, 2]}\n  whirl: {turn: 9}\n")
    assert box.motion("push-in") == {"zoom": [1, 2]}
    assert box.motion("whirl") == {"turn": 9}
    assert box.motion("hold") == library().motion("hold")


def test_a_style_of_ones_own() -> None:
    """A file of its name in templates/captions is a style."""
    box = library(captions__loud="size: 0.2\n")
    assert "loud" in box.styles()
    assert box.style("loud") == {"size": 0.2}


def test_part_of_an_overlay_may_be_ones_own() -> None:
    """Keys that are not written keep what ships."""
    shipped = library().overlays()["price"]
    own = library(overlays__price="size: 0.123\n").overlays()["price"]
    assert own == {**shipped, "size": 0.123}


@pytest.mark.parametrize(("name", "near"), [("push-inn", "push-in"), ("paralax", "parallax"), ("zzzz", "")])
def test_an_unknown_motion(name: str, near: str) -> None:
    """Told with those that are known, and the nearest one."""
    with pytest.raises(UsageError, match=f"unknown motion '{name}'") as caught:
        library().motion(name)
    assert caught.value.hint == (f'did you mean "{near}"?' if near else "")
    assert "push-in" in dict(caught.value.facts)["known"]


def test_an_unknown_style() -> None:
    """The same for caption styles; a name can't lead to another file."""
    for name in ("boxd", "../motions", "captions/boxed"):
        with pytest.raises(UsageError, match="unknown caption style"):
            library().style(name)


@pytest.mark.parametrize(
    ("text", "words"), [("- a\n", "expected a map"), ("motions: [a]\n", "under 'motions'"), ("motions: {push-in: fast}\n", "push-in")]
)
def test_a_file_of_another_form(text: str, words: str) -> None:
    """Told with its path: an entry that is no map is as wrong as a file that is none."""
    with pytest.raises(UsageError, match=words) as caught:
        library(motions=text).motion("push-in")
    assert "templates/motions.yaml" in caught.value.what


def test_broken_yaml_has_its_place() -> None:
    """File, line and column, as in the catalog."""
    with pytest.raises(CatalogError) as caught:
        library(readiness="a: [1\nb: 2\n").readiness()
    assert caught.value.problems[0].file == "templates/readiness.yaml"


def test_every_file_is_read_once_and_asked_for_by_name() -> None:
    """The door hears of each file that might be there, so that one that comes later is noticed."""
    door = Memory({})
    box = Library("/nowhere", plain, door)
    box.motions()
    box.motions()
    assert door.asked == ["templates/motions.yaml"]


def test_from_a_folder(tmp_path: Any) -> None:
    """Without a door of its own it reads the project's folder."""
    os.makedirs(tmp_path / "templates" / "captions")
    (tmp_path / "templates" / "captions" / "mine.yaml").write_text("size: 0.3\n", encoding="utf-8")
    assert Library(str(tmp_path), plain).style("mine") == {"size": 0.3}
