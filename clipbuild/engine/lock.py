"""`clipbuild.lock`: what was bought, which take is meant and what was approved, in git, one JSON object a line.

    {"format":1,"kind":"header"}
    {"cost":"0.040","facts":{…},"key":K,"kind":"pin","name":"acme/SKU-17/image","outputs":{"image.png":D},"sum":S}
    {"because":"blurred label","key":K,"kind":"take","take":2}
    {"at":"2025-01-31T12:00:00Z","by":"kim","digest":D,"key":K,"kind":"approval","name":"acme/SKU-17/render",
     "pair":"one subject, plain / push-in / local","reason":"","verdict":"approved"}          (on one line)

Sorted by kind, name and key; read in any order, so that a line-wise union of two branches loads. `sum` is the start of
the digest of the pin's other fields: it finds a slip of the hand or of a merge, it is no signature. Nothing in the file
is trusted further than its shape: keys are recomputed from inputs, blobs are checked against their digests. Knows
nothing of clips or providers.
"""

import errno
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from clipbuild import digest
from clipbuild.digest import Digest
from clipbuild.engine import files, lockline
from clipbuild.engine.action import Trace
from clipbuild.engine.disk import DISK, Disk
from clipbuild.errors import IntegrityError, UsageError, shown

MAX_BYTES, MAX_LINES = 512 << 20, 1_000_000
LOCK_FILE = "clipbuild.lock"
"""Its name in the workspace's folder."""


@dataclass(frozen=True, slots=True)
class Take:
    """Which attempt of the precious action with this base key is meant, and why not an earlier one."""

    key: Digest
    take: int
    because: str


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's verdict ("approved" or "rejected") on the bytes `digest` that `key` gave. `at` is ISO 8601.

    `name` is the action's at that time, for readers of the file; `pair` is what it counts for in the record of motions.
    """

    key: Digest
    digest: Digest
    verdict: str
    by: str
    at: str
    reason: str = ""
    name: str = ""
    pair: str = ""


@dataclass(frozen=True, slots=True)
class Lock:
    """All entries. The `with_` functions return another lock; nothing is written before `save`."""

    pins: Mapping[Digest, Trace] = field(default_factory=dict)
    takes: Mapping[Digest, Take] = field(default_factory=dict)
    approvals: Mapping[tuple[Digest, Digest], Approval] = field(default_factory=dict)
    seen: Digest = field(default=digest.of_bytes(b""), compare=False)
    """The digest of the file that it was read from or saved to last; none is as good as an empty one."""

    @staticmethod
    def load(path: str) -> "Lock":
        """The lock at `path`; a missing or empty file is an empty lock.

        Raises UsageError for what is no lock of this version, IntegrityError for a damaged or contradictory line.
        """
        return parse(_read(path), shown(path))

    def save(self, path: str, disk: Disk = DISK) -> "Lock":
        """Write it whole and flushed, unless the file already says the same; returns it as saved. Raises UsageError,
        OSError."""
        data = self.dump()
        if _read(path) != data:
            files.write_atomic(path, data, durable=True, disk=disk)
        return replace(self, seen=digest.of_bytes(data))

    def dump(self) -> bytes:
        """The one byte form; b"" for an empty lock."""
        lines = [digest.canonical(entry) for entry in self._entries()]
        return b"".join(line + b"\n" for line in [digest.canonical(lockline.HEADER), *lines]) if lines else b""

    def pin(self, key: Digest) -> Trace | None:
        """What was bought for this key."""
        return self.pins.get(key)

    def with_pin(self, trace: Trace) -> "Lock":
        """With one more bought result."""
        return self.with_pins([trace])

    def with_pins(self, traces: Iterable[Trace]) -> "Lock":
        """With more bought results. Raises ValueError for a trace that the lock could not read back."""
        pins = dict(self.pins)
        for trace in traces:
            facts = {name: str(trace.facts[name]) for name in lockline.FACTS if trace.facts.get(name)}
            pin = Trace(trace.name, trace.key, dict(trace.outputs), trace.cost, 0.0, facts)
            lockline.check(_pin_entry(pin))
            pins[pin.key] = pin
        return replace(self, pins=pins)

    def without_pins(self, keys: Iterable[Digest]) -> "Lock":
        """Without these pins; their blobs stay in the store."""
        gone = set(keys)
        return replace(self, pins={key: pin for key, pin in self.pins.items() if key not in gone})

    def take(self, base_key: Digest) -> int:
        """Which attempt is meant; 1 unless noted."""
        noted = self.takes.get(base_key)
        return noted.take if noted else 1

    def with_take(self, base_key: Digest, take: int, because: str) -> "Lock":
        """With another attempt meant from now on. Raises ValueError."""
        noted = Take(base_key, take, because)
        lockline.check(_take_entry(noted))
        return replace(self, takes={**self.takes, base_key: noted})

    def approval(self, key: Digest, of: Digest) -> Approval | None:
        """What a person said about these bytes of this key; other bytes are not approved by it."""
        return self.approvals.get((key, of))

    def decisions(self) -> dict[Digest, Approval]:
        """The latest verdict on each blob, under whichever key it was given: equal bytes need no second look."""
        found: dict[Digest, Approval] = {}
        for said in sorted(self.approvals.values(), key=lambda a: (a.at, a.verdict, a.key)):
            found[said.digest] = said
        return found

    def with_approval(self, approval: Approval) -> "Lock":
        """With a person's verdict, in place of an earlier one on the same bytes. Raises ValueError."""
        lockline.check(_approval_entry(approval))
        return replace(self, approvals={**self.approvals, (approval.key, approval.digest): approval})

    def _entries(self) -> Iterable[dict[str, Any]]:
        for approval in sorted(self.approvals.values(), key=lambda a: (a.name, a.key, a.digest)):
            yield _approval_entry(approval)
        for pin in sorted(self.pins.values(), key=lambda p: (p.name, p.key)):
            yield _pin_entry(pin)
        for take in sorted(self.takes.values(), key=lambda t: t.key):
            yield _take_entry(take)


