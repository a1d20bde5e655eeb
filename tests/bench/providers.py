"""The buyer under load and under faults: `python -m tests.bench providers [--json] [--jobs N] [--schedules N] [--seed N]`.

`ratio_to_ideal`: wall time of 1,000 jobs of 2 s on a fake of Kling with 50 slots, whose width nobody tells it, to the 40 s
that the slots allow; `peak_rss_mb` of the process that buys. `schedules` random schedules of faults are played: what was
charged twice, over a cap, and in an untrusted run must be 0.
"""

import argparse
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time
from typing import Any

from clipbuild.engine.action import Trace
from clipbuild.providers.desk import Policy
from tests.fakes.kling import Kling
from tests.support.adapters import CASES
from tests.support.chance import play
from tests.support.counter import Counter
from tests.support.shop import ROOT, opened

SECONDS, SLOTS = 2.0, 50
KLING = next(case for case in CASES if case.name == "kling")


def load(jobs: int) -> dict[str, float]:
    """Buy so many jobs in a process of its own; the fake is in this one."""
    with Kling(seconds=SECONDS, slots=SLOTS, small=True) as fake:
        command = [sys.executable, "-m", "tests.bench.providers", "--client", str(fake.port), "--jobs", str(jobs)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        told: dict[str, float] = json.loads(done.stdout)
        assert len(fake.ledger.charges) == jobs
        assert fake.ledger.doubles() == []
    return {**told, "ratio_to_ideal": round(told["seconds"] / (jobs * SECONDS / SLOTS), 3)}


def client(port: int, jobs: int) -> dict[str, float]:
    """The buying side: default patience, real time."""
    fake = Kling(port=port)
    with tempfile.TemporaryDirectory() as folder:
        counter = Counter(KLING, fake, folder, Policy(), pace=1.0, settings={"patience": 60.0, "transport": None}, limit=600)
        orders = [counter.order(number) for number in range(jobs)]
        began = time.monotonic()
        results = counter.run(*orders)
        seconds = time.monotonic() - began
    bad = [result for result in results if not isinstance(result, Trace)]
    assert not bad, bad[0]
    return {"seconds": round(seconds, 2), "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)}


def faults(count: int, seed: int) -> dict[str, int]:
    """Random schedules; the seed repeats them."""
    found = [play(seed + number) for number in range(count)]
    return {
        "schedules": count, "seed": seed, "charges": sum(result.charges for result in found),
        "double_charges": sum(result.doubled for result in found), "over_cap": sum(result.over_cap for result in found),
        "other": sum(not result.is_good for result in found),
    }  # fmt: skip


def untrusted() -> int:
    """Requests that arrive at any provider from a build that is not trusted, keys present."""
    with tempfile.TemporaryDirectory() as folder, opened(pathlib.Path(folder) / "shop") as shop:
        shop.stock(2)
        shop.env = {**(shop.env or {}), "CLIPBUILD_TRUSTED": "0"}
        shop.build("--max-spend", "100")
        return sum(len(fake.log) + len(fake.ledger.charges) for fake in shop.fakes.values())


def main(*arguments: str) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench providers", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--schedules", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    parser.add_argument("--client", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments or sys.argv[1:])
    if options.client:
        print(json.dumps(client(options.client, options.jobs)))
        return
    told: dict[str, Any] = {**load(options.jobs), **faults(options.schedules, options.seed), "untrusted_charges": untrusted()}
    if options.json:
        print(json.dumps(told))
        return
    for name, value in told.items():
        print(f"{name:20} {value}")


if __name__ == "__main__":
    main()
