"""The cover: one frame of the finished clip as a JPEG, the right one, of its size, with nothing else in it."""

import pathlib

import numpy as np
import pytest
from PIL import Image

from clipbuild.errors import MediaError
from clipbuild.stages.cover import STAGE
from clipbuild.stages.workdir import Workdir
from tests.support import reels
from tests.support.reels import PROGRAM


def stepping(path: pathlib.Path) -> str:
    """A second of 24 frames, frame k an even grey of 40 + 8k."""
    source = "color=black:s=64x96:r=24:d=1,geq=lum='40+8*N':cb=128:cr=128"
    return reels.made(path, "-f", "lavfi", "-i", source, "-c:v", "libx264", "-crf", "1", "-pix_fmt", "yuv420p",
                      "-colorspace", "bt709", "-color_range", "tv")  # fmt: skip


def cover(folder: pathlib.Path, clip: str, at: float) -> pathlib.Path:
    work = Workdir("0" * 64, "acme/mug/cover", {"at": at}, {"video": clip}, str(folder), tools={"ffmpeg": PROGRAM})
    STAGE.run(work)
    return pathlib.Path(work.out("cover"))


@pytest.mark.parametrize(("at", "frame"), [(0.0, 0), (0.5, 12), (0.52, 12), (0.99, 23), (30.0, 23)])
def test_it_shows_the_frame_of_its_moment(tmp_path: pathlib.Path, at: float, frame: int) -> None:
    """The first frame at 0, the nearest one else, the last beyond the end; as large as the clip."""
    with Image.open(cover(tmp_path, stepping(tmp_path / "clip.mp4"), at)) as image:
        assert (image.format, image.size, image.mode) == ("JPEG", (64, 96), "RGB")
        grey = float(np.asarray(image.convert("L")).mean())
    assert grey == pytest.approx((40 + 8 * frame - 16) * 255 / 219, abs=3)


def test_same_bytes_and_nothing_else_in_it(tmp_path: pathlib.Path) -> None:
    """No date, name or place is in the file, and two covers are equal."""
    clip = stepping(tmp_path / "clip.mp4")
    first, second = (tmp_path / "a", tmp_path / "b")
    for folder in (first, second):
        folder.mkdir()
    data = cover(first, clip, 0.3).read_bytes()
    assert cover(second, clip, 0.3).read_bytes() == data
    assert b"Exif" not in data
    assert str(tmp_path).encode() not in data


def test_no_clip_no_cover(tmp_path: pathlib.Path) -> None:
    """A file that is no clip is told."""
    path = tmp_path / "text.mp4"
    path.write_text("hello")
    with pytest.raises(MediaError):
        cover(tmp_path, str(path), 0.0)
