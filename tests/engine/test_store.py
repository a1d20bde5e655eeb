"""The store: whole blobs by digest, bought ones kept whatever happens, damage found and kept for a person."""

import errno
import os
import random
import stat
import threading
import time
from contextlib import nullcontext

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from clipbuild import digest
from clipbuild.engine.disk import Os
from clipbuild.engine.premises import FORMAT
from clipbuild.engine.store import DAY, HOUR, Store
from clipbuild.errors import IntegrityError, UsageError
from tests.support.disks import ERRORS, Closing, Crumbs, Interruptible, Killed

SLOW = bool(os.environ.get("CLIPBUILD_SLOW"))
LATER = DAY * 3


class CopyOnly(Os):
    """A disk that shares no blocks."""

    clone = staticmethod(lambda source, target: False)


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(str(tmp_path / "store"))


def read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def spoil(store: Store, name: digest.Digest, how: str = "flip") -> None:
    """Damage a blob behind the store's back."""
    path = store._place(name)
    os.chmod(path, 0o644)
    data = bytearray(read(path))
    if how == "delete":
        os.remove(path)
        return
    if how == "flip":
        data[len(data) // 2] ^= 1
    elif how == "cut":
        del data[-1:]
    elif how == "empty":
        data = bytearray()
    elif how == "longer":
        data += b"\0"
    with open(path, "wb") as file:
        file.write(data)


@pytest.mark.parametrize("disk", [Os(), CopyOnly(), Crumbs()], ids=["clone", "copy", "crumbs"])
def test_what_goes_in_comes_out(tmp_path, disk):
    """Bytes and files are found by their digest, read-only, in private folders."""
    store = Store(str(tmp_path / "store"), disk=disk)
    source = tmp_path / "photo.jpg"
    source.write_bytes(b"photo" * 100)
    one, two = store.add_bytes(b"text"), store.add_file(str(source))
    assert (one, two) == (digest.of_bytes(b"text"), digest.of_bytes(b"photo" * 100))
    assert read(store.path(one)) == b"text"
    assert read(store.path(two)) == b"photo" * 100
    assert (store.size(one), store.size(two)) == (4, 500)
    assert stat.S_IMODE(os.stat(store.path(one)).st_mode) == 0o444
    assert stat.S_IMODE(os.stat(os.path.dirname(store.path(one))).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(store.root).st_mode) == 0o700
    assert set(store.blobs()) == {one, two}
    assert os.listdir(os.path.join(store.root, "tmp")) == []


def test_an_absent_blob_is_a_key_error(store):
    """No path and no size for what is not there, also before anything was ever stored."""
    missing = digest.of_bytes(b"missing")
    assert not store.has(missing)
    for ask in (store.path, store.size):
        with pytest.raises(KeyError):
            ask(missing)
    assert list(store.verify()) == []
    assert not os.path.exists(store.root), "asking makes nothing"


def test_the_empty_blob_is_a_blob(store):
    """Nothing is also content."""
    assert store.size(store.add_bytes(b"")) == 0


def test_a_file_that_is_not_what_was_expected_is_refused(store, tmp_path):
    """A photo that changed between hash and use is an integrity error, and nothing is kept."""
    (tmp_path / "a").write_bytes(b"after")
    with pytest.raises(IntegrityError, match="not the bytes"):
        store.add_file(str(tmp_path / "a"), expect=digest.of_bytes(b"before"))
    assert list(store.blobs()) == []
    assert os.listdir(os.path.join(store.root, "tmp")) == []


@pytest.mark.parametrize("disk", [Os(), CopyOnly()], ids=["clone", "copy"])
def test_bytes_hashed_are_bytes_kept_while_a_writer_rewrites(tmp_path, disk):
    """A file rewritten all the time: whatever was caught, the blob is what its name says."""
    store, path, stop = Store(str(tmp_path / "store"), disk=disk), str(tmp_path / "a"), threading.Event()
    with open(path, "wb") as file:
        file.write(b"0" * 300_000)

    def rewrite():
        while not stop.is_set():
            with open(path, "r+b") as file:
                file.write(random.choice(b"0123456789").to_bytes(1, "little") * 300_000)

    thread = threading.Thread(target=rewrite)
    thread.start()
    try:
        names = [store.add_file(path) for _ in range(100)]
    finally:
        stop.set()
        thread.join()
    assert list(Store(store.root).verify(names)) == []


@pytest.mark.parametrize("precious", [False, True])
@pytest.mark.parametrize("error", ERRORS[:4:3])
def test_any_failing_call_keeps_nothing_half(tmp_path, precious, error):
    """The ladder: call N fails. Either the blob is there whole and said to be, or the call failed; no temporary and
    no descriptor stays open; the next try works."""
    source = str(tmp_path / "a")
    with open(source, "wb") as file:
        file.write(b"bytes" * 1000)
    for at in range(1, 200):
        root = str(tmp_path / f"store{at}")
        disk = Closing(at, error)
        before = len(os.listdir("/proc/self/fd"))
        store = Store(root, disk=disk)
        try:
            name = store.add_file(source, precious=precious)
        except OSError:
            assert disk.failed
            name = None
        assert len(os.listdir("/proc/self/fd")) == before
        fresh = Store(root)
        assert list(fresh.verify(list(fresh.blobs()))) == []
        if name is not None:
            assert read(fresh.path(name)) == b"bytes" * 1000
            assert fresh.is_precious(name) == precious
        assert fresh.add_file(source, precious=precious) == digest.of_bytes(b"bytes" * 1000)
        assert disk.failed == "unlink" or os.listdir(os.path.join(root, "tmp")) == []
        if not disk.failed:
            break
    assert at > 15


@pytest.mark.parametrize("precious", [False, True])
def test_a_kill_at_any_call_leaves_whole_blobs_only(tmp_path, precious):
    """After a kill at call N every visible blob is whole, a visible bought one is listed as bought, and the next
    run goes on."""
    for at in range(1, 200):
        root = str(tmp_path / f"store{at}")
        try:
            Store(root, disk=Interruptible(at)).add_bytes(b"bytes" * 1000, precious=precious)
        except Killed:
            store = Store(root)
            for name in store.blobs():
                assert read(store.path(name)) == b"bytes" * 1000
                assert store.is_precious(name) == precious
            assert store.add_bytes(b"bytes" * 1000, precious) in set(store.blobs())
            continue
        break
    assert at > 10


def test_adding_again_mends_a_damaged_blob(store):
    """The same content over a flipped blob: the good bytes win."""
    name = store.add_bytes(b"content")
    spoil(store, name)
    assert Store(store.root).add_bytes(b"content") == name
    assert read(store.path(name)) == b"content"


@pytest.mark.parametrize("how", ["flip", "cut", "empty", "longer"])
def test_damage_is_found_and_quarantined(store, how):
    """A flipped, cut, emptied or longer blob is named, moved aside for a person, and no longer there for a build."""
    good, bad, bought = store.add_bytes(b"good"), store.add_bytes(b"bad one"), store.add_bytes(b"paid", precious=True)
    spoil(store, bad, how)
    spoil(store, bought, how)
    fresh = Store(store.root)
    found = {damage.digest: damage for damage in fresh.verify()}
    assert set(found) == {bad, bought}
    assert found[bad].kind == "changed"
    assert (found[bad].precious, found[bought].precious) == (False, True)
    assert os.path.exists(found[bought].quarantine)
    assert not fresh.has(bad)
    assert fresh.has(good)
    assert {damage.digest: damage.kind for damage in fresh.verify()} == {bought: "missing"}
    assert fresh.add_bytes(b"paid", precious=True) == bought
    assert list(fresh.verify()) == []


def test_missing_blobs_are_found(store):
    """Asked for by name, or bought and gone: missing."""
    bought, free = store.add_bytes(b"paid", precious=True), store.add_bytes(b"free")
    spoil(store, bought, "delete")
    spoil(store, free, "delete")
    assert {d.digest: d.kind for d in Store(store.root).verify()} == {bought: "missing"}
    assert {d.digest: d.kind for d in Store(store.root).verify([free, bought])} == {
        free: "missing",
        bought: "missing",
    }


def test_things_that_are_no_files_are_unreadable(store):
    """A folder, a link or a FIFO under a blob's name is quarantined without a hang."""
    names = [store.add_bytes(bytes([n])) for n in range(3)]
    for name, make in zip(names, (os.mkdir, os.mkfifo, lambda p: os.symlink("/dev/zero", p)), strict=True):
        os.remove(store._place(name))
        make(store._place(name))
    assert {d.digest: d.kind for d in Store(store.root).verify()} == {
        names[0]: "unreadable",
        names[1]: "changed",
        names[2]: "unreadable",
    }
    assert list(Store(store.root).verify()) == []


def test_read_errors_are_damage_not_success(tmp_path):
    """A disk that can't read a blob back: unreadable, never sound."""
    name = Store(str(tmp_path / "s")).add_bytes(b"x")

    class Blind(Os):
        @staticmethod
        def read(fd, size):
            raise OSError(errno.EIO, "Input/output error")

    store = Store(str(tmp_path / "s"), disk=Blind())
    assert not store.sound(name)


def test_sound_reads_once_a_run(store):
    """What was kept or looked at in this run is not read again; a new run looks again."""
    name = store.add_bytes(b"x")
    assert store.checked(name)
    fresh = Store(store.root)
    assert not fresh.checked(name)
    assert fresh.sound(name)
    assert fresh.checked(name)


def test_placing_looks_at_the_bytes_and_never_shares_what_was_bought(tmp_path):
    """A free blob may share its bytes with an output, a bought one never; a damaged one is not placed."""
    root = str(tmp_path / "store")
    free, bought = Store(root).add_bytes(b"free"), Store(root).add_bytes(b"paid", precious=True)
    store = Store(root, disk=CopyOnly())
    assert store.place(free, str(tmp_path / "free")) == "link"
    assert store.place(bought, str(tmp_path / "paid")) == "copy"
    spoil(store, free)
    with pytest.raises(KeyError):
        Store(root).place(free, str(tmp_path / "again"))
    assert not os.path.exists(tmp_path / "again")


def test_a_disk_that_can_not_make_files_exclusively_is_refused(tmp_path):
    """Found by the probe before the first blob."""

    class Careless(Os):
        @staticmethod
        def open(path, flags, mode=0o600, *, dir_fd=None):
            return os.open(path, flags & ~os.O_EXCL, mode, dir_fd=dir_fd)

    with pytest.raises(UsageError, match="exclusively"):
        Store(str(tmp_path / "store"), disk=Careless()).add_bytes(b"x")


def test_random_damage_is_always_found_and_nothing_else(tmp_path):
    """Q10: each of so many damages is found, and no sound blob is accused."""
    chance, store = random.Random(int(os.environ.get("CLIPBUILD_SEED", "1"))), Store(str(tmp_path / "store"))
    names = [store.add_bytes(chance.randbytes(chance.randint(1, 3000))) for _ in range(300)]
    hurt = set(chance.sample(names, 200))
    for name in hurt:
        spoil(store, name, chance.choice(["flip", "cut", "empty", "longer"]))
    assert {damage.digest for damage in Store(store.root).verify()} == hurt


def test_clean_up_removes_only_what_nobody_needs(store):
    """Kept: what is asked for, what was bought, what is younger than a day. It says first what it would remove."""
    old, wanted, bought = store.add_bytes(b"old"), store.add_bytes(b"wanted"), store.add_bytes(b"b", precious=True)
    now = time.time()
    assert store.gc({wanted}, now=now, dry_run=False).blobs == ()
    dry = store.gc({wanted}, now=now + LATER, dry_run=True)
    assert dry.blobs == ((old, 3),)
    assert (dry.kept, dry.freed()) == (2, 3)
    assert store.has(old)
    assert store.gc({wanted}, now=now + LATER, dry_run=False) == dry
    assert not store.has(old)
    assert store.has(wanted)
    assert store.has(bought)


@pytest.mark.parametrize("building", [True, False])
def test_what_a_build_asks_for_counts_as_used(tmp_path, building):
    """For a day and an hour more; to ask without building, as `plan` does, is no use. Nothing else of the blob moves: the
    files of the tree that share its bytes are told by size, mtime and inode. (Where it is not noted the blob goes.)"""
    store = Store(str(tmp_path / "store"))
    used, left = store.add_bytes(b"used"), store.add_bytes(b"left")
    before = os.stat(store.path(used))
    time.sleep(0.05)
    began = time.time()
    later = Store(store.root, clock=lambda: time.time() + 2 * HOUR)
    with later.use() if building else nullcontext():
        assert later.has(used)
    after = os.stat(store.path(used))
    assert (after.st_mtime_ns, after.st_ino, after.st_mode, after.st_size) == (before.st_mtime_ns, before.st_ino, before.st_mode, 4)
    found = store.gc(set(), now=began + DAY + HOUR - 0.02, dry_run=False)
    assert {name for name, _ in found.blobs} == ({left} if building else {used, left})


def test_clean_up_takes_old_temporaries_and_leaves_young_ones(store):
    """A killed run's temporary goes after a day, a running one's stays."""
    store.add_bytes(b"x")
    left = os.path.join(store.root, "tmp", ".clipbuild-0.part")
    with open(left, "wb"):
        pass
    store.gc(set(), now=time.time(), dry_run=False)
    assert os.path.exists(left)
    store.gc(set(), now=time.time() + LATER, dry_run=False)
    assert not os.path.exists(left)


def test_clean_up_waits_for_no_build_and_harms_none(store):
    """While a build uses the store clean-up refuses; to say what it would remove is always allowed."""
    store.add_bytes(b"x")
    other = Store(store.root)
    with store.use():
        with pytest.raises(UsageError, match="in use"):
            other.gc(set(), now=time.time() + LATER, dry_run=False)
        assert len(other.gc(set(), now=time.time() + LATER, dry_run=True).blobs) == 1
        with other.use():
            pass
    assert len(other.gc(set(), now=time.time() + LATER, dry_run=False).blobs) == 1


def test_a_store_of_another_version_is_refused(store):
    """A newer format is named; nothing in it is touched."""
    store.add_bytes(b"x")
    path = os.path.join(store.root, "format")
    os.chmod(path, 0o644)
    for text in (f"clipbuild store {FORMAT + 1}\n", "", "something else"):
        with open(path, "w") as file:
            file.write(text)
        with pytest.raises(UsageError, match="another version"):
            Store(store.root)


def test_a_store_that_others_may_write_to_is_refused(store, tmp_path):
    """World- or group-writable, a link, or a file in its place: refused with the reason."""
    store.add_bytes(b"x")
    os.chmod(store.root, 0o777)
    with pytest.raises(UsageError, match="others may write"):
        Store(store.root)
    os.chmod(store.root, 0o770)
    with pytest.raises(UsageError, match="others may write"):
        Store(store.root)
    assert Store(store.root, shared=True).has(digest.of_bytes(b"x"))
    os.symlink(store.root, tmp_path / "link")
    with pytest.raises(UsageError, match="is a link"):
        Store(str(tmp_path / "link"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_another_users_store_is_refused(store):
    """Wrong owner: refused unless the store is shared by setting."""
    store.add_bytes(b"x")
    os.chown(store.root, 12345, -1)
    with pytest.raises(UsageError, match="another user"):
        Store(store.root)


def test_a_link_inside_the_store_is_never_written_through(store, tmp_path):
    """`ab -> elsewhere` is refused; elsewhere stays empty."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    name = digest.of_bytes(b"content")
    store.add_bytes(b"other")
    os.symlink(elsewhere, os.path.join(store.root, name[:2]))
    with pytest.raises(IntegrityError):
        store.add_bytes(b"content")
    assert os.listdir(elsewhere) == []


def test_a_failed_flush_drops_what_it_could_not_keep(tmp_path):
    """After a failed flush the blobs of that batch are gone, so nothing can speak of them; the next flush is clean."""
    disk = Closing(0)
    store = Store(str(tmp_path / "store"), disk=disk)
    names = [store.add_bytes(bytes([n])) for n in range(3)]
    bought = store.add_bytes(b"paid", precious=True)
    disk.at, disk.calls = 2, 0
    with pytest.raises(OSError, match="Input/output"):
        store.flush()
    assert disk.failed == "fsync"
    assert not any(store.has(name) for name in names)
    assert store.has(bought)
    store.flush()


def test_many_writers_of_the_same_blob(tmp_path):
    """Threads and stores that add the same content at once all get it, whole."""
    results = []

    def add():
        store = Store(str(tmp_path / "store"))
        results.extend(store.add_bytes(bytes([n]) * 1000, precious=n % 2 == 0) for n in range(30))

    threads = [threading.Thread(target=add) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 180
    assert len(set(results)) == 30
    assert list(Store(str(tmp_path / "store")).verify(results)) == []


class History(RuleBasedStateMachine):
    """The store against a dictionary: adds, kills, damage, verification and clean-up in any order."""

    names = Bundle("names")

    @initialize()
    def begin(self):
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.root = os.path.join(self.folder.name, "store")
        self.store = Store(self.root)
        self.content, self.bought, self.hurt, self.gone = {}, set(), set(), set()
        self.now = time.time()

    def teardown(self):
        if hasattr(self, "folder"):
            self.folder.cleanup()

    @rule(target=names, data=st.binary(max_size=50), precious=st.booleans())
    def add(self, data, precious):
        name = self.store.add_bytes(data, precious)
        self.note(name, data, precious)
        return name

    def note(self, name, data, precious):
        self.content[name] = data
        self.hurt.discard(name)
        self.gone.discard(name)
        if precious:
            self.bought.add(name)

    @rule(data=st.binary(min_size=1, max_size=50), precious=st.booleans(), at=st.integers(1, 25))
    def killed_add(self, data, precious, at):
        try:
            name = Store(self.root, disk=Interruptible(at)).add_bytes(data, precious)
        except Killed:
            name = digest.of_bytes(data)
            if os.path.exists(self.store._place(name)) and read(self.store._place(name)) == data:
                self.note(name, data, precious and self.store.is_precious(name))
            elif precious and self.store.is_precious(name):
                self.bought.add(name)
                self.content.setdefault(name, data)
                if not os.path.exists(self.store._place(name)):
                    self.gone.add(name)
        else:
            self.note(name, data, precious)
        self.store = Store(self.root)

    @rule(name=names, how=st.sampled_from(["flip", "cut", "delete"]))
    def damage(self, name, how):
        if name in self.gone or name in self.hurt or not self.content[name]:
            return
        spoil(self.store, name, how)
        (self.gone if how == "delete" else self.hurt).add(name)
        self.store = Store(self.root)

    @rule()
    def verify(self):
        found = {damage.digest for damage in Store(self.root).verify()}
        assert found == self.hurt | (self.gone & self.bought)
        self.gone |= self.hurt
        self.hurt = set()
        self.store = Store(self.root)

    @rule(keep=st.lists(names, max_size=3), later=st.booleans())
    def clean_up(self, keep, later):
        there = set(self.content) - self.gone
        removed = {n for n, _ in self.store.gc(set(keep), now=self.now + LATER * later, dry_run=False).blobs}
        assert removed == ((there - set(keep) - self.bought) if later else set())
        self.gone |= removed
        self.hurt -= removed

    @invariant()
    def what_is_there_is_right(self):
        if not hasattr(self, "content"):
            return
        for name, data in self.content.items():
            assert self.store.has(name) == (name not in self.gone)
            if name not in self.gone and name not in self.hurt:
                assert read(self.store.path(name)) == data
            assert (name not in self.bought) or self.store.is_precious(name)


TestHistory = History.TestCase
TestHistory.settings = settings(
    max_examples=5000 if SLOW else 60, stateful_step_count=50 if SLOW else 30, deadline=None
)
