"""Random schedules of faults: a few orders against one fake, with kills, stops and a cap, run until nothing moves.

A schedule is its seed. What must hold whatever happens is counted in `Result`.
"""

import os
import random
import shutil
import tempfile
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from clipbuild.engine.action import Trace
from clipbuild.errors import ClipbuildError
from clipbuild.providers.desk import Policy
from clipbuild.providers.records import BOUGHT
from clipbuild.providers.spend import Budget
from tests.fakes.kling import Kling
from tests.fakes.server import Fake
from tests.support.adapters import CASES, Case
from tests.support.counter import Counter, die, killed

SUBMITS = ["ok"] * 8 + [
    "refused", "reset_before", "reset_after", "timeout_after", "500_after", "502_after", "500", "503", "429", "429:1", "408",
    "409", "400_moderation", "401", "402_quota", "307", "ok_no_id", "ok_bad_json", "ok_truncated", "slow_ok:0.05",
    "stream_cut", "stream_error", "stream_moderation",
]  # fmt: skip
POLLS = ["queued", "running", "running", "done", "done", "done", "500", "reset", "timeout", "bad_json", "429:1", "404", "throttled",
         "unknown_status", "failed:INTERNAL", "failed:SAFETY.OUTPUT", "cancelled", "done_no_url", "done_two"]  # fmt: skip
DOWNLOADS = ["ok", "ok", "ok", "trunc", "reset-mid", "500", "403", "html-200", "empty-200", "no-length-trunc", "zero_frames"]
POLICY = Policy(tries=4, job=300.0, lookups=(0.0, 1.0, 20.0), grace=0.05)


@dataclass
class Result:
    """What one schedule came to: runs, charges, and what must be zero."""

    seed: int
    runs: int = 0
    charges: int = 0
    doubled: int = 0
    over_cap: int = 0
    unstored: int = 0
    strange: str = ""

    @property
    def is_good(self) -> bool:
        """Nothing that must not happen happened."""
        return not (self.doubled or self.over_cap or self.unstored or self.strange)


def play(seed: int) -> Result:
    """Run the schedule of this seed in a folder of its own."""
    folder = tempfile.mkdtemp(prefix="schedule-")
    try:
        return _Play(seed, folder).run()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Play:
    def __init__(self, seed: int, folder: str) -> None:
        self.dice, self.folder, self.result = random.Random(seed), folder, Result(seed)
        self.case: Case = self.dice.choice(CASES)
        self.cap = Decimal(self.dice.choice(["0.05", "1.3", "100"]))
        self.count = self.dice.randint(1, 4)

    def run(self) -> Result:
        """Faults for up to three runs, then two calm ones."""
        settings = {"repeats": self.dice.choice(["refused", "billed"])} if self.case.fake is Kling else {}
        with self.case.start(**settings) as fake:
            counter = self._counter(fake)
            orders = [counter.order(number) for number in range(self.count)]
            for _ in range(self.dice.randint(1, 3)):
                fake.script(
                    submit=self.dice.choices(SUBMITS, k=12), poll=[*self.dice.choices(POLLS, k=4), "done"],
                    download=[*self.dice.choices(DOWNLOADS, k=2), "ok"],
                )  # fmt: skip
                self._once(counter, orders)
            fake.script(submit=["ok"], poll=["done"], download=["ok"])
            self._once(counter, orders, calm=True)
            self._once(counter, orders, calm=True)
            self._judge(counter, fake, orders)
        return self.result

    def _counter(self, fake: Fake) -> Counter:
        settings = {"patience": 0.06}
        return Counter(self.case, fake, self.folder, POLICY, Budget(build=self.cap), 0.0006, settings=settings)

    def _once(self, counter: Counter, orders: list[Any], *, calm: bool = False) -> None:
        self.result.runs += 1
        way = 1.0 if calm else self.dice.random()
        if way < 0.25:
            self._killed(counter, orders, self.dice.randint(1, 12))
            return
        results = counter.run(*orders, stop_after=self.dice.uniform(0.001, 0.08) if way < 0.35 else 0.0)
        for result in results:
            if isinstance(result, Trace):
                self.result.unstored += not all(counter.desk.store.has(blob) for blob in result.outputs.values())  # type: ignore[union-attr]
            elif not isinstance(result, ClipbuildError):
                self.result.strange = repr(result)

    def _killed(self, counter: Counter, orders: list[Any], at: int) -> None:
        seen = [0]

        def told(*_: Any, **__: Any) -> None:
            seen[0] += 1
            if seen[0] == at:
                die()

        dying = Counter(**{**vars(counter), "emit": told})
        killed(lambda: dying.run(*orders))

    def _judge(self, counter: Counter, fake: Fake, orders: list[Any]) -> None:
        journal = counter.journal()
        self.result.charges = len(fake.ledger.charges)
        self.result.doubled = len(fake.ledger.doubles())
        self.result.over_cap = int(fake.ledger.total > self.cap)
        for order in orders:
            job = journal.replay.latest(order.key)
            if job is not None and job.state in BOUGHT and not all(
                os.path.exists(os.path.join(self.folder, "store", blob[:2], blob)) for blob in job.outputs.values()
            ):
                self.result.unstored += 1
        if fake.leaks or any(exchange.reply.status == 599 for exchange in fake.log):
            self.result.strange = f"leaks {fake.leaks}"
