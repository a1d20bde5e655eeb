"""Runway: what each documented answer means, what is sent, uploads, cancelling, what a model can't do."""

import os
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from clipbuild.providers import runway
from clipbuild.providers.config import Config
from clipbuild.providers.contract import Outcome, PollError, Request, State, Status, SubmitError
from tests.fakes.runway import Runway
from tests.support.adapters import CASES, DAY, VIDEO, bought, download, photo, run
from tests.support.fixtures import Given, all_of

CASE = CASES[2]
FIXTURES = all_of("runway")
FAILURES = {
    "error_400_no_credits": Outcome.LANE_CLOSED, "error_400_validation": Outcome.REFUSED, "error_401": Outcome.LANE_CLOSED,
    "error_404": Outcome.REFUSED, "error_429_burst": Outcome.BUSY, "error_429_daily_cap": Outcome.LANE_CLOSED,
    "error_502_html": Outcome.UNKNOWN, "error_503": Outcome.UNKNOWN,
}  # fmt: skip
SIXTY = Decimal("0.60")
TASKS = {
    "task_pending": Status(State.QUEUED, code="PENDING"),
    "task_throttled": Status(State.QUEUED, code="THROTTLED"),
    "task_running": Status(State.RUNNING, 0.42, "RUNNING"),
    "task_succeeded": Status(State.DONE, code="SUCCEEDED", cost=SIXTY),
    "task_cancelled": Status(State.CANCELLED, code="CANCELLED", cost=Decimal(0)),
    "task_failed_asset_invalid": Status(State.FAILED, code="ASSET.INVALID", cost=Decimal(0)),
    "task_failed_bad_output": Status(State.FAILED, code="INTERNAL.BAD_OUTPUT.CODE01", cost=Decimal(0)),
    "task_failed_internal": Status(State.FAILED, code="INTERNAL", cost=Decimal(0)),
    "task_failed_no_code": Status(State.FAILED, code="FAILED", cost=Decimal(0)),
    "task_failed_safety_input_image": Status(State.REFUSED, code="SAFETY.INPUT.IMAGE", cost=SIXTY),
    "task_failed_safety_input_text": Status(State.REFUSED, code="SAFETY.INPUT.TEXT", cost=SIXTY),
    "task_failed_safety_output": Status(State.REFUSED, code="SAFETY.OUTPUT.VIDEO", cost=Decimal(0)),
}


def adapter(*names: str) -> runway.Runway:
    given = Given([FIXTURES[name] for name in names])
    return runway.make(Config(key=lambda: "k", download=download, today=lambda: DAY, transport=lambda: given))


def wanted(folder: object, **changes: Any) -> Request:
    return CASE.request(folder, **changes)


@pytest.mark.parametrize(("name", "outcome"), FAILURES.items())
def test_each_documented_failure_means_what_the_table_says(name: str, outcome: Outcome, tmp_path: Any) -> None:
    """A cap of the day closes the lane, a burst does not; no credits closes it; 5xx is unknown."""
    with pytest.raises(SubmitError) as raised:
        run(adapter(name).submit(wanted(tmp_path), "cb-1"))
    assert raised.value.outcome is outcome
    assert raised.value.retry_after == (5.0 if name == "error_429_burst" else None)


def test_every_failure_has_a_row() -> None:
    """No documented failure of a submit is left out, and every rule names its source."""
    assert {name for name in FIXTURES if name.startswith("error_")} == set(FAILURES)
    assert {name for name in FIXTURES if name.startswith("task_") and name != "task_deleted_404"} == set(TASKS)
    assert all(rule.source for rule in runway.OUTCOMES)


@pytest.mark.parametrize(("name", "status"), TASKS.items())
def test_each_task_is_told_as_it_is(name: str, status: Status) -> None:
    """THROTTLED waits; SAFETY is a refusal, charged or not as the task says; the rest of FAILED is a failure."""
    found = run(adapter(name).status("17f20503-6c24-4c16-946b-35dbbce2af2f"))
    assert replace(found, detail="") == status
    assert bool(found.detail) is ("failed" in name)


def test_a_deleted_task_is_not_found() -> None:
    """404 is a failed poll; whether the job is lost is for others to say."""
    with pytest.raises(PollError, match="not found"):
        run(adapter("task_deleted_404").status("x"))


