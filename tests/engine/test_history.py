"""Any history ends where a clean build ends: edits, deletions, damage, kills and lost state, in any order."""

import os
import random
import shutil
import tempfile
import time
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.support import toy
from tests.support.disks import Interruptible, Killed
from tests.support.toy import Toy

SLOW = bool(os.environ.get("CLIPBUILD_SLOW"))
CLIPS, PHOTOS, CAPTIONS = "abc", "xyz", ("now", "soon", "late")


def project(root: Path) -> str:
    """Three clips of three photos."""
    (root / "photos").mkdir(parents=True)
    for photo in PHOTOS:
        (root / "photos" / photo).write_text(f"{photo} first")
    (root / "catalog.txt").write_text("".join(f"{c} {p} now\n" for c, p in zip(CLIPS, PHOTOS, strict=True)))
    return str(root)


def whole(root: str) -> None:
    """Every file of the tree is one that some clean build could have made: nothing half, nothing mixed."""
    for name, data in toy.tree(root).items():
        assert data.startswith(b"render of checked "), (name, data)


def paid(root: str) -> list[str]:
    with open(os.path.join(root, "bought.txt")) as file:
        return file.read().split()


class History(RuleBasedStateMachine):
    """One workspace over time."""

    @initialize()
    def begin(self):
        self.folder = tempfile.mkdtemp()
        self.root = project(Path(self.folder) / "w")
        self.excused = self.harmed = False

    def teardown(self):
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, *parts: str) -> str:
        return os.path.join(self.root, *parts)

    def blobs(self) -> list[str]:
        store = self.path(".clipbuild", "store")
        folders = [f for f in os.listdir(store) if len(f) == 2] if os.path.isdir(store) else []
        return sorted(os.path.join(store, f, blob) for f in folders for blob in os.listdir(os.path.join(store, f)))

    @rule(photo=st.sampled_from(PHOTOS), text=st.sampled_from(["first", "other", "x first"]))
    def edit_photo(self, photo, text):
        with open(self.path("photos", photo), "w") as file:
            file.write(f"{photo} {text}")

    @rule(photo=st.sampled_from(PHOTOS))
    def touch_photo(self, photo):
        os.utime(self.path("photos", photo))

    @rule(rows=st.dictionaries(st.sampled_from(CLIPS), st.tuples(st.sampled_from(PHOTOS), st.sampled_from(CAPTIONS))))
    def edit_catalog(self, rows):
        with open(self.path("catalog.txt"), "w") as file:
            file.write("".join(f"{name} {photo} {caption}\n" for name, (photo, caption) in rows.items()))

    @rule(name=st.sampled_from(CLIPS), how=st.sampled_from(["delete", "edit", "link", "stranger"]))
    @precondition(lambda self: os.path.isdir(self.path("dist")))
    def harm_output(self, name, how):
        self.harmed = True
        path = self.path("dist", f"{name}.txt")
        if how == "stranger" or not os.path.exists(path):
            path = self.path("dist", f".clipbuild-{'0' * 16}.part")
        if os.path.lexists(path):
            os.remove(path)  # an editor replaces the file; the blob it shared bytes with stays
        if how == "link":
            os.symlink("/dev/null", path)
        elif how != "delete":
            with open(path, "w") as file:
                file.write("edited by hand")

    @rule(number=st.integers(0, 20), how=st.sampled_from(["delete", "flip", "cut", "empty"]))
    def harm_blob(self, number, how):
        blobs = self.blobs()
        if not blobs:
            return
        path = blobs[number % len(blobs)]
        self.harmed = True  # outputs share bytes with free blobs
        self.excused |= os.path.exists(self.path(".clipbuild", "store", "precious", os.path.basename(path)))
        with open(path, "rb") as file:
            data = bytearray(file.read())
        os.remove(path) if how == "delete" else os.chmod(path, 0o644)
        if how == "flip" and data:
            data[0] ^= 1
        if how != "delete":
            with open(path, "wb") as file:
                file.write(data[:-1] if how == "cut" else b"" if how == "empty" else data)

    @rule(how=st.sampled_from(["delete", "garbage", "cut"]))
    def harm_state(self, how):
        path = self.path(".clipbuild", "state.db")
        if not os.path.exists(path):
            return
        for suffix in ("-wal", "-shm"):
            if os.path.exists(path + suffix):
                os.remove(path + suffix)
        if how == "delete":
            os.remove(path)
        else:
            with open(path, "r+b") as file:
                file.truncate(random.Random(1).randrange(5000)) if how == "cut" else file.write(os.urandom(2000))

    @rule(how=st.sampled_from(["delete", "garbage"]))
    def harm_snapshot(self, how):
        path = self.path(".clipbuild", "snapshot")
        if os.path.exists(path):
            os.remove(path) if how == "delete" else open(path, "wb").write(b"garbage")  # noqa: SIM115

    @rule(at=st.integers(1, 150))
    def killed_build(self, at):
        before = paid(self.root) if os.path.exists(self.path("bought.txt")) else []
        try:
            Toy(self.root, disk=Interruptible(at)).build()
        except Killed:
            # Who is killed between buying and writing down has paid; the journal, not tested here, is what helps.
            self.excused |= len(paid(self.root) if os.path.exists(self.path("bought.txt")) else []) > len(before)
        if not self.harmed:
            whole(self.root)

    @rule()
    def build(self):
        first = Toy(self.root).build()
        self.harmed = False
        assert first.failed == {}
        assert toy.tree(self.root) == toy.expected(self.root)
        again = Toy(self.root).build()
        assert not again.ran, "a second build runs nothing"
        assert toy.tree(self.root) == toy.expected(self.root)
        if os.path.exists(self.path("bought.txt")) and not self.excused:
            assert len(set(paid(self.root))) == len(paid(self.root)), "nothing is bought twice"


TestHistory = History.TestCase
TestHistory.settings = settings(
    max_examples=3000 if SLOW else 40, stateful_step_count=40 if SLOW else 20, deadline=None
)


def test_a_second_build_does_nothing_at_all(tmp_path):
    """The snapshot answers: nothing is planned; after an edit one clip's actions run, and cutoff stops there."""
    root = project(tmp_path / "w")
    assert len(Toy(root).build().ran) == 9
    time.sleep(0.02)
    assert Toy(root).build().ran in (None, [])
    assert Toy(root).build().ran is None
    (Path(root) / "photos" / "x").write_text("x second")
    assert Toy(root).build().ran == ["a/image", "a/check"]
    assert toy.tree(root) == toy.expected(root)


def test_a_flipped_blob_would_be_a_lie_without_the_look(tmp_path, monkeypatch):
    """The defence that `sound` is: switched off, damage reaches the tree; on, the tree is right."""
    from clipbuild.engine.store import Store

    def spoil(root):
        Toy(root).build()
        os.remove(os.path.join(root, "clipbuild.lock"))
        for folder, _, names in os.walk(os.path.join(root, ".clipbuild", "store")):
            for name in names:
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    data = file.read()
                if data.startswith(b"checked"):
                    os.chmod(path, 0o644)
                    Path(path).write_bytes(b"checked ?")
        text = (Path(root) / "catalog.txt").read_text().replace("now", "late")
        (Path(root) / "catalog.txt").write_text(text)

    good, bad = project(tmp_path / "good"), project(tmp_path / "bad")
    spoil(good)
    assert Toy(good).build().failed == {}
    assert toy.tree(good) == toy.expected(good)
    spoil(bad)
    monkeypatch.setattr(Store, "checked", lambda self, name: True)
    Toy(bad).build()
    assert toy.tree(bad) != toy.expected(bad)
