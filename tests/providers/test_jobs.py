"""Buying: once for all who want the same, within the cap, and honest about every way a job can end."""

import errno
import os
import pathlib
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from clipbuild import events
from clipbuild.digest import Digest
from clipbuild.engine.action import Trace
from clipbuild.engine.store import Store
from clipbuild.errors import ClipbuildError, IncompleteError, IntegrityError
from clipbuild.providers.contract import Accepted, Outcome, PollError, Price, Provider, Request, SubmitError
from clipbuild.providers.records import Step
from clipbuild.providers.spend import FROZEN, LOCKED, UNTRUSTED, Budget
from tests.support.adapters import CASES, Case
from tests.support.counter import POLICY, Counter, ended

KLING = next(case for case in CASES if case.name == "kling")
RUNWAY = next(case for case in CASES if case.name == "runway")
OPENAI = CASES[0]


def test_processes_that_want_the_same_share_one_submit(tmp_path: pathlib.Path) -> None:
    """Six processes, one journal, three keys: three charges, and each process ends with all three results."""
    with KLING.start() as fake:
        counter = Counter(KLING, fake, str(tmp_path))
        orders = [counter.order(number) for number in range(3)]
        children = []
        for _ in range(6):
            child = os.fork()
            if child == 0:
                try:
                    os._exit(0 if counter.status(*orders) == "ok" else 1)
                finally:
                    os._exit(9)
            children.append(child)
        assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 6
        assert len(fake.ledger.charges) == fake.submits == 3


def test_one_run_wants_the_same_twice(tmp_path: pathlib.Path) -> None:
    """Two orders of one key are one."""
    with OPENAI.start() as fake:
        counter = Counter(OPENAI, fake, str(tmp_path))
        order = counter.order()
        first, second = counter.run(order, order)
        assert isinstance(first, Trace)
        assert first == second
        assert fake.submits == 1
        assert first.cost == str(fake.ledger.total)
        assert first.facts["provider"] == "openai"


@pytest.mark.parametrize("case", [OPENAI, KLING, RUNWAY], ids=lambda case: case.name)
def test_many_at_once_stay_below_the_cap(case: Case, tmp_path: pathlib.Path) -> None:
    """Twenty wanted at once, the cap fits some: never more is charged, the others are refused, none is half-bought."""
    with case.start() as fake:
        counter = Counter(case, fake, str(tmp_path))
        orders = [counter.order(number) for number in range(20)]
        price = case.make(_config(case, fake)).price(orders[0].request)
        assert price is not None
        counter.budget = Budget(build=price.most * 3 + price.most / 2)
        results = counter.run(*orders)
        bought = [result for result in results if isinstance(result, Trace)]
        assert fake.ledger.total <= counter.budget.build  # type: ignore[operator]
        assert len(bought) == len(fake.ledger.charges) >= 3
        assert ended(results) == "incomplete"
        again = counter.run(*orders)
        assert fake.ledger.total <= counter.budget.build  # type: ignore[operator]
        assert ended(again) == "incomplete"


def _config(case: Case, fake: Any) -> Any:
    from tests.support.counter import config

    return config(case, fake)


@pytest.mark.parametrize("budget", [UNTRUSTED, LOCKED, Budget(build=Decimal(0)), Budget(month=Decimal("0.001"))])
def test_without_leave_nothing_is_asked(budget: Budget, tmp_path: pathlib.Path) -> None:
    """Not one request, and no file of a journal."""
    with KLING.start() as fake:
        counter = Counter(KLING, fake, str(tmp_path), budget=budget)
        assert counter.status(counter.order()) == "incomplete"
        assert fake.log == []
        assert not (tmp_path / "home" / "journal").exists()


class Priced:
    """An adapter with another idea of the price."""

    def __init__(self, inner: Provider, price: Price | None) -> None:
        self.inner, self.told = inner, price

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def price(self, request: Request) -> Price | None:
        return self.told


def test_an_unknown_price_is_refused(tmp_path: pathlib.Path) -> None:
    """Nothing is sent."""
    with KLING.start() as fake:
        counter = Counter(KLING, fake, str(tmp_path), wrap=lambda inner: Priced(inner, None))  # type: ignore[arg-type,return-value]
        assert counter.status(counter.order()) == "incomplete"
        assert fake.submits == 0


