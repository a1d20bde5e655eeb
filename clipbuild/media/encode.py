"""From raw frames and a sound file to the file that is delivered: H.264 High and AAC in an MP4 every place takes.

BT.709, limited range, closed groups of at most two seconds, index first, no edit list, nothing of us in it. The
number of encoder threads is fixed, because it shapes the bytes. Knows nothing of what the frames show.
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from clipbuild.errors import MediaError
from clipbuild.media import ffmpeg as door

THREADS = 2
"""Of x264 for one clip. Builds run as many renders at once as have room for theirs."""
X264 = "open-gop=0:cpu-independent=1:sync-lookahead=0:aq-mode=3:aq-strength=1.3"
PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
COLOURS = {"color_range": "tv", "colorspace": "bt709", "color_primaries": "bt709", "color_trc": "bt709"}
AAC_FRAME = 1024


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be made: picture size, frame rate, frames, and how it is packed."""

    width: int
    height: int
    fps: Fraction
    count: int
    crf: int = 20
    preset: str = "veryfast"
    maxrate_kbps: int = 12000
    audio_kbps: int = 128
    audio_rate: int = 48000

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return float(self.count / self.fps)

    @property
    def samples(self) -> int:
        """Sound samples that fit: whole AAC frames, and the one of its run-up, end within the picture."""
        return max(1, int(self.count / self.fps * self.audio_rate) // AAC_FRAME - 1) * AAC_FRAME


def checked(target: Target) -> Target:
    """The target, when an encoder can take it. Raises MediaError."""
    if target.width % 2 or target.height % 2 or min(target.width, target.height) < 16:
        raise MediaError(f"{target.width}x{target.height} is no size for a clip", hint="use even numbers from 16 up")
    if target.preset not in PRESETS:
        raise MediaError(f"there is no preset {target.preset!r}", [("known", ", ".join(PRESETS))])
    if not 0 <= target.crf <= 51 or not 1 <= target.fps <= 120:
        raise MediaError("the quality or frame rate is out of range", [("crf", str(target.crf)), ("fps", str(target.fps))])
    return target


def encode(
    program: str,
    target: Target,
    frames: Iterable[memoryview],
    path: str,
    sound: Callable[[], str] | None = None,
    tell: Callable[[int], None] = lambda _: None,
) -> None:
    """Write the clip. `sound` gives the AAC file made by `sound`, "" for silence; it is asked when the picture is
    done, so that both are made at the same time. Raises MediaError."""
    picture = path if sound is None else path + ".picture"
    argv = command(program, checked(target), picture, silent=sound is None)
    with door.Running(argv, feeding=True) as running:
        count = door.write_all(running, frames, tell)
    if count != target.count:
        raise MediaError("the clip came out short", [("frames", f"{count} of {target.count}")])
    if sound is not None:
        join(program, target, picture, sound(), path)
        os.unlink(picture)


def command(program: str, target: Target, path: str, *, silent: bool) -> list[str]:
    """The command line: frames on standard input, the clip at `path`, `silent` or without any sound yet."""
    import ffmpeg

    size = f"{target.width}x{target.height}"
    picture = ffmpeg.input(
        "pipe:0", format="rawvideo", pix_fmt="yuv420p", s=size, framerate=str(target.fps), protocol_whitelist="pipe",
        **COLOURS,
    )  # fmt: skip
    if silent:
        stream = ffmpeg.output(picture.video, _silence(target), path, **video(target), **aac(target), **container())
    else:
        plain = {"fflags": "+bitexact", "f": "mp4"}  # with an edit list: `join` could not tell its times without
        stream = ffmpeg.output(picture.video, path, **video(target), **plain)
    return door.arguments(program, stream)


def join(program: str, target: Target, picture: str, sound: str, path: str) -> None:
    """Put a picture and its sound ("": silence) into one file; neither is coded again. Raises MediaError."""
    import ffmpeg

    seen = ffmpeg.input(door.source(picture), format="mov", protocol_whitelist="file").video
    if sound:
        heard = ffmpeg.input(door.source(sound), format="mov", protocol_whitelist="file").audio
        audio: dict[str, str | int] = {"c:a": "copy"}
    else:
        heard, audio = _silence(target), aac(target)
    stream = ffmpeg.output(seen, heard, path, **{"c:v": "copy", **audio, **container()})
    door.complaints(door.arguments(program, stream))


def _silence(target: Target) -> Any:
    import ffmpeg

    silence = f"anullsrc=channel_layout=stereo:sample_rate={target.audio_rate}"
    return ffmpeg.input(silence, format="lavfi", t=f"{target.samples / target.audio_rate:.6f}").audio


def aac(target: Target) -> dict[str, str | int]:
    """Options of the sound's encoder. At 128 kbit/s and up its fast search is as near to the source as the slow one
    (24.2 against 23.2 dB on a bed of music) in a quarter of the time."""
    return {"c:a": "aac", "b:a": f"{target.audio_kbps}k", "aac_coder": "fast"}


def video(target: Target) -> dict[str, str | int]:
    """Options of the picture's encoder. More bits for even areas keep gradients without bands; without a thread for its
    lookahead it needs 14 MB less at 1080x1920."""
    group = max(1, int(2 * target.fps))
    fast = target.fps > 30 or target.width * target.height > 1920 * 1088
    return {
        "c:v": "libx264", "preset": target.preset, "crf": target.crf, "pix_fmt": "yuv420p",
        "profile:v": "high", "level:v": "4.2" if fast else "4.1",
        "maxrate": f"{target.maxrate_kbps}k", "bufsize": f"{2 * target.maxrate_kbps}k",
        "g": group, "bf": 2, "threads:v": THREADS, "flags:v": "+bitexact+cgop",
        "x264-params": f"{X264}:keyint={group}:min-keyint=1", **COLOURS,
    }  # fmt: skip


def container() -> dict[str, str | int]:
    """Options of the file."""
    return {
        "map_metadata": -1, "map_chapters": -1, "fflags": "+bitexact", "flags:a": "+bitexact",
        "movflags": "+faststart+negative_cts_offsets", "use_editlist": 0, "f": "mp4",
    }  # fmt: skip
