"""The engine beside ninja on the same graph: `python -m tests.bench engine [--products N] [--rounds N] [--json]`.

Makes a workspace whose stages do next to nothing and the equal ninja graph, then runs both in turn, each run a process
of its own, and prints medians, ratios and memory. Only the ratios of runs in turn count: machines are noisy.

    --products N   how many (10000); --files N over so many catalog files (one for 200 products)
    --rounds N     how often each is run in turn (5)
    --curve        no-op and one edit at a tenth of N, N and ten times N, nothing else
    --keep DIR     make the workspaces there and leave them; found there, they are used again
    --json         one object instead of the table
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ninja

from tests.bench import trivial, workspace

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PRODUCT = [sys.executable, "-m", "clipbuild"]
BENCH = [sys.executable, "-m", "tests.bench.trivial"]
FACTS = {trivial.FACTS: json.dumps(trivial.facts())}
NINJA = [os.path.join(ninja.BIN_DIR, "ninja"), "-j2"]


@dataclass(frozen=True, slots=True)
class Run:
    """One process: its wall time, the processors' time of it and its children, peak memory and what it printed."""

    seconds: float
    cpu: float
    rss_mb: float
    out: str

    def report(self) -> dict[str, Any]:
        """The JSON it printed."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found


def start(argv: list[str], folder: str, out: Any = subprocess.DEVNULL, err: Any = subprocess.DEVNULL) -> "subprocess.Popen[bytes]":
    """Begin a process in the environment of an installed package: compiled, with no configuration."""
    env = {**os.environ, "PYTHONPATH": ROOT, "CLIPBUILD_CONFIG": "/nonexistent", "CLIPBUILD_TRUSTED": "1", **FACTS}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    env["PYTHONPYCACHEPREFIX"] = os.path.join(os.path.dirname(folder), "compiled")
    return subprocess.Popen(argv, cwd=folder, stdout=out, stderr=err, env=env)


def run(argv: list[str], folder: str) -> Run:
    """Run to the end; a failure ends the benchmark."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.perf_counter()
        process = start(argv, folder, out, err)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if process.returncode:
            sys.exit(f"{argv} in {folder}: exit {process.returncode}\n{err.read().decode()[-3000:]}")
        return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, out.read().decode())


