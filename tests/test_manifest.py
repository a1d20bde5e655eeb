"""The manifest: the same rows give the same bytes, whether it was made at once or line by line."""

import json
import os
import random

from clipbuild.manifest import Manifest

NAMES = ["a", "b", "ä", "a-b", "a.b", "zz", 'q"q', "\U0001f600"]


def row(path: str, value: int) -> dict:
    """A row as the tree writes it."""
    return {"path": path, "platform": path.split("/")[0], "bytes": value, "clip": "x", "kind": "mp4", "sha256": "0" * 64}


def test_lines_exchanged_are_the_whole_made_anew(tmp_path) -> None:
    """Any exchange of rows ends with the bytes of a manifest made of the rows that are then there."""
    seed = int(os.environ.get("CLIPBUILD_SEED") or random.randrange(1 << 32))
    chance = random.Random(seed)

    def some(count: int) -> dict:
        paths = [f"{chance.choice(NAMES)}/{chance.choice(NAMES)}.{chance.randrange(9)}" for _ in range(count)]
        return {path: row(path, chance.randrange(99)) for path in paths}

    for _ in range(200):
        rows, news = some(chance.randrange(30)), some(chance.randrange(6))
        gone = {path for path in [*rows, "not/there"] if chance.random() < 0.3} - set(news)
        manifest = Manifest.of(rows.values())
        wanted = {path: r for path, r in {**rows, **news}.items() if path not in gone}
        assert manifest.exchanged(gone, news.values()).dump() == Manifest.of(wanted.values()).dump(), f"seed {seed}"
        (tmp_path / "m").write_bytes(manifest.dump())
        loaded = Manifest.load(str(tmp_path / "m"))
        assert loaded.rows() == rows
        assert json.loads(manifest.dump())["deliverables"] == [rows[path] for path in sorted(rows)]
        for path in [*rows, *news, "not/there"]:
            assert loaded.row(path) == rows.get(path), f"seed {seed}"


def test_what_is_no_manifest_of_ours_is_an_empty_one(tmp_path) -> None:
    """Missing, empty, garbage, or written by hand: nothing is believed."""
    for data in (None, b"", b"garbage", b'{"deliverables": [{"path": "x"}]}'):
        path = tmp_path / "m"
        path.unlink(missing_ok=True)
        if data is not None:
            path.write_bytes(data)
        assert Manifest.load(str(path)).rows() == {}
