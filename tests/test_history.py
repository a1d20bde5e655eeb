"""Any history of whole builds ends where a clean build ends: edits, deletions, damage, kills, failures, partial wishes, two
builders, in any order. `CLIPBUILD_SLOW=1` runs 200 of 30 steps.
"""

import errno
import os
import pathlib
import random
import shutil
import tempfile

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.bench import workspace
from tests.support.rehearsal import Stage

SLOW = bool(int(os.environ.get("CLIPBUILD_SLOW", "0") or 0))
NUMBERS, PHOTOS = range(4), range(3)
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
STAGES: list[Stage] = []


def stage() -> Stage:
    """The one stage of this process."""
    if not STAGES:
        STAGES.append(Stage())
    return STAGES[0]


def teardown_module() -> None:
    for one in STAGES:
        one.close()
    STAGES.clear()


def product(number: int, photo: int, hook: str, name: str) -> str:
    """An entry of the catalog."""
    return f"""\
  - sku: p{number}{name}
    name: Product {number}
    photos: photos/{photo}.png
    hook: {hook}
    captions: [Made for {number}]
"""


def tree(root: str) -> dict[str, bytes]:
    """Every visible file of the output tree."""
    top = pathlib.Path(root, "dist")
    return {str(p.relative_to(top)): p.read_bytes() for p in sorted(top.rglob("*")) if p.is_file()}


