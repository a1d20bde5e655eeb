"""OpenAI: what each documented answer means, what is sent through the SDK, sizes, prices, models that end, spoken words."""

import json
import os
import pathlib
import subprocess
import sys
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from clipbuild.providers import openai
from clipbuild.providers.config import Config
from clipbuild.providers.contract import Accepted, Outcome, PollError, Request, State, SubmitError
from tests.support.adapters import CASES, DAY, IMAGE, bought, download, photo, run
from tests.support.fixtures import Given, all_of

CASE = CASES[0]
FIXTURES = all_of("openai")
FAILURES = {
    "error_400_billing_limit": Outcome.LANE_CLOSED, "error_400_content_policy_legacy": Outcome.REFUSED,
    "error_400_invalid_size": Outcome.REFUSED, "error_400_moderation_input": Outcome.REFUSED,
    "error_400_moderation_no_details": Outcome.REFUSED, "error_400_moderation_output": Outcome.REFUSED,
    "error_400_unknown_parameter": Outcome.REFUSED, "error_401_invalid_key": Outcome.LANE_CLOSED,
    "error_403_not_verified": Outcome.LANE_CLOSED, "error_404_model_retired": Outcome.REFUSED,
    "error_429_insufficient_quota": Outcome.LANE_CLOSED, "error_429_rate_limit_images": Outcome.BUSY,
    "error_429_rate_limit_tokens": Outcome.BUSY, "error_500": Outcome.UNKNOWN, "error_502_html": Outcome.UNKNOWN,
    "error_503": Outcome.UNKNOWN,
}  # fmt: skip


def given(*names: str) -> tuple[openai.OpenAI, Given]:
    transport = Given([FIXTURES[name] for name in names])
    return openai.make(Config(key=lambda: "k", download=download, today=lambda: DAY, transport=lambda: transport)), transport


def text(**changes: Any) -> Request:
    return Request("image", {"model": "gpt-image-2", **IMAGE, "n": 1, **changes})


@pytest.mark.parametrize(("name", "outcome"), FAILURES.items())
def test_each_documented_failure_means_what_the_table_says(name: str, outcome: Outcome) -> None:
    """By status and code; one request each, whatever the SDK would like."""
    maker, transport = given(name)
    with pytest.raises(SubmitError) as raised:
        run(maker.submit(text(), "cb-1"))
    assert (raised.value.outcome, len(transport.asked)) == (outcome, 1)


def test_every_failure_has_a_row() -> None:
    """No documented failure is left out, and every rule names its source."""
    assert {name for name in FIXTURES if name.startswith("error_")} == set(FAILURES)
    assert all(rule.source for rule in openai.OUTCOMES)


def test_a_refusal_says_why() -> None:
    """The stage and the categories, where they are told; the provider's wait, where it gives one."""
    maker, _ = given("error_400_moderation_output")
    with pytest.raises(SubmitError, match=r"moderation_blocked: .*\(output: sexual\)"):
        run(maker.submit(text(), "cb-1"))
    maker, _ = given("error_429_rate_limit_images")
    with pytest.raises(SubmitError) as raised:
        run(maker.submit(text(), "cb-1"))
    assert raised.value.retry_after == 12.0


@pytest.mark.parametrize(
    ("name", "usd"), [("generate_ok", "0.040295"), ("generate_ok_no_usage", None), ("generate_ok_size_auto", "0.164945")]
)
def test_an_answer_carries_the_picture_and_its_cost(name: str, usd: str | None) -> None:
    """Tokens at the table's rates; an answer without usage has no cost, and is a picture all the same."""
    maker, _ = given(name)
    accepted = run(maker.submit(text(), "cb-1"))
    assert accepted.cost == (None if usd is None else Decimal(usd))
    assert accepted.files is not None
    assert accepted.files["image_0"].startswith(b"\x89PNG")
    assert accepted.job == FIXTURES[name].headers.get("x-request-id", "cb-1")


def test_fewer_pictures_than_asked_for_is_unknown() -> None:
    """One of two is not what was paid for; nobody guesses."""
    maker, _ = given("generate_ok")
    with pytest.raises(SubmitError) as raised:
        run(maker.submit(text(n=2), "cb-1"))
    assert raised.value.outcome is Outcome.UNKNOWN


