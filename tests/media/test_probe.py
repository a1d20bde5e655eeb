"""What a clip really is: every frame decoded, nothing complained of, each way of being wrong told in words."""

import pathlib
import random
from dataclasses import replace
from fractions import Fraction

import pytest

from clipbuild.errors import MediaError
from clipbuild.media import probe
from tests.support import reels
from tests.support.reels import PROGRAM


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A whole clip with sound."""
    return reels.clip(tmp_path_factory.mktemp("probe") / "clip.mp4", sound="sine=f=300")


def test_facts_of_a_whole_clip(clip: str) -> None:
    """Size, rate, frames and seconds are what was made, and every frame decodes."""
    facts = probe.probe(PROGRAM, clip)
    assert (facts.width, facts.height, facts.rate, facts.frames) == (96, 160, Fraction(24), 24)
    assert facts.seconds == pytest.approx(1.0)
    assert facts.sound == "mp4a"
    assert facts.plain()["colour"] == list(facts.colour)


def test_damage_is_found_though_a_tool_may_exit_with_zero(tmp_path: pathlib.Path, clip: str) -> None:
    """A byte changed in the picture's data is told mostly (86 of 100 times), and never crashes; a cut file always is."""
    seed = random.randrange(1 << 30)
    print("seed", seed)
    rng = random.Random(seed)
    whole = pathlib.Path(clip).read_bytes()
    start, end = whole.index(b"mdat") + 1200, whole.index(b"moov") - 4000
    told = 0
    for number in range(30):
        data = bytearray(whole)
        at = rng.randrange(start, end)
        data[at : at + 40] = bytes(rng.randrange(256) for _ in range(40))
        path = tmp_path / f"{number}.mp4"
        path.write_bytes(data)
        try:
            probe.probe(PROGRAM, str(path))
        except MediaError as error:
            assert "damaged" in str(error)
            told += 1
    assert told >= 18, seed
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[:-10])
    with pytest.raises(MediaError, match="cut short"):
        probe.probe(PROGRAM, str(cut))


def test_an_index_that_promises_more_frames_is_told(tmp_path: pathlib.Path) -> None:
    """Frames missing at the end of the data are noticed by their count."""
    path = pathlib.Path(reels.clip(tmp_path / "clip.mp4", seconds=2.0))
    moved = pathlib.Path(reels.made(tmp_path / "moved.mp4", "-i", str(path), "-c", "copy", "-movflags", "+faststart"))
    data = bytearray(moved.read_bytes())
    at = data.index(b"mdat")
    keep = (len(data) - at) // 2
    data[at + keep :] = bytes(len(data) - at - keep)
    moved.write_bytes(data)
    with pytest.raises(MediaError, match="damaged"):
        probe.probe(PROGRAM, str(moved))


def test_every_fault_has_its_words(clip: str) -> None:
    """Each way a clip can differ from its spec is one sentence; none of them, and there is nothing to say."""
    good = replace(probe.facts(clip), colour=probe.BT709, index_first=True, edited=False, sound_channels=2, profile=100)
    spec = {"width": 96, "height": 160, "fps": 24, "frames": 24, "seconds": 1.0, "codec": "avc1", "pixels": "yuv420p"}
    assert probe.check(good, spec) == []
    for change, words in (
        ({"width": 90}, "width is 90, wanted 96"), ({"fps": "25"}, "fps is 25, wanted 24"), ({"frames": 20}, "frames is 20"),
        ({"seconds": 1.2}, "lasts 1.2 s"), ({"codec": "hev1"}, "codec is hev1"), ({"pixels": "yuv420p10le"}, "pixels is yuv420p10le"),
        ({"colour": ()}, "not tagged BT.709"), ({"profile": 110}, "profile is 110"), ({"even": False}, "not evenly spaced"),
        ({"index_first": False}, "index does not come first"), ({"edited": True}, "edit list"), ({"sound": ""}, "no AAC stereo"),
        ({"sound_seconds": 1.4}, "longer than its picture"),
    ):  # fmt: skip
        said = probe.check(replace(good, **change), spec)  # type: ignore[arg-type]
        assert len(said) == 1
        assert words in said[0]


def test_what_has_no_picture_is_told(tmp_path: pathlib.Path) -> None:
    """Sound alone, or text with the name of a clip, is no clip."""
    with pytest.raises(MediaError, match="no picture"):
        probe.facts(reels.tone(tmp_path / "tone.mp4"))
    text = tmp_path / "text.mp4"
    text.write_text("hello")
    with pytest.raises(MediaError):
        probe.facts(str(text))