def test_the_job_id_is_data_not_a_path() -> None:
    """A job id of odd characters can't reach another call."""
    given = Given([FIXTURES["task_pending"]])
    maker = runway.make(Config(key=lambda: "k", download=download, today=lambda: DAY, transport=lambda: given))
    run(maker.status("../organization?x=1#"))
    assert given.asked[0].url.raw_path == b"/v1/tasks/..%2Forganization%3Fx%3D1%23"


def test_what_is_sent(tmp_path: Any) -> None:
    """Model, frame, length and places of pictures are always said; sound, seed and negative words where they exist."""
    maker = adapter("create_ok")
    assert maker.document(wanted(tmp_path, seed=7), {"image": "runway://a"}) == {
        "model": "gen4.5", "promptImage": [{"uri": "runway://a", "position": "first"}], "ratio": "720:1280", "duration": 5,
        "promptText": VIDEO["prompt"], "seed": 7,
    }  # fmt: skip
    veo = wanted(tmp_path, model="veo3.1", width=1080, height=1920, audio=True, negative="blur", prompt="")
    assert maker.document(veo, {"image": "u", "last": "v"}) == {
        "model": "veo3.1", "ratio": "1080:1920", "duration": 6, "audio": True, "negativePrompt": "blur",
        "promptImage": [{"uri": "u", "position": "first"}, {"uri": "v", "position": "last"}],
    }  # fmt: skip


def test_a_large_picture_is_uploaded_without_the_key(tmp_path: Any) -> None:
    """Over 5 MB as a data URI: upload first, then refer to it; the place for uploads never sees the key."""
    path = str(tmp_path / "large.png")
    _noise(path)
    assert os.path.getsize(path) > 4_000_000
    with CASE.start() as fake:
        assert isinstance(fake, Runway)
        request = replace(wanted(tmp_path), files={"image": path})
        run(bought(CASE.adapter(fake), request, tmp_path))
        asked = [exchange.asked.path for exchange in fake.log[:3]]
        assert asked == ["/v1/uploads", "/uploads", "/v1/image_to_video"]
        assert fake.log[2].asked.json()["promptImage"][0]["uri"] == "runway://upload-0"
        with open(path, "rb") as file:
            assert fake.uploads["runway://upload-0"] == file.read()
        assert (fake.leaks, fake.submits) == ([], 1)


def _noise(path: str) -> None:
    from PIL import Image

    Image.frombytes("RGB", (1080, 1920), os.urandom(1080 * 1920 * 3)).save(path, compress_level=0)


@pytest.mark.parametrize(
    ("place", "outcome"),
    [
        ({"uploadUrl": "http://169.254.169.254/", "fields": {}, "runwayUri": "runway://x"}, Outcome.LANE_CLOSED),
        ({"uploadUrl": "file:///etc/passwd", "fields": {}, "runwayUri": "runway://x"}, Outcome.LANE_CLOSED),
        ({"uploadUrl": "https://a.example/", "fields": {}, "runwayUri": "https://x"}, Outcome.NOT_SENT),
        ({}, Outcome.NOT_SENT),
    ],
)
def test_an_upload_goes_to_safe_places_only(place: dict[str, Any], outcome: Outcome, tmp_path: Any) -> None:
    """A place that is not https is not used; nothing was asked for, so nothing is unsure."""
    path = str(tmp_path / "large.png")
    _noise(path)
    given = Given([replace(FIXTURES["upload_created"], body=place)])
    maker = runway.make(Config(key=lambda: "k", download=download, today=lambda: DAY, transport=lambda: given))
    with pytest.raises(SubmitError) as raised:
        run(maker.submit(replace(wanted(tmp_path), files={"image": path}), "cb-1"))
    assert (raised.value.outcome, len(given.asked)) == (outcome, 1)


