"""Source files: read once, known by what the file system says, and only inside the project."""

import json
import os
import socket
from pathlib import Path

import pytest

from clipbuild import digest
from clipbuild.engine import files, sources
from clipbuild.engine.snapshot import ABSENT, RACY, Snapshot
from clipbuild.engine.sources import Sources
from clipbuild.engine.traces import State
from clipbuild.errors import ClipbuildError, UsageError

HOSTILE = Path(__file__).parents[1] / "hostile" / "data"


@pytest.fixture
def root(tmp_path) -> Path:
    (tmp_path / ".clipbuild").mkdir()
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(b"photo a")
    return tmp_path


@pytest.fixture
def reads(monkeypatch) -> list:
    """Which inputs are opened."""
    opened = []
    real = files.open_inside
    monkeypatch.setattr(files, "open_inside", lambda root, name: opened.append(name) or real(root, name))
    return opened


def later(root) -> Sources:
    """A new run, with the clock well past every file."""
    return Sources(
        str(root), State.open(str(root / ".clipbuild/state.db")), clock=lambda: (1 << 62, os.stat(root).st_dev)
    )


def close(found: Sources) -> None:
    found._state.close()


def test_a_digest_is_of_the_bytes(root):
    """What is said of a file is its SHA-256."""
    assert later(root).digest("photos/a.jpg") == digest.of_bytes(b"photo a")


def test_an_unchanged_file_is_read_once_ever(root, reads):
    """Twice in a run and in the next run: one read."""
    for _ in range(2):
        run = later(root)
        for _ in range(2):
            run.digest("photos/a.jpg")
        close(run)
    assert reads == ["photos/a.jpg"]


def test_a_touched_file_is_read_and_found_to_be_the_same(root, reads, monkeypatch):
    """A git checkout: every file is read once by the fast hash, SHA-256 is not asked."""
    close_me = later(root)
    before = close_me.digest("photos/a.jpg")
    close(close_me)
    os.utime(root / "photos/a.jpg", (1, 1))
    slow = []
    real = sources.sha256
    monkeypatch.setattr(sources, "sha256", lambda: slow.append(Counting(real())) or slow[-1])
    assert later(root).digest("photos/a.jpg") == before
    assert len(reads) == 2
    assert [hash_.fed for hash_ in slow] == [0]


class Counting:
    """A hash that counts what it was fed."""

    def __init__(self, inner):
        self.inner, self.fed = inner, 0

    def update(self, data):
        self.fed += len(data)
        self.inner.update(data)

    def hexdigest(self):
        return self.inner.hexdigest()


@pytest.mark.parametrize("content", [b"photo b", b"longer photo", b""])
def test_a_changed_file_gets_its_new_digest(root, content):
    """Same size or other size: the new bytes count."""
    run = later(root)
    run.digest("photos/a.jpg")
    close(run)
    (root / "photos/a.jpg").write_bytes(content)
    assert later(root).digest("photos/a.jpg") == digest.of_bytes(content)


def test_read_gives_the_bytes_the_digest_speaks_of(root):
    """A catalog that is parsed and hashed is read once, so both speak of the same bytes."""
    run = later(root)
    assert run.read("photos/a.jpg") == b"photo a"
    (root / "photos/a.jpg").write_bytes(b"rewritten")
    assert run.digest("photos/a.jpg") == digest.of_bytes(b"photo a")


def test_a_file_that_keeps_changing_is_an_error(root, monkeypatch):
    """A writer that never rests: said so, instead of a digest of a mixture."""
    real, count = os.fstat, [0]

    class Restless:
        def __getattr__(self, name):
            return getattr(self.facts, name)

    def fstat(fd):
        found = Restless()
        found.facts = real(fd)
        count[0] += 1
        found.st_ctime_ns = count[0]
        return found

    run = later(root)
    monkeypatch.setattr(os, "fstat", fstat)
    with pytest.raises(UsageError, match="keeps changing"):
        run.digest("photos/a.jpg")


