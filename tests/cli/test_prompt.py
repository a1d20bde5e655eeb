"""`clipbuild prompt`: what a model would be told, and which template line said it."""

import json
import pathlib

import pytest

from tests.support.project import Project


@pytest.fixture
def project(tmp_path: pathlib.Path) -> Project:
    made = Project(tmp_path)
    made.sample()
    return made


def test_text_and_lines(project: Project) -> None:
    """The whole prompt, then every piece of it with file and line."""
    status, out, _ = project.run("prompt", "item-0")
    assert status == 0
    assert out.startswith("item-0 (image, 9:16)\n\nItem 0. A single subject")
    assert "    clipbuild/packshot.j2:3  Item 0." in out


def test_bare_is_the_text_alone(project: Project) -> None:
    """Ready to be piped: nothing but the prompt, the same text as in JSON."""
    bare = project.run("prompt", "item-0", "--bare")[1]
    [row] = json.loads(project.run("prompt", "item-0", "--json")[1])
    assert bare == row["text"] + "\n"
    assert (row["clip"], row["aspect"], row["kind"]) == ("item-0", "9:16", "image")


def test_lines_make_up_the_text(project: Project) -> None:
    """Every word of the prompt comes from a line that is told."""
    [row] = json.loads(project.run("prompt", "item-0", "--json")[1])
    said = " ".join(text for _, _, text in row["lines"]).split()
    assert said == row["text"].split()


def test_every_aspect_once(project: Project) -> None:
    """Platforms of one size share a prompt; another size has one of its own; --aspect picks."""
    project.edit("clipbuild.yaml", "[tiktok]", "[tiktok, reels, youtube]")
    project.edit("clipbuild.yaml", "duration: 1", "duration: 5")
    rows = json.loads(project.run("prompt", "item-0", "--json")[1])
    assert [row["aspect"] for row in rows] == ["9:16", "16:9"]
    rows = json.loads(project.run("prompt", "item-0", "--json", "--aspect", "16:9")[1])
    assert [row["aspect"] for row in rows] == ["16:9"]


def test_motion(project: Project) -> None:
    """What a motion model is told speaks of the move, by its words in the library."""
    assert "push-in" in project.run("prompt", "item-0", "--kind", "motion", "--bare")[1]


def test_an_own_template(project: Project) -> None:
    """The project's template wins, and is named."""
    project.write("templates/prompts/packshot.j2", "Only {{ name }}.\n")
    out = project.run("prompt", "item-0")[1]
    assert "Only Item 0." in out
    assert "templates/prompts/packshot.j2:1  Only Item 0." in out


def test_a_broken_template(project: Project) -> None:
    """Told with file and line, status 2."""
    project.write("templates/prompts/packshot.j2", "ok\n{{ name.__class__ }}\n")
    status, out, err = project.run("prompt", "item-0")
    assert (status, out) == (2, "")
    assert "templates/prompts/packshot.j2:2" in err
