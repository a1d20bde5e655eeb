"""The shipped caption styles and overlays, as plain maps."""

import os
from typing import Any

import yaml

from clipbuild import resources


def style(name: str) -> dict[str, Any]:
    """A caption style."""
    return _read(f"captions/{name}.yaml")


def styles() -> list[str]:
    """The names of all caption styles."""
    return sorted(n.removesuffix(".yaml") for n in os.listdir(os.path.join(resources.folder("templates"), "captions")))


def overlays() -> dict[str, Any]:
    """All overlays by name."""
    folder = os.path.join(resources.folder("templates"), "overlays")
    return {name.removesuffix(".yaml"): _read(f"overlays/{name}") for name in sorted(os.listdir(folder))}


def _read(path: str) -> dict[str, Any]:
    with open(os.path.join(resources.folder("templates"), path), "rb") as file:
        found = yaml.safe_load(file)
    assert isinstance(found, dict)
    return found