def test_what_is_sent_for_words_alone() -> None:
    """JSON, every default made explicit; no key but ours, no encodings."""
    maker, transport = given("generate_ok")
    run(maker.submit(text(width=1080, height=1920), "cb-1"))
    (asked,) = transport.asked
    assert json.loads(asked.content) == {
        "model": "gpt-image-2", "prompt": IMAGE["prompt"], "n": 1, "size": "1088x1920", "quality": "low", "background": "auto",
        "output_format": "png", "stream": True, "partial_images": 0,
    }  # fmt: skip
    assert (asked.url.path, asked.headers["authorization"]) == ("/v1/images/generations", "Bearer k")
    assert asked.headers["accept-encoding"] == "identity"


def test_sixteen_photos_are_sent_in_order(tmp_path: Any) -> None:
    """An edit takes up to sixteen reference photos; a seventeenth is a problem."""
    files = {}
    for number in range(17):
        path = str(tmp_path / f"{number}.png")
        os.rename(photo(tmp_path, 64 + number, 64), path)
        files[f"photo_{number}"] = path
    with CASE.start() as fake:
        sixteen = replace(text(n=1), files=dict(list(files.items())[:16]))
        run(CASE.adapter(fake).submit(sixteen, "cb-1"))
        body = fake.log[0].asked.body
        places = [body.index(pathlib.Path(path).read_bytes()) for path in sixteen.files.values()]
        assert places == sorted(places)
        assert fake.log[0].asked.path == "/v1/images/edits"
        assert "at most 16 pictures, here are 17" in CASE.adapter(fake).problems(replace(text(), files=files))[0]


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [
        (1080, 1920, "1088x1920"), (1080, 1350, "1088x1360"), (1080, 1080, "1088x1088"), (1920, 1080, "1920x1088"),
        (540, 960, "608x1088"), (2160, 3840, "2160x3840"), (4000, 4000, "2880x2880"), (1000, 3000, "1008x3008"),
    ],
)  # fmt: skip
def test_sizes_obey_the_rules(width: int, height: int, size: str) -> None:
    """Both sides a multiple of 16, at least as large as wanted, within the span of pixels; the fake takes each."""
    with CASE.start() as fake:
        request = text(width=width, height=height)
        run(CASE.adapter(fake).submit(request, "cb-1"))
        assert fake.log[0].asked.json()["size"] == size
        assert fake.log[0].reply.status == 200


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": "gpt-image-1"}, "ended on 2026-10-23; its successor is gpt-image-2.5-flare"), ({"n": 11}, "1 to 10 at once"),
        ({"model": "dall-e-3"}, "ended on 2026-05-12"), ({"quality": "max"}, "knows no quality 'max'; it knows low, medium, high"),
        ({"format": "gif"}, "knows no format 'gif'"), ({"background": "red"}, "knows no background 'red'"),
        ({"background": "transparent", "format": "jpeg"}, "no transparent background"), ({"seed": 1}, "takes no seed"),
        ({"width": 400, "height": 2000}, "makes no 9:16 frame; it makes frames up to 3:1"), ({"prompt": ""}, "needs a prompt"),
        ({"negative": "text"}, "no negative prompt"), ({"prompt": "x" * 32001}, "at most 32,000 characters"),
        ({"model": "whisper-1"}, "makes words, not image"),
    ],
)  # fmt: skip
def test_problems_are_named(changes: dict[str, Any], words: str) -> None:
    """What the model can't do, in a sentence."""
    (problem,) = given("generate_ok")[0].problems(text(**changes))
    assert words in problem


def test_a_model_that_will_end_is_noted_before_and_refused_after() -> None:
    """gpt-image-1.5 until its last day, and from it on."""
    request = text(model="gpt-image-1.5", aspect="2:3", width=1024, height=1536)
    for day, problems, notes in ((date(2026, 11, 30), 0, 1), (date(2026, 12, 1), 1, 0)):
        maker = openai.make(Config(key=lambda: "k", download=download, today=lambda day=day: day))
        assert (len(maker.problems(request)), len(maker.notes(request))) == (problems, notes)


@pytest.mark.parametrize(
    ("changes", "least", "most"),
    [
        ({"quality": "medium"}, "0.040", "0.07"), ({"quality": "high", "n": 4}, "0.63", "1.0"),
        ({"model": "gpt-image-2.5-flare", "quality": "medium"}, "0.010", "0.02"), ({"quality": "auto"}, "0.005", "0.25"),
        ({"width": 1080, "height": 1080, "quality": "high"}, "0.16", "0.24"),
    ],
)  # fmt: skip
def test_prices_come_from_the_sizes_beside(changes: dict[str, Any], least: str, most: str) -> None:
    """Least and most of the published sizes just below and above; tiers mean other things at other models."""
    price = given("generate_ok")[0].price(text(**{"width": 1080, "height": 1920, **changes}))
    assert price is not None
    assert Decimal(least) <= price.least < price.most <= Decimal(most)


