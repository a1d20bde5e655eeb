"""The boxes of an MP4 file, as far as a deliverable must be known: tracks, times, sizes, colours, order.

A bounded reader: nothing is trusted, nothing is decoded, memory stays small whatever a length field says.
Format: ISO/IEC 14496-12 (boxes), 14496-15 (avcC). Knows nothing of what a clip should be.
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from clipbuild.errors import MediaError

MOST_INDEX = 64 << 20
MOST_BOXES = 20_000


@dataclass(frozen=True, slots=True)
class Track:
    """One track: `kind` is its handler ("vide", "soun"), times in seconds. `edits` are (start, length) with start in
    media seconds, -1 for an empty edit. `colour`: primaries, transfer, matrix, full range (0 or 1), () if unsaid. `turned`:
    it is shown turned by a quarter, as telephones record; `pixel`: width to height of one of its pixels."""

    kind: str
    codec: str = ""
    seconds: float = 0.0
    samples: int = 0
    steps: tuple[int, ...] = ()
    scale: int = 0
    width: int = 0
    height: int = 0
    rate: int = 0
    channels: int = 0
    profile: int = 0
    level: int = 0
    pixels: str = ""
    colour: tuple[int, ...] = ()
    edits: tuple[tuple[float, float], ...] = ()
    bytes: int = 0
    turned: bool = False
    pixel: tuple[int, int] = (1, 1)


@dataclass(frozen=True, slots=True)
class Movie:
    """A whole file: its brand, length, whether the index stands before the data, and its tracks."""

    brand: str
    seconds: float
    index_first: bool
    fragmented: bool
    tracks: tuple[Track, ...]
    size: int

    def track(self, kind: str) -> Track | None:
        """The first track of a kind."""
        return next((track for track in self.tracks if track.kind == kind), None)


def read(path: str) -> Movie:
    """The movie in a file. Raises MediaError for anything that is no whole MP4."""
    try:
        with open(path, "rb") as file:
            return _movie(file)
    except OSError as error:
        raise MediaError(error.strerror or "can't be read") from error
    except (struct.error, IndexError, ValueError, ZeroDivisionError, OverflowError) as error:
        raise MediaError("damaged: its index makes no sense") from error


def _movie(file: BinaryIO) -> Movie:
    size = os.fstat(file.fileno()).st_size
    order, index, brand = [], b"", ""
    for kind, start, end in _top(file, size):
        order.append(kind)
        if kind == b"moov":
            if index or end - start > MOST_INDEX:
                raise MediaError("damaged: its index is too large or there are two")
            file.seek(start)
            index = file.read(end - start)
        elif kind == b"ftyp" and len(order) == 1:
            file.seek(start)
            brand = file.read(4).decode("latin-1")
    if not index or b"mdat" not in order or order[0] != b"ftyp":
        raise MediaError("no MP4 clip: it has no index or no data")
    tracks, seconds, scale = [], 0.0, 0
    for kind, body in _boxes(index):
        if kind == b"mvhd":
            scale, units = _times(body)
            seconds = units / scale
    for kind, body in _boxes(index):
        if kind == b"trak":
            tracks.append(_track(body, scale))
    first = order.index(b"moov") < order.index(b"mdat")
    fragmented = b"moof" in order or any(kind == b"mvex" for kind, _ in _boxes(index))
    return Movie(brand, seconds, first, fragmented, tuple(tracks), size)


def _top(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of the content of each box of the file; together they must fill it."""
    at, count = 0, 0
    while at < size:
        count += 1
        file.seek(at)
        head = file.read(16)
        if len(head) < 8 or count > MOST_BOXES:
            raise MediaError("cut short, or no MP4 clip")
        length, skip = int.from_bytes(head[:4], "big"), 8
        if length == 1:
            length, skip = int.from_bytes(head[8:16], "big"), 16
        elif length == 0:
            length = size - at
        if length < skip or at + length > size:
            raise MediaError("cut short, or no MP4 clip")
        yield head[4:8], at + skip, at + length
        at += length


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of each box in the content of another."""
    at = 0
    while at + 8 <= len(data):
        length, skip = int.from_bytes(data[at : at + 4], "big"), 8
        if length == 1:
            length, skip = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        if length < skip or at + length > len(data):
            raise MediaError("damaged: its index makes no sense")
        yield data[at + 4 : at + 8], data[at + skip : at + length]
        at += length


def _found(data: bytes, *way: bytes) -> bytes:
    """The content of the box down a way of kinds; nothing where there is none."""
    for kind in way:
        data = next((body for name, body in _boxes(data) if name == kind), b"")
    return data


def _times(body: bytes) -> tuple[int, int]:
    """Time scale and length of a header box; the length is right for 32 and 64 bits."""
    if body[0] == 1:
        scale, units = struct.unpack_from(">IQ", body, 20)
    else:
        scale, units = struct.unpack_from(">II", body, 12)
    return int(scale), int(units)


def _track(body: bytes, movie_scale: int) -> Track:
    media = _found(body, b"mdia")
    kind = _found(media, b"hdlr")[8:12].decode("latin-1")
    scale, units = _times(_found(media, b"mdhd"))
    table = _found(media, b"minf", b"stbl")
    samples, steps, total = _steps(_found(table, b"stts"))
    facts = {"kind": kind, "seconds": units / scale, "samples": samples, "steps": steps, "scale": scale}
    if total != units and kind == "vide" and abs(total - units) > max(steps, default=0):
        raise MediaError("damaged: its frames don't last as long as it says")
    weight = _sizes(_found(table, b"stsz"), samples)
    edits = _edits(_found(body, b"edts", b"elst"), movie_scale, scale)
    turned = kind == "vide" and _turned(_found(body, b"tkhd"))
    return Track(**facts, edits=edits, bytes=weight, turned=turned, **_entry(kind, _found(table, b"stsd")))  # type: ignore[arg-type]


def _turned(body: bytes) -> bool:
    """Whether a track header's matrix turns the picture by a quarter: it maps across to down."""
    a, b, _, c, d = struct.unpack_from(">5i", body, 52 if body[0] == 1 else 40)
    return bool(a == d == 0 and b and c)


