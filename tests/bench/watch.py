"""From save to finished draft: `python -m tests.bench watch [--products N] [--rounds N] [--photo FILE] [--json]`.

    save_to_draft_ratio   a caption of a five second clip is saved; time until its draft is in the tree, over the time of
                          that very draft's render alone
    engine_share_ms       the same among N products (10,000) with stages that do next to nothing: everything but the
                          stages, the wait for the save to settle included; engine_cpu_ms is the processors' time of it
    save_to_render_ms     of that, until the render starts

Watches in this process, as `clipbuild watch` does, and saves from a thread.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import Any

from clipbuild import events
from clipbuild.stages import registry
from tests.bench import trivial, workspace
from tests.support.project import Project
from tests.support.watching import Seen, watching

CHAIN = ("render", "cover")
"""What one caption makes one after the other."""


def main(*args: str) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench watch")
    parser.add_argument("--products", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--photo", default="examples/storefront/photos/mug_black_01.jpg")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(args)
    folder = tempfile.mkdtemp(prefix="clipbuild-watch-")
    try:
        found = {**one_clip(os.path.join(folder, "one"), asked.photo, asked.rounds),
                 **many(os.path.join(folder, "many"), asked.products, asked.rounds)}  # fmt: skip
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if asked.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:24} {value}")


def one_clip(root: str, photo: str, rounds: int) -> dict[str, Any]:
    """A real product with real stages."""
    project = Project(pathlib.Path(root))
    project.write("clipbuild.yaml", (
        "catalog: catalog/*.yaml\nbrand:\n  name: Bench\n"
        '  colors: {primary: "#24443a", accent: "#e0a43a"}\ndefaults:\n  platforms: [tiktok]\n  duration: 5\n'
    ))  # fmt: skip
    project.write("photos/p.jpg", pathlib.Path(photo).read_bytes())
    project.write("catalog/all.yaml", (
        "products:\n  - sku: mug\n    name: Mug\n    photos: photos/p.jpg\n    captions: [Take 0]\n    cta: Shop now\n"
    ))  # fmt: skip
    rows = saves(project, "catalog/all.yaml", "Take {}", rounds)
    ratios = [row.whole / row.render for row in rows]
    return {
        "save_to_draft_ratio": round(statistics.median(ratios), 3),
        "save_to_draft_seconds": round(statistics.median(row.whole for row in rows), 3),
        "draft_render_seconds": round(statistics.median(row.render for row in rows), 3),
    }


def many(root: str, products: int, rounds: int) -> dict[str, Any]:
    """A large catalog with stages that do next to nothing."""
    os.environ["PYTHONPATH"] = str(pathlib.Path(__file__).resolve().parent.parent.parent)  # workers find these stages
    registry.replace(trivial.stages(), [sys.executable, "-m", trivial.HERE, "worker"])
    workspace.make(root, products, max(1, products // 200))
    path = os.path.relpath(workspace.catalog_file(root, 0), root)
    project = Project(pathlib.Path(root))
    project.edit(path, "Made for bench 7\n", "Take 0\n")
    rows = saves(project, path, "Take {}", rounds, patience=900.0)
    shares = [1000 * (row.whole - row.chain) for row in rows]
    return {"engine_share_ms": round(statistics.median(shares), 1), "engine_share_best_ms": round(min(shares), 1),
            "engine_share_worst_ms": round(max(shares), 1),
            "save_to_render_ms": round(1000 * statistics.median(row.started for row in rows), 1),
            "engine_cpu_ms": round(1000 * statistics.median(row.cpu for row in rows), 1), "products": products}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Saved:
    """Seconds from save to finished draft and to the start of its render; of its render, of its chain; of processors."""

    whole: float
    started: float
    render: float
    chain: float
    cpu: float


def saves(project: Project, path: str, words: str, rounds: int, patience: float = 120.0) -> list[Saved]:
    """A row for each save. The first two warm up."""
    rows: list[Saved] = []

    def act(seen: Seen) -> None:
        seen.until(lambda: seen.of(events.BuildFinished), patience)
        for number in range(rounds + 2):
            time.sleep(0.3)
            done, ready = len(seen.of(events.BuildFinished)), len(seen.of(events.TreeReady))
            first = len(seen.events)
            text = (project.root / path).read_text().replace(words.format(number), words.format(number + 1))
            began, busy = time.monotonic(), time.process_time()
            (project.root / path).write_text(text)
            seen.until(lambda first=first: _renders(seen.events[first:]), 60)
            started = time.monotonic() - began
            seen.until(lambda wanted=ready: len(seen.of(events.TreeReady)) > wanted, 60)
            whole, cpu = time.monotonic() - began, time.process_time() - busy
            seen.until(lambda wanted=done: len(seen.of(events.BuildFinished)) > wanted, 60)
            took = {e.stage: e.seconds for e in seen.events[first:] if isinstance(e, events.ActionFinished)}
            assert set(CHAIN) <= set(took), took
            if number >= 2:
                rows.append(Saved(whole, started, took["render"], sum(took[stage] for stage in CHAIN), cpu))

    watching(project, act)
    return rows


def _renders(seen: list[events.Event]) -> bool:
    return any(isinstance(event, events.ActionStarted) and event.stage == "render" for event in seen)
