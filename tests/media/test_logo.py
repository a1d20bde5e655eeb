"""A logo in its corner, seen."""

import pathlib

import numpy as np
import pytest
from PIL import Image

from clipbuild.errors import MediaError
from clipbuild.media import logo

SAFE = (108, 269, 890, 1248)
PLATE = (243, 239, 232)


@pytest.fixture
def dark(tmp_path: pathlib.Path) -> str:
    """A dark disc with clear margins."""
    y, x = np.mgrid[0:200, 0:300]
    rgba = np.zeros((200, 300, 4), np.uint8)
    rgba[np.hypot(x - 150, y - 100) < 60] = (20, 60, 45, 255)
    Image.fromarray(rgba).save(tmp_path / "logo.png")
    return str(tmp_path / "logo.png")


@pytest.mark.parametrize("corner", logo.CORNERS)
def test_it_stands_in_its_corner_without_its_margins(dark: str, corner: str) -> None:
    """Inside the safe box, at its edges, no larger than a logo should be."""
    made = logo.layer(dark, (1080, 1920), SAFE, 5.0, corner)
    x0, y0, x1, y1 = logo.place(made)
    assert y1 - y0 <= logo.HIGH * 1920 + 1
    assert (x0 == SAFE[0]) is corner.endswith("left")
    assert (x1 == SAFE[2]) is corner.endswith("right")
    assert (y0 == SAFE[1]) is corner.startswith("top")
    assert (y1 == SAFE[3]) is corner.startswith("bottom")
    assert made.rgba[made.rgba.shape[0] // 2, 2, 3] > 200


def test_a_dark_logo_gets_a_light_edge_on_dark_ground_only(dark: str) -> None:
    """Round its shape; where it stands out nothing is added."""
    made = logo.layer(dark, (1080, 1920), SAFE, 5.0)
    high, wide = made.rgba.shape[:2]
    ground = np.full((high, wide, 3), 235, np.uint8)
    assert logo.standing_out(made, [ground], PLATE) is made
    edged = logo.standing_out(made, [ground, ground // 6], PLATE)
    assert edged.rgba.shape[0] > high
    assert abs(edged.rgba[edged.rgba.shape[0] // 2, 2, :3].astype(int) - PLATE).max() < 4
    assert edged.rgba[0, 0, 3] == 0


def test_an_empty_logo_is_an_error(tmp_path: pathlib.Path) -> None:
    """It would show nothing."""
    Image.fromarray(np.zeros((9, 9, 4), np.uint8)).save(tmp_path / "logo.png")
    with pytest.raises(MediaError, match="transparent everywhere"):
        logo.layer(str(tmp_path / "logo.png"), (1080, 1920), SAFE, 5.0)


def test_it_keeps_out_of_the_way_of_text() -> None:
    """Over the text in a wide frame, else across from where text begins."""
    assert logo.corner((1920, 1080), rtl=False) == "top-left"
    assert logo.corner((1080, 1920), rtl=False) == "top-right"
    assert logo.corner((1080, 1920), rtl=True) == "top-left"
