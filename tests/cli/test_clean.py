"""`clipbuild clean`: what clipbuild made for free goes, what others made or what was bought stays."""

import pathlib

import pytest

from tests.support.built import built
from tests.support.project import Project


@pytest.fixture
def project(tmp_path: pathlib.Path) -> Project:
    return built(tmp_path)


def test_dry_run(project: Project) -> None:
    """It says how many files would go, and none goes."""
    before = project.files()
    status, out, _ = project.run("clean", "--profile", "draft", "--dry-run")
    assert (status, out) == (0, "would remove 10 files of dist.draft\n")
    assert project.files() == before


def test_a_strangers_file_stays(project: Project) -> None:
    """Only what the manifest lists goes, and folders that become empty."""
    project.write("dist.draft/tiktok/notes.txt", "mine")
    status, out, _ = project.run("clean", "--profile", "draft")
    assert (status, out) == (0, "removed 10 files\n")
    assert project.files() == {"tiktok/notes.txt": b"mine"}


def test_the_next_build_makes_nothing(project: Project) -> None:
    """What was made is still in the store: the files come back without an action, byte for byte."""
    before = project.files()
    project.run("clean", "--profile", "draft")
    report = project.build()
    assert report.ran == []
    assert project.files() == before


def test_cache_forgets_what_was_free(project: Project) -> None:
    """With --cache every action of the plan would run again."""
    status, out, _ = project.run("clean", "--profile", "draft", "--cache")
    assert (status, out) == (0, "removed 10 files and forgot what was made for free\n")
    assert len(project.plan()) == 13


def test_twice_is_nothing(project: Project) -> None:
    """A tree that is gone is clean."""
    project.run("clean", "--profile", "draft")
    assert project.run("clean", "--profile", "draft")[:2] == (0, "removed 0 files\n")


def test_the_lock_stays(project: Project) -> None:
    """Whatever is cleaned, the lock keeps its bytes."""
    project.write("clipbuild.lock", '{"clipbuild": "lock", "format": 1}\n')
    before = (project.root / "clipbuild.lock").read_bytes()
    project.run("clean", "--profile", "draft", "--cache")
    assert (project.root / "clipbuild.lock").read_bytes() == before
