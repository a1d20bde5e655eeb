"""The tree you ship, and its manifest: deliverables put in place, and what left the catalog taken away.

Only files that clipbuild made (they stand in the manifest) are ever replaced or removed; a stranger's file is never
touched. Knows nothing of how a deliverable was made.
"""

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clipbuild.digest import Digest
from clipbuild.engine import files
from clipbuild.errors import UsageError, shown

MANIFEST = "manifest.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One deliverable as the manifest tells it."""

    path: str
    sha256: Digest
    bytes: int
    key: Digest
    clip: str
    platform: str
    kind: str
    width: int
    height: int
    fps: int
    duration: float

    def plain(self) -> dict[str, Any]:
        """The entry as JSON data."""
        return {name: getattr(self, name) for name in self.__slots__}


class Tree:
    """The output folder of one workspace. `emit(kind, path)` is told of every file written or removed."""

    def __init__(self, root: str, folder: str, emit: Callable[[str, str], None] = lambda *_: None) -> None:
        self.root, self.folder, self.emit = root, folder, emit
        self.top = files.within(root, folder)

    def recorded(self) -> dict[str, dict[str, Any]]:
        """What the manifest says clipbuild made: path → entry. Empty when there is no readable manifest."""
        try:
            with open(os.path.join(self.top, MANIFEST), "rb") as file:
                rows = json.loads(file.read())["deliverables"]
            return {str(row["path"]): row for row in rows}
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return {}

    def put(self, entry: Entry, blob: str, known: Mapping[str, Any] | None) -> bool:
        """Place `blob` at the entry's path unless the right bytes are there. True when something was written.

        `known` is the manifest's row for that path: a file there that clipbuild did not make is never overwritten.
        Raises UsageError for that.
        """
        target = files.within(self.top, entry.path)
        if os.path.lexists(target):
            if self._same(target, entry, blob):
                return False
            if known is None and not os.path.islink(target) and not self._is_blob(target, entry):
                raise UsageError(
                    f"{self.folder}/{shown(entry.path)}: a file that clipbuild did not make is in the way",
                    hint="move it away, then `clipbuild build`",
                )
        files.ensure_dir(os.path.dirname(target), 0o755)
        files.place(blob, target, share=True)
        self.emit("written", entry.path)
        return True

    def _same(self, target: str, entry: Entry, blob: str) -> bool:
        if os.path.islink(target) or not os.path.isfile(target):
            return False
        if os.path.samefile(target, blob):
            return True
        return os.path.getsize(target) == entry.bytes and self._is_blob(target, entry)

    @staticmethod
    def _is_blob(target: str, entry: Entry) -> bool:
        from clipbuild import digest

        return os.path.isfile(target) and digest.of_file(target) == entry.sha256

    def drop(self, paths: Iterable[str]) -> None:
        """Remove files that clipbuild made, and folders that become empty."""
        folders = set()
        for path in paths:
            target = files.within(self.top, path)
            if os.path.lexists(target) and (os.path.islink(target) or not os.path.isdir(target)):
                files.remove(target)
                self.emit("removed", path)
            folders.add(os.path.dirname(target))
        for folder in sorted(folders, key=len, reverse=True):
            self._prune(folder)

    def _prune(self, folder: str) -> None:
        while len(folder) > len(self.top):
            try:
                os.rmdir(folder)
            except OSError:
                return
            folder = os.path.dirname(folder)

    def save(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write the manifest, whole, one deliverable a line; only when it changed."""
        lines = ",\n".join(
            json.dumps(row, sort_keys=True, ensure_ascii=False) for row in sorted(rows, key=lambda r: str(r["path"]))
        )
        data = f'{{"format": {FORMAT}, "deliverables": [\n{lines}\n]}}\n'.encode()
        path = os.path.join(self.top, MANIFEST)
        try:
            with open(path, "rb") as file:
                if file.read() == data:
                    return
        except OSError:
            pass
        files.ensure_dir(self.top, 0o755)
        files.write_atomic(path, data)
