"""The journal's lines and what they add up to: no late, repeated or damaged line turns a job back or makes money vanish."""

import itertools
import json
import random
from decimal import Decimal
from typing import Any

import pytest

from clipbuild import digest
from clipbuild.providers.records import (
    BOUGHT,
    FINAL,
    MAX_LINE,
    Record,
    Replay,
    Step,
    amount,
    folded,
    from_line,
    money,
    to_line,
)

KEY = digest.of_bytes(b"key")


def record(step: Step, intent: str = "i1", at: str = "2026-11-26T10:00:00Z", **facts: Any) -> Record:
    """A record of a job of Kling."""
    return Record(step, at, intent, KEY, f"{intent}/animate", "kling", **facts)


def replayed(*records: Record) -> Replay:
    """All of them, in this order."""
    replay = Replay()
    for one in records:
        replay.add(from_line(to_line(one)[:-1]))
    return replay


def state(*steps: Step) -> Step:
    """Where a job is after these records; ids and results come with the steps that have them."""
    told = {Step.ACCEPTED: {"job": "j"}, Step.ADOPTED: {"job": "j"}, Step.FETCHED: {"outputs": {"video": KEY}}}
    return replayed(*(record(step, **told.get(step, {})) for step in steps)).jobs["i1"].state


def test_a_line_is_read_as_it_was_written() -> None:
    """Every field, money to the ninth digit, letters of any script."""
    whole = record(
        Step.FETCHED, most="0.5", build="b", job="j-ü", cost="0.123456789", code="c", detail="ö\n\"x\"", model="m", run="r", line="1",
        outputs={"video": KEY},
    )  # fmt: skip
    assert from_line(to_line(whole)[:-1]) == whole
    assert to_line(whole).count(b"\n") == 1


@pytest.mark.parametrize(
    "document",
    [
        {"state": "dreaming"}, {"at": "yesterday"}, {"intent": ""}, {"provider": ""}, {"key": "short"}, {"key": 7},
        {"most": "-1"}, {"cost": "1e9"}, {"cost": "NaN"}, {"most": "12345678901"}, {"strange": "x"}, {"detail": 7}, {"outputs": []},
        {"outputs": {"video": "short"}},
    ],
)  # fmt: skip
def test_what_is_no_record_is_refused(document: dict[str, Any]) -> None:
    """A line with a good checksum and bad contents: nothing of it counts."""
    good = {"state": "sent", "at": "2026-11-26T10:00:00Z", "intent": "i", "key": KEY, "name": "n", "provider": "kling"}
    assert from_line(signed(json.dumps(good, separators=(",", ":")).encode())).intent == "i"
    with pytest.raises(ValueError):
        from_line(signed(json.dumps({**good, **document}, separators=(",", ":")).encode()))


def signed(body: bytes) -> bytes:
    """A line with this body and a checksum that is right."""
    return body[:-1] + b',"sum":"' + digest.of_bytes(body)[:16].encode() + b'"}'


def test_a_damaged_line_is_refused() -> None:
    """Any byte changed, cut anywhere, too long, nested too deep."""
    line = to_line(record(Step.SENT, most="0.5"))[:-1]
    dice = random.Random(5)
    for _ in range(200):
        place = dice.randrange(len(line))
        with pytest.raises(ValueError):
            from_line(line[:place] + bytes([line[place] ^ 1 << dice.randrange(8)]) + line[place + 1 :])
        with pytest.raises(ValueError):
            from_line(line[:place])
    body = b'{"detail":' + b"[" * 30_000 + b"]" * 30_000 + b"}"
    for strange in (body, b"x" * (MAX_LINE + 1)):
        with pytest.raises(ValueError):
            from_line(signed(strange))


@pytest.mark.parametrize(("value", "text"), [("0", "0"), ("1.50", "1.5"), ("0.0000000004", "0"), ("999999999", "999999999")])
def test_money_is_plain_decimal_text(value: str, text: str) -> None:
    """No exponents, nine digits at most on either side."""
    assert money(Decimal(value)) == text
    assert amount(text) == Decimal(text)


