"""Contrast by WCAG's own examples."""

import numpy as np
import pytest

from clipbuild.media import contrast


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#000", "#fff", 21.0), ("#777777", "#ffffff", 4.48), ("#767676", "#ffffff", 4.54), ("#ff0000", "#ffffff", 4.0)],
)
def test_ratios_are_those_of_the_standard(one: str, other: str, ratio: float) -> None:
    """Known pairs."""
    assert contrast.between(one, other) == pytest.approx(ratio, abs=0.005)


def test_a_light_spot_counts() -> None:
    """A fifth of light pixels is what white text is measured against."""
    patch = np.zeros((100, 3), np.uint8)
    patch[:20] = 255
    assert contrast.measured("#ffffff", [patch]) == pytest.approx(1.0)


@pytest.mark.parametrize("grey", [0, 90, 140, 200, 255])
def test_the_opacity_needed_is_enough_and_the_least(grey: int) -> None:
    """With it the contrast is reached, with a step less it is not."""
    patch = [np.full((50, 3), grey, np.uint8)]
    needed = contrast.opacity_needed("#ffffff", patch, "#000000")
    assert contrast.measured("#ffffff", contrast.shaded(patch, "#000000", needed)) >= contrast.NEEDED
    if needed:
        assert contrast.measured("#ffffff", contrast.shaded(patch, "#000000", needed - 0.05)) < contrast.NEEDED


def test_ink_is_the_first_that_reads() -> None:
    """The brand's own before another, unless it does not read."""
    assert contrast.ink_on("#24443a", "#ffffff", "#000000") == (255, 255, 255)
    assert contrast.ink_on("#e0a43a", "#ffffff", "#111111") == (17, 17, 17)
