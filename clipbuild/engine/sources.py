"""Source files: their digests, remembered by what the file system says of them, and every path that was asked for.

Reads only regular files inside the project. Knows nothing of what is in them.
"""

import os
import re
import struct
import time
from collections.abc import Callable
from hashlib import sha256

from clipbuild.digest import CHUNK, Digest
from clipbuild.engine import files, snapshot
from clipbuild.engine.snapshot import ABSENT, OTHER_DISK_NS, RACY, Signature
from clipbuild.engine.traces import State
from clipbuild.errors import UsageError, shown

KIND = "source"
_ROW = struct.Struct("<qqq32s16s")
_TRIES = 3
GONE: Signature = (0, RACY, 0)
"""A file that was there and may be there no more: whatever is found differs."""
_WILD = re.compile(r"[*?\[]")


class Sources:
    """The source files below `root`; `clock` gives the time and device by which its disk stamps files. `known` gives the
    digest of a file that only stands in for another, None for any other file."""

    def __init__(
        self,
        root: str,
        state: State,
        *,
        clock: Callable[[], tuple[int, int]] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        known: Callable[[str], Digest | None] | None = None,
    ) -> None:
        self.root = root
        self._told = known
        self._state = state
        self._clock = clock or (lambda: snapshot.disk_clock(os.path.join(root, ".clipbuild")))
        self._sleep = sleep
        self._began, self._device = self._clock()
        self._digests: dict[str, Digest] = {}
        self._seen: dict[str, Signature] = {}
        self._dirs: dict[str, Signature] = {}
        self._listings: dict[str, list[str]] = {}
        self._racy: dict[str, int] = {}

    def digest(self, relative: str) -> Digest:
        """The digest of a source's bytes; read only when the file looks changed.

        Raises UsageError when it is missing, no regular file, or leads out of the project.
        """
        known = self._digests.get(relative)
        if known is None:
            known = (self._told(relative) if self._told else None) or self._find(relative)
            self._digests[relative] = known
        return known

    def read(self, relative: str) -> bytes:
        """The bytes of a source, and they are the ones `digest` then speaks of. Raises UsageError."""
        data, digest = self._load(relative, keep=True)
        self._digests[relative] = digest
        return data

    def exists(self, relative: str) -> bool:
        """A file is there; that there was none is remembered too."""
        try:
            facts = os.stat(os.path.join(self.root, relative))
        except (OSError, ValueError):
            self._seen.setdefault(relative, ABSENT)
            return False
        self._seen.setdefault(relative, _signature(facts))
        return True

    def still(self, relative: str, expected: Digest) -> None:
        """Remember for the snapshot what this source looks like, as one that changed unless its bytes are still these; one
        that is missing is as good as an empty one."""
        found = self.digest(relative) if self.exists(relative) else Digest(sha256().hexdigest())
        self._digests[relative] = expected
        if found != expected:
            self._racy[relative] = self._began
            if self._seen[relative] == ABSENT:
                self._seen[relative] = GONE

    def watch(self, path: str) -> None:
        """Remember for the snapshot what a file outside the project looks like, by its whole path."""
        facts = os.stat(path)
        stamp = facts.st_ctime_ns if facts.st_ctime_ns < self._began - OTHER_DISK_NS else RACY
        self._seen[path] = (facts.st_size, stamp, facts.st_ino)

    def names(self, folder: str) -> list[str]:
        """The names in a folder, sorted; [] where there is none. Remembered for the snapshot."""
        if folder not in self._listings:
            self._listings[folder] = self._list(folder)
        return self._listings[folder]

    def glob(self, pattern: str) -> list[str]:
        """Relative paths that match, sorted. `*`, `?` and `[…]` within a name; `**` for any folders."""
        if pattern.startswith("/") or ".." in pattern.split("/"):
            raise UsageError(f"{shown(pattern)}: leaves the project")
        return sorted(set(self._match("", pattern.split("/"))))

    def seen(self) -> dict[str, Signature]:
        """Every source asked for so far, for the snapshot. What changed too recently is looked at again first."""
        self._settle()
        return {name: (row[0], RACY, row[2]) if name in self._racy else row for name, row in self._seen.items()}

    def dirs(self) -> dict[str, Signature]:
        """Every folder listed so far, for the snapshot."""
        return dict(self._dirs)

    def _find(self, relative: str) -> Digest:
        try:
            facts = os.stat(os.path.join(self.root, relative))
        except (OSError, ValueError):
            self._seen[relative] = ABSENT
            raise UsageError(f"{shown(relative)}: {files.refusal(self.root, relative) or 'is gone'}") from None
        row = self._remembered(relative)
        if row is not None and row[0] == _signature(facts):
            self._seen[relative] = row[0]
            return row[1]
        return self._load(relative, keep=False)[1]

    def _remembered(self, relative: str) -> tuple[Signature, Digest, bytes] | None:
        data = self._state.get(KIND, relative)
        if data is None or len(data) != _ROW.size:
            return None
        size, stamp, inode, digest, fingerprint = _ROW.unpack(data)
        return (size, stamp, inode), Digest(digest.hex()), fingerprint

    def _load(self, relative: str, *, keep: bool) -> tuple[bytes, Digest]:
        """Read a file that stands still: the signature before is the signature after."""
        fd = files.open_inside(self.root, relative)
        try:
            for _ in range(_TRIES):
                before = os.fstat(fd)
                os.lseek(fd, 0, os.SEEK_SET)
                data, digest, fingerprint = self._hash(fd, relative, before.st_size, keep)
                row = _signature(before)
                if _signature(os.fstat(fd)) == row:
                    self._note(relative, row, before.st_dev, digest, fingerprint)
                    return data, digest
        except OSError as error:
            raise UsageError(f"{shown(relative)}: can't be read: {error.strerror}") from error
        finally:
            os.close(fd)
        raise UsageError(f"{shown(relative)}: keeps changing while it is read", hint="build again when it is done")

    def _hash(self, fd: int, relative: str, size: int, keep: bool) -> tuple[bytes, Digest, bytes]:
        """(bytes if kept, digest, fingerprint). A file of the same size is asked by the fast hash first."""
        import xxhash

        remembered = self._remembered(relative)
        fast, slow, parts = xxhash.xxh3_128(), sha256(), []
        hopeful = remembered is not None and remembered[0][0] == size
        while chunk := os.read(fd, CHUNK):
            fast.update(chunk)
            if not hopeful:
                slow.update(chunk)
            if keep:
                parts.append(chunk)
        if remembered is not None and hopeful:
            if fast.digest() == remembered[2]:
                return b"".join(parts), remembered[1], remembered[2]
            os.lseek(fd, 0, os.SEEK_SET)
            while chunk := os.read(fd, CHUNK):
                slow.update(chunk)
        return b"".join(parts), Digest(slow.hexdigest()), fast.digest()

    def _note(self, relative: str, row: Signature, device: int, digest: Digest, fingerprint: bytes) -> None:
        """Remember the digest for as long as the file looks so; not when it changed so lately that a later change
        might look the same."""
        self._seen[relative] = row
        margin = 0 if device == self._device else OTHER_DISK_NS
        if row[1] >= self._began - margin:
            self._racy[relative] = row[1] + margin
            return
        self._racy.pop(relative, None)
        self._state.put(KIND, relative, _ROW.pack(*row, bytes.fromhex(digest), fingerprint))

    def _settle(self) -> None:
        """Read again what changed just before it was read: if it still is the same, its signature is good now."""
        if not self._racy:
            return
        latest = max(self._racy.values())
        for _ in range(10):
            self._began, self._device = self._clock()
            if self._began > latest:
                break
            self._sleep(0.005)
        for relative in list(self._racy):
            try:
                digest = self._load(relative, keep=False)[1]
            except UsageError:
                continue
            if digest != self._digests.get(relative):
                self._racy[relative] = self._began  # changed during the build: for the next one to see

    def _list(self, folder: str) -> list[str]:
        path = os.path.join(self.root, folder)
        try:
            fd = files.open_folder(self.root, folder)
        except OSError:
            self._dirs[folder or "."] = ABSENT
            return []
        try:
            facts = os.fstat(fd)
            names = sorted(os.listdir(fd))
        except OSError as error:
            raise UsageError(f"{shown(path)}: can't be listed: {error.strerror}") from error
        finally:
            os.close(fd)
        stamp = facts.st_mtime_ns if facts.st_mtime_ns < self._began else RACY
        self._dirs[folder or "."] = (snapshot.listing_hash(names), stamp, facts.st_ino)
        return names

    def _match(self, folder: str, parts: list[str]) -> list[str]:
        import fnmatch

        first, rest = parts[0], parts[1:]
        if first == "**":
            inner = [_join(folder, name) for name in self.names(folder) if not name.startswith(".")]
            below = [match for name in inner if self._is_folder(name) for match in self._match(name, parts)]
            return below + (self._match(folder, rest) if rest else [name for name in inner if self._is_file(name)])
        if not _WILD.search(first):
            found = [first] if rest or self.exists(_join(folder, first)) else []
        else:
            found = [n for n in self.names(folder) if fnmatch.fnmatchcase(n, first) and not n.startswith(".")]
        paths = [_join(folder, name) for name in found]
        if not rest:
            return [path for path in paths if self._is_file(path)]
        for path in paths:
            if not os.path.lexists(os.path.join(self.root, path)):
                self._dirs[path] = ABSENT
        return [match for path in paths if self._is_folder(path) for match in self._match(path, rest)]

    def _is_folder(self, relative: str) -> bool:
        path = os.path.join(self.root, relative)
        return os.path.isdir(path) and not os.path.islink(path)

    def _is_file(self, relative: str) -> bool:
        return not os.path.isdir(os.path.join(self.root, relative))


def _signature(facts: os.stat_result) -> Signature:
    return facts.st_size, facts.st_ctime_ns, facts.st_ino


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
