"""The data that users inherit or copy: motions, caption styles, overlays, readiness limits. The workspace's own entries win.

Reads `templates/` of the workspace over the shipped one. Knows nothing of clips.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from clipbuild import resources
from clipbuild.errors import UsageError
from clipbuild.planner.shelf import Disk, Files


class Library:
    """Templates of one workspace. `files` is the door to it, which remembers what was asked for."""

    def __init__(self, root: str, load: Callable[[str, bytes], Any], files: Files | None = None) -> None:
        self.load, self.shipped = load, resources.folder("templates")
        self.files = files or Disk(root)
        self._tables: dict[str, Mapping[str, Any]] = {}
        self._listed: dict[str, list[str]] = {}

    def motions(self) -> Mapping[str, Any]:
        """Every motion by name."""
        return self._table("motions.yaml", "motions")

    def motion(self, name: str) -> Mapping[str, Any]:
        """One entry of the motion library. Raises UsageError for an unknown name."""
        return _known(self.motions(), name, "motion")

    def readiness(self) -> Mapping[str, Any]:
        """The limits of picture readiness."""
        return self._table("readiness.yaml", "")

    def clip_limits(self) -> Mapping[str, Any]:
        """The limits of clip readiness."""
        return self._table("clipcheck.yaml", "")

    def styles(self) -> tuple[str, ...]:
        """The names of the caption styles."""
        own = self.files.names("templates/captions")
        return tuple(sorted({*_yaml(self._shipped("captions")), *_yaml(own)}))

    def style(self, name: str) -> Mapping[str, Any]:
        """A caption style. Raises UsageError for an unknown name."""
        if name not in self.styles():
            _known(dict.fromkeys(self.styles()), name, "caption style")
        return self._table(f"captions/{name}.yaml", "")

    def overlays(self) -> Mapping[str, Any]:
        """The looks of hook, headline, offer, price and call to action by name."""
        return {name: self._table(f"overlays/{name}.yaml", "") for name in _yaml(self._shipped("overlays"))}

    def _shipped(self, folder: str) -> list[str]:
        if folder not in self._listed:  # asked for every clip
            path = os.path.join(self.shipped, folder)
            self._listed[folder] = os.listdir(path) if os.path.isdir(path) else []
        return self._listed[folder]

    def _table(self, name: str, key: str) -> Mapping[str, Any]:
        if name not in self._tables:
            table: dict[str, Any] = {}
            shipped = os.path.join(self.shipped, name)
            if os.path.isfile(shipped):
                with open(shipped, "rb") as file:
                    table |= self._parse(shipped, file.read(), key)
            own = f"templates/{name}"
            if self.files.exists(own):
                table |= self._parse(own, self.files.read(own), key)
            self._tables[name] = table
        return self._tables[name]

    def _parse(self, file: str, data: bytes, key: str) -> Mapping[str, Any]:
        table = self.load(file, data)
        table = table.get(key, {}) if key and isinstance(table, dict) else table
        if not isinstance(table, dict):
            raise UsageError(f"{file}: expected a map" + (f" under {key!r}" if key else ""))
        for name, entry in table.items() if key else ():
            if not isinstance(entry, dict):
                raise UsageError(f"{file}: {name!r} under {key!r} is no map", hint="write its values below it, one a line")
        return table


def _yaml(names: Sequence[str]) -> list[str]:
    return sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml"))


def _known(table: Mapping[str, Any], name: str, what: str) -> Mapping[str, Any]:
    if name in table:
        found = table[name]
        assert isinstance(found, Mapping)
        return found
    import difflib

    near = difflib.get_close_matches(name, table, n=1)
    hint = f'did you mean "{near[0]}"?' if near else ""
    raise UsageError(f"unknown {what} {name!r}", [("known", ", ".join(sorted(table)))], hint)
