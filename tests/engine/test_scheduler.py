"""Running what is out of date: which actions ran, in what order, and what became of the rest."""

import asyncio
import os
from dataclasses import replace

import pytest

from clipbuild import digest
from clipbuild.engine.action import Graph, Trace, Verdict
from clipbuild.errors import ActionError, IntegrityError
from tests.support.engine import World, clip


@pytest.fixture
def world(tmp_path):
    """An empty one."""
    return World(str(tmp_path))


def clips(*names, **wishes) -> Graph:
    graph = Graph()
    for name in names:
        clip(graph, name, photo=wishes.get("photo", name), caption=wishes.get("caption", ""))
    return graph


def test_first_build_runs_everything_second_nothing(world):
    """All actions run once; then all is up to date and none runs."""
    graph = clips("a", "b")
    assert sorted(world.build(graph).ran) == sorted(action.name for action in graph)
    world.reopen()
    outcome = world.build(graph)
    assert (outcome.ran, outcome.skipped, outcome.failed) == ([], [], {})
    assert set(world.runs.values()) == {1}


def test_inputs_are_made_before_they_are_used(world):
    """An action gets the digests of its inputs, which are in the store."""
    seen = {}

    async def runner(action, key, inputs):
        seen[action.name] = {name: world.store.has(blob) for name, blob in inputs.items()}
        return await world.run_one(action, key, inputs)

    world.build(clips("a"), runner=runner)
    assert seen["a/check"] == {"image": True}
    assert seen["a/render"] == {"image": True}


def test_cutoff_skips_what_turns_out_the_same(world):
    """The photo changes, the check passes on the same bytes: the render is not run, and said to be skipped."""
    world.build(clips("a", photo="photo one"))
    outcome = world.build(clips("a", photo="photo two"))
    assert outcome.ran == ["a/image", "a/check"]
    assert outcome.skipped == ["a/render"]
    assert ("ActionSkipped", {"name": "a/render", "stage": "render"}) in world.events


def test_first_clips_finish_first(world):
    """With one place the first clip is whole before the second is begun."""
    outcome = world.build(clips("a", "b", "c"), pools={"cpu": 1})
    assert outcome.ran == [f"{c}/{s}" for c in "abc" for s in ("image", "check", "render")]


def test_pools_are_as_wide_as_told_and_no_wider(world):
    """Twenty actions in a pool of three and twenty in one of one never run more than that at once."""
    graph = Graph()
    for number in range(20):
        for pool in ("cpu", "kling"):
            action = graph.add(f"{pool}{number}", "s", 1, {"n": number, "p": pool}, {}, pool=pool)
            world.delay[action.name] = 0.001
    world.build(graph, pools={"cpu": 3})
    assert world.most == {"cpu": 3, "kling": 1}


def test_one_failure_never_stops_the_others(world):
    """The broken clip's dependents are blocked, each named; the other clip is whole; a rerun tries only the broken."""
    world.broken = {"a/image"}
    outcome = world.build(clips("a", "b"))
    assert list(outcome.failed) == ["a/image"]
    assert isinstance(outcome.failed["a/image"], ActionError)
    assert outcome.blocked == ["a/check", "a/render"]
    assert outcome.ran == ["b/image", "b/check", "b/render"]
    failed = [facts for kind, facts in world.events if kind == "ActionFailed"]
    assert failed[0]["error"].startswith("a/image: broken")
    world.broken = set()
    assert world.build(clips("a", "b")).ran == ["a/image", "a/check", "a/render"]


def test_a_bug_in_a_stage_is_a_failure_of_that_action_alone(world):
    """An exception nobody foresaw is caught, escaped and reported with its kind."""

    async def runner(action, key, inputs):
        if action.name == "a/image":
            raise RuntimeError("\x1b[31mred")
        return await world.run_one(action, key, inputs)

    outcome = world.build(clips("a", "b"), runner=runner)
    assert outcome.blocked == ["a/check", "a/render"]
    assert [f["error"] for kind, f in world.events if kind == "ActionFailed"] == ["RuntimeError: \\x1b[31mred"]


def test_fail_fast_starts_nothing_after_the_first_failure(world):
    """What was not started is named as left."""
    world.broken = {"a/image"}
    outcome = world.build(clips("a", "b"), pools={"cpu": 1}, fail_fast=True)
    assert (outcome.ran, list(outcome.failed)) == ([], ["a/image"])
    assert outcome.left == ["b/image", "b/check", "b/render"]


