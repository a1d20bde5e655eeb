"""The tree you ship, and its manifest: deliverables put in place, and what left the catalog taken away.

Only files that clipbuild made (they stand in the manifest) are ever replaced or removed; a stranger's file is never
touched. Knows nothing of how a deliverable was made.
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from shlex import quote
from typing import Any

from clipbuild import digest, manifest
from clipbuild.digest import Digest
from clipbuild.engine import files
from clipbuild.engine.snapshot import Signature, output_signature
from clipbuild.errors import UsageError, shown
from clipbuild.manifest import Manifest

MANIFEST = manifest.NAME


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
    degraded: str = ""

    def plain(self) -> dict[str, Any]:
        """The entry as JSON data; `degraded` only where it is."""
        return {name: getattr(self, name) for name in self.__slots__ if name != "degraded" or self.degraded}


class Tree:
    """The output folder of one workspace. `emit(kind, path)` is told of every file written or removed."""

    def __init__(self, root: str, folder: str, emit: Callable[[str, str], None] = lambda *_: None) -> None:
        self.root, self.folder, self.emit = root, folder, emit
        self.top = files.within(root, folder)
        self.name = os.path.relpath(self.top, root).replace(os.sep, "/")
        """The folder relative to the workspace, with forward slashes."""
        self.seen: dict[str, Signature] = {}
        """What the files looked like when they were found right or placed, by their paths in the workspace."""
        self._right: dict[str, Digest] = {}

    def below(self, paths: Iterable[str]) -> list[str]:
        """Paths of the tree as paths of the workspace."""
        return [f"{self.name}/{path}" for path in paths]

    def manifest(self) -> Manifest:
        """What clipbuild made here. Empty when there is no readable manifest."""
        return Manifest.load(os.path.join(self.top, MANIFEST))

    def recorded(self) -> dict[str, dict[str, Any]]:
        """What the manifest says clipbuild made: path → entry. Empty when there is no readable manifest."""
        return self.manifest().rows()

    def ready(self) -> None:
        """Raises UsageError where the tree can't be written to: better said before the work than after it."""
        here = self.top
        while not os.path.lexists(here) and here != self.root:
            here = os.path.dirname(here)
        if not os.path.isdir(here):
            raise UsageError(f"{self.folder}: no folder", hint="move what is in the way, then `clipbuild build`")
        if not os.access(here, os.W_OK | os.X_OK):
            raise UsageError(f"{self.folder}: can't be written to", hint=f"chmod u+w {quote(here)}, then `clipbuild build`")

    def put(self, entry: Entry, blob: str, ours: bool) -> bool:
        """Place `blob` at the entry's path unless the right bytes are there. True when something was written.

        A file there that clipbuild did not make (not `ours`) is never overwritten. Raises UsageError for that.
        """
        if self._right.get(entry.path) == entry.sha256 or self.is_right(entry, blob):
            return False
        target = files.within(self.top, entry.path)
        if os.path.lexists(target) and not ours and not os.path.islink(target):
            raise UsageError(
                f"{self.folder}/{shown(entry.path)}: a file that clipbuild did not make is in the way",
                hint="move it away, then `clipbuild build`",
            )
        self._place(entry.path, blob, target)
        self._note(entry.path, output_signature(target))
        self.emit("written", entry.path)
        return True

    def is_right(self, entry: Entry, blob: str) -> bool:
        """The right bytes are there; looked at once a run."""
        target = files.within(self.top, entry.path)
        if not os.path.lexists(target):
            return False
        now = output_signature(target)
        if found := self._same(target, entry, blob):
            self._right[entry.path] = entry.sha256
            self._note(entry.path, now)
        return found

    def _note(self, path: str, signature: Signature) -> None:
        self.seen[f"{self.name}/{path}"] = signature

    def _place(self, path: str, blob: str, target: str) -> None:
        folder = os.path.dirname(target)
        try:
            files.ensure_dir(folder, 0o755)
            files.place(blob, target, share=True)
        except (NotADirectoryError, FileExistsError):
            hint = "move what is in the way, then `clipbuild build`"
            raise UsageError(f"{self.folder}/{shown(path)}: its folder can't be made", hint=hint) from None
        except PermissionError:
            hint = f"chmod u+w {quote(folder)}, then `clipbuild build`"
            raise UsageError(f"{self.folder}/{shown(path)}: its folder can't be written to", hint=hint) from None

    def digest(self, path: str) -> Digest | None:
        """The digest of a regular file of the tree; None where there is none."""
        target = files.within(self.top, path)
        return digest.of_file(target) if os.path.isfile(target) and not os.path.islink(target) else None

    def is_absent(self, path: str) -> bool:
        """Nothing of that name is there."""
        return not os.path.lexists(files.within(self.top, path))

    def _same(self, target: str, entry: Entry, blob: str) -> bool:
        if os.path.islink(target) or not os.path.isfile(target):
            return False
        if os.path.samefile(target, blob):
            return True
        return os.path.getsize(target) == entry.bytes and digest.of_file(target) == entry.sha256

    def sweep(self, paths: Iterable[str]) -> None:
        """Remove temporaries that a killed run left beside these files and the manifest."""
        for folder in sorted({"", *map(os.path.dirname, paths)}):
            files.sweep(os.path.join(self.top, folder))

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

    def save(self, table: Manifest) -> None:
        """Write the manifest, whole, unless it is there."""
        path = os.path.join(self.top, MANIFEST)
        if os.path.exists(path) and Manifest.load(path).body == table.body:
            return
        files.ensure_dir(self.top, 0o755)
        files.write_atomic(path, table.dump())
        table.remember(path)