def test_a_charge_above_the_plan_stops_all_further_buying(tmp_path: pathlib.Path) -> None:
    """The first is kept; what comes after it is refused, with the reason."""
    with OPENAI.start() as fake:
        cheap = Price(Decimal("0.0001"), Decimal("0.0002"))
        counter = Counter(OPENAI, fake, str(tmp_path), wrap=lambda inner: Priced(inner, cheap))  # type: ignore[arg-type,return-value]
        counter.settings = {"patience": 10.0}
        first, second = counter.order(0), counter.order(1)
        results = counter.run_in_turn(first, second)
        assert isinstance(results[0], Trace)
        assert "planned were" in str(results[1])
        assert fake.submits == 1


def test_one_job_for_two_things_is_an_integrity_error(tmp_path: pathlib.Path) -> None:
    """A provider that names an earlier job again: the second is held, the first keeps its result."""
    with RUNWAY.start() as fake:
        counter = Counter(RUNWAY, fake, str(tmp_path))
        one, two = counter.order(0), counter.order(1)
        assert counter.status(one) == "ok"
        fake.script(submit=["ok_same_id"])
        result = counter.run(two)[0]
        assert isinstance(result, IntegrityError)
        job = counter.job(two.key)
        assert job is not None
        assert job.state is Step.HELD
        assert counter.status(one) == "ok"


def test_a_stopped_run_is_gone_on_with(tmp_path: pathlib.Path) -> None:
    """Stopped while the provider works: no job is lost, none is bought again."""
    with KLING.start() as fake:
        fake.script(poll=["running*200", "done"])
        counter = Counter(KLING, fake, str(tmp_path))
        orders = [counter.order(number) for number in range(5)]
        assert ended(counter.run(*orders, stop_after=0.15)) == "incomplete"
        for job in fake.jobs.values():
            job.polls = iter(())
        assert counter.status(*orders) == "ok"
        assert fake.submits == len(fake.ledger.charges) == 5


def test_what_the_model_cannot_do_is_never_sent(tmp_path: pathlib.Path) -> None:
    """Refused here, with the model's limits; the key stays free for a better request."""
    with KLING.start() as fake:
        counter = Counter(KLING, fake, str(tmp_path))
        result = counter.run(counter.order(0, seconds=99))[0]
        assert "makes clips of" in str(result)
        assert fake.submits == 0
        assert counter.job(counter.order(0, seconds=99).key) is None


def test_a_refusal_says_what_it_cost_and_is_not_asked_again(tmp_path: pathlib.Path) -> None:
    """Moderation: final for that key, with the provider's words, without a second submit."""
    with OPENAI.start() as fake:
        fake.script(submit=["400_moderation", "ok"])
        counter = Counter(OPENAI, fake, str(tmp_path), settings={"patience": 10.0})
        order = counter.order()
        result = counter.run(order)[0]
        assert "refused the request" in str(result)
        assert "charged  nothing" in str(result)
        assert "retake item-0" in str(result)
        assert counter.status(order) == "partial"
        assert fake.submits == 1


def test_a_job_that_was_looked_up_leaves_its_lane_as_it_was(tmp_path: pathlib.Path) -> None:
    """The reply was lost, the job is found by its token and collected: nothing is under way then, no more and no less."""
    with KLING.start() as fake:
        fake.script(submit=["reset_after"])
        counter = Counter(KLING, fake, str(tmp_path))
        assert counter.status(counter.order()) == "ok"
        assert counter.desk is not None
        assert counter.desk.lanes["kling"].flying == 0


def test_an_answer_that_bears_the_id_of_another_is_kept(tmp_path: pathlib.Path) -> None:
    """A gateway that names every answer alike: the second picture is paid too, and stored under our own name for it."""
    with OPENAI.start() as fake:
        fake.job_id = lambda number: "same"  # type: ignore[method-assign]
        counter = Counter(OPENAI, fake, str(tmp_path))
        orders = [counter.order(number) for number in range(2)]
        results = counter.run_in_turn(*orders)
        names = [result.facts["job"] for result in results if isinstance(result, Trace)]
        assert names[0] == "same"
        assert names[1].startswith("clipbuild-")
        assert fake.submits == len(fake.ledger.charges) == 2


