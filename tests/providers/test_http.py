"""The door to a provider: what an answer is, what a failure means, and that nothing is sent twice or elsewhere."""

import asyncio
import pathlib
from collections.abc import Callable
from decimal import Decimal
from json import dumps
from typing import Any

import httpx
import pytest

from clipbuild.errors import UsageError
from clipbuild.providers import http
from clipbuild.providers.config import Config
from clipbuild.providers.contract import Outcome, PollError, SubmitError
from clipbuild.providers.http import COMMON, Answer, Http, Rule

Handler = Callable[[httpx.Request], httpx.Response]


async def _no_download(url: str, dest: str, **_: Any) -> None:
    raise AssertionError("nothing is downloaded here")


def door(handler: Handler, base: str = "https://api.example") -> Http:
    """A door whose far side is this function."""
    config = Config(key=lambda: "secret", download=_no_download, transport=lambda: httpx.MockTransport(handler))
    return Http(config, base, lambda: {"Authorization": "Bearer secret"})


def reply(status: int, json: Any = None, content: bytes = b"", headers: dict[str, str] | None = None) -> httpx.Response:
    """An answer as it comes from the network: not read yet."""
    data = content if json is None else dumps(json).encode()
    return httpx.Response(status, headers=headers, stream=httpx.ByteStream(data))


def answering(status: int, **parts: Any) -> Handler:
    """A provider that says one thing."""
    return lambda request: reply(status, **parts)


def read(handler: Handler, path: str = "/jobs/1") -> Answer:
    """One read through the door."""
    return asyncio.run(door(handler).read("GET", path))


def submit(handler: Handler) -> Answer:
    """One submit."""
    return asyncio.run(door(handler).submit("/jobs", json={"prompt": "x"}))


def test_an_answer_is_plain_data() -> None:
    """Status, headers in lower case, parsed JSON; money keeps its decimals."""
    found = read(answering(200, headers={"X-Request-Id": "7"}, json={"cost": 1.10, "job": {"id": "a"}}))
    assert found.status == 200
    assert found.headers["x-request-id"] == "7"
    assert found.map("job") == {"id": "a"}
    assert found.map()["cost"] == Decimal("1.1")
    assert found.map("cost") == {}


@pytest.mark.parametrize("content", [b"<html>", b'{"a": 1', b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_no_answer(content: bytes) -> None:
    """HTML, a cut body, bytes, a nest too deep: with 200 it is a failure on the way (W6, W7)."""
    with pytest.raises(PollError, match="cut short or is no JSON"):
        read(answering(200, content=content))


def test_a_coded_answer_counts_as_none() -> None:
    """No content encoding was asked for, so none is unpacked (W5)."""
    with pytest.raises(PollError):
        read(answering(200, headers={"content-encoding": "gzip"}, content=b"\x1f\x8b"))


@pytest.mark.parametrize("status", [429, 500, 502, 503, 599])
def test_a_read_may_be_asked_to_wait(status: int) -> None:
    """429 and 5xx say so, with the provider's own patience."""
    with pytest.raises(PollError) as caught:
        read(answering(status, headers={"retry-after": "12"}))
    assert caught.value.retry_after == 12.0


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422])
def test_other_refusals_are_answers(status: int) -> None:
    """What they mean is the adapter's to say."""
    assert read(answering(status, json={"error": "x"})).status == status


