"""`clipbuild doctor`: what this machine has, and what a build would miss."""

import json
import os
import pathlib

from tests.support.project import Project


def test_this_machine_can_build(tmp_path: pathlib.Path) -> None:
    """Everything a build needs is there, and said; no project is needed."""
    status, out, err = Project(tmp_path).run("doctor")
    assert (status, err) == (0, "")
    rows = dict(line.split(None, 1) for line in out.splitlines() if not line.startswith("version of"))
    assert rows["missing"] == "none"
    assert "libx264 yes" in rows["encoders"]


def test_json(tmp_path: pathlib.Path) -> None:
    """One object, with the path of the ffmpeg in use and the versions that shape results."""
    told = json.loads(Project(tmp_path).run("doctor", "--json")[1])
    assert os.path.isfile(told["ffmpeg"])
    assert told["missing"] == []
    assert all(told[f"version of {name}"] not in ("", "absent") for name in ("ffmpeg", "pillow", "numpy", "opencv"))


def test_an_ffmpeg_that_is_not_there(tmp_path: pathlib.Path) -> None:
    """The one the user named is meant, no other: told as an error with its path."""
    project = Project(tmp_path)
    project.env = {**os.environ, "CLIPBUILD_FFMPEG": "/nonexistent/ffmpeg"}
    status, out, err = project.run("doctor")
    assert status in (1, 2)
    assert out == ""
    assert "/nonexistent/ffmpeg" in err


def test_untrusted_is_told(tmp_path: pathlib.Path) -> None:
    """In CI, where nothing says otherwise, the run is not trusted."""
    project = Project(tmp_path)
    project.env = {**os.environ, "CI": "true"}
    project.env.pop("CLIPBUILD_TRUSTED", None)
    assert json.loads(project.run("doctor", "--json")[1])["trusted run"] is False
