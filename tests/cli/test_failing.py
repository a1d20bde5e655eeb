"""Whoever asked for JSON gets JSON: also of a command that failed, and of a command line that is wrong."""

import json
import pathlib
from typing import Any

import click
import pytest

from clipbuild.cli.failing import asks_for_json
from clipbuild.cli.main import COMMANDS, group
from tests.support.project import Project


def commands() -> list[str]:
    """Every command that has --json, with its subcommands."""
    found = []
    context = click.Context(group)
    for name in COMMANDS:
        command = group.get_command(context, name)
        assert command is not None
        found += [" ".join(path) for path, one in _all((name,), command) if _has_json(one)]
    return found


def _all(path: tuple[str, ...], command: click.Command) -> list[tuple[tuple[str, ...], click.Command]]:
    inner = command.commands.items() if isinstance(command, click.Group) else ()
    return [(path, command), *(found for name, one in inner for found in _all((*path, name), one))]


def _has_json(command: click.Command) -> bool:
    return any("--json" in param.opts for param in command.params)


def failed(project: Project, *args: str) -> tuple[int, dict[str, Any], str]:
    """Status, the error on stdout and the text on stderr."""
    status, out, err = project.run(*args)
    assert status != 0, (args, out)
    told = json.loads(out)
    assert set(told) == {"error"}, told
    assert told["error"]["status"] == status
    assert {"what", "facts", "hint"} <= set(told["error"])
    assert told["error"]["what"]
    return status, told["error"], err


@pytest.mark.parametrize("command", commands())
def test_a_wrong_command_line(command: str, tmp_path: pathlib.Path) -> None:
    """An option that there is not: text for people as ever, and one JSON object."""
    status, told, err = failed(Project(tmp_path), *command.split(), "--json", "--no-such-option")
    assert status == 2
    assert "--no-such-option" in told["what"]
    assert "--no-such-option" in err


def test_where_there_is_no_project(tmp_path: pathlib.Path) -> None:
    """Every command that works on a project says so, as an error of three parts."""
    count = 0
    for command in commands():
        arguments = {"why": ["x"], "prompt": ["x"], "retake": ["x"], "approve": ["x"], "reject": ["x"], "import": ["x.csv"]}
        status, out, err = Project(tmp_path).run(*command.split(), "--json", *arguments.get(command, []))
        if status == 0 or "no clipbuild.yaml" not in err:
            continue
        count += 1
        told = json.loads(out)["error"]
        assert (told["status"], told["hint"][:15]) == (2, "`clipbuild init"), command
    assert count >= 10


def test_a_catalog_that_is_wrong(tmp_path: pathlib.Path) -> None:
    """Every problem with file, line, column and hint; nothing of the kind where JSON was not asked for."""
    project = Project(tmp_path)
    project.sample()
    project.edit("catalog/all.yaml", "captions:", "captionz:")
    status, told, err = failed(project, "build", "--json")
    assert (status, told["what"]) == (2, "1 problem in the catalog")
    problem = told["problems"][0]
    assert (problem["file"], problem["line"]) == ("catalog/all.yaml", 5)
    assert "captions" in problem["hint"]
    assert "catalog/all.yaml:5" in err
    assert project.run("build")[1] == ""


def test_facts_are_told_and_secrets_are_not(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The facts as pairs; a key that stands in a name is hidden there too."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-0123456789abcdef")
    project = Project(tmp_path)
    project.sample()
    _, told, _ = failed(project, "build", "--json", "sk-canary-0123456789abcdef")
    assert ["known", "item-0"] in told["facts"]
    assert "canary" not in json.dumps(told)


@pytest.mark.parametrize(
    ("line", "asked"),
    [("build --json", True), ("check --format json", True), ("check --format=json", True), ("build", False),
     ("why -- --json", False), ("check --format sarif", False)],
)  # fmt: skip
def test_what_asks_for_json(line: str, asked: bool) -> None:
    """An option, not a name behind `--`."""
    assert asks_for_json(line.split()) == asked
