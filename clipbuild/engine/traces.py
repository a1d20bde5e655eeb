"""`state.db`: traces, the last document judged for each name, and other caches, in SQLite.

All of it is only a cache: torn, garbage or of another version it is set aside and a fresh one made, never an error.
Each row carries a checksum, so that damage reads as absence. Knows nothing of clips or of the store.
"""

import json
import os
import sqlite3
import time
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from clipbuild import digest
from clipbuild.digest import Digest
from clipbuild.engine.action import Trace

FORMAT = 1
_SCHEMA = (
    "create table if not exists trace (key blob primary key, data blob not null) without rowid",
    "create table if not exists document (key blob primary key, data blob not null) without rowid",
    "create table if not exists last (name text primary key, key blob not null, data blob not null) without rowid",
    "create table if not exists cache (kind text, key text, data blob not null, primary key (kind, key)) without rowid",
)
_CHUNK = 500
_BROKEN = (sqlite3.Error, UnicodeDecodeError)
"""A damaged page may also show as text that is no UTF-8."""
_BUSY = {5, 6}
_NOT_DAMAGE = {*_BUSY, 3, 8, 10, 13, 14}
"""SQLite's codes for not permitted, read-only, input/output, full, can't open: the file may be sound."""
_OPEN_SECONDS = 0.2
_ALL_FROM = 2000
"""From this many wanted keys on, reading the whole table is cheaper than looking up each."""


