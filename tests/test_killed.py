"""Ten products, picture and motion bought from the fakes, killed again and again: each key is charged exactly once.

A kill is at a line of the journal or where a picture that came is about to be stored (the process kills itself), or at a
network event (it is killed when a fake has read a request or written a reply). `CLIPBUILD_KILLS=all` kills at every one of them, each in a fresh project, `all/5` at a
fifth of them, evenly; the usual run kills one project a few times at places drawn from `CLIPBUILD_SEED`.
"""

import os
import pathlib
import random
import subprocess
import sys
from typing import Any

import pytest

from clipbuild.providers.journal import Journal
from clipbuild.providers.records import BOUGHT, Step
from tests.support.shop import ROOT, Shop, opened

SEED = int(os.environ.get("CLIPBUILD_SEED") or random.randrange(1 << 32))
ALL = (os.environ.get("CLIPBUILD_KILLS") or "").startswith("all")
STRIDE = int((os.environ.get("CLIPBUILD_KILLS") or "").partition("/")[2] or 1)
PRODUCTS = 10
KILLS = 3
MAKERS = [("openai-batch", "kling"), ("openai", "runway"), ("openai", "google")]
FINDERS = ("openai-batch", "kling")


def build(shop: Shop, kind: str = "", at: int = 0, until: str = "animate") -> int:
    """One build, killed at the event `at` of this kind; its status, negative when it was killed."""
    at_record, at_blob = (str(at if kind == wanted else 0) for wanted in ("record", "blob"))
    command = [sys.executable, "-m", "tests.support.dying", str(shop.root), until, at_record, at_blob]
    process = subprocess.Popen(command, env=shop.env, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seen = 0

    def watch(_event: str) -> None:
        nonlocal seen
        seen += 1
        if seen == at:
            process.kill()

    for fake in shop.fakes.values():
        fake.watch = watch if kind == "network" else (lambda event: None)
    return process.wait(120)


def jobs(shop: Shop) -> list[Any]:
    """What the journal says."""
    return list(Journal(str(shop.root / ".clipbuild" / "journal"), "").open().replay.jobs.values())


def judge(shop: Shop, status: int, image: str, motion: str) -> None:
    """Nothing twice, nothing lost: what is charged is stored, or held for a person where nobody can be asked."""
    assert shop.doubles() == 0
    found = jobs(shop)
    assert all(job.state in BOUGHT or job.is_ambiguous for job in found), [(j.name, j.state) for j in found]
    held = [job for job in found if job.is_ambiguous]
    assert not [job for job in held if job.provider in FINDERS]
    assert {job.state for job in held} <= {Step.HELD}
    assert status == (4 if held else 0)
    for name, part in ((image, "image"), (motion, "animate")):
        bill = shop.fakes[name.removesuffix("-batch")].ledger.charges
        mine = [job for job in found if job.provider == name]
        stored = [job for job in mine if job.state in BOUGHT]
        assert len(stored) <= len(bill) <= len(mine)
        assert len({job.key for job in stored}) == len(stored)
        if not held:
            assert sorted(job.name for job in stored) == sorted(f"item-{n}/vertical/{part}" for n in range(PRODUCTS))
            assert len(bill) == PRODUCTS


@pytest.mark.parametrize(("image", "motion"), MAKERS)
def test_killed_again_and_again(image: str, motion: str, tmp_path: pathlib.Path) -> None:
    """A few kills in one project, then to the end; and once more, for nothing."""
    print(f"CLIPBUILD_SEED={SEED}")
    dice = random.Random(f"{SEED} {motion}")
    with opened(tmp_path, "openai", motion) as shop:
        shop.stock(PRODUCTS, motion=motion, image=image)
        for fake in shop.fakes.values():
            fake.script(poll=["done"])
        for _ in range(KILLS):
            build(shop, dice.choice(["record", "network"]), dice.randint(1, 45))
            assert shop.doubles() == 0
        status = build(shop)
        judge(shop, status, image, motion)
        submits = shop.submits()
        assert build(shop) == status
        assert shop.submits() == submits


def test_killed_with_a_picture_in_hand(tmp_path: pathlib.Path) -> None:
    """The answer came, and the process dies before the store knows of it: no picture is held, lost or bought again."""
    with opened(tmp_path, "openai") as shop:
        shop.stock(3, motion="local")
        shop.edit("clipbuild.yaml", "profiles:", "pools: {openai: 1}\nprofiles:")
        assert [build(shop, "blob", at, "image") for at in (1, 2, 1)] == [-9, -9, -9]
        assert build(shop, until="image") == 0
        assert all(job.state in BOUGHT for job in jobs(shop))
        assert (shop.submits(), len(shop.fakes["openai"].ledger.charges)) == (3, 3)
        assert not list((shop.root / ".clipbuild" / "received").iterdir())


@pytest.mark.skipif(not ALL, reason="hours: CLIPBUILD_KILLS=all")
@pytest.mark.parametrize(("image", "motion"), MAKERS)
@pytest.mark.parametrize("kind", ["record", "network"])
def test_killed_at_every_event(image: str, motion: str, kind: str, tmp_path: pathlib.Path) -> None:
    """At each line of the journal and each request or reply, in a fresh project; says how far it came."""
    for at in range(1 + STRIDE // 2, 1000, STRIDE):
        print(f"killed at {kind} {at}", flush=True)
        with opened(tmp_path / str(at), "openai", motion) as shop:
            shop.stock(PRODUCTS, motion=motion, image=image)
            for fake in shop.fakes.values():
                fake.script(poll=["done"])
            if build(shop, kind, at) >= 0:
                return
            judge(shop, build(shop), image, motion)
