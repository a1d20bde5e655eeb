"""What a picture file says about itself before anything is decoded: format, size, orientation; and its plain form.

Formats are told by content, never by name. The *plain form* holds only what shapes pixels (and the colour profile):
metadata, extra frames, previews and bytes after the end never reach a decoder. Knows nothing of pixels.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

PNG_MAGIC, JPEG_MAGIC = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
PNG_TEXTS = frozenset((b"zTXt", b"iTXt", b"iCCP"))
LARGEST_TEXT = 16 << 20
"""Packed text and profiles of a PNG may come to this much; more is a trap, whoever unpacks it later."""
PNG_KEPT = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"iCCP", b"sRGB"))
JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
JPEG_BARE = frozenset((0x01, *range(0xD0, 0xD8)))
HEIC = ("heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1")
STILLS = {b"avif": "AVIF", b"avis": "AVIF"} | {brand.encode(): "HEIC" for brand in HEIC}
"""Pictures in the container of videos, by brand."""
SWAPPED = frozenset((5, 6, 7, 8))


class DamagedError(ValueError):
    """The bytes are not a whole picture of a format we read; the text says what is wrong with them."""


@dataclass(frozen=True, slots=True)
class Header:
    """Format (PNG, JPEG, WEBP, GIF), size as stored, and EXIF orientation 1–8 (1: as stored)."""

    format: str
    stored: tuple[int, int]
    orientation: int = 1

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as seen."""
        width, height = self.stored
        return (height, width) if self.orientation in SWAPPED else (width, height)


def look(data: bytes | memoryview) -> Header:
    """The header of a picture. Raises DamagedError for anything that is not PNG, JPEG, WebP or GIF."""
    data = memoryview(data)
    start = bytes(data[:12])
    if start.startswith(PNG_MAGIC):
        return _png(data)
    if start.startswith(JPEG_MAGIC):
        return _jpeg(data)
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return _webp(data)
    if start[:6] in (b"GIF87a", b"GIF89a"):
        return _gif(data)
    raise DamagedError("empty file" if not start else f"not a picture we read, but {_likely(start)}")


def plain(data: bytes | memoryview, header: Header) -> bytes:
    """The picture's bytes without anything that shapes no pixel. Raises DamagedError where checksums or lengths are wrong."""
    data = memoryview(data)
    if header.format == "PNG":
        return _png_plain(data)
    if header.format == "JPEG":
        return _jpeg_plain(data)
    if header.format == "GIF":
        _gif_first(data, header.stored)
    elif 8 + struct.unpack_from("<I", data, 4)[0] > len(data) + 1:
        raise DamagedError("cut short")
    return bytes(data)


def _likely(start: bytes) -> str:
    known = {b"%!PS": "PostScript", b"%PDF": "PDF", b"<svg": "SVG", b"<?xm": "XML", b"<!DO": "HTML", b"<htm": "HTML",
             b"II*\0": "TIFF", b"MM\0*": "TIFF", b"8BPS": "Photoshop", b"BM": "BMP"}  # fmt: skip
    for magic, name in known.items():
        if start.startswith(magic):
            return name
    return STILLS.get(start[8:12], "a video") if start[4:8] == b"ftyp" else "something else"


def _chunks(data: memoryview) -> Iterator[tuple[bytes, int, int]]:
    """(type, start of the body, its length) of a PNG's chunks, up to its end."""
    at = 8
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if at + 12 + length > len(data):
            break
        yield kind, at + 8, length
        if kind == b"IEND":
            return
        at += 12 + length
    raise DamagedError("cut short")


def _png(data: memoryview) -> Header:
    if len(data) < 33 or bytes(data[12:16]) != b"IHDR":
        raise DamagedError("cut short")
    orientation = 1
    for kind, at, length in _chunks_until_pixels(data):
        if kind == b"eXIf":
            orientation = _orientation(data[at : at + length])
    return Header("PNG", struct.unpack_from(">II", data, 16), orientation)


def _chunks_until_pixels(data: memoryview) -> Iterator[tuple[bytes, int, int]]:
    try:
        for chunk in _chunks(data):
            if chunk[0] == b"IDAT":
                return
            yield chunk
    except DamagedError:
        return


def _png_plain(data: memoryview) -> bytes:
    out, text = [PNG_MAGIC], 0
    for kind, at, length in _chunks(data):
        if kind in PNG_TEXTS:
            text += _unpacked(data[at : at + length], LARGEST_TEXT - text)
        if kind in PNG_KEPT:
            if zlib.crc32(data[at - 4 : at + length]) != struct.unpack_from(">I", data, at + length)[0]:
                raise DamagedError(f"wrong checksum of its {kind.decode()} part")
            out.append(bytes(data[at - 8 : at + length + 4]))
        elif not kind[0] & 0x20:
            raise DamagedError("a part that no PNG has")
    return b"".join(out)