@dataclass
class Full:
    """A store on a disk that is full for the first `times` writes."""

    inner: Store
    times: int

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def add_bytes(self, data: bytes, precious: bool = False) -> Digest:
        self.times -= 1
        if self.times >= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self.inner.add_bytes(data, precious)


def test_an_answer_that_is_the_only_copy_waits_in_memory_for_the_disk(tmp_path: pathlib.Path) -> None:
    """Full for three writes, then not: the picture is stored, and asked for once."""
    with OPENAI.start() as fake:
        counter = Counter(OPENAI, fake, str(tmp_path), store_wrap=lambda store: Full(store, 3))
        assert counter.status(counter.order()) == "ok"
        assert fake.submits == 1


def test_an_answer_that_the_store_never_takes_is_kept_aside(tmp_path: pathlib.Path) -> None:
    """No room in the store, room beside the journal: said as it is, not held; the next run stores it and asks for nothing."""
    with OPENAI.start() as fake:
        counter = Counter(OPENAI, fake, str(tmp_path), store_wrap=lambda store: Full(store, 999))
        order = counter.order()
        for _ in range(2):
            result = counter.run(order)[0]
            assert isinstance(result, IncompleteError)
            assert "bought, and not in the store yet" in str(result)
        counter.store_wrap = lambda store: store
        assert counter.status(order) == "ok"
        assert fake.submits == 1
        assert not list((tmp_path / "home" / "received").iterdir())


def test_an_answer_that_is_never_written_is_held_for_a_person(tmp_path: pathlib.Path) -> None:
    """Full for good, beside the journal too: the job is unsure, the record says why, and the next build asks for nothing."""
    with OPENAI.start() as fake:
        (tmp_path / "home").mkdir()
        (tmp_path / "home" / "received").write_bytes(b"in the way")
        counter = Counter(OPENAI, fake, str(tmp_path), store_wrap=lambda store: Full(store, 999))
        order = counter.order()
        assert isinstance(counter.run(order)[0], OSError)
        job = counter.job(order.key)
        assert job is not None
        assert (job.state, job.code) == (Step.HELD, "not stored")
        assert "No space left" in job.detail
        counter.store_wrap = lambda store: store
        assert counter.status(order) == "ambiguous"
        assert fake.submits == 1


class Odd:
    """An adapter that does something nobody foresaw at its first submit, or can't be asked for a while."""

    def __init__(self, inner: Provider, answer: Any = None, unasked: int = 0) -> None:
        self.inner, self.answer, self.unasked = inner, answer, unasked
        self.name, self.can_find = inner.name, inner.can_find

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    async def submit(self, request: Request, token: str, *on_sign: Any) -> Any:
        accepted = await self.inner.submit(request, token, *on_sign)
        if isinstance(self.answer, Exception):
            raise self.answer
        return accepted if self.answer is None else self.answer

    async def find(self, token: str) -> Any:
        self.unasked -= 1
        if self.unasked >= 0:
            raise PollError("503")
        return await self.inner.find(token)


@pytest.mark.parametrize("answer", [ZeroDivisionError("a bug"), Accepted(""), Accepted("x" * 501), Accepted("a\nb")])
def test_whatever_an_adapter_does_is_an_unknown_outcome(answer: Any, tmp_path: pathlib.Path) -> None:
    """A bug, no id, an id that is none: the charge is there, so the job is held and nothing is sent again."""
    with RUNWAY.start() as fake:
        counter = Counter(RUNWAY, fake, str(tmp_path), wrap=lambda inner: Odd(inner, answer))  # type: ignore[arg-type,return-value]
        order = counter.order()
        assert counter.status(order) == "ambiguous"
        job = counter.job(order.key)
        assert job is not None
        assert (job.state, job.charge) == (Step.HELD, job.most)
        counter.wrap = lambda inner: inner
        assert (counter.status(order), fake.submits) == ("ambiguous", 1)


def test_a_provider_that_can_not_be_asked_settles_nothing(tmp_path: pathlib.Path) -> None:
    """The reply was lost and the look-up fails: the run ends, the job stays unsure; the next run finds and collects it."""
    with KLING.start() as fake:
        fake.script(submit=["reset_after"])
        counter = Counter(KLING, fake, str(tmp_path), wrap=lambda inner: Odd(inner, unasked=99))  # type: ignore[arg-type,return-value]
        order = counter.order()
        result = counter.run(order)[0]
        assert isinstance(result, IncompleteError)
        assert "can't be asked whether it took the job" in str(result)
        counter.wrap = lambda inner: inner
        assert (counter.status(order), fake.submits, len(fake.ledger.charges)) == ("ok", 1, 1)


