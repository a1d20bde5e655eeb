"""A small project that was built once in a process, for tests that only look at it."""

import atexit
import functools
import pathlib
import shutil
import tempfile

from tests.support.project import Project


@functools.cache
def _built() -> pathlib.Path:
    root = pathlib.Path(tempfile.mkdtemp(prefix="clipbuild-built-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    project = Project(root / "shop")
    project.sample(2)
    report = project.build()
    assert report.status == 0, report.text or report.plain
    return project.root


def built(folder: pathlib.Path) -> Project:
    """A copy of it in `folder`: two products, item-0 and item-1, made as drafts."""
    shutil.copytree(_built(), folder / "shop", symlinks=True)
    return Project(folder / "shop")
