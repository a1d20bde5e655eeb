"""The fakes are checked themselves: against the providers' documents, and by the official SDKs."""

import asyncio
import base64
import copy
import itertools
import json
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from clipbuild.providers.contract import PollError, State, SubmitError
from tests.fakes import media
from tests.fakes.__main__ import every as all_fakes
from tests.fakes.google import Google
from tests.fakes.kling import Kling
from tests.fakes.openai import OpenAI
from tests.fakes.runway import Runway, data_uri
from tests.fakes.server import words
from tests.fakes.wire import Exchange
from tests.support.adapters import CASES, POLLED, Case, bought, finished, photo, run
from tests.support.openapi import Document

DOCUMENTS = {
    "openai": ("openai-images-audio.prism", "/v1"), "kling": ("kling.composed", ""), "kling-legacy": ("kling.composed", ""), "runway": ("runway.composed", ""),
    "google": ("gemini-omni.composed", ""),
}  # fmt: skip
BATCH = "openai-batch"
every = pytest.mark.parametrize("case", [case for case in CASES if case.name != BATCH], ids=lambda case: case.name)
polled = pytest.mark.parametrize("case", [case for case in POLLED if case.name != BATCH], ids=lambda case: case.name)


def document(case: Case) -> Document:
    name, prefix = DOCUMENTS[case.name]
    return Document(name, prefix)


@every
def test_a_job_obeys_the_document_both_ways(case: Case, tmp_path: Any) -> None:
    """Every request of an adapter and every answer of its fake is one that the provider's document allows."""
    paper = document(case)
    with case.start() as fake:
        run(bought(case.adapter(fake), case.request(tmp_path), tmp_path))
        run(case.adapter(fake).find("cb-none"))
        for exchange in [each for each in fake.log if not each.asked.path.startswith(("/cdn/", "/v1/files/"))]:
            assert paper.wrong_request(exchange) == []
            assert paper.wrong_reply(exchange) == []
    assert paper.checked >= (1 if case.kind == "image" else 5)


@every
def test_variations_obey_the_document(case: Case, tmp_path: Any) -> None:
    """Without a picture, with sound, with a seed, with a last frame, at other sizes: allowed by the document, taken by the fake."""
    paper = document(case)
    with case.start() as fake:
        adapter, plain = case.adapter(fake), case.request(tmp_path)
        tried = 0
        for params, files in variations(plain.params, dict(plain.files)):
            request = type(plain)(plain.kind, params, files)
            if not adapter.problems(request):
                run(adapter.submit(request, f"cb-{tried}"))
                tried += 1
        for exchange in fake.log:
            assert paper.wrong_request(exchange) + paper.wrong_reply(exchange) == []
    assert tried >= 4


def variations(params: Any, files: dict[str, str]) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
    yield {**params, "prompt": "another"}, files
    yield {**params, "prompt": "no picture"}, {}
    yield {**params, "seed": 7}, files
    yield {**params, "audio": True}, files
    yield {**params, "seconds": 8}, files
    yield {**params, "n": 3}, files
    yield {**params, "width": 1080, "height": 1920, "quality": None}, files
    yield {**params, "prompt": "both ends"}, {**files, "last": next(iter(files.values()))}
    yield {**params, "format": "webp", "background": "transparent", "quality": "high"}, files


@every
@pytest.mark.parametrize("word", ["400_moderation", "401", "404", "429", "503"])
def test_errors_obey_the_document(case: Case, word: str, tmp_path: Any) -> None:
    """Each error body is of the provider's shape."""
    paper = document(case)
    with case.start() as fake:
        fake.script(submit=[word])
        with pytest.raises(SubmitError):
            run(case.adapter(fake).submit(case.request(tmp_path), "cb-1"))
        (exchange,) = fake.log
        allowed = paper.operation("POST", exchange.asked.path) or {}
        if str(exchange.reply.status) in allowed["responses"]:
            assert paper.wrong_reply(exchange) == []
            assert paper.checked == 1


@polled
def test_unknown_fields_are_refused_at_every_level(case: Case, tmp_path: Any) -> None:
    """A field that the document does not know is refused by the fake wherever it stands, and nothing is charged."""
    with case.start() as fake:
        run(case.adapter(fake).submit(case.request(tmp_path), "cb-1"))
        exchange = fake.log[-1]
        fake.ledger.charges.clear()
        fake.jobs.clear()
        spoiled = list(_with_a_surprise(exchange.asked.json()))
        for body in spoiled:
            reply = _sent(fake.origin, exchange, body)
            assert reply.status_code == 400, body
        assert len(spoiled) >= 2
        assert fake.ledger.charges == []


