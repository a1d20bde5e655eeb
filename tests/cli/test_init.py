"""`clipbuild init`: a project that builds at once, and nothing that was there is lost."""

import pathlib

import pytest

from tests.support.project import Project


def test_the_next_step_can_be_typed(tmp_path: pathlib.Path) -> None:
    """The command it ends with is quoted for a shell, also in a folder with a space."""
    project = Project(tmp_path)
    status, out, _ = project.run("init", "my shop")
    assert status == 0
    assert out.splitlines()[-1] == f"next: clipbuild -C '{tmp_path / 'my shop'}' build"


def test_what_is_there_stays(tmp_path: pathlib.Path) -> None:
    """A .gitignore and a catalog of one's own keep their bytes."""
    project = Project(tmp_path)
    project.write(".gitignore", "mine\n")
    project.write("catalog/products.yaml", "products: []\n")
    assert project.run("init")[0] == 0
    assert (tmp_path / ".gitignore").read_text() == "mine\n"
    assert (tmp_path / "catalog/products.yaml").read_text() == "products: []\n"


def test_a_second_time_is_refused(tmp_path: pathlib.Path) -> None:
    """With the command that reads what is there."""
    project = Project(tmp_path)
    project.run("init")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    status, _, err = project.run("init")
    assert status == 2
    assert "clipbuild check" in err
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("name", ["A \"brand\": ours", "Ünï, 日本", "# not a comment", "{x}", "back\\slash", "'quote"])
def test_any_name_of_a_brand(tmp_path: pathlib.Path, name: str) -> None:
    """What is given is what the catalog says, whatever signs YAML gives a meaning to."""
    from clipbuild.catalog.load import plain

    project = Project(tmp_path)
    assert project.run("init", "--name", name)[0] == 0
    data = (tmp_path / "clipbuild.yaml").read_bytes()
    assert plain("clipbuild.yaml", data)["brand"]["name"] == name


def test_a_file_in_the_way(tmp_path: pathlib.Path) -> None:
    """An error with a hint and status 2, not a traceback."""
    project = Project(tmp_path)
    project.write("photos", "a file")
    status, out, err = project.run("init")
    assert status == 2
    assert "Traceback" not in out + err
    assert "hint" in err
