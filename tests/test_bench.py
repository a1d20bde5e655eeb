"""The benchmarks run: what they print is not judged here, for machines are noisy, only that they measure at all."""

import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
KEYS = {
    "noop_ratio", "noop_seconds", "noop_rss_mb", "one_edit_ratio", "one_edit_seconds", "template_same_seconds",
    "touch_all_seconds", "cold_plan_seconds", "cold_plan_rss_mb", "overhead_ms_per_action",
}  # fmt: skip


def test_the_engine_is_measured_beside_ninja(tmp_path: pathlib.Path) -> None:
    """Each run of the benchmark does what it says (a no-op runs nothing, an edit runs one product's actions, a template
    and touched inputs run nothing), and every figure is there."""
    command = [sys.executable, "-m", "tests.bench", "engine", "--products", "30", "--files", "3", "--rounds", "1", "--json"]
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert set(found) >= KEYS
    assert all(found[key] > 0 for key in KEYS)
    assert os.listdir(tmp_path) == [], "nothing is left behind"


def test_watching_is_measured(tmp_path: pathlib.Path) -> None:
    """A real clip and a catalog of trivial ones: saved, made again, timed."""
    command = [sys.executable, "-m", "tests.bench", "watch", "--products", "40", "--rounds", "1", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "TMPDIR": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["products"] == 40
    assert 0 < found["save_to_render_ms"] <= found["engine_share_ms"] + 1000
    assert found["engine_cpu_ms"] > 0
    assert os.listdir(tmp_path) == [], "nothing is left behind"
