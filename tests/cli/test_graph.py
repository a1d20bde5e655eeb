"""`clipbuild graph`: the actions and how they hang together, for people, Graphviz, Markdown and programs."""

import json
import pathlib
import re

import pytest

from tests.support.project import Project


@pytest.fixture
def project(tmp_path: pathlib.Path) -> Project:
    made = Project(tmp_path)
    made.sample(2)
    return made


def graph(project: Project, *args: str) -> str:
    """What it prints; it must succeed."""
    status, out, err = project.run("graph", "--profile", "draft", *args)
    assert (status, err) == (0, "")
    return out


def test_text(project: Project) -> None:
    """An action a line, after those that it needs, with what it takes from each."""
    lines = graph(project, "item-0").splitlines()
    assert lines[0] == "item-0/vertical/image  [will run]"
    assert "item-0/vertical/cover  [may run]  <- item-0/vertical/render:video" in lines
    seen: list[str] = []
    for line in lines:
        name, _, sources = line.partition("  <- ")
        assert all(source.rpartition(":")[0] in seen for source in sources.split(", ") if sources)
        seen.append(name.partition("  [")[0])


def test_json(project: Project) -> None:
    """Every edge leads from an action that is listed to one that is."""
    told = json.loads(graph(project, "--format", "json"))
    names = {row["name"] for row in told["actions"]}
    assert {"item-0/vertical/render", "item-1/vertical/render"} <= names
    assert all({edge["from"], edge["to"]} <= names and edge["output"] for edge in told["edges"])


def test_json_and_text_say_the_same(project: Project) -> None:
    """As many edges in one as in the other."""
    text = graph(project)
    edges = json.loads(graph(project, "--format", "json"))["edges"]
    assert len(edges) == sum(line.partition("  <- ")[2].count(":") for line in text.splitlines())


def test_dot(project: Project) -> None:
    """A graph that Graphviz can read: every node that an edge names is declared, names are quoted."""
    text = graph(project, "item-0", "--format", "dot")
    declared = set(re.findall(r"^  (a\d+) \[label=\"[^\"]+\"\];$", text, re.MULTILINE))
    used = set(re.findall(r"\b(a\d+)\b -> ", text)) | set(re.findall(r" -> (a\d+)\b", text))
    assert text.startswith("digraph clipbuild {\n")
    assert text.endswith("}\n")
    assert used
    assert used <= declared


def test_mermaid(project: Project) -> None:
    """A diagram for Markdown."""
    text = graph(project, "item-0", "--format", "mermaid")
    assert text.splitlines()[0] == "graph LR"
    assert re.search(r'^  a0\["item-0/vertical/image"\]$', text, re.MULTILINE)
    assert re.search(r"^  a\d+ -->\|image\| a\d+$", text, re.MULTILINE)


def test_equal_work_of_two_products_is_one_node(project: Project) -> None:
    """Both say the same, so their subtitles are one action, shown by the first one's name."""
    names = [row["name"] for row in json.loads(graph(project, "--format", "json"))["actions"]]
    assert [name for name in names if name.endswith("/captions")] == ["item-0/captions"]
