"""Reading clips: facts as the container has them, every frame once, damage and disguises refused."""

import pathlib
import shutil
import subprocess

import imageio_ffmpeg
import numpy as np
import pytest

from clipbuild.errors import MediaError
from clipbuild.media import clipcheck, clipmeasures, clipreader
from tests.support import stills

FFMPEG = shutil.which("ffmpeg") or imageio_ffmpeg.get_ffmpeg_exe()


def encode(path: pathlib.Path, frames: list[stills.Picture], *options: str, sound: bool = True) -> pathlib.Path:
    height, width = frames[0].shape[:2]
    tone = ["-f", "lavfi", "-i", f"sine=440:duration={len(frames) / 30}"] if sound else []
    subprocess.run(
        [FFMPEG, "-y", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", "30",
         "-i", "-", *tone, "-c:v", "libx264", "-preset", "ultrafast", "-crf", "18", "-pix_fmt", "yuv420p",
         "-color_range", "tv", "-colorspace", "bt709", "-c:a", "aac", *options, str(path)],
        input=b"".join(frame.tobytes() for frame in frames), check=True,
    )  # fmt: skip
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    frames = stills.push(stills.bottle(stills.blurred(720, 1280), tall=0.6), frames=45, size=(360, 640))
    return encode(tmp_path_factory.mktemp("clip") / "clip.mp4", frames, "-movflags", "+faststart")


def read(path: pathlib.Path) -> clipmeasures.Clip:
    told = clipreader.facts(str(path), FFMPEG)
    return clipmeasures.collect(clipreader.frames(str(path), FFMPEG, told), told["fps"])


def test_facts_are_the_containers(clip: pathlib.Path) -> None:
    """Size, rate, length, codec, colours, sound and the place of the index."""
    told = clipreader.facts(str(clip), FFMPEG)
    assert (told["width"], told["height"], told["fps"]) == (360, 640, 30.0)
    assert told["seconds"] == pytest.approx(1.5, abs=0.1)
    assert (told["codec"], told["pix_fmt"], told["range"], told["matrix"]) == ("h264", "yuv420p", "tv", "bt709")
    assert (told["audio"], told["faststart"]) == ("aac", True)


def test_an_index_at_the_end_is_seen(tmp_path: pathlib.Path) -> None:
    """Without faststart the index stands after the data."""
    path = encode(tmp_path / "late.mp4", stills.push(stills.plain(), frames=5), sound=False)
    assert clipreader.facts(str(path), FFMPEG)["faststart"] is False


def test_every_frame_is_read_once_and_looks_as_it_did(clip: pathlib.Path) -> None:
    """45 frames in, 45 out, of the picture that was encoded."""
    found = read(clip)
    assert len(found.grey) == 45
    first = stills.push(stills.bottle(stills.blurred(720, 1280), tall=0.6), frames=1, size=(360, 640))[0]
    assert np.abs(found.samples[0].astype(int) - first).mean() < 8


def test_an_encoded_push_in_is_ready(clip: pathlib.Path) -> None:
    """Encoding does not raise false alarms, and the move is still measured to half a percent."""
    asked = clipcheck.Asked(motion={"zoom": 1.06})
    values = clipcheck.measure(read(clip), asked)
    assert values["zoom"] == pytest.approx(1.06, abs=0.005)
    assert clipcheck.judge(values, clipcheck.limits(), asked, 30.0).verdict == "ready"


def test_loudness_is_measured(clip: pathlib.Path) -> None:
    """ffmpeg's sine of an eighth of full scale is about −21 LUFS with peaks at −18 dB."""
    found = clipreader.loudness(str(clip), FFMPEG)
    assert found["loudness"] == pytest.approx(-21.5, abs=1.5)
    assert found["true_peak"] == pytest.approx(-18, abs=1.5)


def test_webm_is_read_too(tmp_path: pathlib.Path) -> None:
    """Matroska is told from MP4 by its content, whatever the name."""
    frames = stills.push(stills.plain(), frames=5, size=(64, 96))
    path = encode(tmp_path / "clip.mkv", frames, sound=False).rename(tmp_path / "clip.mp4")
    assert clipreader.container(str(path)) == "matroska"
    assert len(read(path).grey) == 5


@pytest.mark.parametrize("share", [0.9, 0.5, 0.2])
def test_a_clip_cut_short_is_refused(clip: pathlib.Path, tmp_path: pathlib.Path, share: float) -> None:
    """Damage is an error, never a shorter clip."""
    data = clip.read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: int(len(data) * share)])
    with pytest.raises(MediaError):
        read(tmp_path / "cut.mp4")


def test_flipped_bytes_are_refused_or_harmless(clip: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Whatever is done to the bytes: all frames or a MediaError, nothing else."""
    data = clip.read_bytes()
    rng = np.random.default_rng(8)
    for _ in range(12):
        bad = bytearray(data)
        for _ in range(20):
            bad[int(rng.integers(0, len(bad)))] = int(rng.integers(0, 256))
        (tmp_path / "bad.mp4").write_bytes(bad)
        try:
            assert len(read(tmp_path / "bad.mp4").grey) <= 45
        except MediaError:
            continue


@pytest.mark.parametrize(
    "text",
    ["#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n", "ffconcat version 1.0\nfile /etc/passwd\n", "<html>", "", "v=0\r\no=- 0 0"],
)
def test_playlists_and_pages_are_no_clips(tmp_path: pathlib.Path, text: str) -> None:
    """Text under a clip's name is refused before ffmpeg is started."""
    path = tmp_path / "clip.mp4"
    path.write_text(text)
    assert clipreader.container(str(path)) == ""
    with pytest.raises(MediaError, match="neither"):
        clipreader.facts(str(path), "/nonexistent/ffmpeg")


def test_names_are_no_options(clip: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file whose name looks like an option, a pattern or a protocol is just a file."""
    monkeypatch.chdir(tmp_path)
    for name in ("-i", "clip%03d.mp4", "concat:a|b.mp4"):
        shutil.copy(clip, tmp_path / name)
        assert clipreader.facts(name, FFMPEG)["width"] == 360
