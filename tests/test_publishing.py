"""From a finished plan to the tree: whole clips alone, nobody else's files, and a note of what is being placed."""

import json
import pathlib

import pytest

from clipbuild import build as builder
from clipbuild import planning, publishing
from clipbuild.planning import Session
from clipbuild.settings import Settings
from clipbuild.wish import Wish
from tests.support.project import Project


@pytest.fixture
def project(tmp_path: pathlib.Path) -> Project:
    """Two products, built."""
    made = Project(tmp_path / "p")
    made.sample(2)
    assert made.build().status == builder.DONE
    return made


def opened(project: Project) -> Session:
    return planning.open_session(Wish(str(project.root), profile="draft"), Settings())


def test_publishing_again_writes_nothing(project: Project) -> None:
    """The same plan: the same files, counted, none placed anew, none gone, and nothing left unfinished."""
    before, session = project.files(), opened(project)
    told: list[tuple[str, str]] = []
    session.tree.emit = lambda kind, path: told.append((kind, path))
    done = publishing.publish(session, planning.make_plan(session))
    assert (done.count, done.gone, done.waits) == (10, [], False)
    assert told == [("placed", "")]
    assert publishing.unfinished(session) == frozenset()
    session.close()
    assert project.files() == before


def test_a_clip_that_is_not_whole_keeps_its_files(project: Project) -> None:
    """A caption changed and nothing was made of it yet: published now, that clip stays as it was, the other too."""
    before = project.files()
    project.edit("catalog/all.yaml", "name: Item 1\n    photos: photos/p1.png\n    captions: [Hello there]",
                 "name: Item 1\n    photos: photos/p1.png\n    captions: [Not made yet]")  # fmt: skip
    session = opened(project)
    done = publishing.publish(session, planning.make_plan(session))
    session.close()
    assert (done.count, done.gone) == (10, [])
    assert project.files() == before


def test_what_left_the_catalog_leaves_the_tree(project: Project) -> None:
    """And a stranger's file beside it stays."""
    project.write("dist.draft/tiktok/item-1/notes.txt", "mine")
    text = (project.root / "catalog/all.yaml").read_text()
    project.write("catalog/all.yaml", text.split("  - sku: item-1")[0])
    session = opened(project)
    done = publishing.publish(session, planning.make_plan(session))
    session.close()
    assert len(done.gone) == 5
    assert sorted(p.name for p in (project.tree / "tiktok/item-1").iterdir()) == ["notes.txt"]
    assert len(json.loads((project.tree / "manifest.json").read_bytes())["deliverables"]) == done.count == 5


def test_what_a_killed_run_was_placing_is_known(project: Project) -> None:
    """The note names what may be there; a file of it that is a whole blob is ours and replaced, a stranger's is not."""
    session = opened(project)
    path = pathlib.Path(session.wish.root, ".clipbuild", "placing.draft")
    path.write_text(json.dumps(["tiktok/item-9/item-9.srt", "tiktok/item-9/other.txt"]))
    assert publishing.unfinished(session) == {"tiktok/item-9/item-9.srt", "tiktok/item-9/other.txt"}
    ours = (project.tree / "tiktok/item-0/item-0.srt").read_bytes()
    project.write("dist.draft/tiktok/item-9/item-9.srt", ours)
    project.write("dist.draft/tiktok/item-9/other.txt", "a stranger's")
    done = publishing.publish(session, planning.make_plan(session))
    session.close()
    assert done.gone == ["tiktok/item-9/item-9.srt"]
    assert [p.name for p in (project.tree / "tiktok/item-9").iterdir()] == ["other.txt"]
    path.write_text("garbage")
    session = opened(project)
    assert publishing.unfinished(session) == frozenset()
    session.close()


@pytest.mark.parametrize("remembered", [True, False])
def test_a_damaged_blob_is_never_placed(project: Project, remembered: bool) -> None:
    """A file of the tree is gone and the blob it is to be placed from was damaged since: it is made again, with or without
    what was known of the last build."""
    rows = json.loads((project.tree / "manifest.json").read_text())["deliverables"]
    (row,) = (row for row in rows if row["clip"] == "item-0" and row["kind"] == "srt")
    blob = project.root / ".clipbuild/store" / row["sha256"][:2] / row["sha256"]
    good = blob.read_bytes()
    (project.tree / row["path"]).unlink()
    blob.chmod(0o644)
    blob.write_bytes(b"X" + good[1:])
    if not remembered:
        (project.root / ".clipbuild/snapshot.draft").unlink()
    built = project.build()
    assert (built.status, built.stages()) == (builder.DONE, ["captions"])
    assert (project.tree / row["path"]).read_bytes() == good
    assert len(list((project.root / ".clipbuild/store/quarantine").iterdir())) == 1


def test_what_is_damaged_while_the_plan_is_made_is_not_placed(project: Project) -> None:
    """Nothing is made anew by publishing itself: the clip counts as not whole, its files of before stay."""
    session = opened(project)
    planned = planning.make_plan(session)
    (wanted,) = (one for one in planned.deliverables["item-0"] if one.kind == "json")
    name = planned.plan.resolve(wanted.source)
    assert name is not None
    (project.tree / wanted.path).unlink()
    blob = pathlib.Path(session.store.path(name))
    blob.chmod(0o644)
    blob.write_bytes(b"X")
    assert not publishing.is_sound(session, planned)
    publishing.publish(session, planned)
    session.close()
    assert not (project.tree / wanted.path).exists()