def test_a_failed_upload_is_not_an_unsure_submit(tmp_path: Any) -> None:
    """A 503 from the place for uploads: the submit itself was not sent."""
    path = str(tmp_path / "large.png")
    _noise(path)
    given = Given([FIXTURES["upload_created"], FIXTURES["error_503"]])
    maker = runway.make(Config(key=lambda: "k", download=download, today=lambda: DAY, transport=lambda: given))
    with pytest.raises(SubmitError) as raised:
        run(maker.submit(replace(wanted(tmp_path), files={"image": path}), "cb-1"))
    assert raised.value.outcome is Outcome.NOT_SENT
    assert "authorization" not in given.asked[1].headers


def test_a_live_job_can_be_cancelled(tmp_path: Any) -> None:
    """DELETE stops it; one that is gone is no error."""

    async def work() -> Status:
        maker = runway.make(Config(key=lambda: fake.key, download=download, base_url=fake.url, today=lambda: DAY))
        job = (await maker.submit(wanted(tmp_path), "cb-1")).job
        await maker.cancel(job)
        await maker.cancel("00000000-0000-0000-0000-000000000000")
        return await maker.status(job)

    with CASE.start() as fake:
        assert run(work()).state is State.CANCELLED


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": "veo3.1", "seconds": 9}, "clips of 4, 6, 8 s, not of 9 s"), ({"seconds": 11}, "clips of 2 to 10 s"),
        ({"aspect": "4:5"}, "makes no 4:5 frame"), ({"audio": True}, "makes no sound"), ({"negative": "x"}, "no negative prompt"),
        ({"prompt": "🙂" * 501}, "at most 1,000 characters, this one has 1,002"), ({"prompt": ""}, "needs a prompt"),
        ({"resolution": "1080p"}, "makes no 1080p frame at 9:16; it makes 720:1280"),
    ],
)  # fmt: skip
def test_problems_are_named(changes: dict[str, Any], words: str, tmp_path: Any) -> None:
    """What the model can't do, in a sentence."""
    (problem,) = adapter("create_ok").problems(wanted(tmp_path, **changes))
    assert words in problem


def test_a_picture_is_needed_and_has_the_clips_shape(tmp_path: Any) -> None:
    """No picture, and one of another shape."""
    maker = adapter("create_ok")
    assert maker.problems(replace(wanted(tmp_path), files={})) == ["gen4.5 needs a picture to start from"]
    wide = replace(wanted(tmp_path), files={"image": photo(tmp_path, 1280, 720)})
    assert maker.problems(wide) == ["the picture 'image' is 1280x720, and the clip is to be 9:16"]


@pytest.mark.parametrize(
    ("changes", "usd"),
    [
        ({}, "0.60"), ({"model": "gen4_turbo"}, "0.25"), ({"model": "veo3.1", "audio": True}, "2.40"),
        ({"model": "veo3.1", "seconds": 8}, "1.60"), ({"model": "veo3.1_fast"}, "0.60"), ({"model": "kling3.0_pro"}, None),
    ],
)  # fmt: skip
def test_prices_are_credits_or_unknown(changes: dict[str, Any], usd: str | None, tmp_path: Any) -> None:
    """A cent a credit; Kling over Runway has no published price, so it is not bought without a table of one's own."""
    price = adapter("create_ok").price(wanted(tmp_path, **changes))
    assert (price.most if price else None) == (None if usd is None else Decimal(usd))


def test_hostile_answers_are_no_job_and_no_state(tmp_path: Any) -> None:
    """Ids and tasks of odd kinds never crash."""
    for body in ({"id": 7}, {"id": ""}, {"id": None}, [], "x", None, 3):
        given = Given([replace(FIXTURES["create_ok"], body=body)])
        maker = runway.make(Config(key=lambda: "k", download=download, today=lambda: DAY, transport=lambda given=given: given))
        with pytest.raises(SubmitError) as raised:
            run(maker.submit(wanted(tmp_path), "cb-1"))
        assert raised.value.outcome is Outcome.UNKNOWN
    for task in ({}, {"status": ["x"]}, {"status": "RUNNING", "progress": "half", "cost": 3}, {"status": "SUCCEEDED", "output": 3}, []):
        given = Given([replace(FIXTURES["task_pending"], body=task)])
        maker = runway.make(Config(key=lambda: "k", download=download, today=lambda: DAY, transport=lambda given=given: given))
        assert run(maker.status("x")).cost is None
        with pytest.raises(PollError):
            run(maker.fetch("x", str(tmp_path)))
