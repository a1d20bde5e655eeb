"""The pages in a real browser: load, filter, play, approve, reject, and a stale approval refused."""

import pathlib
import subprocess
from collections.abc import Iterator

import pytest

from clipbuild.media import ffmpeg
from clipbuild.reviewing import Detail
from tests.support import browser
from tests.support.gallery import MadeUp, served

pytestmark = pytest.mark.skipif(not browser.found(), reason="not run: no chromium")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A second of real video."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    argv = [ffmpeg.find(), "-loglevel", "error", "-f", "lavfi", "-i", "testsrc=size=180x320:rate=15:duration=2"]
    subprocess.run([*argv, "-pix_fmt", "yuv420p", "-movflags", "+faststart", str(path)], check=True)
    return path.read_bytes()


@pytest.fixture
def desk(tmp_path: pathlib.Path, clip: bytes) -> MadeUp:
    desk = MadeUp(tmp_path)
    desk.put("mug/9x16", video=clip)
    takes = Detail(takes=(("belt/9x16/animate", desk.add(b"base"), 1),), posts={"tiktok": {"title": "Belt", "description": "x"}})
    desk.put("belt/9x16", video=clip + b"\0\0\0\x08free", state="changed", detail=takes)
    desk.put("vase/9x16", video=clip + b"\0\0\0\x08skip", state="failed", recipe="scene")
    return desk


@pytest.fixture
def page() -> Iterator[browser.Page]:
    with browser.page() as opened:
        yield opened


def names(page: browser.Page) -> list[str]:
    found = page.js("[...document.querySelectorAll('.card:not([hidden])')].map(card => card.dataset.name)")
    assert isinstance(found, list)
    return found


def test_look_filter_play_decide(desk: MadeUp, page: browser.Page) -> None:
    """A person opens the address, narrows the wall, plays, approves with the keyboard and rejects with a reason; a
    clip that was made again in the meantime is not approved unseen."""
    with served(desk) as (port, keys):
        page.size(1280, 800)
        page.go(f"http://127.0.0.1:{port}/enter?key={keys.first}")
        page.until("document.querySelector('.wall')")
        assert names(page) == ["mug/9x16", "belt/9x16", "vase/9x16"]

        page.js("document.querySelector('.states a[data-state=failed]').click()")
        page.until("location.search.includes('failed')")
        page.until("document.querySelector('.wall')")
        assert names(page) == ["vase/9x16"]
        page.go(f"http://127.0.0.1:{port}/")

        page.press("ArrowRight")  # the focus plays
        page.until("document.querySelector('.card video')?.currentTime > 0.1")
        page.press("a")
        page.until("document.querySelector('.card').dataset.state === 'approved'")
        assert desk.said[-1][::2] == ("mug/9x16", "approved")
        assert page.js("document.querySelector('#decided').textContent") == "1"

        page.press("ArrowRight")
        page.press("Enter")
        page.until("document.querySelector('#look')?.dataset.name === 'belt/9x16'")
        page.press("o")
        page.until("document.querySelector('.overlay.on')?.dataset.platform === 'tiktok'")
        page.press(" ")
        page.until("document.querySelector('#video').currentTime > 0.1")
        page.press("r")
        page.type("the label melts")
        page.press("Enter")
        page.until("document.querySelector('#look').dataset.state === 'rejected'")
        assert desk.said[-1][2:] == ("rejected", "the label melts")

        page.press("ArrowRight")
        page.until("document.querySelector('#look')?.dataset.name === 'vase/9x16'")
        desk.change("vase/9x16", b"\0\0\0\x18ftypisom")
        page.press("a")
        page.until("document.body.dataset.refused === '409'")
        assert "made again" in page.js("document.querySelector('#said').textContent")
        assert len(desk.said) == 2
        assert not [error for error in page.errors if "409" not in error]


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("dark", [False, True])
def test_nothing_sticks_out(desk: MadeUp, page: browser.Page, width: int, dark: bool) -> None:
    """Wall and clip fit the window, wide or narrow, and text stands out from its ground in light and dark."""
    with served(desk) as (port, keys):
        page.size(width, 800, dark=dark)
        page.go(f"http://127.0.0.1:{port}/enter?key={keys.first}")
        page.until("document.querySelector('.wall')")
        for address in ("/", "/clip/belt/9x16", "/motions"):
            page.go(f"http://127.0.0.1:{port}{address}")
            assert page.js("document.documentElement.scrollWidth") <= width, address
            ground, text = page.js("[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]")
            assert _contrast(ground, text) > 7, (ground, text)


def _contrast(*colours: str) -> float:
    import re

    from clipbuild.media import contrast

    one, other = ([int(v) for v in re.findall(r"\d+", colour)[:3]] for colour in colours)
    return contrast.between((one[0], one[1], one[2]), (other[0], other[1], other[2]))