class History(RuleBasedStateMachine):
    """One workspace over time."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.mkdtemp(dir=MEMORY)
        self.root, self.harmed, self.forgot = os.path.join(self.folder, "w"), False, False
        self.emptied = False
        workspace.make(self.root, 1, 1)
        for photo in PHOTOS:
            self.write(f"photos/{photo}.png", workspace.photo(photo))
        self.edit_catalog({0: (0, "One", ""), 1: (1, "Two", "")})

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder, ignore_errors=True)

    def write(self, path: str, data: bytes) -> None:
        target = pathlib.Path(self.root, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    def build(self, *args: str, **faults: int) -> int:
        return stage().run("-C", self.root, "build", *args, **faults).status

    @rule(rows=st.dictionaries(
        st.sampled_from(NUMBERS),
        st.tuples(st.sampled_from(PHOTOS), st.sampled_from(["One", "Two"]), st.sampled_from(["", "-b"])), min_size=1,
    ))  # fmt: skip
    def edit_catalog(self, rows: dict[int, tuple[int, str, str]]) -> None:
        halves = ["products:\n", "products:\n"]
        for number, row in sorted(rows.items()):
            halves[number % 2] += product(number, *row)
        for half, text in enumerate(halves):
            path = pathlib.Path(self.root, f"catalog/part-{half:04d}.yaml")
            if text == "products:\n":
                path.unlink(missing_ok=True)
            else:
                self.write(f"catalog/part-{half:04d}.yaml", text.encode())

    @rule(photo=st.sampled_from(PHOTOS), colour=st.integers(0, 5))
    def edit_photo(self, photo: int, colour: int) -> None:
        self.write(f"photos/{photo}.png", workspace.photo(colour))

    @rule(old=st.sampled_from(["duration: 5", "duration: 6"]), new=st.sampled_from(["duration: 5", "duration: 6"]))
    def edit_project(self, old: str, new: str) -> None:
        path = pathlib.Path(self.root, "clipbuild.yaml")
        self.write("clipbuild.yaml", path.read_text().replace(old, new).encode())

    @rule()
    def touch_all(self) -> None:
        for path in pathlib.Path(self.root).glob("*/*"):
            if ".clipbuild" not in path.parts and path.is_file() and "dist" not in path.parts:
                os.utime(path)

    @rule(seed=st.integers(0, 1000), how=st.sampled_from(["delete", "edit", "link", "part"]))
    @precondition(lambda self: os.path.isdir(os.path.join(self.root, "dist")))
    def harm_output(self, seed: int, how: str) -> None:
        files = [path for path in sorted(pathlib.Path(self.root, "dist").rglob("*")) if path.is_file()]
        if not files:
            return
        path = random.Random(seed).choice(files)
        path.unlink()
        if how == "edit":
            path.write_bytes(b"edited by hand")
        elif how == "link":
            path.symlink_to("/dev/null")

    @rule(seed=st.integers(0, 1000), how=st.sampled_from(["delete", "flip", "cut"]))
    def harm_blob(self, seed: int, how: str) -> None:
        blobs = sorted(pathlib.Path(self.root, ".clipbuild", "store").glob("??/*"))
        if not blobs:
            return
        path = random.Random(seed).choice(blobs)
        data, self.harmed = bytearray(path.read_bytes()), True
        path.chmod(0o644)
        if how == "delete":
            path.unlink()
        elif data:
            data[0] ^= 1
            path.write_bytes(data if how == "flip" else data[:-1])  # outputs share the bytes: they are damaged too

    @rule(how=st.sampled_from(["delete", "garbage"]), what=st.sampled_from(["state.db", "snapshot.", "placing.final"]))
    def harm_state(self, how: str, what: str) -> None:
        path = pathlib.Path(self.root, ".clipbuild", what)
        if what == "placing.final" or not path.exists():
            return
        self.forgot = True
        self.emptied |= what == "state.db"  # what keys gave is forgotten until something is judged anew
        for side in ("-wal", "-shm"):
            path.with_name(path.name + side).unlink(missing_ok=True)
        path.unlink() if how == "delete" else path.write_bytes(b"garbage" * 300)

    @rule(at=st.integers(1, 900))
    def killed_build(self, at: int) -> None:
        self.build(kill=at)

    @rule(at=st.integers(1, 900), error=st.sampled_from([errno.ENOSPC, errno.EIO]))
    def failing_build(self, at: int, error: int) -> None:
        self.build(fail=at, error=error)
        if SLOW:
            self.build_to_the_end()

    @rule(number=st.sampled_from(NUMBERS))
    def partial_build(self, number: int) -> None:
        self.build(f"p{number}*")

    @rule()
    def other_platform(self) -> None:
        self.build("--platform", "reels")

    @rule(at=st.integers(1, 900))
    def two_builders(self, at: int) -> None:
        one, two = stage().start("-C", self.root, "build", kill=at), stage().start("-C", self.root, "build")
        stage().wait(one)
        stage().wait(two)

    @rule(days=st.sampled_from([0, 2, 400]))
    def clean_up(self, days: int) -> None:
        """What the tree and the plan need is not removed: judged anew, nothing is made again."""
        self.build_to_the_end()
        self.cleaned_up(days)

    def cleaned_up(self, days: int, lie: str = "") -> None:
        assert stage().run("-C", self.root, "gc", "--remove", later=days * 86400, lie=lie).status == 0
        pathlib.Path(self.root, ".clipbuild", "snapshot.").unlink()
        again = stage().run("-C", self.root, "build", "--json")
        assert again.status == 0, again.err
        assert self.harmed or self.emptied or again.report["ran"] == []
        self.emptied = False

    def build_to_the_end(self) -> None:
        """Where state and manifest are both gone, an edited output is a stranger's: its owner moves it away."""
        ended = stage().run("-C", self.root, "build")
        while self.forgot and "did not make is in the way" in ended.err:
            os.unlink(os.path.join(self.root, ended.err.split(": ")[1]))
            ended = stage().run("-C", self.root, "build")
        assert ended.status == 0, ended.err
        self.forgot = False

    @rule()
    def whole_build(self) -> None:
        self.build_to_the_end()
        clean = os.path.join(self.folder, "clean")
        shutil.copytree(self.root, clean, ignore=lambda folder, names: {".clipbuild", "dist"} & set(names))
        assert stage().run("-C", clean, "build").status == 0
        assert tree(self.root) == tree(clean)
        shutil.rmtree(clean)
        again = stage().run("-C", self.root, "build", "--json")
        assert (again.status, again.report["ran"], again.report["written"]) == (0, [], [])
        assert again.calls == 0, "the snapshot answers"
        found = stage().run("-C", self.root, "verify", "--json")
        assert found.report["outputs"] == []
        assert self.harmed or found.report["damaged"] == [], "what was harmed and is not needed is told, nothing else"


TestHistory = History.TestCase
TestHistory.settings = settings(
    max_examples=200 if SLOW else 15, stateful_step_count=30 if SLOW else 12, deadline=None,
    phases=list(Phase) if SLOW else [Phase.explicit, Phase.reuse, Phase.generate],
)  # fmt: skip


def test_a_damaged_file_of_a_part_is_seen_by_the_whole() -> None:
    """After `build p0` a file of the tree is damaged together with the blob it shares its bytes with: the next whole build,
    which has nothing to compare with, mends both. (Found by a long run.)"""
    history = History()
    history.begin()
    try:
        history.partial_build(number=0)
        history.harm_blob(how="flip", seed=653)
        history.whole_build()
    finally:
        history.teardown()


def test_a_clean_up_that_asks_nobody_is_noticed() -> None:
    """The check has teeth: forget what tree and plan need, and the next build has to make things again."""
    history = History()
    history.begin()
    try:
        history.build_to_the_end()
        history.cleaned_up(2)
        with pytest.raises(AssertionError):
            history.cleaned_up(2, lie="greedy")
    finally:
        history.teardown()
