"""Real processes, really killed, and several at once: the tree is whole, and the next build ends right.

Where the machine lets us trace, the kill comes at each file-changing system call; otherwise at random times.
"""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from clipbuild.engine.lock import Lock
from clipbuild.engine.snapshot import Snapshot
from clipbuild.engine.store import Store
from clipbuild.engine.traces import State
from tests.support import toy
from tests.support.toy import Toy

SLOW = int(os.environ.get("CLIPBUILD_SLOW", "0") or 0)
SEED = int(os.environ.get("CLIPBUILD_SEED", "1"))
ENV = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "PYTHONDONTWRITEBYTECODE": "1"}
BUILD = [sys.executable, toy.__file__]
CALLS = (
    "write,pwrite64,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat,ftruncate,fsync,syncfs,fchmod"
)


def project(root: Path) -> str:
    (root / "photos").mkdir(parents=True)
    for photo in "xyz":
        (root / "photos" / photo).write_text(f"{photo} first")
    (root / "catalog.txt").write_text("a x now\nb y now\nc z now\n")
    return str(root)


def edit(root: str) -> None:
    """What the second build of each test has to do: a photo, a caption, a product less."""
    Path(root, "photos", "x").write_text("x second")
    Path(root, "catalog.txt").write_text("a x now\nb y late\n")


def check_invariants(root: str, before: dict[str, bytes]) -> None:
    """After a kill: visible blobs whole, traces only of blobs that are there, lock readable, outputs old or new,
    and the snapshot holds only over a right tree."""
    home = os.path.join(root, ".clipbuild")
    store = Store(os.path.join(home, "store"))
    assert list(store.verify(list(store.blobs()))) == []
    if os.path.exists(os.path.join(home, "state.db")):
        state = State.open(os.path.join(home, "state.db"))
        assert state.warning == ""
        for trace in state.traces(state.keys()).values():
            assert all(store.has(blob) for blob in trace.outputs.values())
        state.close()
    for pin in Lock.load(os.path.join(root, "clipbuild.lock")).pins.values():
        assert all(store.is_precious(blob) and store.has(blob) for blob in pin.outputs.values())
    wanted = toy.expected(root)
    for name, data in toy.tree(root).items():
        assert data in (before.get(name), wanted.get(name))
    if Snapshot.load(os.path.join(home, "snapshot")).unchanged(toy.QUESTION, root):
        assert toy.tree(root) == wanted


def converges(root: str) -> None:
    assert Toy(root).build().failed == {}
    assert toy.tree(root) == toy.expected(root)
    assert not Toy(root).build().ran
    assert [name for name in os.listdir(os.path.join(root, "dist")) if name.startswith(".")] == []


@cache
def can_trace() -> bool:
    """strace is here and may inject."""
    if shutil.which("strace") is None:
        return False
    probe = ["strace", "-f", "-o", os.devnull, "-e", "inject=mkdir:signal=KILL:when=1", "mkdir", "/tmp"]
    return subprocess.run(probe, capture_output=True).returncode in (-signal.SIGKILL, 128 + signal.SIGKILL)


def points(root: str, tmp_path: Path, most: int) -> list[tuple[str, int]]:
    """(call, how many of its kind came before) of each file-changing call of a build, or a sample of them."""
    copy, log = str(tmp_path / "count"), str(tmp_path / "log")
    shutil.copytree(root, copy, symlinks=True)
    subprocess.run(["strace", "-f", "-qq", "-o", log, "-e", f"trace={CALLS}", *BUILD, copy], env=ENV, check=True)
    calls = Counter(re.findall(r"^\d+ +(\w+)\(", Path(log).read_text(), re.MULTILINE))
    found = [(call, number) for call, count in sorted(calls.items()) for number in range(1, count + 1)]
    return found if SLOW else sorted(random.Random(SEED).sample(found, min(most, len(found))))


def killed_at(root: str, call: str, number: int) -> None:
    """Build with a kill at that call."""
    inject = ["-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={number}"]
    code = subprocess.run(["strace", "-f", "-qq", "-o", os.devnull, *inject, *BUILD, root], env=ENV).returncode
    assert code in (0, -signal.SIGKILL, 128 + signal.SIGKILL)


