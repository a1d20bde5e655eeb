"""The static report: whole, on its own, and careful about the folder it writes to."""

import pathlib
import re

import pytest

from clipbuild.errors import UsageError
from clipbuild.gallery import report
from tests.support.gallery import MadeUp

JPEG, MP4 = b"\xff\xd8\xff\xe0" + bytes(60), b"\0\0\0\x18ftypisom" + bytes(200)


def write(desk: MadeUp, target: pathlib.Path) -> list[str]:
    return report.write(str(target), "x", desk, desk.records(), desk.file)


def test_every_link_of_the_report_is_there(tmp_path: pathlib.Path) -> None:
    """Pages, clips and pictures that any page names lie in the folder; no button is on any page."""
    desk = MadeUp(tmp_path)
    desk.put("mug/9x16", video=MP4, cover=JPEG)
    desk.put("läufer a/9x16", cover=JPEG, kind="still", state="waiting")
    out = tmp_path / "out"
    write(desk, out)
    import urllib.parse

    for page in out.rglob("*.html"):
        text = page.read_text()
        assert "data-verdict=\"approve\"" not in text
        for link in re.findall(r'(?:href|src|data-video)="([^"?#]+)"', text):
            assert (page.parent / urllib.parse.unquote(link)).exists(), (page, link)


def test_what_left_the_report_is_taken_away(tmp_path: pathlib.Path) -> None:
    """A second report of fewer clips has no page of the first left over."""
    desk = MadeUp(tmp_path)
    desk.put("mug/9x16", video=MP4, cover=JPEG)
    desk.put("belt/9x16", video=MP4 + b"2")
    out = tmp_path / "out"
    write(desk, out)
    desk.cards.pop()
    write(desk, out)
    assert [p.name for p in (out / "clip").iterdir()] == ["mug--9x16.html"]
    assert len(list((out / "media").iterdir())) == 2


def test_a_folder_with_other_things_is_left_alone(tmp_path: pathlib.Path) -> None:
    """Only an empty folder, or an earlier report, is written to."""
    (tmp_path / "thesis.txt").write_text("x")
    with pytest.raises(UsageError, match="no report"):
        write(MadeUp(tmp_path), tmp_path)


def test_markdown_stays_text(tmp_path: pathlib.Path) -> None:
    """Names can't add links, mentions or cells; what needs a person comes first."""
    desk = MadeUp(tmp_path)
    desk.put("mug/9x16", state="approved")
    desk.put("b|x[y](z)@all<i>/9x16", state="failed")
    text = report.markdown("x", desk.cards)
    assert text.index("failed \\|") if "failed \\|" in text else text.index("| failed |") < text.index("| approved |")
    assert "\\|x\\[y\\]\\(z\\)\\@all&lt;i&gt;" in text
