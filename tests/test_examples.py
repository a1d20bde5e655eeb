"""The example is what the README says of it: it builds, whole, and again there is nothing to do."""

import json
import pathlib
import shutil

from clipbuild.media import probe
from tests.support.project import Project

SHOP = pathlib.Path(__file__).resolve().parent.parent / "examples" / "storefront"


def test_the_storefront_builds_whole(tmp_path: pathlib.Path) -> None:
    """As drafts, which take every step but are small: without a warning, every clip playable in its shape, with words and
    cover beside it."""
    ignored = shutil.ignore_patterns("dist*", ".clipbuild")
    project = Project(pathlib.Path(shutil.copytree(SHOP, tmp_path / "shop", ignore=ignored)))
    status, out, err = project.run("check")
    assert (status, err) == (0, "")
    assert out.endswith("nothing wrong\n")
    built = project.build("--events", str(tmp_path / "events.jsonl"))
    assert (built.status, built.failed) == (0, [])
    told = map(json.loads, (tmp_path / "events.jsonl").read_text(encoding="utf-8").splitlines())
    assert [event for event in told if event["event"] == "warned"] == []
    rows = json.loads((project.tree / "manifest.json").read_bytes())["deliverables"]
    clips = {row["path"]: row for row in rows if row["path"].endswith(".mp4")}
    platforms = {path.partition("/")[0] for path in clips}
    assert platforms == {"tiktok", "reels", "shorts", "youtube", "feed"}
    assert len({path.split("/")[1] for path in clips}) >= 8
    assert {f"reels/mug-black/mug-black.{one}.mp4" for one in ("en", "de")} <= set(clips)
    assert {f"youtube/cactus-pot/cactus-pot.{one}.mp4" for one in ("sand", "sage")} <= set(clips)
    for path, row in clips.items():
        facts = probe.facts(str(project.tree / path))
        assert (facts.width, facts.height) == (row["width"], row["height"])
        assert (facts.width > facts.height) == path.startswith("youtube/")
        beside = {one.suffix for one in (project.tree / path).parent.glob(f"{pathlib.Path(path).stem}.*")}
        assert beside == {".mp4", ".jpg", ".json", ".srt", ".vtt"}
    assert project.build().ran == []
