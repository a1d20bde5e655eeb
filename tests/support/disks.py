"""Disks for tests: one that fails the call it is told to, one that writes in crumbs, one that keeps a log."""

import errno
import os
from collections import Counter
from dataclasses import dataclass, field

from clipbuild.engine.disk import Os

CHANGING = ("open", "write", "fchmod", "fsync", "close", "rename", "link", "unlink", "mkdir", "flush_all")
ERRORS = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EIO,
    errno.EMFILE,
    errno.ENOMEM,
    errno.EACCES,
    errno.EROFS,
)


class Wrapped(Os):
    """Every call goes through `before(name)` first, which may raise; afterwards through `after`."""

    def before(self, call: str) -> None:
        """Called before each call."""

    def __getattribute__(self, name):
        found = object.__getattribute__(self, name)
        if name not in (*CHANGING, "read", "clone"):
            return found

        def called(*args, **kwargs):
            self.before(name)
            return found(*args, **kwargs)

        return called


@dataclass
class Failing(Wrapped):
    """Fails the call number `at` (from 1, over all calls of the kinds that change something) with `error`."""

    at: int
    error: int = errno.EIO
    calls: int = 0
    failed: str = ""
    counts: Counter = field(default_factory=Counter)

    def before(self, call: str) -> None:
        if call not in (*CHANGING, "read"):
            return
        self.calls += 1
        self.counts[call] += 1
        if self.calls == self.at:
            self.failed = call
            raise OSError(self.error, os.strerror(self.error))


class Closing(Failing):
    """As `Failing`, but as on Linux: a close that reports an error has closed."""

    def __getattribute__(self, name):
        return _closing(self) if name == "close" else super().__getattribute__(name)


def _closing(disk: Wrapped):
    def close(fd: int) -> None:
        os.close(fd)
        disk.before("close")

    return close


class Crumbs(Os):
    """Writes at most three bytes a call, as a system may."""

    @staticmethod
    def write(fd: int, data: memoryview) -> int:
        return os.write(fd, data[:3])


class Interruptible(Wrapped):
    """Raises `Killed` at call `at`: what a kill leaves behind, without the cost of a process."""

    def __init__(self, at: int) -> None:
        self.at, self.calls, self.dead = at, 0, False

    def before(self, call: str) -> None:
        if self.dead:
            raise Killed
        self.calls += call in CHANGING
        if self.calls == self.at:
            self.dead = True
            raise Killed

    def __getattribute__(self, name):
        return _closing(self) if name == "close" else super().__getattribute__(name)


class Killed(BaseException):
    """The process is gone: nothing after this may touch the disk."""
