"""The one suite that every adapter passes, against its fake on loopback."""

import asyncio
import os
import socket
from typing import Any

import pytest

from clipbuild.errors import UsageError
from clipbuild.providers.config import Config
from clipbuild.providers.contract import Outcome, PollError, State, SubmitError
from tests.support.adapters import CASES, DAY, POLLED, Case, Refusing, bought, download, finished, run

every = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
polled = pytest.mark.parametrize("case", POLLED, ids=lambda case: case.name)
loaded = pytest.mark.parametrize("case", [case for case in POLLED if case.downloads], ids=lambda case: case.name)

UNKNOWN = ["408", "409", "500", "502", "504", "reset_before", "reset_after", "500_after", "502_after", "ok_no_id", "ok_bad_json",
           "ok_truncated"]  # fmt: skip
MADE = {"reset_after", "timeout_after", "500_after", "502_after", "ok_no_id", "ok_bad_json", "ok_truncated"}


def failed(case: Case, tmp_path: object, word: str, **config: Any) -> tuple[SubmitError, int, int]:
    """What a submit that meets `word` raises, how many submits arrived, how many charges were made."""

    async def work() -> SubmitError:
        adapter = case.adapter(fake, **config)
        with pytest.raises(SubmitError) as raised:
            await adapter.submit(case.request(tmp_path), "cb-1")
        return raised.value

    with case.start() as fake:
        fake.script(submit=[word])
        error = run(work())
        return error, fake.submits, len(fake.ledger.charges)


@every
def test_a_job_is_bought_and_fetched(case: Case, tmp_path: Any) -> None:
    """One submit, one charge; the results are real; the cost is the bill's and within the price."""
    with case.start() as fake:
        adapter, request = case.adapter(fake), case.request(tmp_path)
        assert list(adapter.problems(request)) == []
        accepted, files = run(bought(adapter, request, tmp_path))
        assert len(fake.ledger.charges) == fake.submits == 1
        assert fake.leaks == []
        names = [f"image_{number}" for number in range(request.params["n"])] if case.kind == "image" else ["video"]
        assert sorted(files) == names
        magic = b"\x89PNG" if case.kind == "image" else b"ftyp"
        assert all(magic in data[:12] for data in files.values())
        price = adapter.price(request)
        assert price is not None
        assert price.least <= fake.ledger.total <= price.most
        if accepted.cost is not None:
            assert accepted.cost == fake.ledger.total


@polled
def test_the_real_cost_is_told(case: Case, tmp_path: Any) -> None:
    """A job that is done says what it cost, as the provider's bill does."""

    async def work() -> Any:
        adapter = case.adapter(fake)
        accepted = await adapter.submit(case.request(tmp_path), "cb-1")
        await finished(adapter, accepted.job)
        return (await adapter.status(accepted.job)).cost

    with case.start() as fake:
        assert run(work()) == fake.ledger.total


@every
@pytest.mark.parametrize("word", UNKNOWN)
def test_an_unsure_submit_is_unknown_and_sent_once(case: Case, word: str, tmp_path: Any) -> None:
    """Where the provider may have taken the job, nothing is sent again and the outcome says so."""
    if (case.name, word) == ("openai", "ok_no_id"):
        pytest.skip("an answer of OpenAI carries the result, not an id")
    error, submits, charges = failed(case, tmp_path, word)
    assert (error.outcome, submits, charges) == (Outcome.UNKNOWN, 1, int(word in MADE))


@every
def test_a_timeout_is_unknown_and_sent_once(case: Case, tmp_path: Any) -> None:
    """No answer in time: the job may be there."""
    error, submits, charges = failed(case, tmp_path, "timeout_after", patience=0.25)
    assert (error.outcome, submits, charges) == (Outcome.UNKNOWN, 1, 1)


@every
@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        ("400", Outcome.REFUSED), ("400_moderation", Outcome.REFUSED), ("401", Outcome.LANE_CLOSED),
        ("402_quota", Outcome.LANE_CLOSED), ("403", Outcome.LANE_CLOSED), ("404", Outcome.REFUSED), ("429", Outcome.BUSY),
        ("307", Outcome.LANE_CLOSED),
    ],
)  # fmt: skip
def test_a_clear_no_costs_nothing_and_is_sent_once(case: Case, word: str, outcome: Outcome, tmp_path: Any) -> None:
    """Refusals, closed lanes and a busy provider are told apart; no layer below sends again, no redirect is followed."""
    error, submits, charges = failed(case, tmp_path, word)
    assert (error.outcome, submits, charges) == (outcome, 1, 0)


