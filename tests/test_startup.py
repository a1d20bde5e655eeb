"""What is imported when: help, version and a build with nothing to do load nothing heavy."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEAVY = ["asyncio", "jinja2", "ruamel", "yaml", "httpx", "openai", "PIL", "numpy", "cv2", "rich", "sqlite3",
         "jsonschema_rs", "watchfiles", "starlette"]  # fmt: skip


FOREIGN = ["httpx", "openai", "html.parser", "clipbuild.catalog.feeds", "clipbuild.providers.download",
           "clipbuild.providers.models", "clipbuild.gallery", "starlette", "rich", "numpy", "PIL"]  # fmt: skip
"""What an edit of words has no use for."""


def loaded(code: str, of: list[str] = HEAVY) -> set[str]:
    """Which modules `of` these `code` leaves loaded in a fresh interpreter."""
    probe = f"import sys\n{code}\nprint('\\n'.join(m for m in {of!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


def run(*args: str) -> str:
    return f"""
from clipbuild.cli.main import main
import contextlib, io
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main({list(args)!r})
"""


def test_import_loads_nothing() -> None:
    """`import clipbuild` loads no heavy module, and the command line none either."""
    assert loaded("import clipbuild, clipbuild.cli.main, clipbuild.build") == set()


def test_help_loads_nothing() -> None:
    """`clipbuild --help` and `clipbuild build --help` are only click."""
    assert loaded(run("--help")) == set()
    assert loaded(run("build", "--help")) == set()


def test_a_build_with_nothing_to_do_loads_nothing(tmp_path: pathlib.Path) -> None:
    """The snapshot alone answers a build with nothing to do."""
    from tests.support.project import Project

    project = Project(tmp_path)
    project.sample()
    assert project.build().status == 0
    assert project.build().ran == []
    assert loaded(run("-C", str(tmp_path), "build", "--profile", project.profile)) == set()


def test_an_edit_loads_what_it_needs(tmp_path: pathlib.Path) -> None:
    """A product made free of charge asks for no provider's door, no shop's export and no picture in this process."""
    from tests.support.project import Project

    project = Project(tmp_path)
    project.sample()
    assert project.build().status == 0
    project.edit("catalog/all.yaml", "Hello there", "Hello again")
    assert loaded(run("-C", str(tmp_path), "build", "--profile", project.profile), FOREIGN) == set()
    assert project.build().ran == []