class State:
    """The open database. No method raises for anything that is wrong with the file; `warning` then says what was."""

    def __init__(self, path: str, *, patience: float = 2.0) -> None:
        self.path = path
        self.warning = ""
        self._patience = patience
        self._began: float | None = None
        self._yielded = False
        self.dropped = False
        """Something was not written, because another process was writing for too long."""
        self._db = self._open()

    @staticmethod
    def open(path: str) -> "State":
        """The state at `path`, made if missing; ":memory:" keeps it out of the disk."""
        return State(path)

    def trace(self, key: Digest) -> Trace | None:
        """What this key gave, if it is known."""
        rows = self._rows("select data from trace where key = ?", (bytes.fromhex(key),))
        return _trace(key, rows[0][0]) if rows else None

    def traces(self, keys: Iterable[Digest]) -> dict[Digest, Trace]:
        """What those of `keys` gave that are known."""
        found = ((key, _trace(key, data)) for key, data in self._many("trace", keys))
        return {key: trace for key, trace in found if trace is not None}

    def record(self, trace: Trace, document: Mapping[str, Any], names: Iterable[str] = ()) -> None:
        """Note that this key gave these outputs, for `trace.name` and all `names`. Visible to others after `commit`."""
        key = bytes.fromhex(trace.key)
        self._do("insert or replace into trace values (?, ?)", [(key, _pack(key, _trace_bytes(trace)))])
        self.judged(dict.fromkeys({trace.name, *names}, (trace.key, document)))

    def judged(self, documents: Mapping[str, tuple[Digest, Mapping[str, Any]]]) -> None:
        """Note the document last judged for each action name, for `why`."""
        if not documents:
            return
        packed = dict(documents.values())
        self._do(
            "insert or ignore into document values (?, ?)",
            [(key := bytes.fromhex(k), _pack(key, zlib.compress(digest.canonical(d), 1))) for k, d in packed.items()],
        )
        self.point({name: key for name, (key, _) in documents.items()})

    def last(self, name: str) -> tuple[Digest, dict[str, Any]] | None:
        """Key and document last judged for the action `name`."""
        key = self.last_keys([name]).get(name)
        document = self.document(key) if key else None
        return None if key is None or document is None else (key, document)

    def document(self, key: Digest) -> dict[str, Any] | None:
        """The document of a key, if it is known."""
        rows = self._rows("select data from document where key = ?", (bytes.fromhex(key),))
        data = _unpack(bytes.fromhex(key), rows[0][0]) if rows else None
        with suppress(ValueError, zlib.error, RecursionError):
            return None if data is None else dict(json.loads(zlib.decompress(data)))
        return None

    def last_keys(self, names: Collection[str]) -> dict[str, Digest]:
        """Key last judged for each of these action names that has one."""
        if len(names) >= _ALL_FROM:
            wanted = set(names)
            rows = [row for row in self._rows("select name, data from last", ()) if row[0] in wanted]
        else:
            one = "select name, data from last where name = ?"
            rows = [row for name in names for row in self._rows(one, (name,))]
        found = ((name, _unpack(_place("last", name), data)) for name, data in rows)
        return {name: Digest(key.hex()) for name, key in found if key is not None}

    def point(self, keys: Mapping[str, Digest]) -> None:
        """Note the key last judged for each action name, whose document was recorded before."""
        rows = [(name, bytes.fromhex(key)) for name, key in keys.items()]
        self._do(
            "insert or replace into last values (?, ?, ?)",
            [(name, key, _pack(_place("last", name), key)) for name, key in rows],
        )

    def get(self, kind: str, key: str) -> bytes | None:
        """An entry of the cache table `kind`."""
        rows = self._rows("select data from cache where kind = ? and key = ?", (kind, key))
        return _unpack(_place(kind, key), rows[0][0]) if rows else None

    def get_all(self, kind: str) -> dict[str, bytes]:
        """Every entry of the cache table `kind`."""
        rows = self._rows("select key, data from cache where kind = ?", (kind,))
        found = ((key, _unpack(_place(kind, key), data)) for key, data in rows)
        return {key: data for key, data in found if data is not None}

    def put(self, kind: str, key: str, data: bytes) -> None:
        """Set an entry of the cache table `kind`."""
        self.put_all(kind, {key: data})

    def put_all(self, kind: str, entries: Mapping[str, bytes]) -> None:
        """Set many entries of the cache table `kind`."""
        rows = [(kind, key, _pack(_place(kind, key), data)) for key, data in entries.items()]
        self._do("insert or replace into cache values (?, ?, ?)", rows)

    def drop(self, kind: str, keys: Iterable[str] | None = None) -> None:
        """Forget these entries of the cache table `kind`, else all of it."""
        if keys is None:
            self._do("delete from cache where kind = ?", [(kind,)])
        else:
            self._do("delete from cache where kind = ? and key = ?", [(kind, key) for key in keys])

    def keys(self) -> set[Digest]:
        """Every key that has a trace."""
        return {Digest(key.hex()) for (key,) in self._rows("select key from trace", ())}

    def forget(self, keys: Iterable[Digest]) -> None:
        """Drop traces, for example of blobs that clean-up removed, and documents no name points to."""
        self._do("delete from trace where key = ?", [(bytes.fromhex(key),) for key in keys])
        self._do("delete from document where key not in (select key from last)", [()])

    def commit(self) -> None:
        """Make visible to others what was recorded, and let others write."""
        self._began, self._yielded = None, False
        try:
            self._db.commit()
        except _BROKEN as error:
            self._renew(error)

    def close(self) -> None:
        """Commit and close."""
        self.commit()
        self._db.close()

    def _many(self, table: str, keys: Iterable[Digest]) -> Iterator[tuple[Digest, bytes]]:
        wanted = list(keys)
        if len(wanted) >= _ALL_FROM:
            chosen = set(wanted)
            for key, data in self._rows(f"select key, data from {table}", ()):  # noqa: S608 - our own table's name
                if (name := Digest(key.hex())) in chosen:
                    yield name, data
            return
        for start in range(0, len(wanted), _CHUNK):
            part = [bytes.fromhex(key) for key in wanted[start : start + _CHUNK]]
            marks = ",".join("?" * len(part))
            for key, data in self._rows(f"select key, data from {table} where key in ({marks})", part):  # noqa: S608
                yield Digest(key.hex()), data

    def _rows(self, sql: str, values: Iterable[Any]) -> list[Any]:
        try:
            return self._db.execute(sql, tuple(values)).fetchall()
        except UnicodeEncodeError:  # a file name that is no text, which is never put here
            return []
        except _BROKEN as error:
            self._renew(error)
            return []

    def _do(self, sql: str, rows: list[tuple[Any, ...]]) -> None:
        """Write. No transaction stays open for long, since another process may plan here while we build; and when it
        is the other one that writes, ours is not written: it is only a cache."""
        if self._yielded:
            self.dropped |= bool(rows)
            return
        try:
            self._db.executemany(sql, rows)
        except UnicodeEncodeError:
            return
        except _BROKEN as error:
            if getattr(error, "sqlite_errorcode", None) in _BUSY:
                self._yielded = self.dropped = True
            else:
                self._renew(error)
            return
        now = time.monotonic()
        if self._began is None:
            self._began = now
        elif now - self._began > _OPEN_SECONDS:
            self.commit()

    def _renew(self, error: Exception) -> None:
        """Go on with a fresh database: in place of a broken one, in memory where the place is no good."""
        with suppress(*_BROKEN):
            self._db.close()
        self._db = self._instead(error)

    def _open(self) -> sqlite3.Connection:
        try:
            return _connect(self.path, self._patience)
        except (*_BROKEN, OSError) as error:
            return self._instead(error)

    def _instead(self, error: Exception) -> sqlite3.Connection:
        if getattr(error, "sqlite_errorcode", None) not in _NOT_DAMAGE:
            self.warning = f"{self.path}: set aside ({error}); what is up to date is found out again"
            for suffix in ("", "-wal", "-shm"):
                with suppress(OSError):
                    os.replace(self.path + suffix, f"{self.path}.damaged{suffix}")
            with suppress(*_BROKEN, OSError):
                return _connect(self.path, self._patience)
        self.warning = f"{self.path}: not usable ({error}); this run remembers nothing"
        return _connect(":memory:", self._patience)


