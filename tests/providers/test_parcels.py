"""What came with an answer, kept in one piece until the journal says that it is stored: whatever dies, it is found."""

import os
import pathlib
import random
from decimal import Decimal

import openai  # noqa: F401 - read once here, not in every child
import pytest

from clipbuild import digest
from clipbuild.engine.action import Trace
from clipbuild.engine.store import Store
from clipbuild.providers import opening
from clipbuild.providers.journal import Journal
from clipbuild.providers.parcels import Parcels
from clipbuild.providers.records import Record, Step
from tests.support.adapters import CASES
from tests.support.counter import Counter, die, killed
from tests.support.disks import CHANGING, Wrapped

OPENAI = CASES[0]
SEED = int(os.environ.get("CLIPBUILD_SEED") or random.randrange(1 << 32))
STEP = 1 if (os.environ.get("CLIPBUILD_KILLS") or "").startswith("all") else 5
"""Of the changes of the disk, every so many; all of them one flag away."""
RESULTS = {"image": b"one picture", "image_1": b"another"}


def owed(intent: str = "a" * 32) -> Record:
    """What the journal is owed for `RESULTS`."""
    blobs = {name: digest.of_bytes(data) for name, data in RESULTS.items()}
    key = digest.of_bytes(b"key")
    return Record(
        Step.FETCHED, "2026-11-27T00:00:00Z", intent, key, "a/b/image", "openai", job="req_1", cost="0.04", outputs=blobs
    )


class Dying(Wrapped):
    """A disk that kills its process before the n-th change since `armed`."""

    def __init__(self, at: int) -> None:
        self.at, self.armed = at, False

    def before(self, call: str) -> None:
        if self.armed and call in CHANGING:
            self.at -= 1
            if not self.at:
                die()


def whole(root: pathlib.Path) -> bool:
    """Some bytes of a picture have a name on the disk: in a parcel or in the store."""
    parcels = Parcels(str(root / "home")).waiting()
    return bool(parcels or [p for p in (root / "store").glob("??/*") if len(p.name) == 64])


def test_killed_at_any_write_after_the_answer(tmp_path: pathlib.Path) -> None:
    """SIGKILL before each change of the disk from the answer to the last line: once bytes have a name, the next run has the
    result, asks nobody and holds nothing; before that the job is held. Never is it asked for twice."""
    seen = {True: 0, False: 0}
    print(f"CLIPBUILD_SEED={SEED}")
    for at in range(1 + SEED % STEP, 200, STEP):
        root = tmp_path / str(at)
        root.mkdir()
        with OPENAI.start() as fake:
            disk = Dying(at)
            counter = Counter(OPENAI, fake, str(root), disk=disk, store_wrap=lambda store, d=disk: Store(store.root, disk=d))

            order = counter.order()

            def run(counter: Counter = counter, order: object = order, disk: Dying = disk) -> None:
                counter.emit = lambda kind, **facts: setattr(disk, "armed", disk.armed or facts.get("step") == "sent")
                counter.run(order)  # type: ignore[arg-type]

            if not killed(run):
                break
            counter = Counter(OPENAI, fake, str(root))
            named = whole(root)
            assert counter.status(order) == ("ok" if named else "ambiguous"), at
            assert (fake.submits, len(fake.ledger.charges)) == (1, 1)
            if named:
                found = counter.run(order)[0]
                assert isinstance(found, Trace)
                assert Decimal(found.cost) == fake.ledger.total
            seen[named] += 1
    assert min(seen.values()) > 0, seen


def test_a_parcel_is_whole_or_damaged(tmp_path: pathlib.Path) -> None:
    """It is read as it was kept; a flipped or missing byte is damage, a missing one is none."""
    parcels = Parcels(str(tmp_path))
    record = owed()
    parcels.keep(record, RESULTS)
    assert parcels.read(record.intent) == (record, RESULTS)
    assert (parcels.waiting(), parcels.read("b" * 32)) == ([record.intent], None)
    place = pathlib.Path(parcels.place(record.intent))
    data = place.read_bytes()
    for spoiled in (data[:-1], data[:-1] + b"X", data[:40], b"", b"\n[]\n", data.replace(b"{\"image\": 11", b"[\"image\", 11")):
        place.chmod(0o600)
        place.write_bytes(spoiled)
        with pytest.raises(ValueError, match=r"."):
            parcels.read(record.intent)


@pytest.mark.parametrize("shared", [False, True], ids=["workspace", "shared store"])
def test_opening_the_journal_takes_in_what_a_killed_run_had(shared: bool, tmp_path: pathlib.Path) -> None:
    """Whoever opens it: the job is bought, the blobs are bought ones, the parcel is gone; what lives is left alone, and
    what is damaged is told of and stays."""
    store = str(tmp_path / "shared") if shared else ""
    home = f"{store}.jobs" if store else str(tmp_path / ".clipbuild")
    said: list[str] = []
    alive = Journal(os.path.join(home, "journal"))
    alive.runs.begin()
    mine, theirs, damaged = owed("a" * 32), owed("b" * 32), owed("c" * 32)
    alive.append(Record(Step.SENT, mine.at, theirs.intent, theirs.key, theirs.name, "openai", run=alive.runs.name))
    parcels = Parcels(home)
    for record in (mine, theirs, damaged):
        parcels.keep(record, RESULTS)
    os.chmod(parcels.place(damaged.intent), 0o600)
    with open(parcels.place(damaged.intent), "ab") as file:
        file.truncate(300)
    journal = opening.opened(str(tmp_path), store, "", said.append)
    jobs = journal.replay.jobs
    assert (jobs[mine.intent].state, jobs[mine.intent].job, jobs[mine.intent].cost) == (Step.FETCHED, "req_1", Decimal("0.04"))
    assert (jobs[theirs.intent].state, damaged.intent in jobs) == (Step.SENT, False)
    assert parcels.waiting() == [theirs.intent, damaged.intent]
    assert "can't be taken in" in said[0]
    kept = Store(store or str(tmp_path / ".clipbuild" / "store"))
    assert all(kept.is_precious(blob) and kept.has(blob) for blob in mine.outputs.values())
    assert kept.gc((), now=4e9, dry_run=False).blobs == ()
    alive.runs.close()
    journal = opening.opened(str(tmp_path), store, "", said.append)
    taken = journal.replay.jobs[theirs.intent]
    assert (taken.state, taken.job) == (Step.FETCHED, f"clipbuild-{theirs.intent}"), "another job bears that id"


def test_what_the_disk_does_not_take_stays_where_it_is(tmp_path: pathlib.Path) -> None:
    """The store can't be written: told, kept, and taken in by the next that opens the journal."""
    said: list[str] = []
    parcels = Parcels(str(tmp_path / ".clipbuild"))
    (tmp_path / ".clipbuild").mkdir()
    parcels.keep(owed(), RESULTS)
    (tmp_path / ".clipbuild" / "store").write_bytes(b"in the way")
    with pytest.raises(Exception, match="store"):
        opening.opened(str(tmp_path), "", "", said.append)
    (tmp_path / ".clipbuild" / "store").unlink()
    assert opening.opened(str(tmp_path), "", "", said.append).replay.jobs[owed().intent].state is Step.FETCHED
    assert parcels.waiting() == []
