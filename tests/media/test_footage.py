"""A bought clip as what lies below: its frames at the right times and size, held, cut, or refused when damaged."""

import pathlib
import subprocess
from fractions import Fraction

import numpy as np
import pytest

from clipbuild.errors import MediaError
from clipbuild.media import color, footage, probe
from clipbuild.media.footage import Footage
from clipbuild.media.warp import LEVEL, MARGIN
from tests.support import reels
from tests.support.reels import PROGRAM

SIZE = (64, 96)


def opened(path: str, size: tuple[int, int] = SIZE, fps: Fraction = Fraction(24)) -> Footage:
    return Footage(PROGRAM, path, probe.facts(path), *size, fps)


def luma(shown: Footage, index: int) -> np.ndarray:
    plane = shown.rows(index)[0].colour
    return plane.data[MARGIN:-MARGIN, MARGIN:-MARGIN] / LEVEL


def stepping(path: pathlib.Path, fps: int = 24, count: int = 24) -> str:
    """A clip whose frame k is an even grey of 40 + 5k."""
    source = f"color=black:s=64x96:r={fps}:d={count / fps},geq=lum='40+5*N':cb=128:cr=128"
    return reels.made(path, "-f", "lavfi", "-i", source, "-c:v", "libx264", "-crf", "1", "-pix_fmt", "yuv420p",
                      "-colorspace", "bt709", "-color_range", "tv")  # fmt: skip


@pytest.mark.parametrize(("own", "wanted", "kept"), [
    ("24", "24", "24"), ("24", "30", "24"), ("25", "30", "25"), ("30", "60", "60"), ("60", "30", "30"), ("24", "60", "24"),
    ("24000/1001", "24", "24"), ("30000/1001", "30", "30"), ("12", "24", "24"), ("15", "30", "30"), ("16", "30", "30"),
    ("120", "30", "30"), ("50", "30", "50"),
])  # fmt: skip
def test_the_rate_is_changed_only_where_that_is_even(own: str, wanted: str, kept: str) -> None:
    """Frames are repeated or left out evenly; where that would judder (24 in 30) the clip keeps its own rate."""
    assert footage.rate(Fraction(own), Fraction(wanted)) == Fraction(kept)


def test_frames_in_order_and_the_last_held(tmp_path: pathlib.Path) -> None:
    """Frame k shows frame k; past the clip's end its last frame stays."""
    with opened(stepping(tmp_path / "clip.mp4")) as shown:
        tones = [float(luma(shown, index).mean()) for index in range(30)]
        shown.finish()
    assert np.allclose(tones[:24], 40 + 5 * np.arange(24), atol=1)
    assert tones[24:] == [tones[23]] * 6


