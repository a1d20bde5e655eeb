"""The month of a user with several workspaces: counted from their mirrors as they are now, and held when they ask at once."""

import errno
import multiprocessing
import os
import pathlib
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from clipbuild import digest
from clipbuild.engine.action import Trace
from clipbuild.engine.disk import Os
from clipbuild.providers.contract import Price
from clipbuild.providers.elsewhere import Elsewhere
from clipbuild.providers.journal import Journal, Write
from clipbuild.providers.records import Record, Step
from clipbuild.providers.spend import Budget, Spending

MONTH = "2026-11"
PRICE = Price(Decimal("0.3"), Decimal("0.5"))


def sent(intent: str, **facts: str) -> Record:
    """A record of a submit that may cost 0.5."""
    key = digest.of_bytes(intent.encode())
    return Record(Step.SENT, "2026-11-26T10:00:00Z", intent, key, f"{intent}/animate", "kling", most="0.5", **facts)


def workspace(root: pathlib.Path, name: str) -> Journal:
    """The journal of one of the user's workspaces."""
    return Journal(str(root / name / "journal"), str(root / "state" / "journals" / name)).open()


def test_what_others_spend_counts_and_ones_own_does_not(tmp_path: pathlib.Path) -> None:
    """By month, at the highest price until the cost is known, however often it is asked."""
    mine, other = workspace(tmp_path, "mine"), workspace(tmp_path, "other")
    found = Elsewhere(mine.mirror)
    assert found.spent(MONTH) == 0
    mine.append(sent("i1"))
    other.append(sent("i2"))
    assert found.spent(MONTH) == found.spent(MONTH) == Decimal("0.5")
    assert found.spent("2026-10") == 0
    done = Record(Step.ACCEPTED, "2026-11-26T10:00:00Z", "i2", digest.of_bytes(b"i2"), "i2/animate", "kling", job="j2", cost="0.4")
    other.append(done)
    assert found.spent(MONTH) == Decimal("0.4")
    assert Elsewhere().spent(MONTH) == 0


def test_a_copied_workspace_counts_what_it_brought_along_once(tmp_path: pathlib.Path) -> None:
    """The copy's journal has the lines of the other; what each buys after that is its own, the same thing twice included."""
    mine, other = workspace(tmp_path, "mine"), workspace(tmp_path, "other")
    other.append(sent("i1", build="b1"), sent("i2", build="b1"))
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy/journal").write_bytes(pathlib.Path(other.path).read_bytes())
    copy = workspace(tmp_path, "copy")
    spending = Spending(Budget(None, Decimal(9)), (), Elsewhere(copy.mirror))
    assert spending.spent_in_month(copy.replay, MONTH) == 1
    copy.append(sent("i3", build="b2"))
    other.append(sent("i3", build="b1"))
    assert spending.spent_in_month(copy.replay, MONTH) == 2
    assert Spending(Budget(None, Decimal(9)), (), Elsewhere(mine.mirror)).spent_in_month(mine.replay, MONTH) == 2


def test_a_mirror_that_was_written_anew_or_cut_is_read_anew(tmp_path: pathlib.Path) -> None:
    """Compacted, torn in its last line, damaged, gone: what whole lines say counts, once."""
    mine, other = workspace(tmp_path, "mine"), workspace(tmp_path, "other")
    found = Elsewhere(mine.mirror)
    other.append(sent("i1"), sent("i2"))
    assert found.spent(MONTH) == 1
    data = pathlib.Path(other.mirror).read_bytes()
    pathlib.Path(other.mirror).write_bytes(data.splitlines(keepends=True)[0] + b"nonsense\n" + data[:40])
    assert found.spent(MONTH) == Decimal("0.5")
    with open(other.mirror, "ab") as file:
        file.write(b"\n" + data.splitlines(keepends=True)[1])
    assert found.spent(MONTH) == 1
    os.unlink(other.mirror)
    assert found.spent(MONTH) == 0


def test_a_link_is_not_followed(tmp_path: pathlib.Path) -> None:
    """A mirror that is a link to a file of somebody else is passed over."""
    other = workspace(tmp_path, "other")
    other.append(sent("i1"))
    os.rename(other.mirror, tmp_path / "file")
    os.symlink(tmp_path / "file", other.mirror)
    assert Elsewhere(str(tmp_path / "state" / "journals" / "mine")).spent(MONTH) == 0


