"""docs/providers.md tells the truth: its tables are the shipped ones, its example of an adapter works."""

import json
import os
import pathlib
import re
import types
from decimal import Decimal
from typing import Any

import pytest

from clipbuild.providers import models
from clipbuild.providers.config import Config
from clipbuild.providers.contract import Outcome, Provider, Request, SubmitError
from tests.fakes import media
from tests.fakes.server import Fake, Job
from tests.fakes.strict import fields, text, whole
from tests.fakes.wire import Asked, Reply
from tests.support.adapters import VIDEO, bought, download, photo, run

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "providers.md"
PART = re.compile(r"<!-- models -->\n(.*?)<!-- /models -->", re.DOTALL)


def table() -> str:
    """The models that still work, as the page shows them."""
    rows = ["| model | makes | frames | seconds | sound | price |", "| --- | --- | --- | --- | --- | --- |"]
    for provider in ("openai", "kling", "kling-legacy", "runway", "google"):
        for model in models.shipped(provider).values():
            if model.ends is None or model.successor == "":
                rows.append(f"| {' | '.join(row(model))} |")
    gone = [m for p in ("openai", "google") for m in models.shipped(p).values() if m.ends and m.successor]
    rows += ["", "| ended or ending | on | use instead |", "| --- | --- | --- |"]
    rows += [f"| {model.provider}/{model.id} | {model.ends} | {model.successor} |" for model in gone]
    return "\n".join(rows) + "\n"


def row(model: models.Model) -> tuple[str, ...]:
    name = "vertex" if model.takes.get("service") == "vertex" else model.provider
    aspects = "any to 3:1" if model.free else " ".join(model.sizes) or "–"
    lengths = "–"
    if model.seconds:
        lengths = models._span(model.seconds).replace(" to ", "–")
        lengths += "".join(f" ({name}: {models._span(made)})" for name, made in model.seconds_at.items())
    return f"{name}/{model.id}", model.kind, aspects, lengths, model.audio if model.seconds else "–", priced(model)


def priced(model: models.Model) -> str:
    if model.per_minute:
        return f"${model.per_minute} a minute, until {model.ends}"
    if model.per_picture:
        tiers = (f"{quality} ${rows[2][1]}" for quality, rows in model.per_picture.items())
        return ", ".join(tiers) + " at 1920x1080"
    pairs = (f"{name} {shown(pair)}" for name, pair in model.per_second.items())
    return ", ".join(pairs) + " a second" if model.per_second else "not published: not bought"


def shown(pair: tuple[Decimal | None, Decimal | None]) -> str:
    prices = dict.fromkeys(f"${price}" for price in pair if price is not None)
    return " / ".join(prices)


def test_the_page_shows_the_shipped_tables() -> None:
    """CLIPBUILD_REWRITE=1 writes them anew."""
    page = PAGE.read_text(encoding="utf-8")
    wanted = PART.sub(lambda _: f"<!-- models -->\n{table()}<!-- /models -->", page)
    if os.environ.get("CLIPBUILD_REWRITE"):
        PAGE.write_text(wanted, encoding="utf-8")
        page = wanted
    assert page == wanted


FIELDS = fields(
    {"prompt": text(1, 999), "reference": text(1, 99), "picture": text(99, 10**8), "seconds": whole(1, 10)},
    "prompt", "reference", "picture", "seconds",
)  # fmt: skip


class Acme(Fake):
    """The service that the example's adapter is for."""

    name = "acme"

    async def route(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization") != f"Bearer {self.key}":
            return self.error(401)
        if asked.method == "POST" and asked.path == "/clips":
            body = asked.json()
            wrong = FIELDS(body)
            return await self.submitted(asked, wrong, lambda: self._made(body), lambda job: Reply(201, {"id": job.id}))
        if "reference" in asked.query:
            return Reply(200, [{"id": job.id} for job in self.jobs.values() if job.token == asked.query["reference"]])
        job = self.jobs.get(asked.path.rpartition("/")[2])
        if job is None:
            return self.error(404)
        word = {"queued": "waiting", "running": "working", "done": "ready"}[self.polled(job)]
        return Reply(200, {"state": word, "url": self.address(job), "usd": str(job.usd)})

    def error(self, status: int, word: str = "") -> Reply:
        return Reply(status, {"error": word})

    def _made(self, body: dict[str, Any]) -> Job:
        return self.new_job({"prompt": body["prompt"]}, Decimal("0.25"), media.Shape(720, 1280, 5), "acme", body["reference"])


def example() -> types.ModuleType:
    """The page's adapter as a module."""
    code = next(block for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL) if "class Acme" in block)
    module = types.ModuleType("acme_clips")
    exec(compile(code, "acme_clips.py", "exec"), module.__dict__)
    return module


def adapter(fake: Fake) -> Provider:
    made: Provider = example().make(Config(key=lambda: fake.key, download=download, base_url=fake.url))
    return made


def wanted(folder: Any) -> Request:
    """A clip of a picture."""
    return Request("video", {"model": "acme", **VIDEO}, {"image": photo(folder)})


def test_the_example_buys_a_clip(tmp_path: Any) -> None:
    """Submit, poll, fetch, find: the adapter of the page as it stands there."""
    with Acme(small=True) as fake:
        _, files = run(bought(adapter(fake), wanted(tmp_path), tmp_path))
        assert b"ftyp" in files["video"][:12]
        assert run(adapter(fake).find("cb-1")) == fake.ledger.charges[0].job
        assert run(adapter(fake).find("cb-2")) is None
        price = adapter(fake).price(wanted(tmp_path))
        assert price is not None
        assert price.most == fake.ledger.total
        assert "10 s at most" in adapter(fake).problems(Request("video", {**VIDEO, "seconds": 11}))[0]
        assert adapter(fake).problems(Request("image", {})) == ["acme makes clips only"]
        json.dumps(fake.ledger.doubles())


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        ("500", Outcome.UNKNOWN), ("reset_after", Outcome.UNKNOWN), ("429", Outcome.BUSY), ("400", Outcome.REFUSED),
        ("402", Outcome.LANE_CLOSED), ("307", Outcome.UNKNOWN),
    ],
)  # fmt: skip
def test_the_example_tells_failures_apart(word: str, outcome: Outcome, tmp_path: Any) -> None:
    """As every adapter must; one request each."""
    with Acme(small=True) as fake:
        fake.script(submit=[word])
        with pytest.raises(SubmitError) as raised:
            run(adapter(fake).submit(wanted(tmp_path), "cb-1"))
        assert (raised.value.outcome, fake.submits) == (outcome, 1)