def test_photos_cost_too(tmp_path: Any) -> None:
    """Each reference photo adds its tokens; the real cost of an edit lies within."""
    plain, two = text(), replace(text(), files={"photo_0": photo(tmp_path), "photo_1": photo(tmp_path, 64, 64)})
    maker, _ = given("edit_ok")
    prices = [maker.price(request) for request in (plain, two)]
    assert prices[0] is not None
    assert prices[1] is not None
    assert prices[1].most - prices[0].most > Decimal("0.1")
    accepted = run(maker.submit(two, "cb-1"))
    assert accepted.cost == Decimal("0.05268")


def test_a_lost_answer_is_lost() -> None:
    """OpenAI keeps nothing: there is no job to ask for and none to find."""
    maker, _ = given("generate_ok")
    assert run(maker.status("req_1")).state is State.LOST
    assert run(maker.find("cb-1")) is None
    with pytest.raises(PollError):
        run(maker.fetch("req_1", "/nonexistent"))


def test_spoken_words_have_times(tmp_path: Any) -> None:
    """Words with start and end in seconds, priced by the minute, through the same one submit."""
    path = tmp_path / "voice.wav"
    path.write_bytes(b"RIFF0000WAVE")
    request = Request("words", {"model": "whisper-1", "language": "en", "seconds": 2.4}, {"audio": str(path)})
    with CASE.start() as fake:
        maker = CASE.adapter(fake)
        assert list(maker.problems(request)) == []
        accepted, files = run(bought(maker, request, tmp_path))
        told = json.loads(files["words"])
        assert told["words"][0] == {"word": "Meet", "start": 0.0, "end": 0.28}
        assert (told["text"], told["language"]) == ("Meet the little lamp.", "english")
        price = maker.price(request)
        assert price is not None
        assert accepted.cost is not None
        assert price.least <= accepted.cost <= price.most
        assert accepted.cost == fake.ledger.total == Decimal("0.0003")


@pytest.mark.parametrize("name", ["transcription_json_tokens", "generate_ok"])
def test_a_transcript_without_times_is_unknown(name: str, tmp_path: Any) -> None:
    """It may have been charged, and it is not what was asked for."""
    path = tmp_path / "voice.wav"
    path.write_bytes(b"RIFF0000WAVE")
    with pytest.raises(SubmitError) as raised:
        run(given(name)[0].submit(Request("words", {"model": "whisper-1", "seconds": 3}, {"audio": str(path)}), "cb-1"))
    assert raised.value.outcome is Outcome.UNKNOWN


def test_a_missing_file_is_refused_before_anything_is_sent(tmp_path: Any) -> None:
    """The picture was there when it was planned and is gone now."""
    maker, transport = given("edit_ok")
    with pytest.raises(SubmitError) as raised:
        run(maker.submit(replace(text(), files={"photo_0": str(tmp_path / "gone.png")}), "cb-1"))
    assert (raised.value.outcome, transport.asked) == (Outcome.REFUSED, [])


def test_hostile_answers_are_unknown() -> None:
    """A picture that is no base64, data of odd kinds, a body that is none: paid perhaps, never a crash."""
    bodies: list[Any] = [{"data": [{"b64_json": "***"}]}, {"data": 3}, {"data": [3]}, {"data": [{}]}, [], None, "x", {"data": None}]
    for body in bodies:
        transport = Given([replace(FIXTURES["generate_ok"], body=body)])
        maker = openai.make(Config(key=lambda: "k", download=download, today=lambda: DAY, transport=lambda t=transport: t))
        with pytest.raises(SubmitError) as raised:
            run(maker.submit(text(), "cb-1"))
        assert (raised.value.outcome, len(transport.asked)) == (Outcome.UNKNOWN, 1)
    assert openai.charged({"output_tokens": "many"}, maker._models["gpt-image-2"]) is None
    assert Accepted("x").files is None


def test_the_adapters_weigh_nothing_until_they_are_used() -> None:
    """Judging and pricing load neither httpx, nor asyncio, nor the SDK: plan and check stay quick."""
    code = (
        "import sys\nfrom clipbuild.providers import google, kling, openai, runway\n"
        "from clipbuild.providers.config import Config\nfrom clipbuild.providers.contract import Request\n"
        "config = Config(key=str, download=None)\n"
        "for kind in (google, kling, openai, runway):\n    kind.make(config).price(Request('image', {'model': 'gpt-image-2'}))\n"
        "print([name for name in ('httpx', 'openai', 'PIL', 'asyncio') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ})
    assert done.stdout.strip() == "[]"
