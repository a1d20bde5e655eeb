"""Sound: any bed cut to length at one loudness, ducked under speech, own sound kept, mixed or dropped, silence as such."""

import pathlib
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import numpy as np
import pytest

from clipbuild.errors import MediaError
from clipbuild.media import boxes, sound
from clipbuild.media.encode import Target
from clipbuild.media.sound import Mix
from tests.support import reels
from tests.support.reels import PROGRAM

TARGET = Target(96, 160, Fraction(30), 60)
LONG = Target(96, 160, Fraction(30), 150)
KINDS = {
    "wav": (), "flac": (), "mp3": (), "ogg": ("-c:a", "libvorbis"), "opus": (), "m4a": (), "aac": (), "aiff": (), "webm": ("-c:a", "libopus"),
    "mka": (), "caf": (), "wma": (), "8k.wav": ("-ar", "8000"), "mono.flac": ("-ac", "1"), "96k.wav": ("-ar", "96000", "-c:a", "pcm_s24le"),
}  # fmt: skip


def made(tmp_path: pathlib.Path, mix: Mix, target: Target = TARGET) -> tuple[str, sound.Level | None]:
    return sound.make(PROGRAM, target, mix, str(tmp_path))


def level(values: np.ndarray, begin: float, end: float) -> float:
    """Loudness of a stretch in dB of full scale."""
    return reels.loud(values[round(begin * 48000) : round(end * 48000)])


@pytest.mark.parametrize("kind", KINDS)
def test_any_format_is_read_and_brought_to_one_loudness(tmp_path: pathlib.Path, kind: str) -> None:
    """Every format, rate and channel count becomes stereo AAC at 48 kHz, −14 LUFS ± 1, true peak at most −1 dBTP."""
    bed = reels.tone(tmp_path / f"bed.{kind}", *KINDS[kind], seconds=3, volume=0.1)
    path, found = made(tmp_path, Mix(bed=bed))
    assert found is not None
    assert abs(found.loudness + 14) <= 1
    assert found.peak <= -1
    track = boxes.read(path).track("soun")
    assert track is not None
    assert (track.codec, track.rate, track.channels) == ("mp4a", 48000, 2)
    assert track.seconds <= 2.0


@pytest.mark.parametrize("source", [
    "sine=f=100:d=4", "anoisesrc=d=4:c=pink:a=0.9", "anoisesrc=d=4:a=0.02", "sine=f=11000:d=4,volume=0.01",
    "aevalsrc='0.98*gt(sin(2*PI*2*t),0.995)':d=4", "aevalsrc='0.9*sgn(sin(2*PI*997*t))':d=4",
])  # fmt: skip
def test_hard_sounds_come_out_right(tmp_path: pathlib.Path, source: str) -> None:
    """Low, bright, faint and clipped sounds and clicks: the peak is never above −1 dBTP; what can be is at −14 ± 1."""
    bed = reels.made(tmp_path / "bed.wav", "-f", "lavfi", "-i", source, "-ac", "2")
    path, found = made(tmp_path, Mix(bed=bed))
    assert found is not None
    assert found.peak <= -1
    true = sound.measure(PROGRAM, path, "mov")
    assert true == found
    assert -15 <= found.loudness <= -13 or ("gt(" in source and found.loudness < -13)


def test_a_short_bed_is_repeated_and_a_long_one_cut(tmp_path: pathlib.Path) -> None:
    """The bed lasts as long as the picture: looped or cut, with a soft start and end."""
    for seconds in (0.4, 30):
        bed = reels.tone(tmp_path / f"bed{seconds}.wav", seconds=seconds)
        path, _ = made(tmp_path, Mix(bed=bed), LONG)
        heard = reels.samples(path)
        assert 4.85 < len(heard) / 48000 <= 5.0
        assert level(heard, 4.0, 4.1) == pytest.approx(level(heard, 1.0, 1.1), abs=1.5)
        assert level(heard, 4.85, 4.9) < level(heard, 3.0, 3.1) - 12
        assert np.abs(heard[:96]).max() < 0.15 * np.abs(heard).max()


def speech(path: pathlib.Path, seconds: float = 5.0) -> str:
    """A clip whose sound is a high tone in its second and fourth second and nothing between."""
    return reels.clip(path, seconds=seconds, sound="aevalsrc='0.5*sin(2*PI*3000*t)*eq(mod(floor(t),2),1)'")


def bands(heard: np.ndarray, begin: float, end: float) -> tuple[float, float]:
    """dB of the bed's 440 Hz and of the speech's 3 kHz in a stretch."""
    part = heard[round(begin * 48000) : round(end * 48000), 0]
    power = np.abs(np.fft.rfft(part * np.hanning(len(part)))) ** 2
    at = np.fft.rfftfreq(len(part), 1 / 48000)
    low, high = (10 * np.log10(power[np.abs(at - f) < 60].sum() + 1e-9) for f in (440, 3000))
    return float(low), float(high)


