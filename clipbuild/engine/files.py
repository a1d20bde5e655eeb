"""The one way to write to the disk: whole files or none, placed without following links, flushed where it matters.

Also the one way to read an input that somebody else put there. Knows nothing of blobs, actions or what bytes mean.
"""

import errno
import os
import stat
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache

from clipbuild.engine.disk import DISK as DISK
from clipbuild.engine.disk import Disk as Disk
from clipbuild.errors import IntegrityError, UsageError, shown

TEMP_PREFIX, TEMP_SUFFIX = ".clipbuild-", ".part"
CHUNK = 1 << 20
FLUSH_EACH = 16
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FRESH = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_INPUT = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_HANDLE: int = os.O_PATH if sys.platform == "linux" and os.path.isdir("/proc/self/fd") else 0
"""Opens a name without touching what is behind it; 0 where the system has no such thing."""
_NO_LINK = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EACCES, errno.EOPNOTSUPP, errno.ENOSYS}


def write_atomic(
    path: str,
    data: bytes | Iterable[bytes],
    *,
    mode: int = 0o644,
    durable: bool = False,
    root: str | None = None,
    disk: Disk = DISK,
) -> None:
    """Put `data`, or its parts one after another, at `path`, whole or not at all; a link there is replaced, never followed.

    `durable`: flushed, file and folder, before this returns. `root`: no folder between it and `path` may be a link.
    Raises OSError; with `root` IntegrityError.
    """
    with _parent(path, root, disk) as (folder, name):
        _replace(folder, name, lambda fd: _write_parts(fd, data, disk), mode, durable, disk)


def _write_parts(fd: int, data: bytes | Iterable[bytes], disk: Disk) -> None:
    for part in (data,) if isinstance(data, bytes) else data:
        write_all(fd, part, disk)


def place(src: str, dest: str, *, share: bool, root: str | None = None, disk: Disk = DISK) -> str:
    """A copy of the file `src` at `dest`, whole or not at all; says how: "clone", "link" or "copy".

    Blocks are shared copy-on-write where the file system can; else, if `share`, a hard link (read-only like a blob);
    else the bytes are copied. `root` as for `write_atomic`.
    """
    with _parent(dest, root, disk) as (folder, name), _opened(src, disk) as source:
        how, device = ["copy"], os.fstat(folder).st_dev

        def fill(fd: int) -> None:
            if disk.clone(source, fd):
                how[0] = "clone"
            elif share:
                _uncloned.add(device)
                raise _Share
            else:
                copy_all(source, fd, disk)

        try:
            if share and device in _uncloned:
                raise _Share
            _replace(folder, name, fill, 0o644, False, disk)
        except _Share:
            if _linked(src, folder, name, disk):
                return "link"
            _replace(folder, name, lambda fd: copy_all(source, fd, disk), 0o644, False, disk)
        return how[0]


_uncloned: set[int] = set()
"""Devices that were seen not to share blocks: asked once, not for every file."""


class _Share(Exception):  # noqa: N818 - a turn in the road, not an error
    """Cloning is not possible here and a hard link will do."""


def ensure_dir(path: str, mode: int = 0o755, *, root: str | None = None, disk: Disk = DISK) -> None:
    """Make the folder `path` and those above it, below `root` without following links. Raises OSError."""
    if root is None:
        _make_dirs(path, mode, disk)
        return
    fd = open_folder(root, _relative(root, path), create=mode, disk=disk)
    disk.close(fd)


def remove(path: str, *, root: str | None = None, disk: Disk = DISK) -> bool:
    """Remove the file or link `path`; False when it was not there. Raises OSError."""
    try:
        with _parent(path, root, disk) as (folder, name):
            disk.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return False
    return True


def flush(paths: Collection[str], disk: Disk = DISK) -> None:
    """Make these files and their names durable; many of them by one flush of their disk. Raises OSError."""
    if len(paths) > FLUSH_EACH:
        with opened_folder(os.path.dirname(next(iter(paths))) or ".", disk) as folder:
            disk.flush_all(folder)
        return
    for path in paths:
        with _opened(path, disk) as fd:
            disk.fsync(fd)
    for above in sorted({os.path.dirname(path) for path in paths}):
        flush_folder(above or ".", disk)


def flush_folder(path: str, disk: Disk = DISK) -> None:
    """Make the names in a folder durable. Raises OSError."""
    with opened_folder(path, disk) as folder:
        disk.fsync(folder)


