"""The label a finished file carries inside: an XMP packet that says how it came to be, in a JPEG or an MP4.

The same label gives the same bytes. In a JPEG it is an APP1 segment (XMP part 3, 1.1.3), in an MP4 a `uuid` box at the
end (part 3, 2.1): nothing that is there moves, so the index stays in front. Knows nothing of clips or of who made what.
"""

import os
import struct
from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr

from clipbuild.errors import MediaError, shown

XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_APP1 = b"http://ns.adobe.com/xap/1.0/\0"
_HEAD = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
_TAIL = '<?xpacket end="r"?>'
_SPACES = {
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
}
_ATOMS = {"DigitalSourceType": "Iptc4xmpExt", "CreatorTool": "xmp"}
LONGEST = 60_000
"""Bytes of a packet: an APP1 segment holds no more than 65,502."""


def packet(label: Mapping[str, str]) -> bytes:
    """The XMP packet of a label: DigitalSourceType (an IPTC address) and CreatorTool. Raises ValueError."""
    spaces = "".join(f" xmlns:{name}={quoteattr(address)}" for name, address in sorted(_SPACES.items()))
    for name in label:
        if name not in _ATOMS:
            raise ValueError(f"no place for {name!r} in a label")
    said = "".join(f"<{_ATOMS[name]}:{name}>{escape(label[name])}</{_ATOMS[name]}:{name}>" for name in sorted(label))
    rdf = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
    body = f'<rdf:RDF {rdf}><rdf:Description rdf:about=""{spaces}>{said}</rdf:Description></rdf:RDF>'
    data = f'{_HEAD}<x:xmpmeta xmlns:x="adobe:ns:meta/">{body}</x:xmpmeta>{_TAIL}'.encode()
    if len(data) > LONGEST:
        raise ValueError("the label is too long")
    return data


def put(path: str, label: Mapping[str, str]) -> None:
    """Write the label into the JPEG or MP4 at `path`, in place of an earlier one. Raises MediaError, OSError."""
    with open(path, "rb") as file:
        head = file.read(12)
    if head[:2] == b"\xff\xd8":
        with open(path, "rb") as file:
            data = _jpeg(file.read(), packet(label), path)
        with open(path, "wb") as file:
            file.write(data)
    elif head[4:8] == b"ftyp":
        _mp4(path, packet(label))
    else:
        raise MediaError(f"{shown(os.path.basename(path))}: neither a JPEG nor an MP4")


def read(path: str) -> bytes:
    """The XMP packet inside a JPEG or an MP4, b"" where there is none. Raises MediaError, OSError."""
    with open(path, "rb") as file:
        if file.read(2) == b"\xff\xd8":
            file.seek(0)
            data = file.read()
            found = [body for marker, _, _, body in _segments(data, path) if marker == 0xE1 and body.startswith(_APP1)]
            return found[0][len(_APP1) :] if found else b""
    for kind, start, end in _boxes(path):
        if kind == b"uuid":
            with open(path, "rb") as file:
                file.seek(start + 8)
                body = file.read(end - start - 8)
            if body.startswith(XMP_UUID):
                return body[16:]
    return b""


def _jpeg(data: bytes, xmp: bytes, path: str) -> bytes:
    """The picture with its packet after the JFIF header, where readers look."""
    place, cut = 2, []
    for marker, start, end, body in _segments(data, path):
        if marker == 0xE0:
            place = end
        if marker == 0xE1 and body.startswith(_APP1):
            cut.append((start, end))
    segment = b"\xff\xe1" + struct.pack(">H", len(_APP1) + len(xmp) + 2) + _APP1 + xmp
    out, at = [data[:place], segment], place
    for start, end in cut:
        out.append(data[at:start])
        at = end
    return b"".join([*out, data[at:]])


def _segments(data: bytes, path: str) -> list[tuple[int, int, int, bytes]]:
    """(marker, start, end, body) of each segment before the picture itself."""
    found, at = [], 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] not in (0xDA, 0xD9):
        (length,) = struct.unpack_from(">H", data, at + 2)
        if length < 2 or at + 2 + length > len(data):
            raise MediaError(f"{shown(os.path.basename(path))}: a damaged JPEG")
        found.append((data[at + 1], at, at + 2 + length, data[at + 4 : at + 2 + length]))
        at += 2 + length
    return found


def _mp4(path: str, xmp: bytes) -> None:
    boxes = _boxes(path)
    size = boxes[-1][2]
    kind, start, end = boxes[-1]
    with open(path, "r+b") as file:
        if kind == b"uuid" and end - start >= 24:
            file.seek(start + 8)
            if file.read(16) == XMP_UUID:
                size = start
        file.seek(size)
        file.truncate()
        file.write(struct.pack(">I", len(xmp) + 24) + b"uuid" + XMP_UUID + xmp)


def _boxes(path: str) -> list[tuple[bytes, int, int]]:
    """(kind, start, end) of each box at the top of an MP4."""
    found: list[tuple[bytes, int, int]] = []
    whole, at = os.path.getsize(path), 0
    with open(path, "rb") as file:
        while at < whole:
            file.seek(at)
            head = file.read(16)
            size = struct.unpack(">I", head[:4])[0] if len(head) >= 8 else 0
            if size == 1 and len(head) == 16:
                (size,) = struct.unpack(">Q", head[8:16])
            elif size == 0 and len(head) >= 8:
                size = whole - at
            if size < 8 or at + size > whole:
                raise MediaError(f"{shown(os.path.basename(path))}: a damaged MP4")
            found.append((head[4:8], at, at + size))
            at += size
    return found
