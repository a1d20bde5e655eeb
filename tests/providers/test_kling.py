"""Kling: what each documented answer means, what is sent, what is shared, what a model can't do."""

import asyncio
import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from clipbuild.providers import kling, models
from clipbuild.providers.config import Config
from clipbuild.providers.contract import Accepted, JobId, Outcome, PollError, Request, State, Status, SubmitError
from tests.fakes.kling import Kling
from tests.support.adapters import CASES, DAY, VIDEO, download, finished, photo, run
from tests.support.fixtures import all_of, giving

CASE = CASES[1]
FIXTURES = all_of("kling")
FAILURES = {
    "error_400_1201_bad_parameter": Outcome.REFUSED, "error_400_1300_policy": Outcome.REFUSED,
    "error_400_1301_content": Outcome.REFUSED, "error_401_1002_bad_key": Outcome.LANE_CLOSED,
    "error_401_1004_expired": Outcome.LANE_CLOSED, "error_403_1103_no_permission": Outcome.LANE_CLOSED,
    "error_404_1203_no_resource": Outcome.REFUSED, "error_429_1101_arrears": Outcome.LANE_CLOSED,
    "error_429_1102_pack_exhausted": Outcome.LANE_CLOSED, "error_429_1302_rate": Outcome.BUSY,
    "error_429_1303_concurrency": Outcome.BUSY, "error_429_1304_ip": Outcome.LANE_CLOSED, "error_500_5000": Outcome.UNKNOWN,
    "error_503_5001": Outcome.BUSY, "error_504_5002": Outcome.UNKNOWN,
}  # fmt: skip
TASKS = {
    "task_submitted": Status(State.QUEUED, code="submitted"),
    "task_processing": Status(State.RUNNING, code="processing"),
    "task_succeeded": Status(State.DONE, code="succeeded", cost=Decimal("0.56")),
    "task_failed": Status(State.FAILED, code="failed", detail="Internal error while generating (fixture)"),
    "task_failed_content": Status(State.REFUSED, code="failed", detail="Failure to pass the risk control system (fixture)"),
}


def adapter(*names: str) -> kling.Kling:
    config = Config(key=lambda: "k", download=download, today=lambda: DAY, transport=giving(*(FIXTURES[name] for name in names)))
    return kling.make(config)


def text(**changes: Any) -> Request:
    return Request("video", {"model": "kling-3.0", **VIDEO, **changes})


@pytest.mark.parametrize(("name", "outcome"), FAILURES.items())
def test_each_documented_failure_means_what_the_table_says(name: str, outcome: Outcome) -> None:
    """By the body's code, whatever the HTTP status."""
    with pytest.raises(SubmitError) as raised:
        run(adapter(name).submit(text(), "cb-1"))
    assert (raised.value.outcome, raised.value.code) == (outcome, name.split("_")[2])


def test_every_rule_names_its_source() -> None:
    """The table is data that can be checked."""
    assert all(rule.source for rule in kling.OUTCOMES)
    shared = {"duplicate_external_id", "too_many_ids"}
    assert {n for n in FIXTURES if n.startswith("error_") and not any(n.endswith(s) for s in shared)} == set(FAILURES)


def test_an_id_that_exists_is_looked_up() -> None:
    """1201 "exists" is a job made earlier; where the lookup names none, the outcome stays unknown."""
    made = run(adapter("error_400_1201_duplicate_external_id", "task_succeeded_by_external_id").submit(text(), "cb-3f9a0c11"))
    assert made == Accepted("900000000000000001")
    for second in ("task_unknown_id", "error_500_5000"):
        with pytest.raises(SubmitError) as raised:
            run(adapter("error_400_1201_duplicate_external_id", second).submit(text(), "cb-3f9a0c11"))
        assert raised.value.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(("name", "status"), TASKS.items())
def test_each_task_is_told_as_it_is(name: str, status: Status) -> None:
    """States, the words of moderation, and the bill; a failure without a bill is not said to be free."""
    assert run(adapter(name).status("900000000000000001")) == status


def test_a_task_that_is_not_listed_is_not_failed() -> None:
    """An unknown id is left out of the answer: the poll failed, the job did not."""
    with pytest.raises(PollError, match="not found"):
        run(adapter("task_unknown_id").status("900000000000000001"))


@pytest.mark.parametrize(
    ("billing", "usd"),
    [
        ([{"charge_type": "unit", "amount": "4", "list_price": "0.56"}], "0.56"),
        ([{"charge_type": "unit", "amount": "4"}], "0.56"),
        ([{"charge_type": "cash", "amount": "0.84", "currency": "USD"}], "0.84"),
        ([{"charge_type": "cash", "amount": "1"}, {"charge_type": "unit", "amount": "1"}], "1.14"),
        ([{"charge_type": "cash", "amount": "6", "currency": "CNY"}], None),
        ([{"charge_type": "cash", "amount": "much"}], None), ([{}], None), ([], None), ("x", None), ([3], None),
    ],
)  # fmt: skip
def test_billing_is_read_as_dollars_or_not_at_all(billing: Any, usd: str | None) -> None:
    """Cash or units; another currency or nonsense is no cost rather than a wrong one."""
    assert kling.charged(billing) == (None if usd is None else Decimal(usd))


