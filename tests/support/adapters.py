"""What tests of adapters share: one case per provider (adapter, fake, a good request), and a plain downloader."""

import asyncio
import os
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, TypeVar

import httpx

from clipbuild.providers import google, kling, kling_legacy, openai, openai_batch, runway
from clipbuild.providers.config import Config
from clipbuild.providers.contract import Accepted, PollError, Provider, Request, State
from tests.fakes import media
from tests.fakes.batches import OpenAIBatch
from tests.fakes.google import Google
from tests.fakes.kling import Kling
from tests.fakes.kling_legacy import KlingLegacy
from tests.fakes.openai import OpenAI
from tests.fakes.runway import Runway
from tests.fakes.server import Fake

T = TypeVar("T")
DAY = date(2026, 11, 24)
VIDEO = {"prompt": "slow push-in on the lamp", "aspect": "9:16", "width": 720, "height": 1280, "seconds": 5, "audio": False}
IMAGE = {"prompt": "a lamp on a shelf", "aspect": "9:16", "width": 720, "height": 1280, "n": 2, "quality": "low"}


@dataclass(frozen=True)
class Case:
    """An adapter with its fake and a request that it can fulfil; `downloads`: results are files elsewhere."""

    name: str
    make: Callable[[Config], Provider]
    fake: type[Fake]
    kind: str
    params: Mapping[str, Any]
    file: str
    downloads: bool = True

    def start(self, **settings: Any) -> Fake:
        """A fake with tiny results."""
        return self.fake(small=True, **settings)

    def request(self, folder: object, **changes: Any) -> Request:
        """The good request, with changes; its picture is written into `folder`."""
        return Request(self.kind, {**self.params, **changes}, {self.file: photo(folder)})

    def adapter(self, fake: Fake, **changes: Any) -> Provider:
        """The adapter, asked to use the fake."""
        config = Config(key=lambda: fake.key, download=download, base_url=fake.url, today=lambda: DAY, patience=5.0)
        return self.make(replace(config, **changes))


CASES = (
    Case("openai", openai.make, OpenAI, "image", {"model": "gpt-image-2", **IMAGE, "n": 1}, "photo_0", False),
    Case("kling", kling.make, Kling, "video", {"model": "kling-3.0", **VIDEO}, "image"),
    Case("runway", runway.make, Runway, "video", {"model": "gen4.5", **VIDEO}, "image"),
    Case("google", google.make, Google, "video", {"model": "gemini-omni-1.2-flash", **VIDEO}, "image"),
    Case("openai-batch", openai_batch.make, OpenAIBatch, "image", {"model": "gpt-image-2.5-flare", **IMAGE}, "photo_0", False),
    Case("kling-legacy", kling_legacy.make, KlingLegacy, "video", {"model": "kling-v3", **VIDEO}, "image"),
)
POLLED = CASES[1:]


def photo(folder: object, width: int = 720, height: int = 1280, form: str = "png") -> str:
    """A picture in a folder."""
    path = os.path.join(str(folder), f"photo-{width}x{height}.{form}")
    with open(path, "wb") as file:
        file.write(media.picture(media.Shape(width, height), form=form))
    return path


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end, at most 30 s."""

    async def limited() -> T:
        return await asyncio.wait_for(work, 30)

    return asyncio.run(limited())


async def download(url: str, dest: str, *, kind: str, headers: Mapping[str, str]) -> None:
    """Just enough of a downloader: whole or PollError."""
    try:
        async with httpx.AsyncClient(timeout=2, verify=False) as client:
            response = await client.get(url, headers=dict(headers))
    except httpx.HTTPError as error:
        raise PollError(type(error).__name__) from error
    if response.status_code != 200 or response.headers["content-type"] != f"{kind}/mp4":
        raise PollError(str(response.status_code))
    with open(dest, "xb") as file:
        file.write(response.content)


async def finished(adapter: Provider, job: str) -> State:
    """Poll until the job is over."""
    for _ in range(100):
        found = await adapter.status(job)
        if found.state not in (State.QUEUED, State.RUNNING):
            return found.state
        await asyncio.sleep(0.01)
    raise AssertionError("the job never ended")


async def bought(adapter: Provider, request: Request, folder: object, token: str = "cb-1") -> tuple[Accepted, dict[str, bytes]]:
    """Submit, wait, fetch: what was accepted, and the results' bytes."""
    accepted = await adapter.submit(request, token)
    if accepted.files is not None:
        return accepted, dict(accepted.files)
    assert await finished(adapter, accepted.job) is State.DONE
    files = {}
    for name, path in (await adapter.fetch(accepted.job, str(folder))).items():
        with open(path, "rb") as file:
            files[name] = file.read()
    return accepted, files


class Refusing(httpx.AsyncBaseTransport):
    """The network as a fake's script wants it: where the next submit is to be `refused`, nobody answers the call."""

    def __init__(self, fake: Fake) -> None:
        self.fake, self.through = fake, httpx.AsyncHTTPTransport(verify=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST" and self.fake.next_submit(peek=True) == "refused":
            self.fake.next_submit()
            raise httpx.ConnectError("refused", request=request)
        return await self.through.handle_async_request(request)
