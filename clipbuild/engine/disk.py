"""The door to the disk that everything durable goes through, so that a test can put a failing or a forgetful one there.

Bare calls of the system; what they add up to is the business of `files`.
"""

import errno
import os
from typing import Protocol

_NO_CLONE = {errno.EOPNOTSUPP, errno.ENOTTY, errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EPERM, errno.ETXTBSY}
_FICLONE = 0x40049409


class Disk(Protocol):
    """What durable writing needs of a file system. A folder is its open descriptor; raises OSError."""

    def open(self, path: str, flags: int, mode: int = 0o600, *, dir_fd: int | None = None) -> int: ...
    def read(self, fd: int, size: int, /) -> bytes: ...
    def write(self, fd: int, data: memoryview, /) -> int: ...
    def fchmod(self, fd: int, mode: int, /) -> None: ...
    def fsync(self, fd: int, /) -> None: ...
    def close(self, fd: int, /) -> None: ...
    def rename(self, src: str, dst: str, *, src_dir_fd: int, dst_dir_fd: int) -> None: ...
    def link(self, src: str, dst: str, *, dst_dir_fd: int) -> None: ...
    def unlink(self, path: str, *, dir_fd: int) -> None: ...
    def mkdir(self, path: str, mode: int, *, dir_fd: int | None = None) -> None: ...
    def clone(self, source: int, target: int) -> bool: ...
    def flush_all(self, fd: int) -> None: ...


class Os:
    """The real disk."""

    open = staticmethod(os.open)
    read = staticmethod(os.read)
    write = staticmethod(os.write)
    fchmod = staticmethod(os.fchmod)
    fsync = staticmethod(os.fsync)
    close = staticmethod(os.close)
    rename = staticmethod(os.rename)
    unlink = staticmethod(os.unlink)
    mkdir = staticmethod(os.mkdir)

    @staticmethod
    def link(src: str, dst: str, *, dst_dir_fd: int) -> None:
        """A hard link; a symbolic link at `src` is not followed."""
        os.link(src, dst, dst_dir_fd=dst_dir_fd, follow_symlinks=False)

    @staticmethod
    def clone(source: int, target: int) -> bool:
        """Share the blocks of `source` copy-on-write; False where the file system can't."""
        import fcntl

        try:
            fcntl.ioctl(target, _FICLONE, source)
        except OSError as error:
            if error.errno in _NO_CLONE:
                return False
            raise
        return True

    @staticmethod
    def flush_all(fd: int) -> None:
        """Flush the whole file system that `fd` is on: for many files far cheaper than each alone."""
        import ctypes

        syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
        if syncfs is None:
            os.sync()
        elif syncfs(fd) != 0:
            raise OSError(ctypes.get_errno(), "the file system can't be flushed")


DISK: Disk = Os()


def put_behind(disk: Disk) -> None:
    """From now on every durable write of this process goes to `disk`: for rehearsals of what a disk may do to us."""
    for name in [name for name in dir(Disk) if not name.startswith("_")]:
        setattr(DISK, name, getattr(disk, name))
