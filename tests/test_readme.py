"""The README's own blocks, run as they are written: the command that builds the example, the command that tests, the
smallest products, and the table of what one types.

Installing asks a package registry, so `pip` and `python3 -m venv` are stood in for: what they would have installed is there.
The example is cut to one product of one second.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BIN = pathlib.Path(sys.executable).parent
VENV = f"""#!/bin/sh
test "$1 $2" = "-m venv" || exit 9
mkdir -p "$3/bin"
ln -sf {BIN}/clipbuild "$3/bin/clipbuild"
for name in pip python; do printf '#!/bin/sh\\necho %s "$@" >> asked\\n' $name > "$3/bin/$name"; chmod +x "$3/bin/$name"; done
"""


def blocks(language: str) -> list[str]:
    """The README's blocks in this language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def shell(script: str, folder: pathlib.Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run lines in a shell where `clipbuild` is this one."""
    kept = {name: os.environ[name] for name in ("TMPDIR", "PYTHONPATH", "LANG") if name in os.environ}
    person = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER")
              for what, value in (("NAME", "you"), ("EMAIL", "you@example.com"))}  # fmt: skip
    known = {
        **kept, **person, "HOME": str(folder), "XDG_STATE_HOME": str(folder / "state"), "GIT_CONFIG_GLOBAL": os.devnull,
        "CLIPBUILD_CONFIG": str(folder / "none.toml"), "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", **environ,
    }  # fmt: skip
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=folder, env=known, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, timeout=400, check=False,
    )  # fmt: skip


@pytest.fixture
def checkout(tmp_path: pathlib.Path) -> pathlib.Path:
    """A checkout as far as the README's commands see it, its example cut to the mug."""
    shop = tmp_path / "examples/storefront"
    shutil.copytree(ROOT / "examples/storefront", shop, ignore=shutil.ignore_patterns(".clipbuild", "dist*"))
    for name in ("cards.yaml", "scenes.yaml"):
        (shop / "catalog" / name).unlink()
    home = shop / "catalog/home.yaml"
    first = re.split(r"(?m)^(?=  - sku:)", home.read_text(encoding="utf-8"))
    home.write_text("".join(first[:2]).replace("languages: [en, de]", "languages: [en]"), encoding="utf-8")
    config = (shop / "clipbuild.yaml").read_text(encoding="utf-8")
    config = re.sub(r"platforms: \[.*\]", "platforms: [tiktok]", re.sub(r"(?m)^  duration: 5$", "  duration: 1", config))
    (shop / "clipbuild.yaml").write_text(config, encoding="utf-8")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python3").write_text(VENV)
    (tmp_path / "bin/python3").chmod(0o755)
    return tmp_path


@pytest.mark.slow
def test_the_commands_work(checkout: pathlib.Path) -> None:
    """Build the example, and once more; then the tests' command: what pip and python are asked for is there."""
    path = f"{checkout / 'bin'}{os.pathsep}{BIN}{os.pathsep}{os.environ['PATH']}"
    build, tests = blocks("sh")
    done = shell(build, checkout, PATH=path)
    assert done.returncode == 0, done.stdout
    made = {p.suffix for p in (checkout / "examples/storefront/dist/tiktok/mug-black").iterdir()}
    assert made == {".mp4", ".jpg", ".json", ".srt", ".vtt"}
    again = re.search(r"Run\s+`(\.venv/bin/clipbuild[^`]*)`\s+again", README)
    assert again
    assert "nothing to do" in shell(again[1], checkout, PATH=path).stdout
    (checkout / "asked").unlink()
    done = shell(tests, checkout, PATH=path)
    assert done.returncode == 0, done.stdout
    assert (checkout / "asked").read_text().splitlines() == ["pip install -q -e .[dev]", "python -m tests"]
    assert (ROOT / "tests/__main__.py").exists()


@pytest.mark.slow
def test_the_smallest_product_and_the_table(tmp_path: pathlib.Path) -> None:
    """In a project of its own: the three lines build, what is added to them is seen, and every offline command of the table
    works on it as it is written."""
    smallest, added = blocks("yaml")[:2]
    table = re.findall(r"(?m)^\| `(clipbuild [^`]*)` \|", README)
    done = shell(table[0], tmp_path)
    assert done.returncode == 0, done.stdout
    shop = tmp_path / "my-shop"
    shutil.rmtree(shop / "catalog")
    (shop / "catalog").mkdir()
    (shop / "photos").mkdir(exist_ok=True)
    shutil.copy(ROOT / "examples/storefront/photos/mug_black_01.jpg", shop / "photos/mug_black_01.jpg")
    shutil.copy(shop / "photos/mug_black_01.jpg", shop / "photo.jpg")
    (shop / "catalog/mug.yaml").write_text(smallest, encoding="utf-8")
    script = "git init -q -b main . && git add -A && git commit -qm first && clipbuild check && clipbuild build --profile draft"
    done = shell(script, shop)
    assert done.returncode == 0, done.stdout
    (shop / "catalog/mug.yaml").write_text(smallest + added, encoding="utf-8")
    offline = [line for line in table[1:] if not re.search(r" (import|new|watch|review|build)\b", line)]
    assert len(offline) >= 6
    for line in offline:
        done = shell(line, shop)
        assert done.returncode == 0, f"{line}\n{done.stdout}"
    since = shell("clipbuild plan --since main", shop).stdout
    assert "1 clip touched" in since
    assert "Your 7 a.m., upgraded" in since
    built = shell("clipbuild build 'mug-*' --profile draft && cat dist.draft/tiktok/mug-black/*.srt", shop)
    assert "Fits under every machine" in built.stdout
