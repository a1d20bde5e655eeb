"""The arithmetic of composing: exact where it must be, smooth where it is seen, the same every time."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from clipbuild.errors import MediaError
from clipbuild.media import canvas, ground
from clipbuild.media.ground import Stage


@pytest.mark.parametrize(("text", "expected"), [("#ff8000", (255, 128, 0)), ("#fff", (255, 255, 255)), ("123456", (18, 52, 86))])
def test_colours_are_read(text: str, expected: tuple[int, int, int]) -> None:
    """Long and short hexadecimal."""
    assert canvas.colour(text) == expected


@pytest.mark.parametrize("text", ["", "#12", "red", "#gggggg", "#1234567", "\x1b[31m"])
def test_other_words_are_no_colours(text: str) -> None:
    """Anything else is refused and shown escaped."""
    with pytest.raises(MediaError, match="is no colour") as caught:
        canvas.colour(text)
    assert "\x1b" not in str(caught.value)


def test_dither_breaks_bands_and_keeps_the_mean() -> None:
    """A gradient of less than one level has no bands of one value, and its mean is right within a hundredth."""
    slope = np.linspace(100.0, 101.0, 512, dtype=np.float32)[None, :, None] * np.ones((512, 1, 3), np.float32)
    made = canvas.dithered(slope)
    assert abs(float(made.mean()) - 100.5) < 0.01
    assert set(np.unique(made)) == {100, 101}
    assert (made[:, 200:312, 0] == 100).mean() == pytest.approx(0.5, abs=0.05)
    assert np.array_equal(made, canvas.dithered(slope))


def test_blur_keeps_the_mean_and_spreads_as_told() -> None:
    """A spot's mass stays, and its width is the deviation asked for, small or wide."""
    for sigma in (2.0, 5.0, 15.0, 40.0):
        spot = np.zeros((401, 401), np.float32)
        spot[200, 200] = 1000
        made = canvas.blurred(spot, sigma)
        assert made.sum() == pytest.approx(1000, rel=0.02)
        x = np.arange(401) - 200
        spread = float((made.sum(axis=0) * x**2).sum() / made.sum()) ** 0.5
        assert spread == pytest.approx(sigma, rel=0.25)


def test_cover_never_stretches() -> None:
    """A circle stays a circle in any frame."""
    photo = np.zeros((300, 500, 3), np.uint8)
    cv2.circle(photo, (250, 150), 50, (255, 255, 255), -1)
    for size in ((200, 400), (400, 200), (300, 300)):
        made = canvas.cover(photo, *size)[:, :, 0] > 128
        rows, columns = np.flatnonzero(made.any(axis=1)), np.flatnonzero(made.any(axis=0))
        assert abs(len(rows) - len(columns)) <= 2


def test_steady_gives_back_what_it_took() -> None:
    """Threads and shortcuts are as before afterwards, also after a fault."""
    before = cv2.getNumThreads(), cv2.useOptimized()
    inside = []

    def failing() -> None:
        with canvas.steady():
            inside.append(cv2.getNumThreads())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()
    assert inside == [1]
    assert (cv2.getNumThreads(), cv2.useOptimized()) == before


@pytest.mark.parametrize("channels", [3, 4])
def test_saved_pictures_are_what_they_were(tmp_path: Path, channels: int) -> None:
    """PNG keeps every level, in RGB order."""
    from PIL import Image

    picture = np.random.default_rng(1).integers(0, 256, (20, 30, channels), dtype=np.uint8)
    canvas.save(str(tmp_path / "a.png"), picture)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "a.png")), picture)


GROUNDS = {
    "plain": lambda w, h: ground.plain(w, h, (224.0, 163.0, 58.0)),
    "gradient": lambda w, h: ground.gradient(w, h, (224.0, 163.0, 58.0), (36.0, 68.0, 58.0)),
    "studio": lambda w, h: ground.studio(w, h, (224.0, 220.0, 200.0), (200.0, 190.0, 170.0), Stage()),
    "dark studio": lambda w, h: ground.studio(w, h, (20.0, 22.0, 30.0), (30.0, 30.0, 36.0), Stage()),
    "surface": lambda w, h: ground.surface(w, h, (200.0, 190.0, 170.0), Stage()),
    "card": lambda w, h: ground.card(w, h, (36.0, 68.0, 58.0), (224.0, 163.0, 58.0), (240.0, 235.0, 224.0), (20, 20, 90, 90), None),
}


@pytest.mark.parametrize("name", GROUNDS)
@pytest.mark.parametrize("size", [(270, 480), (480, 270), (300, 300)])
def test_grounds_fill_the_frame_and_stay_in_range(name: str, size: tuple[int, int]) -> None:
    """Every ground is a whole picture in 0..255 that is neither flat nor clipped."""
    made = GROUNDS[name](*size)
    assert made.shape == (size[1], size[0], 3)
    assert made.dtype == np.float32
    assert made.min() >= 0
    assert made.max() <= 255
    assert made.std() > 0.5


@pytest.mark.parametrize("name", ["plain", "gradient", "studio", "dark studio", "surface"])
def test_grounds_are_smooth(name: str) -> None:
    """Light falls without an edge: no step between neighbours is visible."""
    made = GROUNDS[name](270, 480)
    for axis in (0, 1):
        assert np.abs(np.diff(made, axis=axis)).max() < 4


def test_a_ground_keeps_its_colour() -> None:
    """The brand's colour is the ground's colour: the mean is near it."""
    made = ground.plain(270, 480, (224.0, 163.0, 58.0)).mean(axis=(0, 1))
    assert np.abs(made - (224, 163, 58)).max() < 22
