"""Whole builds that are killed, starved of disk or raced: nothing half-written is ever seen, and the next build ends where
an undisturbed one ends.

`CLIPBUILD_SLOW=1` tries every call instead of a sample. Each defence is switched off once, and the same checks go red.
"""

import errno
import json
import os
import pathlib
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator

import pytest

from clipbuild.digest import of_bytes
from clipbuild.engine.store import DAY, HOUR, Store
from tests.bench import workspace
from tests.support.rehearsal import Stage

SLOW = bool(int(os.environ.get("CLIPBUILD_SLOW", "0") or 0))
SEED = int(os.environ.get("CLIPBUILD_SEED") or random.randrange(1 << 32))
KILLS, ERRORS, CROWDS = 150, 300, 20
CODES = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EMFILE, errno.ENOMEM, errno.EACCES, errno.EROFS)
Tree = dict[str, bytes]


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """Where builds are rehearsed."""
    found = Stage()
    yield found
    found.close()


@pytest.fixture(scope="module")
def place() -> Iterator[pathlib.Path]:
    """A folder in memory where the machine has one: what is tested are calls, not a disk."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield pathlib.Path(folder)


def tree(root: pathlib.Path) -> Tree:
    """Every file that is visible in the output tree, but for the manifest, and no temporaries."""
    files = {str(p.relative_to(root)): p.read_bytes() for p in sorted((root / "dist").rglob("*")) if p.is_file()}
    return {name: data for name, data in files.items() if not name.endswith(".part")}


def copy(source: pathlib.Path, target: pathlib.Path) -> pathlib.Path:
    """A workspace of one's own, with the same times."""
    shutil.copytree(source, target, symlinks=True)
    return target


def edit(root: pathlib.Path) -> None:
    """A caption, a photo, a product less, and one renamed."""
    path = root / "catalog" / "part-0000.yaml"
    text = path.read_text().replace("Made for bench 0", "Made anew").replace("item-000001", "renamed")
    path.write_text(text.split("  - sku: item-000002")[0])
    (root / "photos" / "000" / "000001.png").write_bytes(workspace.photo(77))


