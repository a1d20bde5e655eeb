"""Input pictures against what a provider takes, from their headers."""

import os
from typing import Any

from clipbuild.providers import photos
from clipbuild.providers.contract import Request
from tests.support.adapters import photo


def test_a_hostile_picture_is_measured_as_none(tmp_path: Any) -> None:
    """Text, nothing, a folder: no size, no crash."""
    (tmp_path / "a.png").write_text("<svg/>")
    (tmp_path / "b.png").write_bytes(b"")
    os.mkdir(tmp_path / "c.png")
    assert {photos.measured(str(tmp_path / name)) for name in ("a.png", "b.png", "c.png", "d.png")} == {("", 0, 0)}


def test_what_speaks_against_a_picture_is_said(tmp_path: Any) -> None:
    """Too many bytes, too small, too long, of another shape than the clip; one that is not there yet is not judged."""
    files = {"image": photo(tmp_path, 200, 900), "later": ""}
    limits = photos.Picture(formats=("PNG",), largest=100, side=300, ratio=2.5)
    told = " ".join(photos.unfit(Request("video", {"aspect": "9:16"}, files), limits))
    for words in ("has more than 0.0001 MB", "smaller than 300 px a side", "longer than 2.5:1", "the clip is to be 9:16"):
        assert words in told
    assert photos.unfit(Request("image", {}, files), photos.Picture(formats=("PNG",), largest=10**9)) == []
    assert "is not JPEG" in photos.unfit(Request("image", {}, files), photos.Picture(("JPEG",), 10**9))[0]
