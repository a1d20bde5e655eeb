"""Boxes, shadows and what lies on a canvas."""

import numpy as np

from clipbuild.media.shapes import Canvas, Rect, blurred, round_mask


def test_a_box_covers_its_area() -> None:
    """Coverage adds up to the area, corners are round, edges between pixels are half."""
    mask, x, y = round_mask(Rect(10, 20, 50.5, 40), 0)
    assert abs(mask.sum() / 255 - 40.5 * 20) < 1
    assert abs(int(mask[30 - y, 50 - x]) - 128) <= 1
    rounded, _, _ = round_mask(Rect(10, 20, 50, 40), 10)
    assert abs(rounded.sum() / 255 - (40 * 20 - (4 - np.pi) * 100)) < 4


def test_a_blur_keeps_the_amount() -> None:
    """What a shadow spreads it does not lose."""
    mask = np.zeros((40, 40), np.uint8)
    mask[15:25, 15:25] = 255
    soft, pad = blurred(mask, 4)
    assert soft.shape == (40 + 2 * pad, 40 + 2 * pad)
    assert abs(int(soft.sum()) - int(mask.sum())) < 0.02 * mask.sum()
    assert soft.max() < 255


def test_a_canvas_is_cropped_to_what_was_drawn() -> None:
    """With straight colours and the place in the frame; what lies outside is cut off; nothing drawn is one pixel."""
    canvas = Canvas(Rect(100, 100, 200, 200))
    canvas.box(Rect(120, 130, 140, 150), 0, (200, 100, 50), 0.5)
    canvas.box(Rect(90, 90, 95, 95), 0, (1, 1, 1))
    x, y, rgba = canvas.cropped()
    assert (x, y, rgba.shape) == (120, 130, (20, 20, 4))
    assert abs(rgba[10, 10].astype(int) - [200, 100, 50, 128]).max() <= 1
    assert Canvas(Rect(0, 0, 9, 9)).cropped()[2].shape == (1, 1, 4)


def test_what_is_laid_later_lies_above() -> None:
    """Opaque over half: only the later one is seen."""
    canvas = Canvas(Rect(0, 0, 10, 10))
    canvas.box(Rect(0, 0, 10, 10), 0, (255, 0, 0), 0.5)
    canvas.box(Rect(2, 2, 8, 8), 0, (0, 255, 0))
    assert list(canvas.cropped()[2][5, 5]) == [0, 255, 0, 255]
