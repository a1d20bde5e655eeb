"""The journal on disk: what was submitted and is not yet stored, in append-only, checksummed, flushed lines.

    .clipbuild/journal         one JSON record a line, `sum` last; readable, never rewritten in place
    .clipbuild/journal.lock    writers take turns
    <user's state folder>/journals/WORKSPACE   the same lines: what a lost workspace is recovered from
    <user's state folder>/journals.lock        workspaces take turns where a cap holds for all of them

Who lives and who claims what is told by `runs`, beside it.
A torn tail is reported, closed with `#dropped` and passed over; so is any line whose checksum is wrong. The rest holds.
Knows nothing of providers, prices or files' contents.
"""

import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Protocol

from clipbuild import digest
from clipbuild.engine import files
from clipbuild.errors import ClipbuildError, IncompleteError, JournalError, shown
from clipbuild.providers.condensing import condensed, matters
from clipbuild.providers.mirror import NO_FOLLOW, Mirror, append, read
from clipbuild.providers.records import Job, Record, Replay, Step, from_line, to_line
from clipbuild.providers.runs import Runs, turn

DROPPED = b" #dropped"
COMPACT_BYTES = 1 << 20
CONDENSE_BYTES = 2 << 20


class Operation(Protocol):
    """A step under the journal's lock: reads the replay, returns the records to write, or raises ClipbuildError."""

    def __call__(self, journal: "Journal") -> Sequence[Record]: ...


@dataclass(frozen=True, slots=True)
class Write:
    """An operation; `permits` when its records allow spending. Those are durable or did not happen; records of facts
    are kept in memory and written later when the disk refuses. `shared`: a cap of all the user's workspaces is looked at,
    so that only one of them permits at a time."""

    run: Operation
    permits: bool = False
    shared: bool = False


def workspace_name(workspace: str) -> str:
    """What the journal calls a workspace: its real path, digested."""
    return digest.of_bytes(os.path.realpath(workspace).encode("utf-8", "surrogateescape"))[:24]


def mirror_path(state_home: str, workspace: str) -> str:
    """Where the lines of this workspace also live: in the user's state folder, under the workspace's real path."""
    return os.path.join(state_home, "journals", workspace_name(workspace))


