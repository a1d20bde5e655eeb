"""Pages as text: filters, paging, overlays."""

import pathlib

from clipbuild.gallery import overlay, pages
from clipbuild.gallery.pages import Filter
from tests.support.gallery import TALL, MadeUp


def test_filters(tmp_path: pathlib.Path) -> None:
    """State, risk, platform, recipe and words narrow the wall; odd values count as not said."""
    desk = MadeUp(tmp_path)
    desk.put("mug/9x16", state="new", risky=True)
    desk.put("belt/9x16", state="failed", recipe="card", platforms=("youtube",))

    def names(**asked: str) -> list[str]:
        return [card.name for card in desk.cards if Filter.of(asked).fits(card)]

    assert names(state="failed") == ["belt/9x16"]
    assert names(state="risky") == ["mug/9x16"]
    assert names(platform="youtube") == ["belt/9x16"]
    assert names(recipe="card") == ["belt/9x16"]
    assert names(q="MUG") == ["mug/9x16"]
    assert len(names(state="nonsense", page="-3")) == 2


def test_a_long_wall_has_pages(tmp_path: pathlib.Path) -> None:
    """So many clips a page, the rest behind a link that keeps the filter."""
    desk = MadeUp(tmp_path)
    for place in range(pages.A_PAGE + 5):
        desk.put(f"item-{place}/9x16")
    first = pages.wall(desk, Filter(recipe="packshot"), pages.Frame("x")).html
    assert first.count('class="card ') == pages.A_PAGE
    assert "recipe=packshot&amp;page=2" in first
    assert pages.wall(desk, Filter(page=2), pages.Frame("x")).html.count('class="card ') == 5


def test_an_overlay_leaves_the_safe_box_free() -> None:
    """Buttons right of it, words below it, and the post's own text, escaped."""
    import re

    drawn = overlay.drawing("tiktok", TALL, {"title": "<b>Mug</b>", "description": "Hot", "hashtags": ["a&b"]})
    assert "&lt;b&gt;Mug" in drawn
    assert "<b>" not in drawn
    circles = [tuple(map(float, m)) for m in re.findall(r'circle class="app" cx="(\d+)" cy="(\d+)" r="(\d+)"', drawn)]
    assert len(circles) == 4
    assert all(x - r >= TALL.safe.x1 - 1 for x, _, r in circles)
    below = [float(y) for y in re.findall(r'y="(\d+)" font-size="\d+" text-anchor="start"', drawn)]
    assert below
    assert min(below) > TALL.safe.y1
