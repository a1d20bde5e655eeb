"""What commands share: which project is meant, how JSON and reasons are printed."""

import json
import pathlib

import pytest

from clipbuild.cli import common
from clipbuild.errors import UsageError


def test_the_nearest_project_upwards(tmp_path: pathlib.Path) -> None:
    """From deep inside, the nearest clipbuild.yaml counts: a project in a project is one of its own."""
    inner = tmp_path / "a" / "b"
    (inner / "photos" / "x").mkdir(parents=True)
    (tmp_path / "clipbuild.yaml").write_text("", encoding="utf-8")
    assert common.workspace(str(inner / "photos")) == str(tmp_path)
    (inner / "clipbuild.yaml").write_text("", encoding="utf-8")
    assert common.workspace(str(inner / "photos" / "x")) == str(inner)


def test_a_folder_of_that_name_is_no_project(tmp_path: pathlib.Path) -> None:
    """clipbuild.yaml is a file; what is none is passed over."""
    (tmp_path / "p" / "clipbuild.yaml").mkdir(parents=True)
    with pytest.raises(UsageError, match=r"no clipbuild\.yaml in"):
        common.workspace(str(tmp_path / "p"))


def test_no_project_gets_a_command_to_type(tmp_path: pathlib.Path) -> None:
    """The hint can be copied into a shell, also for a folder with a space in its name."""
    place = tmp_path / "my shop"
    place.mkdir()
    with pytest.raises(UsageError) as caught:
        common.workspace(str(place))
    assert caught.value.hint == f"`clipbuild init '{place}'` starts a project there"


def test_no_folder_at_all(tmp_path: pathlib.Path) -> None:
    """A mistyped -C is told as that, not as a missing project."""
    with pytest.raises(UsageError, match="no folder"):
        common.workspace(str(tmp_path / "nosuch"))


def test_json_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    """Unicode as it is, numbers of money as text, one end of line."""
    from decimal import Decimal

    common.show_json({"é": "日", "price": Decimal("1.50")})
    out = capsys.readouterr().out
    assert json.loads(out) == {"é": "日", "price": "1.50"}
    assert "日" in out
    assert out.endswith("}\n")


def test_a_reason() -> None:
    """One stands in brackets behind the name, several stand below it."""
    assert common.told_why("never made before") == "  (never made before)"
    assert common.told_why("a: 1 -> 2\nb: 3 -> 4") == "\n    a: 1 -> 2\n    b: 3 -> 4"
