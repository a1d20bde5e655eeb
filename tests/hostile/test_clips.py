"""Seeded damage to short clips: nothing crashes or hangs, and what does not decode whole is never accepted.

Threat model M8: a clip counts only after a strict decode of all frames without complaint, and the expected frames.
"""

import base64
import json
import pathlib
import subprocess
import time
from functools import cache

import pytest

from clipbuild.errors import MediaError
from clipbuild.media import footage, probe
from clipbuild.media.footage import Footage
from tests.support.reels import PROGRAM

DATA = pathlib.Path(__file__).parent / "data" / "clips"
ROWS = [json.loads(line) for line in (DATA / "mutated.jsonl").read_text(encoding="utf-8").splitlines()]
INDEXED = [row for row in ROWS if row["ext"] in ("mp4", "mov")]
OTHERS = [row for row in ROWS if row["ext"] == "webm"]
VALID = DATA / "valid-32x32.mp4"
SIZE = (32, 32)


def shown(path: pathlib.Path) -> bool:
    """The clip goes through as footage to its end."""
    with Footage(PROGRAM, str(path), probe.facts(str(path)), *SIZE, footage.LEAST_RATE) as clip:
        clip.rows(0)
        clip.finish()
    return True


@cache
def digest(path: pathlib.Path) -> tuple[str, str]:
    """MD5 of the decoded frames, and what ffmpeg said, without strictness."""
    argv = [PROGRAM, "-v", "warning", "-f", "mov", "-i", str(path), "-fps_mode", "passthrough", "-f", "md5", "-"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout, done.stderr


def test_the_whole_clip_is_accepted() -> None:
    """What the mutations were made from decodes to its four frames."""
    assert probe.probe(PROGRAM, str(VALID)).frames == 4
    assert shown(VALID)


def test_mutated(tmp_path: pathlib.Path) -> None:
    """Each of them is answered within seconds, by acceptance or MediaError; what probe accepts decodes to as many
    frames as its index says without a word; what is cut or complains is not accepted."""
    accepted = changed = 0
    for row in INDEXED:
        path = tmp_path / f"{row['id']}.{row['ext']}"
        path.write_bytes(base64.b64decode(row["b64"]))
        began = time.monotonic()
        try:
            facts = probe.probe(PROGRAM, str(path))
        except MediaError as error:
            assert str(error)
            facts = None
        try:
            through = shown(path)
        except MediaError:
            through = False
        assert time.monotonic() - began < 20
        if facts is None:
            continue
        frames, said = digest(path)
        assert facts.frames == 4, row["id"]
        assert said == "", row["id"]
        assert through, row["id"]
        accepted += 1
        changed += row["ext"] == "mp4" and frames != digest(VALID)[0]
    print(f"{accepted} of {len(INDEXED)} accepted, {changed} of them with other pixels")
    assert accepted < len(INDEXED) // 2
    assert changed <= 0.1 * len(INDEXED)


@pytest.mark.parametrize("row", OTHERS, ids=lambda row: row["id"])
def test_other_containers_are_no_bought_clip(tmp_path: pathlib.Path, row: dict[str, str]) -> None:
    """Damaged clips of other kinds are refused as what they are not."""
    path = tmp_path / f"clip.{row['ext']}"
    path.write_bytes(base64.b64decode(row["b64"]))
    with pytest.raises(MediaError):
        probe.facts(str(path))
