"""What a stage is given, and that it can't leave without its result."""

import pathlib

import pytest

from clipbuild.errors import ActionError
from clipbuild.stages.workdir import Workdir


def workdir(folder: pathlib.Path, said: list[tuple[float, str]] | None = None, **tools: str) -> Workdir:
    """A working folder that notes progress."""
    heard = said if said is not None else []
    return Workdir("key", "a/render", {}, {}, str(folder), lambda done, note: heard.append((done, note)), tools)


def test_made_lists_what_is_there(tmp_path: pathlib.Path) -> None:
    """Outputs that a run may leave out are left out; folders of that name are no outputs."""
    (tmp_path / "video").write_bytes(b"x")
    (tmp_path / "told").mkdir()
    assert workdir(tmp_path).made(["video", "told", "extra"]) == {"video": str(tmp_path / "video")}


def test_the_main_output_must_be_there(tmp_path: pathlib.Path) -> None:
    """A stage that ends well without it has failed, and is named."""
    (tmp_path / "told").write_bytes(b"x")
    with pytest.raises(ActionError, match="a/render: the stage left no 'video'"):
        workdir(tmp_path).made(["video", "told"])


def test_progress_is_a_share(tmp_path: pathlib.Path) -> None:
    """Never below nothing or above all, whatever a stage counts."""
    said: list[tuple[float, str]] = []
    work = workdir(tmp_path, said)
    for done in (-1.0, 0.5, 7.0):
        work.progress(done, "frames")
    assert said == [(0.0, "frames"), (0.5, "frames"), (1.0, "frames")]


def test_progress_may_be_told_to_nobody(tmp_path: pathlib.Path) -> None:
    """A stage can be run by itself."""
    Workdir("key", "a", {}, {}, str(tmp_path)).progress(0.5)


def test_tools(tmp_path: pathlib.Path) -> None:
    """A path where one was chosen, else nothing: the stage then takes the usual one."""
    assert workdir(tmp_path, ffmpeg="/opt/ffmpeg").tool("ffmpeg") == "/opt/ffmpeg"
    assert workdir(tmp_path).tool("ffmpeg") == ""
