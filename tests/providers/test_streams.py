"""OpenAI's pictures as streams: the request's name before the picture, unfinished pictures where they are wanted, and no
way of breaking off that costs twice or is taken for a refusal."""

import base64
import pathlib
from dataclasses import replace
from decimal import Decimal
from typing import Any

import openai as sdks
import pytest

from clipbuild.events import ActionProgressed
from clipbuild.providers import openai, openai_batch
from clipbuild.providers.contract import Outcome, Request, Sign, SubmitError
from clipbuild.providers.records import Step
from tests.fakes import media
from tests.fakes.openai import OpenAI
from tests.support.adapters import CASES, IMAGE, run
from tests.support.counter import Counter
from tests.support.openapi import Document

CASE = CASES[0]


def text(**changes: Any) -> Request:
    return Request("image", {"model": "gpt-image-2", **IMAGE, "n": 1, **changes})


def asked(fake: Any, request: Request, **config: Any) -> tuple[Any, list[Sign]]:
    """What a submit gives or raises, and the signs of life before it."""
    signs: list[Sign] = []

    async def on_sign(sign: Sign) -> None:
        signs.append(sign)

    adapter: Any = CASE.adapter(fake, **config)
    try:
        return run(adapter.submit(request, "cb-1", on_sign)), signs
    except SubmitError as error:
        return error, signs


def test_the_sdk_reads_the_streams_of_the_fake() -> None:
    """With the official SDK as its users use it: unfinished pictures, then the whole with its usage, words and edits."""
    photo = ("a.png", media.picture(media.Shape(64, 64), form="png"))
    with OpenAI(small=True) as fake, sdks.OpenAI(api_key=fake.key, base_url=fake.url, max_retries=0) as sdk:
        made = list(sdk.images.generate(model="gpt-image-2", prompt="a lamp", stream=True, partial_images=2, quality="low"))
        assert [event.type for event in made] == ["image_generation.partial_image"] * 2 + ["image_generation.completed"]
        assert [event.partial_image_index for event in made[:2]] == [0, 1]  # type: ignore[union-attr]
        last: Any = made[-1]
        assert base64.b64decode(last.b64_json).startswith(b"\x89PNG")
        assert last.usage.output_tokens == 196 + 2 * 100
        edited = list(sdk.images.edit(model="gpt-image-2", prompt="a lamp", image=photo, stream=True))
        assert [event.type for event in edited] == ["image_edit.completed"]
        for fields in ({"partial_images": 1}, {"stream": True, "n": 2}, {"stream": True, "partial_images": 4}):
            with pytest.raises(sdks.BadRequestError):
                sdk.images.generate(model="gpt-image-2", prompt="a lamp", **fields)  # type: ignore[call-overload]


def test_events_obey_the_document(tmp_path: pathlib.Path) -> None:
    """Each event of a stream is one that the provider's document knows, sizes and tiers of newer models apart."""
    paper = Document("openai-images-audio.prism", "/v1")
    with CASE.start() as fake:
        for request in (text(), CASE.request(tmp_path)):
            asked(fake, request, partials=2)
        for exchange in fake.log:
            assert paper.wrong_request(exchange) + paper.wrong_events(exchange) == []
    assert paper.checked >= 6


def test_one_picture_is_a_stream_and_several_are_not(tmp_path: pathlib.Path) -> None:
    """What is sent; and the name of the request is told before the picture, progress with the unfinished ones."""
    with CASE.start() as fake:
        accepted, signs = asked(fake, text(), partials=3)
        assert [(sign.job == accepted.job, round(sign.done, 2)) for sign in signs] == [
            (True, 0.0), (False, 0.25), (False, 0.5), (False, 0.75),
        ]  # fmt: skip
        assert signs[2].note == "unfinished picture 2 of 3"
        assert accepted.cost == fake.ledger.total
        assert {"stream": True, "partial_images": 3}.items() <= fake.log[0].asked.json().items()
        plain, _ = asked(fake, text())
        assert plain.cost + 300 * Decimal("0.00003") == accepted.cost
        assert fake.log[1].asked.json()["partial_images"] == 0
        two, _ = asked(fake, text(n=2), partials=3)
        assert len(two.files) == 2
        assert "stream" not in fake.log[2].asked.json()


