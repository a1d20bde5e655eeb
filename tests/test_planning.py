"""From a workspace to a judged plan: what is planned, and that secrets and names shape nothing."""

import os
import pathlib

import pytest

from clipbuild import planning
from clipbuild.catalog.model import Place
from clipbuild.engine.action import Verdict
from clipbuild.errors import CatalogError, UsageError
from clipbuild.planning import Session
from clipbuild.settings import Settings
from clipbuild.wish import Wish
from tests.support.opened import project, session
from tests.support.project import Project

__all__ = ["project", "session"]


def keys(project: Project, **settings: object) -> dict[str, str]:
    """name → identity of every action, as a new process plans them."""
    session = planning.open_session(Wish(str(project.root), profile="draft"), Settings(**settings))  # type: ignore[arg-type]
    try:
        return {action.name: action.id for action in planning.make_plan(session).plan.graph}
    finally:
        session.close()


def test_a_plan_judges_every_action(session: Session) -> None:
    """Nothing was made: what has only files before it will run, the rest may."""
    plan = planning.make_plan(session).plan
    assert set(plan.verdicts) == {action.id for action in plan.graph}
    assert {action.stage for action in plan.of(Verdict.WILL_RUN)} == {"image", "captions", "post"}
    assert plan.of(Verdict.UP_TO_DATE) == []


def test_planning_twice_gives_one_plan(session: Session) -> None:
    """No clock, no chance: the same graph in the same order."""
    one, two = planning.make_plan(session).plan.graph, planning.make_plan(session).plan.graph
    assert [(a.name, a.id) for a in one] == [(a.name, a.id) for a in two]


def test_secrets_shape_no_key(project: Project) -> None:
    """Two runs with two provider keys, two budgets and two caches plan the same keys (K4)."""
    before = dict(os.environ)
    try:
        os.environ["OPENAI_API_KEY"] = "sk-one-0123456789abcdef"
        one = keys(project, budget_build="5", remote="/one")
        os.environ["OPENAI_API_KEY"] = "sk-two-0123456789abcdef"
        two = keys(project, budget_build="9", remote="/two", jobs=7)
    finally:
        os.environ.clear()
        os.environ.update(before)
    assert one == two


def test_a_place_shapes_no_key(project: Project, tmp_path: pathlib.Path) -> None:
    """The same project in another folder has the same keys: a clone finds what was made."""
    one = keys(project)
    project.root.rename(tmp_path / "moved elsewhere, é")
    assert keys(Project(tmp_path / "moved elsewhere, é")) == one


def test_renaming_a_product_changes_no_key(project: Project) -> None:
    """Only names differ; not one action is another (S2)."""
    one = keys(project)
    project.edit("catalog/all.yaml", "sku: item-1", "sku: renamed")
    two = keys(project)
    assert set(one.values()) == set(two.values())
    assert set(one) != set(two)


def test_another_photo_changes_its_product_alone(project: Project) -> None:
    """Bytes count, not names or times: a touched file is the same, another picture is another key."""
    one = keys(project)
    os.utime(project.root / "photos/p1.png", (1, 1))
    assert keys(project) == one
    project.photo("photos/p1.png", "#123456")
    two = keys(project)
    assert {name.partition("/")[0] for name in one if one[name] != two[name]} == {"item-1"}


def test_a_wrong_template_has_its_place(project: Project) -> None:
    """A field that no clip has is told with the template's file, not the clip's."""
    project.write("templates/prompts/packshot.j2", "{{ nosuch }}")
    session = planning.open_session(Wish(str(project.root), profile="draft"), Settings())
    try:
        clip = session.selected()[0]
        with pytest.raises(CatalogError) as caught:
            planning.rendered(session, clip, "image", "9:16")
        assert caught.value.problems[0].file == "templates/prompts/packshot.j2"
    finally:
        session.close()


def test_up_to_a_stage(session: Session) -> None:
    """Only what that stage needs; "image" is the picture and its check; another word is told."""
    graph = planning.make_plan(session).plan.graph
    assert {a.stage for a in planning.up_to(session, graph, "image").graph} == {"image", "check"}
    assert {a.stage for a in planning.up_to(session, graph, "render").graph} == {"image", "check", "choose", "render"}
    with pytest.raises(UsageError, match="no stage 'paint'"):
        planning.up_to(session, graph, "paint")


def test_up_to_a_stage_is_closed(session: Session) -> None:
    """Everything that is left has its inputs in the part."""
    part = planning.up_to(session, planning.make_plan(session).plan.graph, "cover").graph
    ids = {action.id for action in part}
    assert all(getattr(source, "action", None) in ids for a in part for source in a.inputs.values() if not isinstance(source, str))


def test_what_is_planned_leaves_the_workspace_alone(project: Project) -> None:
    """Only `.clipbuild` appears: no output, no lock."""
    before = {path for path in project.root.rglob("*") if ".clipbuild" not in path.parts}
    keys(project)
    assert {path for path in project.root.rglob("*") if ".clipbuild" not in path.parts} == before


def test_a_plan_has_a_largest_length() -> None:
    """What is longer is refused at the product that is too much, with what to do."""
    planning.check_room(10, Place("catalog/a.yaml", 3, 5), most=10)
    with pytest.raises(CatalogError, match=r"catalog/a.yaml:3:5: more than 10 steps to plan"):
        planning.check_room(11, Place("catalog/a.yaml", 3, 5), most=10)
