"""The one way to write: whole or absent, never through a link, never a success that was none."""

import errno
import os
import socket
import stat
import threading
import time

import pytest

from clipbuild.engine import files
from clipbuild.engine.disk import DISK, Os
from clipbuild.errors import ClipbuildError, IntegrityError, UsageError
from tests.support.disks import ERRORS, Closing, Crumbs, Interruptible, Killed


def read(path) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0


class NoLinks(Os):
    """A disk that can neither share blocks nor link."""

    clone = staticmethod(lambda source, target: False)

    @staticmethod
    def link(src, dst, *, dst_dir_fd):
        raise OSError(errno.EXDEV, "other disk")


class NoClone(Os):
    """A disk that can link but not share blocks."""

    clone = staticmethod(lambda source, target: False)


def test_written_bytes_are_all_there(tmp_path):
    """What was given is what is read back, also when the system writes in crumbs."""
    for disk in (DISK, Crumbs()):
        files.write_atomic(str(tmp_path / "a"), b"some bytes", durable=True, disk=disk)
        assert read(tmp_path / "a") == b"some bytes"
        assert stat.S_IMODE(os.stat(tmp_path / "a").st_mode) == 0o644


def test_a_disk_that_writes_nothing_is_an_error(tmp_path):
    """A write that returns 0 ends in an error, not in a loop."""

    class Stuck(Os):
        write = staticmethod(lambda fd, data: 0)

    with pytest.raises(OSError, match="nothing was written"):
        files.write_atomic(str(tmp_path / "a"), b"x", disk=Stuck())
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("error", ERRORS)
def test_any_failing_call_is_reported_and_leaves_old_or_new(tmp_path, error):
    """The ladder: call N fails, for N = 1, 2, … until none does. Never reported as success, never half a file,
    no temporary and no open descriptor left behind."""
    path = str(tmp_path / "a")
    for at in range(1, 100):
        files.write_atomic(path, b"old")
        before = descriptors()
        disk = Closing(at, error)
        try:
            files.write_atomic(path, b"new" * 1000, durable=True, disk=disk)
            succeeded = True
        except OSError:
            succeeded = False
        assert descriptors() == before
        assert succeeded == (not disk.failed)
        assert not succeeded or read(path) == b"new" * 1000
        assert read(path) in (b"old", b"new" * 1000)
        assert os.listdir(tmp_path) == ["a"]
        if not disk.failed:
            break
    assert at > 6, "the ladder must have had rungs"


@pytest.mark.parametrize("share", [True, False])
@pytest.mark.parametrize("base", [Os, NoClone, NoLinks])
def test_placing_is_whole_or_absent_under_any_failure(tmp_path, share, base):
    """The ladder for `place`: the old file or the whole new one, and the blob itself untouched."""
    blob, dest = str(tmp_path / "blob"), str(tmp_path / "out" / "a")
    os.mkdir(tmp_path / "out")
    files.write_atomic(blob, b"blob", mode=0o444)

    class Disk(Closing, base):
        pass

    for at in range(1, 100):
        files.write_atomic(dest, b"old")
        disk = Disk(at, errno.EIO)
        try:
            files.place(blob, dest, share=share, disk=disk)
        except OSError:
            assert disk.failed
        assert read(dest) in (b"old", b"blob")
        assert read(blob) == b"blob"
        if not disk.failed:
            assert read(dest) == b"blob"
            break
    files.sweep(str(tmp_path / "out"))
    assert os.listdir(tmp_path / "out") == ["a"]


def test_a_kill_at_any_call_leaves_the_old_or_the_new_file(tmp_path):
    """Whole or absent: after a kill at call N the target is the old file or the new one; temporaries are sweepable."""
    for at in range(1, 100):
        files.write_atomic(str(tmp_path / "a"), b"old")
        try:
            files.write_atomic(str(tmp_path / "a"), b"new", durable=True, disk=Interruptible(at))
        except Killed:
            assert read(tmp_path / "a") in (b"old", b"new")
            files.sweep(str(tmp_path))
            assert os.listdir(tmp_path) == ["a"]
            continue
        break
    assert at > 5


def test_the_ladder_has_teeth(tmp_path):
    """Writing in place instead of aside is what these tests are against: the same ladder finds it."""

    def careless(path, disk):
        fd = disk.open(path, os.O_WRONLY | os.O_TRUNC | os.O_CREAT, 0o644)
        disk.write(fd, memoryview(b"new"))
        disk.close(fd)

    seen = set()
    for at in range(1, 5):
        files.write_atomic(str(tmp_path / "a"), b"old")
        try:
            careless(str(tmp_path / "a"), Interruptible(at))
        except Killed:
            pass
        seen.add(read(tmp_path / "a"))
    assert not seen <= {b"old", b"new"}


