"""A lane: how wide it gets, how it falls back, who goes first, and that nobody waits for ever."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from clipbuild.errors import IncompleteError
from clipbuild.providers.lane import Lane


class Clock:
    """Time that only passes when somebody rests."""

    def __init__(self) -> None:
        self.now = 0.0
        self.rests: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def rest(self, seconds: float) -> None:
        self.rests.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


def lane(most: int = 100, chance: float = 0.5, **settings: Any) -> tuple[Lane, Clock]:
    clock = Clock()
    return Lane("fake", most, clock, clock.rest, lambda: chance, **settings), clock


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(work, 5))


def test_it_grows_while_submits_are_taken_and_stops_at_its_most() -> None:
    """From eight, one for each that is taken."""

    async def work() -> list[float]:
        one, _ = lane(20)
        seen = []
        for _ in range(20):
            await one.enter(one.ticket())
            one.taken()
            seen.append(one.width)
        return seen

    seen = run(work())
    assert seen[:3] == [9, 10, 11]
    assert max(seen) == 20


def test_crowded_falls_back_to_what_is_under_way_without_waiting() -> None:
    """Kling's 1303 with 50 under way: the width is 50, the refused one waits for one of them to end, not for a clock."""

    async def work() -> tuple[int, list[float], str]:
        one, clock = lane(200, width=60.0)
        for _ in range(51):
            await one.enter(one.ticket())
        one.busy(None, crowded=True, sent=51)
        one.leave()
        waiting = asyncio.create_task(one.enter(one.ticket()))
        await asyncio.sleep(0)
        before = "waits" if not waiting.done() else "in"
        one.leave()
        await waiting
        return int(one.width), clock.rests, before

    assert run(work()) == (50, [], "waits")


def test_retry_after_holds_for_everybody_and_is_spread() -> None:
    """Who comes during the wait rests at least as long as told, and up to half as much again by chance."""

    async def work(chance: float) -> float:
        one, clock = lane(chance=chance)
        await one.enter(one.ticket())
        one.busy(10.0, crowded=False, sent=1)
        one.leave()
        await one.enter(one.ticket())
        return clock.now

    assert run(work(0.0)) == 10.0
    assert run(work(1.0)) == 15.0


def test_without_a_word_the_wait_grows_and_has_a_limit() -> None:
    """Doubling from a second; a year is cut to five minutes; failures during one wait count once."""
    one, clock = lane()
    one.flying = 2
    for _ in range(5):
        one.busy(None, crowded=False, sent=2)
    assert one.streak == 1
    waits = []
    for _ in range(9):
        clock.now = one._until
        one.busy(None, crowded=False, sent=2)
        waits.append(one._until - clock.now)
    assert waits == sorted(waits)
    assert waits[-1] <= 64
    one.hold_back(31536000.0)
    assert one._until - clock.now == 300.0
    one.taken()
    assert one.streak == 0


def test_who_waits_goes_in_order() -> None:
    """The earliest ticket first, also when it was refused and comes again."""

    async def work() -> list[int]:
        one, _ = lane(1, width=1.0)
        order: list[int] = []

        async def job(ticket: int) -> None:
            await one.enter(ticket)
            order.append(ticket)
            await asyncio.sleep(0)
            one.leave()

        await one.enter(-1)
        tasks = [asyncio.create_task(job(ticket)) for ticket in (3, 1, 2)]
        await asyncio.sleep(0)
        one.leave()
        await asyncio.gather(*tasks)
        return order

    assert run(work()) == [1, 2, 3]


def test_closing_wakes_everybody_with_the_reason() -> None:
    """And nobody gets in after."""

    async def work() -> list[Any]:
        one, _ = lane(1, width=1.0)
        await one.enter(one.ticket())
        waiting = [asyncio.create_task(one.enter(one.ticket())) for _ in range(3)]
        await asyncio.sleep(0)
        one.close(IncompleteError("quota gone"))
        return [*await asyncio.gather(*waiting, return_exceptions=True)]

    assert [str(found) for found in run(work())] == ["quota gone"] * 3
    one, _ = lane()
    one.close(IncompleteError("gone"))
    with pytest.raises(IncompleteError):
        run(one.enter(one.ticket()))


def test_jobs_that_only_wait_at_the_provider_do_not_widen_it() -> None:
    """Runway takes everything and queues it: more than a fifth throttled is enough."""
    one, _ = lane(100, width=20.0)
    one.flying, one.queued = 20, 5
    one.taken()
    assert one.width == 20
    one.queued = 2
    one.taken()
    assert one.width == 21