def test_what_is_no_money_is_refused() -> None:
    """Endless, negative, too much, words; nothing is nothing."""
    for bad in ("NaN", "Infinity", "-0.01", "1e10"):
        with pytest.raises(ValueError):
            money(Decimal(bad))
    with pytest.raises(ValueError):
        amount("a lot")
    assert (money(None), amount("")) == ("", None)


def test_late_lines_never_turn_a_job_back() -> None:
    """Whatever the order in which two processes' lines arrive, a stored result stays stored, and an end stays an end."""
    late = [Step.SENT, Step.UNSENT, Step.HELD, Step.ACCEPTED, Step.DONE, Step.EXPIRED, Step.ADOPTED]
    for done in (Step.FETCHED, Step.PINNED):
        for steps in itertools.permutations(late, 2):
            assert state(Step.INTENT, Step.SENT, done, *steps) in BOUGHT
    for end in FINAL:
        assert state(Step.INTENT, Step.SENT, end, Step.ACCEPTED) is end
        assert state(Step.INTENT, Step.SENT, end, Step.FETCHED) is Step.FETCHED, "it came after all"


def test_a_person_may_open_a_key_anew() -> None:
    """`again` leaves a result where it is, gives up what is open, and is remembered."""
    assert state(Step.SENT, Step.ACCEPTED, Step.FETCHED, Step.AGAIN) is Step.FETCHED
    assert state(Step.SENT, Step.HELD, Step.AGAIN) is Step.ABANDONED
    assert state(Step.AGAIN) is Step.ABANDONED
    assert replayed(record(Step.SENT), record(Step.AGAIN), record(Step.ABANDONED)).jobs["i1"].again


def test_a_job_without_an_id_is_held() -> None:
    """Nobody can ask for it."""
    assert folded(None, record(Step.ACCEPTED)).state is Step.HELD


def test_any_line_names_its_job() -> None:
    """All but one line lost: the job is there, with what it may have cost where that line says so."""
    for step in Step:
        if step not in (Step.BEGAN, Step.ENDED):
            job = replayed(record(step, most="0.5", job="j")).jobs["i1"]
            assert (job.key, job.provider, job.name) == (KEY, "kling", "i1/animate")
            assert job.charge == (0 if step is Step.UNSENT else Decimal("0.5"))


def test_totals_are_what_the_jobs_add_up_to() -> None:
    """Random histories: the running totals of builds and months are those of the jobs at the end."""
    dice = random.Random(11)
    steps = [step for step in Step if step not in (Step.BEGAN, Step.ENDED)]
    for _ in range(50):
        history = [
            record(
                dice.choice(steps), f"i{dice.randrange(4)}", f"2026-1{dice.randrange(1, 3)}-26T10:00:00Z", build=dice.choice("ab"),
                most=dice.choice(["", "0.5", "2"]), cost=dice.choice(["", "0.25"]), job=dice.choice(["", "j1", "j2"]),
            )
            for _ in range(12)
        ]  # fmt: skip
        replay = replayed(*history)
        for build in "ab":
            assert replay.spent_in_build(build) == sum(job.charge for job in replay.jobs.values() if job.build == build)
        for month in ("2026-11", "2026-12"):
            assert replay.spent_in_month(month) == sum(j.charge for j in replay.jobs.values() if j.since.startswith(month))
        for job in replay.jobs.values():
            assert not job.job or job in replay.named("kling", job.job)


def test_a_build_is_open_until_it_ends() -> None:
    """By workspace; a job is no build."""
    began = Record(Step.BEGAN, "2026-11-26T10:00:00Z", name="w", build="b1")
    assert replayed(began, record(Step.SENT)).open_build("w") == "b1"
    assert replayed(began).open_build("v") == ""
    assert replayed(began, Record(Step.ENDED, "2026-11-26T10:00:01Z", name="w", build="b1")).open_build("w") == ""


def test_attempts_are_counted_by_key() -> None:
    """The newest one is the latest; what is not settled is told."""
    replay = replayed(record(Step.SENT, "i1"), record(Step.REFUSED, "i1"), record(Step.SENT, "i2"))
    latest = replay.latest(KEY)
    assert latest is not None
    assert (latest.intent, replay.attempts(KEY)) == ("i2", 2)
    assert [job.intent for job in replay.unsettled()] == ["i2"]
    assert replay.latest(digest.of_bytes(b"other")) is None
