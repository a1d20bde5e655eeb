"""The command line as a whole: what a shell completes, and what a slip of the finger gets."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

from clipbuild.cli.main import COMMANDS, of_the_system
from tests.support.project import Project


@pytest.mark.parametrize(
    ("words", "expected"), [("clipbuild bu", {"build"}), ("clipbuild check --fo", {"--format"}), ("clipbuild check --format s", {"sarif"})]
)
def test_completion(words: str, expected: set[str]) -> None:
    """Commands, options and their values, by the lines that docs/commands.md gives."""
    told = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" ")), "_CLIPBUILD_COMPLETE": "bash_complete"}
    done = subprocess.run(
        [sys.executable, "-m", "clipbuild"], env={**os.environ, **told}, capture_output=True, text=True, check=False
    )
    assert {line.partition(",")[2] for line in done.stdout.split()} == expected


def test_a_slip_of_the_finger() -> None:
    """An unknown command gets the nearest one."""
    done = subprocess.run([sys.executable, "-m", "clipbuild", "biuld"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "clipbuild: no command 'biuld'\n    hint  did you mean \"build\"?\n"
    assert "build" in COMMANDS


def test_a_folder_that_is_not_there() -> None:
    """A mistyped -C is told as that, with status 2."""
    done = subprocess.run([sys.executable, "-m", "clipbuild", "-C", "/nonexistent", "build"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("clipbuild: no folder /nonexistent\n")


def test_a_closed_pipe() -> None:
    """Whoever reads may stop: no traceback, and no status that says that products failed."""
    line = f"{sys.executable} -m clipbuild --help | head -c 1; echo ${{PIPESTATUS[0]}}"
    script = f"for i in 1 2 3; do {line}; done"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert set(done.stdout.replace("U", "").split()) <= {"0", "141"}


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (PermissionError(13, "Permission denied", "/x/clock"), 2, "/x/clock: Permission denied"),
        (NotADirectoryError(20, "Not a directory", "/x/y"), 2, "/x/y: Not a directory"),
        (OSError(28, "No space left on device", "/x"), 3, "it goes on where it was"),
        (OSError(5, "Input/output error"), 3, "Input/output error"),
        (FileNotFoundError(2, "No such file", "a\x1b[2J"), 2, "a\\x1b[2J"),
    ],
)
def test_what_the_system_refuses(error: OSError, status: int, words: str) -> None:
    """Told in our form; a full disk is work left unfinished, a folder that can't be written to is a wrong set-up."""
    told = of_the_system(error)
    assert told.exit_status == status
    assert words in str(told)
    assert told.hint


@pytest.mark.parametrize("encoding", ["latin-1:strict", "cp1252:strict", "ascii:strict"])
def test_a_terminal_that_lacks_characters(tmp_path: pathlib.Path, encoding: str) -> None:
    """What it can't show is shown by its number: no traceback, and JSON that is still JSON."""
    project = Project(tmp_path)
    project.sample()
    project.edit("catalog/all.yaml", "name: Item 0", "name: Item 0\n    subject: \u6696\u304b\u3044 \U0001f525")

    def said(*args: str) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "clipbuild", "-C", str(tmp_path), *args]
        return subprocess.run(command, env={**os.environ, "PYTHONIOENCODING": encoding}, capture_output=True, check=False)

    prompt = said("prompt", "item-0")
    assert (prompt.returncode, prompt.stderr) == (0, b"")
    project.edit("catalog/all.yaml", "name: Item 0", "name: Item 0\n    motion: \u6696\U0001f525")
    told = said("check", "--json")
    assert told.returncode == 2
    assert "\u6696\U0001f525" in json.loads(told.stdout)["problems"][0]["what"]


def test_an_error_as_json_is_json_in_any_encoding(tmp_path: pathlib.Path) -> None:
    """A character that stdout lacks is written as JSON writes it, not as Python does."""
    project = Project(tmp_path)
    project.sample()
    project.edit("catalog/all.yaml", "name: Item 0", "name: Item 0\n    motion: \xe9clair")
    command = [sys.executable, "-m", "clipbuild", "-C", str(tmp_path), "plan", "--json"]
    done = subprocess.run(command, env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True, check=False)
    assert "\xe9clair" in json.loads(done.stdout)["error"]["problems"][0]["what"]


@pytest.mark.parametrize("command", ["check --json", "plan", "nothing --json"])
def test_a_closed_stdout(tmp_path: pathlib.Path, command: str) -> None:
    """What nobody reads is not said, and nothing else goes wrong."""
    Project(tmp_path).sample()
    script = f"exec {sys.executable} -m clipbuild -C {tmp_path} {command} >&-"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert done.returncode == (2 if "nothing" in command else 0)
