"""The look before a build: nothing when nothing differs, what differs by name, and nothing believed that can't be known."""

import os
import pathlib

import pytest

from clipbuild import build as builder
from clipbuild import planning
from clipbuild.look import Look, examine, forget, question, snapshot_path
from clipbuild.settings import Settings
from clipbuild.wish import Wish
from tests.support.project import Project


@pytest.fixture
def project(tmp_path: pathlib.Path) -> Project:
    """Two products, built, and looked at once more."""
    made = Project(tmp_path / "p")
    made.sample(2)
    assert made.build().status == builder.DONE
    assert made.build().status == builder.DONE
    return made


def wish(project: Project, *products: str) -> Wish:
    return Wish(str(project.root), products, profile="draft")


def test_nothing_differs_after_a_build(project: Project) -> None:
    """No source, no file of the tree, no folder; and the note says what was built."""
    look = Look.take(wish(project), Settings())
    assert look.changes is not None
    assert not look.changes
    assert look.suspects() == frozenset()
    assert look.note["deliverables"] == 10


def test_what_differs_is_named(project: Project) -> None:
    """A photo and a file of the tree, and in clips: both of theirs."""
    project.photo("photos/p1.png", "#00aa55")
    (project.tree / "tiktok/item-0/item-0.srt").unlink()
    look = Look.take(wish(project), Settings())
    assert look.suspects() == frozenset({"photos/p1.png"})
    assert look.changes is not None
    assert look.changes.outputs == ["dist.draft/tiktok/item-0/item-0.srt"]
    session = planning.open_session(look.wish, Settings(), suspects=look.suspects())
    drift = look.drift(session)
    session.close()
    assert drift is not None
    assert (drift.clips, drift.tree) == ({"item-0"}, {"item-0", "item-1"})
    touched = Look.take(wish(project), Settings(), touched=frozenset({"photos/p0.png"}))
    assert touched.changes is not None
    assert not touched.changes, "only what was named is looked at"


def test_another_question_has_no_answer(project: Project) -> None:
    """A part, another ffmpeg, another store: nothing to compare with. Forgotten: nothing either."""
    assert Look.take(wish(project, "item-0"), Settings()).changes is None
    assert Look.take(wish(project), Settings(ffmpeg="/other")).changes is None
    assert question(wish(project), Settings()) != question(wish(project), Settings(store="/other"))
    assert snapshot_path(wish(project)) != snapshot_path(wish(project, "item-0"))
    forget(str(project.root), ["draft"])
    assert Look.take(wish(project), Settings()).changes is None


def test_a_build_in_between_is_noticed(project: Project) -> None:
    """The look is taken again when another build ended since."""
    look = Look.take(wish(project), Settings())
    assert look.again() is look
    project.photo("photos/p1.png", "#00aa55")
    assert project.build().status == builder.DONE
    assert look.again() is not look


def test_where_nothing_is_known_what_is_seen_is_read(project: Project) -> None:
    """A blob is damaged through the file that shares its bytes: without a snapshot it is found, and goes to quarantine."""
    forget(str(project.root), ["draft"])
    path = project.tree / "tiktok/item-0/item-0.srt"
    shared = path.stat().st_nlink > 1
    path.chmod(0o644)
    path.write_bytes(b"damaged")
    look = Look.take(wish(project), Settings())
    session = planning.open_session(look.wish, Settings())
    examine(look, session)
    session.close()
    assert len(os.listdir(project.root / ".clipbuild/store/quarantine")) == shared
    assert project.build().status == builder.DONE
    assert path.read_bytes() != b"damaged"
