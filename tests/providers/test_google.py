"""Google: Omni's interactions and Vertex's operations, answer by answer; files; where the key goes."""

import base64
import os
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from clipbuild.errors import UsageError
from clipbuild.providers import google
from clipbuild.providers.config import Config
from clipbuild.providers.contract import Outcome, PollError, Price, Request, State, Status, SubmitError
from tests.fakes.vertex import Vertex
from tests.support.adapters import CASES, DAY, VIDEO, bought, download, photo, run
from tests.support.fixtures import Fixture, Given, all_of

CASE = CASES[3]
FIXTURES = all_of("gemini_omni")
VERTEX = all_of("veo_vertex")
FAILURES = {
    "error_400_bad_key": Outcome.LANE_CLOSED, "error_400_classic_shape": Outcome.REFUSED,
    "error_400_content_blocked": Outcome.REFUSED, "error_400_invalid_duration": Outcome.REFUSED,
    "error_403_service_blocked": Outcome.LANE_CLOSED, "error_404_veo_retired": Outcome.REFUSED,
    "error_429_resource_exhausted": Outcome.BUSY, "error_503_unavailable": Outcome.UNKNOWN,
}  # fmt: skip
STATES = {
    "get_in_progress": State.RUNNING, "get_queued": State.QUEUED, "get_completed_inline": State.DONE, "get_completed_uri": State.DONE,
    "get_completed_no_video": State.REFUSED, "get_failed_content_filtered": State.REFUSED, "get_failed_internal": State.FAILED,
    "get_cancelled": State.CANCELLED, "get_incomplete": State.FAILED, "get_budget_exceeded": State.FAILED,
}  # fmt: skip
VEO = {"model": "veo-3.1-fast-generate-001", **VIDEO, "seconds": 8, "width": 1080, "height": 1920}


def adapter(*names: str) -> google.Omni:
    given = Given([FIXTURES[name] for name in names])
    return google.make(Config(key=lambda: "k", download=download, today=lambda: DAY, transport=lambda: given))


def text(**changes: Any) -> Request:
    return Request("video", {"model": "gemini-omni-1.2-flash", **VIDEO, **changes})


@pytest.mark.parametrize(("name", "outcome"), FAILURES.items())
def test_each_documented_failure_means_what_the_table_says(name: str, outcome: Outcome) -> None:
    """Either shape of error; a bad key is a 400; a wait is read from the details."""
    with pytest.raises(SubmitError) as raised:
        run(adapter(name).submit(text(), "cb-1"))
    assert raised.value.outcome is outcome
    assert raised.value.retry_after == (21.0 if name == "error_429_resource_exhausted" else None)


def test_every_failure_has_a_row() -> None:
    """No documented answer is left out, and every rule names its source."""
    assert {name for name in FIXTURES if name.startswith("error_")} == set(FAILURES)
    assert {name for name in FIXTURES if name.startswith("get_")} == set(STATES)
    assert all(rule.source for rule in google.OUTCOMES)


def test_a_quota_of_the_day_closes_the_lane() -> None:
    """A wait of hours is no wait."""
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "36000s"}]
    body = {"error": {"code": 429, "message": "Quota", "status": "RESOURCE_EXHAUSTED", "details": details}}
    given = Given([replace(FIXTURES["error_429_resource_exhausted"], body=body)])
    maker = google.make(Config(key=lambda: "k", download=download, today=lambda: DAY, transport=lambda: given))
    with pytest.raises(SubmitError) as raised:
        run(maker.submit(text(), "cb-1"))
    assert (raised.value.outcome, raised.value.retry_after) == (Outcome.LANE_CLOSED, 36000.0)


@pytest.mark.parametrize(("name", "state"), STATES.items())
def test_each_interaction_is_told_as_it_is(name: str, state: State) -> None:
    """Completed without a video is a refusal, in Google's own words."""
    found = run(adapter(name, "file_active").status("v1_test0001"))
    assert found.state is state
    if name == "get_completed_no_video":
        assert "cannot make this video" in found.detail
    if state is State.DONE:
        assert found.cost == (43440 * Decimal("17.5") + 1340 * Decimal("1.5") + 310 * 9) / 1_000_000


def test_done_means_that_the_file_can_be_had() -> None:
    """As long as the file is being processed the job runs."""
    assert run(adapter("get_completed_uri", "file_processing").status("v1_test0001")) == Status(State.RUNNING, code="PROCESSING")


