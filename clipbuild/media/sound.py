"""The sound of a clip: a bed and a bought clip's own sound, cut, faded, ducked and brought to one loudness as AAC.

Loudness is measured by EBU R128, before and after packing. What a file is, is found by its first bytes, and ffmpeg is
told. Knows nothing of pictures.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from clipbuild.errors import MediaError, shown
from clipbuild.media import ffmpeg as door
from clipbuild.media.encode import Target, aac

LOUDNESS, PEAK = -14.0, -1.0
NEAR = 0.6
CEILING = -2.0
"""Where the limiter starts (dBTP): packing adds peaks of its own."""
TRIES = 4
SILENT = -60.0
SPARE = 65536
"""Samples of silence behind the sound while it is mixed."""
FADE_IN, FADE_OUT = 0.06, 0.9
OWN = ("keep", "mix", "drop")
MAGIC = (
    (0, b"fLaC", "flac"), (0, b"OggS", "ogg"), (0, b"ID3", "mp3"), (4, b"ftyp", "mov"), (0, b"\x1a\x45\xdf\xa3", "matroska"),
    (8, b"WAVE", "wav"), (8, b"AIFF", "aiff"), (8, b"AIFC", "aiff"), (0, b"caff", "caf"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
)  # fmt: skip
READ = "WAV, FLAC, MP3, Ogg, M4A, AAC, AIFF, WebM"


@dataclass(frozen=True, slots=True)
class Mix:
    """What is to be heard: a bed and the clip's own sound (paths, "" for none), the bed's gain in dB, and how the own
    sound is used (keep: alone, mix: over the bed, drop)."""

    bed: str = ""
    own: str = ""
    gain: float = 0.0
    use: str = "mix"
    at: float = 0.0
    """When the own sound begins."""


@dataclass(frozen=True, slots=True)
class Level:
    """Loudness (LUFS) and true peak (dBTP) of a sound; -inf for silence."""

    loudness: float
    peak: float

    @property
    def silent(self) -> bool:
        """Nothing is heard."""
        return self.loudness < SILENT


def make(program: str, target: Target, mix: Mix, folder: str) -> tuple[str, Level | None]:
    """The clip's sound as an AAC file in `folder`, and its level; "" and None for silence. Raises MediaError."""
    if mix.use not in OWN:
        raise MediaError(f"a clip's own sound can't be {shown(mix.use)!r}", [("known", ", ".join(OWN))])
    own = mix.own if mix.use != "drop" else ""
    bed = mix.bed if not (own and mix.use == "keep") else ""
    if not bed and not own:
        return "", None
    raw = os.path.join(folder, "mixed.wav")
    level = _mixed(program, target, replace(mix, bed=bed, own=own), raw)
    if level.silent:
        return "", None
    path = os.path.join(folder, "sound.m4a")
    gain, ceiling = LOUDNESS - level.loudness, CEILING
    for _ in range(TRIES):
        _pack(program, target, raw, path, gain, ceiling, limit=level.peak + gain > ceiling)
        packed = measure(program, path, "mov")
        off = LOUDNESS - packed.loudness
        if abs(off) <= NEAR and packed.peak < PEAK:  # peaks come to a tenth of a dB: -1.0 may be above
            break
        gain += off if abs(off) > NEAR else 0.0
        ceiling -= max(0.0, packed.peak - PEAK + 0.3)
    return path, packed


def kind(path: str) -> str:
    """What sort of sound file it is, in ffmpeg's word. Raises MediaError for none that is read."""
    with open(path, "rb") as file:
        head = file.read(16)
    for at, magic, name in MAGIC:
        if head[at : at + len(magic)] == magic:
            return name
    if len(head) > 2 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        return "aac" if head[1] & 0x06 == 0 else "mp3"
    raise MediaError("not a sound file that is read", [("read", READ)])


def measure(program: str, path: str, container: str = "") -> Level:
    """Integrated loudness and true peak of a sound file. Raises MediaError."""
    import ffmpeg

    given = ffmpeg.input(door.source(path), format=container or kind(path), protocol_whitelist="file")
    stream = ffmpeg.output(_metered(given.audio), "-", format="null")
    return _level(_run(program, stream, "the sound does not decode"))


