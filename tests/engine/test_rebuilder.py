"""What is out of date and why; judged without running or writing anything."""

import time

import pytest

from clipbuild import digest
from clipbuild.engine import rebuilder
from clipbuild.engine.action import Graph, Reason, Trace, Verdict
from clipbuild.engine.rebuilder import judge, why, word
from tests.support.engine import World, clip


@pytest.fixture
def world(tmp_path):
    """An empty one."""
    return World(str(tmp_path))


def verdicts(plan) -> dict[str, str]:
    return {action.name: plan.verdicts[action.id].value for action in plan.graph}


def one_clip(**wishes) -> Graph:
    graph = Graph()
    clip(graph, "a", **wishes)
    return graph


def test_nothing_made_yet_will_run_and_what_waits_may_run(world):
    """Three values: inputs known and no trace will run; an unknown input may run, and the reason names what is waited for."""
    plan = world.plan(one_clip())
    assert verdicts(plan) == {"a/image": "will run", "a/check": "may run", "a/render": "may run"}
    assert plan.reason(plan.of(Verdict.WILL_RUN)[0].id) == Reason("new")
    waiting = {action.name: word(plan.reason(action.id)) for action in plan.of(Verdict.MAY_RUN)}
    assert waiting == {"a/check": "waits for image", "a/render": "waits for check"}


def test_what_was_made_is_up_to_date(world):
    """Known, traced, all blobs there: nothing runs, and every output resolves."""
    graph = one_clip()
    world.build(graph)
    world.reopen()
    plan = world.plan(graph)
    assert set(verdicts(plan).values()) == {"up to date"}
    assert all(plan.resolve(action.out("out")) for action in graph)
    assert plan.resolve(next(iter(graph)).out("no such output")) is None


def test_a_change_reaches_what_depends_on_it_and_nothing_else(world):
    """A caption edit makes the render stale alone; a photo edit the image, and the rest waits."""
    world.build(one_clip())
    assert verdicts(world.plan(one_clip(caption="new"))) == {
        "a/image": "up to date", "a/check": "up to date", "a/render": "will run",
    }  # fmt: skip
    assert verdicts(world.plan(one_clip(photo="other"))) == {
        "a/image": "will run", "a/check": "may run", "a/render": "may run",
    }  # fmt: skip


def test_names_are_not_content(world):
    """A renamed clip is up to date: keys hold content only."""
    world.build(one_clip())
    graph = Graph()
    clip(graph, "renamed")
    assert set(verdicts(world.plan(graph)).values()) == {"up to date"}


def test_a_lost_free_blob_runs_again(world):
    """A trace whose blob is gone does not count; the reason says so."""
    graph = one_clip()
    outcome = world.build(graph)
    image = next(iter(graph))
    blob = outcome.traces[image.id].outputs["out"]
    world.reopen()
    import os

    os.remove(world.store.path(blob))
    world.reopen()
    plan = world.plan(graph)
    assert verdicts(plan) == {"a/image": "will run", "a/check": "may run", "a/render": "may run"}
    assert plan.reason(image.id) == Reason("lost")
    assert plan.lost == []


def test_a_lost_bought_blob_is_reported_and_never_bought_again(world):
    """A pinned key whose blob is gone counts as up to date and stands in `lost`; what hangs on it is judged."""
    graph = one_clip(precious=True, pool="kling")
    image = next(iter(graph))
    pin = Trace(image.name, image.id, {"out": digest.of_bytes(b"gone")}, "1.5")
    plan = world.plan(graph, pins={image.id: pin})
    assert plan.verdicts[image.id] is Verdict.UP_TO_DATE
    assert plan.lost == [(image, pin)]
    assert verdicts(plan)["a/check"] == "will run"


def test_key_of_an_action_without_outputs_as_inputs_is_its_id(world):
    """The shortcut is no other key: the digest of the document is the id."""
    for action in one_clip():
        inputs = {name: digest.of_bytes(name.encode()) for name in action.inputs}
        if action.stage == "image":
            inputs = dict(action.inputs)
            assert digest.of_document(action.document(inputs)) == action.id
        assert rebuilder._key(action, inputs) == digest.of_document(action.document(inputs))


