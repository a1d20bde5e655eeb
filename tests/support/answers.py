"""Hostile HTTP answers, each a row of data, and a server on this machine that gives them."""

import asyncio
import gzip
import json
import pathlib
from collections.abc import AsyncIterator
from typing import Any

DATA = pathlib.Path(__file__).parent.parent / "hostile" / "data"
ANSWERS = [json.loads(line) for line in (DATA / "http" / "responses.jsonl").read_text().splitlines()]


async def serve(row: dict[str, Any], clip: bytes) -> asyncio.Server:
    """A server that answers as the row says."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        headers = {**row["headers"]}
        body = content(row["body"], clip)
        if headers.get("Content-Length") == "20000":
            headers["Content-Length"] = str(len(clip))
        lines = [f"HTTP/1.1 {row['status']} X", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        writer.write("\r\n".join(lines).encode())
        chunked = headers.get("Transfer-Encoding") == "chunked"
        try:
            async for part in body:
                writer.write(b"%x\r\n%s\r\n" % (len(part), part) if chunked else part)
                await writer.drain()
                if row["then"].startswith("slow"):
                    await asyncio.sleep(0.15)
            if row["then"] in ("stall", "keep"):
                await asyncio.sleep(5)
            if row["then"] == "reset":
                writer.transport.abort()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    return await asyncio.start_server(answer, "127.0.0.1", 0)


async def content(body: dict[str, Any], clip: bytes) -> AsyncIterator[bytes]:
    """The body, piece by piece: a valid clip or its first half, a flood of zeros, text, nothing."""
    if body["kind"] == "valid":
        whole = clip if body["bytes"] >= 20000 else clip[: len(clip) * body["bytes"] // 20000]
        for at in range(0, len(whole), 100):
            yield whole[at : at + 100]
    elif body["kind"] == "zeros":
        data = bytes(1 << 16)
        for _ in range(min(200, body["bytes"] >> 16)):
            yield gzip.compress(data) if body.get("encoding") else data
    elif body["kind"] == "text":
        yield body["text"].encode()