def parse(data: bytes, where: str = LOCK_FILE) -> Lock:
    """The lock in `data`; `where` names the file in errors. Raises as `Lock.load`."""
    if not data.strip():
        return Lock(seen=digest.of_bytes(data))
    text = _decoded(data, where)
    lines = text.removeprefix("\ufeff").split("\n")
    if len(lines) > MAX_LINES:
        raise UsageError(f"{where}: more than {MAX_LINES:,} lines")
    reader = _Reader(where)
    for number, line in enumerate(lines, 1):
        if line.strip():
            reader.read(number, line.rstrip("\r"))
    return Lock(reader.pins, reader.takes, reader.approvals, digest.of_bytes(data))


class _Reader:
    """Collects the entries of one file and refuses contradictions."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.header = False
        self.pins: dict[Digest, Trace] = {}
        self.takes: dict[Digest, Take] = {}
        self.approvals: dict[tuple[Digest, Digest], Approval] = {}

    def read(self, number: int, line: str) -> None:
        place = f"{self.where}:{number}"
        if line.startswith(("<<<<<<<", "=======", ">>>>>>>", "|||||||")):
            raise UsageError(
                f"{place}: a merge conflict",
                hint="keep the lines of both sides and remove the markers, or set `clipbuild.lock merge=union` in .gitattributes",
            )
        pin = lockline.quick_pin(line) if self.header else None
        if pin is not None:
            self._keep(self.pins, pin.key, pin, _same_pin, place)
            return
        try:
            entry = lockline.read(line)
        except lockline.FormatError as error:
            raise UsageError(
                f"{place}: {shown(error)}", hint="use the clipbuild that wrote it, or a newer one"
            ) from None
        except (ValueError, RecursionError) as error:
            raise IntegrityError(
                f"{place}: {shown(error)}", hint=f"git checkout {self.where}, or remove the line"
            ) from None
        self._add(entry, place)

    def _add(self, entry: dict[str, Any], place: str) -> None:
        kind = entry["kind"]
        if kind == "header":
            self.header = True
        elif not self.header:
            raise UsageError(f"{place}: the first line is no header of a lock", hint=f"git checkout {self.where}")
        elif kind == "pin":
            pin = Trace(entry["name"], entry["key"], entry["outputs"], entry["cost"], 0.0, entry["facts"])
            self._keep(self.pins, pin.key, pin, _same_pin, place)
        elif kind == "take":
            take = Take(entry["key"], entry["take"], entry["because"])
            self._keep(self.takes, take.key, take, _later_take, place)
        else:
            said = Approval(**{name: value for name, value in entry.items() if name != "kind"})
            self._keep(self.approvals, (said.key, said.digest), said, _same_approval, place)

    def _keep(
        self, entries: dict[Any, Any], key: Any, entry: Any, settle: Callable[[Any, Any], Any], place: str
    ) -> None:
        there = entries.get(key)
        kept = entry if there is None or there == entry else settle(there, entry)
        if kept is None:
            raise IntegrityError(
                f"{place}: says something else than an earlier line with the same key",
                [("key", str(entry.key))],
                "keep one of the two lines",
            )
        entries[key] = kept


def _same_pin(one: Trace, two: Trace) -> Trace | None:
    """Two pins that differ only in the name they were bought under say the same."""
    first = min(one, two, key=lambda pin: pin.name)
    return first if replace(one, name="") == replace(two, name="") else None


def _later_take(one: Take, two: Take) -> Take:
    """Two branches asked for another attempt: the later one is meant by both."""
    return min((one, two), key=lambda take: (-take.take, take.because))


def _same_approval(one: Approval, two: Approval) -> Approval | None:
    return min((one, two), key=lambda a: (a.at, a.by, a.reason)) if one.verdict == two.verdict else None


def _pin_entry(pin: Trace) -> dict[str, Any]:
    entry = {
        "kind": "pin",
        "key": pin.key,
        "name": pin.name,
        "outputs": dict(pin.outputs),
        "cost": pin.cost,
        "facts": dict(pin.facts),
    }
    return {**entry, "sum": lockline.pin_sum(entry)}


def _take_entry(take: Take) -> dict[str, Any]:
    return {"kind": "take", "key": take.key, "take": take.take, "because": take.because}


def _approval_entry(said: Approval) -> dict[str, Any]:
    return {
        "kind": "approval",
        "key": said.key,
        "digest": said.digest,
        "verdict": said.verdict,
        "by": said.by,
        "at": said.at,
        "name": said.name,
        "pair": said.pair,
        "reason": said.reason,
    }


def _read(path: str) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return b""
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise UsageError(f"{shown(path)}: is a link", hint="put the lock itself here") from error
        raise UsageError(f"{shown(path)}: can't be read: {error.strerror}") from error
    try:
        with open(fd, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{shown(path)}: can't be read: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise UsageError(f"{shown(path)}: more than {MAX_BYTES >> 20} MiB")
    return data


def _decoded(data: bytes, where: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise IntegrityError(f"{where}:{line}: not UTF-8", hint=f"git checkout {where}") from error
