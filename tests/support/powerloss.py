"""A disk that forgets: a log of every change, and what a power loss at any moment could leave of it.

What was flushed stays. Of the rest anything may be missing, cut, zeroed, or there: contents of files that were not
flushed, and names in folders that were not flushed, each by itself and in any order.
"""

import os
import random
from dataclasses import dataclass, field

from clipbuild.engine.disk import Os


@dataclass
class Inode:
    """`durable` content survives; `content` is what a running system shows."""

    folder: bool
    content: bytearray = field(default_factory=bytearray)
    durable: bytes | None = None
    mode: int = 0o600
    names: dict[str, "Inode"] = field(default_factory=dict)
    durable_names: dict[str, "Inode"] = field(default_factory=dict)


class Forgetful(Os):
    """Really writes below `root`, and keeps beside it what of that is durable. `crash_at` stops at that call."""

    def __init__(self, root: str, crash_at: int = 0) -> None:
        self.root = os.path.realpath(root)
        self.top = Inode(True)
        self.fds: dict[int, Inode] = {}
        self.calls, self.crash_at = 0, crash_at
        self.flushes = True

    def step(self) -> None:
        self.calls += 1
        if self.calls == self.crash_at:
            raise PowerLoss

    def at(self, path: str, dir_fd: int | None) -> tuple[Inode | None, str]:
        """The folder and the name in it."""
        here = self.fds[dir_fd] if dir_fd is not None else self.top
        if dir_fd is None:
            path = os.path.realpath(os.path.dirname(os.path.abspath(path))) + "/" + os.path.basename(path)
            if not (path + "/").startswith(self.root + "/"):
                return None, path
            path = path[len(self.root) :].strip("/")
        *folders, name = path.split("/")
        for folder in folders:
            here = here.names[folder]
        return here, name

    def find(self, path: str, dir_fd: int | None) -> Inode | None:
        folder, name = self.at(path, dir_fd)
        return (folder.names.get(name) if name else folder) if folder else None

    def open(self, path, flags, mode=0o600, *, dir_fd=None):
        self.step()
        fd = os.open(path, flags, mode, dir_fd=dir_fd)
        inode = self.find(path, dir_fd)
        if inode is None and flags & os.O_CREAT:
            folder, name = self.at(path, dir_fd)
            inode = folder.names[name] = Inode(False, mode=mode)
        if inode is not None:
            self.fds[fd] = inode
        return fd

    def write(self, fd, data):
        self.step()
        written = os.write(fd, data)
        if fd in self.fds:
            self.fds[fd].content += data[:written]
        return written

    def fchmod(self, fd, mode):
        self.step()
        os.fchmod(fd, mode)
        self.fds[fd].mode = mode

    def fsync(self, fd):
        self.step()
        os.fsync(fd) if False else None  # the real disk has no part in this
        if fd in self.fds and self.flushes:
            self.keep(self.fds[fd])

    def flush_all(self, fd):
        self.step()

        def walk(inode):
            self.keep(inode)
            for inner in inode.names.values():
                walk(inner)

        if self.flushes:
            walk(self.top)

    @staticmethod
    def keep(inode: Inode) -> None:
        inode.durable = bytes(inode.content)
        inode.durable_names = dict(inode.names)

    def close(self, fd):
        self.fds.pop(fd, None)
        os.close(fd)

    def rename(self, src, dst, *, src_dir_fd, dst_dir_fd):
        self.step()
        os.rename(src, dst, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
        self.fds[dst_dir_fd].names[dst] = self.fds[src_dir_fd].names.pop(src)

    def link(self, src, dst, *, dst_dir_fd):
        self.step()
        os.link(src, dst, dst_dir_fd=dst_dir_fd, follow_symlinks=False)
        self.fds[dst_dir_fd].names[dst] = self.find(src, None)

    def unlink(self, path, *, dir_fd):
        self.step()
        os.unlink(path, dir_fd=dir_fd)
        self.fds[dir_fd].names.pop(path)

    def mkdir(self, path, mode, *, dir_fd=None):
        self.step()
        os.mkdir(path, mode, dir_fd=dir_fd)
        folder, name = self.at(path, dir_fd)
        if folder is not None:
            folder.names[name] = Inode(True, mode=mode)

    @staticmethod
    def clone(source, target):
        return False

    def after_power_loss(self, target: str, chance: random.Random) -> None:
        """One possible state of the disk when the power is back, written to the folder `target`."""
        self._materialise(self.top, target, chance)

    def _materialise(self, inode: Inode, path: str, chance: random.Random) -> None:
        if not inode.folder:
            with open(path, "wb") as file:
                file.write(self._surviving(inode, chance))
            os.chmod(path, inode.mode)
            return
        os.makedirs(path, exist_ok=True)
        os.chmod(path, 0o700)
        for name in sorted({*inode.names, *inode.durable_names}):
            now, kept = inode.names.get(name), inode.durable_names.get(name)
            survivor = now if now is kept else chance.choice([now, kept])
            if survivor is not None:
                self._materialise(survivor, os.path.join(path, name), chance)

    @staticmethod
    def _surviving(inode: Inode, chance: random.Random) -> bytes:
        content = bytes(inode.content)
        if inode.durable == content:
            return content
        kept = inode.durable or b""
        cut = content[: chance.randint(0, len(content))]
        return chance.choice([kept, content, cut, b"\0" * len(content), cut.ljust(len(content), b"\0")])


class PowerLoss(BaseException):
    """The power is gone."""