def test_what_is_sent(tmp_path: Any) -> None:
    """One shot, no sound unless wanted, no watermark, bare base64, our id; the aspect only where no picture tells it."""
    maker = adapter("create_ok")
    path, body = maker.document(CASE.request(tmp_path), "cb-9")
    assert path == "/image-to-video/kling-3.0"
    assert body["settings"] == {"resolution": "720p", "duration": 5, "multi_shot": False, "audio": "off"}
    assert body["options"] == {"external_task_id": "cb-9", "watermark_info": {"enabled": False}}
    assert [content["type"] for content in body["contents"]] == ["prompt", "first_frame"]
    assert body["contents"][1]["url"].startswith("iVBOR")
    path, body = maker.document(text(audio=True, width=1080, height=1920), "cb-9")
    assert path == "/text-to-video/kling-3.0"
    assert body["settings"] == {
        "resolution": "1080p", "duration": 5, "multi_shot": False, "audio": "native", "aspect_ratio": "9:16",
    }  # fmt: skip
    path, body = maker.document(text(model="kling-3.0-turbo"), "cb-9")
    assert "audio" not in body["settings"]


def test_polls_share_calls(tmp_path: Any) -> None:
    """Fifty jobs polled together take three calls, of twenty ids at most."""

    async def work() -> None:
        maker = CASE.adapter(fake)
        jobs = [await maker.submit(CASE.request(tmp_path, prompt=f"lamp {n}"), f"cb-{n}") for n in range(50)]
        fake.log.clear()
        await asyncio.gather(*(maker.status(job.job) for job in jobs))
        asked = [exchange.asked.query["task_ids"].split(",") for exchange in fake.log]
        assert sorted(len(ids) for ids in asked) == [10, 20, 20]

    with CASE.start() as fake:
        run(work())


def test_a_cancelled_poll_does_not_take_the_others_with_it(tmp_path: Any) -> None:
    """Who shares a call may leave; the rest get their answer, and a failed call fails them all alike."""

    async def work() -> None:
        maker = CASE.adapter(fake)
        jobs = [(await maker.submit(CASE.request(tmp_path, prompt=f"lamp {n}"), f"cb-{n}")).job for n in range(3)]
        polls = [asyncio.create_task(maker.status(job)) for job in jobs]
        await asyncio.sleep(0)
        polls[0].cancel()
        done = await asyncio.gather(*polls, return_exceptions=True)
        assert isinstance(done[0], asyncio.CancelledError)
        assert [status.state for status in done[1:] if isinstance(status, Status)] == [State.QUEUED] * 2
        fake.script(poll=["500"])
        late: JobId = (await maker.submit(CASE.request(tmp_path, prompt="late"), "cb-9")).job
        both = await asyncio.gather(maker.status(late), maker.status(jobs[1]), return_exceptions=True)
        assert all(isinstance(each, PollError) for each in both)

    with CASE.start() as fake:
        run(work())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seconds": 16}, "3 to 15 s, not of 16 s"), ({"seconds": 0}, "needs a length"), ({"seconds": "5"}, "needs a length"),
        ({"aspect": "4:5"}, "makes no 4:5 frame; it makes 9:16, 16:9, 1:1"), ({"negative": "blur"}, "no negative prompt"),
        ({"seed": 3}, "takes no seed"), ({"camera": {"pan": 3}}, "camera's move in the prompt"), ({"prompt": " "}, "needs a prompt"),
        ({"prompt": "x" * 3073}, "at most 3,072 characters, this one has 3,073"), ({"model": "kling-9"}, "no model 'kling-9'"),
        ({"model": "kling-2.5-turbo", "audio": True}, "makes no sound"), ({"resolution": "8k"}, "makes no 8k frame at 9:16"),
        ({"n": 2}, "1 to 1 at once"), ({"model": "kling-2.6", "seconds": 11}, "clips of 5, 10 s"),
    ],
)  # fmt: skip
def test_problems_are_named(changes: dict[str, Any], words: str) -> None:
    """What the model can't do, in a sentence, before anything is sent."""
    (problem,) = adapter("create_ok").problems(text(**changes))
    assert words in problem


def test_problems_of_pictures(tmp_path: Any) -> None:
    """A picture of another shape, too small or no picture; a last frame alone; two where one is taken."""
    maker = adapter("create_ok")

    def problems(files: dict[str, str], **changes: Any) -> str:
        return "; ".join(maker.problems(replace(text(**changes), files=files)))

    good = photo(tmp_path)
    assert problems({"image": good}) == ""
    assert "is 1280x720, and the clip is to be 9:16" in problems({"image": photo(tmp_path, 1280, 720)})
    assert "smaller than 300 px" in problems({"image": photo(tmp_path, 270, 480)})
    assert "is not PNG, JPEG" in problems({"image": photo(tmp_path, form="webp")})
    assert "only with a first one" in problems({"last": good})
    assert "no last frame" in problems({"image": good, "last": good}, model="kling-3.0-turbo")
    assert "at most 1 pictures" in problems({"image": good, "image_1": good})
    assert problems({"image": str(tmp_path / "not-made-yet.png")}) == ""