def _connect(path: str, patience: float) -> sqlite3.Connection:
    """Open and check; raises sqlite3.Error for what is not a database of this version."""
    db = sqlite3.connect(path, timeout=patience, check_same_thread=False)
    try:
        version = db.execute("pragma user_version").fetchone()[0]
        if version not in (0, FORMAT) or (version == 0 and db.execute("select 1 from sqlite_master").fetchone()):
            raise sqlite3.DatabaseError(f"format {version}, not {FORMAT}")
        db.execute("pragma journal_mode = wal")
        db.execute("pragma synchronous = normal")
        if version == 0:
            db.execute("begin immediate")  # all or nothing: a kill in between must not leave half a schema
            for statement in _SCHEMA:
                db.execute(statement)
            db.execute(f"pragma user_version = {FORMAT}")
            db.commit()
    except BaseException:
        db.close()
        raise
    return db


def _place(kind: str, key: str) -> bytes:
    return f"{kind}\0{key}".encode("utf-8", "surrogatepass")


def _pack(place: bytes, data: bytes) -> bytes:
    """`data` with a checksum that binds it to its place, so that neither can change alone."""
    return zlib.crc32(data, zlib.crc32(place)).to_bytes(4, "little") + data


def _unpack(place: bytes, data: object) -> bytes | None:
    if not isinstance(data, bytes) or len(data) < 4:
        return None
    body = data[4:]
    return body if zlib.crc32(body, zlib.crc32(place)).to_bytes(4, "little") == data[:4] else None


def _trace_bytes(trace: Trace) -> bytes:
    fields = [trace.name, dict(trace.outputs), trace.cost, trace.seconds, dict(trace.facts)]
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def _trace(key: Digest, data: object) -> Trace | None:
    body = _unpack(bytes.fromhex(key), data)
    if body is None:
        return None
    try:
        name, outputs, cost, seconds, facts = json.loads(body)
        return Trace(name, key, outputs, cost, seconds, facts)
    except (ValueError, TypeError):
        return None