def test_stop_lets_running_work_end_and_starts_nothing(world):
    """Ctrl-C once: what runs is ended and recorded, the rest is left, and the next build goes on from there."""
    graph = clips("a", "b")

    async def main():
        from clipbuild.engine import scheduler

        stop = asyncio.Event()

        async def runner(action, key, inputs):
            stop.set()
            return await world.run_one(action, key, inputs)

        return await scheduler.run(
            world.plan(graph), runner, pools={"cpu": 1}, emit=lambda *a, **k: None,
            state=world.state, store=world.store, stop=stop,
        )  # fmt: skip

    outcome = asyncio.run(main())
    assert outcome.ran == ["a/image"]
    assert outcome.left == ["a/check", "a/render", "b/image", "b/check", "b/render"]
    world.reopen()
    assert "a/image" not in world.build(graph).ran


def test_cancelling_records_what_was_finished(world):
    """Ctrl-C twice: running work is cancelled, finished work is not lost."""
    graph = clips("a", "b")
    world.delay = {"b/image": 30}

    async def main():
        from clipbuild.engine import scheduler

        run = asyncio.create_task(
            scheduler.run(
                world.plan(graph), world.run_one, pools={"cpu": 2}, emit=lambda *a, **k: None,
                state=world.state, store=world.store, stop=asyncio.Event(),
            )
        )  # fmt: skip
        while world.runs["a/render"] == 0:
            await asyncio.sleep(0.005)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run

    asyncio.run(main())
    world.delay = {}
    world.reopen()
    assert world.build(graph).ran == ["b/image", "b/check", "b/render"]


def test_equal_keys_are_made_once(world):
    """Two actions that turn out to want the same thing run once, also when both are ready at once: nothing is
    bought twice."""
    graph = Graph()
    ends = []
    for name in ("a", "b"):
        first = graph.add(f"{name}/first", "first", 1, {"who": name, "says": "same"}, {})
        ends.append(graph.add(f"{name}/buy", "buy", 1, {}, {"from": first.out("out")}, pool="kling", precious=True))
        graph.add(f"{name}/use", "use", 1, {"who": name}, {"from": ends[-1].out("out")})
    world.delay = {"a/buy": 0.02, "b/buy": 0.02}
    outcome = world.build(graph, pools={"cpu": 2, "kling": 2})
    assert world.runs["a/buy"] + world.runs["b/buy"] == 1
    assert world.runs["a/use"] == world.runs["b/use"] == 1
    assert len(outcome.skipped) == 1
    assert outcome.left == outcome.blocked == []


def test_equal_keys_fail_together(world):
    """When the one that stands for both fails, both have a cause, and both their dependents are blocked."""
    graph = Graph()
    for name in ("a", "b"):
        first = graph.add(f"{name}/first", "first", 1, {"who": name, "says": "same"}, {})
        buy = graph.add(f"{name}/buy", "buy", 1, {}, {"from": first.out("out")})
        graph.add(f"{name}/use", "use", 1, {"who": name}, {"from": buy.out("out")})
    world.broken = {"a/buy", "b/buy"}
    outcome = world.build(graph)
    assert set(outcome.failed) == {"a/buy", "b/buy"}
    assert set(outcome.blocked) == {"a/use", "b/use"}


def test_a_result_that_is_not_in_the_store_is_a_failure(world):
    """A trace is never written for blobs that are not there, nor for another key."""

    async def absent(action, key, inputs):
        return Trace(action.name, key, {"out": digest.of_bytes(b"nowhere")})

    async def other(action, key, inputs):
        return replace(await world.run_one(action, key, inputs), key=digest.of_bytes(b"other"))

    for runner in (absent, other):
        outcome = world.build(clips("a"), runner=runner)
        assert list(outcome.failed) == ["a/image"]
        assert world.plan(clips("a")).of(Verdict.UP_TO_DATE) == []


def test_a_damaged_input_is_found_before_anything_is_made_from_it(world):
    """A flipped blob of an earlier run is quarantined, the action fails with an integrity error, and planning again
    makes it anew."""
    world.build(clips("a"))
    image = next(iter(clips("a")))
    world.reopen()
    path = world.store.path(world.plan(clips("a")).outputs[image.id]["out"])
    os.chmod(path, 0o644)
    with open(path, "r+b") as file:
        file.write(b"X")
    graph = Graph()
    clip(graph, "a", photo="a")
    extra = graph.add("a/extra", "extra", 1, {}, {"image": image.out("out")})
    outcome = world.build(graph)
    assert list(outcome.failed) == ["a/extra"]
    assert isinstance(outcome.failed["a/extra"], IntegrityError)
    assert len(outcome.lost) == 1
    outcome = world.build(graph)
    assert outcome.ran == ["a/image", "a/extra"]
    assert extra.name in outcome.ran


