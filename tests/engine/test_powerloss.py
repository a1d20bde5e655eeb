"""Power loss at any call: what was said to be durable is there whole, and nothing bought has unflushed bytes."""

import os
import random
from collections.abc import Callable

import pytest

from clipbuild import digest
from clipbuild.engine import files
from clipbuild.engine.action import Trace
from clipbuild.engine.lock import Lock
from clipbuild.engine.store import Store
from clipbuild.errors import ClipbuildError
from tests.support.powerloss import Forgetful, PowerLoss

STATES = 20
SLOW = int(os.environ.get("CLIPBUILD_SLOW", "0") or 0)
SEED = int(os.environ.get("CLIPBUILD_SEED", "1"))
PAID = [bytes([n]) * 3000 for n in range(3)]


def read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def every_loss(tmp_path, work: Callable[[Forgetful, str, list], None], check: Callable[[str, list], None]) -> int:
    """Run `work` with the power lost at call 1, 2, … and check several disks that could be left of each.

    `work` notes what it was told is done; `check` gets that list and the folder after the loss.
    """
    states = 0
    for at in range(1, 10_000):
        root = tmp_path / f"{at}"
        root.mkdir()
        disk, done = Forgetful(str(root), crash_at=at), []
        try:
            work(disk, str(root), done)
            lost = False
        except PowerLoss:
            lost = True
        for number in range(STATES * (10 if SLOW else 1)):
            left = str(tmp_path / f"{at}-{number}")
            disk.after_power_loss(left, random.Random(f"{SEED}-{at}-{number}"))
            check(left, done)
            states += 1
        if not lost:
            return states
    raise AssertionError("never finished")


def buy(disk: Forgetful, root: str, done: list) -> None:
    """Three bought blobs, one of them twice, with free ones in between."""
    store = Store(os.path.join(root, "w", ".clipbuild", "store"), disk=disk)
    for data in [*PAID, PAID[0]]:
        done.append(store.add_bytes(data, precious=True))
        store.add_bytes(b"free" + data)


def bought_is_safe(left: str, done: list) -> None:
    """Visible means whole and marked; said to be kept means visible."""
    root = os.path.join(left, "w", ".clipbuild", "store")
    if not os.path.isdir(root):
        assert not done
        return
    store, names = Store(root), {digest.of_bytes(data): data for data in PAID}
    for name in store.blobs():
        if name in names:
            assert read(store.path(name)) == names[name], "a bought blob with unflushed bytes"
            assert store.is_precious(name), "a bought blob that clean-up would take"
    assert set(done) <= set(store.blobs()), "a bought blob that was said to be kept is gone"


def test_bought_blobs_survive_any_power_loss(tmp_path):
    """All crash points times many outcomes: I3 and I5 hold for what was bought."""
    assert every_loss(tmp_path, buy, bought_is_safe) >= 1000


def test_without_flushing_bought_blobs_are_lost(tmp_path):
    """The test has teeth: a disk that ignores flushes is found out."""

    def careless(disk, root, done):
        disk.flushes = False
        buy(disk, root, done)

    with pytest.raises((AssertionError, ClipbuildError)):
        every_loss(tmp_path, careless, bought_is_safe)


def trace(n: int) -> Trace:
    return Trace(f"sku-{n}", digest.of_bytes(bytes([n])), {"a.mp4": digest.of_bytes(b"x")}, "1")


def save_locks(disk: Forgetful, root: str, done: list) -> None:
    """A lock that grows by a pin at each save."""
    lock = Lock()
    for n in range(4):
        lock = lock.with_pin(trace(n))
        lock.save(os.path.join(root, "clipbuild.lock"), disk)
        done.append(len(lock.pins))


def lock_is_whole(left: str, done: list) -> None:
    """Old or new, never half, never older than what was said to be saved."""
    found = Lock.load(os.path.join(left, "clipbuild.lock"))
    last = done[-1] if done else 0
    assert len(found.pins) in (last, last + 1)


def test_the_lock_is_old_or_new_after_any_power_loss(tmp_path):
    """A torn lock would be an error to a person; a lock that went back would lose a pin."""
    assert every_loss(tmp_path, save_locks, lock_is_whole) >= 400


def free_then_flush(disk: Forgetful, root: str, done: list) -> None:
    """Free blobs in two batches, few and many, each flushed before anything may speak of it."""
    store = Store(os.path.join(root, "store"), disk=disk)
    for count in (3, 20):
        names = [store.add_bytes(bytes([n, count]) * 50) for n in range(count)]
        store.flush()
        done.extend(names)


def flushed_is_whole(left: str, done: list) -> None:
    """What a trace may speak of is there, whole, if its folders are."""
    store = Store(os.path.join(left, "store"))
    for name in done:
        if store.has(name):
            assert store.sound(name)


def test_flushed_free_blobs_are_whole_after_any_power_loss(tmp_path, monkeypatch):
    """A flush makes blobs durable; unflushed ones may be torn, which is why `sound` looks before they are used."""
    torn = []

    def check(left, done):
        flushed_is_whole(left, done)
        torn.extend(Store(os.path.join(left, "store")).verify())

    monkeypatch.setattr(files, "FLUSH_EACH", 8)
    monkeypatch.setitem(globals(), "STATES", 3)
    assert every_loss(tmp_path, free_then_flush, check) >= 500
    assert torn, "some unflushed blobs must have been torn, and found by verify"