def test_frames_are_repeated_or_left_out_evenly(tmp_path: pathlib.Path) -> None:
    """At twice the rate each frame stands twice, at half every second one."""
    path = stepping(tmp_path / "clip.mp4")
    for fps, wanted in ((48, [k // 2 for k in range(24)]), (12, [2 * k for k in range(12)])):
        with opened(path, fps=Fraction(fps)) as shown:
            tones = [float(luma(shown, index).mean()) for index in range(len(wanted))]
            shown.finish()
        assert np.allclose(tones, [40 + 5 * k for k in wanted], atol=1)


@pytest.mark.parametrize("own", [(128, 192), (192, 128), (48, 72), (100, 96)])
def test_it_covers_the_frame_and_keeps_its_shape(tmp_path: pathlib.Path, own: tuple[int, int]) -> None:
    """Any size covers the frame, cut at the middle: a centred disc stays centred and round."""
    far = f"hypot(X-{own[0] / 2}+0.5,Y-{own[1] / 2}+0.5)"
    source = f"color=black:s={own[0]}x{own[1]}:r=24:d=0.5,geq=lum='if(lt({far},{min(own) * 0.3}),200,40)':cb=128:cr=128"
    path = reels.made(tmp_path / "clip.mp4", "-f", "lavfi", "-i", source, "-c:v", "libx264", "-crf", "4", "-pix_fmt", "yuv420p")
    with opened(path) as shown:
        plane = luma(shown, 0)
        shown.finish()
    assert plane.shape == (96, 64)
    mass = np.clip(plane - 50, 0, None)
    y, x = np.mgrid[0:96, 0:64] + 0.5
    assert (mass * x).sum() / mass.sum() == pytest.approx(32, abs=0.6)
    assert (mass * y).sum() / mass.sum() == pytest.approx(48, abs=0.6)
    wide, high = (plane[48] > 120).sum(), (plane[:, 32] > 120).sum()
    assert abs(int(wide) - int(high)) <= 2
    assert plane[[0, 0, -1, -1], [0, -1, 0, -1]].max() < 60


def quartered(path: pathlib.Path, size: str, *more: str) -> str:
    """A clip that is light in its upper half and dark in its lower."""
    source = f"color=black:s={size}:r=24:d=0.5,geq=lum='if(lt(Y,H/2),200,60)':cb=128:cr=128"
    return reels.made(path, "-f", "lavfi", "-i", source, "-c:v", "libx264", "-crf", "4", "-pix_fmt", "yuv420p", *more)


def test_a_turned_clip_is_shown_upright_in_its_own_shape(tmp_path: pathlib.Path) -> None:
    """As telephones record it: lying frames that are to be turned by a quarter are a tall clip, none of it cut."""
    lying = quartered(tmp_path / "lying.mp4", "96x64")
    turned = str(tmp_path / "turned.mp4")
    subprocess.run([PROGRAM, "-v", "error", "-display_rotation", "90", "-i", lying, "-c", "copy", turned], check=True)
    facts = probe.facts(turned)
    assert (facts.width, facts.height) == (64, 96)
    with opened(turned) as shown:
        seen = luma(shown, 0)
        shown.finish()
    left, right = seen[:, :28].mean(), seen[:, 36:].mean()
    assert abs(left - right) > 100, "what was above is at a side now"


def test_pixels_that_are_not_square_are_shown_in_their_shape(tmp_path: pathlib.Path) -> None:
    """A clip of 48x96 wide pixels fills 96x96 as a whole: nothing is squeezed, nothing cut."""
    path = quartered(tmp_path / "wide.mp4", "48x96", "-vf", "setsar=2/1")
    assert (probe.facts(path).width, probe.facts(path).height) == (96, 96)
    with opened(path, (96, 96)) as shown:
        seen = luma(shown, 0)
        shown.finish()
    assert seen[:44].min() > 150
    assert seen[52:].max() < 110


def test_a_trimmed_clip_shows_what_its_edit_list_shows(tmp_path: pathlib.Path) -> None:
    """One cut without coding again, as telephones cut: it begins and ends there, and is no damaged clip."""
    whole, trimmed = stepping(tmp_path / "whole.mp4"), str(tmp_path / "trimmed.mp4")
    subprocess.run([PROGRAM, "-v", "error", "-ss", "0.3334", "-i", whole, "-t", "0.4", "-c", "copy", trimmed], check=True)
    facts = probe.facts(trimmed)
    assert facts.trimmed
    assert facts.seconds < 0.75
    with opened(trimmed) as shown:
        tones = [float(luma(shown, index).mean()) for index in range(30)]
        shown.finish()
    assert abs(tones[0] - (40 + 5 * 8)) <= 5.5
    assert tones[-1] == tones[28]


def test_frames_at_uneven_times_are_shown_at_theirs(tmp_path: pathlib.Path) -> None:
    """A screen recording stands still for half a second and then moves: it does so here too, and not on the average."""
    path = str(tmp_path / "uneven.mp4")
    chosen = "select='eq(n,0)+gte(n,12)'"
    subprocess.run([PROGRAM, "-v", "error", "-i", stepping(tmp_path / "whole.mp4"), "-vf", chosen, "-fps_mode", "vfr",
                    "-c:v", "libx264", "-crf", "1", "-bf", "0", path], check=True)  # fmt: skip
    assert not probe.facts(path).even
    with opened(path) as shown:
        tones = [float(luma(shown, index).mean()) for index in range(24)]
        shown.finish()
    assert np.allclose(tones[:12], 40, atol=1.5)
    assert np.allclose(tones[13:23], 40 + 5 * np.arange(13, 23), atol=6)
    many = footage.sample(PROGRAM, path, SIZE, [0.1, 0.2, 0.3, 0.4, 0.8])
    assert abs(int(many[3].mean()) - int(many[0].mean())) < 3
    assert int(many[4].mean()) > int(many[3].mean()) + 60


def test_colours_come_as_bt709(tmp_path: pathlib.Path) -> None:
    """A clip tagged BT.601 shows the same red as one tagged BT.709."""
    found = []
    for matrix in ("smpte170m", "bt709"):
        words = ("-f", "lavfi", "-i", "color=0xc02040:s=64x96:r=24:d=0.2", "-vf", f"scale=out_color_matrix={matrix}:out_range=tv,format=yuv420p")
        path = reels.made(tmp_path / f"{matrix}.mp4", *words, "-c:v", "libx264", "-colorspace", matrix, "-color_range", "tv")
        found.append(footage.sample(PROGRAM, path, SIZE, [0.0])[0].mean(axis=(0, 1)))
    assert np.abs(found[0] - found[1]).max() < 6
    assert np.abs(found[1] - (192, 32, 64)).max() < 6


def test_samples_are_the_frames_that_are_shown(tmp_path: pathlib.Path) -> None:
    """What is looked at for text is what lies there, whole and as a part."""
    path = stepping(tmp_path / "clip.mp4")
    whole, = footage.sample(PROGRAM, path, SIZE, [0.5])
    part, = footage.sample(PROGRAM, path, SIZE, [0.5], (4, 6, 20, 30))
    with opened(path) as shown:
        y = np.rint(luma(shown, 12)).astype(np.uint8)
    grey = np.full((48, 32), 128, np.uint8)
    assert np.abs(color.to_rgb(y, grey, grey).astype(int) - whole).max() <= 2
    assert (part == whole[6:30, 4:20]).all()
    with pytest.raises(MediaError, match="ends before"):
        footage.sample(PROGRAM, path, SIZE, [9.0])


def test_many_samples_are_the_same_as_single_ones(tmp_path: pathlib.Path) -> None:
    """One decoder for all of them sees what a decoder for each sees, in the order asked for."""
    path, times = stepping(tmp_path / "clip.mp4"), [0.5, 0.0, 0.26, 0.9, 0.5]
    together = footage.sample(PROGRAM, path, SIZE, times)
    for found, at in zip(together, times, strict=True):
        assert (found == footage.sample(PROGRAM, path, SIZE, [at])[0]).all()
    with pytest.raises(MediaError, match="ends before"):
        footage.sample(PROGRAM, path, SIZE, [0.0, 0.1, 0.2, 9.0])


def test_a_damaged_clip_is_refused_at_the_latest_at_its_end(tmp_path: pathlib.Path) -> None:
    """Damage behind the part that is used is found too."""
    path = pathlib.Path(reels.clip(tmp_path / "clip.mp4", seconds=2.0))
    data = bytearray(path.read_bytes())
    end = data.index(b"moov") - 4
    data[end - 3000 : end - 1500] = bytes(1500)
    path.write_bytes(data)
    with pytest.raises(MediaError, match="damaged"), opened(str(path)) as shown:  # noqa: PT012
        shown.rows(3)
        shown.finish()
