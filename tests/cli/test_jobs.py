"""`jobs`, `cost` and `retake`: what a person sees of money, and how it is settled."""

import json
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from clipbuild.providers.journal import Journal
from clipbuild.providers.records import Record, Step
from tests.support.shop import Shop, opened


@pytest.fixture
def shop(tmp_path: pathlib.Path) -> Iterator[Shop]:
    """One product whose picture is bought and whose answer was lost."""
    with opened(tmp_path, "openai", "kling") as found:
        found.stock(1, motion="local")
        found.fakes["openai"].script(submit=["reset_after", "ok"])
        assert found.build().status == 4
        yield found


def listed(shop: Shop, *args: str) -> list[dict[str, Any]]:
    """The jobs as JSON."""
    _, out, _ = shop.run("jobs", *args, "--json")
    found = json.loads(out)["jobs"]
    assert isinstance(found, list)
    return found


def test_an_unsure_job_is_listed_with_all_one_needs(shop: Shop) -> None:
    """Product, provider, id, age, what it may have cost; status 4; also when the catalog is gone."""
    (shop.root / "catalog/all.yaml").unlink()
    status, out, _ = shop.run("jobs")
    assert status == 4
    job = listed(shop)[0]
    assert all(word in out for word in ("unsure", "openai", "item-0/vertical/image", "at most", job["id"][:8]))


def test_what_can_not_be_adopted_is_not_offered(shop: Shop) -> None:
    """OpenAI keeps nothing: told to look at what was charged, to resubmit or to abandon; adopting says why not."""
    short = listed(shop)[0]["id"][:8]
    for told in (shop.run("jobs")[1], str(shop.build().plain["errors"])):
        assert f"jobs resubmit {short}" in told
        assert f"jobs abandon {short}" in told
        assert "jobs adopt" not in told
        assert "usage page" in told
    status, _, err = shop.run("jobs", "adopt", short, "--job", "req_1")
    assert (status, "keeps no results" in err, listed(shop)[0]["state"]) == (2, True, "unsure")


def test_resubmit_buys_anew_and_both_count(shop: Shop) -> None:
    """The next build sends it again; the unsure charge stays on the books at its highest price."""
    assert shop.run("jobs", "resubmit", listed(shop)[0]["id"][:8])[0] == 0
    assert shop.submits() == 1
    assert shop.build().status == 0
    assert shop.submits() == 2
    assert shop.run("jobs")[0] == 0
    _, out, _ = shop.run("cost", "--json")
    told = json.loads(out)
    assert told["product"]["item-0"]["count"] == 2
    assert float(told["product"]["item-0"]["unconfirmed"]) > 0
    assert float(told["provider"]["openai"]["usd"]) > 0


def test_abandon_ends_the_waiting(shop: Shop) -> None:
    """The job is over: builds say so and send nothing."""
    assert shop.run("jobs", "abandon", listed(shop)[0]["id"][:8])[0] == 0
    assert listed(shop) == []
    built = shop.build()
    assert built.status == 1
    assert "jobs resubmit" in str(built.plain["errors"])
    assert shop.submits() == 1


@pytest.mark.parametrize("args", [("adopt", "ffff0000", "--job", "x"), ("resubmit", "ab"), ("abandon", "zzzz")])
def test_a_job_that_is_not_there(shop: Shop, args: tuple[str, ...]) -> None:
    """Status 2 with a hint."""
    status, _, err = shop.run("jobs", *args)
    assert status == 2
    assert "there is no job" in err


def test_adopt_and_collect_store_a_result_without_buying(tmp_path: pathlib.Path) -> None:
    """Runway's reply is lost; the person finds the task on its page, adopts it, collects it without a build."""
    with opened(tmp_path, "openai", "runway") as shop:
        shop.stock(1, motion="runway")
        shop.fakes["runway"].script(submit=["reset_after"], poll=["done"])
        assert shop.build().status == 4
        told = shop.run("plan", "--profile", "studio")[1]
        assert "its job at runway is unsure, see `clipbuild jobs`" in told
        assert "nothing new is bought, 1 job under way" in told
        assert "no open jobs to collect; 1 job unsure" in shop.run("jobs", "collect")[1]
        task = next(iter(shop.fakes["runway"].jobs))
        assert shop.run("jobs", "adopt", listed(shop)[0]["id"][:8], "--job", task)[0] == 0
        assert [job["state"] for job in listed(shop)] == ["open"]
        status, out, _ = shop.run("jobs", "collect")
        assert status == 0
        assert "stored" in out
        assert shop.build().status == 0
        assert shop.charges() == {"openai": 1, "runway": 1}


def test_a_key_that_can_not_be_read_leaves_nothing_unsure(tmp_path: pathlib.Path) -> None:
    """A file of keys that others may read, or none at all: it is said, nothing was sent, no job has to be settled."""
    with opened(tmp_path, "openai") as shop:
        shop.stock(1, motion="local")
        del shop.env["OPENAI_API_KEY"]
        for mode, says in ((None, "set OPENAI_API_KEY"), (0o644, "others may read your keys")):
            if mode is not None:
                (shop.home / "keys.toml").write_text('OPENAI_API_KEY = "x"\n')
                (shop.home / "keys.toml").chmod(mode)
            built = shop.command("build", "--profile", "studio")
            assert (built.returncode, says in built.stderr) == (2, True), built.stderr
            assert shop.run("jobs")[0:2] == (0, "no open jobs\n")
        assert shop.submits() == 0


def test_a_wrong_id_can_be_mended(tmp_path: pathlib.Path) -> None:
    """Adopted under a slip of the pen, and not found there: the build says how to name the right one, and nothing is lost."""
    with opened(tmp_path, "openai", "runway") as shop:
        shop.stock(1, motion="runway")
        shop.fakes["runway"].script(submit=["reset_after"], poll=["done"])
        assert shop.build().status == 4
        short = listed(shop)[0]["id"][:8]
        assert shop.run("jobs", "adopt", short, "--job", "a-slip")[0] == 0
        journal = Journal(str(shop.root / ".clipbuild/journal")).open()
        job = next(one for one in journal.replay.jobs.values() if one.job == "a-slip")
        journal.append(Record(Step.LOST, job.since, job.intent, job.key, job.name, job.provider))
        journal.close()
        assert f"jobs adopt {short}" in str(shop.build().plain["errors"])
        assert shop.run("jobs", "adopt", short, "--job", next(iter(shop.fakes["runway"].jobs)))[0] == 0
        assert shop.build().status == 0
        assert shop.charges() == {"openai": 1, "runway": 1}
        assert shop.run("jobs", "adopt", short, "--job", "again")[0] == 2


def test_a_retake_buys_another_take_and_says_why_in_the_lock(tmp_path: pathlib.Path) -> None:
    """One more picture; taken back by nobody; the rest is as it was."""
    with opened(tmp_path, "openai") as shop:
        shop.stock(2, motion="local")
        assert shop.build().status == 0
        assert shop.run("retake", "item-0", "--because", "blurred label", "--profile", "studio")[0] == 0
        assert "blurred label" in (shop.root / "clipbuild.lock").read_text()
        built = shop.build()
        assert built.status == 0
        assert {name.split("/")[0] for name in built.ran} == {"item-0"}
        assert shop.submits() == 3
