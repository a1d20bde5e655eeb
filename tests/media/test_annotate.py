"""The annotated picture shows outline, free space, heat and verdict, for pictures of any shape."""

import numpy as np
import pytest

from clipbuild.media import annotate, metrics, readiness
from tests.support import stills
from tests.support.stills import Picture

LIMITS = readiness.limits()


def explained(picture: Picture, alpha: Picture | None = None) -> Picture:
    seen = metrics.look(picture, alpha)
    return np.asarray(annotate.explain(seen, readiness.judge(seen, LIMITS), "bottle.jpg"))


def share(sheet: Picture, colour: tuple[int, int, int]) -> float:
    return float((np.abs(sheet.astype(int) - colour).max(axis=2) < 12).mean())


def test_outline_free_space_and_verdict_are_drawn() -> None:
    """The subject's outline, the frame of the free box and the verdict's colour are in the picture."""
    sheet = explained(stills.bottle(stills.plain()))
    for colour in (annotate.SUBJECT, annotate.FREE, annotate.COLOURS["ready"]):
        assert share(sheet, colour) > 0.0005
    assert share(sheet, annotate.COLOURS["not_ready"]) < 0.0005


def test_heat_lies_on_busy_ground_only() -> None:
    """Pebbles glow, a plain ground keeps its colour."""
    for ground, changed in ((stills.busy(), True), (stills.plain(), False)):
        seen = metrics.look(stills.bottle(ground))
        drawn = np.asarray(annotate.drawn(seen, readiness.judge(seen, LIMITS)))
        corner = drawn[-60:-10, -60:-10].astype(int).mean(axis=(0, 1))
        before = seen.rgb[-36:-6, -36:-6].astype(int).mean(axis=(0, 1))
        assert bool(np.abs(corner - before).max() > 30) is changed


@pytest.mark.parametrize("shape", [(60, 900), (900, 60), (8, 8), (1, 1)])
def test_no_shape_breaks_it(shape: tuple[int, int]) -> None:
    """Banners, columns and dots are explained too."""
    rng = np.random.default_rng(1)
    assert explained(rng.integers(0, 256, (*shape, 3)).astype(np.uint8)).shape[2] == 3


def test_long_words_are_broken_to_the_panel() -> None:
    """A name longer than the panel is wrapped, none of it lost."""
    font = annotate.face(15, 400)
    lines = annotate.wrapped("a " + "x" * 200, font, annotate.PANEL)
    assert all(font.getlength(line) <= annotate.PANEL for line in lines)
    assert "".join(lines).count("x") == 200