class Scenes:
    """Workspaces before a step, and the tree that an undisturbed step ends with."""

    def __init__(self, stage: Stage, place: pathlib.Path) -> None:
        self.stage, self.place, self.copies = stage, place, 0
        cold = place / "cold"
        workspace.make(str(cold), 3, 1)
        stage.run("-C", str(cold), "plan")  # the tools were looked at before
        built = copy(cold, place / "built")
        assert stage.run("-C", str(built), "build").status == 0
        edited = copy(built, place / "edited")
        edit(edited)
        cut = copy(built, place / "emptied")
        (cut / "catalog" / "part-0000.yaml").write_text("products:\n" + workspace.entry(0))
        self.before = {"cold": cold, "rebuild": edited, "clean-up": cut}
        self.calls: dict[str, int] = {}
        self.ends: dict[str, Tree] = {}
        for name, root in self.before.items():
            clean = copy(root, place / f"clean-{name}")
            done = stage.run("-C", str(clean), "build")
            assert done.status == 0, done.err
            self.calls[name], self.ends[name] = done.calls, tree(clean)

    def root(self, name: str) -> pathlib.Path:
        """A copy of the workspace before the step."""
        self.copies += 1
        return copy(self.before[name], self.place / f"{name}-{self.copies}")

    def points(self, count: int) -> list[tuple[str, int]]:
        """(step, call) of the calls where something is to happen: all, or a sample that is even over the steps."""
        chance = random.Random(SEED)
        found = []
        for name, calls in self.calls.items():
            every = range(1, calls + 1)
            found += [(name, at) for at in (every if SLOW else chance.sample(every, min(calls, count // len(self.calls))))]
        return found


@pytest.fixture(scope="module")
def scenes(stage: Stage, place: pathlib.Path) -> Scenes:
    """The steps: a cold build, a rebuild after edits, and one after most products left."""
    return Scenes(stage, place)


def check_visible(scenes: Scenes, name: str, root: pathlib.Path) -> None:
    """Whole or absent: what is seen is what was there before or what will be there after; blobs are what they are named."""
    before, after = tree(scenes.before[name]), scenes.ends[name]
    lines = {line.rstrip(b",") for data in (before, after) for line in data.get("dist/manifest.json", b"").split(b"\n")}
    for path, data in tree(root).items():
        if path == "dist/manifest.json":  # after a failure some clips are new and some are of before
            assert json.loads(data)["deliverables"] is not None
            assert {line.rstrip(b",") for line in data.split(b"\n")} <= lines
        else:
            assert data in (before.get(path), after.get(path)), f"{path} is torn"
    for blob in (root / ".clipbuild" / "store").glob("??/*"):
        if len(blob.name) == 64:
            assert of_bytes(blob.read_bytes()) == blob.name, f"{blob.name} is torn"


def check_ends_right(scenes: Scenes, name: str, root: pathlib.Path, *, twice: bool = True) -> None:
    """The next build ends as an undisturbed one, nothing is left over, and the one after (`twice`) has nothing to do."""
    again = scenes.stage.run("-C", str(root), "build", "--json")
    assert again.status == 0, again.err
    assert tree(root) == scenes.ends[name]
    if twice:
        third = scenes.stage.run("-C", str(root), "build", "--json")
        assert third.calls == 0, "the snapshot answers"
        assert third.report["ran"] == []
    assert not list((root / "dist").rglob(".clipbuild-*")), "temporaries are left in the tree"
    assert not [p for p in (root / ".clipbuild").rglob("*.part") if p.parent.name != "tmp"]


def gone(root: pathlib.Path) -> None:
    shutil.rmtree(root, ignore_errors=True)


def kill_everywhere(scenes: Scenes, points: list[tuple[str, int]], lie: str = "") -> int:
    """Kill at each point, look, build again; how many were really killed."""
    killed = 0
    for name, at in points:
        root = scenes.root(name)
        done = scenes.stage.run("-C", str(root), "build", kill=at, lie=lie)
        killed += done.status == -signal.SIGKILL
        check_visible(scenes, name, root)
        if at % 8 == 0:
            found = scenes.stage.run("-C", str(root), "verify")
            assert found.status == 0, found.out
        check_ends_right(scenes, name, root)
        gone(root)
    return killed


def test_a_kill_at_any_call_is_survived(scenes: Scenes) -> None:
    """Cold build, rebuild and shrinking, killed at calls of the disk: visible files are old or new, `verify` is clean, and the
    next build ends with the tree of an undisturbed one."""
    points = scenes.points(KILLS)
    assert kill_everywhere(scenes, points) >= len(points) * 0.9, f"seed {SEED}"


def test_without_renaming_a_kill_is_noticed(scenes: Scenes) -> None:
    """The check has teeth: on a disk that writes in place instead of renaming, the same kills leave torn files."""
    with pytest.raises(AssertionError):
        kill_everywhere(scenes, [("cold", at) for at in range(scenes.calls["cold"] // 3, 2000, 3)], lie="torn")


def test_without_the_note_of_what_is_being_placed_a_kill_leaves_strays(scenes: Scenes) -> None:
    """The check has teeth: forget that note, and files that a killed build had placed stay where no clean build has them."""
    for back in range(8, 400, 4):
        root = scenes.root("cold")
        done = scenes.stage.run("-C", str(root), "build", kill=scenes.calls["cold"] - back)
        if done.status == -signal.SIGKILL and tree(root) and "dist/manifest.json" not in tree(root):
            break
    (root / "catalog" / "part-0000.yaml").write_text("products:\n" + workspace.entry(9))
    (root / "photos" / "000" / "000009.png").write_bytes(workspace.photo(9))
    other = copy(root, scenes.place / "without-note")
    os.unlink(other / ".clipbuild" / "placing.final")
    for place, clean in ((root, True), (other, False)):
        assert scenes.stage.run("-C", str(place), "build").status == 0
        assert all("item-000009" in path or "manifest" in path for path in tree(place)) == clean


def test_an_error_of_any_call_is_an_error_or_harmless(scenes: Scenes) -> None:
    """Full disk, bad disk, no memory, no permission at calls of the disk: never a success that is none, never a traceback, and
    the next build mends all."""
    chance = random.Random(SEED + 1)
    for name, at in scenes.points(ERRORS):
        root = scenes.root(name)
        code = chance.choice(CODES)
        done = scenes.stage.run("-C", str(root), "build", "--json", fail=at, error=code)
        told = f"seed {SEED}: {name}, call {at}, {os.strerror(code)}: {done}"
        assert done.status in (0, 1, 2, 3, 5), told
        assert "Traceback" not in done.err, told
        check_visible(scenes, name, root)
        if done.status == 0:
            assert tree(root) == scenes.ends[name], told
        if at % 2 or SLOW:
            check_ends_right(scenes, name, root, twice=at % 8 == 1)
        gone(root)


def test_a_killed_clean_up_removes_nothing_that_is_needed(scenes: Scenes) -> None:
    """`gc --remove`, two days later and killed at any call: what the tree and the plan need is there after, the rest goes in
    the end, and no build is the worse for it."""
    start = scenes.root("rebuild")
    assert scenes.stage.run("-C", str(start), "build").status == 0
    blobs = {p.name for p in (start / ".clipbuild" / "store").glob("??/*")}
    undisturbed = copy(start, scenes.place / "swept")
    done = scenes.stage.run("-C", str(undisturbed), "gc", "--remove", "--json", later=2 * 86400)
    removed = set(done.report["removed"])
    assert removed, "the edits left something that nobody needs"
    for at in range(1, done.calls + 1, 1 if SLOW else max(1, done.calls // 12)):
        root = copy(start, scenes.place / f"gc-{at}")
        scenes.stage.run("-C", str(root), "gc", "--remove", kill=at, later=2 * 86400)
        left = {p.name for p in (root / ".clipbuild" / "store").glob("??/*")}
        assert blobs - left <= removed
        check_ends_right(scenes, "rebuild", root)
        gone(root)


@pytest.mark.parametrize("shared", [False, True], ids=["one workspace", "one store"])
def test_builds_at_once(scenes: Scenes, shared: bool) -> None:
    """2 to 16 builds in one workspace, or of as many workspaces with one store, some killed: the rest end well, and all
    ends right."""
    chance = random.Random(SEED + 2)
    for number in range((500 if SLOW else CROWDS) // 2):
        count = chance.choice([2, 3, 4, 16 if number % 5 == 0 else 6])
        name = chance.choice(["cold", "rebuild"])
        roots = [scenes.root(name) for n in range(count if shared else 1)]
        store = str(scenes.place / f"store-{number}") if shared else ""
        faults = [{"kill": chance.randrange(1, scenes.calls[name])} if n % 3 == 2 else {} for n in range(count)]
        crowd = [
            scenes.stage.start("-C", str(roots[n % len(roots)]), "build", store=store, **fault)
            for n, fault in enumerate(faults)
        ]
        ends = [scenes.stage.wait(pid) for pid in crowd]
        told = f"seed {SEED}, round {number}: {[(e.status, e.err) for e in ends]}"
        assert all(end.status == 0 or fault for end, fault in zip(ends, faults, strict=True)), told
        for root in roots:
            check_visible(scenes, name, root)
            assert scenes.stage.run("-C", str(root), "build", store=store).status == 0
            assert tree(root) == scenes.ends[name], told
            gone(root)


def frozen(scenes: Scenes, root: pathlib.Path, at: int = 0, **how: str) -> int:
    """A build that was stopped in the middle."""
    sleeper = scenes.stage.start("-C", str(root), "build", freeze=at or scenes.calls["rebuild"] // 2, **how)
    state = pathlib.Path(f"/proc/{sleeper}/stat")
    while (now := state.read_text().rsplit(")", 1)[1].split()[0]) != "T":
        assert now != "Z", "it ended before it came so far"
        time.sleep(0.005)
    return sleeper


def wake(scenes: Scenes, sleeper: int) -> int:
    """Let it go on to its end; its status."""
    os.kill(sleeper, signal.SIGCONT)
    return scenes.stage.wait(sleeper).status


def test_without_locks_nobody_waits(scenes: Scenes) -> None:
    """The check has teeth: where locks are given to anybody, a second build does not wait for the frozen one."""
    root = scenes.root("rebuild")
    sleeper = frozen(scenes, root)
    assert scenes.stage.run("-C", str(root), "build", lie="unlocked").status == 0, "it did not wait"
    wake(scenes, sleeper)


def test_a_clean_up_lets_other_workspaces_of_its_store_live(scenes: Scenes) -> None:
    """Two workspaces, one store. While the other builds nothing is removed, nor what is of the last day, nor what was
    bought; later its free blobs may go, and its next build ends as ever. Without locks the check goes red."""
    folder = pathlib.Path(tempfile.mkdtemp(dir=scenes.place))
    store = str(folder / "store")
    mine, other = scenes.root("rebuild"), scenes.root("rebuild")
    (other / "catalog/part-0000.yaml").write_text((other / "catalog/part-0000.yaml").read_text().replace("Made anew", "Other"))
    for root in (mine, other):
        assert scenes.stage.run("-C", str(root), "build", store=store).status == 0
    there, theirs = blobs(store), tree(other)
    bought = Store(store).add_bytes(b"bought by the other", precious=True)
    assert scenes.stage.run("-C", str(mine), "gc", "--remove", "--json", store=store).report["removed"] == []
    (other / "catalog/part-0000.yaml").write_text((other / "catalog/part-0000.yaml").read_text().replace("Other", "Again"))
    rehearsed = copy(other, folder / "rehearsed")
    calls = scenes.stage.run("-C", str(rehearsed), "build", store=str(copy(pathlib.Path(store), folder / "store-3"))).calls
    sleeper = frozen(scenes, other, calls // 2, store=store)
    told = scenes.stage.run("-C", str(mine), "gc", "--remove", store=store, later=2 * 86400)
    assert (told.status, "in use" in told.err) == (2, True), told
    assert there | {bought} <= blobs(store)
    assert scenes.stage.run("-C", str(mine), "gc", "--remove", store=store, later=2 * 86400, lie="unlocked").status == 0
    assert not there <= blobs(store), "without locks a running build loses what it works with"
    wake(scenes, sleeper)
    assert scenes.stage.run("-C", str(other), "build", store=store).status == 0
    after = tree(other)
    assert after.keys() == theirs.keys()
    assert after != theirs
    done = scenes.stage.run("-C", str(mine), "gc", "--remove", "--json", store=store, later=2 * 86400)
    assert done.report["removed"], "free blobs of the other"
    assert bought in blobs(store)
    for root in (mine, other):
        (root / ".clipbuild" / "snapshot.").unlink()
        assert scenes.stage.run("-C", str(root), "build", store=store).status == 0
    assert (tree(mine), tree(other)) == (scenes.ends["rebuild"], after)


@pytest.mark.parametrize("lie", ["", "unused"])
def test_what_another_workspace_used_of_late_is_left(scenes: Scenes, lie: str) -> None:
    """Two workspaces, one store. The other one judges all of it anew a day later: what it asked for counts as used from then
    on, and a clean-up here takes none of it. A store that does not note what is used loses it."""
    store = str(pathlib.Path(tempfile.mkdtemp(dir=scenes.place)) / "store")
    mine, other = scenes.root("rebuild"), scenes.root("rebuild")
    (other / "catalog/part-0000.yaml").write_text((other / "catalog/part-0000.yaml").read_text().replace("Made anew", "Other"))
    for root in (mine, other):
        assert scenes.stage.run("-C", str(root), "build", store=store).status == 0
    time.sleep(0.6)
    between = time.time() - 0.3

    def judged() -> list[str]:
        (other / ".clipbuild" / "snapshot.").unlink()
        built = scenes.stage.run("-C", str(other), "build", "--json", store=store, later=2 * 3600, lie=lie)
        assert built.status == 0, built.err
        return list(built.report["ran"])

    assert judged() == []
    later = DAY + HOUR - (time.time() - between)
    done = scenes.stage.run("-C", str(mine), "gc", "--remove", "--json", store=store, later=later)
    assert (judged() == []) == (not lie), done


def blobs(store: str) -> set[str]:
    """The names of all blobs."""
    return {path.name for path in pathlib.Path(store).glob("??/*") if len(path.name) == 64}


def test_a_frozen_holder_does_no_harm(scenes: Scenes) -> None:
    """A build that is stopped in the middle holds the workspace; when it wakes both end well."""
    root = scenes.root("rebuild")
    sleeper = frozen(scenes, root)
    other = scenes.stage.start("-C", str(root), "build")
    time.sleep(0.2)
    assert other in scenes.stage.ask(do="alive", pids=[other]), "it waits"
    assert [wake(scenes, sleeper), scenes.stage.wait(other).status] == [0, 0]
    assert tree(root) == scenes.ends["rebuild"]


@pytest.mark.parametrize("jump", [-365 * 86400, 365 * 86400])
def test_a_clock_that_jumps_changes_nothing(scenes: Scenes, jump: int) -> None:
    """A year back or ahead between builds: an edit is noticed, no edit is none, nothing is made twice."""
    root = scenes.root("rebuild")
    assert scenes.stage.run("-C", str(root), "build", later=jump).status == 0
    assert tree(root) == scenes.ends["rebuild"]
    assert scenes.stage.run("-C", str(root), "build").calls == 0


def test_a_torn_or_lost_state_is_only_slower(scenes: Scenes) -> None:
    """Cut, overwritten, emptied, of another kind or gone: the same tree, and nothing but a warning."""
    chance = random.Random(SEED + 3)
    for how in ("gone", "empty", "garbage", "cut", "flip", "folder"):
        root = scenes.root("rebuild")
        path = root / ".clipbuild" / "state.db"
        data = path.read_bytes()
        for side in ("-wal", "-shm"):
            path.with_name(path.name + side).unlink(missing_ok=True)
        path.unlink()
        if how == "folder":
            path.mkdir()
        elif how != "gone":
            flipped = bytearray(data)
            for _ in range(40):
                flipped[chance.randrange(len(data))] ^= 255
            shapes = {"empty": b"", "garbage": chance.randbytes(5000), "cut": data[: len(data) // 2], "flip": bytes(flipped)}
            path.write_bytes(shapes[how])
        done = scenes.stage.run("-C", str(root), "build")
        assert done.status == 0, (how, done.err)
        assert tree(root) == scenes.ends["rebuild"], f"seed {SEED}: {how}"


def damage(path: pathlib.Path, chance: random.Random) -> None:
    """Flip a bit, cut, empty or remove."""
    data = bytearray(path.read_bytes())
    source = not data.isascii()  # nobody but the plan knows that the blob of a photo or a font should be there
    how = chance.choice(["flip", "cut", "empty", *([] if source else ["remove"])])
    path.chmod(0o644)
    path.unlink()
    if how == "flip":
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    if how != "remove":
        path.write_bytes(data if how == "flip" else data[: chance.randrange(len(data))] if how == "cut" else b"")


def test_verify_finds_every_damage_and_no_other(scenes: Scenes) -> None:
    """200 damages in store and tree: every one is named, nothing else is, and a build puts right what is visible."""
    chance = random.Random(SEED + 4)
    left, number = 10_000 if SLOW else 200, 0
    while left > 0:
        number += 1
        root = scenes.root("rebuild")
        assert scenes.stage.run("-C", str(root), "build").status == 0
        assert scenes.stage.run("-C", str(root), "verify").status == 0, "no false alarm"
        shown = [p for p in sorted((root / "dist").rglob("*")) if p.is_file() and p.name != "manifest.json"]
        blobs = [p for p in sorted((root / ".clipbuild" / "store").glob("??/*")) if len(p.name) == 64]
        files, kept = chance.sample(shown, 15), chance.sample(blobs, 10)
        for path in (*files, *kept):
            damage(path, chance)
        found = scenes.stage.run("-C", str(root), "verify", "--json")
        assert found.status == 5
        assert {row["path"] for row in found.report["outputs"]} == {str(p.relative_to(root / "dist")) for p in files}
        assert {row["blob"] for row in found.report["damaged"]} == {p.name for p in kept}, f"seed {SEED}"
        left -= len(files) + len(kept)
        assert scenes.stage.run("-C", str(root), "build").status == 0
        assert tree(root) == scenes.ends["rebuild"]
        gone(root)
