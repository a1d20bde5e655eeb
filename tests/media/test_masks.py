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
