"""The command line as a whole: what a shell completes, and what a slip of the finger gets."""

import os
import subprocess
import sys

import pytest

from clipbuild.cli.main import COMMANDS


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
    assert "did you mean 'build'?" in done.stderr
    assert "build" in COMMANDS