def test_traces_are_written_only_after_their_blobs_are_flushed(world, monkeypatch):
    """At every commit all blobs of the recorded traces have been flushed."""
    flushed, recorded, order = set(), [], []
    flush, record, commit = world.store.flush, world.state.record, world.state.commit

    def watched_flush():
        names = set(world.store._unflushed)
        flush()
        flushed.update(names)
        order.append("flush")

    def watched_record(trace, document, names=()):
        assert set(trace.outputs.values()) <= flushed
        recorded.append(trace.name)
        record(trace, document, names)

    def watched_commit():
        order.append("commit")
        commit()

    world.store.flush, world.state.record, world.state.commit = watched_flush, watched_record, watched_commit
    outcome = world.build(clips("a", "b", "c"))
    assert sorted(recorded) == sorted(outcome.ran)
    assert order == ["commit", "flush", "commit"]


def test_a_failed_flush_is_never_reported_as_success(world):
    """What can't be flushed is dropped from the store, its action counts as failed, and the next build redoes it."""

    def failing():
        names, world.store._unflushed = world.store._unflushed, set()
        for name in names:
            world.store._forget(name)
            os.remove(world.store._place(name))
        raise OSError(5, "Input/output error")

    flush, world.store.flush = world.store.flush, failing
    outcome = world.build(clips("a"))
    assert outcome.ran == []
    assert set(outcome.failed) == {"a/image", "a/check", "a/render"}
    assert "Input/output error" in str(outcome.failed["a/image"])
    world.store.flush = flush
    world.reopen()
    assert len(world.build(clips("a")).ran) == 3


def test_events_tell_the_story(world):
    """Each action that ran has a start with its reason and an end with its cost."""
    world.build(clips("a"))
    started = [facts for kind, facts in world.events if kind == "ActionStarted"]
    assert [(f["name"], f["stage"], f["pool"], f["reason"]) for f in started] == [
        ("a/image", "image", "cpu", "new"), ("a/check", "check", "cpu", "new"), ("a/render", "render", "cpu", "new"),
    ]  # fmt: skip
    ended = [facts["name"] for kind, facts in world.events if kind == "ActionFinished"]
    assert ended == ["a/image", "a/check", "a/render"]


def test_all_names_of_a_shared_action_know_their_last_document(world):
    """Two clips that share an image: after an edit both can say what changed."""
    graph = Graph()
    clip(graph, "a", photo="p")
    clip(graph, "b", photo="p")
    assert world.build(graph).ran == ["a/image", "a/check", "a/render"]
    assert world.state.last("b/render")[0] == world.state.last("a/render")[0]


def test_an_edit_taken_back_is_what_the_next_one_is_compared_with(world):
    """now → late → now → soon: the last change is told as now → soon."""
    for caption in ("now", "late", "now"):
        world.build(clips("a", caption=caption))
    plan = world.plan(clips("a", caption="soon"))
    reason = plan.reason(plan.of(Verdict.WILL_RUN)[0].id)
    assert reason.changes == (("params.caption", "now", "soon"),)


def test_a_thousand_actions_cost_little(world):
    """The engine's own share per action that runs stays near the two milliseconds it may take."""
    import time

    graph = Graph()
    for number in range(400):
        first = graph.add(f"{number}/a", "s", 1, {"n": number}, {})
        graph.add(f"{number}/b", "t", 1, {"n": number}, {"x": first.out("out")})
    began = time.perf_counter()
    outcome = world.build(graph)
    each = (time.perf_counter() - began) / len(graph)
    assert len(outcome.ran) == 800
    assert each < 0.008, "four times the figure, for a busy machine"


@pytest.mark.parametrize("width", [1, 1500])
def test_what_comes_to_a_key_that_failed_has_failed_too(world, width):
    """Fifteen hundred pictures come out the same and their check breaks down: each check is told as failed, what waits for
    it as blocked, whether it waited for the first one or came later; and it is tried once."""
    graph, tried = Graph(), []
    for number in range(1500):
        picture = graph.add(f"p{number}", "image", 1, {"n": number, "says": "same"}, {}, pool="pictures")
        check = graph.add(f"c{number}", "check", 1, {}, {"image": picture.out("out")})
        graph.add(f"r{number}", "render", 1, {"n": number}, {"image": check.out("out")})

    async def runner(action, key, inputs):
        if action.stage != "check":
            return await world.run_one(action, key, inputs)
        tried.append(action.name)
        await asyncio.sleep(0 if width == 1 else 1.0)
        raise ActionError("broken")

    outcome = world.build(graph, runner=runner, pools={"cpu": 1, "pictures": width})
    assert (len(outcome.ran), len(outcome.failed), len(outcome.blocked), outcome.left) == (1500, 1500, 1500, [])
    assert len(tried) == 1
