"""A bought clip as what lies below the text: decoded strictly, brought to the frame's size, cut or held to length.

Its frame rate is kept, or frames are repeated or left out where that is even; in between would judder. Knows nothing
of who made it.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clipbuild.errors import MediaError
from clipbuild.media import color, dynamics, probe
from clipbuild.media import ffmpeg as door
from clipbuild.media.frames import Box, Rows
from clipbuild.media.probe import Facts
from clipbuild.media.warp import LEVEL, MARGIN, ONE, Placed, Plane

Bytes = NDArray[np.uint8]
SEEKS = 4
"""From how many frames on one decoder for all is quicker than one for each."""
SCALING = "lanczos+accurate_rnd+full_chroma_int+bitexact"
LEAST_RATE, MOST_RATE = Fraction(20), Fraction(60)


def rate(own: Fraction, wanted: Fraction) -> Fraction:
    """The frame rate of a clip of `own` rate where `wanted` is asked for: that only where it is even."""
    for whole in (wanted / own, own / wanted):
        if whole >= 1 and abs(whole - round(whole)) < Fraction(1, 500):
            return wanted
    return own if LEAST_RATE <= own <= MOST_RATE else wanted


@dataclass(slots=True, eq=False)
class Footage:
    """A clip's frames in order, at a size. Use it in a `with` block; at its end the clip proves to be whole."""

    program: str
    path: str
    facts: Facts
    width: int
    height: int
    fps: Fraction
    _running: door.Running | None = None
    _at: int = -1
    _rows: Rows | None = None
    _over: bool = False
    _held: list[Plane] = field(default_factory=list)
    share: Bytes | None = None
    """How much of each pixel shows, where the clip has an alpha channel."""

    @property
    def alpha(self) -> bool:
        """It has an alpha channel."""
        return has_alpha(self.facts)

    def __enter__(self) -> "Footage":
        pixels = "yuva420p" if self.alpha else "yuv420p"
        decoder = _decoder(self.path, self.facts, (self.width, self.height), self._rate, pixels=pixels)
        argv = door.arguments(self.program, decoder, level="error")
        argv[1:1] = ["-xerror"]
        self._running = door.Running(argv, reading=True)
        halves = [(self.height // 2, self.width // 2)] * 2
        for high, wide in [(self.height, self.width), *halves]:
            self._held.append(Plane(np.zeros((high + 2 * MARGIN, wide + 2 * MARGIN), np.int16), wide, high))
        return self

    def __exit__(self, *_: object) -> None:
        if self._running is not None:
            self._running.__exit__()

    def rows(self, index: int) -> Rows:
        """What lies below everything at frame `index` of the new clip; never an earlier one than before."""
        last = self.facts.frames - 1 if self.facts.steady else index
        wanted = min(last, int(index * self._rate / self.fps + Fraction(1, 1000)))
        while self._rows is None or (self._at < wanted and not self._over):
            self._advance()
        return self._rows

    @property
    def _rate(self) -> Fraction:
        """Frames a second as they come from the decoder."""
        return self.facts.rate if self.facts.steady else self.fps

    def _advance(self) -> None:
        assert self._running is not None
        amount = self._amount
        data = self._running.read(amount)
        if not data and self._rows and not self.facts.steady:  # how many there are is not known before
            self._over = True
            return
        if len(data) < amount:
            raise _damaged(self._running)
        self._at += 1
        at, rows = 0, []
        for held in self._held:
            inside = held.data[MARGIN:-MARGIN, MARGIN:-MARGIN]
            part = np.frombuffer(data, np.uint8, held.width * held.height, at).reshape(inside.shape)
            np.multiply(part, LEVEL, out=inside, casting="unsafe", dtype=np.int16)
            at += part.size
            rows.append(Placed(held, None, ONE, 0, 0, held.width, held.height))
        self._rows = (rows[0], rows[1], rows[2])
        if self.alpha:
            self.share = np.frombuffer(data, np.uint8, self.width * self.height, at).reshape(self.height, self.width)

    @property
    def _amount(self) -> int:
        """Bytes of a frame."""
        return self.width * self.height * (5 if self.alpha else 3) // 2

    def finish(self) -> None:
        """Decode what is left unseen. Raises MediaError when the clip turns out to be damaged."""
        running = self._running
        assert running is not None
        amount = self._amount
        while data := running.read(amount):
            self._at += len(data) == amount
        try:
            running.finish()
        except MediaError:
            raise _damaged(running) from None
        if running.lines or (self.facts.steady and self._at + 1 != self.facts.frames):
            raise _damaged(running, f"{self._at + 1} decoded, {self.facts.frames} in its index")


def _damaged(running: door.Running, frames: str = "") -> MediaError:
    said = running.failure().facts[-1:] if running.lines else ()
    return MediaError("the clip is damaged", [*([("frames", frames)] if frames else []), *said])


def has_alpha(facts: Facts) -> bool:
    """Whether a clip's codec carries an alpha channel that is read: ProRes 4444, PNG, QuickTime Animation."""
    return facts.codec in ("ap4h", "ap4x", "png ", "rle ")


def _decoder(
    path: str, facts: Facts, size: tuple[int, int], rate: Fraction, at: float = 0.0, most: int = 0, pixels: str = "yuv420p"
) -> Any:  # fmt: skip
    """The clip scaled to cover the frame, cut at its middle, as raw frames; the same bytes on every processor. Frames
    that come at uneven times, as telephones and screen recorders write them, are brought to `rate`."""
    import ffmpeg

    options: dict[str, Any] = {"format": "mov", "protocol_whitelist": "file", **probe.STRICT}
    if at:
        options["ss"] = f"{at:.4f}"
    picture = ffmpeg.input(door.source(path), **options).video
    covers: dict[str, Any] = {"force_original_aspect_ratio": "increase"} if facts.square else {}
    covers |= {"force_divisible_by": 2}
    if not facts.steady:
        picture = picture.filter("fps", f"{rate.numerator}/{rate.denominator}", start_time=0)
    plain = {"flags": SCALING, "out_color_matrix": "bt709", "out_range": "tv"}
    if dynamics.is_high(facts.colour):
        picture = picture.filter("scale", *_covering(facts, size), **covers, flags=SCALING).filter("crop", *size)
        picture = picture.filter("format", "gbrp12le")
        picture = picture.filter("lut3d", file=dynamics.table(facts.colour[1]), interp="tetrahedral")
        picture = picture.filter("scale", "iw", "ih", **plain)
    else:
        picture = picture.filter("scale", *_covering(facts, size), **covers, **plain).filter("crop", *size)
    picture = picture.filter("format", pixels)
    rest: dict[str, Any] = {"frames:v": most} if most else {}
    return ffmpeg.output(picture, "pipe:1", format="rawvideo", fps_mode="passthrough", **rest)


def _covering(facts: Facts, size: tuple[int, int]) -> tuple[int, int]:
    """The size to scale to; where pixels are not square, that at which the clip covers the frame in its shown shape."""
    if facts.square:
        return size
    scale = max(size[0] / facts.width, size[1] / facts.height)
    wide, high = (math.ceil(round(side * scale, 6) / 2) * 2 for side in (facts.width, facts.height))
    return wide, high


def sample(program: str, path: str, size: tuple[int, int], times: Sequence[float], box: Box | None = None) -> list[Bytes]:
    """The clip at moments as RGB, the part in `box` if there is one. Raises MediaError."""
    read = _one_by_one if len(times) < SEEKS else _in_one_go
    return [_rgb(data, size, box) for data in read(program, path, size, times)]


def _one_by_one(program: str, path: str, size: tuple[int, int], times: Sequence[float]) -> Iterator[bytes]:
    """Each frame by a decoder of its own that seeks to it."""
    facts = probe.facts(path)
    for at in times:
        data = door.output(door.arguments(program, _decoder(path, facts, size, facts.rate, at, 1)), 120.0)
        if len(data) != size[0] * size[1] * 3 // 2:
            raise _too_short(at)
        yield data


def _in_one_go(program: str, path: str, size: tuple[int, int], times: Sequence[float]) -> list[bytes]:
    """All frames by one decoder that is stopped after the last of them."""
    facts, amount = probe.facts(path), size[0] * size[1] * 3 // 2
    rate = facts.rate
    wanted = [math.ceil(float(at * rate) - 1e-3) for at in times]
    found: dict[int, bytes] = {}
    with door.Running(door.arguments(program, _decoder(path, facts, size, rate)), reading=True, wall=120.0) as running:
        for index in range(max(wanted) + 1):
            data = running.read(amount)
            if not data and found and not facts.steady:
                break
            if len(data) < amount:
                raise _too_short(times[next(i for i, number in enumerate(wanted) if number >= index)])
            if index in wanted:
                found[index] = bytes(data)
    return [found.get(index, found[max(found)]) for index in wanted]


def _too_short(at: float) -> MediaError:
    return MediaError("the clip ends before it should", [("at", f"{at:g} s")])


def _rgb(data: bytes, size: tuple[int, int], box: Box | None) -> Bytes:
    width, height = size
    y, u, v = np.split(np.frombuffer(data, np.uint8), [width * height, width * height * 5 // 4])
    half = (height // 2, width // 2)
    pixels = color.to_rgb(y.reshape(height, width), u.reshape(half), v.reshape(half))
    return pixels[box[1] : box[3], box[0] : box[2]] if box else pixels
