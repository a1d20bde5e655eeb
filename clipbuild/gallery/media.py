"""Blobs as a browser may have them: by digest, of a few fixed types, in ranges. Never by path, links never followed.

Knows nothing of clips.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass

from clipbuild.gallery.guard import span

CHUNK = 256 << 10
POLICY = "default-src 'none'; sandbox"


@dataclass(frozen=True, slots=True)
class Piece:
    """What to answer: status, headers, and the open file's bytes to send (`fd` -1 for none)."""

    status: int
    headers: dict[str, str]
    fd: int = -1
    start: int = 0
    count: int = 0

    def chunks(self) -> Iterator[bytes]:
        """The bytes; closes the file."""
        try:
            at, left = self.start, self.count
            while left > 0:
                data = os.pread(self.fd, min(CHUNK, left), at)
                if not data:
                    return
                yield data
                at, left = at + len(data), left - len(data)
        finally:
            os.close(self.fd)


def kind(head: bytes) -> str:
    """The media type by the file's first bytes, "" for one that is not shown. SVG and HTML never are."""
    if head[4:8] == b"ftyp":
        return "image/avif" if head[8:12] in (b"avif", b"avis") else "video/mp4"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return "image/gif" if head[:6] in (b"GIF87a", b"GIF89a") else ""


def extension(head: bytes) -> str:
    """How a file of this type is called in a static report."""
    return {"video/mp4": ".mp4", "image/jpeg": ".jpg"}.get(kind(head), "." + (kind(head).partition("/")[2] or "bin"))


def piece(path: str, wanted: str, *, body: bool) -> Piece:
    """The answer to a request for the file at `path`; `wanted` is its Range header."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        size, what = os.fstat(fd).st_size, kind(os.pread(fd, 16, 0))
        if not what:
            os.close(fd)
            return Piece(404, {})
        headers = {"content-type": what, "accept-ranges": "bytes", "content-security-policy": POLICY,
                   "cache-control": "private, max-age=3600, immutable"}  # fmt: skip
        part = span(wanted, size) if wanted else (0, size - 1)
        if part is None:
            os.close(fd)
            return Piece(416, {"content-range": f"bytes */{size}"})
        if wanted:
            headers["content-range"] = f"bytes {part[0]}-{part[1]}/{size}"
        count = part[1] - part[0] + 1
        headers["content-length"] = str(count)
        if not body:
            os.close(fd)
            return Piece(206 if wanted else 200, headers)
        return Piece(206 if wanted else 200, headers, fd, part[0], count)
    except OSError:
        os.close(fd)
        raise
