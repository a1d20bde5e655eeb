"""The stage that writes subtitle files: the words that are drawn, at the times they are drawn."""

import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from clipbuild.errors import MediaError
from clipbuild.media import captions, endcard, fonts, subtitlefiles, timing
from clipbuild.stages import registry
from clipbuild.stages.workdir import Workdir
from tests.support import styles

CLIPS: list[dict[str, Any]] = [
    {"hook": "Slow mornings", "captions": [{"text": "50% off"}, {"text": "at three", "at": 3.0, "seconds": 1.0}]},
    {"captions": [{"text": "one"}], "offer": {"price": "€19", "was": "€29", "text": "This week"}, "cta": "Shop now"},
    {"card": {"headline": "Salt, meet pepper"}, "hook": "New", "captions": [{"text": "one"}, {"text": "two"}], "cta": "Buy"},
    {"hook": "Hello", "cta": "Buy", "end_card": {"seconds": 1.5, "name": "Fern & Field"}},
]


def written(folder: pathlib.Path, params: dict[str, Any]) -> dict[str, list[Any]]:
    """What both files say."""
    work = Workdir("0" * 64, "mug/captions", {"seconds": 6, **params}, {}, str(folder))
    registry.run("captions", work)
    return {kind: subtitlefiles.read(pathlib.Path(work.out(kind)).read_bytes(), kind) for kind in ("srt", "vtt")}


@pytest.mark.parametrize("params", CLIPS)
def test_files_and_drawn_text_say_the_same(tmp_path: pathlib.Path, params: dict[str, Any]) -> None:
    """Every drawn text is in both files at the time its layer is seen, and nothing else is in them."""

    def sample(times: Sequence[float], box: Sequence[int]) -> list[Any]:
        return [np.full((box[3] - box[1], box[2] - box[0], 3), 235, np.uint8) for _ in times]

    files = written(tmp_path, params)
    assert files["srt"] == files["vtt"]
    params = {"seconds": 6, "overlays": styles.overlays(), "caption_style": styles.style("boxed"), **params}
    cues = timing.cues(params)
    known = fonts.needed("\n".join(cue.text + cue.was for cue in cues))
    size, safe = (540, 960), (54, 134, 445, 624)
    _, painted = captions.written(params, known, size, safe, sample)
    drawn = [(item.cue.said, item.cue.start, item.cue.end) for item, _, _ in painted]
    drawn += [(cue.said, cue.start, cue.end) for cue in cues if params.get("end_card") and cue.kind in timing.CLOSING]
    assert bool(endcard.layers(params, known, size, safe, None)) == bool(params.get("end_card"))
    said = {(text, entry.start, entry.end) for entry in files["srt"] for text in entry.text.split("\n")}
    assert {(text, start, end) for text, start, end in drawn} == said


def test_a_clip_without_text_has_files_that_say_nothing(tmp_path: pathlib.Path) -> None:
    """They are there, and empty."""
    assert written(tmp_path, {"captions": []}) == {"srt": [], "vtt": []}


def test_a_text_that_cannot_be_shown_is_an_error(tmp_path: pathlib.Path) -> None:
    """Before anything is drawn."""
    with pytest.raises(MediaError, match="U\\+0000"):
        written(tmp_path, {"captions": [{"text": "a\x00b"}]})