@dataclass(slots=True)
class Pair:
    """A workspace of ours and the equal ninja graph, side by side."""

    folder: str
    products: int
    files: int

    @property
    def ours(self) -> str:
        return os.path.join(self.folder, f"ours-{self.products}-{self.files}")

    @property
    def ninja(self) -> str:
        return os.path.join(self.folder, f"ninja-{self.products}")

    def make(self) -> None:
        """Generate and build what is not there."""
        if not os.path.exists(os.path.join(self.ours, "dist", "manifest.json")):
            shutil.rmtree(self.ours, ignore_errors=True)
            workspace.make(self.ours, self.products, self.files)
            ran = len(run([*BENCH, "build", "--json"], self.ours).report()["ran"])
            assert ran == len(workspace.STAGES) * self.products, ran
        self.warm()

    def make_ninja(self) -> None:
        """The same of the ninja graph."""
        if not os.path.exists(os.path.join(self.ninja, ".ninja_log")):
            workspace.make_ninja(self.ninja, self.products)
        run(NINJA, self.ninja)

    def warm(self) -> None:
        """Builds until nothing is left half done: what changed within two seconds of a build is looked at once more."""
        for _ in range(3):
            done = run([*BENCH, "build", "--json"], self.ours).report()
            time.sleep(2.2 if self.products > 100 else 0.1)
        assert not done["ran"]
        assert not done["written"]

    def noop(self) -> Run:
        """Ours with nothing to do, as the product's own command."""
        done = run([*PRODUCT, "build", "--json"], self.ours)
        assert not done.report()["ran"]
        assert not done.report()["written"]
        return done

    def ninja_noop(self) -> Run:
        """Theirs."""
        done = run(NINJA, self.ninja)
        assert "no work to do" in done.out
        return done

    def edited(self) -> Run:
        """One product's price is edited: its words, its clip and its cover are made again, and looked at."""
        number = self.products // 2
        path = workspace.catalog_file(self.ours, number // -(-self.products // self.files))
        with open(path, encoding="utf-8") as file:
            text = file.read()
        head, tail = text.split(f"sku: {workspace.sku(number)}\n")
        before, after = tail.split('price: "', 1)
        price, after = after.split('"', 1)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'{head}sku: {workspace.sku(number)}\n{before}price: "{price}0"{after}')
        done = run([*BENCH, "build", "--json"], self.ours)
        assert sorted(name.rsplit("/", 1)[1] for name in done.report()["ran"]) == ["captions", "clipcheck", "cover", "render"]
        return done

    def ninja_edited(self) -> Run:
        """One edge of theirs is out of date."""
        name = workspace.sku(self.products // 2)
        os.unlink(os.path.join(self.ninja, "dist", "tiktok", name, f"{name}.json"))
        done = run(NINJA, self.ninja)
        assert "[1/1]" in done.out, done.out
        return done

    def ninja_same_edit(self) -> Run:
        """The edges of theirs that the same edit of a product sets off."""
        os.utime(os.path.join(self.ninja, workspace.spec(self.products // 2)))
        return run(NINJA, self.ninja)

    def template(self) -> Run:
        """The shared template is edited and says the same."""
        with open(os.path.join(self.ours, "templates", "prompts", "packshot.j2"), "a") as file:
            file.write("{# a remark #}\n")
        return self._nothing_runs()

    def touched(self) -> Run:
        """Every input is touched and none changed."""
        for folder in ("photos", "catalog", "templates", "clipbuild.yaml"):
            for above, _, names in os.walk(os.path.join(self.ours, folder)):
                for name in names:
                    os.utime(os.path.join(above, name))
            if os.path.isfile(os.path.join(self.ours, folder)):
                os.utime(os.path.join(self.ours, folder))
        return self._nothing_runs()

    def _nothing_runs(self) -> Run:
        done = run([*BENCH, "build", "--json"], self.ours)
        assert not done.report()["ran"], done.report()["ran"][:3]
        assert not done.report()["written"]
        return done


def in_turn(rounds: int, **what: Callable[[], Run]) -> dict[str, list[Run]]:
    """Each of `what`, one after another, `rounds` times."""
    found: dict[str, list[Run]] = {name: [] for name in what}
    for _ in range(rounds):
        for name, measured in what.items():
            found[name].append(measured())
    return found


def median(runs: list[Run]) -> float:
    return statistics.median(r.seconds for r in runs)


def processors(runs: list[Run]) -> float:
    return statistics.median(r.cpu for r in runs)


def no_op_and_edit(pair: Pair, rounds: int) -> dict[str, Any]:
    """The two figures that matter most, beside ninja's."""
    still = in_turn(rounds, ours=pair.noop, ninja=pair.ninja_noop)
    pair.edited()
    edit = in_turn(rounds, ours=pair.edited, ninja=pair.ninja_edited, same=pair.ninja_same_edit)
    return {
        "noop_ratio": median(still["ours"]) / median(still["ninja"]),
        "noop_seconds": median(still["ours"]),
        "noop_rss_mb": max(r.rss_mb for r in still["ours"]),
        "noop_cpu_ratio": processors(still["ours"]) / processors(still["ninja"]),
        "noop_cpu_seconds": processors(still["ours"]),
        "ninja_noop_cpu_seconds": processors(still["ninja"]),
        "ninja_noop_seconds": median(still["ninja"]),
        "ninja_noop_rss_mb": max(r.rss_mb for r in still["ninja"]),
        "one_edit_ratio": median(edit["ours"]) / median(edit["ninja"]),
        "one_edit_seconds": median(edit["ours"]),
        "one_edit_rss_mb": max(r.rss_mb for r in edit["ours"]),
        "one_edit_cpu_ratio": processors(edit["ours"]) / processors(edit["ninja"]),
        "one_edit_cpu_seconds": processors(edit["ours"]),
        "ninja_one_edge_cpu_seconds": processors(edit["ninja"]),
        "ninja_one_edge_seconds": median(edit["ninja"]),
        "ninja_same_edit_seconds": median(edit["same"]),
    }


def cold(folder: str, products: int, files: int) -> Run:
    """The first plan of a workspace of which nothing is known."""
    root = os.path.join(folder, "cold")
    shutil.rmtree(root, ignore_errors=True)
    workspace.make(root, products, files)
    done = run([*BENCH, "plan", "--json", "--limit", "0"], root)
    assert done.report()["to_do"] == len(workspace.STAGES) * products
    shutil.rmtree(root)
    return done


def overhead(folder: str, products: int) -> dict[str, Any]:
    """What the engine takes for each action it runs, from plan to published: a cold build less a cold plan."""
    plan = cold(folder, products, -(-products // 200))
    root = os.path.join(folder, "overhead")
    shutil.rmtree(root, ignore_errors=True)
    workspace.make(root, products, -(-products // 200))
    build = run([*BENCH, "build", "--json"], root)
    ran = len(build.report()["ran"])
    shutil.rmtree(root)
    return {
        "overhead_ms_per_action": 1000 * (build.seconds - plan.seconds) / ran,
        "overhead_cpu_ms_per_action": 1000 * (build.cpu - plan.cpu) / ran,
        "overhead_actions": ran,
    }


def restart(pair: Pair, rounds: int) -> dict[str, Any]:
    """A catalog file's worth of products is edited, the build is killed, and started again: until its first action runs."""
    found = []
    path = workspace.catalog_file(pair.ours, 0)
    for number in range(rounds):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(re.sub(r"Fits under every machine.*", f"Fits under every machine {number} {time.time():.0f}", text))
        to_first_action(pair.ours, kill=True)
        found.append(to_first_action(pair.ours, kill=False)[0])
    return {"restart_seconds": statistics.median(found)}


def restart_cold(folder: str, products: int, files: int) -> dict[str, Any]:
    """The very first build is killed as soon as it runs actions, and started again: until its first action runs."""
    root = os.path.join(folder, "restarted")
    shutil.rmtree(root, ignore_errors=True)
    workspace.make(root, products, files)
    first, _ = to_first_action(root, kill=True)
    again, cpu = to_first_action(root, kill=True)
    shutil.rmtree(root)
    return {"first_action_cold_seconds": first, "restart_cold_seconds": again, "restart_cold_cpu_seconds": cpu}


def to_first_action(root: str, *, kill: bool) -> tuple[float, float]:
    """Seconds until a build's first action runs, and the processors' seconds of the builder till then; then it is
    killed, or let end."""
    events = os.path.join(os.path.dirname(root), "events")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(events)
    began = time.perf_counter()
    process = start([*BENCH, "build", "--events", events], root)
    while '"action_started"' not in _read(events):
        assert process.poll() is None
        time.sleep(0.005)
    seconds, cpu = time.perf_counter() - began, _cpu(process.pid)
    if kill:
        time.sleep(0.2)
        process.kill()
    process.wait()
    return seconds, cpu


def _cpu(pid: int) -> float:
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def _read(path: str) -> str:
    with contextlib.suppress(FileNotFoundError), open(path) as file:
        return file.read()
    return ""


def whole(folder: str, products: int, files: int, rounds: int) -> dict[str, Any]:
    """Every figure at one size."""
    pair = Pair(folder, products, files)
    pair.make()
    pair.make_ninja()
    found = {"products": products, "catalog_files": files, **no_op_and_edit(pair, rounds)}
    few = max(1, rounds // 2)
    rest = in_turn(few, template=pair.template, touched=pair.touched)
    found |= {"template_same_seconds": median(rest["template"]), "touch_all_seconds": median(rest["touched"])}
    found |= {"template_same_cpu_seconds": processors(rest["template"]), "touch_all_cpu_seconds": processors(rest["touched"])}
    plans = in_turn(few, plan=lambda: cold(folder, products, files))["plan"]
    found |= {"cold_plan_cpu_seconds": processors(plans)}
    found |= {"cold_plan_seconds": median(plans), "cold_plan_rss_mb": max(r.rss_mb for r in plans)}
    found |= restart_cold(folder, products, files)
    return {**found, **overhead(folder, max(30, products // 10)), **restart(pair, few)}


def one_file(folder: str, products: int, rounds: int) -> dict[str, Any]:
    """The same products in one catalog file."""
    pair = Pair(folder, products, 1)
    pair.make()
    pair.edited()
    edit = in_turn(rounds, ours=pair.edited)["ours"]
    cpu = processors(edit)
    return {"one_file_edit_seconds": median(edit), "one_file_edit_cpu_seconds": cpu, "one_file_edit_rss_mb": max(r.rss_mb for r in edit)}


def curve(folder: str, products: int, rounds: int) -> dict[str, Any]:
    """No-op and one edit at three sizes."""
    found = {}
    for size in (products // 10, products, products * 10):
        pair = Pair(folder, size, -(-size // 200))
        pair.make()
        pair.make_ninja()
        found[str(size)] = no_op_and_edit(pair, rounds)
    return found


def show(found: dict[str, Any]) -> None:
    """The figures as lines."""
    for name, value in found.items():
        if isinstance(value, dict):
            print(f"{name}:")
            show({f"  {inner}": v for inner, v in value.items()})
        else:
            print(f"{name:32} {value:,.3f}" if isinstance(value, float) else f"{name:32} {value}")


def main(*args: str) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench engine")
    parser.add_argument("--products", type=int, default=10_000)
    parser.add_argument("--files", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--curve", action="store_true")
    parser.add_argument("--keep", default="")
    parser.add_argument("--json", action="store_true", dest="as_json")
    asked = parser.parse_args(args)
    folder = asked.keep or tempfile.mkdtemp(prefix="clipbuild-bench-")
    try:
        if asked.curve:
            found = curve(folder, asked.products, asked.rounds)
        else:
            found = whole(folder, asked.products, asked.files or -(-asked.products // 200), asked.rounds)
            found |= one_file(folder, asked.products, asked.rounds)
    finally:
        if not asked.keep:
            shutil.rmtree(folder, ignore_errors=True)
    if asked.as_json:
        print(json.dumps({n: round(v, 4) if isinstance(v, float) else v for n, v in found.items()}))
    else:
        show(found)
