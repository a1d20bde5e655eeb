"""A result that came with its answer, in one piece under its job's name, until the journal says that it is stored.

    HOME/received/INTENT    the record that the journal is owed, the sizes, the bytes: there whole or not at all

Where a provider keeps nothing the answer is the only copy. A run that is killed between the bytes and their line in the
journal leaves them with a name, and the next run takes them in: bought, without asking anybody. Knows no provider.
"""

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from clipbuild import digest
from clipbuild.engine import files
from clipbuild.engine.store import DAY, Store
from clipbuild.errors import ClipbuildError, shown
from clipbuild.providers.journal import Journal, Write
from clipbuild.providers.records import BOUGHT, MAX_LINE, Record, from_line, to_line, token

FOLDER = "received"
Results = Mapping[str, bytes]
"""What came: name of the output → bytes."""


@dataclass(frozen=True, slots=True)
class Parcels:
    """The parcels beside a journal, below its `home`."""

    home: str
    disk: files.Disk = files.DISK

    def keep(self, record: Record, results: Results) -> None:
        """Durable and whole when this returns. Raises OSError."""
        folder = os.path.join(self.home, FOLDER)
        if not os.path.isdir(folder):
            files.ensure_dir(folder, 0o700, disk=self.disk)
            files.flush_folder(self.home, self.disk)
        sizes = json.dumps({name: len(data) for name, data in results.items()}).encode() + b"\n"
        parts = (to_line(record), sizes, *results.values())
        files.write_atomic(self.place(record.intent), parts, mode=0o400, durable=True, disk=self.disk)

    def place(self, intent: str) -> str:
        """Where the parcel of a job is."""
        return os.path.join(self.home, FOLDER, os.path.basename(intent))

    def waiting(self) -> list[str]:
        """The jobs that have one. Temporaries of killed runs go after a day."""
        folder = os.path.join(self.home, FOLDER)
        try:
            names = sorted(os.listdir(folder))
        except (FileNotFoundError, NotADirectoryError):
            return []
        for name in filter(files.is_temporary, names):
            with suppress(OSError):
                if os.lstat(os.path.join(folder, name)).st_ctime < time.time() - DAY:
                    files.remove(os.path.join(folder, name), disk=self.disk)
        return [name for name in names if not files.is_temporary(name)]

    def read(self, intent: str) -> tuple[Record, dict[str, bytes]] | None:
        """What the journal is owed, and the results; None: there is no such parcel. Raises OSError, ValueError for one
        that is damaged."""
        try:
            fd = os.open(self.place(intent), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            return None
        with open(fd, "rb") as file:
            record = from_line(file.readline(MAX_LINE + 1).removesuffix(b"\n"))
            try:
                sizes = dict(json.loads(file.readline(MAX_LINE + 1)))
                results = {name: file.read(int(size)) for name, size in sizes.items()}
            except (TypeError, RecursionError) as error:
                raise ValueError("its sizes can't be read") from error
        if {name: digest.of_bytes(data) for name, data in results.items()} != dict(record.outputs):
            raise ValueError("its bytes are not what its record says")
        return record, results

    def drop(self, intent: str) -> None:
        """It is stored, and the journal says so."""
        with suppress(OSError):
            files.remove(self.place(intent), disk=self.disk)


def take_in(journal: Journal, store: Store, say: Callable[[str], object]) -> None:
    """Store what killed runs had received, and write its line. Parcels of live runs are left to them. What can't be
    stored now, or is damaged, stays where it is, and `say` is told."""
    parcels = Parcels(journal.home, journal.disk)
    for intent in parcels.waiting():
        job = journal.replay.jobs.get(intent)
        if job is None or not journal.runs.is_alive(job.run):
            try:
                unpack(journal, store, parcels, intent)
            except (OSError, ValueError, ClipbuildError) as error:
                why = getattr(error, "strerror", "") or getattr(error, "what", "") or error
                say(f"{shown(parcels.place(intent))}: a result that was bought, and can't be taken in: {why}")


def unpack(journal: Journal, store: Store, parcels: Parcels, intent: str) -> bool:
    """Store what came for this job and write its line; False where there is nothing. Raises OSError, ClipbuildError where
    that is not possible now, ValueError for a damaged parcel."""
    found = parcels.read(intent)
    if found is None:
        return False
    record, results = found
    for data in results.values():
        store.add_bytes(data, precious=True)

    def operation(journal: Journal) -> Sequence[Record]:
        job = journal.replay.jobs.get(intent)
        return [] if job is not None and job.state in BOUGHT else [unique(journal, record)]

    for error in journal.transact([Write(operation)]):
        if error is not None:
            raise error
    settled(journal, parcels, intent)
    return True


def settled(journal: Journal, parcels: Parcels, intent: str) -> None:
    """Drop the parcel once the journal's line about it is on the disk."""
    if intent not in {job.intent for job in journal.owed()}:
        parcels.drop(intent)


def unique(journal: Journal, record: Record) -> Record:
    """The record; under our own name where another job bears the provider's already."""
    others = [job for job in journal.replay.named(record.provider, record.job) if job.intent != record.intent]
    return replace(record, job=token(record.intent)) if others else record