def test_a_slow_file_is_waited_for(tmp_path: Any) -> None:
    """Two polls find it unfinished; then it is fetched, with the key, from the configured host."""
    with CASE.start(slow_files=2) as fake:
        _, files = run(bought(CASE.adapter(fake), CASE.request(tmp_path), tmp_path))
        assert b"ftyp" in files["video"][:12]
        states = [exchange.asked.path for exchange in fake.log if exchange.asked.path.startswith("/v1/files/v1_fake001")]
        assert len(states) == 4


def test_the_key_goes_to_the_configured_host_only(tmp_path: Any) -> None:
    """A result elsewhere is fetched without it."""
    seen: list[tuple[str, dict[str, str]]] = []

    async def spy(url: str, dest: str, *, kind: str, headers: Any) -> None:
        seen.append((url, dict(headers)))

    def completed(uri: str) -> Fixture:
        steps = [{"type": "model_output", "content": [{"type": "video", "mime_type": "video/mp4", "uri": uri}]}]
        return replace(FIXTURES["get_completed_uri"], body={**FIXTURES["get_completed_uri"].body, "steps": steps})

    hosts = ("https://generativelanguage.googleapis.com", "https://evil.example", "http://generativelanguage.googleapis.com",
             "https://generativelanguage.googleapis.com:444", "https://generativelanguage.googleapis.com.evil.example")  # fmt: skip
    for host in hosts:
        given = Given([completed(host + "/v1/files/x:download?alt=media")])
        maker = google.make(Config(key=lambda: "k", download=spy, today=lambda: DAY, transport=lambda given=given: given))
        run(maker.fetch("v1_test0001", str(tmp_path)))
    assert [bool(headers) for _, headers in seen] == [True, False, False, False, False]


def test_a_video_inside_the_answer_is_kept_whole(tmp_path: Any) -> None:
    """Base64 becomes a file; nonsense and nothing become no file."""
    assert list(run(adapter("get_completed_inline").fetch("v1_test0001", str(tmp_path)))) == ["video"]
    assert b"ftyp" in (tmp_path / "video.mp4").read_bytes()
    for data in ("***", ""):
        with pytest.raises(PollError):
            google.keep(data, str(tmp_path / "other.mp4"))
    assert os.listdir(tmp_path) == ["video.mp4"]


def test_what_is_sent(tmp_path: Any) -> None:
    """In the background, to be fetched by address, with lengths as text and our id as a label that fits."""
    maker = adapter("create_background_in_progress")
    body = maker.document(CASE.request(tmp_path, seed=7), "CB/" + "f" * 80)
    assert body["response_format"] == {
        "type": "video", "aspect_ratio": "9:16", "resolution": "720p", "duration": "5s", "delivery": "uri",
    }  # fmt: skip
    assert body["generation_config"] == {"video_config": {"task": "image_to_video"}, "seed": 7}
    assert (body["background"], body["store"]) == (True, True)
    assert body["labels"] == {"clipbuild": "cb-" + "f" * 60}
    assert [part["type"] for part in body["input"][0]["content"]] == ["text", "image"]
    assert maker.document(text(), "t")["generation_config"] == {"video_config": {"task": "text_to_video"}}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seconds": 16}, "clips of 3 to 15 s"), ({"model": "gemini-omni-1.1-flash", "seconds": 11}, "clips of 3 to 10 s"),
        ({"aspect": "1:1"}, "makes no 1:1 frame; it makes 9:16, 16:9"), ({"negative": "x"}, "no negative prompt"),
        ({"model": "veo-3.1-generate-preview"}, "ended on 2026-10-22; its successor is gemini-omni-1.2-flash"),
        ({"model": "veo-3.1-generate-001"}, "no model 'veo-3.1-generate-001' for video; known are gemini-omni-1.2-flash"),
    ],
)  # fmt: skip
def test_problems_are_named(changes: dict[str, Any], words: str) -> None:
    """What the model can't do, and what follows on one that ended."""
    (problem,) = adapter("get_queued").problems(text(**changes))
    assert words in problem


def test_the_price_holds_what_thinking_adds() -> None:
    """The list price by the second is the least; the real cost of a documented answer lies within."""
    price = adapter("get_queued").price(text(width=1080, height=1920))
    assert price is not None
    assert price.least < Decimal("0.765") < price.most < Decimal("1.10")


def test_an_interaction_can_be_cancelled(tmp_path: Any) -> None:
    """Asked to stop, it stops; one that is gone is no error."""

    async def work() -> Status:
        maker = google.make(Config(key=lambda: fake.key, download=download, base_url=fake.url, today=lambda: DAY))
        job = (await maker.submit(CASE.request(tmp_path), "cb-1")).job
        await maker.cancel(job)
        await maker.cancel("v1_gone")
        return await maker.status(job)

    with CASE.start() as fake:
        assert run(work()).state is State.CANCELLED