def test_a_look_up_that_fails_last_proves_nothing(tmp_path: pathlib.Path) -> None:
    """Once "no such job", then no answer: that is not enough to send again."""
    with KLING.start() as fake:
        fake.script(submit=["reset_before", "ok"])

        class Later(Odd):
            async def find(self, token: str) -> Any:
                self.unasked += 1
                if self.unasked > 1:
                    raise PollError("503")
                return await self.inner.find(token)

        counter = Counter(KLING, fake, str(tmp_path), wrap=lambda inner: Later(inner))  # type: ignore[arg-type,return-value]
        order = counter.order()
        assert (counter.status(order), fake.submits) == ("incomplete", 1)
        counter.wrap = lambda inner: inner
        assert (counter.status(order), fake.submits, len(fake.ledger.charges)) == ("ok", 2, 1)


def test_a_stop_leaves_what_is_not_answered_unsure(tmp_path: pathlib.Path) -> None:
    """Stopped while OpenAI draws: the grace is over, the job is held with the reason, and the picture is not asked for
    again."""
    with OPENAI.start() as fake:
        fake.script(submit=["slow_ok:1.0"])
        counter = Counter(OPENAI, fake, str(tmp_path), replace(POLICY, grace=0.05))
        order = counter.order()
        assert isinstance(counter.run(order, stop_after=0.3)[0], ClipbuildError)
        job = counter.job(order.key)
        assert job is not None
        assert (job.state, job.code) == (Step.HELD, "stopped")
        assert (counter.status(order), fake.submits) == ("ambiguous", 1)


def test_a_provider_that_stays_busy_is_left(tmp_path: pathlib.Path) -> None:
    """Never taken: told as incomplete, free, and sent by the next run."""
    with KLING.start() as fake:
        fake.script(submit=["429"] * 3 + ["ok"])
        counter = Counter(KLING, fake, str(tmp_path), replace(POLICY, tries=3))
        order = counter.order()
        assert counter.status(order) == "incomplete"
        job = counter.job(order.key)
        assert job is not None
        assert (job.state, job.charge) == (Step.UNSENT, 0)
        assert (counter.status(order), len(fake.ledger.charges)) == ("ok", 1)


class Away(Odd):
    """No connection for the first three sends."""

    async def submit(self, request: Request, token: str, *on_sign: Any) -> Any:
        self.unasked -= 1
        if self.unasked >= 0:
            raise SubmitError(Outcome.NOT_SENT, "ConnectError", "no route")
        return await super().submit(request, token, *on_sign)


def test_sends_that_do_not_get_through_are_told_once(tmp_path: pathlib.Path) -> None:
    """Without a network a build waits for minutes: it says so, once, and at the action each time."""
    told: list[tuple[type, dict[str, Any]]] = []
    with KLING.start() as fake:
        counter = Counter(KLING, fake, str(tmp_path), wrap=lambda inner: Away(inner, unasked=3))  # type: ignore[arg-type,return-value]
        counter.emit = lambda kind, **fields: told.append((kind, fields))
        assert (counter.status(counter.order()), fake.submits) == ("ok", 1)
    notes = [fields["note"] for kind, fields in told if kind is events.ActionProgressed and "sent" in fields["note"]]
    assert notes == ["kling: nothing could be sent (ConnectError), tries again"] * 3
    (warned,) = [fields["text"] for kind, fields in told if kind is events.Warned]
    assert warned.startswith("kling: nothing could be sent (ConnectError); it is tried 8 times in all")


def test_an_offline_run_asks_for_nothing_that_is_open(tmp_path: pathlib.Path) -> None:
    """A job is open and the run may not ask: said, no request, the job stays."""
    with KLING.start() as fake:
        fake.script(poll=["running*99"])
        counter = Counter(KLING, fake, str(tmp_path), replace(POLICY, job=5.0))
        order = counter.order()
        assert counter.status(order) == "incomplete"
        asked, counter.budget = len(fake.log), FROZEN
        assert (counter.status(order), len(fake.log)) == ("incomplete", asked)
