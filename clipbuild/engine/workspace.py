"""`.clipbuild/`: where a workspace keeps its store, state and temporary files, and who works in it now.

Knows nothing of what is built there.
"""

import errno
import fcntl
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from clipbuild.engine import files
from clipbuild.errors import UsageError, shown

NAME = ".clipbuild"
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}


@dataclass(frozen=True, slots=True)
class Workspace:
    """The places of one workspace; `root` is the folder of `clipbuild.yaml`."""

    root: str

    @property
    def home(self) -> str:
        """`.clipbuild`."""
        return os.path.join(self.root, NAME)

    @property
    def store(self) -> str:
        """The store, unless the user's settings name another."""
        return os.path.join(self.home, "store")

    @property
    def state(self) -> str:
        """The state database."""
        return os.path.join(self.home, "state.db")

    @property
    def snapshot(self) -> str:
        """What the files looked like when the last build ended."""
        return os.path.join(self.home, "snapshot")

    @property
    def temp(self) -> str:
        """Where workers put what they make; empty between runs."""
        return os.path.join(self.home, "tmp")

    def prepare(self) -> None:
        """Make the folders, private to this user and unseen by git. Raises UsageError, OSError."""
        if any("\ud800" <= sign <= "\udfff" for sign in self.root):
            raise UsageError(f"{shown(self.root)}: this path is no UTF-8, which tools need", hint="work in another folder")
        if os.path.islink(self.home):
            raise UsageError(
                f"{shown(self.home)}: is a link",
                hint="remove it; set `store` in your configuration to keep blobs elsewhere",
            )
        try:
            files.ensure_dir(self.home, 0o700)
            files.ensure_dir(self.temp, 0o700, root=self.root)
        except (FileExistsError, NotADirectoryError):
            raise UsageError(f"{shown(self.home)}: is in the way", hint="remove it") from None
        ignore = os.path.join(self.home, ".gitignore")
        if not os.path.exists(ignore):
            files.write_atomic(ignore, b"*\n", root=self.root)

    def clean(self) -> None:
        """Remove temporaries of killed runs. Only while holding the workspace."""
        for name in sorted(os.listdir(self.temp)) if os.path.isdir(self.temp) else []:
            path = os.path.join(self.temp, name)
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path, ignore_errors=True)
            else:
                files.remove(path)
        for folder in (self.home, self.store, os.path.join(self.store, "precious")):
            files.sweep(folder)

    @contextmanager
    def held(
        self,
        *,
        wait: bool = True,
        waiting: Callable[[str], None] = lambda holder: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> Iterator[None]:
        """Work here alone; `waiting` is told once who works here now. A dead holder never blocks.

        Raises UsageError when another works here and `wait` is False, or where files can't be locked.
        """
        self.prepare()
        fd = os.open(os.path.join(self.home, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            if not self._take(fd):
                holder = _holder(fd)
                if not wait:
                    raise _busy(self.root, holder)
                waiting(holder)
                while not self._take(fd):
                    sleep(0.1)
            os.ftruncate(fd, 0)
            os.pwrite(fd, f"{socket.gethostname()} {os.getpid()}\n".encode(), 0)
            yield
            os.ftruncate(fd, 0)
        finally:
            os.close(fd)

    def _take(self, fd: int) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno in _NO_LOCKS:
                raise UsageError(
                    f"{shown(self.home)}: files can't be locked here", hint="keep the workspace on a local disk"
                ) from error
            raise
        return True


def _holder(fd: int) -> str:
    words = os.pread(fd, 300, 0).decode("utf-8", "replace").split()
    return f"process {shown(words[1], 20)} on {shown(words[0], 100)}" if len(words) == 2 else "another process"


def _busy(root: str, holder: str) -> UsageError:
    return UsageError(
        f"{shown(root)}: another build works here",
        [("holder", holder)],
        "wait for it to end",
    )