def test_hostile_answers_are_no_job_and_no_state(tmp_path: Any) -> None:
    """Odd kinds everywhere never crash."""
    bodies: list[Any] = [
        {"id": 7}, [], "x", None, {"id": "", "status": 3}, {"status": "completed", "steps": 3, "usage": 3},
        {"status": "completed", "steps": [3, {"type": "model_output", "content": [3, {"type": "video"}]}]},
        {"status": "failed", "errors": [3]}, {"status": "failed", "errors": {"a": 1}}, {"error": {"details": [3]}},
        {"status": "completed", "steps": [{"type": "model_output", "content": 3}], "usage": {"output_tokens_by_modality": [3]}},
    ]  # fmt: skip
    for body in bodies:
        given = Given([replace(FIXTURES["get_queued"], body=body)])
        maker = google.make(Config(key=lambda: "k", download=download, today=lambda: DAY, transport=lambda given=given: given))
        with pytest.raises(SubmitError) as raised:
            run(maker.submit(text(), "cb-1"))
        assert raised.value.outcome is Outcome.UNKNOWN
        try:
            run(maker.status("x"))
        except PollError:
            pass
        with pytest.raises(PollError):
            run(maker.fetch("x", str(tmp_path)))


# --- Vertex --------------------------------------------------------------------------------------------------------------


def veo(*names: str) -> google.Veo:
    given = Given([VERTEX[name] for name in names])
    base = "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1"
    return google.make_vertex(Config(key=lambda: "k", download=download, base_url=base, today=lambda: DAY, transport=lambda: given))


def test_vertex_needs_its_place() -> None:
    """Project and location are part of the base URL: there is none to assume."""
    with pytest.raises(UsageError):
        google.make_vertex(Config(key=lambda: "k", download=download))


@pytest.mark.parametrize(("name", "outcome"), [("error_404_model", Outcome.REFUSED), ("error_429", Outcome.BUSY)])
def test_vertex_failures(name: str, outcome: Outcome, tmp_path: Any) -> None:
    """A model that is gone says so at the submit."""
    with pytest.raises(SubmitError) as raised:
        run(veo(name).submit(Request("video", VEO), "cb-1"))
    assert raised.value.outcome is outcome


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("operation_running", State.RUNNING), ("operation_done_inline", State.DONE), ("operation_done_rai_filtered", State.REFUSED),
        ("operation_error", State.FAILED), ("operation_done_gcs", State.DONE),
    ],
)  # fmt: skip
def test_vertex_operations(name: str, state: State) -> None:
    """Done, without an error and without a video: filtered."""
    assert run(veo(name).status("veo-3.1-fast-generate-001/op-1")).state is state


def test_vertex_completes_a_job(tmp_path: Any) -> None:
    """Submit, poll, keep the clip that the operation carries; one charge, within the price."""
    request = Request("video", VEO, {"image": photo(tmp_path, 1080, 1920)})
    with Vertex(small=True) as fake:
        maker = google.make_vertex(Config(key=lambda: fake.key, download=download, base_url=fake.url, today=lambda: DAY))
        _, files = run(bought(maker, request, tmp_path))
        price = maker.price(request)
        assert b"ftyp" in files["video"][:12]
        assert price is not None
        assert (len(fake.ledger.charges), fake.ledger.total) == (1, price.most)


def test_vertex_problems(tmp_path: Any) -> None:
    """1080p comes only as 8 s, so shorter ones are bought as that, at its price; 9 s never."""
    maker = veo("create_ok")
    five = Request("video", {**VEO, "seconds": 5})
    assert (maker.problems(five), maker.document(five)["parameters"]["durationSeconds"]) == ([], 8)
    assert maker.price(five) == Price(Decimal("0.96"), Decimal("0.96"))
    assert "makes 1080p clips of 8 s, not of 9 s" in maker.problems(Request("video", {**VEO, "seconds": 9}))[0]
    small = Request("video", {**VEO, "seconds": 5, "resolution": "720p"})
    assert maker.document(small)["parameters"]["durationSeconds"] == 6
    assert "clips of 4, 6, 8 s, not of 9 s" in maker.problems(Request("video", {**small.params, "seconds": 9}))[0]
    data = maker.document(Request("video", VEO, {"image": photo(tmp_path, 1080, 1920)}))
    assert base64.b64decode(data["instances"][0]["image"]["bytesBase64Encoded"])[:4] == b"\x89PNG"
