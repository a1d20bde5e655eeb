"""The door to ffmpeg: found, named, run without a shell, with little to see, ended when it hangs, heard when it fails."""

import os
import pathlib
import stat
import sys
import time

import pytest

from clipbuild.errors import MediaError
from clipbuild.media import ffmpeg
from tests.support.reels import PROGRAM


def stub(folder: pathlib.Path, text: str) -> str:
    """A program that does what `text` (Python) says."""
    path = folder / "stub"
    path.write_text(f"#!{sys.executable} -S\nimport os, sys, time\n{text}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_it_is_found_and_says_what_it_is() -> None:
    """The packaged program is there, its version is one line with that of libavcodec, and it can do what we need."""
    assert os.path.isabs(PROGRAM)
    said = ffmpeg.version(PROGRAM)
    assert " libavcodec " in said
    assert "\n" not in said
    assert {"libx264", "aac"} <= ffmpeg.encoders(PROGRAM)
    assert {"scale", "ebur128", "alimiter", "sidechaincompress", "afade"} <= ffmpeg.filters(PROGRAM)


def test_a_chosen_program_must_exist_and_be_one(tmp_path: pathlib.Path) -> None:
    """A chosen program that is missing, or is something else, is an error that says so."""
    with pytest.raises(MediaError, match="no program 'nowhere'"):
        ffmpeg.find("nowhere")
    other = stub(tmp_path, "print('hello')")
    assert ffmpeg.find(other) == other
    with pytest.raises(MediaError, match="is no ffmpeg"):
        ffmpeg.version(other)


@pytest.mark.parametrize("name", ["concat:a|b", "-y", "a%03d.png", "http:x", "subfile,,start,0,end,9,,:x", "a b'c.mp4"])
def test_a_path_is_only_a_path(tmp_path: pathlib.Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No prefix, option or pattern is read from a file's name."""
    monkeypatch.chdir(tmp_path)
    given = ffmpeg.source(name)
    assert given == f"file:{tmp_path}/{name}"


def test_a_child_sees_little(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its environment is an allow-list with a fixed locale and time zone; its standard input is empty."""
    monkeypatch.setenv("KLING_SECRET_KEY", "canary")
    text = "print(sorted(os.environ)); print(repr(sys.stdin.read()))"
    said = ffmpeg.output([stub(tmp_path, text)]).decode()
    assert "KLING" not in said
    assert "HOME" not in said
    assert "LC_ALL" in said
    assert said.endswith("''\n")


def test_what_it_says_is_bounded_and_told(tmp_path: pathlib.Path) -> None:
    """A failure carries exit status and last lines; a flood of complaints or one endless line does no harm."""
    flood = "for i in range(20000): sys.stderr.write(f'line {i}\\n')\nsys.stderr.write('x' * 3_000_000)\nsys.exit(7)"
    with pytest.raises(MediaError, match="ffmpeg failed") as found:
        ffmpeg.complaints([stub(tmp_path, flood)])
    facts = dict(found.value.facts)
    assert facts["exit"] == "7"
    assert len(str(found.value)) < 4000


def test_one_that_hangs_is_ended(tmp_path: pathlib.Path) -> None:
    """At its wall limit it is killed, and the error says that it took too long."""
    began = time.monotonic()
    with pytest.raises(MediaError, match="took too long"):
        ffmpeg.output([stub(tmp_path, "time.sleep(60)")], wall=0.3)
    assert time.monotonic() - began < 10


def test_one_that_goes_away_while_fed_is_an_error(tmp_path: pathlib.Path) -> None:
    """A pipe that breaks in the middle of the frames is told with what ffmpeg said, not as a broken pipe."""
    text = "sys.stdin.buffer.read(1000); sys.stderr.write('no space left\\n'); sys.exit(1)"
    frame = memoryview(bytes(1 << 20))
    with ffmpeg.Running([stub(tmp_path, text)], feeding=True) as running, pytest.raises(MediaError) as found:
        ffmpeg.write_all(running, iter([frame] * 50), lambda _: None)
    assert ("ffmpeg", "no space left") in found.value.facts


def test_leaving_ends_it(tmp_path: pathlib.Path) -> None:
    """Leaving the block for any reason ends the process at once."""
    with pytest.raises(KeyError), ffmpeg.Running([stub(tmp_path, "time.sleep(60)")]) as running:
        raise KeyError
    assert running.process.returncode is not None


def test_a_program_that_cannot_start_is_an_error(tmp_path: pathlib.Path) -> None:
    """A file that can't be run is told by name."""
    path = tmp_path / "plain"
    path.write_text("text")
    with pytest.raises(MediaError, match="can't be started") as found:
        ffmpeg.output([str(path)])
    assert str(path) in str(found.value)
