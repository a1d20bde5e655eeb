"""The journal's second copy, in the user's state folder: a lost workspace is recovered from it, and the user's other
workspaces see in it what this one spent.

    <user's state folder>/journals/WORKSPACE    the same lines as the journal's
    HOME/journal.unmirrored                     lines that could not be written there: they go first, once they can

Knows what lines are, not what they say.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from clipbuild.engine import files
from clipbuild.errors import SpendError, shown

NO_FOLLOW = os.O_CLOEXEC | os.O_NOFOLLOW
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | NO_FOLLOW


@dataclass(frozen=True, slots=True)
class Mirror:
    """The copy at `path` ("" for none) of the journal at `journal`; `tell` is told of what fails."""

    path: str
    journal: str
    disk: files.Disk
    tell: Callable[[str], None]

    @property
    def _owed(self) -> str:
        return self.journal + ".unmirrored"

    def read(self) -> bytes:
        """Its bytes; one that can't be read is only told of."""
        try:
            return read(self.path) if self.path else b""
        except OSError as error:
            self.tell(f"{shown(self.path)}: can't be read: {error.strerror}")
            return b""

    def append(self, data: bytes) -> OSError | None:
        """Write these lines, after those that it is owed; why not, where it could not be. They are owed then."""
        if not self.path:
            return None
        try:
            owed = read(self._owed)
            if owed or data:
                files.ensure_dir(os.path.dirname(self.path), 0o700, disk=self.disk)
                append(self.path, b"\n" + owed + data if owed else data, self.disk)  # a torn line may be there
            if owed:
                files.remove(self._owed, disk=self.disk)
        except OSError as error:
            self.tell(f"{shown(self.path)}: can't be written: {error.strerror}; open jobs are only in the workspace")
            with suppress(OSError):
                append(self._owed, data, self.disk)
            return error
        return None

    def check(self) -> None:
        """It can be written, and has what it was owed. Raises OSError."""
        files.ensure_dir(os.path.dirname(self.path), 0o700, disk=self.disk)
        self.disk.close(self.disk.open(self.path, _APPEND, 0o600))
        if (error := self.append(b"")) is not None:
            raise error

    def refusal(self, error: OSError) -> SpendError:
        """Why nothing is bought under a cap of the month: the other workspaces would not see it."""
        facts = [("can't be written", shown(self.path)), ("why", error.strerror or str(error))]
        hint = "make it writable (or set XDG_STATE_HOME), or take `budget_month` out and give `--max-spend`"
        what = "not bought: your other workspaces would not see it, so the month's cap can't be held"
        return SpendError(what, facts, hint)


def append(path: str, data: bytes, disk: files.Disk) -> None:
    """Append and flush; the folder too when the file is new. Raises OSError."""
    fresh = not os.path.exists(path)
    fd = disk.open(path, _APPEND, 0o600)
    try:
        files.write_all(fd, data, disk)
        disk.fsync(fd)
    finally:
        disk.close(fd)
    if fresh:
        with files.opened_folder(os.path.dirname(path), disk) as folder:
            disk.fsync(folder)


def read(path: str) -> bytes:
    """All of it; nothing where there is none. Raises OSError."""
    try:
        fd = os.open(path, os.O_RDONLY | NO_FOLLOW)
    except FileNotFoundError:
        return b""
    with open(fd, "rb") as file:
        return file.read()