def _mixed(program: str, target: Target, mix: Mix, path: str) -> Level:
    """Bed and own sound as one of exactly the right length, uncompressed; its level."""
    import ffmpeg

    streams = []
    if mix.bed:
        _heard(program, mix.bed)
        given = ffmpeg.input(door.source(mix.bed), format=kind(mix.bed), protocol_whitelist="file", stream_loop=-1)
        under = _fitted(given.audio, target).filter("volume", f"{mix.gain:.2f}dB")
        streams.append(_faded(under, target))
    if mix.own:
        given = ffmpeg.input(door.source(mix.own), format="mov", protocol_whitelist="file").audio
        given = given.filter("adelay", f"{round(1000 * mix.at)}", all=1) if mix.at > 0 else given
        voice = _fitted(given, target).filter("afade", t="out", st=_late(target, 0.15), d=0.15)
        if streams:
            heard = voice.filter_multi_output("asplit")
            ducked = ffmpeg.filter(
                [streams.pop(), heard[0]], "sidechaincompress", threshold=0.03, ratio=8, attack=15, release=350
            )
            streams = [ffmpeg.filter([ducked, heard[1]], "amix", inputs=2, normalize=0, duration="longest")]
        else:
            streams = [voice]
    whole = streams[0].filter("atrim", end_sample=target.samples)
    stream = ffmpeg.output(_metered(whole), path, format="wav", acodec="pcm_f32le", fflags="+bitexact")
    return _level(_run(program, stream, "the sound does not decode"))


def _heard(program: str, path: str) -> None:
    """Refuse a bed without a single sample: looped, it would never end."""
    import ffmpeg

    given = ffmpeg.input(door.source(path), format=kind(path), protocol_whitelist="file").audio
    stream = ffmpeg.output(given, "pipe:1", **{"format": "u8", "frames:a": 1})
    try:
        found = door.output(door.arguments(program, stream))
    except MediaError as error:
        raise MediaError("the sound does not decode", error.facts) from None
    if not found:
        raise MediaError("the sound is empty", hint="name another file as `bed:`")


def _fitted(stream: Any, target: Target) -> Any:
    """Stereo at the right rate, cut at the clip's length and padded beyond it: how much of their inputs' last frames
    ducking and mixing use depends on when they arrive, so those must not count."""
    even = stream.filter("aformat", sample_fmts="fltp", sample_rates=target.audio_rate, channel_layouts="stereo")
    return even.filter("atrim", end_sample=target.samples).filter("apad", whole_len=target.samples + SPARE)


def _faded(stream: Any, target: Target) -> Any:
    out = min(FADE_OUT, target.seconds / 4)
    return stream.filter("afade", t="in", d=FADE_IN).filter("afade", t="out", st=_late(target, out), d=f"{out:.3f}")


def _late(target: Target, seconds: float) -> str:
    return f"{max(0.0, target.samples / target.audio_rate - seconds):.3f}"


def _pack(program: str, target: Target, raw: str, path: str, gain: float, ceiling: float, *, limit: bool) -> None:
    import ffmpeg

    stream = ffmpeg.input(door.source(raw), format="wav", protocol_whitelist="file").audio
    stream = stream.filter("volume", f"{gain:.2f}dB")
    if limit:
        stream = stream.filter("aresample", 4 * target.audio_rate)
        stream = stream.filter("alimiter", limit=f"{10 ** (ceiling / 20):.5f}", attack=3, release=60, level=0, latency=1)
        stream = stream.filter("aresample", target.audio_rate).filter("atrim", end_sample=target.samples)
    options: Mapping[str, Any] = {
        **aac(target), "ar": target.audio_rate, "ac": 2, "flags:a": "+bitexact",
        "fflags": "+bitexact", "map_metadata": -1, "use_editlist": 0, "f": "mp4",
    }  # fmt: skip
    _run(program, ffmpeg.output(stream, path, **options), "the sound can't be packed")


def _metered(stream: Any) -> Any:
    return stream.filter("ebur128", peak="true", framelog="verbose")


def _run(program: str, stream: Any, what: str) -> list[str]:
    argv = door.arguments(program, stream, level="info")
    argv[1:1] = ["-cpuflags", "0"]  # the same arithmetic on every processor; a few seconds of sound cost little
    try:
        return door.complaints(argv, wall=300.0)
    except MediaError as error:
        raise MediaError(what, error.facts) from None


def _level(lines: list[str]) -> Level:
    text = "\n".join(lines)
    text = text[text.rfind("Summary:") :]
    loud, peak = re.search(r"I:\s+(-?[\d.]+|-inf|nan) LUFS", text), re.search(r"Peak:\s+(-?[\d.]+|-inf) dBFS", text)
    if loud is None or peak is None:
        raise MediaError("the loudness of the sound could not be measured")
    found = float(loud[1])
    return Level(found if found == found else float("-inf"), float(peak[1]))
