"""What is measured on frames: counts and times that can be worked out by hand."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from clipbuild.media import clipmeasures, clipmotion
from clipbuild.media.clipmeasures import Clip
from clipbuild.media.clipmotion import Grey
from clipbuild.media.subject import to_lab


def scene(seed: int = 1, size: tuple[int, int] = (120, 200)) -> Grey:
    """An RGB picture with something everywhere."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 255, (size[1] // 6, size[0] // 6, 3)).astype(np.uint8)
    return np.asarray(cv2.GaussianBlur(cv2.resize(small, size), (0, 0), 1.0))


def moving(count: int) -> list[Grey]:
    """Frames that travel a pixel each."""
    wide = scene(size=(240, 200))
    return [wide[:, n : n + 120].copy() for n in range(count)]


def times(frames: Sequence[Grey]) -> dict[str, float]:
    """The values of these frames at 10 a second."""
    return clipmeasures.time_values(clipmeasures.collect(frames, 10.0))


def test_frames_are_read_once_and_sampled() -> None:
    """Grey of each, a colour sample every so many and of the last, with their numbers."""
    clip = clipmeasures.collect(iter(moving(20)), 10.0, every=8)
    assert len(clip.grey) == 20
    assert clip.at == (0, 8, 16, 19)
    assert len(clip.samples) == 4
    assert clipmeasures.collect(iter(moving(17)), 10.0, every=8).at == (0, 8, 16)


def test_large_frames_are_made_small() -> None:
    """About 270 px on the short side, colour samples of twice that; small ones stay as they are."""
    clip = clipmeasures.collect([scene(size=(1080, 1920))], 30.0)
    assert clip.grey[0].shape == (480, 270)
    assert clip.samples[0].shape == (960, 540, 3)
    assert clipmeasures.collect([scene()], 30.0).grey[0].shape == (200, 120)


def test_hidden_boxes_are_painted_over() -> None:
    """Text there does not count, and the caller's frames are not touched."""
    frame = scene()
    before = frame.copy()
    clip = clipmeasures.collect([frame], 10.0, [(0.25, 0.5, 0.75, 0.75)])
    assert (clip.grey[0][100:150, 30:90] == 128).all()
    assert (frame == before).all()
    assert not (clip.grey[0][:100] == 128).all()


def test_a_clip_without_fault() -> None:
    """No black, no freeze, nothing doubled, no cut."""
    told = times(moving(30))
    assert (told["frames"], told["black"], told["frozen"], told["doubled"]) == (30, 0, 0, 0)
    assert told["cut"] < 0.1


def test_black_and_frozen_are_the_longest_run() -> None:
    """In frames: five black ones, then three; a picture that stands for seven."""
    frames = moving(30)
    dark = np.zeros_like(frames[0])
    told = times([*frames[:5], *[dark] * 5, *frames[5:10], *[dark] * 3, *frames[10:]])
    assert told["black"] == 5
    assert times([*frames[:10], *[frames[9]] * 6, *frames[10:]])["frozen"] == 7


def test_doubled_frames_are_a_share() -> None:
    """Half the steps of a clip at half its rate are none."""
    assert times([f for frame in moving(15) for f in (frame, frame)])["doubled"] == pytest.approx(15 / 29)


def test_the_cut_has_its_time() -> None:
    """Where the picture becomes another one, in seconds."""
    told = times([*moving(20), *[255 - frame for frame in moving(20)]])
    assert told["cut"] > 0.5
    assert told["cut_at"] == pytest.approx(2.0)


def test_flicker_is_of_light() -> None:
    """Frames that are lighter in turn flicker by about as many levels; a steady fade does not."""
    frames = moving(24)
    beat = [np.clip(f.astype(int) + (6 if n % 2 else 0), 0, 255).astype(np.uint8) for n, f in enumerate(frames)]
    fade = [np.clip(f.astype(int) - n, 0, 255).astype(np.uint8) for n, f in enumerate(frames)]
    assert times(beat)["flicker"] > 8
    assert times(fade)["flicker"] < 1.5


def test_likeness() -> None:
    """1 for the same picture, less with noise, near nothing for another; the worst tile tells where it is."""
    grey = cv2.cvtColor(scene(), cv2.COLOR_RGB2GRAY)
    other = cv2.cvtColor(scene(9), cv2.COLOR_RGB2GRAY)
    spoilt = grey.copy()
    spoilt[:25, :24] = other[:25, :24]
    assert clipmeasures.ssim(grey, grey) == pytest.approx((1.0, 1.0))
    mean, worst = clipmeasures.ssim(grey, spoilt)
    assert mean > 0.9
    assert worst < 0.6
    assert clipmeasures.ssim(grey, other)[0] < 0.4
    assert clipmeasures.ssim(grey, other) == pytest.approx(clipmeasures.ssim(other, grey))


