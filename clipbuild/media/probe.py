"""What a clip really is, and whether that is what was asked for: index read, every frame decoded, nothing complained.

A tool's exit status alone means nothing: damage often ends in 0. Knows nothing of builds.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from clipbuild.errors import MediaError, shown
from clipbuild.media import boxes
from clipbuild.media import ffmpeg as door

BT709 = (1, 1, 1, 0)
PROFILES = {77: "Main", 100: "High"}
"""What every place takes; the fastest presets use nothing that is beyond Main."""
MOST_PIXELS = 8192 * 8192
MOST_FRAMES = 36_000
STRICT = {"err_detect": "crccheck+bitstream+buffer+explode"}


@dataclass(frozen=True, slots=True)
class Facts:
    """A clip's facts; `width` and `height` as it is shown. `frames` were decoded, `seconds` are the picture's; `even`:
    every frame lasts as long; `trimmed`: its edit list shows a part of its frames only, `seconds` and `frames` are of
    that part; `square`: so are its pixels."""

    width: int
    height: int
    fps: str
    even: bool
    frames: int
    seconds: float
    movie_seconds: float
    codec: str
    profile: int
    level: int
    pixels: str
    colour: tuple[int, ...]
    index_first: bool
    edited: bool
    sound: str
    sound_rate: int
    sound_channels: int
    sound_seconds: float
    bytes: int
    trimmed: bool = False
    square: bool = True

    @property
    def steady(self) -> bool:
        """Its frames are those of its index, at even steps."""
        return self.even and not self.trimmed

    @property
    def rate(self) -> Fraction:
        """Frames a second, exactly."""
        return Fraction(self.fps)

    def plain(self) -> dict[str, Any]:
        """As JSON data."""
        return {**asdict(self), "colour": list(self.colour)}


def facts(path: str) -> Facts:
    """The facts of an MP4 clip from its index alone. Raises MediaError when that is damaged."""
    movie = boxes.read(path)
    picture, sound = movie.track("vide"), movie.track("soun")
    if picture is None or not picture.samples or not picture.steps:
        raise MediaError("no picture in it")
    if not 0 < picture.width * picture.height <= MOST_PIXELS or picture.samples > MOST_FRAMES:
        raise MediaError("its picture has no usable size or length")
    even = len(picture.steps) == 1 and picture.steps[0] > 0
    mean = Fraction(picture.scale * picture.samples, max(1, round(picture.seconds * picture.scale)))
    rate = Fraction(picture.scale, picture.steps[0]) if even else mean.limit_denominator(1001)
    seen = sum(length for start, length in picture.edits if start >= 0)
    trimmed = 0 < seen < picture.seconds - 1.01 / float(rate)
    seconds, count = (seen, max(1, round(seen * rate))) if trimmed else (picture.seconds, picture.samples)
    return Facts(
        *_shown(picture), str(rate), even, count, round(seconds, 6),
        round(movie.seconds, 6), picture.codec, picture.profile, picture.level, picture.pixels, picture.colour,
        movie.index_first, bool(picture.edits) or bool(sound and sound.edits),
        sound.codec if sound else "", sound.rate if sound else 0, sound.channels if sound else 0,
        round(sound.seconds, 6) if sound else 0.0, movie.size, trimmed, picture.pixel[0] == picture.pixel[1],
    )  # fmt: skip


def _shown(picture: boxes.Track) -> tuple[int, int]:
    """Width and height as they are shown: turned upright, in square pixels. Raises MediaError."""
    across, down = picture.pixel
    if not 1 / 8 <= across / down <= 8:
        raise MediaError("its picture has no usable size or length")
    width = picture.width if across == down else max(2, round(picture.width * across / down / 2) * 2)
    return (picture.height, width) if picture.turned else (width, picture.height)


def probe(program: str, path: str) -> Facts:
    """The facts of an MP4 clip, with every frame and all sound decoded strictly. Raises MediaError for any damage."""
    found = facts(path)
    frames = decoded(program, path)
    if frames != found.frames and not (found.trimmed and abs(frames - found.frames) <= 1):
        raise MediaError("damaged", [("frames", f"{frames} decoded, {found.frames} in its index")])
    return found


def decoded(program: str, path: str) -> int:
    """How many frames decode. Raises MediaError when ffmpeg has anything to complain of."""
    import ffmpeg

    given = ffmpeg.input(door.source(path), format="mov", protocol_whitelist="file", **STRICT)
    stream = ffmpeg.output(given, "pipe:1", format="null", fps_mode="passthrough", acodec="pcm_s16le")
    argv = door.arguments(program, stream, level="warning")
    argv[1:1] = ["-xerror", "-progress", "pipe:1", "-nostats"]
    argv[-2:-2] = ["-map", "0:v:0", "-map", "0:a?"]
    try:
        with door.Running(argv, reading=True) as running:
            assert running.process.stdout is not None
            text = running.process.stdout.read().decode("ascii", "replace")
            running.finish()
            said = list(running.lines)
    except MediaError as error:
        raise MediaError("damaged: it does not decode cleanly", error.facts[-1:]) from None
    if said:
        raise MediaError("damaged: it does not decode cleanly", [("ffmpeg", shown(said[0], 200))])
    counts = re.findall(r"^frame=(\d+)", text, re.MULTILINE)
    return int(counts[-1]) if counts else 0


def check(found: Facts, spec: Mapping[str, Any]) -> list[str]:
    """What about a clip is not as the spec says. Keys that the spec lacks are not judged."""
    wanted = {
        "width": found.width, "height": found.height, "codec": found.codec, "pixels": found.pixels,
        "sound_rate": found.sound_rate, "frames": found.frames,
    }  # fmt: skip
    problems = [
        f"{name} is {shown(have)}, wanted {shown(spec[name])}" for name, have in wanted.items() if spec.get(name, have) != have
    ]
    if "fps" in spec and found.rate != Fraction(str(spec["fps"])).limit_denominator(1001):
        problems.append(f"fps is {found.fps}, wanted {spec['fps']}")
    if "seconds" in spec and abs(found.seconds - float(spec["seconds"])) > 0.5 / float(found.rate) + 1e-3:
        problems.append(f"it lasts {found.seconds:g} s, wanted {spec['seconds']:g} s")
    if found.colour != BT709:
        problems.append(f"its colours are not tagged BT.709, limited range ({found.colour})")
    if found.codec == "avc1" and found.profile not in PROFILES:
        problems.append(f"its H.264 profile is {found.profile}, wanted {' or '.join(PROFILES.values())}")
    for claim, true in (
        ("its frames are not evenly spaced", found.even),
        ("its index does not come first", found.index_first),
        ("it has an edit list", not found.edited),
        ("it has no AAC stereo sound", (found.sound, found.sound_channels) == ("mp4a", 2)),
        ("its sound is longer than its picture", found.sound_seconds <= found.seconds + 0.05),
    ):
        if not true:
            problems.append(claim)
    return problems