def _with_a_surprise(body: Any) -> Iterator[Any]:
    """Copies of a body, each with one unknown field in one of its objects."""
    paths: list[list[Any]] = [[]]
    while paths:
        path = paths.pop()
        whole = copy.deepcopy(body)
        place = whole
        for step in path:
            place = place[step]
        if isinstance(place, dict):
            paths += [[*path, name] for name in place]
            if "labels" not in path:
                place["surprise"] = 1
                yield whole
        elif isinstance(place, list):
            paths += [[*path, number] for number in range(len(place))]


def _sent(origin: str, exchange: Exchange, body: Any) -> httpx.Response:
    kept = ("authorization", "x-goog-api-key", "x-runway-version")
    headers = {name: value for name, value in exchange.asked.headers.items() if name in kept}
    return httpx.post(origin + exchange.asked.path, json=body, headers=headers)


# --- official SDKs -----------------------------------------------------------------------------------------------------


def test_the_openai_sdk_completes_its_calls() -> None:
    """Generate, edit with two photos, transcribe: with the SDK as its users use it."""
    import openai

    photos = [("a.png", media.picture(media.Shape(64, 64), form="png")), ("b.png", media.picture(media.Shape(64, 96)))]
    with OpenAI(small=True) as fake, openai.OpenAI(api_key=fake.key, base_url=fake.url, max_retries=0) as sdk:
        made = sdk.images.generate(model="gpt-image-2", prompt="a lamp", size="1088x1920", n=2, quality="low")
        assert made.data is not None
        assert [base64.b64decode(item.b64_json or "")[:4] for item in made.data] == [b"\x89PNG"] * 2
        edited = sdk.images.edit(model="gpt-image-2.5-flare", prompt="a lamp", image=photos, size="1024x1536")
        assert edited.usage is not None
        assert edited.usage.input_tokens_details.image_tokens > 0
        spoken = sdk.audio.transcriptions.create(
            file=("a.wav", b"RIFF"), model="whisper-1", response_format="verbose_json", timestamp_granularities=["word"]
        )
        assert [word.word for word in spoken.words or ()] == ["Meet", "the", "little", "lamp"]
        with pytest.raises(openai.BadRequestError, match="divisible by 16"):
            sdk.images.generate(model="gpt-image-2", prompt="a lamp", size="1080x1920")
        with pytest.raises(openai.NotFoundError):
            sdk.images.generate(model="dall-e-3", prompt="a lamp")
        assert (len(fake.ledger.charges), fake.submits) == (3, 5)


def test_the_runway_sdk_completes_a_job() -> None:
    """Create, wait for the output, upload, cancel."""
    runwayml = pytest.importorskip("runwayml")
    picture = media.picture(media.Shape(720, 1280))
    with Runway(small=True) as fake, runwayml.RunwayML(api_key=fake.key, base_url=fake.url, max_retries=0) as sdk:
        task = sdk.image_to_video.create(
            model="gen4.5", prompt_image=data_uri(picture), prompt_text="slow push-in", ratio="720:1280", duration=5
        )
        for _ in range(2):
            sdk.tasks.retrieve(task.id)
        done = sdk.tasks.retrieve(task.id)
        assert (done.status, done.cost.credits) == ("SUCCEEDED", 60)
        assert b"ftyp" in httpx.get(done.output[0]).content[:12]
        place = sdk.uploads.create_ephemeral(file=("picture.png", picture))
        second = sdk.image_to_video.create(
            model="gen4_turbo", prompt_image=place.uri, prompt_text="slow push-in", ratio="720:1280", duration=5
        )
        sdk.tasks.delete(second.id)
        assert sdk.tasks.retrieve(second.id).status == "CANCELLED"
        assert sdk.organization.retrieve().credit_balance == 100_000 - 85


def test_the_google_sdk_completes_a_job() -> None:
    """Create in the background, poll, cancel another."""
    genai = pytest.importorskip("google.genai")
    picture = base64.b64encode(media.picture(media.Shape(720, 1280))).decode()
    with Google(small=True) as fake:
        sdk = genai.Client(api_key=fake.key, http_options=genai.types.HttpOptions(base_url=fake.origin))
        made = [
            sdk.interactions.create(
                model="gemini-omni-1.2-flash",
                input=[{"type": "text", "text": f"lamp {number}"}, {"type": "image", "mime_type": "image/png", "data": picture}],
                response_format={"type": "video", "aspect_ratio": "9:16", "duration": "5s", "delivery": "uri"},
                background=True, store=True,
            )
            for number in range(2)
        ]  # fmt: skip
        for _ in range(2):
            sdk.interactions.get(made[0].id)
        done = sdk.interactions.get(made[0].id)
        assert done.status == "completed"
        video = next(part for step in done.steps for part in step.content if part.type == "video")
        data = httpx.get(video.uri, headers={"x-goog-api-key": fake.key}).content
        assert b"ftyp" in data[:12]
        assert sdk.interactions.cancel(made[1].id).status == "cancelled"