@pytest.mark.parametrize(
    ("changes", "usd"),
    [
        ({}, "0.42"), ({"audio": True}, "0.63"), ({"width": 1080, "height": 1920}, "0.56"),
        ({"width": 1080, "height": 1920, "audio": True}, "0.84"), ({"model": "kling-3.0-turbo"}, "0.56"),
        ({"seconds": 4.2}, "0.42"), ({"resolution": "4k"}, "2.10"), ({"model": "kling-2.6", "seconds": 6}, "0.42"),
    ],
)  # fmt: skip
def test_prices_are_the_list_prices(changes: dict[str, Any], usd: str) -> None:
    """By resolution, sound and the seconds that are bought: the next length that the model makes."""
    price = adapter("create_ok").price(text(**changes))
    assert price is not None
    assert (price.least, price.most) == (Decimal(usd), Decimal(usd))


def test_an_unknown_price_is_none() -> None:
    """kling-2.6 at 720p with sound has no list price."""
    assert adapter("create_ok").price(text(model="kling-2.6", audio=True, seconds=5)) is None


def test_a_hostile_answer_is_no_job(tmp_path: Any) -> None:
    """Ids of odd kinds, tasks of odd shapes: never a crash, never a made-up job."""
    for data in ({"id": ""}, {"id": None}, {"id": ["x"]}, [], "x", None, {}):
        fixture = replace(FIXTURES["create_ok"], body={"code": 0, "data": data})
        config = Config(key=lambda: "k", download=download, today=lambda: DAY, transport=giving(fixture))
        with pytest.raises(SubmitError) as raised:
            run(kling.make(config).submit(text(), "cb-1"))
        assert raised.value.outcome is Outcome.UNKNOWN
    for tasks in ([3], [{}], [{"id": 5}], {"a": 1}, "x", [{"id": "1", "status": ["x"], "billing": {}, "outputs": 3}]):
        fixture = replace(FIXTURES["task_succeeded"], body={"code": 0, "data": tasks})
        config = Config(key=lambda: "k", download=download, today=lambda: DAY, transport=giving(fixture))
        try:
            assert run(kling.make(config).status("1")).state is State.RUNNING
        except PollError:
            pass
        with pytest.raises(PollError):
            run(kling.make(config).fetch("1", str(tmp_path)))


def test_a_table_of_ones_own_takes_the_shipped_ones_place() -> None:
    """A model that is not shipped can be described in the same form."""
    table = models.parsed(
        "models: {kling-5: {kind: video, source: mine, seconds: [5], sizes: {'9:16': {720p: 720x1280}}, prompt: 99, "
        "per_second: {720p: [0.5, null]}}}",
        "kling",
    )
    maker = kling.make(Config(key=lambda: "k", download=download, today=lambda: DAY, models=table))
    price = maker.price(text(model="kling-5"))
    assert price is not None
    assert price.most == Decimal("2.5")
    assert "known are kling-5" in maker.problems(text())[0]
    assert json.dumps(maker.document(text(model="kling-5"), "t")[1]["settings"])


def test_a_task_ends_by_the_clock_too(tmp_path: Any) -> None:
    """Where jobs take time, polls tell the truth about it."""

    async def work() -> None:
        maker = CASE.adapter(fake)
        job = (await maker.submit(CASE.request(tmp_path), "cb-1")).job
        assert (await maker.status(job)).state is State.RUNNING
        assert await finished(maker, job) is State.DONE

    with CASE.start(seconds=0.4) as fake:
        run(work())


def test_a_job_that_the_lookup_does_not_know_yet_is_found_in_the_list(tmp_path: Any) -> None:
    """Also on a later page; what neither knows is not there, and a list that can't be read proves nothing."""

    async def work() -> list[JobId | None]:
        maker = CASE.adapter(fake)
        with pytest.raises(SubmitError):
            await maker.submit(CASE.request(tmp_path), "cb-late")
        return [await maker.find("cb-late"), await maker.find("cb-other")]

    with Kling(small=True, lags=9) as fake:
        body = {"contents": [{"type": "prompt", "text": "x"}]}
        for number in range(kling.TASKS_A_PAGE):
            fake._made(body, "text-to-video", "kling-3.0", f"cb-{number}")
        fake.script(submit=["reset_after"])
        assert run(work()) == [fake.ledger.charges[-1].job, None]
    with pytest.raises(PollError):
        run(adapter("task_unknown_id", "error_400_1201_bad_parameter").find("cb-1"))
