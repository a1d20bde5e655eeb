"""Many coroutines, one journal: what waits is written together, and each hears of its own error."""

import asyncio
import pathlib
from collections.abc import Sequence

import pytest

from clipbuild import digest
from clipbuild.errors import SpendError
from clipbuild.providers.journal import Journal
from clipbuild.providers.records import Record, Step
from clipbuild.providers.scribe import Scribe


def record(intent: str) -> Record:
    """A submit that may cost money."""
    return Record(Step.SENT, "2026-11-26T10:00:00Z", intent, digest.of_bytes(intent.encode()), intent, "kling", most="0.5")


def test_one_refusal_is_heard_by_the_one_it_is_for(tmp_path: pathlib.Path) -> None:
    """A hundred writers, every tenth refused: the other ninety are durable when they hear so."""
    journal = Journal(str(tmp_path / "journal")).open()

    async def work() -> list[BaseException | None]:
        scribe = Scribe(journal)

        def refused(_journal: Journal) -> Sequence[Record]:
            raise SpendError("no")

        waits = [
            scribe.run(refused, permits=True) if number % 10 == 0 else scribe.note(record(f"i{number}")) for number in range(100)
        ]
        return await asyncio.gather(*waits, return_exceptions=True)

    results = asyncio.run(work())
    assert [isinstance(result, SpendError) for result in results] == [number % 10 == 0 for number in range(100)]
    assert len(Journal(str(tmp_path / "journal")).open().replay.jobs) == 90


def test_a_journal_that_breaks_is_told_to_all_who_wait(tmp_path: pathlib.Path) -> None:
    """An operation that fails in a way nobody foresaw: whoever was written with it hears of it, and the next write works."""
    journal = Journal(str(tmp_path / "journal")).open()

    async def work() -> None:
        scribe = Scribe(journal)

        def broken(_journal: Journal) -> Sequence[Record]:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await scribe.run(broken)
        await scribe.note(record("i1"))

    asyncio.run(work())
    assert list(Journal(str(tmp_path / "journal")).open().replay.jobs) == ["i1"]