def test_unfinished_pictures_are_in_the_price() -> None:
    """At most three times what they were seen to cost; not in a batch, which does not stream, nor for several at once."""
    with CASE.start() as fake:
        prices = [CASE.adapter(fake, partials=number).price(text()) for number in (0, 3)]
        assert prices[0] is not None
        assert prices[1] is not None
        assert prices[1].least == prices[0].least
        assert prices[1].most - prices[0].most == 3 * 300 * Decimal("0.00003") * openai.SAFETY
        config = CASE.adapter(fake, partials=3)._config  # type: ignore[attr-defined]
        batch = openai_batch.make(config).price(text())
        assert batch is not None
        assert batch.most == prices[0].most / 2
        several = [openai.make(replace(config, partials=number)).price(text(n=2)) for number in (0, 3)]
        assert several[0] == several[1]


@pytest.mark.parametrize("word", ["stream_cut", "stream_cut:1", "stream_error", "ok_truncated", "ok_bad_json", "stream_hang:1"])
def test_a_stream_that_breaks_off_is_unknown(word: str) -> None:
    """Cut after its head or between its events, an error in it, a half event: it may be charged, one request was sent."""
    with CASE.start() as fake:
        fake.script(submit=[word])
        error, signs = asked(fake, text(), partials=2, patience=0.5)
        assert error.outcome is Outcome.UNKNOWN
        assert signs[0].job == ("" if word == "ok_bad_json" else next(iter(fake.jobs)))
        assert fake.submits == 1


def test_moderation_within_a_stream_is_a_refusal() -> None:
    """Final, with the provider's words."""
    with CASE.start() as fake:
        fake.script(submit=["stream_moderation"])
        error, _ = asked(fake, text())
        assert (error.outcome, error.code) == (Outcome.REFUSED, "moderation_blocked")


def test_what_comes_after_the_picture_is_not_waited_for() -> None:
    """The whole picture came and the connection is cut then: bought."""
    with CASE.start() as fake:
        fake.script(submit=["stream_hang:1"])
        accepted, _ = asked(fake, text(), patience=5.0)
        assert accepted.cost == fake.ledger.total


def test_a_gateway_that_does_not_stream_is_understood() -> None:
    """A whole answer comes where a stream was asked for: it is the picture all the same."""
    with CASE.start() as fake:
        fake.stream = False  # type: ignore[attr-defined]
        accepted, signs = asked(fake, text())
        assert accepted.files["image_0"].startswith(b"\x89PNG")
        assert signs[0].job == accepted.job


def test_a_broken_stream_is_held_under_its_name(tmp_path: pathlib.Path) -> None:
    """Cut in the middle: held as before, and now a person knows which request to look for; nothing is sent again."""
    with CASE.start() as fake:
        fake.script(submit=["stream_cut:1", "ok"])
        said: list[tuple[float, str]] = []

        def emit(kind: Any, **facts: Any) -> None:
            if kind is ActionProgressed:
                said.append((facts["done"], facts["note"]))

        counter = Counter(CASE, fake, str(tmp_path), emit=emit, settings={"partials": 2})
        order = counter.order()
        result = counter.run(order)[0]
        job = counter.job(order.key)
        assert job is not None
        assert (job.state, job.job) == (Step.HELD, next(iter(fake.jobs)))
        assert job.job in str(result)
        assert said == [(0.0, "openai: draws"), (pytest.approx(1 / 3), "openai: unfinished picture 1 of 2")]
        assert (counter.status(order), fake.submits) == ("ambiguous", 1)
