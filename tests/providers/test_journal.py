"""The journal on a disk that lies, fills up and is shared: what is said to be durable is, and damage is told and passed over."""

import errno
import multiprocessing
import os
import pathlib
import random
from decimal import Decimal
from typing import Any

import pytest

from clipbuild import digest
from clipbuild.errors import ClipbuildError, IncompleteError
from clipbuild.providers.journal import Journal, Write, mirror_path
from clipbuild.providers.records import Record, Replay, Step, from_line, to_line
from tests.support.adapters import CASES
from tests.support.counter import Counter
from tests.support.disks import ERRORS, Failing

KEY = digest.of_bytes(b"key")


def record(step: Step, intent: str = "i1", **facts: Any) -> Record:
    """A record of a job of Kling."""
    return Record(step, "2026-11-26T10:00:00Z", intent, digest.of_bytes(intent.encode()), f"{intent}/animate", "kling", **facts)


def life(intent: str = "i1", job: str = "j1") -> list[Record]:
    """A job from intent to pin."""
    steps = [(Step.INTENT, {"most": "0.5", "run": "r"}), (Step.SENT, {}), (Step.ACCEPTED, {"job": job}), (Step.DONE, {"cost": "0.4"}),
             (Step.FETCHED, {"outputs": {"video": KEY}}), (Step.PINNED, {})]  # fmt: skip
    return [record(step, intent, **facts) for step, facts in steps]


def states(journal: Journal) -> dict[str, str]:
    """Where each job is."""
    return {name: job.state.value for name, job in journal.replay.jobs.items()}


@pytest.fixture
def home(tmp_path: pathlib.Path) -> pathlib.Path:
    """Where the journal lies."""
    return tmp_path / "home"


def opened(home: pathlib.Path, said: list[str] | None = None, **settings: Any) -> Journal:
    """The journal and its mirror."""
    tell = said.append if said is not None else lambda text: None
    return Journal(str(home / "journal"), str(home.parent / "state" / "mirror"), say=tell, **settings).open()


def test_any_prefix_of_a_life_is_legal(home: pathlib.Path) -> None:
    """Cut after each record, the job is where that record left it; `intent` and `sent` alone are ambiguous."""
    for count, record_ in enumerate(life(), 1):
        replay = Replay()
        for one in life()[:count]:
            replay.add(from_line(to_line(one)[:-1]))
        job = replay.jobs["i1"]
        assert job.state is record_.state
        assert job.is_ambiguous == (count < 3)
        assert job.charge == (Decimal("0.4") if count > 3 else Decimal("0.5"))


def test_late_lines_never_turn_a_job_back() -> None:
    """Whatever the order in which two processes' lines arrive, a stored job stays stored."""
    dice = random.Random(7)
    for _ in range(300):
        lines = [*life(), record(Step.SENT), record(Step.FAILED), record(Step.HELD)]
        first = lines[:5]
        rest = lines[5:]
        dice.shuffle(rest)
        replay = Replay()
        for one in [*first, *rest]:
            replay.add(one)
        assert replay.jobs["i1"].state in (Step.FETCHED, Step.PINNED)


def test_the_same_said_twice_in_one_second_is_two_lines(home: pathlib.Path) -> None:
    """Busy, sent again, busy again: after a restart the job is where it was, and the mirror's copies count once."""
    opened(home).append(*life()[:2], *[record(step) for _ in range(4) for step in (Step.UNSENT, Step.SENT)], record(Step.UNSENT))
    assert states(opened(home)) == {"i1": "unsent"}
    assert len((home / "journal").read_bytes().splitlines()) == 11
    os.unlink(home / "journal")
    assert states(opened(home)) == {"i1": "unsent"}


