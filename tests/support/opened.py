"""A project of three products, and its workspace opened for all of its drafts: fixtures that tests import by name."""

import pathlib
from collections.abc import Iterator

import pytest

from clipbuild.session import Session, open_session
from clipbuild.settings import Settings
from clipbuild.wish import Wish
from tests.support.project import Project


@pytest.fixture
def project(tmp_path: pathlib.Path) -> Project:
    made = Project(tmp_path / "shop")
    made.sample(3)
    return made


@pytest.fixture
def session(project: Project) -> Iterator[Session]:
    """The workspace, opened for all of its drafts."""
    opened = open_session(Wish(str(project.root), profile="draft"), Settings())
    yield opened
    opened.close()
