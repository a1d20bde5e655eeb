"""The store: blobs by digest. A blob gets its name only when it is whole, and never changes after.

What cost money is flushed before its name is visible and listed in `precious/`, so that no clean-up removes it.
Knows nothing of actions, traces or who wants a blob.

    format               "clipbuild store 1"
    ab/abcdef...         one blob, mode 0444, named by its SHA-256
    precious/abcdef...   empty: this blob was bought
    quarantine/          damaged blobs, kept for a person to look at
    tmp/                 blobs on their way in
    users                lock file: shared while a build uses the store, exclusive while clean-up removes

When a blob was last used is told by its ctime, to the hour: setting its mode to what it is moves that and nothing else,
while the mtime is also that of the files of the tree that share its bytes, by which these are known.
"""

import fcntl
import os
import re
import stat
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256

from clipbuild import digest
from clipbuild.digest import Digest
from clipbuild.engine import files, premises
from clipbuild.engine.disk import DISK, Disk
from clipbuild.errors import IntegrityError, UsageError, shown

DAY, HOUR = 86400.0, 3600.0
_FOLDER_NAME = re.compile(r"[0-9a-f]{2}\Z")


@dataclass(frozen=True, slots=True)
class Damage:
    """A blob that is not what its name says: `kind` is "changed", "missing" or "unreadable".

    `quarantine` is where the bytes went, "" if there are none.
    """

    digest: Digest
    kind: str
    precious: bool
    quarantine: str = ""


@dataclass(frozen=True, slots=True)
class Sweep:
    """The blobs that a clean-up removed, or would remove, with their sizes; `kept` counts those that stay."""

    blobs: tuple[tuple[Digest, int], ...]
    kept: int

    def freed(self) -> int:
        """Bytes."""
        return sum(size for _, size in self.blobs)


@dataclass(slots=True)
class _Arrival:
    """A temporary on its way into the store, in the opened `folder`."""

    folder: int
    temp: str
    fd: int
    open: bool = True


