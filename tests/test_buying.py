"""Whole builds that buy from the fakes: bought once, pinned, resumed, stopped by caps, quiet about secrets."""

import json
import os
import pathlib
import shutil
import signal
import time
from collections.abc import Iterator

import pytest

from clipbuild.engine.lock import Lock
from tests.support.shop import Shop, opened


@pytest.fixture
def shop(tmp_path: pathlib.Path) -> Iterator[Shop]:
    """Two products, pictures from openai, motion from kling."""
    with opened(tmp_path, "openai", "kling") as found:
        found.stock(2)
        yield found


def test_bought_once_and_pinned(shop: Shop) -> None:
    """Each picture and each clip is charged once; the lock says what, for how much; a second build buys nothing."""
    built = shop.build()
    assert built.status == 0, built.text
    assert shop.charges() == {"openai": 2, "kling": 2}
    assert shop.submits() == 4
    lock = Lock.load(str(shop.root / "clipbuild.lock"))
    assert sorted(pin.name.rsplit("/")[-1] for pin in lock.pins.values()) == ["animate", "animate", "image", "image"]
    total = sum(fake.ledger.total for fake in shop.fakes.values())
    assert str(total.normalize()) == built.plain["cost"]
    assert shop.build().ran == []
    shutil.rmtree(shop.root / "dist.studio")
    assert "animate" not in shop.build().stages()
    assert shop.submits() == 4


def test_a_clone_with_lock_and_blobs_buys_nothing(shop: Shop) -> None:
    """State and journal gone: the lock and the store are enough."""
    assert shop.build().status == 0
    for name in ("state.db", "journal", "snapshot.studio"):
        os.unlink(shop.root / ".clipbuild" / name)
    shutil.rmtree(shop.home / "state")
    assert shop.build().status == 0
    assert shop.submits() == 4


def test_a_lost_result_is_fetched_again_while_the_provider_has_it(shop: Shop) -> None:
    """The blob of a bought clip is gone: it comes back from the provider, for nothing; the picture can't."""
    assert shop.build().status == 0
    lock = Lock.load(str(shop.root / "clipbuild.lock"))
    store = shop.root / ".clipbuild" / "store"
    clip = next(pin.outputs["video"] for pin in lock.pins.values() if "video" in pin.outputs)
    os.unlink(store / clip[:2] / clip)
    shutil.rmtree(shop.root / "dist.studio")
    os.unlink(shop.root / ".clipbuild" / "snapshot.studio")
    back = shop.build()
    assert (back.status, back.plain["cost"]) == (0, "0"), "what was paid before is not said to be spent now"
    assert (store / clip[:2] / clip).exists()
    picture = next(pin.outputs["image"] for pin in lock.pins.values() if "image" in pin.outputs)
    os.unlink(store / picture[:2] / picture)
    os.unlink(shop.root / ".clipbuild" / "snapshot.studio")
    built = shop.build()
    assert built.status == 4
    assert "retake item-" in str(built.plain["errors"])
    assert shop.submits() == 4


def test_an_unsure_submit_is_held_and_reported(tmp_path: pathlib.Path) -> None:
    """OpenAI's answer is lost: status 4, nothing is sent again, the other product is complete."""
    with opened(tmp_path, "openai", "kling") as shop:
        shop.stock(2)
        shop.fakes["openai"].script(submit=["reset_after", "ok"])
        built = shop.build()
        assert built.status == 4
        assert "clipbuild jobs resubmit" in str(built.plain["errors"])
        assert len(built.plain["errors"]) == 1, "told once"
        assert shop.charges() == {"openai": 2, "kling": 1}
        again = shop.build()
        assert again.status == 4
        assert shop.submits() == 3
        assert shop.doubles() == 0


def test_ctrl_c_leaves_jobs_open_and_ends_in_time(shop: Shop) -> None:
    """SIGINT while clips are made: status 130 within five seconds; the next build collects them, none is bought again,
    one whose product has left the catalog included."""
    shop.fakes["kling"].script(poll=["running*9999"])
    began = time.monotonic()
    assert shop.interrupted(4) == 130
    assert time.monotonic() - began < 25
    assert "failed" not in shop.said
    assert " ran, 6 not reached" in shop.said
    for job in shop.fakes["kling"].jobs.values():
        job.polls = iter(())
    text = (shop.root / "catalog/all.yaml").read_text()
    shop.write("catalog/all.yaml", text.split("  - sku: item-1")[0])
    assert shop.build().status == 0
    steps = [json.loads(line)["state"] for line in (shop.root / ".clipbuild/journal").read_text().splitlines()]
    assert steps.count("fetched") == 4
    assert shop.submits() == 4


def test_a_second_ctrl_c_waits_for_no_reply(tmp_path: pathlib.Path) -> None:
    """Pictures on their way: one SIGINT waits four seconds for them, a second one ends the wait. The journal says of each
    that it is unsure, and nothing is bought again."""
    with opened(tmp_path, "openai") as shop:
        shop.stock(2, motion="local")
        shop.fakes["openai"].script(submit=["slow_ok:60"])
        ended = []
        for again in (False, True):
            (shop.root / ".clipbuild/journal").unlink(missing_ok=True)
            shutil.rmtree(shop.home / "state", ignore_errors=True)
            charges = shop.charges().get("openai", 0)
            assert shop.interrupted(charges + 2, again=again) == 130
            ended.append(shop.took)
            states = [json.loads(line)["state"] for line in (shop.root / ".clipbuild/journal").read_text().splitlines()]
            assert states.count("held") == 2
        assert ended[1] < ended[0]
        submits = shop.submits()
        assert shop.build().status == 4
        assert shop.submits() == submits


def test_a_lost_workspace_loses_no_job(shop: Shop) -> None:
    """`git clean -xdf` after a kill while jobs are open: their ids live in the user's state folder too."""
    shop.fakes["kling"].script(poll=["running*9999"])
    assert shop.interrupted(4, signal.SIGKILL) == -signal.SIGKILL
    for job in shop.fakes["kling"].jobs.values():
        job.polls = iter(())
    os.rename(shop.root / ".clipbuild/store", shop.home / "store")
    shutil.rmtree(shop.root / ".clipbuild")
    (shop.root / ".clipbuild").mkdir(0o700)
    os.rename(shop.home / "store", shop.root / ".clipbuild/store")
    assert shop.build().status == 0
    assert shop.submits() == 4


def test_an_untrusted_run_cannot_spend(shop: Shop) -> None:
    """With keys present: no request at all, status 3, what would be bought is named with its price."""
    shop.env = {**(shop.env or {}), "CLIPBUILD_TRUSTED": "0"}
    built = shop.build()
    assert built.status == 3
    assert "not trusted" in str(built.plain["errors"])
    assert "$0.0" in str(built.plain["errors"])
    assert all(not fake.log for fake in shop.fakes.values())


def test_no_secret_gets_out(shop: Shop) -> None:
    """A provider that echoes the key in its error: it is in no file of the project and in nothing that is printed."""
    secret = "sk-CANARY-not-a-key-openai-0001"
    shop.env = {**(shop.env or {}), "OPENAI_API_KEY": secret, "KLING_API_KEY": secret}
    status, out, err = shop.run("build", "--profile", "studio", "--events", str(shop.home / "events"))
    assert status == 2
    seen = out + err + (shop.home / "events").read_text()
    assert "CANARY" not in seen
    for path in [*shop.root.rglob("*"), *(shop.home / "state").rglob("*")]:
        if path.is_file() and path.suffix != ".toml":
            assert b"CANARY" not in path.read_bytes(), path