def test_an_edit_in_the_tick_of_the_run_is_looked_at_again(root):
    """A file changed just before the run: its signature is trusted only after a second look finds it the same."""
    now = os.stat(root / "photos/a.jpg").st_ctime_ns
    times = iter([now, now + 1])
    state = State.open(":memory:")
    run = Sources(str(root), state, clock=lambda: (next(times), os.stat(root).st_dev))
    run.digest("photos/a.jpg")
    assert state.get(sources.KIND, "photos/a.jpg") is None, "not remembered before the second look"
    assert run.seen()["photos/a.jpg"][1] == now
    assert state.get(sources.KIND, "photos/a.jpg") is not None


def test_an_edit_during_the_run_is_left_for_the_next_one(root):
    """Used in one state, changed before the end: the snapshot must not hold."""
    now = os.stat(root / "photos/a.jpg").st_ctime_ns
    times = [now]
    run = Sources(str(root), State.open(":memory:"), clock=lambda: (times[-1], os.stat(root).st_dev))
    run.digest("photos/a.jpg")
    (root / "photos/a.jpg").write_bytes(b"photo b")
    times.append(1 << 62)
    assert run.seen()["photos/a.jpg"][1] == RACY
    assert not Snapshot.of(b"q", run.seen(), {}, {}).unchanged(b"q", str(root))


def test_an_edit_after_a_trusted_look_is_seen_too(root):
    """A file that was old when it was read, and was edited before the end of the run: its recorded signature is the
    one from before, so the snapshot does not hold."""
    run = later(root)
    run.digest("photos/a.jpg")
    (root / "photos/a.jpg").write_bytes(b"photo b")
    assert not Snapshot.of(b"q", run.seen(), {}, {}).unchanged(b"q", str(root))


def test_a_disk_with_another_clock_gets_a_margin(root):
    """A file on a device whose stamps may be two seconds coarse is not trusted before they are over."""
    stamp = os.stat(root / "photos/a.jpg").st_ctime_ns
    for passed, trusted in ((1_000_000_000, False), (3_000_000_000, True)):
        state = State.open(":memory:")
        run = Sources(str(root), state, clock=lambda passed=passed: (stamp + passed, -1), sleep=lambda s: None)
        run.digest("photos/a.jpg")
        assert (state.get(sources.KIND, "photos/a.jpg") is not None) == trusted


def test_absent_files_are_remembered(root):
    """An override that is not there is a fact about the build: its appearing must be seen."""
    run = later(root)
    assert not run.exists("templates/card.j2")
    with pytest.raises(UsageError, match="No such file"):
        run.digest("photos/no.jpg")
    assert run.seen()["templates/card.j2"] == run.seen()["photos/no.jpg"] == ABSENT
    assert run.exists("photos/a.jpg")