@every
def test_503_is_unknown_unless_the_provider_documents_otherwise(case: Case, tmp_path: Any) -> None:
    """Kling's 5001 says that nothing was made; all others may have taken the job."""
    error, submits, _ = failed(case, tmp_path, "503")
    assert (error.outcome, submits) == (Outcome.BUSY if case.name.startswith("kling") else Outcome.UNKNOWN, 1)


@every
def test_retry_after_is_handed_on(case: Case, tmp_path: Any) -> None:
    """What the provider asks to wait reaches whoever decides."""
    error, _, _ = failed(case, tmp_path, "429:7")
    assert (error.outcome, error.retry_after) == (Outcome.BUSY, 7.0)


@every
def test_nobody_there_is_not_sent(case: Case, tmp_path: Any) -> None:
    """A refused connection proves that nothing was sent."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = Config(key=lambda: "k", download=download, base_url=f"http://127.0.0.1:{port}", today=lambda: DAY)
    with pytest.raises(SubmitError) as raised:
        run(case.make(config).submit(case.request(tmp_path), "cb-1"))
    assert raised.value.outcome is Outcome.NOT_SENT


@every
@pytest.mark.parametrize("key", ["", " \n", "two words", "line\nbreak", "clé"])
def test_without_a_usable_key_nothing_is_sent(case: Case, key: str, tmp_path: Any) -> None:
    """The lane is closed before a byte goes out."""
    error, submits, _ = failed(case, tmp_path, "ok", key=lambda: key)
    assert (error.outcome, submits) == (Outcome.LANE_CLOSED, 0)


@every
@pytest.mark.parametrize("url", ["http://example.com", "ftp://127.0.0.1", "https://user:pw@example.com", "https://", "x"])
def test_a_key_goes_to_safe_places_only(case: Case, url: str) -> None:
    """https, or http to this machine; anything else is a mistake in the configuration."""
    with pytest.raises(UsageError):
        case.make(Config(key=lambda: "k", download=download, base_url=url))


@every
def test_a_submit_that_is_cancelled_is_not_sent_again(case: Case, tmp_path: Any) -> None:
    """Ctrl-C while an answer is awaited ends the wait, and that is all."""

    async def work() -> None:
        task = asyncio.create_task(case.adapter(fake).submit(case.request(tmp_path), "cb-1"))
        async with asyncio.timeout(30):
            while not fake.submits:
                await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0.1)

    with case.start() as fake:
        fake.script(submit=["timeout_after"])
        run(work())
        assert fake.submits == 1


@every
def test_what_cannot_be_made_is_refused_before_anything_is_sent(case: Case, tmp_path: Any) -> None:
    """A request with problems costs nothing, not even a request."""
    with case.start() as fake:
        adapter, request = case.adapter(fake), case.request(tmp_path, model="none-such")
        assert adapter.problems(request)
        with pytest.raises(SubmitError) as raised:
            run(adapter.submit(request, "cb-1"))
        assert (raised.value.outcome, fake.submits, fake.log) == (Outcome.REFUSED, 0, [])


@every
def test_judging_needs_no_network(case: Case, tmp_path: Any) -> None:
    """Problems and price are answered with nobody there and no key."""

    def key() -> str:
        raise AssertionError("the key was asked for")

    adapter = case.make(Config(key=key, download=download, today=lambda: DAY))
    assert list(adapter.problems(case.request(tmp_path))) == []
    assert adapter.price(case.request(tmp_path)) is not None


@every
def test_many_at_once_are_each_bought_once(case: Case, tmp_path: Any) -> None:
    """Twenty-five jobs side by side: twenty-five charges, no two for the same thing."""

    async def work() -> None:
        adapter = case.adapter(fake)
        requests = [case.request(tmp_path, prompt=f"lamp {number}") for number in range(25)]
        jobs = await asyncio.gather(*(adapter.submit(request, f"cb-{number}") for number, request in enumerate(requests)))
        assert len({accepted.job for accepted in jobs}) == 25
        if jobs[0].files is None:
            assert set(await asyncio.gather(*(finished(adapter, accepted.job) for accepted in jobs))) == {State.DONE}

    with case.start() as fake:
        run(work())
        assert (fake.submits, len(fake.ledger.charges), fake.ledger.doubles()) == (25, 25, [])


@every
def test_one_adapter_serves_several_loops(case: Case, tmp_path: Any) -> None:
    """Connections belong to the loop they were made in; a second run makes its own."""
    with case.start() as fake:
        adapter = case.adapter(fake)
        for number in range(2):
            os.mkdir(tmp_path / str(number))
            run(bought(adapter, case.request(tmp_path, prompt=f"lamp {number}"), tmp_path / str(number), f"cb-{number}"))
        run(adapter.close())  # type: ignore[attr-defined]
        assert len(fake.ledger.charges) == 2


@polled
@pytest.mark.parametrize("word", ["500", "503", "429:3", "reset", "bad_json", "timeout", "404", "401", "403"])
def test_a_poll_that_fails_leaves_the_job_as_it_was(case: Case, word: str, tmp_path: Any) -> None:
    """It raises PollError, and the next one may work."""

    async def work() -> PollError:
        adapter = case.adapter(fake, patience=0.2)
        accepted = await adapter.submit(case.request(tmp_path), "cb-1")
        with pytest.raises(PollError) as raised:
            await adapter.status(accepted.job)
        assert (await adapter.status(accepted.job)).state is State.DONE
        return raised.value

    with case.start() as fake:
        fake.script(poll=[word, "done"])
        error = run(work())
        assert error.retry_after == (3.0 if word == "429:3" else None)
        assert fake.submits == 1


@polled
def test_a_state_nobody_knows_is_not_final(case: Case, tmp_path: Any) -> None:
    """Providers add states; the job goes on."""

    async def work() -> None:
        adapter = case.adapter(fake)
        accepted = await adapter.submit(case.request(tmp_path), "cb-1")
        assert (await adapter.status(accepted.job)).state in (State.QUEUED, State.RUNNING)
        assert (await adapter.status(accepted.job)).state is State.QUEUED
        assert await finished(adapter, accepted.job) is State.DONE

    with case.start() as fake:
        fake.script(poll=["unknown_status", "throttled", "running", "done"])
        run(work())


@polled
def test_a_refusal_found_late_is_a_refusal(case: Case, tmp_path: Any) -> None:
    """Moderation after the submit is told apart from a failure."""
    for word, state in (("failed:SAFETY.OUTPUT.VIDEO", State.REFUSED), ("failed:INTERNAL", State.FAILED)):

        async def work() -> State:
            adapter = case.adapter(fake)
            accepted = await adapter.submit(case.request(tmp_path), "cb-1")
            return await finished(adapter, accepted.job)

        with case.start() as fake:
            fake.script(poll=["running", word])
            assert run(work()) is state


@loaded
def test_a_dead_address_is_asked_for_again(case: Case, tmp_path: Any) -> None:
    """Each fetch uses a fresh address; a download that fails can be repeated, and nothing is left behind."""

    async def work() -> None:
        adapter = case.adapter(fake)
        accepted = await adapter.submit(case.request(tmp_path), "cb-1")
        await finished(adapter, accepted.job)
        fake.expire()
        folder = tmp_path / "results"
        folder.mkdir()
        for _ in range(2):
            with pytest.raises(PollError):
                await adapter.fetch(accepted.job, str(folder))
            assert os.listdir(folder) == []
        assert list(await adapter.fetch(accepted.job, str(folder))) == ["video"]

    with case.start() as fake:
        fake.script(download=["403", "trunc", "ok"])
        run(work())
        assert (fake.submits, fake.downloads, fake.leaks) == (1, 3, [])


@polled
def test_done_without_a_result_is_no_result(case: Case, tmp_path: Any) -> None:
    """Nothing is downloaded; the job stays as the provider tells it."""

    async def work() -> None:
        adapter = case.adapter(fake)
        accepted = await adapter.submit(case.request(tmp_path), "cb-1")
        with pytest.raises(PollError):
            await adapter.fetch(accepted.job, str(tmp_path))

    with case.start() as fake:
        fake.script(poll=["done_no_url"])
        run(work())
        assert fake.downloads == 0


@every
def test_only_who_can_find_claims_it(case: Case, tmp_path: Any) -> None:
    """After a lost reply Kling and batches find the job by our id; the others say that they can't be asked."""

    async def work() -> str | None:
        adapter = case.adapter(fake)
        with pytest.raises(SubmitError):
            await adapter.submit(case.request(tmp_path), "cb-7")
        assert await adapter.find("cb-8") is None
        return await adapter.find("cb-7")

    with case.start() as fake:
        fake.script(submit=["reset_after"])
        found = run(work())
        can_find = case.name in ("kling", "kling-legacy", "openai-batch")
        assert case.adapter(fake).can_find is can_find
        assert found == (fake.ledger.charges[0].job if can_find else None)


@every
def test_what_was_not_sent_may_be_sent_again(case: Case, tmp_path: Any) -> None:
    """Refused twice, taken the third time: one submit arrived, one charge."""

    async def work() -> None:
        adapter = case.adapter(fake, transport=lambda: Refusing(fake))
        for _ in range(2):
            with pytest.raises(SubmitError) as raised:
                await adapter.submit(case.request(tmp_path), "cb-1")
            assert raised.value.outcome is Outcome.NOT_SENT
        await adapter.submit(case.request(tmp_path), "cb-1")

    with case.start() as fake:
        fake.script(submit=["refused*2", "ok"])
        run(work())
        assert (fake.submits, len(fake.ledger.charges)) == (1, 1)
