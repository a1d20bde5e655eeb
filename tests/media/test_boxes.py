"""The boxes of an MP4: what its index says, read within bounds, whatever the file does."""

import pathlib
import random
import struct

import pytest

from clipbuild.errors import MediaError
from clipbuild.media import boxes
from tests.support import reels


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A small clip with sound, as ffmpeg leaves it: index last, with an edit list."""
    path = tmp_path_factory.mktemp("boxes") / "clip.mp4"
    reels.clip(path, (96, 160), "25", 0.6, "sine=f=300", "-bf", "2", "-preset", "medium", "-vf",
               "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709")  # fmt: skip
    return path.read_bytes()


def read(tmp_path: pathlib.Path, data: bytes) -> boxes.Movie:
    path = tmp_path / "clip.mp4"
    path.write_bytes(data)
    return boxes.read(str(path))


def test_what_the_index_says(tmp_path: pathlib.Path, whole: bytes) -> None:
    """Tracks with their codec, size, times, rate, colours, profile and edits."""
    movie = read(tmp_path, whole)
    picture, sound = movie.track("vide"), movie.track("soun")
    assert picture is not None
    assert sound is not None
    assert (picture.codec, picture.width, picture.height, picture.samples) == ("avc1", 96, 160, 15)
    assert picture.seconds == pytest.approx(0.6)
    assert [step / picture.scale for step in picture.steps] == [pytest.approx(0.04)]
    assert (picture.pixels, picture.colour, picture.profile) == ("yuv420p", (1, 1, 1, 0), 100)
    assert picture.edits
    assert (sound.codec, sound.channels, sound.rate) == ("mp4a", 1, 44100)
    assert not movie.index_first
    assert not movie.fragmented
    assert movie.size == len(whole)
    assert movie.track("text") is None


def test_index_first_and_fragments_are_seen(tmp_path: pathlib.Path) -> None:
    """A fast-start file says so, and so does a fragmented one."""
    first = reels.clip(tmp_path / "first.mp4", seconds=0.4)
    assert not boxes.read(first).index_first
    moved = reels.made(tmp_path / "moved.mp4", "-i", first, "-c", "copy", "-movflags", "+faststart")
    assert boxes.read(moved).index_first
    parts = reels.made(tmp_path / "parts.mp4", "-i", first, "-c", "copy", "-movflags", "+frag_keyframe+empty_moov")
    assert boxes.read(parts).fragmented


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "gray"])
def test_the_form_of_samples(tmp_path: pathlib.Path, pixels: str) -> None:
    """Chroma format and depth come out of the encoder's own configuration."""
    words = ("-f", "lavfi", "-i", "testsrc2=s=64x64:d=0.2", "-c:v", "libx264", "-pix_fmt", pixels)
    track = boxes.read(reels.made(tmp_path / "clip.mp4", *words)).track("vide")
    assert track is not None
    assert track.pixels == pixels


def test_every_cut_is_told(tmp_path: pathlib.Path, whole: bytes) -> None:
    """A file cut anywhere is refused."""
    for length in [0, 1, 7, 8, 15, 40, *range(100, len(whole), len(whole) // 60), len(whole) - 1]:
        with pytest.raises(MediaError):
            read(tmp_path, whole[:length])


def test_any_damage_to_the_index_is_survived(tmp_path: pathlib.Path, whole: bytes) -> None:
    """With any bytes of the index changed it answers or raises MediaError, nothing else, in little time."""
    seed = random.randrange(1 << 30)
    print("seed", seed)
    rng = random.Random(seed)
    start = whole.index(b"moov")
    for _ in range(1500):
        data = bytearray(whole)
        for _ in range(rng.choice((1, 1, 2, 8))):
            data[rng.randrange(start, len(data))] = rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))
        try:
            movie = read(tmp_path, bytes(data))
        except MediaError:
            continue
        assert len(movie.tracks) <= 20


def test_lengths_that_lie_cost_nothing(tmp_path: pathlib.Path) -> None:
    """A box that claims gigabytes, none at all, or a hundred thousand boxes of nothing: an error at once."""
    head = struct.pack(">I4s8s", 16, b"ftyp", b"isom\0\0\0\0")
    for tail in (
        struct.pack(">I4s", 0xFFFFFFF0, b"moov"), struct.pack(">I4sQ", 1, b"moov", 1 << 60), struct.pack(">I4s", 4, b"moov"),
        struct.pack(">I4s", 8, b"free") * 100_000, struct.pack(">I4s", 8, b"moov") + struct.pack(">I4s", 8, b"mdat"),
        struct.pack(">I4s", 8, b"moov") * 2 + struct.pack(">I4s", 8, b"mdat"),
    ):  # fmt: skip
        with pytest.raises(MediaError):
            read(tmp_path, head + tail)


def test_a_missing_file_is_told() -> None:
    """No file is an error with words."""
    with pytest.raises(MediaError, match="No such file"):
        boxes.read("/nowhere/clip.mp4")