def open_folder(root: str, relative: str, *, create: int | None = None, disk: Disk = DISK) -> int:
    """The folder `relative` below `root`, opened component by component without following links; close it.

    `create` makes missing folders with that mode. Raises IntegrityError when a component is a link or no folder.
    """
    fd = disk.open(root or ".", _FOLDER)
    done = []
    try:
        for part in _parts(relative):
            done.append(part)
            outer, fd = fd, _step(fd, part, create, disk)
            disk.close(outer)
    except OSError as error:
        disk.close(fd)
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise _through_link(os.path.join(root, *done)) from error
        raise
    return fd


def within(root: str, relative: str) -> str:
    """The path of `relative` below `root`. Raises UsageError when it would leave, IntegrityError when a folder
    on the way is a link. Only a check: use `root=` of the writing functions to hold it while writing."""
    path = root
    parts = _parts(relative)
    for part in parts[:-1]:
        path = os.path.join(path, part)
        if os.path.islink(path):
            raise _through_link(path)
    return os.path.join(path, parts[-1]) if parts else path


def refusal(root: str, relative: str) -> str:
    """Why `relative` may not be read as an input, or "": it must be a regular file whose real place is in `root`."""
    try:
        os.close(open_inside(root, relative))
    except UsageError as error:
        return error.what
    return ""


def open_inside(root: str, relative: str) -> int:
    """Open an input for reading, links followed as long as they stay in `root`; close it.

    Never hangs on a FIFO, never opens a device. Raises UsageError that says why not.
    """
    path = os.path.join(root, relative)
    try:
        handle = os.open(path, _HANDLE or _INPUT)
    except (OSError, ValueError) as error:
        raise _unreadable(relative, error) from error
    try:
        if os.path.isabs(relative) or not _is_below(_real(root), _place_of(handle, path)):
            raise UsageError(f"{shown(relative)}: leaves the project", hint="copy the file into the project")
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise UsageError(f"{shown(relative)}: not a regular file")
        return os.open(f"/proc/self/fd/{handle}" if _HANDLE else path, _INPUT)
    except OSError as error:
        raise _unreadable(relative, error) from error
    finally:
        os.close(handle)


def is_temporary(name: str) -> bool:
    """`name` is one of the temporaries made here."""
    return name.startswith(TEMP_PREFIX) and name.endswith(TEMP_SUFFIX)


def sweep(folder: str, *, root: str | None = None, disk: Disk = DISK) -> int:
    """Remove temporaries that a killed run left in `folder`; only safe while no other run writes there."""
    stale = [name for name in _listed(folder) if is_temporary(name)]
    return sum(remove(os.path.join(folder, name), root=root, disk=disk) for name in stale)


def write_all(fd: int, data: bytes, disk: Disk = DISK) -> None:
    """Write all of `data`, however short the single writes are. Raises OSError."""
    view = memoryview(data)
    while view:
        written = disk.write(fd, view)
        if written <= 0:
            raise OSError(errno.EIO, "nothing was written")
        view = view[written:]


def copy_all(source: int, target: int, disk: Disk = DISK, each: Callable[[bytes], object] | None = None) -> int:
    """Copy the rest of `source` to `target`, showing each chunk to `each`; returns how many bytes."""
    total = 0
    while chunk := disk.read(source, CHUNK):
        if each is not None:
            each(chunk)
        write_all(target, chunk, disk)
        total += len(chunk)
    return total


def create_temp(folder: int, disk: Disk = DISK) -> tuple[str, int]:
    """A fresh file in `folder`, mode 0600, under a name nobody made before: its name and descriptor."""
    for _ in range(16):
        name = f"{TEMP_PREFIX}{os.urandom(8).hex()}{TEMP_SUFFIX}"
        try:
            return name, disk.open(name, _FRESH, 0o600, dir_fd=folder)
        except FileExistsError:
            continue
    raise OSError(errno.EEXIST, "no free temporary name")


def forget_temp(folder: int, name: str, disk: Disk = DISK) -> None:
    """Remove a temporary after a failure, as far as the disk lets us: the failure is what gets reported."""
    for _ in range(2):
        try:
            disk.unlink(name, dir_fd=folder)
        except FileNotFoundError:
            return
        except OSError:
            continue
        return