def test_a_link_at_the_target_is_replaced_not_followed(tmp_path):
    """Symbolic and hard links in the output never lead a write to the victim."""
    victim = tmp_path / "victim"
    victim.write_bytes(b"victim")
    out = tmp_path / "out"
    out.mkdir()
    blob = tmp_path / "blob"
    blob.write_bytes(b"blob")
    os.symlink(victim, out / "soft")
    os.link(victim, out / "hard")
    for name in ("soft", "hard"):
        files.place(str(blob), str(out / name), share=False)
        assert not os.path.islink(out / name)
        assert read(out / name) == b"blob"
    os.unlink(out / "soft")
    os.symlink(victim, out / "soft")
    files.write_atomic(str(out / "soft"), b"text")
    assert read(victim) == b"victim"


def test_links_between_root_and_target_are_refused(tmp_path):
    """`out/tiktok -> elsewhere` is never written through; the error names the link."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    root = tmp_path / "out"
    root.mkdir()
    os.symlink(elsewhere, root / "tiktok")
    target = str(root / "tiktok" / "a.mp4")
    blob = tmp_path / "blob"
    blob.write_bytes(b"blob")
    attempts = [
        lambda: files.within(str(root), "tiktok/a.mp4"),
        lambda: files.place(str(blob), target, share=True, root=str(root)),
        lambda: files.write_atomic(target, b"x", root=str(root)),
        lambda: files.ensure_dir(str(root / "tiktok" / "sku"), root=str(root)),
        lambda: files.remove(target, root=str(root)),
    ]
    for attempt in attempts:
        with pytest.raises(IntegrityError, match="tiktok"):
            attempt()
    assert os.listdir(elsewhere) == []


@pytest.mark.parametrize("relative", ["../x", "a/../../x", "/etc/passwd", "a/\0b", ".."])
def test_paths_that_leave_are_refused(tmp_path, relative):
    """No relative path leads out of its root."""
    with pytest.raises(UsageError, match="leaves"):
        files.within(str(tmp_path), relative)
    with pytest.raises((UsageError, OSError)):
        os.close(files.open_inside(str(tmp_path), relative))


def test_a_swapping_thread_never_gets_a_write_outside(tmp_path):
    """A folder that is swapped for a link while we write: the outside folder stays empty."""
    root, outside = tmp_path / "out", tmp_path / "outside"
    (root / "real").mkdir(parents=True)
    outside.mkdir()
    stop = threading.Event()

    def swap():
        while not stop.is_set():
            try:
                os.rename(root / "real", root / "aside")
                os.symlink(outside, root / "real")
                os.unlink(root / "real")
                os.rename(root / "aside", root / "real")
                time.sleep(0.0005)
            except OSError:
                pass

    thread = threading.Thread(target=swap)
    thread.start()
    refused = written = 0
    try:
        for _ in range(1000):
            try:
                files.write_atomic(str(root / "real" / "a"), b"x", root=str(root))
                written += 1
            except (OSError, IntegrityError):
                refused += 1
    finally:
        stop.set()
        thread.join()
    assert os.listdir(outside) == []
    assert refused
    assert written


def test_the_swapping_thread_has_teeth(tmp_path):
    """Without `root` the same swap gets a write outside: the walk by opened folders is what holds."""
    root, outside = tmp_path / "out", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    os.symlink(outside, root / "real")
    files.write_atomic(str(root / "real" / "a"), b"x")
    assert os.listdir(outside) == ["a"]


def test_a_shared_output_is_read_only_and_damage_to_a_copy_never_reaches_the_blob(tmp_path):
    """Shared bytes are a clone or a read-only hard link; unshared ones are another file."""
    blob, shared, own = (str(tmp_path / name) for name in ("blob", "shared", "own"))
    files.write_atomic(blob, b"blob", mode=0o444)
    assert files.place(blob, shared, share=True, disk=NoClone()) == "link"
    assert os.path.samefile(blob, shared)
    assert stat.S_IMODE(os.stat(shared).st_mode) == 0o444
    assert files.place(blob, own, share=False, disk=NoClone()) == "copy"
    with open(own, "r+b") as file:
        file.write(b"EDIT")
    assert read(blob) == b"blob"


def test_placing_what_is_there_already_leaves_no_temporary(tmp_path):
    """Renaming one name of a file onto another does nothing: the temporary must go all the same."""
    blob, dest = str(tmp_path / "blob"), str(tmp_path / "dest")
    files.write_atomic(blob, b"blob", mode=0o444)
    for _ in range(3):
        files.place(blob, dest, share=True, disk=NoClone())
    assert sorted(os.listdir(tmp_path)) == ["blob", "dest"]


def test_a_link_that_is_not_possible_becomes_a_copy(tmp_path):
    """Another disk, no links: the output is there all the same, and editable."""
    blob, dest = str(tmp_path / "blob"), str(tmp_path / "dest")
    files.write_atomic(blob, b"blob", mode=0o444)
    assert files.place(blob, dest, share=True, disk=NoLinks()) == "copy"
    assert read(dest) == b"blob"
    assert stat.S_IMODE(os.stat(dest).st_mode) == 0o644


def test_names_made_before_us_are_never_opened(tmp_path, monkeypatch):
    """A stranger who guesses the temporary's name gains nothing: it is made exclusively, or another name is tried."""
    draws = iter([b"\0" * 8, b"\0" * 8, b"\1" * 8])
    monkeypatch.setattr(os, "urandom", lambda n: next(draws))
    trap = tmp_path / f"{files.TEMP_PREFIX}{'00' * 8}{files.TEMP_SUFFIX}"
    trap.write_bytes(b"trap")
    files.write_atomic(str(tmp_path / "a"), b"x")
    assert trap.read_bytes() == b"trap"
    assert read(tmp_path / "a") == b"x"


