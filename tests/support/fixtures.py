"""Answers of providers from the folder of fixtures, and a transport that gives one to whoever asks."""

import glob
import json
import os
from collections.abc import Callable
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
        if isinstance(self.body, str):
            return httpx.Response(self.status, headers=self.headers, content=self.body)
        content = b"" if self.body is None else json.dumps(self.body).encode()
        return httpx.Response(self.status, headers=self.headers, content=content)


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


def giving(*fixtures: Fixture) -> Callable[[], httpx.AsyncBaseTransport]:
    """A transport factory that answers with these in turn, the last one for ever."""
    left = list(fixtures)

    def answer(request: httpx.Request) -> httpx.Response:
        return (left.pop(0) if len(left) > 1 else left[0]).response()

    transport = httpx.MockTransport(answer)
    return lambda: transport
