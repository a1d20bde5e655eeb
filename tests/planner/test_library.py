"""The templates that users inherit or copy: the workspace's own win, whenever they come."""

import pathlib

import pytest

from clipbuild.catalog.load import plain
from clipbuild.errors import UsageError
from clipbuild.planner.library import Library
from tests.support.project import Project


def test_a_workspaces_own_keys_win(tmp_path: pathlib.Path) -> None:
    """Key by key; a style of one's own is one more; the rest stays as it ships."""
    folder = tmp_path / "templates" / "captions"
    folder.mkdir(parents=True)
    (folder / "boxed.yaml").write_text("size: 0.2\n")
    (folder / "loud.yaml").write_text("weight: 900\n")
    library, shipped = Library(str(tmp_path), plain), Library("/nonexistent", plain)
    assert library.style("boxed") == {**shipped.style("boxed"), "size": 0.2}
    assert set(library.styles()) == {*shipped.styles(), "loud"}
    assert library.overlays() == shipped.overlays()


def test_an_unknown_style_has_a_hint() -> None:
    """The nearest known one."""
    with pytest.raises(UsageError) as caught:
        Library("/nonexistent", plain).style("boxd")
    assert caught.value.hint == 'did you mean "boxed"?'


def test_a_template_that_comes_later_is_seen(tmp_path: pathlib.Path) -> None:
    """A style or an overlay of one's own, written after a build, renders again and makes no picture; a wrong key in it
    is told with its name before anything runs."""
    project = Project(tmp_path)
    project.sample(1)
    assert project.build().status == 0
    project.write("templates/captions/boxed.yaml", "size: 0.09\n")
    assert project.build().stages() == ["cover", "render"]
    project.write("templates/overlays/price.yaml", "size: 0.06\n")
    assert project.build().stages() == ["cover", "render"]
    project.write("templates/overlays/price.yaml", "sise: 0.06\n")
    failed = project.build()
    assert failed.status == 2
    assert "overlay price: there is no key 'sise'" in failed.text