def test_a_read_that_gets_nowhere() -> None:
    """A broken line or a nonsense address is a failure on the way, by its kind."""

    def broken(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("slow")

    with pytest.raises(PollError) as caught:
        read(broken)
    assert caught.value.code == "ReadTimeout"


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (httpx.ConnectError("refused"), Outcome.NOT_SENT), (httpx.ConnectTimeout("x"), Outcome.NOT_SENT),
        (httpx.PoolTimeout("x"), Outcome.NOT_SENT), (httpx.ProxyError("x"), Outcome.NOT_SENT),
        (httpx.ReadTimeout("x"), Outcome.UNKNOWN), (httpx.ReadError("x"), Outcome.UNKNOWN), (httpx.WriteError("x"), Outcome.UNKNOWN),
        (httpx.RemoteProtocolError("x"), Outcome.UNKNOWN), (httpx.WriteTimeout("x"), Outcome.UNKNOWN),
    ],
)  # fmt: skip
def test_what_a_lost_submit_means(error: httpx.HTTPError, outcome: Outcome) -> None:
    """Only what failed before a byte went out was surely not taken; everything else may have been (P2, F20)."""
    sent = []

    def losing(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        raise error

    with pytest.raises(SubmitError) as caught:
        submit(losing)
    assert caught.value.outcome is outcome
    assert len(sent) == 1, "a submit is sent once"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    """Neither a submit nor a read: the key stays with the host it is for (W2, W4)."""
    seen: list[str] = []

    def elsewhere(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return reply(status, {}, headers={"location": "https://evil.example/"})

    assert submit(elsewhere).status == status
    assert read(elsewhere).status == status
    assert seen == ["https://api.example/jobs", "https://api.example/jobs/1"]
    assert http.decide([], status, "", "") is Outcome.LANE_CLOSED


def test_the_key_goes_to_its_own_host_only() -> None:
    """An absolute address gets no key (W4); every request says that it takes no encoding."""
    seen: list[httpx.Request] = []

    def noting(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return reply(200, {})

    read(noting)
    read(noting, "https://results.example/file")
    assert [request.headers.get("authorization") for request in seen] == ["Bearer secret", None]
    assert all(request.headers["accept-encoding"] == "identity" for request in seen)


@pytest.mark.parametrize(
    ("status", "code", "message", "expected"),
    [
        (400, "moderation", "x", Outcome.REFUSED), (400, "other", "Billing LIMIT reached", Outcome.LANE_CLOSED),
        (429, "", "", Outcome.BUSY), (401, "", "", Outcome.LANE_CLOSED), (402, "", "", Outcome.LANE_CLOSED),
        (400, "other", "x", Outcome.UNKNOWN), (500, "", "", Outcome.UNKNOWN), (200, "", "", Outcome.UNKNOWN),
    ],
)  # fmt: skip
def test_rules(status: int, code: str, message: str, expected: Outcome) -> None:
    """The first that holds decides; what no rule speaks of may have been taken."""
    rules = (
        Rule(Outcome.REFUSED, "docs", status=400, codes=frozenset(("moderation",))),
        Rule(Outcome.LANE_CLOSED, "docs", says="billing limit"),
        Rule(Outcome.BUSY, "docs", status=429),
    )
    assert http.decide(rules, status, code, message) is expected


def test_every_common_rule_has_a_source() -> None:
    """A claim about money says where it is from."""
    assert all(rule.source for rule in COMMON)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "5"}, 5.0), ({"retry-after": " 7 "}, 7.0), ({}, None), ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None), ({"retry-after": "٣"}, None), ({"retry-after": "1.5"}, None),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:27:00 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 0.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT"}, None),
    ],
)  # fmt: skip
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    """A number of seconds, or a date counted from the answer's own: no clock of ours decides (F8, F21)."""
    assert http.seconds_of(headers) == seconds


@pytest.mark.parametrize("url", ["https://api.example", "https://api.example/v1/", "http://127.0.0.1:8080", "http://localhost", "http://[::1]:9"])
def test_places_a_key_may_go(url: str) -> None:
    """https anywhere, http only to this machine; a slash at the end is taken off."""
    assert http.checked(url) == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    ["http://api.example", "ftp://api.example", "https://user:pw@api.example", "https://api.example?key=1", "https://api.example#x", "https://",
     "api.example", "http://127.0.0.1.example"],
)  # fmt: skip
def test_places_it_may_not(url: str) -> None:
    """Plain http, a user part, a query: refused, and the query is not shown (K2)."""
    with pytest.raises(UsageError, match="no place to send a key to") as caught:
        http.checked(url)
    assert "key=1" not in str(caught.value)


@pytest.mark.parametrize("key", ["", "  ", "with space", "new\nline", "ümlaut"])
def test_an_unusable_key_sends_nothing(key: str) -> None:
    """It is told before a request is made, and the key itself is not in the words."""
    config = Config(key=lambda: key, download=_no_download)
    with pytest.raises(SubmitError) as caught:
        http.bearer(config, "kling")
    assert caught.value.outcome is Outcome.LANE_CLOSED
    assert "kling" in str(caught.value)
    assert not key.strip() or key not in str(caught.value)


def test_a_picture_that_is_gone_sends_nothing(tmp_path: pathlib.Path) -> None:
    """Refused by name, without its folder."""
    with pytest.raises(SubmitError) as caught:
        http.content(str(tmp_path / "gone.png"))
    assert caught.value.outcome is Outcome.REFUSED
    assert str(tmp_path) not in str(caught.value)


def test_lists_of_objects() -> None:
    """What is no object is passed over, what is no list is none."""
    assert http.maps([{"a": 1}, 2, None, {"b": 3}]) == [{"a": 1}, {"b": 3}]
    assert http.maps("x") == http.maps(None) == http.maps({"a": 1}) == []
