"""What source and output files looked like when the last whole build ended, so that a build with nothing to do
is stat calls and nothing else.

Imports nothing of ours and nothing heavy at the top: this is the path of a build that does nothing. Knows nothing of
what the files mean.

    "CLIPSNP1", CRC-32 of the rest, five int64 (length of question, of names, sources, outputs, folders), question,
    names joined by NUL, then three int64 columns over sources, outputs, folders: size, stamp, inode

A signature is (size, stamp, inode). The stamp of a source is its ctime, which nobody can set; that of an output its
mtime, because a hard link elsewhere moves the ctime. A folder has a hash of its listing for size. Stamp -1 never
matches: the file changed so recently that a later change could look the same (the racy-timestamp rule). Size -1
stands for a file that was asked for and was not there.
"""

import os
import zlib
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping

TYPE_CHECKING = False

Signature = tuple[int, int, int]
MAGIC = b"CLIPSNP1"
ABSENT: Signature = (-1, 0, 0)
RACY = -1
OTHER_DISK_NS = 2_100_000_000
"""Where the clock of the file's disk is not the one that was asked: the coarsest stamps in use are two seconds."""


class Changes:
    """Relative names of what differs from the snapshot."""

    __slots__ = ("dirs", "outputs", "sources")

    def __init__(self, sources: list[str], outputs: list[str], dirs: list[str]) -> None:
        self.sources, self.outputs, self.dirs = sources, outputs, dirs

    def __bool__(self) -> bool:
        return bool(self.sources or self.outputs or self.dirs)


class Snapshot:
    """Signatures of sources, outputs and listed folders, valid for one question (what was asked to be built)."""

    __slots__ = ("_counts", "_inodes", "_names", "_sizes", "_stamps", "question")

    def __init__(
        self, question: bytes, names: list[bytes], columns: tuple["array[int]", ...], counts: list[int]
    ) -> None:
        self.question = question
        self._names, self._counts = names, counts
        self._sizes, self._stamps, self._inodes = columns

    @staticmethod
    def load(path: str) -> "Snapshot":
        """The snapshot at `path`; a missing or damaged one is empty and matches no question."""
        try:
            with open(path, "rb", buffering=0) as file:
                data = file.read()
            return _parse(data)
        except (OSError, ValueError):
            return Snapshot(b"", [], (array("q"), array("q"), array("q")), [0, 0, 0])

    @staticmethod
    def of(
        question: bytes,
        sources: Mapping[str, Signature],
        outputs: Mapping[str, Signature],
        dirs: Mapping[str, Signature],
    ) -> "Snapshot":
        """A snapshot of these signatures. `question` must not be empty."""
        tables = (sources, outputs, dirs)
        names = [os.fsencode(name) for table in tables for name in table]
        rows = [row for table in tables for row in table.values()]
        columns = tuple(array("q", [row[i] for row in rows]) for i in range(3))
        return Snapshot(question, names, columns, [len(table) for table in tables])

    def amended(
        self,
        sources: Mapping[str, Signature],
        outputs: Mapping[str, Signature],
        dirs: Mapping[str, Signature],
        gone: Collection[str] = (),
    ) -> "Snapshot":
        """This snapshot with these entries in place of what it said, and without the names in `gone`."""
        names: list[bytes] = []
        columns = (array("q"), array("q"), array("q"))
        counts, out, start = [], {os.fsencode(name) for name in gone}, 0
        for count, table in zip(self._counts, (sources, outputs, dirs), strict=True):
            span, start = slice(start, start + count), start + count
            had, mine = self._names[span], [column[span] for column in (self._sizes, self._stamps, self._inodes)]
            news = _overwrite(had, mine, {os.fsencode(name): row for name, row in table.items()})
            if out:
                stays = [i for i, name in enumerate(had) if name not in out]
                if len(stays) < len(had):
                    had, mine = [had[i] for i in stays], [array("q", [c[i] for i in stays]) for c in mine]
            names += [*had, *news]
            counts.append(len(had) + len(news))
            for i, column in enumerate(columns):
                column.extend(mine[i])
                column.extend(row[i] for row in news.values())
        return Snapshot(self.question, names, columns, counts)

    def save(self, path: str) -> None:
        """Write it whole. Raises OSError."""
        from clipbuild.engine.files import write_atomic

        names = b"\0".join(self._names)
        head = array("q", [len(self.question), len(names), *self._counts]).tobytes()
        columns = (column.tobytes() for column in (self._sizes, self._stamps, self._inodes))
        body = b"".join((head, self.question, names, *columns))
        write_atomic(path, MAGIC + zlib.crc32(body).to_bytes(4, "little") + body, mode=0o600)

    def unchanged(self, question: bytes, root: str) -> bool:
        """This very question was answered, and no file or folder below `root` differs since."""
        if not self.question or question != self.question:
            return False
        return next(self._differing(root), None) is None

    def changes(self, root: str, *, among: Collection[str] | None = None) -> Changes:
        """What differs below `root`; `among`: of the sources only these are looked at, and of the outputs none."""
        found: tuple[list[str], list[str], list[str]] = ([], [], [])
        for table, name in self._differing(root, among):
            found[table].append(os.fsdecode(name))
        return Changes(*found)

    def without(self, names: Iterable[str]) -> list[str]:
        """Those of these sources that the snapshot does not speak of."""
        known = set(self._names[: self._counts[0]])
        return [name for name in names if os.fsencode(name) not in known]

    def sources(self) -> dict[str, Signature]:
        """Every source that was asked for, with its signature."""
        return self._table(0)

    def outputs(self) -> dict[str, Signature]:
        """Every output, with its signature."""
        return self._table(1)

    def dirs(self) -> dict[str, Signature]:
        """Every folder that was listed, with its signature."""
        return self._table(2)

    def _table(self, number: int) -> dict[str, Signature]:
        start = sum(self._counts[:number])
        span = slice(start, start + self._counts[number])
        rows = zip(self._sizes[span], self._stamps[span], self._inodes[span], strict=True)
        return dict(zip(map(os.fsdecode, self._names[span]), rows, strict=True))

    def _differing(self, root: str, among: Collection[str] | None = None) -> Iterator[tuple[int, bytes]]:
        """(table, name) of each entry that differs. Names are looked up from the open root: short, and no chdir."""
        try:
            fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            yield 0, os.fsencode(root)
            return
        try:
            sources, outputs = self._counts[0], self._counts[0] + self._counts[1]
            rows = self._rows(slice(0, sources))
            if among is None:
                yield from ((0, name) for name in _differing_sources(fd, rows))
                yield from ((1, name) for name in self._differing_outputs(fd, slice(sources, outputs)))
            else:
                wanted = {os.fsencode(name) for name in among}
                yield from ((0, name) for name in _differing_sources(fd, (row for row in rows if row[0] in wanted)))
            for name, *row in self._rows(slice(outputs, None)):
                if folder_differs(name, row, fd):
                    yield 2, name
        finally:
            os.close(fd)

    def _rows(self, span: slice) -> "zip[tuple[bytes, int, int, int]]":
        return zip(self._names[span], self._sizes[span], self._stamps[span], self._inodes[span], strict=True)

    def _differing_outputs(self, fd: int, span: slice) -> Iterator[bytes]:
        stat = os.stat
        for name, size, stamp, inode in self._rows(span):
            try:
                now = stat(name, dir_fd=fd, follow_symlinks=False)
            except OSError:
                yield name
                continue
            if now.st_mtime_ns != stamp or now.st_size != size or now.st_ino != inode:
                yield name