def _steps(body: bytes) -> tuple[int, tuple[int, ...], int]:
    """Samples, their different lengths, and the sum, from stts."""
    count = struct.unpack_from(">I", body, 4)[0]
    pairs = list(struct.iter_unpack(">II", body[8 : 8 + 8 * count]))
    if len(pairs) != count:
        raise MediaError("damaged: its index makes no sense")
    steps = dict.fromkeys(step for _, step in pairs)
    return sum(n for n, _ in pairs), tuple(steps)[:8], sum(n * step for n, step in pairs)


def _sizes(body: bytes, samples: int) -> int:
    """Bytes of all samples, from stsz."""
    each, count = struct.unpack_from(">II", body, 4)
    if count != samples:
        raise MediaError("damaged: its index makes no sense")
    if each:
        return int(each) * int(count)
    if len(body) < 12 + 4 * count:
        raise MediaError("damaged: its index makes no sense")
    return sum(struct.unpack_from(f">{count}I", body, 12))


def _edits(body: bytes, movie_scale: int, scale: int) -> tuple[tuple[float, float], ...]:
    if not body:
        return ()
    form, width = (">Qq", 20) if body[0] == 1 else (">Ii", 12)
    found = []
    for i in range(min(64, struct.unpack_from(">I", body, 4)[0])):
        length, start = struct.unpack_from(form, body, 8 + width * i)
        found.append((start / scale if start >= 0 else -1.0, length / movie_scale))
    return tuple(found)


def _entry(kind: str, body: bytes) -> dict[str, object]:
    """What the first sample description says."""
    name, entry = next(iter(_boxes(body[8:])), (b"", b""))
    if kind == "soun":
        channels, rate = struct.unpack_from(">H6xH", entry, 16)
        return {"codec": name.decode("latin-1"), "channels": channels, "rate": rate}
    if kind != "vide":
        return {"codec": name.decode("latin-1")}
    width, height = struct.unpack_from(">HH", entry, 24)
    inner = entry[78:]
    config, colour, pixel = (_found(inner, box) for box in (b"avcC", b"colr", b"pasp"))
    facts: dict[str, object] = {"codec": name.decode("latin-1"), "width": width, "height": height}
    if len(config) >= 4:
        facts |= {"profile": config[1], "level": config[3], "pixels": _pixels(config)}
    if len(pixel) >= 8 and all(sides := struct.unpack(">II", pixel[:8])):
        facts["pixel"] = sides
    if colour[:4] in (b"nclx", b"nclc"):  # the second is QuickTime's, and always limited
        primaries, transfer, matrix, full = struct.unpack_from(">HHHB", colour.ljust(11, b"\0"), 4)
        facts["colour"] = (primaries, transfer, matrix, full >> 7)
    return facts


def _pixels(config: bytes) -> str:
    """The form of a picture's samples in ffmpeg's word, from avcC (14496-15, 5.3.3.1.2)."""
    at = 6
    for count in (config[5] & 31, -1):
        if count < 0:
            count, at = config[at], at + 1
        for _ in range(count):
            at += 2 + int.from_bytes(config[at : at + 2], "big")
    if config[1] < 100 or at + 3 > len(config):
        return "yuv420p"
    form, depth = config[at] & 3, 8 + (config[at + 1] & 7)
    name = ("gray", "yuv420p", "yuv422p", "yuv444p")[form]
    return name if depth == 8 else f"{name}{depth}le"
