"""`clipbuild verify`: damage and edits are found; made again, every byte is as it was, and a difference is told."""

import json
import os
import pathlib
import shutil

import pytest

from tests.support.project import Project


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A project of two products, built once; tests work on copies."""
    project = Project(tmp_path_factory.mktemp("built"))
    project.sample(2)
    assert project.build().status == 0
    return project.root


@pytest.fixture
def project(built: pathlib.Path, tmp_path: pathlib.Path) -> Project:
    shutil.copytree(built, tmp_path / "p", symlinks=True)
    return Project(tmp_path / "p")


def test_a_whole_project_is_whole(project: Project) -> None:
    """Nothing damaged, nothing missing: exit status 0."""
    status, out, _ = project.run("verify", "--profile", "draft")
    assert status == 0
    assert "0 damaged or missing" in out


def test_an_edited_and_a_lost_output_are_told(project: Project) -> None:
    """An output changed by hand and one that is gone are named: exit status 5."""
    first, second = sorted(project.tree.rglob("*.jpg"))
    os.unlink(first)
    second.chmod(0o644)
    second.write_bytes(b"mine")
    status, out, _ = project.run("verify", "--profile", "draft", "--json")
    assert status == 5
    assert sorted(row["what"] for row in json.loads(out)["outputs"]) == ["missing", "not what was recorded"]


def test_made_again_every_byte_is_the_same(project: Project) -> None:
    """Picture, clip, cover and words of one product, made again aside: the same; store, tree and state are untouched."""
    def marks() -> dict[str, tuple[int, bytes]]:
        files = [p for p in project.root.rglob("*") if p.is_file() and p.name != "clock" and "state.db" not in p.name]
        return {str(p): (p.stat().st_mtime_ns, p.read_bytes()) for p in files}

    before = marks()
    status, out, err = project.run("verify", "--rebuild", "item-1", "--profile", "draft", "--json")
    assert status == 0, err
    found = json.loads(out)
    assert {name.rpartition("/")[2] for name in found["same"]} >= {"image", "check", "render", "cover", "captions", "post"}
    assert all("item-1" in name for name in found["same"])
    assert (found["different"], found["failed"], found["skipped"]) == ([], {}, 0)
    assert marks() == before


def test_a_difference_is_told(project: Project) -> None:
    """Where what is on record is not what the action makes, the action and both digests are named: exit status 5."""
    from clipbuild.engine.action import Trace
    from clipbuild.engine.store import Store
    from clipbuild.engine.traces import State

    state, store = State.open(str(project.root / ".clipbuild" / "state.db")), Store(str(project.root / ".clipbuild" / "store"))
    odd = project.write("odd.jpg", b"something else")
    blob = store.add_file(str(odd))
    key = next(k for k in sorted(state.keys()) if (trace := state.trace(k)) and trace.name.endswith("/cover"))
    old = state.trace(key)
    assert old is not None
    document = state.document(key) or {}
    state.record(Trace(old.name, key, {"cover": blob}), document, [old.name])
    state.commit()
    state.close()
    status, out, _ = project.run("verify", "--rebuild", "--profile", "draft")
    assert status == 5
    assert f"{old.name}: cover was {blob[:16]}" in out
    assert "1 differ" in out


def test_what_is_not_up_to_date_is_left_out(project: Project) -> None:
    """After an edit there is nothing on record to compare with: said, not made."""
    project.edit("catalog/all.yaml", "name: Item 0", "name: Item zero")
    project.edit("catalog/all.yaml", "captions: [Hello there]", "captions: [Goodbye]")
    status, out, _ = project.run("verify", "--rebuild", "item-0", "--profile", "draft")
    assert status == 0
    assert "not up to date and left out" in out


def test_products_need_rebuild(project: Project) -> None:
    """A product alone is a mistake with a hint."""
    status, _, err = project.run("verify", "item-0", "--profile", "draft")
    assert status == 2
    assert "clipbuild verify --rebuild SKU" in err
