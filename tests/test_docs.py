"""The documents tell the truth: every command's help is in them, and what the README shows works."""

import os
import pathlib
import re

import click
import pytest

from clipbuild.cli.main import COMMANDS, group

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "commands.md"
HEAD = """\
# Commands

Made from `--help`; `CLIPBUILD_REWRITE=1 python -m pytest tests/test_docs.py` writes it anew.

Your shell completes commands and options after one of these lines in its start-up file:

```text
eval "$(_CLIPBUILD_COMPLETE=bash_source clipbuild)"      # bash, in ~/.bashrc
eval "$(_CLIPBUILD_COMPLETE=zsh_source clipbuild)"       # zsh, in ~/.zshrc
_CLIPBUILD_COMPLETE=fish_source clipbuild | source       # fish, in ~/.config/fish/config.fish
```
"""


def helped(name: str) -> str:
    names = group.context_settings["help_option_names"]
    context = click.Context(group, info_name="clipbuild", terminal_width=100, max_content_width=100, help_option_names=names)
    if not name:
        return group.get_help(context)
    command = group.get_command(context, name)
    assert command is not None
    own = click.Context(command, parent=context, info_name=name, terminal_width=100, max_content_width=100)
    return command.get_help(own)


def page() -> str:
    parts = [HEAD, "## clipbuild\n\n```text\n" + helped("") + "\n```\n"]
    parts += [f"## clipbuild {name}\n\n```text\n{helped(name)}\n```\n" for name in sorted(COMMANDS)]
    return "\n".join(parts)


def test_the_page_of_commands_is_the_help() -> None:
    """docs/commands.md is what `--help` prints."""
    if os.environ.get("CLIPBUILD_REWRITE"):
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page()


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_teaches(name: str) -> None:
    """A help text of more than a line, and a word on every option."""
    command = group.get_command(click.Context(group), name)
    assert command is not None
    assert command.help
    for option in command.params:
        if isinstance(option, click.Option) and option.name not in ("help", "kind", "form"):
            assert option.help, f"{name} {option.name}"


def test_links_lead_somewhere() -> None:
    """Every relative link in the documents is a file that is there."""
    wrong = []
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            if not (path.parent / target).exists():
                wrong.append(f"{path.name}: {target}")
    assert not wrong, wrong


def test_the_readme_names_commands_that_exist() -> None:
    """Every `clipbuild word` in the README is a command."""
    words = re.findall(r"clipbuild (?:-C \S+ )?([a-z]+)[ `]", (ROOT / "README.md").read_text(encoding="utf-8"))
    commands = {word for word in words if word in COMMANDS}
    assert {"build", "plan", "init", "check", "why", "prompt", "qc"} <= commands


def test_the_map_names_every_room() -> None:
    """docs/architecture.md shows each room, and each file of the assembly and the ground, and none that is gone."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    shown = text.partition("```text\n")[2].partition("```")[0]
    rooms = {path.stem for path in (ROOT / "clipbuild").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    words = {word for line in shown.splitlines() for word in re.split(r"\s+|│", line[12:41]) if word}
    there = {room for room in rooms if not room.startswith("__")}
    assert words == there, f"docs/architecture.md, Rooms: add {there - words or '-'}, take out {words - there or '-'}"


def test_every_package_earns_its_place() -> None:
    """Each dependency has a row that says why, and each page a link in the README."""
    import tomllib

    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").partition("## Packages")[2]
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    names = [re.split(r"[<>=\[; ]", wanted)[0] for wanted in table["project"]["dependencies"]]
    assert [name for name in names if not re.search(rf"\b{re.escape(name)}\b", text)] == []
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in (ROOT / "docs").glob("*.md") if f"docs/{page.name}" not in readme] == []