@pytest.mark.parametrize("damage", ["cut", "zeros", "flip", "garbage", "merge"])
def test_damage_is_told_and_the_rest_is_kept(damage: str, home: pathlib.Path) -> None:
    """F13: the last record cut, a tail of zeros, a flipped byte, a line of garbage, conflict markers."""
    journal = opened(home)
    journal.append(*life("i1"), *life("i2", "j2")[:3])
    os.unlink(home.parent / "state" / "mirror")
    path = home / "journal"
    data = path.read_bytes()
    lines = data.splitlines(keepends=True)
    bad = {
        "cut": data[:-20], "zeros": data + bytes(300), "flip": data.replace(b'"job":"j1"', b'"job":"j9"'),
        "garbage": b"".join([*lines[:3], b"{not json\n", *lines[3:]]), "merge": b"<<<<<<< HEAD\n" + data,
    }[damage]  # fmt: skip
    path.write_bytes(bad)
    said: list[str] = []
    again = opened(home, said)
    assert said
    assert "journal:" in said[0]
    expected = {"i1": "pinned", "i2": "sent" if damage == "cut" else "accepted"}
    assert states(again) == expected
    again.append(record(Step.HELD, "i3"))
    final = opened(home)
    assert states(final) == {**expected, "i3": "held"}
    if damage == "flip":
        assert final.replay.jobs["i1"].job == ""


def test_what_the_workspace_lost_comes_back_from_the_users_folder(home: pathlib.Path) -> None:
    """S13: the journal deleted, or cut in the middle: the mirror has the lines, and open jobs with them."""
    opened(home).append(*life("i1"), *life("i2", "j2")[:3])
    os.unlink(home / "journal")
    said: list[str] = []
    assert states(opened(home, said)) == {"i1": "pinned", "i2": "accepted"}
    assert "came back" in said[0]
    data = (home / "journal").read_bytes().splitlines(keepends=True)
    (home / "journal").write_bytes(b"".join(data[:4]))
    assert states(opened(home)) == {"i1": "pinned", "i2": "accepted"}


def test_a_mirror_that_cannot_be_written_is_only_a_warning(home: pathlib.Path) -> None:
    """The workspace's own journal goes on."""
    (home.parent / "state").write_text("a file in the way")
    said: list[str] = []
    opened(home, said).append(*life())
    assert "can't be written" in said[0]
    assert states(opened(home)) == {"i1": "pinned"}


def test_each_workspace_has_a_mirror_of_its_own() -> None:
    """Told apart by their paths."""
    assert mirror_path("/s", "/w") != mirror_path("/s", "/v")


def test_without_the_lock_of_all_workspaces_nothing_shared_is_permitted(home: pathlib.Path) -> None:
    """A state folder that can't be locked in: what asks for a cap of all workspaces is refused, the rest is written."""
    journal = opened(home)
    (home.parent / "state.lock").mkdir()
    fact, permit = Write(lambda _: life("i1")), Write(lambda _: [record(Step.SENT, "i2")], permits=True, shared=True)
    first, second = journal.transact([fact, permit])
    assert first is None
    assert "state" in str(second)
    assert states(opened(home)) == {"i1": "pinned"}


@pytest.mark.parametrize("error", ERRORS)
def test_nothing_is_permitted_that_is_not_durable(error: int, home: pathlib.Path) -> None:
    """Every call of an append fails once, with every error: an intent is durable and allowed, or neither."""
    for at in range(1, 40):
        place = home / str(at)
        journal = Journal(str(place / "journal"), "", say=lambda text: None)
        journal.append(*life("i0", "j0"))
        disk = Failing(at, error)
        journal.disk = disk
        made = False
        try:
            made = journal.transact([Write(lambda _: life("i1")[:2], permits=True)]) == [None]
        except (OSError, ClipbuildError):
            made = False
        found = Journal(str(place / "journal"), "").open().replay.jobs
        if made:
            assert "i1" in found
        assert found["i0"].state is Step.PINNED
        if not disk.failed:
            return
    raise AssertionError("the ladder never ended")


def test_an_id_is_kept_in_memory_until_the_disk_takes_it(home: pathlib.Path) -> None:
    """F3: the disk is full when the provider names the job: it is told, kept, counted, and written once there is room."""
    said: list[str] = []
    journal = opened(home, said)
    journal.append(*life()[:2])
    full = Full()
    journal.disk = full
    journal.append(record(Step.ACCEPTED, job="j1"))
    assert states(journal) == {"i1": "accepted"}
    assert "in memory only" in " ".join(said)
    with pytest.raises(IncompleteError):
        journal.append(*life("i2", "j2")[:2], permits=True)
    assert states(journal) == {"i1": "accepted"}
    with pytest.raises(IncompleteError) as raised:
        journal.close()
    assert ("i1/animate", "kling j1") in raised.value.facts
    full.room = True
    journal.append(record(Step.DONE, job="j1"))
    journal.close()
    assert states(opened(home)) == {"i1": "done"}


