"""`clipbuild plan`: what would run, why and for how much, before anything does."""

import json
import pathlib

import pytest

from tests.support.project import Project


@pytest.fixture
def project(tmp_path: pathlib.Path) -> Project:
    made = Project(tmp_path)
    made.sample()
    return made


def test_a_fresh_project(project: Project) -> None:
    """What can be judged will run, what waits for it may; nothing costs anything; status 0."""
    status, out, err = project.run("plan", "--profile", "draft")
    lines = out.splitlines()
    assert (status, err) == (0, "")
    assert "will run   item-0/vertical/image  (never made before)" in lines
    assert "may run    item-0/vertical/render  (waits for check, image, choose)" in lines
    assert lines[-1] == "3 will run, 4 may run, 0 up to date; cost 0 USD, all made here"


def test_planning_makes_nothing(project: Project) -> None:
    """No output folder, no blob, no trace: the second plan says the same as the first."""
    first = project.run("plan", "--json")[1]
    assert not project.tree.exists()
    assert not list((project.root / ".clipbuild").rglob("*.blob"))
    assert project.run("plan", "--json")[1] == first


def test_json(project: Project) -> None:
    """One object: the actions with stage, verdict and reason, what is up to date, the cost."""
    status, out, _ = project.run("plan", "--json")
    told = json.loads(out)
    assert status == 0
    assert (told["up_to_date"], told["cost"]) == (0, {"least": "0", "most": "0"})
    row = next(row for row in told["actions"] if row["stage"] == "image")
    assert row["action"] == "item-0/vertical/image"
    assert (row["verdict"], row["precious"], row["pool"]) == ("will run", False, "cpu")


def test_dry_run_is_the_plan(project: Project) -> None:
    """`build --dry-run` says what `plan` says."""
    assert project.run("build", "--dry-run", "--profile", "draft") == project.run("plan", "--profile", "draft")


def test_selection(project: Project) -> None:
    """A product that is not there is said with those that are; a near one is offered."""
    status, out, err = project.run("plan", "item-9")
    assert (status, out) == (2, "")
    assert "no product 'item-9' in the catalog" in err
    assert 'did you mean "item-0"?' in err
    status, _, err = project.run("plan", "--platform", "tiktk")
    assert status == 2
    assert 'did you mean "tiktok"?' in err


def test_markdown_is_for_a_change(project: Project) -> None:
    """Without --since there is nothing to comment on."""
    status, _, err = project.run("plan", "--markdown")
    assert status == 2
    assert "--since origin/main" in err
