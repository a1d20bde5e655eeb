"""Hostile captions: each is drawn and written exactly as it is, or refused with a reason; none becomes code."""

import json
import os
import re
import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clipbuild.errors import MediaError
from clipbuild.media import captions, ffmpeg, fonts, lettering, placing, subtitles, text, timing
from clipbuild.stages import registry
from clipbuild.stages.workdir import Workdir
from tests.support.stills import blurred
from tests.support.styles import style

CASES = [json.loads(line) for line in (Path(__file__).parent / "data" / "captions" / "cases.jsonl").read_text().splitlines()]
SHOWN = [case for case in CASES if case["expect"] == "literal"]
SIZE, SAFE = (540, 960), (54, 134, 445, 624)


def sample(times: Sequence[float], box: Sequence[int]) -> list[Any]:
    return [np.full((box[3] - box[1], box[2] - box[0], 3), 90, np.uint8) for _ in times]


def letters(said: str) -> str:
    """What must be there of a text: everything but spaces and line ends."""
    return re.sub(r"[\s\u00a0]+", "", said)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_hostile_caption_is_drawn_as_written_or_refused(case: dict[str, Any]) -> None:
    """Its layers have ink and lie in the safe box; its lines are its own letters; a refusal names the reason."""
    params = {"seconds": 5, "captions": [{"text": case["text"]}], "caption_style": style("boxed")}
    try:
        files = fonts.needed(case["text"])
        layers = captions.overlays(params, files, SIZE, SAFE, sample)
    except MediaError as error:
        assert case["expect"] != "literal", error
        assert error.facts
        return
    assert case["expect"] != "reject"
    assert max(layer.rgba[..., 3].max() for layer in layers) > 200
    for layer in layers:
        high, wide = layer.rgba.shape[:2]
        assert min(layer.x - SAFE[0], layer.y - SAFE[1], SAFE[2] - layer.x - wide, SAFE[3] - layer.y - high) >= 0
    setter = lettering.Setter(text.Fonts(files), lettering.looks_of(params), 540.0)
    ((placed,),) = [group.placed for group in placing.place(setter, timing.cues(params), [SAFE], large=False)]
    drawn = "".join(line.text for line in placed.element.pieces[0].block.lines)
    assert letters(drawn) == letters(case["text"])


def test_hostile_captions_end_up_in_subtitle_files_as_they_are(tmp_path: Path) -> None:
    """A real reader finds in both formats as many cues as there are captions, each with its own text and no markup."""
    cues = [
        cue
        for n, case in enumerate(SHOWN)
        for cue in timing.cues({"seconds": 999, "captions": [{"text": case["text"], "at": 2.0 * n, "seconds": 1.0}]})
    ]
    assert len(cues) == len(SHOWN)
    for kind, write in (("srt", subtitles.srt), ("vtt", subtitles.vtt)):
        file = tmp_path / f"all.{kind}"
        file.write_text(write(cues), encoding="utf-8")
        argv = [ffmpeg.find(), "-v", "error", "-i", str(file), "-f", "srt", "-"]
        found = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
        blocks = re.split(r"\n\n(?=\d+\n\d\d:)", found.strip())
        assert len(blocks) == len(cues)
        for block, cue in zip(blocks, cues, strict=True):
            body = block.split("\n", 2)[2]
            if kind == "vtt":  # ffmpeg escapes braces and backslashes on its way from WebVTT
                body = body.replace("\\{{}", "{")
            assert letters(body.replace("\u2060", "")) == letters(cue.said)


def test_no_text_reaches_a_command_line(tmp_path: Path) -> None:
    """The render's only processes are ours, and what they are told has nothing of a caption in it."""
    from PIL import Image

    log, wrapper = tmp_path / "argv", tmp_path / "wrapper"
    wrapper.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> "{log}"\nexec "{ffmpeg.find()}" "$@"\n')
    wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
    Image.fromarray(blurred(324, 576)).save(tmp_path / "image.png")
    said = [case["text"] for case in CASES if case["id"] in ("movie", "pctl", "qclose")]
    params = {"width": 270, "height": 480, "fps": 24, "seconds": 1, "captions": [{"text": t} for t in said]}
    inputs = {"image": str(tmp_path / "image.png")}
    inputs |= {f"font_{i}": path for i, path in enumerate(fonts.needed("".join(said)))}
    out = tmp_path / "out"
    out.mkdir()
    registry.run("render", Workdir("k", "acme/render", params, inputs, str(out), tools={"ffmpeg": str(wrapper)}))
    told = log.read_text()
    assert "libx264" in told
    assert not [word for word in ("movie", "passwd", "localtime", "drawtext", "secret") if word in told]
    assert sorted(os.listdir(out)) == ["video"] or "video" in os.listdir(out)
