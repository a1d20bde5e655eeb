"""What is done with shapes, on shapes small enough to see."""

import numpy as np

from clipbuild.media import masks


def drawn(*rows: str) -> np.ndarray:
    return np.array([[cell == "#" for cell in row] for row in rows])


def test_reached_is_what_hangs_on_the_border() -> None:
    """A piece at the frame's edge counts, one in the middle does not."""
    mask = drawn("##...", ".....", "..#..", ".....", ".....")
    assert masks.reached(mask).sum() == 2


def test_linked_follows_a_mask_from_another() -> None:
    """Only what is connected to the other mask, and none of that mask itself."""
    mask, other = drawn("##..#", ".....", "....."), drawn(".....", "#....", ".....")
    assert np.array_equal(masks.linked(mask, other), drawn("##...", ".....", "....."))


def test_main_pieces_leave_the_crumbs() -> None:
    """Pieces under a tenth of the largest are not what the photo is of."""
    mask = np.zeros((40, 40), bool)
    mask[5:25, 5:25], mask[30, 30] = True, True
    assert masks.main_pieces(mask).sum() == 400
    assert masks.box_of(masks.main_pieces(mask)) == (5, 5, 25, 25)
    assert masks.box_area(mask) == 26 * 26


def test_an_empty_mask_has_no_box() -> None:
    """Nothing has no extent."""
    assert masks.box_of(np.zeros((4, 4), bool)) == (0, 0, 0, 0)
    assert masks.box_area(np.zeros((4, 4), bool)) == 0
    assert not masks.main_pieces(np.zeros((4, 4), bool)).any()
    assert not masks.tidied(np.zeros((4, 4), bool)).any()


def test_the_frame_s_edge_is_an_edge() -> None:
    """A mask that fills the frame shrinks from all sides."""
    assert masks.eroded(np.ones((9, 9), bool), 2).sum() == 25


def test_sizes_fit_and_never_grow() -> None:
    """The longer side is as told, a small picture stays as it is."""
    assert masks.fitting(1000, 500, 100) == (100, 50)
    assert masks.fitting(60, 30, 100) == (60, 30)


def test_smoothed_calms_an_outline_and_keeps_thin_parts() -> None:
    """Dents and crumbs on a thick shape's outline go; a strap as thin as they are stays whole."""
    mask = np.zeros((60, 90), bool)
    mask[10:50, 10:50] = True
    strap = mask.copy()
    strap[28:31, 50:85] = True
    rough = strap.copy()
    rough[9, 12:48:4] = True
    rough[49, 13:48:4] = False
    calm = masks.smoothed(rough)
    assert not calm[9, 12:48].any()
    assert calm[49, 16:44].all()
    assert calm[28:31, 50:85].all()


def test_depth_grows_inwards_and_falls_outwards() -> None:
    """About the distance from the outline: above 0 inside, below 0 outside, crossing it at the outline."""
    mask = np.zeros((40, 40), bool)
    mask[10:30, 10:30] = True
    row = masks.depth(mask)[20]
    assert row[9] < 0 < row[10]
    assert abs(row[15] - 6) < 0.6
    assert abs(row[3] + 7) < 0.6