class Store:
    """Blobs under `root`. Opening checks what is there; the folders are made by the first write.

    Raises UsageError for a store of a newer version, a link, another user's or one that others may write to.
    """

    def __init__(
        self, root: str, *, shared: bool = False, disk: Disk = DISK, clock: Callable[[], float] | None = None
    ) -> None:
        self.root = root
        self._disk, self._clock = disk, clock or time.time
        self._mode = 0o2770 if shared else 0o700
        self._known: dict[Digest, float] = {}
        self._in_use = False
        self._sound: set[Digest] = set()
        self._unflushed: set[Digest] = set()
        self._guard = threading.Lock()
        self._ready = False
        self._anchored = False
        premises.check(root, shared)

    def path(self, name: Digest) -> str:
        """Where the blob is. Raises KeyError if absent."""
        if not self.has(name):
            raise KeyError(name)
        return self._place(name)

    def has(self, name: Digest) -> bool:
        """A blob of this name is there; cheap, remembered within a run, says nothing of its bytes."""
        now = self._clock()
        if self._known.get(name, 0.0) > now:
            return True
        path = self._place(name)
        try:
            facts = os.stat(path)
        except OSError:
            return False
        self._known[name] = now + HOUR
        if self._in_use and facts.st_ctime < now - HOUR:
            with suppress(OSError):
                os.chmod(path, stat.S_IMODE(facts.st_mode))
        return True

    def size(self, name: Digest) -> int:
        """Bytes. Raises KeyError if absent."""
        try:
            return os.stat(self._place(name)).st_size
        except FileNotFoundError:
            raise KeyError(name) from None

    def is_precious(self, name: Digest) -> bool:
        """This blob was bought: no clean-up removes it."""
        return os.path.exists(os.path.join(self.root, "precious", name))

    def is_seen_at(self, name: Digest, path: str) -> bool:
        """The file at `path` is this very blob, by another name."""
        try:
            return os.path.samestat(os.lstat(path), os.lstat(self._place(name)))
        except OSError:
            return False

    def place(self, name: Digest, dest: str, *, root: str | None = None) -> str:
        """A copy of the blob at `dest`, its bytes looked at once a run; says how as `files.place`.

        What was bought never shares bytes with a visible file. Raises KeyError for a blob that is gone or damaged.
        """
        if not self.sound(name):
            raise KeyError(name)
        return files.place(self._place(name), dest, share=not self.is_precious(name), root=root, disk=self._disk)

    def add_bytes(self, data: bytes, precious: bool = False) -> Digest:
        """Keep `data`. Raises OSError."""
        with self._incoming() as arrival:
            files.write_all(arrival.fd, data, self._disk)
            return self._accept(arrival, digest.of_bytes(data), precious)

    def add_file(self, path: str, *, expect: Digest | None = None, precious: bool = False) -> Digest:
        """Keep a copy of the file: the bytes that were hashed are the bytes that are kept.

        Raises IntegrityError when they are not `expect`, OSError.
        """
        source = self._disk.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            return self.add_open(source, shown(path), expect=expect, precious=precious)
        finally:
            self._disk.close(source)

    def add_open(self, source: int, where: str, *, expect: Digest | None = None, precious: bool = False) -> Digest:
        """`add_file` for a file that is open; `where` names it in errors."""
        with self._incoming() as arrival:
            found = self._copy(source, arrival)
            if expect is not None and found != expect:
                raise IntegrityError(
                    f"{where}: not the bytes that were expected",
                    [("expected", expect), ("found", found)],
                    "it changed during the build; build again",
                )
            return self._accept(arrival, found, precious)

    def checked(self, name: Digest) -> bool:
        """The bytes of this blob were seen in this run, when they were kept or by `sound`."""
        return name in self._sound

    def sound(self, name: Digest) -> bool:
        """The blob is there and its bytes are what its name says; read once a run. A damaged one is quarantined."""
        if name in self._sound:
            return True
        damage = self._examine(name)
        if damage is None:
            self._sound.add(name)
        return damage is None

    def verify(self, digests: Iterable[Digest] | None = None) -> Iterator[Damage]:
        """Every damaged or missing blob of `digests`, else of the whole store; damaged ones go to quarantine."""
        for name in sorted(set(digests) if digests is not None else {*self.blobs(), *self.marked()}):
            damage = self._examine(name)
            if damage is not None:
                yield damage

    def blobs(self) -> Iterator[Digest]:
        """Every blob there is, in no order."""
        for folder in _names(self.root):
            if _FOLDER_NAME.match(folder):
                for name in _names(os.path.join(self.root, folder)):
                    with suppress(ValueError):
                        yield digest.parse(name)

    def marked(self) -> Iterator[Digest]:
        """Every blob that was bought, there or not."""
        for name in _names(os.path.join(self.root, "precious")):
            with suppress(ValueError):
                yield digest.parse(name)

    def gc(self, keep: Collection[Digest], *, now: float, dry_run: bool) -> Sweep:
        """Remove the blobs nobody needs: not in `keep`, not bought, not used for a day before `now` (Unix time).

        Raises UsageError while a build uses the store.
        """
        bought = set(self.marked())
        removed, kept = [], 0
        with self._lock(fcntl.LOCK_EX if not dry_run else fcntl.LOCK_SH):
            for name in sorted(self.blobs()):
                try:
                    facts = os.lstat(self._place(name))
                except FileNotFoundError:  # somebody found it damaged, just now
                    continue
                if name in keep or name in bought or max(facts.st_mtime, facts.st_ctime) > now - DAY - HOUR:
                    kept += 1
                    continue
                if not dry_run:
                    files.remove(self._place(name), disk=self._disk)
                    self._forget(name)
                removed.append((name, facts.st_size))
            if not dry_run:
                self._clear_temporaries(now)
        return Sweep(tuple(removed), kept)

    def flush(self) -> None:
        """Make durable what was added since the last flush, so that traces may speak of it.

        Raises OSError; what was to be flushed is then dropped, because its bytes can't be trusted.
        """
        with self._guard:
            names, self._unflushed = self._unflushed, set()
        paths = [path for path in map(self._place, names) if os.path.exists(path)]
        try:
            files.flush(paths, self._disk)
        except OSError:
            for name in names:
                self._forget(name)
                with suppress(OSError):
                    files.remove(self._place(name), disk=self._disk)
            raise

    @contextmanager
    def use(self) -> Iterator[None]:
        """Hold the store against clean-up by another process, and let blobs that are asked for count as used. Raises
        UsageError while a clean-up is at work."""
        self._prepare()
        with self._lock(fcntl.LOCK_SH):
            self._in_use = True
            try:
                yield
            finally:
                self._in_use = False

    def _place(self, name: Digest) -> str:
        return f"{self.root}/{name[:2]}/{name}"

    def _prepare(self) -> None:
        if not self._ready:
            premises.lay_out(self.root, self._mode, self._disk)
            self._ready = True

    @contextmanager
    def _incoming(self) -> Iterator["_Arrival"]:
        """A fresh temporary, gone after unless `_accept` gave it its name."""
        self._prepare()
        with files.opened_folder(os.path.join(self.root, "tmp"), self._disk) as folder:
            arrival = _Arrival(folder, *files.create_temp(folder, self._disk))
            try:
                yield arrival
            except BaseException:
                if arrival.open:
                    with suppress(OSError):
                        self._disk.close(arrival.fd)
                files.forget_temp(folder, arrival.temp, self._disk)
                raise

    def _copy(self, source: int, arrival: "_Arrival") -> Digest:
        if self._disk.clone(source, arrival.fd):
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
            copy = self._disk.open(arrival.temp, flags, dir_fd=arrival.folder)
            try:
                return self._hash(copy)
            finally:
                self._disk.close(copy)
        seen = sha256()
        files.copy_all(source, arrival.fd, self._disk, seen.update)
        return digest.parse(seen.hexdigest())

    def _accept(self, arrival: "_Arrival", name: Digest, precious: bool) -> Digest:
        """Give the temporary its name. Also over a blob that is there: if that one is damaged, this mends it."""
        self._disk.fchmod(arrival.fd, 0o444)
        if precious:
            self._disk.fsync(arrival.fd)
        arrival.open = False
        self._disk.close(arrival.fd)
        if precious:
            self._mark(name)
        home = files.open_folder(self.root, name[:2], create=self._mode, disk=self._disk)
        try:
            self._disk.rename(arrival.temp, name, src_dir_fd=arrival.folder, dst_dir_fd=home)
            if precious:
                self._disk.fsync(home)
                files.flush_folder(self.root, self._disk)
        finally:
            self._disk.close(home)
        self._known[name] = self._clock() + HOUR
        self._sound.add(name)
        if not precious:
            with self._guard:
                self._unflushed.add(name)
        return name

    def _mark(self, name: Digest) -> None:
        """List a bought blob, durably, before its name is visible. A killed run may have made folders and names
        without flushing them, so all are flushed, there or not."""
        folder = os.path.join(self.root, "precious")
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            files.write_atomic(path, b"", mode=0o444, durable=True, disk=self._disk)
        files.flush_folder(folder, self._disk)
        if not self._anchored:
            premises.anchor(self.root, self._disk)
            self._anchored = True

    def _hash(self, fd: int) -> Digest:
        seen = sha256()
        while chunk := self._disk.read(fd, files.CHUNK):
            seen.update(chunk)
        return digest.parse(seen.hexdigest())

    def _examine(self, name: Digest) -> Damage | None:
        try:
            fd = self._disk.open(self._place(name), os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            self._forget(name)
            return Damage(name, "missing", self.is_precious(name))
        except OSError:
            return self._quarantine(name, "unreadable")
        try:
            found = self._hash(fd)
        except OSError:
            return self._quarantine(name, "unreadable")
        finally:
            self._disk.close(fd)
        return None if found == name else self._quarantine(name, "changed")

    def _quarantine(self, name: Digest, kind: str) -> Damage:
        self._prepare()
        self._forget(name)
        target = f"{name}.{os.urandom(4).hex()}"
        with (
            files.opened_folder(os.path.join(self.root, "quarantine"), self._disk) as ward,
            files.opened_folder(os.path.dirname(self._place(name)), self._disk) as home,
        ):
            self._disk.rename(name, target, src_dir_fd=home, dst_dir_fd=ward)
        return Damage(name, kind, self.is_precious(name), os.path.join(self.root, "quarantine", target))

    def _forget(self, name: Digest) -> None:
        self._known.pop(name, None)
        self._sound.discard(name)

    def _clear_temporaries(self, now: float) -> None:
        folder = os.path.join(self.root, "tmp")
        for name in _names(folder):
            path = os.path.join(folder, name)
            with suppress(FileNotFoundError):
                if os.lstat(path).st_ctime < now - DAY:
                    files.remove(path, disk=self._disk)

    @contextmanager
    def _lock(self, kind: int) -> Iterator[None]:
        if not os.path.isdir(self.root):
            yield
            return
        fd = os.open(os.path.join(self.root, "users"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            try:
                fcntl.flock(fd, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UsageError(f"{shown(self.root)}: the store is in use", hint="wait for the build to end") from None
            yield
        finally:
            os.close(fd)


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
