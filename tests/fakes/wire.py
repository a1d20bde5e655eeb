"""HTTP as the fakes speak it: requests read whole, replies written as told, broken off where a fault asks for it.

Knows nothing of providers.
"""

import asyncio
import hashlib
import json
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

LARGEST_BODY = 512 << 20
HANG_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came: header names in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body parsed, or None."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `then`: keep, close, reset (without an answer when `status` is 0) or hang; `length` overrides the claimed one
    (-1 claims none); `wait` seconds before it. `pieces`: a stream, its head at once and `wait` spread over what follows."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    then: str = "keep"
    length: int | None = None
    wait: float = 0.0
    pieces: tuple[bytes, ...] | None = None

    def data(self) -> bytes:
        """The body as bytes: JSON unless it is bytes already."""
        if self.body is None:
            return b"".join(self.pieces or ())
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(frozen=True, slots=True)
class Exchange:
    """What went over the wire, for checks against a provider's document."""

    asked: Asked
    reply: Reply


async def request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Asked | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    if "chunked" in headers.get("transfer-encoding", ""):
        body = await _chunks(reader)
    else:
        body = await reader.readexactly(min(int(headers.get("content-length", "0")), LARGEST_BODY))
    parts = urlsplit(target)
    return Asked(method, parts.path, dict(parse_qsl(parts.query, keep_blank_values=True)), headers, body)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while True:
        size = int((await reader.readline()).split(b";")[0], 16)
        body += await reader.readexactly(size)
        await reader.readexactly(2)
        if not size:
            return body


async def send(writer: asyncio.StreamWriter, reply: Reply) -> bool:
    """Write a reply; whether the connection goes on."""
    if reply.wait and reply.pieces is None:
        await asyncio.sleep(reply.wait)
    if reply.pieces is not None:
        await _stream(writer, reply, reply.pieces)
    elif reply.status:
        data = reply.data()
        headers = {"Content-Type": "application/json", **reply.headers}
        if reply.length != -1:
            headers["Content-Length"] = str(len(data) if reply.length is None else reply.length)
        if reply.then != "keep":
            headers["Connection"] = "close"
        lines = [f"HTTP/1.1 {reply.status} Fake", *(f"{name}: {value}" for name, value in headers.items())]
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + data)
        await writer.drain()
    if reply.then == "hang":
        await asyncio.sleep(HANG_SECONDS)
    if reply.then == "reset":
        raw = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if reply.status:
            await asyncio.sleep(0.05)
        writer.transport.abort()
    return reply.then == "keep"


async def _stream(writer: asyncio.StreamWriter, reply: Reply, pieces: tuple[bytes, ...]) -> None:
    lines = [f"HTTP/1.1 {reply.status} Fake", *(f"{name}: {value}" for name, value in reply.headers.items())]
    writer.write("\r\n".join([*lines, "Transfer-Encoding: chunked", "", ""]).encode("latin-1"))
    await writer.drain()
    for piece in pieces:
        await asyncio.sleep(reply.wait / len(pieces))
        writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        await writer.drain()
    if reply.then == "keep":
        writer.write(b"0\r\n\r\n")
        await writer.drain()


def spoiled_file(word: str, data: bytes, span: str) -> Reply:
    """A download as its word says; ids as in a table of hostile answers."""
    kind, half = {"Content-Type": "video/mp4"}, len(data) // 2
    tag = {**kind, "ETag": f'"{hashlib.sha256(data).hexdigest()[:16]}"', "Accept-Ranges": "bytes"}
    name, _, argument = word.partition(":")
    cases: dict[str, Callable[[], Reply]] = {
        "trunc": lambda: Reply(200, data[:half], kind, "close", len(data)),
        "reset-mid": lambda: Reply(200, data[:half], kind, "reset", len(data)),
        "no-length-trunc": lambda: Reply(200, data[:half], kind, "close", -1),
        "longer": lambda: Reply(200, data, kind, "close", 100),
        "stall": lambda: Reply(200, data[:100], kind, "hang", len(data)),
        "huge-claim": lambda: Reply(200, data[:100], kind, "hang", 1 << 40),
        "html-200": lambda: Reply(200, b"<html>error</html>", {"Content-Type": "text/html"}),
        "html-as-mp4": lambda: Reply(200, b"<html>error</html>", kind),
        "json-200": lambda: Reply(200, {"error": "expired"}),
        "empty-200": lambda: Reply(200, b"", kind),
        "204": lambda: Reply(204),
        "ct-png": lambda: Reply(200, data, {"Content-Type": "image/png"}),
        "302-loop": lambda: Reply(302, b"", {"Location": "/self"}),
        "301-file": lambda: Reply(301, b"", {"Location": "file:///etc/passwd"}),
        "zero_frames": lambda: Reply(200, data[:32], kind),
    }  # fmt: skip
    if name in cases:
        return cases[name]()
    if name[:3].isdigit():
        wait = {"ra": "2", "huge": "31536000", "neg": "-5", "junk": "soon"}.get(name.partition("-")[2], argument)
        return Reply(int(name[:3]), b"x", {"Retry-After": wait} if wait else {})
    if span.startswith("bytes=") and span.endswith("-") and span[6:-1].isdigit() and int(span[6:-1]) < len(data):
        start = int(span[6:-1])
        return Reply(206, data[start:], {**tag, "Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"})
    return Reply(200, data, tag)