# --- behaviour ---------------------------------------------------------------------------------------------------------


def test_scripts_repeat_their_last_word() -> None:
    """`x*3` is three times x; past the end the last goes on."""
    script = words(["500*2", "running", "done"])
    assert [next(script) for _ in range(6)] == ["500", "500", "running", "done", "done", "done"]
    assert next(words([]), "nothing") == "nothing"


@polled
def test_states_come_in_order(case: Case, tmp_path: Any) -> None:
    """Queued, running, done, and done for ever."""

    async def work() -> list[State]:
        adapter = case.adapter(fake)
        accepted = await adapter.submit(case.request(tmp_path), "cb-1")
        return [(await adapter.status(accepted.job)).state for _ in range(5)]

    with case.start() as fake:
        assert run(work()) == [State.QUEUED, State.RUNNING, State.DONE, State.DONE, State.DONE]


@every
def test_slots_are_limited(case: Case, tmp_path: Any) -> None:
    """Over its slots Kling says 1303, Runway queues, Google and OpenAI answer 429."""

    async def work() -> list[str]:
        adapter = case.adapter(fake)
        tasks = [adapter.submit(case.request(tmp_path, prompt=f"lamp {n}"), f"cb-{n}") for n in range(3)]
        jobs = await asyncio.gather(*tasks, return_exceptions=True)
        said = [job.code for job in jobs if isinstance(job, SubmitError)]
        if case.name == "runway":
            views = [await adapter.status(job.job) for job in jobs if not isinstance(job, BaseException)]
            said = [view.code for view in views if view.code == "THROTTLED"]
        return said

    with case.start(seconds=2.0, slots=2) as fake:
        wanted = {"kling": "1303", "kling-legacy": "1303", "runway": "THROTTLED", "google": "RESOURCE_EXHAUSTED", "openai": "rate_limit_exceeded"}
        assert run(work()) == [wanted[case.name]]


def test_addresses_die_and_files_take_no_keys(tmp_path: Any) -> None:
    """An address lives as long as it says; a key or a referrer sent to a file is refused, and the key counted."""
    case = CASES[2]
    now = [100.0]

    async def work() -> str:
        adapter = case.adapter(fake)
        accepted = await adapter.submit(case.request(tmp_path), "cb-1")
        await finished(adapter, accepted.job)
        body = json.loads(fake.log[-1].reply.data())
        return str(body["output"][0])

    with Runway(small=True, url_seconds=60, clock=lambda: now[0]) as fake:
        url = run(work())
        assert httpx.get(url).status_code == 200
        assert httpx.get(url, headers={"Referer": "https://example.com"}).status_code == 403
        assert httpx.get(url, headers={"Authorization": "Bearer x"}).status_code == 400
        assert len(fake.leaks) == 1
        now[0] = 161.0
        assert httpx.get(url).status_code == 403


def test_a_range_is_served_and_a_clip_is_what_was_asked_for(tmp_path: Any) -> None:
    """Resumed downloads add up to the same bytes; the clip has the frame, the length and the sound that were asked for."""
    shape = media.Shape(720, 1280, 5, True, media.picture(media.Shape(720, 1280)))
    data = media.clip(shape, small=False)
    assert media.clip(shape, small=False) is data
    with open(tmp_path / "clip.mp4", "wb") as file:
        file.write(data)
    import cv2

    clip = cv2.VideoCapture(str(tmp_path / "clip.mp4"))
    facts = [clip.get(each) for each in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FRAME_COUNT)]
    assert facts == [720, 1280, 120]
    assert b"mp4a" in data
    with Runway() as fake:
        job = fake.new_job({}, fake.ledger.total, shape, "gen4.5")
        url = fake.address(job)
        whole = httpx.get(url)
        part = httpx.get(url, headers={"Range": "bytes=1000-"})
        assert (part.status_code, whole.content[:1000] + part.content) == (206, data)
        assert part.headers["etag"] == whole.headers["etag"]


@pytest.mark.parametrize("repeats", ["refused", "billed"])
def test_kling_repeats_an_external_id_both_ways_seen(repeats: str, tmp_path: Any) -> None:
    """Refused with 1201, where the adapter finds the first job; or taken again, and billed twice."""
    case = CASES[1]

    async def work() -> list[str]:
        adapter = case.adapter(fake)
        return [(await adapter.submit(case.request(tmp_path), "cb-1")).job for _ in range(2)]

    with Kling(small=True, repeats=repeats) as fake:
        first, second = run(work())
        charges, doubles = (1, 0) if repeats == "refused" else (2, 1)
        assert (first == second) is (repeats == "refused")
        assert (fake.submits, len(fake.ledger.charges), len(fake.ledger.doubles())) == (2, charges, doubles)


