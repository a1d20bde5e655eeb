"""`clipbuild check` in every form: text for people, JSON for programs, annotations for pull requests."""

import json
import pathlib

import pytest

from tests.support.project import Project

BROKEN = "products:\n  - sku: a\n    nam: A\n    photos: photos/p.png\n  - sku: a, b\n    name: B\n"


@pytest.fixture
def project(tmp_path: pathlib.Path) -> Project:
    made = Project(tmp_path / "shop, 1")
    made.sample()
    return made


def test_nothing_wrong(project: Project) -> None:
    """It says how much there is, and leaves with 0."""
    project.photo("photos/p0.png", size=(1200, 1500))
    assert project.run("check") == (0, "1 product, 1 clip: nothing wrong\n", "")
    status, out, _ = project.run("check", "--json")
    assert (status, json.loads(out)) == (0, {"problems": [], "products": 1, "clips": 1, "pictures": {}})


def test_text(project: Project) -> None:
    """Every problem with its place and hint, and status 2."""
    project.write("catalog/b.yaml", BROKEN)
    status, out, err = project.run("check")
    assert (status, out) == (2, "")
    assert "catalog/b.yaml:3:5: unknown key 'nam'\n    hint   did you mean \"name\"?" in err or "hint  did you mean" in err
    assert err.endswith("3 problems\n")


def test_json(project: Project) -> None:
    """The same as data."""
    project.write("catalog/b.yaml", BROKEN)
    status, out, _ = project.run("check", "--format", "json")
    rows = json.loads(out)["problems"]
    assert status == 2
    assert [(row["file"], row["line"], row["column"], row["level"]) for row in rows] == [
        ("catalog/b.yaml", 3, 5, "error"), ("catalog/b.yaml", 4, 13, "error"), ("catalog/b.yaml", 5, 10, "error"),
    ]  # fmt: skip


def test_github(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command a problem, with paths as seen from the repository and every separator escaped."""
    project.write("catalog/b.yaml", BROKEN)
    monkeypatch.chdir(project.root.parent)
    status, out, _ = project.run("check", "--format", "github")
    lines = out.splitlines()
    assert (status, len(lines)) == (2, 3)
    assert lines[0] == "::error file=shop%2C 1/catalog/b.yaml,line=3,col=5::unknown key 'nam'%0Ahint: did you mean \"name\"?"


def test_sarif(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A SARIF document with a place for each."""
    project.write("catalog/b.yaml", BROKEN)
    monkeypatch.chdir(project.root)
    _, out, _ = project.run("check", "--format", "sarif")
    document = json.loads(out)
    [run] = document["runs"]
    assert (document["version"], run["tool"]["driver"]["name"], len(run["results"])) == ("2.1.0", "clipbuild", 3)
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "catalog/b.yaml"}, "region": {"startLine": 3, "startColumn": 5}}


def test_a_link_out_of_the_project(project: Project) -> None:
    """A photo that is a link to elsewhere, a pipe or a folder is said at its product, without a hang."""
    import os

    (project.root / "photos" / "p0.png").unlink()
    for make, what in (
        (lambda path: path.symlink_to("/etc/passwd"), "leaves the project"), (os.mkfifo, "not a regular file"),
        (lambda path: path.mkdir(), "not a regular file"), (lambda path: path.symlink_to("nowhere.png"), "is not there"),
    ):  # fmt: skip
        path = project.root / "photos" / "p0.png"
        make(path)
        status, _, err = project.run("check")
        assert status == 2
        assert "catalog/all.yaml:" in err
        assert what in err
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()


def test_a_broken_font_of_the_brand_is_said_once(project: Project) -> None:
    """However many clips want it, and with its path in the project."""
    project.write("fonts/own.ttf", b"no font at all")
    project.sample(3)
    project.edit("clipbuild.yaml", "  name: Test\n", "  name: Test\n  fonts: {heading: fonts/own.ttf}\n")
    status, _, err = project.run("check")
    assert status == 2
    assert err.startswith("clipbuild.yaml: fonts/own.ttf: not a TrueType or OpenType font\n")
    assert err.endswith("1 problem\n")


def test_a_scene_without_a_place_is_a_warning(project: Project) -> None:
    """It is made, on a plain ground; one that has its picture is no news."""
    project.photo("photos/p0.png", size=(1200, 1500))
    project.edit("catalog/all.yaml", "  - sku: item-0", "  - sku: item-0\n    recipe: scene")
    status, _, err = project.run("check")
    assert (status, err.partition("\n")[0]) == (0, "catalog/all.yaml:2:5: a scene without a background picture")
    project.edit("catalog/all.yaml", "    recipe: scene", "    recipe: scene\n    ground: {plate: photos/p0.png}")
    assert project.run("check")[2] == ""


def test_a_hashtag_that_became_a_comment(project: Project) -> None:
    """YAML drops it without a word; `check` warns at its place."""
    project.photo("photos/p0.png", size=(1200, 1500))
    project.edit("catalog/all.yaml", "name: Item 0", "name: Item 0\n    hook: Big sale #summer")
    status, _, err = project.run("check")
    assert status == 0
    assert err.startswith("catalog/all.yaml:4:20: what begins with # is a comment here")
