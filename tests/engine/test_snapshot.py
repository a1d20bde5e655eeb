"""The snapshot: a build with nothing to do is stat calls and nothing else, and never misses a change."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from clipbuild.engine import snapshot
from clipbuild.engine.snapshot import ABSENT, RACY, Snapshot, disk_clock, output_signature, settled
from clipbuild.engine.sources import Sources
from clipbuild.engine.traces import State

ASKED = b"build everything"


@pytest.fixture
def root(tmp_path) -> Path:
    """A small project: three sources in two folders, two outputs."""
    for name in ("catalog/a.yaml", "photos/1.jpg", "photos/2.jpg", "dist/tiktok/a.mp4", "dist/tiktok/b ž.mp4"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / ".clipbuild").mkdir()
    return tmp_path


def take(root: Path, *, absent=("templates/card.j2",), question=ASKED) -> Snapshot:
    """What a build would do at its end."""
    sources = Sources(str(root), State.open(":memory:"))
    for name in ("catalog/a.yaml", "photos/1.jpg", "photos/2.jpg"):
        sources.digest(name)
    for name in absent:
        sources.exists(name)
    sources.names("photos")
    found = sources.seen()
    now = tick(root)
    outputs = {f"dist/tiktok/{n}": output_signature(f"{root}/dist/tiktok/{n}") for n in ("a.mp4", "b ž.mp4")}
    return Snapshot.of(question, found, settled(outputs, now), sources.dirs())


def tick(root: Path) -> int:
    """Wait until the disk's clock has moved on."""
    before = now = disk_clock(f"{root}/.clipbuild")[0]
    while now <= before:
        time.sleep(0.002)
        now = disk_clock(f"{root}/.clipbuild")[0]
    return now


def saved(root: Path, **kind) -> Snapshot:
    tick(root)
    take(root, **kind).save(f"{root}/.clipbuild/snapshot")
    return Snapshot.load(f"{root}/.clipbuild/snapshot")


def test_nothing_changed_is_seen_from_the_file(root):
    """Saved, loaded by another process, looked at from any working folder: unchanged."""
    found = saved(root)
    assert found.unchanged(ASKED, str(root))
    assert not found.changes(str(root))
    assert set(found.sources()) == {"catalog/a.yaml", "photos/1.jpg", "photos/2.jpg", "templates/card.j2"}
    assert found.sources()["templates/card.j2"] == ABSENT
    assert set(found.outputs()) == {"dist/tiktok/a.mp4", "dist/tiktok/b ž.mp4"}
    assert set(found.dirs()) == {"photos"}


def test_another_question_is_not_answered(root):
    """Other products, another profile or version: the snapshot says nothing."""
    found = saved(root)
    assert not found.unchanged(b"build something else", str(root))
    assert not found.unchanged(b"", str(root))
    assert not Snapshot.load("/no/such/file").unchanged(b"", str(root))


def edit(path):
    path.write_text("edited!")