def test_the_bed_goes_down_under_speech(tmp_path: pathlib.Path) -> None:
    """Mixed, the bed is several dB lower while the clip's own sound speaks, comes back after, and both are heard."""
    bed = reels.tone(tmp_path / "bed.wav", seconds=6)
    path, _ = made(tmp_path, Mix(bed=bed, own=speech(tmp_path / "own.mp4")), LONG)
    heard = reels.samples(path)
    quiet, spoken, after = bands(heard, 0.5, 0.9), bands(heard, 1.4, 1.9), bands(heard, 2.6, 2.95)
    assert spoken[0] < quiet[0] - 5
    assert after[0] > spoken[0] + 4
    assert spoken[1] > spoken[0]


def test_keep_and_drop(tmp_path: pathlib.Path) -> None:
    """`keep`: the clip's own sound alone; `drop`: the bed alone; without a bed `mix` keeps, and `drop` is silence."""
    bed, own = reels.tone(tmp_path / "bed.wav", seconds=6), speech(tmp_path / "own.mp4")
    kept = bands(reels.samples(made(tmp_path, Mix(bed, own, use="keep"), LONG)[0]), 1.2, 1.8)
    assert kept[1] > kept[0] + 40
    dropped = bands(reels.samples(made(tmp_path, Mix(bed, own, use="drop"), LONG)[0]), 1.2, 1.8)
    assert dropped[0] > dropped[1] + 40
    alone = bands(reels.samples(made(tmp_path, Mix("", own), LONG)[0]), 1.2, 1.8)
    assert alone[1] > alone[0] + 40
    assert made(tmp_path, Mix("", own, use="drop")) == ("", None)
    with pytest.raises(MediaError, match="can't be 'louder'"):
        made(tmp_path, Mix(bed, own, use="louder"))


def test_gain_sets_the_bed_against_the_speech(tmp_path: pathlib.Path) -> None:
    """A bed at −12 dB is that much lower beside the clip's own sound; alone, everything is at −14 LUFS anyway."""
    bed, own = reels.tone(tmp_path / "bed.wav", seconds=6), speech(tmp_path / "own.mp4")
    plain, low = (bands(reels.samples(made(tmp_path, Mix(bed, own, gain=g), LONG)[0]), 1.4, 1.9) for g in (0.0, -12.0))
    assert (plain[0] - plain[1]) - (low[0] - low[1]) > 5
    _, found = made(tmp_path, Mix(bed, gain=-12.0))
    assert found is not None
    assert abs(found.loudness + 14) <= 1


def test_silence_stays_silence(tmp_path: pathlib.Path) -> None:
    """No sound, or a file in which nothing is heard, is no sound: noise is never pulled up."""
    quiet = reels.made(tmp_path / "quiet.wav", "-f", "lavfi", "-i", "anullsrc=d=2")
    assert made(tmp_path, Mix()) == ("", None)
    assert made(tmp_path, Mix(bed=quiet)) == ("", None)


def test_the_same_bytes_each_time(tmp_path: pathlib.Path) -> None:
    """Runs of the same ducked mix, beside each other so that frames arrive at odd moments, are equal byte for byte."""
    bed, own = reels.tone(tmp_path / "bed.mp3", seconds=3), speech(tmp_path / "own.mp4", 2.0)
    folders = [tmp_path / str(number) for number in range(8)]
    for folder in folders:
        folder.mkdir()
    with ThreadPoolExecutor(4) as side:
        list(side.map(lambda folder: made(folder, Mix(bed, own)), folders))
    assert len({(folder / "sound.m4a").read_bytes() for folder in folders}) == 1


def test_no_sound_file_is_told(tmp_path: pathlib.Path) -> None:
    """Text, a picture, a playlist or an empty file is refused with what is read, before ffmpeg sees it."""
    for number, data in enumerate((b"", b"x", b"hello there, this is text", b"\x89PNG\r\n\x1a\n" + bytes(20), b"#EXTM3U\nhttp://x/a.ts\n")):
        path = tmp_path / f"{number}.mp3"
        path.write_bytes(data)
        with pytest.raises(MediaError, match="not a sound file"):
            made(tmp_path, Mix(bed=str(path)))


def test_a_bed_without_a_sample_is_told(tmp_path: pathlib.Path) -> None:
    """At once: a loop over nothing would never end. One of a millisecond is a bed, of a kind."""
    bed = tmp_path / "bed.wav"
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36, b"WAVE", b"fmt ", 16, 1, 2, 48000, 192000, 4, 16, b"data", 0)
    bed.write_bytes(head)
    began = time.monotonic()
    with pytest.raises(MediaError, match="empty"):
        made(tmp_path, Mix(bed=str(bed)))
    assert time.monotonic() - began < 30
    short = reels.made(tmp_path / "short.wav", "-f", "lavfi", "-i", "sine=440:d=0.001")
    assert made(tmp_path, Mix(bed=short))[1] is not None


def test_a_damaged_sound_is_told(tmp_path: pathlib.Path) -> None:
    """A file that is only a header is an error, not silence."""
    whole = pathlib.Path(reels.tone(tmp_path / "whole.flac", seconds=2)).read_bytes()
    path = tmp_path / "cut.flac"
    path.write_bytes(whole[:60])
    with pytest.raises(MediaError):
        made(tmp_path, Mix(bed=str(path)))
