"""Captions from files: subtitles, word times, and drafts that a person corrects."""

import json
import pathlib

from tests.support.project import Project

SAID = ("twelve", "goats", "of", "lacquer", "no", "two", "alike")
WORDS = [{"word": word, "start": i * 0.1, "end": i * 0.1 + 0.08} for i, word in enumerate(SAID)]


def spoken(tmp_path: pathlib.Path, extra: str = "captions: auto\n    words: talk.json") -> Project:
    """A project of one product whose captions are made from what is said."""
    project = Project(tmp_path)
    project.sample(1)
    project.write("talk.json", json.dumps({"words": WORDS}))
    project.edit("catalog/all.yaml", "captions: [Hello there]", extra)
    return project


def test_captions_are_drafted_once_and_a_correction_renders_alone(tmp_path: pathlib.Path) -> None:
    """The draft lies in the workspace; corrected it wins, and nothing but the clip's text is made again."""
    project = spoken(tmp_path)
    assert project.build().status == 0
    draft = project.root / "captions/item-0.vtt"
    assert "goats" in draft.read_text()
    assert "goats" in project.files()["tiktok/item-0/item-0.srt"].decode()
    assert project.build().ran == []
    draft.write_text(draft.read_text().replace("goats", "coats"))
    assert project.build().stages() == ["captions", "cover", "post", "render"]
    assert "coats" in project.files()["tiktok/item-0/item-0.srt"].decode()
    project.edit("talk.json", "goats", "boats")
    assert project.build().ran == []
    assert "coats" in draft.read_text()


def test_a_plan_writes_no_draft(tmp_path: pathlib.Path) -> None:
    """Planning only looks."""
    project = spoken(tmp_path)
    assert project.plan()
    assert not (project.root / "captions").exists()


def test_captions_of_a_file_are_shown_at_its_times(tmp_path: pathlib.Path) -> None:
    """A subtitle file is the captions; a fault in it has its line."""
    project = spoken(tmp_path, "captions: {file: a.srt}")
    project.write("a.srt", "1\n00:00:00,250 --> 00:00:00,500\n50% off\n")
    assert project.build("--platform", "tiktok").status == 0
    assert "00:00:00.250 --> 00:00:00.500\n50% off" in project.files()["tiktok/item-0/item-0.vtt"].decode()
    project.write("a.srt", "1\n00:00:00,250 -> 00:00:00,500\n50% off\n")
    failed = project.build()
    assert failed.status == 2
    assert "a.srt:1: expected a time" in failed.text


def test_nothing_said_is_an_error(tmp_path: pathlib.Path) -> None:
    """Captions can't be made from nothing."""
    assert "there is nothing to make captions from" in spoken(tmp_path, "captions: auto").build().text
