"""Live runs and their claims: who is at work on an intent, told by locks that die with their process.

    HOME/runs/RUN        locked by a live run; a dead run's unanswered intents are ambiguous
    HOME/claims/INTENT   made exclusively before an intent: two that want one key, one gets it

Knows nothing of records or providers.
"""

import errno
import fcntl
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from clipbuild.engine import files
from clipbuild.errors import JournalError, shown

LOCK_SECONDS = 60.0
_NO_FOLLOW = os.O_CLOEXEC | os.O_NOFOLLOW


class Runs:
    """The runs below `home`; `name` is this one's."""

    def __init__(self, home: str, disk: files.Disk = files.DISK) -> None:
        self.home, self.name = home, os.urandom(8).hex()
        self._disk = disk
        self._fd = -1

    def begin(self) -> None:
        """Show other processes that this run lives, until it closes or dies. Raises JournalError without working locks."""
        if self._fd >= 0:
            return
        folder = os.path.join(self.home, "runs")
        files.ensure_dir(folder, 0o700, disk=self._disk)
        for run in os.listdir(folder):
            if not self.is_alive(run):
                with suppress(OSError):
                    files.remove(os.path.join(folder, run), disk=self._disk)
        fd = os.open(os.path.join(folder, self.name), os.O_RDWR | os.O_CREAT | os.O_EXCL | _NO_FOLLOW, 0o600)
        if not take(fd) or not self.is_alive(self.name):
            os.close(fd)
            raise _no_locks(self.home)
        os.pwrite(fd, f"{socket.gethostname()} {os.getpid()}\n".encode(), 0)
        self._fd = fd

    def is_alive(self, run: str) -> bool:
        """Whether the run still lives."""
        if not run.isalnum():
            return False
        try:
            fd = os.open(os.path.join(self.home, "runs", run), os.O_RDWR | _NO_FOLLOW)
        except OSError:
            return False
        try:
            return not take(fd)
        finally:
            os.close(fd)

    def holder(self, run: str) -> str:
        """Who a live run is, for people."""
        with suppress(OSError), open(os.path.join(self.home, "runs", run), "rb") as file:
            words = file.read(300).decode("utf-8", "replace").split()
            if len(words) == 2:
                return f"process {shown(words[1], 20)} on {shown(words[0], 100)}"
        return "another process"

    def claim(self, intent: str) -> bool:
        """Exclusive create of an intent's name; False when a live run has it. A dead run's claim without a record
        in the journal was never sent: it is taken over. Only under the journal's lock."""
        folder = os.path.join(self.home, "claims")
        files.ensure_dir(folder, 0o700, disk=self._disk)
        path = os.path.join(folder, intent)
        for _ in range(2):
            try:
                fd = self._disk.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW, 0o600)
                break
            except FileExistsError:
                if self.is_alive(_read(path)):
                    return False
                files.remove(path, disk=self._disk)
        else:
            return False
        try:
            files.write_all(fd, self.name.encode(), self._disk)
        finally:
            self._disk.close(fd)
        return True

    def close(self) -> None:
        """This run is over."""
        if self._fd >= 0:
            with suppress(OSError):
                files.remove(os.path.join(self.home, "runs", self.name), disk=self._disk)
            os.close(self._fd)
            self._fd = -1


@contextmanager
def turn(path: str, sleep: Callable[[float], None]) -> Iterator[None]:
    """Hold the lock of the file at `path`. Raises JournalError when it is not free for long, OSError."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | _NO_FOLLOW, 0o600)
    try:
        waited = 0.0
        while not take(fd):
            if waited >= LOCK_SECONDS:
                raise JournalError(f"{shown(path)}: another process holds the journal", hint="end it, then again")
            sleep(0.01)
            waited += 0.01
        yield
    finally:
        os.close(fd)


def take(fd: int) -> bool:
    """Take the lock if it is free. Raises JournalError where files can't be locked."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP):
            raise _no_locks(os.readlink(f"/proc/self/fd/{fd}")) from error
        raise
    return True


def _read(path: str) -> str:
    with suppress(OSError), open(path, "rb") as file:
        return file.read(100).decode("ascii", "replace").strip()
    return ""


def _no_locks(where: str) -> JournalError:
    return JournalError(
        f"{shown(where)}: files can't be locked here, so nothing can be bought safely",
        hint="keep the workspace on a local disk",
    )
