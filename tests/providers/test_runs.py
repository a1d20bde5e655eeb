"""Live runs and claims: told by locks that die with their process, also by SIGKILL."""

import multiprocessing
import os
import pathlib
import signal
import time

import pytest

from clipbuild.errors import JournalError
from clipbuild.providers.runs import Runs, turn


def holding(home: str, path: str) -> None:
    """In a process of its own: begin, claim, say who, and wait to be killed."""
    runs = Runs(home)
    runs.begin()
    assert runs.claim("one")
    pathlib.Path(path).write_text(runs.name)
    time.sleep(60)


def started(tmp_path: pathlib.Path) -> tuple[multiprocessing.process.BaseProcess, str]:
    """Such a process, and the name of its run."""
    told = tmp_path / "name"
    child = multiprocessing.get_context("fork").Process(target=holding, args=(str(tmp_path / "home"), str(told)))
    child.start()
    limit = time.monotonic() + 20
    while not (told.exists() and told.read_text()) and time.monotonic() < limit:
        time.sleep(0.01)
    return child, told.read_text()


def test_a_killed_run_is_dead_and_its_claim_is_free(tmp_path: pathlib.Path) -> None:
    """Alive: its claim holds, and who it is can be told. Killed: neither, and the next run clears up after it."""
    child, name = started(tmp_path)
    runs = Runs(str(tmp_path / "home"))
    assert runs.is_alive(name)
    assert not runs.claim("one")
    assert runs.holder(name).startswith(f"process {child.pid} on ")
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    child.join(20)
    assert not runs.is_alive(name)
    assert runs.claim("one")
    runs.begin()
    runs.begin()
    assert os.listdir(tmp_path / "home" / "runs") == [runs.name]
    runs.close()
    runs.close()
    assert os.listdir(tmp_path / "home" / "runs") == []
    assert runs.holder(name) == "another process"


def test_names_that_are_none_lead_nowhere(tmp_path: pathlib.Path) -> None:
    """A run's name out of a journal that somebody wrote is looked for in the folder of runs alone."""
    runs = Runs(str(tmp_path / "home"))
    runs.begin()
    assert not runs.is_alive("../../etc/passwd")
    assert not runs.is_alive("")
    runs.close()


def test_a_turn_is_waited_for_and_given_up(tmp_path: pathlib.Path) -> None:
    """Who holds the lock for too long is named; it is free again afterwards."""
    path, slept = str(tmp_path / "lock"), [0.0]

    def sleep(seconds: float) -> None:
        slept[0] += seconds

    with turn(path, sleep), pytest.raises(JournalError, match="another process"), turn(path, sleep):
        raise AssertionError("two at once")
    assert 59 < slept[0] < 62
    with turn(path, sleep):
        pass
