"""Actions: an identity made of content alone, and a key in which every byte that counts is told (S2)."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clipbuild import digest
from clipbuild.engine import rebuilder
from clipbuild.engine.action import Action, Graph, Output

PHOTO = digest.of_bytes(b"photo")
PLAIN = st.recursive(
    st.booleans() | st.integers(-9, 9) | st.text(max_size=4) | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
PARAMS = st.dictionaries(st.text(max_size=4), PLAIN, max_size=4)


def add(graph: Graph | None = None, name: str = "a/image", **changes: Any) -> Action:
    """An image action, with some of it changed."""
    values: dict[str, Any] = {
        "stage": "image", "version": 1, "params": {"prompt": "mug", "size": [1, 2]}, "inputs": {"photo": PHOTO},
        "tools": {"pillow": "11"},
    }  # fmt: skip
    values |= changes
    stage, version, params, inputs = (values.pop(n) for n in ("stage", "version", "params", "inputs"))
    return (graph if graph is not None else Graph()).add(name, stage, version, params, inputs, **values)


def key(action: Action, **inputs: digest.Digest) -> digest.Digest:
    """Its key with these inputs."""
    return digest.of_document(action.document(inputs or {"photo": PHOTO}))


CHANGES: list[dict[str, Any]] = [
    {"stage": "check"}, {"version": 2}, {"params": {"prompt": "cup", "size": [1, 2]}}, {"params": {"prompt": "mug", "size": [2, 1]}},
    {"params": {"prompt": "mug"}}, {"params": {"prompt": "mug", "size": [1, 2], "more": None}},
    {"params": {"prompt": "mug", "size": [1, 2.0]}}, {"params": {"prompt": "mug", "size": ["1", 2]}},
    {"inputs": {"photo": digest.of_bytes(b"other")}}, {"inputs": {"picture": PHOTO}}, {"inputs": {}},
    {"inputs": {"photo": PHOTO, "plate": PHOTO}}, {"tools": {"pillow": "12"}}, {"tools": {}}, {"tools": {"numpy": "11"}},
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_each_part_of_the_document_is_in_the_key(change: dict[str, Any]) -> None:
    """Change stage, version, a param, its kind, an input, its name or a tool, and both identity and key are others."""
    before, after = add(), add(**change)
    assert before.id != after.id
    inputs = {name: source for name, source in after.inputs.items() if isinstance(source, str)}
    assert key(before) != digest.of_document(after.document(inputs))


@pytest.mark.parametrize("change", [{"name": "b/else"}, {"pool": "kling"}, {"precious": True}])
def test_names_pools_and_worth_are_not_in_the_key(change: dict[str, Any]) -> None:
    """Who wants it, where it waits and what it costs say nothing of its bytes."""
    assert add(**change).id == add().id
    assert key(add(**change)) == key(add())


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PARAMS, PARAMS)
def test_other_params_are_another_action(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Two actions have one identity only where their params are one JSON document."""
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (add(params=one).id == add(params=other).id) == same


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PARAMS, PARAMS)
def test_params_are_not_inputs_and_not_tools(one: dict[str, Any], other: dict[str, Any]) -> None:
    """The same words in another field are another document."""
    if one and one != other:
        moved = add(params=other, tools={name: str(value) for name, value in one.items()})
        assert moved.id != add(params=one, tools={name: str(value) for name, value in other.items()}).id


def test_equal_actions_are_one() -> None:
    """Two clips that want the same share it; its first name is shown, every name is known."""
    graph = Graph()
    first, second = add(graph, "a/image"), add(graph, "b/image")
    assert first is second
    assert (len(graph), first.name) == (1, "a/image")
    assert graph.aliases[first.id] == ["a/image", "b/image"]
    add(graph, "b/image")
    assert graph.aliases[first.id] == ["a/image", "b/image"]


def test_an_input_must_be_there_first() -> None:
    """An action can't want what another graph makes: the order of adding is the order of running."""
    graph, other = Graph(), add(Graph(), params={"other": 1})
    with pytest.raises(KeyError):
        graph.add("a/check", "check", 1, {}, {"image": other.out("image")})
    image = add(graph)
    check = graph.add("a/check", "check", 1, {}, {"image": image.out("image")})
    assert [action.stage for action in graph] == ["image", "check"]
    assert check.inputs["image"] == Output(image.id, "image")


def test_identity_tells_which_output_is_meant() -> None:
    """Another output of the same action is another input."""
    graph = Graph()
    image = add(graph)
    one = graph.add("x", "check", 1, {}, {"image": image.out("image")})
    two = graph.add("y", "check", 1, {}, {"image": image.out("mask")})
    assert one.id != two.id


def test_the_key_of_what_is_made_holds_bytes_not_history() -> None:
    """Two pictures made differently that came out equal give the check one key: early cutoff rests on it."""
    graph = Graph()
    one, two = add(graph, params={"p": 1}), add(graph, params={"p": 2})
    checks = [graph.add(f"{n}", "check", 1, {}, {"image": source.out("image")}) for n, source in enumerate((one, two))]
    assert checks[0].id != checks[1].id
    assert key(checks[0], image=PHOTO) == key(checks[1], image=PHOTO)


def test_changing_the_callers_inputs_later_changes_nothing() -> None:
    """The action keeps its own map of inputs."""
    given_inputs = {"photo": PHOTO}
    action = add(inputs=given_inputs)
    given_inputs["photo"] = digest.of_bytes(b"swapped")
    assert action.inputs["photo"] == PHOTO


def test_a_key_without_made_inputs_is_the_identity() -> None:
    """The rebuilder may use the identity as key where all inputs are files: both are one document's digest."""
    action = add()
    assert key(action) == action.id
    plan = rebuilder.judge(graph := Graph(), lambda key: None, lambda blob: True)
    assert list(plan.graph) == list(graph) == []


def test_one_action_of_thousands_of_clips_has_each_name_once_and_in_order() -> None:
    """However many there are, and however often they are told; taking over an action of an earlier graph counts too."""
    graph, names = Graph(), [f"item-{n}/captions" for n in range(40)]
    for name in [*names, *reversed(names), names[20]]:
        action = graph.add(name, "captions", 1, {}, {})
    graph.put(replace(action, name="late"))
    graph.put(replace(action, name=names[3]))
    assert graph.aliases[action.id] == [*names, "late"]
    assert len(graph) == 1