def _differing_sources(fd: int, rows: Iterable[tuple[bytes, int, int, int]]) -> Iterator[bytes]:
    stat = os.stat
    for name, size, stamp, inode in rows:
        try:
            now = stat(name, dir_fd=fd)
        except OSError:
            if size != -1:
                yield name
            continue
        if now.st_ctime_ns != stamp or now.st_size != size or now.st_ino != inode:
            yield name


def _overwrite(
    names: list[bytes], columns: list["array[int]"], rows: dict[bytes, Signature]
) -> dict[bytes, Signature]:
    """Set the rows of these names in `columns`; returns those that have no place there yet."""
    if not rows:
        return {}
    place = dict(zip(names, range(len(names)), strict=True))
    left = {}
    for name, row in rows.items():
        at = place.get(name)
        if at is None:
            left[name] = row
            continue
        for column, value in zip(columns, row, strict=True):
            column[at] = value
    return left


def folder_differs(name: bytes | str, row: Iterable[int], fd: int) -> bool:
    """The listing of a folder is another; read only when the folder was touched."""
    listing, stamp, inode = row
    try:
        now = os.stat(name, dir_fd=fd)
        if now.st_mtime_ns == stamp and now.st_ino == inode:
            return False
        return listing != listing_hash(_listed(name, fd))
    except OSError:
        return listing != -1


def output_signature(path: str, *, dir_fd: int | None = None) -> Signature:
    """What an output looks like now. Raises OSError."""
    now = os.stat(path, dir_fd=dir_fd, follow_symlinks=False)
    return now.st_size, now.st_mtime_ns, now.st_ino


def doubted(path: str, before: Signature | None = None) -> Signature:
    """What an output looks like now; one that is gone, or does not look as before, matches nothing."""
    try:
        row = output_signature(path)
    except OSError:
        return 0, RACY, 0
    return row if before in (None, row) else (row[0], RACY, row[2])


def settled(outputs: Mapping[str, Signature], now_ns: int) -> dict[str, Signature]:
    """The outputs with those marked that were written in the very tick of `now_ns` (see `disk_clock`)."""
    return {name: row if row[1] < now_ns else (row[0], RACY, row[2]) for name, row in outputs.items()}


def disk_clock(folder: str) -> tuple[int, int]:
    """The time in ns by which the disk of `folder` stamps files, and its device: never the wall clock, which may
    jump or be another machine's. Raises OSError."""
    fd = os.open(os.path.join(folder, "clock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        os.utime(fd)
        now = os.fstat(fd)
        return now.st_ctime_ns, now.st_dev
    finally:
        os.close(fd)


def _listed(name: bytes | str, fd: int) -> list[str]:
    inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=fd)
    try:
        return sorted(os.listdir(inner))
    finally:
        os.close(inner)


def listing_hash(names: list[str]) -> int:
    import xxhash

    return int(xxhash.xxh3_64_intdigest(b"\0".join(map(os.fsencode, names))) >> 1)


def _parse(data: bytes) -> Snapshot:
    """Raises ValueError for a file that is not a whole snapshot."""
    body = memoryview(data)[12:]
    if data[:8] != MAGIC or zlib.crc32(body).to_bytes(4, "little") != data[8:12] or len(body) < 40:
        raise ValueError("not a snapshot")
    question, names, *counts = array("q", bytes(body[:40]))
    start = 40 + question + names
    total = sum(counts)
    if min(question, names, *counts) < 0 or len(body) != start + 24 * total:
        raise ValueError("not a snapshot")
    columns = tuple(array("q", bytes(body[start + 8 * total * i : start + 8 * total * (i + 1)])) for i in range(3))
    texts = bytes(body[40 + question : start]).split(b"\0") if total else []
    if len(texts) != total:
        raise ValueError("not a snapshot")
    return Snapshot(bytes(body[40 : 40 + question]), texts, columns, counts)
