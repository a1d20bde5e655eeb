"""What is seen of a build from outside: traces, events, the graph, a plan that stays readable at any size."""

import itertools
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.bench import workspace
from tests.support.rehearsal import ROOT, Stage, is_alive

ACTIONS = len(workspace.STAGES)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """Where builds are rehearsed."""
    found = Stage()
    yield found
    found.close()


@pytest.fixture
def root(tmp_path: pathlib.Path) -> str:
    """A workspace of three products, not built."""
    workspace.make(str(tmp_path / "w"), 3, 1)
    return str(tmp_path / "w")


def test_a_trace_opens_in_perfetto(stage: Stage, root: str, tmp_path: pathlib.Path) -> None:
    """`--trace` writes the Chrome trace format: a bar for every action that ran, and bars of one row never overlap."""
    path = tmp_path / "trace.json"
    report = stage.run("-C", root, "build", "--json", "--trace", str(path)).report
    bars = [row for row in json.loads(path.read_text())["traceEvents"] if row["ph"] == "X"]
    assert sorted(bar["name"] for bar in bars) == sorted(report["ran"])
    assert {bar["cat"] for bar in bars} == set(workspace.STAGES)
    for slot in {bar["tid"] for bar in bars}:
        row = sorted((bar["ts"], bar["dur"]) for bar in bars if bar["tid"] == slot)
        assert all(dur >= 0 for _, dur in row)
        assert all(ts + dur <= after for (ts, dur), (after, _) in itertools.pairwise(row))


def test_events_are_a_line_of_json_each(stage: Stage, root: str, tmp_path: pathlib.Path) -> None:
    """`--events` tells every fact as it happens, from the start of the build to its end."""
    path = tmp_path / "events.ndjson"
    report = stage.run("-C", root, "build", "--json", "--events", str(path)).report
    events = [json.loads(line) for line in path.read_text().splitlines()]
    assert events[0]["event"] == "build_started"
    assert events[-1]["event"] == "build_finished"
    assert [e["name"] for e in events if e["event"] == "action_finished"] == report["ran"]
    assert sorted(e["path"] for e in events if e["event"] == "deliverable_written") == sorted(report["written"])
    assert all(a["at"] <= b["at"] for a, b in itertools.pairwise(events))


def test_a_plan_is_summed_up(stage: Stage, root: str) -> None:
    """`plan --json` counts what is to do by stage, verdict and reason; `--limit` says how much of it is listed."""
    plan = stage.run("-C", root, "plan", "--json").report
    assert len(plan["actions"]) == plan["to_do"] == 3 * ACTIONS
    assert sum(row["actions"] for row in plan["summary"]) == plan["to_do"]
    assert {"stage": "image", "verdict": "will run", "reason": "new", "actions": 3} in plan["summary"]
    brief = stage.run("-C", root, "plan", "--json", "--limit", "0").report
    assert brief == {**plan, "actions": []}
    told = stage.run("-C", root, "plan", "--limit", "2").out
    assert re.search(r"and 22 actions more .*by stage and reason", told)


def test_a_plan_of_little_looks_at_little(stage: Stage, root: str) -> None:
    """After a build, `plan` lists what an edit touches and counts the rest; it changes nothing."""
    assert stage.run("-C", root, "build").status == 0
    path = pathlib.Path(root, "catalog", "part-0000.yaml")
    path.write_text(path.read_text().replace("€1", "€17"))
    plan = stage.run("-C", root, "plan", "--json").report
    assert sorted(row["action"] for row in plan["actions"]) == [
        "item-000001/captions", "item-000001/vertical/clipcheck", "item-000001/vertical/cover", "item-000001/vertical/render",
    ]  # fmt: skip
    assert plan["up_to_date"] + plan["to_do"] == 3 * ACTIONS
    assert sorted(stage.run("-C", root, "build", "--json").report["ran"]) == sorted(row["action"] for row in plan["actions"])


def test_the_graph_in_every_form(stage: Stage, root: str) -> None:
    """All forms have every action of the product asked for, and what each is made from."""
    told = {form: stage.run("-C", root, "graph", "item-000001", "--format", form) for form in ("text", "dot", "mermaid", "json")}
    assert all(done.status == 0 for done in told.values())
    graph = told["json"].report
    names = {row["name"] for row in graph["actions"]}
    assert len(names) == ACTIONS
    assert {row["from"] for row in graph["edges"]} | {row["to"] for row in graph["edges"]} <= names
    assert all(name in told[form].out for name in names for form in told)
    assert told["dot"].out.count("->") == told["mermaid"].out.count("-->") == len(graph["edges"])


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
def test_no_child_outlives_a_build(root: str, how: signal.Signals) -> None:
    """Interrupted or killed in the middle of its work, a build leaves no process; an interrupt ends with 130 and is noted."""
    command = [sys.executable, "-m", "tests.bench.trivial", "--sleep", "30", "-C", root, "build", "--json"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)
    children: list[int] = []
    end = time.monotonic() + 60
    while time.monotonic() < end and len(children) < 2:
        time.sleep(0.02)
        children = children_of(process.pid)
    process.send_signal(how)
    out, _ = process.communicate(timeout=60)
    if how is signal.SIGKILL:
        assert process.returncode == -how
    else:
        assert process.returncode in (130, 143)
        assert json.loads(out)["status"] in (130, 143)
    end = time.monotonic() + 30
    while time.monotonic() < end and any(map(is_alive, children)):
        time.sleep(0.02)
    assert not any(map(is_alive, children))


def children_of(pid: int) -> list[int]:
    """The children that the process has now."""
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
        return [int(c) for t in tasks for c in pathlib.Path(f"/proc/{pid}/task/{t}/children").read_text().split()]
    except OSError:
        return []