def test_every_field_of_the_document_changes_the_key():
    """Stage, version, params, inputs, tools: change one, the key changes; move text between fields, it changes."""
    base = {"stage": "s", "version": 1, "params": {"a": "x", "b": "y"}, "inputs": {"i": digest.of_bytes(b"1")}}
    variants = [
        base,
        {**base, "stage": "t"},
        {**base, "version": 2},
        {**base, "params": {"a": "xy", "b": ""}},
        {**base, "params": {"a": "x", "b": "y", "c": None}},
        {**base, "inputs": {"i": digest.of_bytes(b"2")}},
        {**base, "inputs": {"j": digest.of_bytes(b"1")}},
        {**base, "inputs": {**base["inputs"], "j": digest.of_bytes(b"1")}},
        {**base, "tools": {"ffmpeg": "7"}},
        {**base, "params": {"a": "x", "b": "y", "tools": {"ffmpeg": "7"}}},
    ]
    keys = set()
    for v in variants:
        graph = Graph()
        graph_action = graph.add("n", v["stage"], v["version"], v["params"], v["inputs"], tools=v.get("tools"))
        keys.add(rebuilder._key(graph_action, v["inputs"]))
    assert len(keys) == len(variants)


def test_why_lists_what_differs_by_path():
    """A diff of two key documents: path, old, new; missing fields and other types shown as such."""
    old = {"params": {"prompt": "a", "n": 1, "gone": True, "list": [1, 2]}, "version": 1}
    new = {"params": {"prompt": "b", "n": 1.0, "list": [1, 3], "fresh": None}, "version": 1}
    assert why(old, new) == (
        ("params.fresh", "—", "null"),
        ("params.gone", "true", "—"),
        ("params.list[1]", "2", "3"),
        ("params.n", "1", "1.0"),
        ("params.prompt", "a", "b"),
    )
    assert why(old, old) == ()


def test_a_change_is_told_as_the_difference_to_what_was_judged_last(world):
    """After an edit the reason is `changed`, with the field, and worded for a person."""
    world.build(one_clip(caption="Now in store"))
    plan = world.plan(one_clip(caption="Now \x1b[31mred"))
    reason = plan.reason(plan.of(Verdict.WILL_RUN)[0].id)
    assert reason.kind == "changed"
    assert reason.changes == (("params.caption", "Now in store", "Now \x1b[31mred"),)
    assert word(reason) == "params.caption: Now in store -> Now \\x1b[31mred"


def test_long_texts_are_diffed_by_words():
    """Of a long prompt only what changed is shown, with a few words around it."""
    old = "A single olive oil bottle on a slab of pale marble, soft morning light from the left, shallow depth of field"
    new = old.replace("pale marble", "dark oak")
    told = word(Reason("changed", (("params.prompt", old, new),)))
    assert told == "params.prompt: … a slab of [-pale marble,-] {+dark oak,+} soft morning light …"
    grown = word(Reason("changed", (("params.prompt", old, old + " and dust"),)))
    assert grown.endswith("depth of field {+and dust+}")


def test_other_bytes_are_told_by_short_digests():
    """Two digests are shown as other bytes, not as 128 digits."""
    one, two = digest.of_bytes(b"1"), digest.of_bytes(b"2")
    assert word(Reason("changed", (("inputs.photo", one, two),))) == (
        f"inputs.photo: other bytes ({one[:8]} -> {two[:8]})"
    )


@pytest.mark.parametrize("kind", ["new", "lost", "waits", "asked", "changed"])
def test_every_reason_has_words(kind):
    """No reason is shown as an empty line."""
    assert len(word(Reason(kind))) > 5


def test_judging_is_fast_and_looks_at_each_action_once():
    """70,000 actions are judged in one walk: one look-up each, a few microseconds beside the hashing."""
    graph, looked = Graph(), []
    for number in range(2000):
        clip(graph, f"sku-{number}", photo=str(number))
    traces = {}

    def find(key):
        looked.append(key)
        return traces.setdefault(key, Trace("x", key, {"out": key}))

    began = time.perf_counter()
    plan = judge(graph, find, lambda blob: True)
    each = (time.perf_counter() - began) / len(graph)
    assert len(plan.of(Verdict.UP_TO_DATE)) == len(graph) == len(looked) == 6000
    assert each < 100e-6