@pytest.mark.parametrize("rebuild", [False, True], ids=["cold", "rebuild"])
def test_a_kill_at_any_system_call_is_survived(tmp_path, rebuild):
    """Cold build and rebuild, killed at call N: invariants hold, the next build ends as an undisturbed one."""
    if not can_trace():
        pytest.skip("not run: no strace here that may inject")
    start = project(tmp_path / "start")
    if rebuild:
        Toy(start).build()
        edit(start)
    before = toy.tree(start)
    for call, number in points(start, tmp_path, most=12):
        root = str(tmp_path / f"{call}-{number}")
        shutil.copytree(start, root, symlinks=True)
        killed_at(root, call, number)
        check_invariants(root, before)
        converges(root)


def test_a_kill_at_any_moment_is_survived(tmp_path):
    """The same without tracing: the kill comes after a random time; several builds in a row are killed."""
    chance = random.Random(SEED)
    root = project(tmp_path / "w")
    for _ in range(60 if SLOW else 8):
        before = toy.tree(root)
        process = subprocess.Popen([*BUILD, root], env=ENV, stdout=subprocess.DEVNULL)
        time.sleep(chance.uniform(0.05, 0.35))
        process.kill()
        process.wait()
        check_invariants(root, before)
        Path(root, "photos", "x").write_text(f"x {chance.random()}")
    converges(root)


@pytest.mark.parametrize("shared", [False, True], ids=["one workspace", "one store"])
def test_many_builds_at_once(tmp_path, shared):
    """Processes in one workspace, or in several with one store, some killed: all end right, nothing is torn."""
    count = 16 if SLOW else 4
    store = str(tmp_path / "store")
    roots = [project(tmp_path / (f"w{n}" if shared else "w")) for n in range(count if shared else 1)]
    chance = random.Random(SEED)
    for number in range(20 if SLOW else 3):
        for root in roots:
            Path(root, "photos", "x").write_text(f"x {number}")
        crowd = [
            subprocess.Popen(
                [*BUILD, roots[n % len(roots)], *([store] if shared else [])], env=ENV, stdout=subprocess.DEVNULL
            )
            for n in range(count)
        ]
        time.sleep(chance.uniform(0.1, 0.3))
        victims = crowd[:: 4 if SLOW else 3]
        for victim in victims:
            victim.kill()
        codes = [process.wait(60) for process in crowd]
        assert all(code == 0 for process, code in zip(crowd, codes, strict=True) if process not in victims)
        for root in roots:
            Toy(root, store=store if shared else "").build()
            assert toy.tree(root) == toy.expected(root)
    found = Store(store if shared else os.path.join(roots[0], ".clipbuild", "store"))
    assert list(found.verify()) == []


def test_the_invariants_have_teeth(tmp_path):
    """A half output, a torn blob and a blob without its mark are each found by the check above."""
    root = project(tmp_path / "w")
    Toy(root).build()
    check_invariants(root, {})
    store = Store(os.path.join(root, ".clipbuild", "store"))
    mark = os.path.join(store.root, "precious", next(store.marked()))
    os.remove(mark)
    with pytest.raises(AssertionError):
        check_invariants(root, {})
    Path(mark).touch()
    output = os.path.join(root, "dist", "a.txt")
    os.remove(output)
    Path(output).write_text("half")
    with pytest.raises(AssertionError):
        check_invariants(root, {})


@pytest.mark.parametrize("error", ["ENOSPC", "EIO", "EDQUOT"])
def test_a_failing_system_call_is_an_error_never_a_lie(tmp_path, error):
    """Writes, renames and flushes that fail from call N on: the build fails or ends right, and the next one mends."""
    if not can_trace():
        pytest.skip("not run: no strace here that may inject")
    start = project(tmp_path / "start")
    Toy(start).build()
    edit(start)
    before = toy.tree(start)
    for call, number in points(start, tmp_path, most=4):
        root = str(tmp_path / f"{call}-{number}")
        shutil.copytree(start, root, symlinks=True)
        inject = ["-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={number}+"]
        command = ["strace", "-f", "-qq", "-o", os.devnull, *inject, *BUILD, root]
        code = subprocess.run(command, env=ENV, capture_output=True).returncode
        check_invariants(root, before)
        if code == 0:
            assert toy.tree(root) == toy.expected(root)
        converges(root)
