"""What commands share: the workspace, the settings, selectors, and how results are printed."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from shlex import quote
from typing import Any, TypeVar

import click

from clipbuild.cli import failing
from clipbuild.errors import UsageError
from clipbuild.settings import Settings, load

F = TypeVar("F", bound=Callable[..., Any])
PROJECT = "clipbuild.yaml"


def workspace(folder: str) -> str:
    """The project that `folder` is in: the nearest one upwards with a clipbuild.yaml. Raises UsageError."""
    found = project(folder)
    if not found:
        raise UsageError(f"no {PROJECT} in {folder} or above", hint=f"`clipbuild init {quote(folder)}` starts a project there")
    return found


def project(folder: str) -> str:
    """The project that `folder` is in, "" for none."""
    if not os.path.isdir(folder):
        raise UsageError(f"no folder {folder}", hint="-C names the folder of a project, or one in it")
    here = folder
    while not os.path.isfile(os.path.join(here, PROJECT)):
        up = os.path.dirname(here)
        if up == here:
            return ""
        here = up
    return here


def settings() -> Settings:
    """This run's settings."""
    return load(os.environ)


def profile_option(help_text: str) -> Callable[[F], F]:
    """The option that names a profile."""
    return click.option(
        "--profile", default="", metavar="NAME", show_default="the project's usual one: final, unless it says otherwise",
        help=help_text,
    )  # fmt: skip


def selectors(command: F) -> F:
    """The options that say which clips are meant."""
    command = profile_option("How good and how dear.")(command)
    command = click.option(
        "--platform", "platforms", multiple=True, metavar="NAME", help="Only for this platform (repeatable)."
    )(command)
    return click.argument("products", nargs=-1, metavar="[SKU]...")(command)


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout, nothing else.")


def show_json(value: Mapping[str, Any] | list[Any]) -> None:
    """One JSON document on stdout, nothing else; in plain ASCII where stdout has no UTF-8."""
    json.dump(value, sys.stdout, indent=1, ensure_ascii=failing.needs_ascii(), default=str)
    sys.stdout.write("\n")


def told_why(reason: str) -> str:
    """A reason behind an action's name: in brackets, or, where several values differ, each on a line of its own."""
    if "\n" not in reason:
        return f"  ({reason})"
    return "".join(f"\n    {line}" for line in reason.splitlines())
