"""Answers of providers from the folder of fixtures, and a transport that gives one to whoever asks."""

import glob
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

FOLDER = os.path.join(os.path.dirname(os.path.dirname(__file__)), "providers", "fixtures")


@dataclass(frozen=True)
class Fixture:
    """One recorded or composed answer."""

    name: str
    status: int
    headers: dict[str, str]
    body: Any
    method: str
    path: str

    def response(self) -> httpx.Response:
        """As httpx gives it to an adapter."""
        content = b"" if self.body is None else json.dumps(self.body).encode()
        if isinstance(self.body, str):
            content = self.body.encode()
        return httpx.Response(self.status, headers=self.headers, stream=httpx.ByteStream(content))


def all_of(provider: str) -> dict[str, Fixture]:
    """A provider's fixtures by name."""
    found = {}
    for path in sorted(glob.glob(os.path.join(FOLDER, provider, "*.json"))):
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
        name = os.path.basename(path).removesuffix(".json")
        asked = data["request"]
        found[name] = Fixture(name, data["status"], data["headers"], data["body"], asked["method"], asked["path"])
    return found


class Given(httpx.AsyncBaseTransport):
    """Answers with fixtures in turn, the last one for ever; keeps what was asked."""

    def __init__(self, fixtures: Sequence[Fixture]) -> None:
        self.left, self.asked = list(fixtures), list[httpx.Request]()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.asked.append(request)
        return (self.left.pop(0) if len(self.left) > 1 else self.left[0]).response()


def giving(*fixtures: Fixture) -> Callable[[], httpx.AsyncBaseTransport]:
    """A transport factory for a configuration."""
    transport = Given(fixtures)
    return lambda: transport