def test_globs_find_and_remember_folders(root):
    """Sorted matches; every folder that was looked into is in the snapshot, hidden files are not matched."""
    for name in ("photos/b.png", "photos/.hidden.jpg", "photos/deep/er/c.jpg", "other/d.jpg"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")
    run = later(root)
    assert run.glob("photos/*.jpg") == ["photos/a.jpg"]
    assert run.glob("photos/**/*.jpg") == ["photos/a.jpg", "photos/deep/er/c.jpg"]
    assert run.glob("**/?.jpg") == ["other/d.jpg", "photos/a.jpg", "photos/deep/er/c.jpg"]
    assert run.glob("*/a.jpg") == ["photos/a.jpg"]
    assert run.glob("photos/a.jpg") == ["photos/a.jpg"]
    assert run.glob("none/*.jpg") == run.glob("photos/none.jpg") == []
    assert {"photos", "photos/deep", "none"} <= set(run.dirs())
    assert run.seen()["photos/none.jpg"] == ABSENT
    for bad in ("../*", "/etc/*", "a/../../*"):
        with pytest.raises(UsageError, match="leaves"):
            run.glob(bad)


def test_globs_do_not_leave_through_links(root, tmp_path_factory):
    """A linked folder is not walked into."""
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.jpg").write_text("")
    os.symlink(outside, root / "linked")
    run = later(root)
    assert run.glob("**/*.jpg") == ["photos/a.jpg"]
    assert run.glob("linked/*.jpg") == []


def make(root: Path, outside: Path, operations: list) -> None:
    """Apply a row of the hostile layouts."""
    for kind, name, *rest in operations:
        path = root / name if kind != "deepdir" else root
        if kind not in ("deepdir", "file-bytes", "files"):
            path.parent.mkdir(parents=True, exist_ok=True)
        if kind == "symlink":
            target = rest[0].replace("/srv/elsewhere", str(outside)).replace("/srv/victim", str(outside / "victim"))
            if name == "assets/a" or name == "assets/b":
                target = os.path.basename(target)
            os.symlink(target, path)
        elif kind == "file":
            path.write_bytes(b"content")
            path.chmod(rest[0] if rest else 0o644)
        elif kind == "file-bytes":
            (root / "assets").mkdir(exist_ok=True)
            with open(os.fsencode(root / "assets") + b"/\xff.png", "wb") as file:
                file.write(b"content")
        elif kind == "fifo":
            os.mkfifo(path)
        elif kind == "dir":
            path.mkdir(exist_ok=True)
        elif kind == "hardlink":
            os.link(outside / rest[0], path)
        elif kind == "socket":
            here = os.getcwd()
            os.chdir(path.parent)
            with socket.socket(socket.AF_UNIX) as server:
                server.bind(path.name)
            os.chdir(here)
        elif kind == "files":
            (root / "assets").mkdir(exist_ok=True)
            for number in range(rest[0]):
                (root / name.replace("{i}", str(number))).touch()
        elif kind == "deepdir":
            os.makedirs(root / "/".join(["d"] * name))


ROWS = [json.loads(line) for line in (HOSTILE / "tree" / "layouts.jsonl").read_text().splitlines()]
FINE = {"sym-ok", "nonutf8", "case-pair", "huge-dir", "deep-dir"}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_hostile_trees_are_read_safely_or_not_at_all(root, row, tmp_path_factory):
    """Every layout: inputs are found and hashed, or refused with a clear error; no hang, no victim touched."""
    outside = tmp_path_factory.mktemp("outside")
    (outside / "victim").write_bytes(b"victim")
    try:
        make(root, outside, row["make"])
    except (OSError, ValueError) as error:
        pytest.skip(f"this file system can't hold it: {error}")
    run = later(root)
    good, refused = [], []
    for name in [*run.glob("assets/**"), "assets/a.png"]:
        try:
            run.digest(name)
            good.append(name)
        except ClipbuildError as error:
            assert name.encode("utf-8", "surrogateescape").isascii() is False or os.path.basename(name) in str(error)
            refused.append(name)
    if row["id"].startswith("sym-in") or row["id"] in (
        "sym-rel",
        "fifo",
        "socket",
        "dev",
        "sym-dangling",
        "dir-as-file",
    ):
        assert not good
        assert refused
    if row["id"] in FINE and row["make"][0][0] != "deepdir":
        assert good
    assert (outside / "victim").read_bytes() == b"victim"
    assert os.listdir(outside) == ["victim"]


def test_a_source_is_still_what_it_was_or_differs(root):
    """What was read earlier and is something else now, or gone, matches nothing; none is as good as an empty one."""
    empty = digest.of_bytes(b"")
    for data, expected, same in [
        (b"photo a", digest.of_bytes(b"photo a"), True), (b"photo b", digest.of_bytes(b"photo a"), False),
        (b"", empty, True), (None, empty, True), (None, digest.of_bytes(b"photo a"), False),
    ]:  # fmt: skip
        (root / "photos/a.jpg").unlink(missing_ok=True)
        if data is not None:
            (root / "photos/a.jpg").write_bytes(data)
        found = Sources(str(root), State.open(":memory:"))
        found.still("photos/a.jpg", expected)
        kept = Snapshot.of(b"?", found.seen(), {}, {})
        assert (kept.changes(str(root)).sources == []) == same, (data, expected)
        close(found)
