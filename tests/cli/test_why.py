"""`clipbuild why`: which value differs from when it was made, old and new."""

import json
import pathlib

import pytest

from tests.support.built import built
from tests.support.project import Project


@pytest.fixture
def project(tmp_path: pathlib.Path) -> Project:
    return built(tmp_path)


def test_nothing_changed(project: Project) -> None:
    """Every action of the product, and that it is up to date."""
    status, out, err = project.run("why", "item-0", "--profile", "draft")
    assert (status, err) == (0, "")
    assert len(out.splitlines()) == 7
    assert all(line.endswith(": up to date") for line in out.splitlines())


def test_one_value(project: Project) -> None:
    """A caption edit names the caption, old and new, once; what waits for the picture is not blamed."""
    project.edit("catalog/all.yaml", "name: Item 0\n    photos: photos/p0.png\n    captions: [Hello there]",
                 "name: Item 0\n    photos: photos/p0.png\n    captions: [Good morning]")  # fmt: skip
    out = project.run("why", "item-0", "--profile", "draft")[1]
    assert "item-0/vertical/image: up to date" in out
    assert "item-0/vertical/render: will run  (params.captions[0].text: Hello there -> Good morning)" in out
    assert out.count("item-0/vertical/render") == 1


def test_several_values(project: Project) -> None:
    """Each stands on a line of its own below the action, and is told once."""
    project.edit("catalog/all.yaml", "offer: {price: €5}\n  - sku: item-1", "offer: {price: €6}\n    cta: Go\n  - sku: item-1")
    out = project.run("why", "item-0", "--profile", "draft")[1]
    block = out.partition("render: will run\n")[2].splitlines()
    assert block[:2] == ['    params.cta: "" -> Go', "    params.offer.price: €5 -> €6"]


def test_another_photo(project: Project) -> None:
    """Other bytes are told by the first digits of their digests."""
    project.photo("photos/p0.png", "#0000ff")
    out = project.run("why", "item-0", "--profile", "draft")[1]
    assert "item-0/vertical/image: will run  (inputs.photo_0: other bytes (" in out
    assert "item-0/vertical/render: may run  (waits for check, image, choose)" in out


def test_json(project: Project) -> None:
    """The same as data: verdict, kind of reason, changes as [path, old, new]."""
    project.edit("catalog/all.yaml", "€5}\n  - sku: item-1", "€7}\n  - sku: item-1")
    told = json.loads(project.run("why", "item-0", "--profile", "draft", "--json")[1])
    assert told["item-0/vertical/image"] == {"verdict": "up to date", "reason": told["item-0/vertical/image"]["reason"], "changes": []}
    assert told["item-0/vertical/render"]["changes"] == [["params.offer.price", "€5", "€7"]]
    assert (told["item-0/vertical/render"]["verdict"], told["item-0/vertical/render"]["reason"]) == ("will run", "changed")


def test_an_unknown_product(project: Project) -> None:
    """It is said with those that are there, and status 2."""
    status, out, err = project.run("why", "nosuch")
    assert (status, out) == (2, "")
    assert "known  item-0, item-1" in err
