"""Every named schedule of faults against every adapter's fake: how often is sent, what is charged, how the job ends."""

import json
import pathlib
from dataclasses import replace
from typing import Any

import pytest

from clipbuild.providers.records import BOUGHT, Step
from tests.support.adapters import CASES, Case
from tests.support.counter import POLICY, Counter, Killing, KillingStore, die, killed

DATA = pathlib.Path(__file__).parent.parent / "hostile" / "data" / "provider" / "schedules.jsonl"
ROWS = [json.loads(line) for line in DATA.read_text().splitlines()]
FINDERS = ("kling", "kling-legacy", "openai-batch")
AT_ONCE = "openai"
"""Its answer carries the result: nothing to poll, nothing to download."""
NOTED = {"after_record": "accepted", "after_lock_temp": "fetched", "after_lock": "fetched", "during_export": "fetched"}
"""Points that are reached when the journal says so; those behind the fetch are met by whole builds in test_buying."""


def fits(case: Case, row: dict[str, Any]) -> bool:
    """The schedule can happen at this provider."""
    if row["support"] in ("client_id", "list", "idempotency"):
        return case.name in FINDERS
    polls, downloads = row["poll"] not in ([], ["queued", "running", "done"]), row["download"] not in ([], ["ok"])
    if case.name == AT_ONCE:
        at_work = row["kill"] in ("during_poll", "during_download", "after_download")
        return not (polls or downloads or at_work) and row["id"] not in ("no-id", "kill-after_record")
    if not case.downloads and (downloads or row["kill"] == "during_download"):
        return False
    if row["id"] == "expired":
        return case.name.startswith("kling")
    return row["id"] not in IMPOSSIBLE.get(case.name, ())


IMPOSSIBLE: dict[str, tuple[str, ...]] = {
    "google": ("regress",),
    "openai-batch": ("regress", "poll-404-once", "poll-404-always"),
}


def state(job: Any) -> str:
    """The job's state in the words of the table."""
    if job is None or job.state is Step.UNSENT:
        return "pending"
    if job.state in BOUGHT:
        return "stored"
    if job.is_ambiguous:
        return "ambiguous"
    return {Step.DONE: "done-not-fetched", Step.ACCEPTED: "running"}.get(job.state, job.state.value)


def wanted(case: Case, row: dict[str, Any]) -> dict[str, Any]:
    """What must happen; a provider that can be asked settles what another leaves to a person."""
    expect = dict(row["expect"])
    if "or" in str(expect.get("state")):
        expect |= {"state": "stored", "exit": "ok"}
    if case.name in FINDERS and expect.get("state") == "ambiguous" and row["kill"] is None:
        made = row["expect"]["charges"]
        again = {"submits": 1} if made else {}
        expect = {"charges": 1, "state": "stored", "exit": "ok", **again}
        if not made:  # asked each time, the provider says that it never got it: sent anew a few times, then left
            expect = {"charges": 0, "state": "pending", "exit": "incomplete", "submits": 3}
    if row["id"] == "lost-reply-idem":
        expect |= {"submits": 1}
    return expect


PAIRS = [pytest.param(c, r, id=f"{c.name}-{r['id']}") for r in ROWS for c in CASES if fits(c, r) and not r["kill"]]
KILLS = [pytest.param(c, r, id=f"{c.name}-{r['id']}") for r in ROWS for c in CASES if fits(c, r) and r["kill"]]


@pytest.mark.parametrize(("case", "row"), PAIRS)
def test_schedule(case: Case, row: dict[str, Any], tmp_path: pathlib.Path) -> None:
    """As the table says; and run again, nothing more is charged for what was charged."""
    with case.start() as fake:
        fake.script(submit=row["submit"], poll=row["poll"] or ["done"], download=row["download"] or ["ok"])
        policy = replace(POLICY, job=400.0) if row["id"] == "stuck" else POLICY
        counter = Counter(case, fake, str(tmp_path), policy)
        order, expect = counter.order(), wanted(case, row)
        status = counter.status(order)
        job = counter.job(order.key)
        submits, charges = fake.submits, len(fake.ledger.charges)
        if "state" in expect:
            assert (state(job), status) == (expect["state"], expect["exit"]), job
        assert submits == expect.get("submits", submits)
        assert charges == expect.get("charges", charges)
        assert charges <= 1
        settled = state(job) not in ("pending", "stored")
        if settled:
            counter.status(order)
            assert fake.submits - submits == expect.get("rerun_submits", 0)
        assert len(fake.ledger.charges) <= 1
        assert fake.leaks == []


@pytest.mark.parametrize(("case", "row"), KILLS)
def test_kill(case: Case, row: dict[str, Any], tmp_path: pathlib.Path) -> None:
    """SIGKILL at a point of the job's life; the next run settles it without a second charge."""
    point, expect = row["kill"], row["expect"]
    with case.start() as fake:
        words = {"during_send": "reset_before", "before_reply": "kill_after"}
        fake.script(submit=[words.get(point, "ok"), "ok"], poll=row["poll"], download=row["download"])
        counter = Counter(case, fake, str(tmp_path))
        order = counter.order()

        def told(kind: Any, **facts: Any) -> None:
            if point in NOTED and facts.get("step") == NOTED[point]:
                die()

        dying = Counter(case, fake, str(tmp_path), wrap=lambda inner: Killing(inner, point), emit=told)  # type: ignore[arg-type,return-value]
        if point == "after_store":
            dying.store_wrap = KillingStore
        assert killed(lambda: dying.run(order)), "the point was not reached"
        first = fake.submits
        assert first == expect["submits"]
        status = counter.status(order)
        found = case.name in FINDERS
        if not found:
            assert fake.submits - first == expect["rerun_submits"]
            if "state" in expect:
                assert state(counter.job(order.key)) == expect["state"]
                assert status == expect.get("exit", "ok")
        else:
            assert state(counter.job(order.key)) == "stored"
        assert len(fake.ledger.charges) == expect.get("total_charges", len(fake.ledger.charges))
        assert len(fake.ledger.charges) <= 1
