"""`plan --since`: what a change costs, as text, JSON and comment; `build --since` and `--shard` do what it says."""

import json
import pathlib

import pytest

from tests.support.project import Project
from tests.support.repository import Repository


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Three products under git, built; then a price, a photo and a new product."""
    project = Project(tmp_path_factory.mktemp("shop"))
    repository = Repository(project.root)
    project.sample(3)
    project.write(".gitignore", ".clipbuild/\ndist*/\n")
    repository.commit("three products")
    assert project.build().status == 0
    repository.git("checkout", "-q", "-b", "change")
    text = (project.root / "catalog/all.yaml").read_text()
    text = text.replace("price: €5", "price: €4 | `x` @team", 1)
    project.write("catalog/all.yaml", text + "  - sku: item-9\n    name: Item 9\n    photos: photos/p0.png\n    captions: [Hi]\n")
    project.photo("photos/p1.png", "#00aa55")
    repository.commit("a price, a photo, a product")
    return project


def plan(project: Project, *args: str) -> str:
    status, out, err = project.run("plan", "--profile", "draft", *args)
    assert status == 0, err
    return out


def test_the_json_says_per_clip_and_step_what_happens(shop) -> None:
    """Cached, local or paid; what changed from what to what; the untouched product is not in it."""
    told = json.loads(plan(shop, "--since", "main", "--json"))
    assert told["changed"] == ["item-0", "item-1"]
    assert told["new"] == ["item-9"]
    rows = {row["action"]: row for row in told["actions"]}
    assert rows["item-0/vertical/image"]["state"] == "cached"
    assert rows["item-0/vertical/render"]["state"] == "local"
    assert ["offer.price", "€5", "€4 | `x` @team"] in rows["item-0/vertical/render"]["causes"]
    assert rows["item-1/vertical/image"]["causes"][0][0] == "photos/p1.png"
    assert rows["item-1/vertical/check"]["causes"] == [], "it follows the image"
    assert rows["item-9/vertical/image"]["state"] == "cached", "the same photo as item-0"
    assert not any(name.startswith("item-2/") for name in rows)
    assert told["counts"]["paid"] == 0
    assert told["cost"] == {"least": "0", "most": "0"}
    assert told["seconds"] > 0


def test_the_text_is_short_and_says_the_sum(shop) -> None:
    """One line first; then causes and products."""
    lines = plan(shop, "--since", "main").splitlines()
    assert "3 clips touched (1 new)" in lines[0]
    assert "0 paid calls" in lines[0]
    assert any("photos/p1.png" in line and "1 clip" in line for line in lines)
    assert any(line.split()[:1] == ["item-1"] for line in lines)


def test_the_comment_has_no_markup_of_others(shop) -> None:
    """Names and prices can't mention people, break tables or bring HTML; the first line is the mark."""
    comment = plan(shop, "--since", "main", "--markdown")
    assert comment.startswith("<!-- clipbuild plan -->\n### clipbuild: 3 clips touched")
    assert "@team" not in comment
    row = next(line for line in comment.splitlines() if "offer.price" in line)
    assert row.count("|") == 6
    status, _, err = shop.run("plan", "--markdown")
    assert (status, "--since" in err) == (2, True)


def test_plan_and_build_agree(shop, tmp_path: pathlib.Path) -> None:
    """`build --since` runs exactly what the plan said would run, or finds it up to date on the way; its report is JUnit."""
    told = json.loads(plan(shop, "--since", "main", "--json"))
    said = {row["action"] for row in told["actions"] if row["state"] != "cached"}
    will = {row["action"] for row in told["actions"] if row["verdict"] == "will run"}
    report = shop.build("--since", "main", "--junit", str(tmp_path / "report.xml"))
    assert report.status == 0
    assert will <= set(report.ran) <= said
    assert "tiktok/item-2/item-2.mp4" in shop.files(), "what is not touched stays"
    assert (tmp_path / "report.xml").read_text().count("<testcase") == len(report.ran)
    after = json.loads(plan(shop, "--since", "main", "--json"))
    assert after["counts"] == {"cached": after["counts"]["cached"], "local": 0, "paid": 0}
    assert shop.build("--since", "main").ran == []


def test_a_rebuild_of_the_store_is_told_apart_from_the_change(shop, tmp_path: pathlib.Path) -> None:
    """A fresh machine has nothing: what did not change is counted apart."""
    clone = Repository(shop.root, fresh=False).clone(tmp_path / "clone", "-b", "change")
    told = json.loads(plan(Project(clone.root), "--since", "origin/main", "--json"))
    assert told["elsewhere"] > 0
    unchanged = {row["action"] for row in told["actions"] if not row["changed"]}
    assert "item-0/vertical/image" in unchanged
    assert told["seconds"] is None, "nothing was ever measured there"
    clone.git("remote", "set-head", "origin", "main")
    text = plan(Project(clone.root), "--affected")
    assert "origin" not in text
    assert "3 clips touched" in text


def test_shards_make_the_whole(shop, tmp_path: pathlib.Path) -> None:
    """Two machines plan parts that do not meet and leave nothing out."""
    clone = Project(Repository(shop.root, fresh=False).clone(tmp_path / "clone").root)
    parts = []
    for shard in ("1/2", "2/2"):
        rows = json.loads(plan(clone, "--shard", shard, "--json"))["actions"]
        parts.append({row["action"].split("/")[0] for row in rows})
    assert parts[0] | parts[1] == {"item-0", "item-1", "item-2", "item-9"}
    assert parts[0]
    assert parts[1]
    assert not parts[0] & parts[1]
    assert clone.run("plan", "--shard", "3/2")[0] == 2


def test_both_ways_to_name_a_commit_are_one_too_many(shop) -> None:
    """An error, not a guess."""
    status, _, err = shop.run("plan", "--since", "main", "--affected")
    assert status == 2
    assert "--affected" in err
