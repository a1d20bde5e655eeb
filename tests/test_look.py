"""The look before a build: nothing when nothing differs, what differs by name, and nothing believed that can't be known."""

import contextlib
import os
import pathlib
import sqlite3
import time

import pytest

from clipbuild import build as builder
from clipbuild import decisions, events, planning
from clipbuild.look import Look, examine, forget, question, snapshot_path
from clipbuild.manifest import Manifest
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


def build(project: Project, listener: events.Listener) -> builder.Report:
    """A build, with somebody who does something at an event."""
    return builder.build(wish(project), Settings(), events.Bus(time.monotonic, [listener]), builder.Options(jobs=1))


@pytest.mark.parametrize("how", ["edit", "delete"])
def test_a_file_that_is_changed_while_others_are_placed_is_noticed(project: Project, how: str) -> None:
    """What is remembered of a file is what it looked like when it was placed: the next build puts it right."""
    project.edit("catalog/all.yaml", "name: Item 0", "name: Zero")
    project.edit("catalog/all.yaml", "captions: [Hello there]", "captions: [Good morning]")
    changed: list[pathlib.Path] = []

    def listen(event: events.Event) -> None:
        if isinstance(event, events.DeliverableWritten) and event.path.endswith("item-0.srt"):
            changed.append(project.tree / event.path)
            changed[0].unlink()
            if how == "edit":
                changed[0].write_bytes(b"by hand")

    assert build(project, listen).status == builder.DONE
    assert changed, "it was written"
    time.sleep(0.02)
    again = build(project, lambda event: None)
    assert again.written == ["tiktok/item-0/item-0.srt"]
    assert b"Good morning" in changed[0].read_bytes()


def test_what_is_decided_during_a_build_is_heeded_by_the_next(project: Project) -> None:
    """A person rejects a clip while another is made: the build that runs does not know, the next one takes it away."""
    rows = [row for row in Manifest.load(str(project.tree / "manifest.json")).rows().values() if row["clip"] == "item-0"]
    clip = next(row for row in rows if row["kind"] == "mp4")
    project.edit("catalog/all.yaml", "name: Item 1", "name: One")

    def listen(event: events.Event) -> None:
        if isinstance(event, events.ActionStarted):
            subject = decisions.Subject("item-0/vertical/render", clip["key"], clip["sha256"])
            decisions.decide(str(project.root), [subject], decisions.REJECTED, by="kim")

    assert build(project, listen).status == builder.DONE
    assert sorted(build(project, lambda event: None).removed) == sorted(row["path"] for row in rows)
    nothing = build(project, lambda event: None)
    assert (nothing.removed, nothing.ran, nothing.left) == ([], [], True)


def test_a_build_that_could_not_note_everything_leaves_no_snapshot(project: Project) -> None:
    """Another process writes to the state for long: files of a platform that is given up again are removed all the same,
    though nothing was noted of them when they were made."""
    project.edit("clipbuild.yaml", "duration: 1", "duration: 4")
    assert project.build().status == builder.DONE
    other = sqlite3.connect(project.root / ".clipbuild/state.db", isolation_level=None, timeout=0)
    project.edit("catalog/all.yaml", "name: Item 0", "name: Zero\n    platforms: [tiktok, reels]")

    def listen(event: events.Event) -> None:
        with contextlib.suppress(sqlite3.OperationalError):
            other.execute("begin immediate")

    built = build(project, listen)
    assert (built.status, built.left) == (builder.DONE, False)
    other.close()
    assert (project.tree / "reels/item-0/item-0.mp4").exists()
    project.edit("catalog/all.yaml", "\n    platforms: [tiktok, reels]", "")
    assert "reels/item-0/item-0.mp4" in build(project, lambda event: None).removed
    assert not (project.tree / "reels").exists()