def _unpacked(body: memoryview, most: int) -> int:
    """The unpacked length of a text or profile part, which is thrown away. Raises DamagedError beyond `most`."""
    name = bytes(body[:80]).find(0)
    for start in (name + 2, name + 5):  # zTXt and iCCP; iTXt without language
        stream = zlib.decompressobj()
        try:
            length = len(stream.decompress(body[start:], most + 1))
        except zlib.error:
            continue
        if length > most:
            raise DamagedError(f"its packed text unpacks to more than {LARGEST_TEXT >> 20} MiB")
        return length
    return len(body)


def _segments(data: memoryview) -> Iterator[tuple[int, int, int]]:
    """(marker, start of the segment with its marker, its end) of a JPEG, up to and with the first scan header."""
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            raise DamagedError("broken between its parts")
        marker = data[at + 1]
        if marker == 0xFF or marker in JPEG_BARE:
            at += 1 if marker == 0xFF else 2
            continue
        end = at + 2 + struct.unpack_from(">H", data, at + 2)[0]
        if end > len(data) or end < at + 4:
            break
        yield marker, at, end
        if marker == 0xDA:
            return
        at = end
    raise DamagedError("cut short")


def _jpeg(data: memoryview) -> Header:
    orientation = 1
    for marker, at, end in _segments(data):
        if marker == 0xE1 and bytes(data[at + 4 : at + 10]) == b"Exif\0\0":
            orientation = _orientation(data[at + 10 : end])
        if marker in JPEG_SIZES:
            if end - at < 9:
                raise DamagedError("cut short")
            height, width = struct.unpack_from(">HH", data, at + 5)
            return Header("JPEG", (width, height), orientation)
    raise DamagedError("no size")


def _jpeg_plain(data: memoryview) -> bytes:
    out = [b"\xff\xd8"]
    end = 2
    for marker, start, end in _segments(data):
        part = bytes(data[start:end])
        profile = marker == 0xE2 and part[4:16] == b"ICC_PROFILE\0"
        if marker in (0xE0, 0xEE) or profile or not (0xE0 <= marker <= 0xEF or marker == 0xFE):
            out.append(part)
    return b"".join([*out, bytes(data[end:])])


def _webp(data: memoryview) -> Header:
    if len(data) < 30:
        raise DamagedError("cut short")
    kind = bytes(data[12:16])
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return Header("WEBP", (width & 0x3FFF, height & 0x3FFF))
    if kind == b"VP8L":
        bits = struct.unpack_from("<I", data, 21)[0]
        return Header("WEBP", (1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)))
    if kind != b"VP8X":
        raise DamagedError("broken at its start")
    width = 1 + int.from_bytes(data[24:27], "little")
    return Header("WEBP", (width, 1 + int.from_bytes(data[27:30], "little")), _webp_orientation(data))


def _webp_orientation(data: memoryview) -> int:
    at = 12
    while at + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, at)
        if kind == b"EXIF":
            body = data[at + 8 : at + 8 + length]
            return _orientation(body[6:] if bytes(body[:6]) == b"Exif\0\0" else body)
        at += 8 + length + (length & 1)
    return 1


def _gif(data: memoryview) -> Header:
    if len(data) < 13:
        raise DamagedError("cut short")
    return Header("GIF", struct.unpack_from("<HH", data, 6))


def _gif_first(data: memoryview, canvas: tuple[int, int]) -> None:
    """Refuse a GIF whose first frame is not there or reaches outside its canvas: a decoder would grow the picture."""
    at = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)
    while at + 10 <= len(data) and data[at] == 0x21:
        at += 2
        while at < len(data) and data[at]:
            at += 1 + data[at]
        at += 1
    if at + 10 > len(data) or data[at] != 0x2C:
        raise DamagedError("cut short")
    x, y, width, height = struct.unpack_from("<HHHH", data, at + 1)
    if x + width > canvas[0] or y + height > canvas[1]:
        raise DamagedError("its first frame reaches outside the picture")


def _orientation(tiff: memoryview) -> int:
    """EXIF orientation from a TIFF block: 1 for anything that is missing or makes no sense."""
    try:
        order = {b"II": "<", b"MM": ">"}[bytes(tiff[:2])]
        at = struct.unpack_from(order + "I", tiff, 4)[0]
        for i in range(min(512, struct.unpack_from(order + "H", tiff, at)[0])):
            tag, kind, count, value = struct.unpack_from(order + "HHIH", tiff, at + 2 + 12 * i)
            if tag == 0x0112:
                return int(value) if kind == 3 and count == 1 and 1 <= value <= 8 else 1
    except (struct.error, KeyError):
        pass
    return 1