class Full(Failing):
    """A disk without room, until there is some."""

    def __init__(self) -> None:
        super().__init__(0)
        self.room = False

    def before(self, call: str) -> None:
        if call == "write" and not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_no_room_for_an_intent_means_no_submit(tmp_path: pathlib.Path) -> None:
    """A journal that can't be written: nothing arrives at the provider."""
    case = CASES[1]
    with case.start() as fake:
        counter = Counter(case, fake, str(tmp_path), disk=Full())
        assert counter.status(counter.order()) == "incomplete"
        assert fake.submits == 0


def writer(path: str, number: int) -> None:
    """A process that takes turns with others."""
    journal = Journal(path, "").open()
    for step in range(20):
        journal.append(record(Step.HELD, f"p{number}-{step}"))


def test_writers_take_turns(home: pathlib.Path) -> None:
    """Four processes write at once: no line is lost or torn, and each sees the others' in the end."""
    path = str(home / "journal")
    processes = [multiprocessing.get_context("spawn").Process(target=writer, args=(path, n)) for n in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    said: list[str] = []
    assert len(Journal(path, "", say=said.append).open().replay.jobs) == 80
    assert said == []


def test_a_claim_of_a_live_run_holds_and_of_a_dead_one_does_not(home: pathlib.Path) -> None:
    """Exclusive create, and locks that die with their process."""
    one, two = opened(home), opened(home)
    one.runs.begin()
    two.runs.begin()
    assert one.runs.claim("i1")
    assert not two.runs.claim("i1")
    assert two.runs.is_alive(one.runs.name)
    assert "process" in two.runs.holder(one.runs.name)
    one.runs.close()
    assert two.runs.claim("i1")
    assert not two.runs.is_alive("../../etc/passwd")


def test_one_builds_cap_goes_on_until_that_build_ended(home: pathlib.Path) -> None:
    """By workspace: another workspace that shares the store has a build of its own."""
    journal = opened(home)
    at = "2026-11-26T10:00:00Z"
    journal.append(Record(Step.BEGAN, at, name="here", build="b1"), *(record(s.state, s.intent, most="0.5", build="b1") for s in life()[:2]))
    again = opened(home)
    assert again.replay.open_build("here") == "b1"
    assert again.replay.open_build("there") == ""
    assert again.replay.spent_in_build("b1") == Decimal("0.5")
    again.append(Record(Step.ENDED, at, name="here", build="b1"))
    assert opened(home).replay.open_build("here") == ""


def test_a_long_journal_is_made_short_and_says_the_same(home: pathlib.Path) -> None:
    """Settled jobs become a line each; open ones, caps, attempts and builds are as before; the mirror brings nothing back."""
    journal = opened(home)
    at = "2026-11-26T10:00:00Z"
    for number in range(60):
        journal.append(*life(f"i{number}", f"j{number}"))
    journal.append(*life("open", "jo")[:3], *life("gone", "jg")[:2], record(Step.FAILED, "gone", code="x"), record(Step.AGAIN, "gone"))
    journal.append(Record(Step.BEGAN, at, name="here", build="b9"))
    before, size = {n: (j.state, j.charge, j.job, j.again, dict(j.outputs)) for n, j in journal.replay.jobs.items()}, (home / "journal").stat().st_size
    again = Journal(str(home / "journal"), str(home.parent / "state" / "mirror"))
    again.condense_from = 10_000
    again.open()
    assert (home / "journal").stat().st_size < size // 2
    for found in (again, opened(home)):
        assert {n: (j.state, j.charge, j.job, j.again, dict(j.outputs)) for n, j in found.replay.jobs.items()} == before
        assert found.replay.open_build("here") == "b9"
        assert found.replay.spent_in_month("2026-11") == journal.replay.spent_in_month("2026-11")
    again.append(record(Step.DONE, "open"))
    assert states(opened(home))["open"] == "done"
    assert states(journal_refreshed(journal))["open"] == "done", "who had it open reads it anew"
    os.unlink(home / "journal")
    assert states(opened(home))["open"] == "done"


def journal_refreshed(journal: Journal) -> Journal:
    """The same, looked at again."""
    journal.refresh()
    return journal
