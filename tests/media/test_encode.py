"""The file that is delivered: what every place takes, the same bytes each time, sound or silence, and no trace of us."""

import pathlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from clipbuild.errors import MediaError
from clipbuild.media import boxes, encode, probe, sound
from clipbuild.media.encode import Target
from tests.support import reels
from tests.support.reels import PROGRAM

TARGET = Target(96, 160, Fraction(30), 30)


def pictures(target: Target) -> Iterator[memoryview]:
    """Frames of a soft pattern that moves."""
    y, x = np.mgrid[0 : target.height, 0 : target.width]
    half = np.full(target.width * target.height // 2, 128, np.uint8).tobytes()
    for index in range(target.count):
        luma = (128 + 60 * np.sin((x + 2 * index) / 9) + 40 * np.cos((y - index) / 7)).astype(np.uint8)
        yield memoryview(luma.tobytes() + half)


def encoded(path: pathlib.Path, target: Target = TARGET, heard: Callable[[], str] | None = None) -> str:
    encode.encode(PROGRAM, target, pictures(target), str(path), heard)
    return str(path)


@pytest.fixture(scope="module")
def bed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A sound, made ready for TARGET."""
    folder = tmp_path_factory.mktemp("sound")
    tone = reels.tone(folder / "tone.wav")
    return sound.make(PROGRAM, TARGET, sound.Mix(bed=tone), str(folder))[0]


@pytest.mark.parametrize("heard", ["none", "silent", "bed"])
def test_it_is_what_every_place_takes(tmp_path: pathlib.Path, bed: str, heard: str) -> None:
    """H.264 High with tagged BT.709, even frames, stereo AAC at 48 kHz even where nothing is heard, index first, no
    edit list, not fragmented; every frame decodes without a complaint."""
    given = {"none": None, "silent": lambda: "", "bed": lambda: bed}[heard]
    path = encoded(tmp_path / "clip.mp4", heard=given)
    facts = probe.probe(PROGRAM, path)
    spec = {"width": 96, "height": 160, "fps": 30, "frames": 30, "seconds": 1.0, "codec": "avc1", "pixels": "yuv420p", "sound_rate": 48000}
    assert probe.check(facts, spec) == []
    assert (facts.profile, facts.index_first, facts.edited, facts.even) == (100, True, False, True)
    assert not boxes.read(path).fragmented
    assert sorted(p.name for p in tmp_path.iterdir()) == ["clip.mp4"]
    level = reels.loud(reels.samples(path))
    assert level > -25 if heard == "bed" else level < -90


@pytest.mark.parametrize("fps", ["24", "25", "30000/1001", "60"])
def test_frame_rates(tmp_path: pathlib.Path, fps: str) -> None:
    """Each frame rate is exact, and all frames are there, with sound and without."""
    target = replace(TARGET, fps=Fraction(fps), count=31)
    for given in (None, lambda: ""):
        facts = probe.probe(PROGRAM, encoded(tmp_path / "clip.mp4", target, given))
        assert (facts.rate, facts.frames, facts.even) == (Fraction(fps), 31, True)


def test_the_same_bytes_each_time(tmp_path: pathlib.Path, bed: str) -> None:
    """Two encodes of the same frames are equal byte for byte."""
    first, second = (encoded(tmp_path / name, heard=lambda: bed) for name in ("a.mp4", "b.mp4"))
    assert pathlib.Path(first).read_bytes() == pathlib.Path(second).read_bytes()


def test_nothing_of_us_is_in_it(tmp_path: pathlib.Path, bed: str) -> None:
    """No date, no path, no name of a machine; the one trace is x264's own settings."""
    data = pathlib.Path(encoded(tmp_path / "clip.mp4", heard=lambda: bed)).read_bytes()
    assert str(tmp_path).encode() not in data
    assert b"Lavf" not in data
    movie = data[data.index(b"mvhd") :]
    assert movie[8:16] == bytes(8)  # made and changed: never


def test_groups_are_short_and_closed(tmp_path: pathlib.Path) -> None:
    """A place to seek to comes at least every two seconds."""
    target = replace(TARGET, count=130)
    path = encoded(tmp_path / "long.mp4", target)
    words = ("-f", "null", "-vf", "showinfo", "-fps_mode", "passthrough")
    import subprocess

    done = subprocess.run([PROGRAM, "-i", path, *words, "-"], capture_output=True, text=True, check=True)
    keys = [i for i, line in enumerate(row for row in done.stderr.splitlines() if "iskey:" in row) if "iskey:1" in line]
    assert keys[0] == 0
    assert max(b - a for a, b in zip(keys, [*keys[1:], 130], strict=True)) <= 60


def test_the_picture_survives(tmp_path: pathlib.Path) -> None:
    """At CRF 20 the decoded frames are near what was given, each at its place."""
    found = reels.frames(encoded(tmp_path / "clip.mp4", heard=lambda: ""), (96, 160))
    for frame, given in zip(found, pictures(TARGET), strict=True):
        luma = np.frombuffer(given, np.uint8)[: 96 * 160].reshape(160, 96)
        assert np.abs(frame.astype(int) - luma).mean() < 2.5


def test_sound_never_outlasts_the_picture() -> None:
    """Whole AAC frames and their run-up end within the picture, at any length and rate."""
    for count in (1, 24, 30, 31, 149, 150, 1800):
        for fps in (Fraction(24), Fraction(30000, 1001), Fraction(60)):
            target = replace(TARGET, count=count, fps=fps)
            assert target.samples % 1024 == 0
            assert target.samples + 1024 <= target.seconds * 48000 + 1e-6 or target.samples == 1024


@pytest.mark.parametrize(("change", "said"), [
    ({"width": 95}, "no size for a clip"), ({"height": 8}, "no size for a clip"), ({"preset": "warp"}, "no preset 'warp'"),
    ({"crf": 60}, "out of range"), ({"fps": Fraction(200)}, "out of range"),
])  # fmt: skip
def test_what_cannot_be_encoded_is_refused(tmp_path: pathlib.Path, change: dict[str, object], said: str) -> None:
    """Odd sizes, unknown presets and values out of range are told before anything runs."""
    with pytest.raises(MediaError, match=said):
        encoded(tmp_path / "clip.mp4", replace(TARGET, **change))  # type: ignore[arg-type]


def test_too_few_frames_are_an_error(tmp_path: pathlib.Path) -> None:
    """A producer that stops early makes no clip."""
    short = list(pictures(TARGET))[:-3]
    with pytest.raises(MediaError, match="came out short"):
        encode.encode(PROGRAM, TARGET, short, str(tmp_path / "clip.mp4"))


def test_an_error_of_the_producer_is_the_error(tmp_path: pathlib.Path) -> None:
    """What drawing raises arrives as it is, and the encoder is gone."""
    def failing() -> Iterator[memoryview]:
        yield from list(pictures(TARGET))[:3]
        raise MediaError("the photo is torn")

    with pytest.raises(MediaError, match="the photo is torn"):
        encode.encode(PROGRAM, TARGET, failing(), str(tmp_path / "clip.mp4"))