class Journal:
    """The journal at `path` with its `mirror` ("" for none). `say` is told of damage and of a mirror that fails."""

    def __init__(
        self,
        path: str,
        mirror: str = "",
        *,
        say: Callable[[str], None] = lambda text: None,
        disk: files.Disk = files.DISK,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.path, self.mirror, self.home = path, mirror, os.path.dirname(path)
        self.runs = Runs(self.home, disk)
        self.condense_from = CONDENSE_BYTES
        self.replay = Replay()
        self._say, self.disk, self._sleep = say, disk, sleep
        self._copy = Mirror(mirror, path, disk, self._tell)
        self._unmirrored: OSError | None = None
        self._sums: set[bytes] = set()
        self._owed: list[Record] = []
        self._guard = threading.RLock()
        self._offset, self._inode, self._line = 0, 0, 0
        self._told: set[str] = set()
        self._numbers = itertools.count()

    def open(self) -> "Journal":
        """Read it, take over what only the mirror knows, close a torn tail. Raises JournalError, OSError."""
        if not os.path.exists(self.path) and not (self.mirror and os.path.exists(self.mirror)):
            return self
        with self._locked():
            self._refresh(settle_tail=True)
            known = [line for line in self._copy.read().split(b"\n") if _is_good(line)]
            missing = [line for line in known if line not in self._sums]
            if missing:
                self._tell(f"{len(missing)} lines of the journal came back from {shown(self.mirror)}")
                append(self.path, b"".join(line + b"\n" for line in missing), self.disk)
                self._refresh()
            self._unmirrored = self._copy.append(b"")
            if self.mirror and os.path.exists(self.mirror) and os.path.getsize(self.mirror) > COMPACT_BYTES:
                self._compact(known)
            if self._offset > self.condense_from:
                self._condense()
        return self

    def refresh(self) -> Replay:
        """The jobs as they are now, lines of other processes included."""
        with self._guard:
            self._refresh()
            return self.replay

    def transact(self, writes: Sequence[Write]) -> list[ClipbuildError | None]:
        """Run the operations one after the other under the lock and make their records durable together.

        One result each: None, or the error that its operation raised or that kept it from being written.
        """
        with self._guard, ExitStack() as stack:
            try:
                stack.enter_context(self._locked())
                self._refresh(settle_tail=True)
            except (OSError, JournalError) as error:
                return self._postponed(writes, error)
            if self.mirror and any(write.shared for write in writes):
                try:
                    stack.enter_context(self._alone())
                    self._copy.check()
                except (OSError, JournalError) as error:
                    why = self._copy.refusal(error) if isinstance(error, OSError) else error
                    rest = self._carried_out([write for write in writes if not write.shared])
                    return [why if write.shared else rest.pop(0) for write in writes]
            return self._carried_out(writes)

    def _carried_out(self, writes: Sequence[Write]) -> list[ClipbuildError | None]:
        outcome: list[ClipbuildError | None] = [None] * len(writes)
        shared: dict[int, list[Record]] = {}
        records = list(self._owed)
        facts, self._owed = list(records), []
        for number, write in enumerate(writes):
            try:
                found = [self._stamped(record) for record in write.run(self)]
            except (ClipbuildError, OSError) as error:
                outcome[number] = _cause(self.path, error)
                continue
            for record in found:
                self.replay.add(record)
            records += found
            facts += () if write.permits else found
            shared |= {number: found} if write.shared and found else {}
        failure = self._write(records, facts) if records else None
        if failure is not None:
            self._owe(facts)
            for number, write in enumerate(writes):
                if write.permits:
                    outcome[number] = outcome[number] or _cause(self.path, failure)
        elif self._unmirrored is not None and shared:
            outcome = [self._copy.refusal(self._unmirrored) if n in shared else known for n, known in enumerate(outcome)]
            self._take_back([record for found in shared.values() for record in found])
        return outcome

    def _take_back(self, records: Sequence[Record]) -> None:
        """What was permitted under a cap of all workspaces, and they can't see: it was not sent."""
        sent = [record for record in records if record.state is Step.SENT]
        back = [self._stamped(replace(record, state=Step.UNSENT, code="not mirrored", line="")) for record in sent]
        for record in back:
            self.replay.add(record)
        if (back and self._write(back, back)) is not None:
            self._owe(back)

    def _postponed(self, writes: Sequence[Write], error: Exception) -> list[ClipbuildError | None]:
        """The journal can't be had at all: facts are kept for later, nothing is permitted."""
        why = _cause(self.path, error)
        outcome: list[ClipbuildError | None] = []
        for write in writes:
            try:
                self._note_owed([] if write.permits else write.run(self))
                outcome.append(why if write.permits else None)
            except (ClipbuildError, OSError):
                outcome.append(why)
        return outcome

    def append(self, *records: Record, permits: bool = False) -> None:
        """Write records that depend on nothing. Raises the error that kept them from being written."""
        for error in self.transact([Write(lambda _: records, permits)]):
            if error is not None:
                raise error

    def owed(self) -> list[Job]:
        """Jobs of which something could not be written yet."""
        return [self.replay.jobs[intent] for intent in dict.fromkeys(r.intent for r in self._owed if r.intent)]

    def close(self) -> None:
        """Write what is owed and let go. Raises IncompleteError that names what could not be written."""
        try:
            if self._owed:
                self.transact([])
            if owed := self.owed():
                raise IncompleteError(
                    f"{shown(self.path)}: can't be written; note these jobs",
                    [(job.name, f"{job.provider} {shown(job.job)}") for job in owed],
                    "make room on the disk, then `clipbuild build`; what it does not find again, `clipbuild jobs adopt`",
                )
        finally:
            self.runs.close()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        files.ensure_dir(self.home, 0o700, disk=self.disk)
        with turn(self.path + ".lock", self._sleep):
            yield

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other workspace of this user permits anything meanwhile: taken after the journal's own lock."""
        folder = os.path.dirname(self.mirror)
        files.ensure_dir(folder, 0o700, disk=self.disk)
        with turn(folder + ".lock", self._sleep):
            yield

    def _refresh(self, settle_tail: bool = False) -> None:
        try:
            fd = os.open(self.path, os.O_RDONLY | NO_FOLLOW)
        except FileNotFoundError:
            if self._offset:
                self._forget()
            return
        with open(fd, "rb") as file:
            facts = os.fstat(fd)
            if facts.st_ino != self._inode or facts.st_size < self._offset:
                self._forget()
                self._inode = facts.st_ino
            file.seek(self._offset)
            data = file.read()
        whole, newline, tail = data.rpartition(b"\n")
        if newline:
            self._offset += len(whole) + 1
            for line in whole.split(b"\n"):
                self._line += 1
                self._take(line)
        if tail and settle_tail:
            self._tell(f"{shown(self.path)}:{self._line + 1}: the last record is cut off and was dropped")
            append(self.path, DROPPED + b"\n", self.disk)
            self._offset += len(tail) + len(DROPPED) + 1
            self._line += 1

    def _take(self, line: bytes) -> None:
        try:
            record = from_line(line)
        except ValueError as error:
            if not line.endswith(DROPPED):
                self._tell(f"{shown(self.path)}:{self._line}: passed over: {error}")
            return
        if line not in self._sums:
            self._sums.add(line)
            self.replay.add(record)

    def _forget(self) -> None:
        """Start reading anew; what is owed stays known."""
        self.replay, self._sums, self._offset, self._line, self._inode = Replay(), set(), 0, 0, 0
        for record in self._owed:
            self.replay.add(record)

    def _write(self, records: list[Record], facts: list[Record]) -> OSError | None:
        """Make the records durable here and in the mirror; the error when not even a new file could be written. Then
        the mirror, which may be on another disk, gets the facts alone: what was not permitted did not happen."""
        lines = [to_line(record) for record in records]
        data = b"".join(lines)
        try:
            append(self.path, data, self.disk)
        except OSError as error:
            if not self._rewrite(lines):
                self._unmirrored = self._copy.append(b"".join(to_line(record) for record in facts))
                return error
            self._unmirrored = self._copy.append(data)
            self._forget()
            self._refresh()
            return None
        self._unmirrored = self._copy.append(data)
        self._sums.update(line[:-1] for line in lines)
        there = os.stat(self.path)
        self._offset, self._inode, self._line = there.st_size, there.st_ino, self._line + len(lines)
        return None

    def _owe(self, facts: list[Record]) -> None:
        """Nothing could be written: permissions did not happen, facts stay in memory until the disk takes them."""
        self._forget()
        self._note_owed(facts)
        with suppress(OSError):
            self._refresh()

    def _stamped(self, record: Record) -> Record:
        """The record with a mark of its own, so that the mirror's copy is known as one and a repeat as another."""
        return record if record.line else replace(record, line=f"{self.runs.name[:8]}-{next(self._numbers):x}")

    def _note_owed(self, facts: Sequence[Record]) -> None:
        stamped = [self._stamped(record) for record in facts]
        self._owed += stamped
        for record in stamped:
            self.replay.add(record)
            if record.job:
                self._tell(f"{record.name}: {record.provider} job {shown(record.job)} is noted in memory only")

    def _rewrite(self, lines: list[bytes]) -> bool:
        """A file whose write or flush failed can't be trusted: its whole lines and the new ones, in a new file."""
        try:
            there = read(self.path).rpartition(b"\n")[0].split(b"\n")
            whole = [line + b"\n" for line in there if line and line + b"\n" not in lines]
            data = b"".join([*whole, *lines])
            files.write_atomic(self.path, data, mode=0o600, durable=True, disk=self.disk)
        except OSError:
            return False
        return True

    def _compact(self, lines: list[bytes]) -> None:
        """Leave in the mirror what open jobs and the spending of the last two months need."""
        months = sorted({job.since[:7] for job in self.replay.jobs.values()})[-2:]
        kept = [line for line in lines if matters(self.replay, from_line(line), months)]
        data = b"".join(line + b"\n" for line in kept)
        with suppress(OSError):
            files.write_atomic(self.mirror, data, mode=0o600, durable=True, disk=self.disk)

    def _condense(self) -> None:
        """Write a long journal anew, settled jobs as a line each, and the mirror with it. When the disk refuses, it
        stays long."""
        good = [from_line(line) for line in read(self.path).split(b"\n") if _is_good(line)]
        lines = [to_line(self._stamped(record))[:-1] for record in condensed(self.replay, good)]
        if sum(map(len, lines)) > self._offset // 2:
            return
        with suppress(OSError):
            data = b"".join(line + b"\n" for line in lines)
            files.write_atomic(self.path, data, mode=0o600, durable=True, disk=self.disk)
            self._refresh()
            if self.mirror:
                self._compact(lines)

    def _tell(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._say(text)


def _is_good(line: bytes) -> bool:
    try:
        from_line(line)
    except ValueError:
        return False
    return True


def _cause(path: str, error: Exception) -> ClipbuildError:
    if isinstance(error, ClipbuildError):
        return error
    return JournalError(
        f"{shown(path)}: can't be written: {getattr(error, 'strerror', '') or error}",
        hint="nothing was sent; make room on the disk or mend the folder's permissions",
    )
