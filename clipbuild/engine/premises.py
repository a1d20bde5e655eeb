"""The folder of a store: who may own it, of which version it is, what it needs before the first blob.

Knows nothing of blobs.
"""

import os
import stat
from contextlib import suppress

from clipbuild.engine import files
from clipbuild.engine.disk import Disk
from clipbuild.errors import UsageError, shown

FORMAT = 1


def check(root: str, shared: bool) -> None:
    """Refuse a store of another version, a link, another user's, or one that others may write to; none is fine.

    Raises UsageError.
    """
    try:
        facts = os.lstat(root)
    except FileNotFoundError:
        return
    where = shown(root)
    if not stat.S_ISDIR(facts.st_mode):
        raise UsageError(f"{where}: the store is a link or no folder", hint="set `store` in your configuration instead")
    if facts.st_uid != os.geteuid() and not shared:
        raise UsageError(f"{where}: the store belongs to another user")
    if facts.st_mode & (0o002 if shared else 0o022):
        raise UsageError(f"{where}: others may write to the store", hint=f"chmod go-w {where}")
    try:
        with open(os.path.join(root, "format"), encoding="ascii", errors="replace") as file:
            words = file.read(100).split()
    except FileNotFoundError:
        return
    if words != ["clipbuild", "store", str(FORMAT)]:
        raise UsageError(
            f"{where}: a store of another version",
            [("found", shown(" ".join(words), 60)), ("known", f"clipbuild store {FORMAT}")],
            "use the clipbuild that made it, or name another store",
        )


def lay_out(root: str, mode: int, disk: Disk) -> None:
    """Make the folders and the format file. Raises UsageError where files can't be made exclusively, OSError."""
    for folder in ("", "tmp", "precious", "quarantine"):
        files.ensure_dir(os.path.join(root, folder) if folder else root, mode, disk=disk)
    path = os.path.join(root, "format")
    if not os.path.exists(path):
        _probe(os.path.join(root, "tmp"), disk)
        files.write_atomic(path, f"clipbuild store {FORMAT}\n".encode(), durable=True, disk=disk)


def _probe(folder: str, disk: Disk) -> None:
    """Correctness rests on making a file exclusively, not on locks: see that this file system can."""
    with files.opened_folder(folder, disk) as fd:
        name, made = files.create_temp(fd, disk)
        try:
            disk.close(made)
            again = disk.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=fd)
        except FileExistsError:
            return
        finally:
            files.forget_temp(fd, name, disk)
        disk.close(again)
    raise UsageError(
        f"{shown(folder)}: this file system can't make a file exclusively", hint="keep the store on a local disk"
    )


def anchor(root: str, disk: Disk) -> None:
    """Make the store's own name durable, and those of the folders above it, as far up as they are ours."""
    above = os.path.dirname(os.path.abspath(root))
    with suppress(PermissionError):
        while True:
            files.flush_folder(above, disk)
            if above == os.path.dirname(above):
                return
            above = os.path.dirname(above)
