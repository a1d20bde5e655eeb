"""Who may ask: every request passes here first. Own names only, own pages only, small and with the session's cookie.

Another page in the same browser, a name bound to this address, another user of this machine: all stop here. Knows
nothing of clips.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from clipbuild.gallery.keys import Keys, same

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

HEADER_LIMIT, BODY_LIMIT = 16 << 10, 64 << 10
ENTRANCE = "/enter"
PAGE_HEADER = "x-clipbuild-page"
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})\Z", re.ASCII)

COMMON = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox",
}
"""On every answer; a page brings its own policy in place of this one, which allows nothing."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that goes no further."""

    status: int
    text: str


class Guard:
    """Wraps the application. `port` is the one served on; `keys` the session's secrets."""

    def __init__(self, app: App, port: int, keys: Keys) -> None:
        self.app, self.port, self.keys = app, port, keys
        self.hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        if port == 80:  # browsers leave it out
            self.hosts |= {"127.0.0.1", "localhost"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # no other kind is spoken here; the server then closes it
        refusal = self.refusal(scope)
        if refusal is not None:
            await _answer(refusal, send)
            return
        await self.app(scope, _limited(receive), _marked(send))

    def refusal(self, scope: Scope) -> Refusal | None:
        """Why this request goes no further, if so."""
        headers = _headers(scope)
        if headers is None or "host" not in headers:
            return Refusal(400, "a header is there twice, or the host's name is missing")
        return _too_large(scope, headers) or self._stranger(scope, headers) or self._unknown(scope, headers)

    def _stranger(self, scope: Scope, headers: Mapping[str, str]) -> Refusal | None:
        """Asked under another name, by another page, or in another way than our pages do."""
        if headers["host"] not in self.hosts:
            return Refusal(403, "this host's name is not served")
        if headers.get("origin", own := f"http://{headers['host']}") != own:
            return Refusal(403, "another origin's page may not ask")
        if scope["method"] not in ("GET", "HEAD", "POST"):
            return Refusal(405, "GET and POST only")
        if scope["method"] == "POST" and (wrong := self._wrong_write(headers)):
            return Refusal(403, wrong)
        return None

    def _unknown(self, scope: Scope, headers: Mapping[str, str]) -> Refusal | None:
        """Without the session, or with a page of an earlier one."""
        if scope["path"] == ENTRANCE and scope["method"] == "GET":
            return None
        if not self.keys.holds(cookie(headers, self.port)):
            return Refusal(401, "Open the address that `clipbuild review` printed; it works once. Start it again for another.")
        if scope["method"] == "POST" and not same(headers.get(PAGE_HEADER, ""), self.keys.page):
            return Refusal(403, "this page is of an earlier start: load it again")
        return None

    def _wrong_write(self, headers: Mapping[str, str]) -> str:
        if "origin" not in headers or headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return "writes come from this server's own pages only"
        if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return "writes are JSON"
        return ""


def _too_large(scope: Scope, headers: Mapping[str, str]) -> Refusal | None:
    if sum(len(name) + len(value) for name, value in scope["headers"]) > HEADER_LIMIT:
        return Refusal(431, "the headers are too large")
    length = headers.get("content-length", "0")
    if not length.isdecimal() or len(length) > 9 or int(length) > BODY_LIMIT:
        return Refusal(413, "the body is too large")
    return None


def span(header: str, size: int) -> tuple[int, int] | None:
    """First and last byte of a Range header; None for one that can't be served. A single range only."""
    found = _RANGE.match(header)
    if not found or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if first == "":
        start, end = max(0, size - int(last)), size - 1
    else:
        start, end = int(first), min(int(last), size - 1) if last else size - 1
    return (start, end) if start <= end and start < size else None


def cookie_name(port: int) -> str:
    """Browsers send cookies to every port of a host: each server needs a name of its own."""
    return f"clipbuild-{port}"


def cookie(headers: Mapping[str, str], port: int) -> str:
    """The session's cookie of a request, "" without one."""
    for part in headers.get("cookie", "").split(";"):
        name, _, value = part.strip().partition("=")
        if name == cookie_name(port):
            return value
    return ""


def _headers(scope: Scope) -> dict[str, str] | None:
    """Headers by lower-case name; None where one that decides is there twice."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key = name.decode("latin-1").lower()
        if key in found and key in ("host", "origin", "cookie", "content-length", "content-type", PAGE_HEADER):
            return None
        found[key] = value.decode("latin-1")
    return found


def _limited(receive: Receive) -> Receive:
    """A body without a length is cut off too."""
    seen = 0

    async def next_message() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > BODY_LIMIT:
            return {"type": "http.disconnect"}
        return message

    return next_message


def _marked(send: Send) -> Send:
    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start":
            there = {name.lower() for name, _ in message["headers"]}
            missing = {name: value for name, value in COMMON.items() if name.encode() not in there}
            message["headers"] = [*message["headers"], *_encoded(missing)]
        await send(message)

    return marked


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


async def _answer(refusal: Refusal, send: Send) -> None:
    body = f"{refusal.text}\n".encode()
    headers = {**COMMON, "content-type": "text/plain; charset=utf-8", "content-length": str(len(body)),
               "connection": "close", "cache-control": "no-store"}  # fmt: skip
    await send({"type": "http.response.start", "status": refusal.status, "headers": _encoded(headers)})
    await send({"type": "http.response.body", "body": body})