def test_kling_lists_by_time_and_asks_for_twenty_at_most() -> None:
    """Pages with a cursor; 21 ids are refused; an unknown id is left out."""
    with Kling(small=True) as fake:
        headers = {"Authorization": f"Bearer {fake.key}"}
        body = {"contents": [{"type": "prompt", "text": "x"}], "settings": {"duration": 5, "aspect_ratio": "9:16"}}
        for _ in range(3):
            httpx.post(f"{fake.url}/text-to-video/kling-3.0", json=body, headers=headers)
        now = int(time.time() * 1000)
        span = {"start_time": now - 60_000, "end_time": now + 60_000, "limit": 2}
        page = httpx.post(f"{fake.url}/tasks", json=span, headers=headers).json()["data"]
        assert (page["count"], page["has_more"]) == (2, True)
        rest = httpx.post(f"{fake.url}/tasks", json={**span, "cursor": page["next_cursor"]}, headers=headers).json()["data"]
        assert (rest["count"], rest["has_more"]) == (1, False)
        many = ",".join(str(number) for number in range(21))
        assert httpx.get(f"{fake.url}/tasks", params={"task_ids": many}, headers=headers).status_code == 400
        assert httpx.get(f"{fake.url}/tasks", params={"task_ids": "1"}, headers=headers).json()["data"] == []


def test_a_fake_that_is_stopped_refuses_connections(tmp_path: Any) -> None:
    """All of them start on their own ports and end."""
    fakes = all_fakes(small=True)
    assert sorted(fakes) == ["google", "kling", "kling-legacy", "openai", "runway", "vertex"]
    for fake in fakes.values():
        with fake:
            assert httpx.get(fake.origin + "/none").status_code in (400, 401, 404)
        with pytest.raises(httpx.ConnectError):
            httpx.get(fake.origin + "/none")


def test_a_rehearsal_says_what_to_set_and_prints_the_bill() -> None:
    """Run as users run it: keys and base URLs first, a job in between, the bill after SIGINT."""
    command = [sys.executable, "-m", "tests.fakes", "--port", "0", "--small", "--seconds", "0"]
    root = pathlib.Path(__file__).resolve().parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as running:
        assert running.stdout is not None
        lines = list(itertools.takewhile(lambda line: not line.startswith("vertex ="), running.stdout))
        told = dict(line.removeprefix("export ").strip().replace(" = ", "=").split("=", 1) for line in lines if "=" in line)
        assert told["KLING_API_KEY"] == "test-key"
        body = {"contents": [{"type": "prompt", "text": "x"}], "settings": {"duration": 5, "resolution": "720p", "audio": "off"}}
        url = told["kling"].strip('"') + "/text-to-video/kling-3.0"
        assert httpx.post(url, json=body, headers={"Authorization": "Bearer test-key"}).status_code == 200
        running.send_signal(signal.SIGINT)
        rest = running.stdout.read()
    assert "kling: 1 charges, $0.420, 1 submits" in rest
    assert running.returncode == 0


def test_results_show_what_was_sent(tmp_path: Any) -> None:
    """An edit shows the photo, a clip starts with its first frame: later checks have something to see."""
    from PIL import Image

    red = media.Shape(720, 1280)
    path = photo(tmp_path)
    Image.new("RGB", (300, 300), (200, 10, 10)).save(path)
    with open(path, "rb") as file:
        drawn = media.picture(red, (file.read(),))
    (tmp_path / "drawn.png").write_bytes(drawn)
    with Image.open(tmp_path / "drawn.png") as opened:
        pixels = opened.convert("RGB").resize((72, 128)).tobytes()
    reds = sum(1 for red, green in zip(pixels[::3], pixels[1::3], strict=True) if red > 180 and green < 60)
    assert reds > 200


def test_poll_error_is_what_a_broken_download_raises(tmp_path: Any) -> None:
    """Each spoiled download of the table ends in PollError, none in a file."""
    case = CASES[2]

    async def work() -> None:
        adapter = case.adapter(fake)
        accepted = await adapter.submit(case.request(tmp_path), "cb-1")
        await finished(adapter, accepted.job)
        folder = tmp_path / "results"
        folder.mkdir()
        for _ in range(len(script) - 1):
            with pytest.raises(PollError):
                await adapter.fetch(accepted.job, str(folder))
        assert list(await adapter.fetch(accepted.job, str(folder))) == ["video"]

    script = ["trunc", "reset-mid", "chunk", "html-200", "json-200", "204", "ct-png", "302-loop", "429:2", "410", "500", "ok"]
    script.remove("chunk")
    with Runway(small=True) as fake:
        fake.script(download=script)
        run(work())