@contextmanager
def opened_folder(path: str, disk: Disk = DISK) -> Iterator[int]:
    """The folder `path`, itself no link, open for as long as the block lasts."""
    fd = disk.open(path, _FOLDER | os.O_NOFOLLOW)
    try:
        yield fd
    finally:
        disk.close(fd)


def _replace(folder: int, name: str, fill: Callable[[int], object], mode: int, durable: bool, disk: Disk) -> None:
    temp, fd = create_temp(folder, disk)
    try:
        try:
            fill(fd)
            disk.fchmod(fd, mode)
            if durable:
                disk.fsync(fd)
        finally:
            disk.close(fd)
        disk.rename(temp, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        forget_temp(folder, temp, disk)
        raise
    if durable:
        disk.fsync(folder)


def _linked(src: str, folder: int, name: str, disk: Disk) -> bool:
    temp = f"{TEMP_PREFIX}{os.urandom(8).hex()}{TEMP_SUFFIX}"
    try:
        with suppress(FileExistsError):
            disk.link(src, name, dst_dir_fd=folder)
            return True
        disk.link(src, temp, dst_dir_fd=folder)
    except OSError as error:
        if error.errno in _NO_LINK:
            return False
        raise
    try:
        disk.rename(temp, name, src_dir_fd=folder, dst_dir_fd=folder)
    finally:
        # Renaming one name of a file onto another of the same file does nothing and leaves both.
        forget_temp(folder, temp, disk)
    return True


@contextmanager
def _opened(path: str, disk: Disk) -> Iterator[int]:
    fd = disk.open(path, _INPUT | os.O_NOFOLLOW)
    try:
        yield fd
    finally:
        disk.close(fd)


@contextmanager
def _parent(path: str, root: str | None, disk: Disk) -> Iterator[tuple[int, str]]:
    above, name = os.path.split(path)
    if name in ("", ".", ".."):
        raise UsageError(f"{shown(path)}: names no file")
    fd = disk.open(above or ".", _FOLDER) if root is None else open_folder(root, _relative(root, above), disk=disk)
    try:
        yield fd, name
    except OSError as error:
        if error.filename and not os.path.isabs(os.fspath(error.filename)):
            error.filename = path  # what a person knows, not the name of a temporary
        raise
    finally:
        disk.close(fd)


def _step(fd: int, part: str, create: int | None, disk: Disk) -> int:
    try:
        return disk.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=fd)
    except FileNotFoundError:
        if create is None:
            raise
    with suppress(FileExistsError):
        disk.mkdir(part, create, dir_fd=fd)
    return disk.open(part, _FOLDER | os.O_NOFOLLOW, dir_fd=fd)


def _make_dirs(path: str, mode: int, disk: Disk) -> None:
    try:
        disk.mkdir(path, mode)
    except FileExistsError:
        disk.close(disk.open(path, _FOLDER))  # a folder, or NotADirectoryError
    except FileNotFoundError:
        _make_dirs(os.path.dirname(path), mode, disk)
        with suppress(FileExistsError):
            disk.mkdir(path, mode)


def _parts(relative: str) -> list[str]:
    parts = [part for part in relative.split("/") if part not in ("", ".")]
    if relative.startswith("/") or ".." in parts or "\0" in relative:
        raise UsageError(f"{shown(relative)}: leaves its folder")
    return parts


def _relative(root: str, path: str) -> str:
    if path == root:
        return ""
    prefix = root.rstrip("/") + "/"
    if path.startswith(prefix):
        return path[len(prefix) :]
    if os.path.isabs(path) or root not in ("", "."):
        raise UsageError(f"{shown(path)}: not in {shown(root)}")
    return path


def _is_below(root: str, path: str) -> bool:
    return path == root or path.startswith(root.rstrip("/") + "/")


def _place_of(handle: int, path: str) -> str:
    """The real path of an open file."""
    return os.readlink(f"/proc/self/fd/{handle}") if _HANDLE else os.path.realpath(path)


@lru_cache(maxsize=8)
def _real(root: str) -> str:
    return os.path.realpath(root)


def _unreadable(relative: str, error: Exception) -> UsageError:
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return UsageError(f"{shown(relative)}: can't be read: {reason}")


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _through_link(path: str) -> IntegrityError:
    return IntegrityError(
        f"{shown(path)}: a link or a file where a folder should be",
        hint="remove it; clipbuild never writes through links",
    )