def test_colours_that_drift() -> None:
    """How far the mean colour went: at the end, and at most on the way; light alone is no drift."""
    base = np.full((200, 120, 3), (150, 120, 100), np.uint8)
    red = np.full_like(base, (190, 100, 90))
    there_and_back = clipmeasures.collect([base, red, base], 10.0, every=1)
    told = clipmeasures.colour_values(there_and_back)
    away = np.hypot(*(to_lab(red)[0, 0] - to_lab(base)[0, 0])[1:])
    assert told["colour_drift"] == pytest.approx(0, abs=0.01)
    assert told["colour_most"] == pytest.approx(float(away), rel=0.01)
    grey = [np.full_like(base, level) for level in (100, 180)]
    assert clipmeasures.colour_values(clipmeasures.collect(grey, 10.0, every=1))["colour_most"] < 0.5


def test_the_seam_of_a_loop() -> None:
    """A clip that ends where it began joins well; one that travels away does not."""
    frames = moving(16)
    loop = clipmeasures.collect([*frames, *frames[-2::-1]], 10.0)
    away = clipmeasures.collect(moving(60), 10.0)
    path = clipmotion.follow(loop.grey)
    assert clipmeasures.loop_values(loop, path)["seam"] > 0.95
    assert clipmeasures.loop_values(loop, path)["seam_jump"] == pytest.approx(2, abs=0.3)
    assert clipmeasures.loop_values(away, clipmotion.follow(away.grey))["seam"] < 0.6
    assert clipmeasures.loop_values(away, clipmotion.follow(away.grey))["seam_jump"] < 0.3


@pytest.mark.parametrize("size", [(60, 100), (100, 60), (300, 300), (120, 200)])
def test_a_fitted_picture_fills_the_frame(size: tuple[int, int]) -> None:
    """The wanted size, whatever the shape, cut from the middle."""
    picture = np.zeros((200, 120, 3), np.uint8)
    picture[95:105, 55:65] = 255
    fitted = clipmeasures.fitted(picture, *size)
    assert fitted.shape[:2] == size[::-1]
    y, x = np.nonzero(fitted[..., 0] > 128)
    assert (y.mean() / size[1], x.mean() / size[0]) == pytest.approx((0.5, 0.5), abs=0.03)


def test_registering_finds_the_move() -> None:
    """A picture moved by some pixels is found to the tenth of one."""
    grey = cv2.cvtColor(scene(), cv2.COLOR_RGB2GRAY)
    moved = np.asarray(cv2.warpAffine(grey, np.array([[1, 0, 2.5], [0, 1, -1.25]]), (120, 200), borderMode=cv2.BORDER_REFLECT))
    assert clipmeasures.register(grey, moved)[:2, 2] == pytest.approx([2.5, -1.25], abs=0.15)


def label(clip: Clip, box: tuple[float, float, float, float] = (0.3, 0.4, 0.7, 0.6)) -> dict[str, float]:
    """The values of a label there."""
    return clipmeasures.label_values(clip, clipmotion.follow(clip.grey), box)


def test_a_label_that_changes() -> None:
    """Kept, it stays alike; repainted in the third sample it is told with that time."""
    frames = [scene()] * 6
    spoilt = scene().copy()
    spoilt[80:120, 36:84] = scene(7)[80:120, 36:84]
    assert label(clipmeasures.collect(frames, 10.0, every=1))["label_worst"] > 0.98
    told = label(clipmeasures.collect([*frames[:3], spoilt, *frames[4:]], 10.0, every=1))
    assert told["label_worst"] < 0.6
    assert told["label_at"] == pytest.approx(0.3)


def test_a_label_too_small_to_judge() -> None:
    """A few pixels say nothing: no fault is made up."""
    assert label(clipmeasures.collect([scene(), scene(3)], 10.0, every=1), (0.5, 0.5, 0.52, 0.52)) == {"label_worst": 1.0, "label_at": 0.0}


def test_a_body_whose_colour_changes() -> None:
    """The mean colour of the masked place against its first, in Lab; without a mask it is not told."""
    mask = np.zeros((200, 120), np.bool_)
    mask[60:140, 30:90] = True
    later = scene().copy()
    later[mask] = np.clip(later[mask].astype(int) + np.array([40, -20, -20]), 0, 255).astype(np.uint8)
    clip = clipmeasures.collect([scene(), scene(), later], 10.0, every=1)
    still = clipmotion.Path((np.eye(3), np.eye(3)), (120, 200))
    assert clipmeasures.body_values(clip, still, mask)["subject_colour"] > 8
    assert clipmeasures.body_values(clip, still, None)["subject_colour"] == 0.0