def test_what_can_not_be_read_is_not_nothing(tmp_path: pathlib.Path) -> None:
    """Something stands where another's mirror should be: with a cap of the month nothing is permitted, and it is named;
    without one it does not matter. A temporary of one that is being written anew is no workspace."""
    mine, other = workspace(tmp_path, "mine"), workspace(tmp_path, "other")
    other.append(sent("i1"))
    (tmp_path / "state" / "journals" / ".clipbuild-0123456789abcdef.part").write_bytes(pathlib.Path(other.mirror).read_bytes())
    elsewhere = Elsewhere(mine.mirror)
    capped, free = Spending(Budget(month=Decimal(9)), (), elsewhere), Spending(Budget(build=Decimal(9)), (), elsewhere)
    assert elsewhere.spent(MONTH) == Decimal("0.5")
    os.mkdir(tmp_path / "state" / "journals" / "strange")
    refusal = capped.refusal("a", PRICE, mine.replay, build="b", month=MONTH)
    assert refusal is not None
    assert "strange" in str(refusal)
    assert free.refusal("a", PRICE, mine.replay, build="b", month=MONTH) is None
    os.rmdir(tmp_path / "state" / "journals" / "strange")
    assert capped.refusal("a", PRICE, mine.replay, build="b", month=MONTH) is None


def test_a_workspace_that_others_can_not_see_buys_nothing_under_a_cap_of_the_month(tmp_path: pathlib.Path) -> None:
    """Its mirror can't be written: what needs the cap of all is refused and leaves no line, what does not goes on and is
    made up for later. On a disk that refuses in the middle it is taken back."""
    mine, other = workspace(tmp_path, "mine"), workspace(tmp_path, "other")
    seen = Elsewhere(other.mirror)
    os.makedirs(mine.mirror)
    plain, shared = (Write(lambda _, i=i: [sent(i)], permits=True, shared=i == "i2") for i in ("i1", "i2"))  # type: ignore[misc]
    assert [error is None for error in mine.transact([plain, shared])] == [True, False]
    assert list(mine.replay.jobs) == ["i1"]
    os.rmdir(mine.mirror)
    assert seen.spent(MONTH) == 0
    workspace(tmp_path, "mine")
    assert seen.spent(MONTH) == Decimal("0.5"), "the next that opens the journal makes up for it"
    disk = Full(mine.mirror)
    mine = Journal(mine.path, mine.mirror, disk=disk).open()
    disk.is_full = True
    (error,) = mine.transact([Write(lambda _: [sent("i2")], permits=True, shared=True)])
    assert "not see it" in str(error)
    assert (mine.replay.jobs["i2"].state, mine.replay.spent_in_month(MONTH)) == (Step.UNSENT, Decimal("0.5"))
    disk.is_full = False
    assert mine.transact([Write(lambda _: [sent("i2")], permits=True, shared=True)]) == [None]
    assert (seen.spent(MONTH), list(seen.unread)) == (1, [])


class Full(Os):
    """A disk on which one file can be opened and not be written."""

    def __init__(self, path: str) -> None:
        self.path, self.is_full, self.fds = path, False, set[int]()

    def open(self, path: str, *args: Any, **kwargs: Any) -> int:  # type: ignore[override]
        fd = super().open(path, *args, **kwargs)
        (self.fds.add if path == self.path else self.fds.discard)(fd)
        return fd

    def write(self, fd: int, data: memoryview) -> int:  # type: ignore[override]
        if self.is_full and fd in self.fds:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(fd, data)


def test_what_a_clone_brings_in_its_lock_counts_once(tmp_path: pathlib.Path) -> None:
    """Bought in one workspace, pinned, pulled into another: the month has it once."""
    other, mine = workspace(tmp_path, "other"), workspace(tmp_path, "mine")
    other.append(sent("i1", job="j1"))
    facts = {"provider": "kling", "job": "j1", "at": "2026-11-26T10:00:00Z"}
    pins = [Trace("i1/animate", digest.of_bytes(b"i1"), {}, "0.5", 0.0, facts), Trace("x", digest.of_bytes(b"x"), {}, "2", 0.0, {**facts, "job": "j9"})]
    spending = Spending(Budget(month=Decimal(9)), pins, Elsewhere(mine.mirror))
    assert spending.spent_in_month(mine.replay, MONTH) == Decimal("2.5")


def buying(root: str, name: str, cap: str) -> None:
    """In a process of its own: ask forty times for leave to spend 0.5."""
    journal = workspace(pathlib.Path(root), name)
    spending = Spending(Budget(month=Decimal(cap)), (), Elsewhere(journal.mirror))
    for number in range(40):

        def operation(journal: Journal, number: int = number) -> Sequence[Record]:
            refusal = spending.refusal(name, PRICE, journal.replay, build="b", month=MONTH)
            if refusal is not None:
                raise refusal
            return [sent(f"{name}-{number}")]

        journal.transact([Write(operation, permits=True, shared=True)])


def test_the_month_holds_for_workspaces_that_ask_at_once(tmp_path: pathlib.Path) -> None:
    """Four processes in four workspaces, forty wishes each, a month that pays for fifty: fifty are permitted."""
    names = [f"w{number}" for number in range(4)]
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=buying, args=(str(tmp_path), name, "25")) for name in names]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0] * 4
    assert sum(len(workspace(tmp_path, name).replay.jobs) for name in names) == 50
