"""Every command line in the documents and the CI examples is one: its command, its options and their values exist."""

import pathlib
import re
import shlex

import click
import pytest
import yaml

from clipbuild.cli.main import COMMANDS, group

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "examples/ci").glob("*.yml"))]
_LINE = re.compile(r"(?:^|[`(|&;]|\s)clipbuild ((?:-C \S+ )?[a-z-]+(?: [^`\n|;&>#]*)?)", re.MULTILINE)


def lines(path: pathlib.Path) -> list[str]:
    """What stands after `clipbuild` in code, up to its end."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        if path.name == "commands.md":
            return []
        fenced = re.findall(r"```(?:sh|console|bash|yaml)\n(.*?)```", text, re.DOTALL)
        inline = re.findall(r"`(clipbuild [^`\n]+)`", text)
        text = "\n".join([*fenced, *inline])
    return [found.strip() for found in _LINE.findall(text)]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_command_line_is_one(path: pathlib.Path) -> None:
    """Commands and options that are there."""
    wrong = []
    for line in lines(path):
        words = shlex.split(line, comments=True)
        if words[:1] == ["-C"]:
            words = words[2:]
        if words[0] not in COMMANDS:
            wrong.append(f"{line}: no command {words[0]!r}")
            continue
        command = group.get_command(click.Context(group), words[0])
        assert command is not None
        all_of_it = [command, *(command.commands.values() if isinstance(command, click.Group) else ())]
        known = {name for each in all_of_it for option in each.params for name in (*option.opts, *option.secondary_opts)}
        known |= {"--help", "-h", "--"}
        wrong += [f"{line}: no option {word}" for word in words[1:]
                  if word.startswith("-") and word != "-" and word.split("=")[0] not in known]  # fmt: skip
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", sorted((ROOT / "examples/ci").glob("*.yml")), ids=lambda path: path.name)
def test_the_examples_for_ci_are_yaml_that_never_trusts_a_pull_request(path: pathlib.Path) -> None:
    """They parse, and the job that runs for pull requests is given no key and no trust."""
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))
    plan = jobs["jobs"]["plan"] if "jobs" in jobs else jobs["plan"]
    text = yaml.safe_dump(plan)
    assert "secrets." not in text
    assert "CLIPBUILD_TRUSTED" not in text
    assert "--affected" in text
    assert "CLIPBUILD_TRUSTED" in path.read_text(encoding="utf-8")
