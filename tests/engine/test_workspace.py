"""`.clipbuild/`: private, unseen by git, and one build at a time whoever died before."""

import errno
import fcntl
import os
import signal
import stat
import subprocess
import sys
import textwrap
import time

import pytest

from clipbuild.engine import files
from clipbuild.engine.workspace import Workspace
from clipbuild.errors import UsageError

HOLDER = textwrap.dedent("""
    import sys, time
    from clipbuild.engine.workspace import Workspace
    with Workspace(sys.argv[1]).held():
        print("held", flush=True)
        time.sleep(60)
""")


@pytest.fixture
def place(tmp_path) -> Workspace:
    return Workspace(str(tmp_path))


@pytest.fixture
def holder(place):
    """Another process that builds here."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    process = subprocess.Popen([sys.executable, "-c", HOLDER, place.root], stdout=subprocess.PIPE, text=True, env=env)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_the_folder_is_private_and_unseen(place):
    """0700, ignored by git, twice is once; every place is inside it."""
    for _ in range(2):
        place.prepare()
    assert stat.S_IMODE(os.stat(place.home).st_mode) == 0o700
    with open(os.path.join(place.home, ".gitignore")) as file:
        assert file.read() == "*\n"
    for path in (place.store, place.state, place.snapshot, place.temp):
        assert os.path.dirname(path) == place.home


def test_something_in_the_way_is_a_clear_error(place, tmp_path):
    """A file or a link called `.clipbuild` is refused, and what the link points to is untouched."""
    (tmp_path / ".clipbuild").write_text("mine")
    with pytest.raises(UsageError, match="in the way"):
        place.prepare()
    os.remove(tmp_path / ".clipbuild")
    (tmp_path / "elsewhere").mkdir()
    os.symlink("elsewhere", tmp_path / ".clipbuild")
    with pytest.raises(UsageError, match="is a link"):
        place.prepare()
    assert os.listdir(tmp_path / "elsewhere") == []


def test_a_second_build_fails_fast_or_waits(place, holder):
    """Not waiting: an error with the holder's host and process. Waiting: told once, then works when it is free."""
    with pytest.raises(UsageError) as caught, place.held(wait=False):
        pass
    assert f"process {holder.pid} on " in str(caught.value)
    told = []

    def sleep(seconds):
        holder.kill()
        holder.wait()

    with place.held(waiting=told.append, sleep=sleep):
        assert told == [f"process {holder.pid} on {os.uname().nodename}"]


def test_a_dead_holder_never_blocks(place, holder):
    """Killed in the middle: the next build works at once, whatever the lock file says."""
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with open(os.path.join(place.home, "lock")) as file:
        assert str(holder.pid) in file.read()
    with place.held(wait=False):
        pass


def test_a_frozen_holder_keeps_its_place(place, holder):
    """Stopped, not dead: it still holds, and harms nobody when it wakes."""
    holder.send_signal(signal.SIGSTOP)
    with pytest.raises(UsageError, match="another build"), place.held(wait=False):
        pass
    holder.send_signal(signal.SIGCONT)
    holder.kill()
    holder.wait()
    with place.held(wait=False):
        pass


def test_a_stale_or_garbage_lock_file_does_not_block(place):
    """A lock file without a living holder is only a file."""
    place.prepare()
    for text in (b"", b"otherhost 1\n", b"\xff\0garbage" * 100):
        with open(os.path.join(place.home, "lock"), "wb") as file:
            file.write(text)
        with place.held(wait=False):
            pass


def test_the_place_is_free_after_an_error(place):
    """A build that fails lets go."""
    with pytest.raises(ZeroDivisionError), place.held():
        raise ZeroDivisionError
    with place.held(wait=False):
        pass


def test_only_one_of_many_works_at_a_time(place, tmp_path):
    """Eight processes that each add to a file under the hold: no addition is lost."""
    script = textwrap.dedent("""
        import sys
        from clipbuild.engine.workspace import Workspace
        for _ in range(5):
            with Workspace(sys.argv[1]).held(sleep=lambda s: None):
                with open(sys.argv[2]) as f: n = int(f.read())
                with open(sys.argv[2], "w") as f: f.write(str(n + 1))
    """)
    count = tmp_path / "count"
    count.write_text("0")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    crowd = [subprocess.Popen([sys.executable, "-c", script, place.root, str(count)], env=env) for _ in range(8)]
    assert [process.wait() for process in crowd] == [0] * 8
    assert count.read_text() == "40"


def test_a_place_without_locking_is_refused(place, monkeypatch):
    """Where files can't be locked, the build says so before it does anything."""

    def no_locks(fd, kind):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with pytest.raises(UsageError, match="can't be locked"), place.held():
        pass


def test_what_a_killed_run_left_is_cleaned_away(place, tmp_path):
    """Temporaries go, also folders; links are removed, not followed; nothing else is touched."""
    place.prepare()
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "file").write_text("mine")
    os.makedirs(os.path.join(place.temp, "render-1", "frames"))
    os.symlink(victim, os.path.join(place.temp, "link"))
    part = os.path.join(place.home, f"{files.TEMP_PREFIX}1{files.TEMP_SUFFIX}")
    for path in (part, place.state, os.path.join(place.temp, "x")):
        with open(path, "w"):
            pass
    place.clean()
    assert os.listdir(place.temp) == []
    assert not os.path.exists(part)
    assert os.path.exists(place.state)
    assert (victim / "file").read_text() == "mine"


def test_holding_is_quick(place):
    """Taking the place costs next to nothing."""
    began = time.perf_counter()
    for _ in range(100):
        with place.held():
            pass
    assert (time.perf_counter() - began) / 100 < 0.01


def test_a_path_that_is_no_text_is_refused(tmp_path):
    """As what an old system called `café` in Latin-1: ffmpeg's arguments could not name it."""
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")
    os.mkdir(odd)
    with pytest.raises(UsageError, match="no UTF-8"):
        Workspace(odd).prepare()
    assert os.listdir(odd) == []
