"""Is a downloaded file whole? Told by its container alone: pictures by their ends, clips by the boxes they are made of.

Decodes nothing. Whether a whole clip is what was asked for is somebody else's question.
"""

import os
import struct
from typing import BinaryIO

FORMATS = {"image": ("PNG", "JPEG", "WEBP"), "video": ("MP4",)}
_BRANDS_AT = 4


def format_of(path: str) -> str:
    """PNG, JPEG, WEBP or MP4 for a whole file of that kind; "" for anything else or a part. Raises OSError."""
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        head = file.read(12)
        if head[:8] == b"\x89PNG\r\n\x1a\n":
            return "PNG" if _tail(file, size, 8)[:4] == b"IEND" else ""
        if head[:3] == b"\xff\xd8\xff":
            return "JPEG" if b"\xff\xd9" in _tail(file, size, 64) else ""
        if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
            return "WEBP" if size >= 8 + struct.unpack("<I", head[4:8])[0] else ""
        return "MP4" if head[_BRANDS_AT:8] == b"ftyp" and _has_boxes(file, size) else ""


def _tail(file: BinaryIO, size: int, count: int) -> bytes:
    file.seek(max(0, size - count))
    return file.read(count)


def _has_boxes(file: BinaryIO, size: int) -> bool:
    """The top boxes fill the file exactly, and the index and the media are among them."""
    at, seen = 0, set()
    while at < size:
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            return False
        length, kind = struct.unpack(">I4s", head[:8])
        if length == 1 and len(head) == 16:
            length = struct.unpack(">Q", head[8:16])[0]
        elif length == 0:
            length = size - at
        if length < 8 or at + length > size:
            return False
        seen.add(kind)
        at += length
    return {b"ftyp", b"moov", b"mdat"} <= seen or {b"ftyp", b"moov", b"moof"} <= seen
