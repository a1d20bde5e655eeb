"""Which tools shape free results: asked once for each file they come from, and never guessed."""

import os
import pathlib
import stat

import pytest

from clipbuild import toolchain
from clipbuild.errors import MediaError


class Memory(dict[tuple[str, str], bytes]):
    """A small table; `asked` counts what had to be found out."""

    asked = 0

    def get(self, kind: str, key: str) -> bytes | None:  # type: ignore[override]
        return super().get((kind, key))

    def put(self, kind: str, key: str, data: bytes) -> None:
        self.asked += 1
        self[kind, key] = data


@pytest.fixture
def ffmpeg(tmp_path: pathlib.Path) -> pathlib.Path:
    """A program that says it is ffmpeg, and counts how often it is started."""
    path = tmp_path / "ffmpeg"
    path.write_text(f"#!/bin/sh\necho x >> {tmp_path}/started\necho 'ffmpeg version 9.9-test Copyright'\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_every_tool_has_a_version(ffmpeg: pathlib.Path) -> None:
    """ffmpeg and the packages that draw; none is empty."""
    found = toolchain.versions(str(ffmpeg), Memory())
    assert set(found) == {"ffmpeg", *toolchain.PACKAGES}
    assert "9.9-test" in found["ffmpeg"]
    assert all(found.values())
    assert "absent" not in found.values()


def test_asked_once_while_the_files_stand(ffmpeg: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """The second time nothing is started; a new binary at the same place is asked anew."""
    memory = Memory()
    first = toolchain.versions(str(ffmpeg), memory)
    started = (tmp_path / "started").read_text().count("x")
    assert toolchain.versions(str(ffmpeg), memory) == first
    assert (tmp_path / "started").read_text().count("x") == started
    assert memory.asked == 1
    ffmpeg.write_text(ffmpeg.read_text().replace("9.9", "9.10"), encoding="utf-8")
    assert "9.10-test" in toolchain.versions(str(ffmpeg), memory)["ffmpeg"]


def test_the_chosen_one_is_meant() -> None:
    """One that is not there is an error, not a reason to take another."""
    with pytest.raises(MediaError, match="nosuch"):
        toolchain.program("/nonexistent/nosuch", Memory())


def test_the_usual_one_is_remembered() -> None:
    """Found once, and found again when it is no longer there."""
    memory = Memory()
    path = toolchain.program("", memory)
    assert os.access(path, os.X_OK)
    assert toolchain.program("", memory) == path
    assert memory.asked == 1
    key = next(iter(memory))
    memory[key] = b"/nonexistent/ffmpeg"
    assert toolchain.program("", memory) == path


def test_the_files_that_a_change_would_be_seen_in(ffmpeg: pathlib.Path) -> None:
    """The program and the files of every package, all there."""
    found = toolchain.files(str(ffmpeg))
    assert found[0] == str(ffmpeg)
    assert len(found) == 1 + len(toolchain.PACKAGES)
    assert all(os.path.isfile(path) for path in found)
