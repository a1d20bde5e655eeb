"""Formulas on pixels, against pictures whose answer is known."""

import io

import numpy as np
import pytest
from PIL import Image

from clipbuild.media import pixels
from clipbuild.media.pixels import Bytes


def ramp(step: float, size: int = 64) -> Bytes:
    """Grey that rises by `step` levels a pixel from left to right."""
    return np.clip(np.arange(size) * step, 0, 255).astype(np.uint8)[None, :].repeat(size, 0)


def noise(size: int = 128, seed: int = 1) -> Bytes:
    """Grey noise over all frequencies."""
    return np.random.default_rng(seed).integers(0, 256, (size, size)).astype(np.uint8)


@pytest.mark.parametrize("step", [0, 1, 2, 3])
def test_a_gradient_is_in_grey_levels_a_pixel(step: int) -> None:
    """A ramp of two levels a pixel has a gradient of two, whichever way it runs."""
    middle = (slice(8, -8), slice(8, -8))
    assert pixels.gradient(ramp(step))[middle] == pytest.approx(step * 2, abs=0.01)
    assert pixels.gradient(ramp(step).T)[middle] == pytest.approx(step * 2, abs=0.01)


def test_deviation_is_that_of_the_window() -> None:
    """Nothing on a flat picture; half the step where black and white alternate."""
    assert pixels.deviation(np.full((32, 32), 80, np.uint8)).max() == 0
    stripes = (np.arange(32) % 2 * 100).astype(np.uint8)[None, :].repeat(32, 0)
    assert pixels.deviation(stripes)[16, 16] == pytest.approx(50, rel=0.02)


def blurred(sigma: float) -> Bytes:
    """One vertical edge, as soft as `sigma` pixels."""
    import cv2

    step = np.zeros((96, 96), np.uint8)
    step[:, 48:] = 200
    return np.asarray(cv2.GaussianBlur(step, (0, 0), sigma), np.uint8)


def test_a_softer_edge_is_wider() -> None:
    """In the order of its blur; a picture without an edge is as wide as can be."""
    everywhere = np.ones((96, 96), np.bool_)
    widths = [pixels.edge_width(grey, pixels.gradient(grey), everywhere, 99.0) for grey in map(blurred, (0.5, 1.0, 2.0, 3.0))]
    assert widths == sorted(widths)
    assert widths[-1] > 2 * widths[0]
    flat = np.full((96, 96), 90, np.uint8)
    assert pixels.edge_width(flat, pixels.gradient(flat), everywhere, 97.0) == 9.0


def test_an_upscaled_picture_has_less_true_detail() -> None:
    """Noise fills the spectrum; the same noise from half the size does not, from a quarter even less."""
    import cv2

    full = noise(256)
    sizes = [pixels.true_detail(np.asarray(cv2.resize(noise(256 // k), (256, 256), interpolation=cv2.INTER_CUBIC))) for k in (2, 4)]
    assert pixels.true_detail(full) > 0.95
    assert pixels.true_detail(full) > sizes[0] > sizes[1]
    assert pixels.true_detail(np.full((64, 64), 9, np.uint8)) == 0.0


def test_blocks_of_a_damaged_jpeg_stand_out() -> None:
    """The lower the quality the higher; a clean picture and one of the best quality stay below 1."""
    import cv2

    soft = np.asarray(cv2.GaussianBlur(noise(256), (0, 0), 4) * 2.0 % 256, np.uint8)

    def at(quality: int) -> float:
        out = io.BytesIO()
        Image.fromarray(soft).save(out, "JPEG", quality=quality)
        return pixels.blocking(np.asarray(Image.open(out)))

    assert pixels.blocking(soft) < 1
    assert at(95) < 1
    assert at(10) > at(30)
    assert at(10) > 1.5


def test_the_middle_keeps_blocks_aligned() -> None:
    """It begins at a multiple of eight and is no larger than asked; a small picture is kept whole."""
    grey = np.arange(100 * 130, dtype=np.uint32).reshape(100, 130)
    cut = pixels.middle(grey, 40)
    assert cut.shape == (40, 40)
    y, x = divmod(int(cut[0, 0]), 130)
    assert (y % 8, x % 8) == (0, 0)
    assert pixels.middle(grey, 500).shape == (100, 130)


def test_a_disc_is_round() -> None:
    """Odd, the same when turned, corners off; never empty."""
    for radius in (0, 1, 3, 7):
        kernel = pixels.disc(radius)
        assert kernel.shape == (2 * max(1, radius) + 1,) * 2
        assert (kernel == kernel[::-1, ::-1]).all()
    assert pixels.disc(5)[0, 0] == 0
    assert pixels.disc(5)[5, 5] == 1
