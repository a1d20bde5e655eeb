"""The tutorial, step by step as a new user would: every block that is marked is run as it is written, in one shell, and
what it is said to print is printed."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
_BLOCK = re.compile(r"<!-- (run|prints) -->\n```(?:sh|text)\n(.*?)```\n", re.DOTALL)


def steps(page: pathlib.Path) -> list[tuple[str, list[str]]]:
    """(commands, the lines that they print) of each block."""
    found: list[tuple[str, list[str]]] = []
    for kind, text in _BLOCK.findall(page.read_text(encoding="utf-8")):
        if kind == "run":
            found.append((text, []))
        else:
            found[-1][1].extend(text.splitlines())
    return found


def is_said(line: str, output: str) -> bool:
    """The line is in the output, `…` standing for anything within a line."""
    return re.search("[^\n]*".join(map(re.escape, line.split("…"))), output) is not None


@pytest.mark.slow
def test_the_tutorial_works(tmp_path: pathlib.Path) -> None:
    """From `init` to a build in CI; a block that fails or prints something else fails the test."""
    if not shutil.which("bash") or not shutil.which("git"):
        pytest.skip("not run: no bash or no git")
    blocks = steps(ROOT / "docs/tutorial.md")
    assert len(blocks) >= 9
    script = "\n".join(f"echo '@@{number}'\n{text}" for number, (text, _) in enumerate(blocks))
    person = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER")
              for what, value in (("NAME", "you"), ("EMAIL", "you@example.com"))}  # fmt: skip
    kept = {name: os.environ[name] for name in ("TMPDIR", "PYTHONPATH", "LANG") if name in os.environ}
    environ = {
        **kept, **person, "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state"),
        "CLIPBUILD_CONFIG": str(tmp_path / "none.toml"), "GIT_CONFIG_GLOBAL": os.devnull,
        "PATH": f"{pathlib.Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }  # fmt: skip
    done = subprocess.run(
        ["bash", "-m", "-euo", "pipefail", "-c", script], cwd=tmp_path, env=environ, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=400, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    told = re.split(r"^@@\d+$", done.stdout, flags=re.MULTILINE)[1:]
    for (text, wanted), output in zip(blocks, told, strict=True):
        for line in wanted:
            assert is_said(line, output), f"{line!r} is not in what this printed:\n{text}\n{output}"