def test_inputs_stay_in_the_project(tmp_path):
    """Regular files inside are read, also through a link that stays inside; all else is refused with a reason."""
    root = tmp_path / "project"
    (root / "assets").mkdir(parents=True)
    outside = tmp_path / "outside.png"
    outside.write_bytes(b"outside")
    (root / "assets" / "b.png").write_bytes(b"inside")
    os.symlink("b.png", root / "assets" / "a.png")
    os.symlink(outside, root / "assets" / "out.png")
    os.symlink("../../outside.png", root / "assets" / "rel.png")
    os.symlink("/dev/zero", root / "assets" / "zero.png")
    os.symlink("nope", root / "assets" / "dangling.png")
    os.symlink("loop2", root / "assets" / "loop1")
    os.symlink("loop1", root / "assets" / "loop2")
    os.symlink("/etc", root / "etc")
    os.mkfifo(root / "assets" / "fifo.png")
    (root / "assets" / "folder.png").mkdir()
    server = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(root / "assets")
    try:
        server.bind("socket.png")
    finally:
        os.chdir(here)
    for good in ("assets/b.png", "assets/a.png"):
        assert not files.refusal(str(root), good)
        fd = files.open_inside(str(root), good)
        assert os.read(fd, 100) == b"inside"
        os.close(fd)
    bad = ["out.png", "rel.png", "zero.png", "dangling.png", "loop1", "fifo.png", "folder.png", "socket.png", "no"]
    for name in [*(f"assets/{name}" for name in bad), "etc/passwd", "assets/b.png/x", str(outside), "a\0b"]:
        assert files.refusal(str(root), name), name
    server.close()


def test_refusals_are_errors_with_place_and_reason(tmp_path):
    """An input that is refused says which and why."""
    os.mkfifo(tmp_path / "fifo.png")
    with pytest.raises(UsageError, match=r"fifo\.png: not a regular file"):
        files.open_inside(str(tmp_path), "fifo.png")
    with pytest.raises(ClipbuildError, match="No such file"):
        files.open_inside(str(tmp_path), "no.png")


def test_folders_are_made_all_the_way_down(tmp_path):
    """Missing folders appear with the mode that was asked for; what is there stays."""
    files.ensure_dir(str(tmp_path / "a" / "b" / "c"), 0o700)
    assert stat.S_IMODE(os.stat(tmp_path / "a" / "b" / "c").st_mode) == 0o700
    files.ensure_dir(str(tmp_path / "a" / "b" / "c"), 0o755)
    files.ensure_dir(str(tmp_path / "x" / "y"), 0o755, root=str(tmp_path))
    assert os.path.isdir(tmp_path / "x" / "y")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(NotADirectoryError):
        files.ensure_dir(str(tmp_path / "file"))
    with pytest.raises(IntegrityError, match="file"):
        files.ensure_dir(str(tmp_path / "file" / "x"), root=str(tmp_path))


def test_removing_what_is_not_there_is_no_error(tmp_path):
    """`remove` says whether something went."""
    (tmp_path / "a").write_bytes(b"")
    assert files.remove(str(tmp_path / "a"))
    assert not files.remove(str(tmp_path / "a"))
    assert not files.remove(str(tmp_path / "no" / "a"))


@pytest.mark.parametrize("count", [3, 40])
def test_a_failing_flush_is_reported(tmp_path, count):
    """Few files are flushed each, many by one call; either way a failure is an error."""
    paths = [str(tmp_path / str(n)) for n in range(count)]
    for path in paths:
        files.write_atomic(path, b"x")
    files.flush(paths)
    disk = Closing(0)
    files.flush(paths, disk)
    assert disk.counts["fsync"] == (count + 1 if count < 17 else 0)
    assert disk.counts["flush_all"] == (0 if count < 17 else 1)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        files.flush(paths, Closing(disk.calls - 1))


def test_names_that_are_no_files_are_refused(tmp_path):
    """A path that ends in a slash or in dots names no file."""
    for path in (f"{tmp_path}/", f"{tmp_path}/..", ""):
        with pytest.raises(UsageError):
            files.write_atomic(path, b"")
    with pytest.raises(UsageError, match="not in"):
        files.write_atomic("/elsewhere/a", b"", root=str(tmp_path))
