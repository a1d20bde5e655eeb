"""The guarded downloader against every hostile address and every hostile answer."""

import asyncio
import json
import os
import pathlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from clipbuild.providers import container
from clipbuild.providers.contract import PollError
from clipbuild.providers.download import Bounds, Downloader, is_public
from tests.fakes import media
from tests.support.answers import ANSWERS, serve

DATA = pathlib.Path(__file__).parent.parent / "hostile" / "data"
URLS = [json.loads(line) for line in (DATA / "urls" / "ssrf.jsonl").read_text().splitlines()]
PUBLIC = "93.184.216.34"
BOUNDS = Bounds(image=1 << 20, video=64 << 10, headers=0.5, idle=0.2, whole=1.0)


class Whole(httpx.AsyncByteStream):
    """A body that has not been read yet."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.data


class Chain(httpx.AsyncBaseTransport):
    """Answers each address of a chain with a redirect to the next, the last with a picture; notes where it was asked."""

    def __init__(self, chain: list[str], picture: bytes) -> None:
        self.chain, self.picture = chain, picture
        self.asked: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        place = len(self.asked)
        if place < len(self.chain):
            return httpx.Response(302, headers={"Location": self.chain[place]}, request=request)
        return httpx.Response(200, stream=Whole(self.picture), request=request)


class Names:
    """Name resolution by script: one answer a call, the last one for ever."""

    def __init__(self, table: dict[str, list[list[str]]]) -> None:
        self.table, self.calls = table, 0

    async def __call__(self, host: str, port: int) -> list[str]:
        answers = self.table.get(host)
        if not answers:
            raise OSError("no such name")
        self.calls += 1
        return answers[min(self.calls, len(answers)) - 1]


@pytest.mark.parametrize("row", URLS, ids=lambda row: row["id"])
def test_address(row: dict[str, Any], tmp_path: pathlib.Path) -> None:
    """Refused or fetched as listed, and never is anything asked of an address that is not public."""
    chain, dest = Chain(row["chain"], media.picture(media.Shape(8, 8))), tmp_path / "x.png"
    load = Downloader(bounds=BOUNDS, resolve=Names(row["dns"]), transport=lambda: chain)
    try:
        asyncio.run(load(row["chain"][0], str(dest), kind="image", headers={"Authorization": "Bearer secret"}))
        fetched = True
    except PollError:
        fetched = False
    assert all(is_public(request.url.host) for request in chain.asked)
    assert all(request.url.scheme == "https" for request in chain.asked)
    assert fetched == dest.exists()
    if row["id"] == "rebind":
        assert {request.url.host for request in chain.asked} <= {PUBLIC}, "only the address that was checked"
    elif row["expect"] != "either":
        assert fetched == row["expect"].startswith("allow")
    assert os.listdir(tmp_path) == (["x.png"] if fetched else [])


def test_a_key_goes_to_the_first_host_only(tmp_path: pathlib.Path) -> None:
    """A redirect to another host is followed without the key; the name asked for is the host's, not the address."""
    chain = Chain(["https://one.test/a", "https://two.test/b"], media.picture(media.Shape(8, 8)))
    names = Names({"one.test": [[PUBLIC]], "two.test": [["93.184.216.35"]]})
    names.table["two.test"] *= 3
    load = Downloader(bounds=BOUNDS, resolve=names, transport=lambda: chain)
    asyncio.run(load("https://one.test/a", str(tmp_path / "x"), kind="image", headers={"Authorization": "Bearer secret"}))
    first, second = chain.asked
    assert first.headers["authorization"] == "Bearer secret"
    assert "authorization" not in second.headers
    assert (first.headers["host"], second.headers["host"]) == ("one.test", "two.test")
    assert (first.url.host, first.extensions["sni_hostname"]) == (PUBLIC, "one.test")


@pytest.mark.parametrize(
    ("address", "public"),
    [("8.8.8.8", True), ("2606:4700::1", True), ("::ffff:8.8.8.8", True), ("64:ff9b::7f00:1", False), ("2002:7f00:1::", False),
     ("fe80::1%eth0", False), ("224.0.0.1", False), ("198.18.0.1", False), ("nonsense", False)],
)  # fmt: skip
def test_what_counts_as_public(address: str, public: bool) -> None:
    """Whichever way an inner address is written."""
    assert is_public(address) is public


def test_an_origin_on_this_machine_counts_only_when_configured(tmp_path: pathlib.Path) -> None:
    """The fake's own origin is fetched from, its neighbour on another port is not."""
    chain = Chain(["http://127.0.0.1:4010/x"], media.picture(media.Shape(8, 8)))
    load = Downloader(frozenset((("http", "127.0.0.1", 4010),)), BOUNDS, transport=lambda: chain)
    asyncio.run(load("http://127.0.0.1:4010/x", str(tmp_path / "x"), kind="image", headers={}))
    with pytest.raises(PollError):
        asyncio.run(load("http://127.0.0.1:4011/x", str(tmp_path / "y"), kind="image", headers={}))


# --- answers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ANSWERS, ids=lambda row: row["id"])
def test_answer(row: dict[str, Any], tmp_path: pathlib.Path) -> None:
    """Only a whole clip gets its name; everything else is told by what it was, within bounds of time and disk."""
    clip = media.clip(media.Shape(32, 32, 1))

    async def work() -> None:
        server = await serve(row, clip)
        port = server.sockets[0].getsockname()[1]
        load = Downloader(frozenset((("http", "127.0.0.1", port),)), BOUNDS)
        try:
            await load(f"http://127.0.0.1:{port}/x.mp4", str(tmp_path / "x.mp4"), kind="video", headers={})
        finally:
            server.close()

    if row["id"] in ("ok", "200-on-range", "changed", "ct-png"):
        asyncio.run(asyncio.wait_for(work(), 10))
        assert (tmp_path / "x.mp4").read_bytes() == clip
        return
    with pytest.raises(PollError) as raised:
        asyncio.run(asyncio.wait_for(work(), 10))
    assert os.listdir(tmp_path) == []
    if row["status"] >= 400:
        assert raised.value.code == str(row["status"])
    if row["status"] in (429, 503):
        told = {"429-ra": 2.0, "503": 1.0, "429-huge": 31536000.0}
        assert raised.value.retry_after == told.get(row["id"])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "MP4"])
def test_a_part_of_a_file_is_not_whole(kind: str, tmp_path: pathlib.Path) -> None:
    """Every proper prefix is refused, the whole file is told by its content."""
    data = media.clip(media.Shape(32, 32, 1)) if kind == "MP4" else media.picture(media.Shape(16, 16), form=kind.lower())
    path = tmp_path / "x"
    path.write_bytes(data)
    assert container.format_of(str(path)) == kind
    for cut in range(0, len(data) - 2, max(1, len(data) // 200)):
        path.write_bytes(data[:cut])
        assert container.format_of(str(path)) == "", cut