CHANGES = {
    "source edited": (lambda r: edit(r / "photos/1.jpg"), ("photos/1.jpg", "", "")),
    "source edited, same size": (lambda r: (r / "photos/1.jpg").write_text("photos/3.jpg"), ("photos/1.jpg", "", "")),
    "source gone": (lambda r: (r / "photos/1.jpg").unlink(), ("photos/1.jpg", "", "photos")),
    "source touched": (lambda r: os.utime(r / "photos/1.jpg"), ("photos/1.jpg", "", "")),
    "source replaced": (lambda r: os.replace(r / "photos/2.jpg", r / "photos/1.jpg"), None),
    "absent source appears": (
        lambda r: ((r / "templates").mkdir(), edit(r / "templates/card.j2")),
        ("templates/card.j2", "", ""),
    ),
    "file added to a listed folder": (lambda r: edit(r / "photos/3.jpg"), ("", "", "photos")),
    "listed folder gone": (lambda r: os.rename(r / "photos", r / "x"), ("photos/1.jpg", "", "photos")),
    "output edited": (lambda r: edit(r / "dist/tiktok/a.mp4"), ("", "dist/tiktok/a.mp4", "")),
    "output gone": (lambda r: (r / "dist/tiktok/a.mp4").unlink(), ("", "dist/tiktok/a.mp4", "")),
    "output a link": (
        lambda r: (os.rename(r / "dist/tiktok/a.mp4", r / "x"), os.symlink(r / "x", r / "dist/tiktok/a.mp4")),
        ("", "dist/tiktok/a.mp4", ""),
    ),
    "all outputs gone": (lambda r: os.rename(r / "dist", r / "x"), ("", "dist/tiktok/a.mp4", "")),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_every_change_is_seen_and_named(root, change):
    """Whatever happens to a source, an output or a listed folder, the snapshot does not hold and says what."""
    act, expected = change
    found = saved(root)
    act(root)
    assert not found.unchanged(ASKED, str(root))
    changes = found.changes(str(root))
    assert changes
    if expected:
        for names, name in zip((changes.sources, changes.outputs, changes.dirs), expected, strict=True):
            assert name in names if name else names == []


def test_a_forged_time_on_a_source_does_not_hide_an_edit(root):
    """Same size, old modification time put back: still seen, because nobody can set the change time."""
    found = saved(root)
    before = os.stat(root / "photos/1.jpg")
    (root / "photos/1.jpg").write_text("PHOTOS/1.JPG")
    os.utime(root / "photos/1.jpg", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert found.changes(str(root)).sources == ["photos/1.jpg"]


def test_another_hard_link_to_an_output_changes_nothing(root):
    """Another workspace that shares the blob moves only the change time, which outputs are not judged by."""
    found = saved(root)
    os.link(root / "dist/tiktok/a.mp4", root / "elsewhere.mp4")
    assert found.unchanged(ASKED, str(root))


def test_a_touched_folder_with_the_same_names_is_unchanged(root):
    """A file added and removed again moves the folder's time; its listing is the same."""
    found = saved(root)
    (root / "photos/tmp").write_text("")
    (root / "photos/tmp").unlink()
    assert found.unchanged(ASKED, str(root))


def test_rapid_edits_are_all_noticed(root):
    """Write, build, write the same size, at once, 300 times: no edit is missed (1,000 with CLIPBUILD_SLOW)."""
    path = root / "photos/1.jpg"
    for number in range(1000 if os.environ.get("CLIPBUILD_SLOW") else 300):
        path.write_text(f"{number:09}a")
        sources = Sources(str(root), State.open(":memory:"), sleep=lambda seconds: None)
        sources.digest("photos/1.jpg")
        found = Snapshot.of(ASKED, sources.seen(), {}, {})
        path.write_text(f"{number:09}b")
        assert not found.unchanged(ASKED, str(root)), number


def test_rapid_edits_of_an_output_are_all_noticed(root):
    """The same for outputs: what was written in the tick of the record is not trusted."""
    path = root / "dist/tiktok/a.mp4"
    for number in range(300):
        path.write_text(f"{number:09}a")
        rows = {"dist/tiktok/a.mp4": output_signature(str(path))}
        found = Snapshot.of(ASKED, {}, settled(rows, disk_clock(f"{root}/.clipbuild")[0]), {})
        path.write_text(f"{number:09}b")
        assert not found.unchanged(ASKED, str(root)), number


def test_the_racy_rule_has_teeth(root):
    """With a coarse clock and without the rule an edit in the same tick is missed; with it, it is not."""
    path = root / "photos/1.jpg"
    now = path.stat()
    row = {"photos/1.jpg": (now.st_size, now.st_ctime_ns, now.st_ino)}
    same_tick = Snapshot.of(ASKED, row, {}, {})
    assert same_tick.unchanged(ASKED, str(root)), "a second write in this tick would look just like this"
    began = now.st_ctime_ns
    sources = Sources(str(root), State.open(":memory:"), clock=lambda: (began, now.st_dev), sleep=lambda s: None)
    sources.digest("photos/1.jpg")
    assert sources.seen()["photos/1.jpg"][1] == RACY
    assert not Snapshot.of(ASKED, sources.seen(), {}, {}).unchanged(ASKED, str(root))


def test_a_racy_entry_never_matches():
    """Outputs stamped in the tick of the clock are marked."""
    assert settled({"a": (1, 99, 5), "b": (1, 100, 6)}, 100) == {"a": (1, 99, 5), "b": (1, RACY, 6)}


@pytest.mark.parametrize("cut", [0, 1, 8, 12, 50, -1])
def test_a_torn_snapshot_is_no_snapshot(root, cut):
    """Cut anywhere, it matches no question and holds nothing."""
    saved(root)
    path = root / ".clipbuild/snapshot"
    path.write_bytes(path.read_bytes()[:cut])
    assert not Snapshot.load(str(path)).unchanged(ASKED, str(root))
    assert Snapshot.load(str(path)).outputs() == {}


def test_a_flipped_bit_anywhere_is_noticed(root):
    """Every single flipped bit is caught by the checksum."""
    saved(root)
    path = root / ".clipbuild/snapshot"
    data = path.read_bytes()
    for at in range(len(data)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :])
        assert Snapshot.load(str(path)).question == b"", at
    path.write_bytes(data + b"x")
    assert Snapshot.load(str(path)).question == b""


def test_the_root_gone_is_a_change(root):
    """A snapshot of a place that is no more does not hold."""
    found = saved(root)
    assert not found.unchanged(ASKED, str(root / "gone"))


def test_nothing_heavy_is_imported():
    """The path of a build that does nothing imports neither asyncio, sqlite3, json, hashlib, pathlib nor the like."""
    code = (
        "import sys; before = set(sys.modules); import clipbuild.engine.snapshot as s; s.Snapshot.load('/no');"
        "print(*sorted(set(sys.modules) - before))"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    loaded = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {"asyncio", "sqlite3", "json", "hashlib", "pathlib", "dataclasses", "typing", "re", "xxhash", "subprocess"}
    assert not heavy & set(loaded)
    assert [name for name in loaded if name.startswith("clipbuild.")] == [
        "clipbuild.engine",
        "clipbuild.engine.snapshot",
    ]


def test_ten_thousand_files_are_looked_at_in_no_time(root):
    """The sweep costs little more than the stat calls themselves."""
    names = []
    for number in range(3000):
        names.append(f"many/{number % 50}/{number}.mp4")
        (root / names[-1]).parent.mkdir(parents=True, exist_ok=True)
        (root / names[-1]).write_text("")
    found = Snapshot.of(ASKED, {}, {name: output_signature(f"{root}/{name}") for name in names}, {})
    bare = sweep = 1.0
    for _ in range(5):
        began = time.perf_counter()
        for name in names:
            os.stat(f"{root}/{name}")
        bare = min(bare, time.perf_counter() - began)
        began = time.perf_counter()
        assert found.unchanged(ASKED, str(root))
        sweep = min(sweep, time.perf_counter() - began)
    assert sweep < bare * 2.5


def test_listing_hashes_differ():
    """Names can't move between entries unseen."""
    assert snapshot.listing_hash(["ab", "c"]) != snapshot.listing_hash(["a", "bc"])
    assert snapshot.listing_hash([]) >= 0


def test_an_amended_snapshot_is_the_one_that_would_have_been_made():
    """Whatever is changed, added and taken out: the same entries as a snapshot made afresh of all of it."""
    seed = int(os.environ.get("CLIPBUILD_SEED") or random.randrange(1 << 32))
    chance = random.Random(seed)

    def table(size):
        return {f"n{chance.randrange(30)}é": tuple(chance.randrange(1 << 40) for _ in range(3)) for _ in range(size)}

    for _ in range(50):
        before, after = [table(12) for _ in range(3)], [table(chance.randrange(6)) for _ in range(3)]
        gone = {name for one in before for name in one if chance.random() < 0.2} - {n for one in after for n in one}
        amended = Snapshot.of(b"q", *before).amended(*after, gone)
        wanted = [
            {n: r for n, r in {**old, **new}.items() if n not in gone} for old, new in zip(before, after, strict=True)
        ]
        assert [amended.sources(), amended.outputs(), amended.dirs()] == wanted, f"seed {seed}"


def test_only_what_is_named_is_looked_at(root):
    """Told which sources were touched, it looks at those and at listed folders; the next whole look finds the rest."""
    found = saved(root)
    (root / "photos/1.jpg").write_text("other")
    (root / "catalog/a.yaml").write_text("other")
    (root / "dist/tiktok/a.mp4").unlink()
    near = found.changes(str(root), among={"catalog/a.yaml", "photos/2.jpg", "not/known"})
    assert (near.sources, near.outputs, near.dirs) == (["catalog/a.yaml"], [], [])
    (root / "photos/3.jpg").write_text("new")
    assert found.changes(str(root), among=()).dirs == ["photos"]
    whole = found.changes(str(root))
    assert (sorted(whole.sources), whole.outputs) == (["catalog/a.yaml", "photos/1.jpg"], ["dist/tiktok/a.mp4"])
