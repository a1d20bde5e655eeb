"""Colours: BT.709 as the standard has it, chroma where H.264 has it, alpha that leaves no fringe, blur that is even."""

import numpy as np
import pytest

from clipbuild.media import color
from clipbuild.media.warp import LEVEL, MARGIN, ONE, Plane


def inside(plane: Plane) -> np.ndarray:
    return plane.data[MARGIN:-MARGIN, MARGIN:-MARGIN]


@pytest.mark.parametrize(("rgb", "ycc"), [
    ((0, 0, 0), (16, 128, 128)), ((255, 255, 255), (235, 128, 128)), ((255, 0, 0), (62.6, 102.3, 240)),
    ((0, 255, 0), (172.63, 41.66, 26.27)), ((0, 0, 255), (31.8, 240, 117.7)), ((128, 128, 128), (125.9, 128, 128)),
])  # fmt: skip
def test_corner_colours(rgb: tuple[int, int, int], ycc: tuple[float, float, float]) -> None:
    """Black, white, grey and the primaries are the numbers of BT.709, limited range, to a 16th of a level."""
    made = color.sheet(np.broadcast_to(np.array(rgb, np.uint8), (8, 8, 3)).copy())
    for plane, wanted in zip((made.y, made.u, made.v), ycc, strict=True):
        assert np.abs(inside(plane) / LEVEL - wanted).max() < 0.07
    assert inside(color.solid(rgb, 8, 8).y)[0, 0] == inside(made.y)[0, 0]


def test_there_and_back() -> None:
    """A soft picture comes back within a few levels."""
    y, x = np.mgrid[0:64, 0:96]
    rgb = np.stack([x * 2 + 20, y * 3 + 10, 200 - x], axis=2).astype(np.uint8)
    made = color.sheet(rgb)
    planes = [((inside(p) + LEVEL // 2) // LEVEL).astype(np.uint8) for p in (made.y, made.u, made.v)]
    assert np.abs(color.to_rgb(*planes).astype(int) - rgb).max() <= 4


def test_chroma_lies_on_even_columns_between_rows() -> None:
    """A step of colour between columns 9 and 10 is seen by chroma sample 4 (column 8) not at all and by sample 5
    (column 10) with three quarters: [1 2 1] / 4 about the even column."""
    rgb = np.zeros((8, 20, 3), np.uint8)
    rgb[:, 10:, 2] = 255
    blue = inside(color.sheet(rgb).u)[1] / LEVEL
    share = (blue - blue[0]) / (blue[-1] - blue[0])
    assert share[4] == pytest.approx(0, abs=0.01)
    assert share[5] == pytest.approx(0.75, abs=0.01)
    assert share[6] == pytest.approx(1, abs=0.01)


def test_colours_are_weighted_by_alpha() -> None:
    """What is see-through carries no colour, whatever its pixels say: no fringe can come of it."""
    rgb = np.full((8, 8, 3), 255, np.uint8)
    alpha = np.zeros((8, 8), np.uint8)
    alpha[:, 4:] = 255
    made = color.sheet(rgb, alpha)
    assert made.alpha is not None
    assert (inside(made.y)[:, :4] == 0).all()
    assert (inside(made.alpha)[:, 4:] == ONE).all()
    assert np.abs(inside(made.y)[:, 4:] / LEVEL - 235).max() < 0.1


def test_resizing_keeps_places_and_levels() -> None:
    """Made 0.8 times as large, an even sheet keeps its levels and a spot its place, in luma and in chroma alike."""
    y, x = np.mgrid[0:100, 0:120] + 0.5
    spot = np.exp(-((x - 60) ** 2 + (y - 50) ** 2) / 200)
    rgb = np.stack([40 + 180 * spot, 60 + 60 * spot, 200 - 150 * spot], axis=2).astype(np.uint8)
    small = color.resized(color.sheet(rgb), 0.8)
    assert small.size == (96, 80)
    luma, blue = inside(small.y).astype(float), inside(small.u).astype(float)
    assert centre(luma - luma[0, 0], 1, 0.5, 0.5) == pytest.approx((48, 40), abs=0.02)
    assert centre(blue - blue[0, 0], 2, 0.5, 1.0) == pytest.approx((48, 40), abs=0.05)  # sample k: column 2k + ½, row 2k + 1


def centre(weight: np.ndarray, pitch: int, left: float, top: float) -> tuple[float, float]:
    y, x = np.mgrid[0 : weight.shape[0], 0 : weight.shape[1]]
    total = weight.sum()
    return float((weight * (x * pitch + left)).sum() / total), float((weight * (y * pitch + top)).sum() / total)


def test_softening_is_even_and_keeps_the_sum() -> None:
    """A point becomes a round spot of the width asked for; an even sheet stays as it is."""
    rgb = np.zeros((80, 80, 3), np.uint8)
    rgb[40, 40] = 255
    soft = inside(color.softened(color.sheet(rgb), 9).y).astype(float)
    soft -= soft[0, 0]
    assert np.abs(soft - soft.T).max() <= 2
    rows = soft.sum(axis=1)
    deviation = np.sqrt((rows * (np.arange(80) - 40) ** 2).sum() / rows.sum())
    assert deviation == pytest.approx(np.sqrt(3 * (81 - 1) / 12), rel=0.1)
    flat = color.solid((10, 20, 30), 40, 40)
    assert (inside(color.softened(flat, 15).u) == inside(flat.u)).all()
