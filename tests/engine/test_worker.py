"""The child's side of a worker, alone: lines in, lines out, and how it ends."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

import pytest

from clipbuild.engine import worker

PROGRAM = textwrap.dedent(
    """
    import os, signal, sys
    from clipbuild.engine import worker
    from clipbuild.errors import MediaError

    def handle(task, progress):
        do = task["do"]
        if do == "noise":
            print("noise on stdout"); os.system("echo more noise"); sys.stdout.flush()
        if do == "read":
            return {"read": sys.stdin.read() if not sys.stdin.closed else ""}
        if do == "progress":
            progress(0.25, "a"); progress(1, "b")
        if do == "media":
            raise MediaError("no picture", [("size", 7)], "use another")
        if do == "fault":
            raise ZeroDivisionError("x\\x1b[2J")
        if do == "memory":
            raise MemoryError
        return {"did": do, "task": task}

    worker.serve(handle)
    """
)


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A child in a group of its own, as the executor starts it."""
    env = {**os.environ, worker.LIMITS: "{}", worker.PARENT: str(os.getpid())}
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=env, start_new_session=True,
    )  # fmt: skip
    yield process
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert process.stdin
    assert process.stdout
    process.stdin.close()
    process.stdout.close()


def ask(child: "subprocess.Popen[bytes]", number: int, do: str, **more: Any) -> list[dict[str, Any]]:
    """Send a task; all answers up to the last."""
    assert child.stdin
    assert child.stdout
    child.stdin.write(json.dumps({"id": number, "cpu_seconds": 60, "task": {"do": do, **more}}).encode() + b"\n")
    child.stdin.flush()
    found = []
    while True:
        found.append(json.loads(child.stdout.readline()))
        if "result" in found[-1] or "error" in found[-1]:
            return found


def test_a_life_of_a_worker(child: "subprocess.Popen[bytes]") -> None:
    """Tasks are answered in turn under their numbers; a fault of one leaves the next alone."""
    assert ask(child, 1, "x", text="ü\n")[-1]["result"] == {"did": "x", "task": {"do": "x", "text": "ü\n"}}
    assert [(row.get("progress"), row.get("note")) for row in ask(child, 2, "progress")][:2] == [(0.25, "a"), (1.0, "b")]
    told = ask(child, 3, "media")[-1]
    assert told == {"id": 3, "error": {"class": "MediaError", "what": "no picture", "facts": [["size", "7"]], "hint": "use another"}}
    fault = ask(child, 4, "fault")[-1]["error"]
    assert (fault["class"], fault["what"]) == ("ZeroDivisionError", "x\\x1b[2J")
    assert fault["facts"][0][0] == "at"
    assert ask(child, 5, "memory")[-1]["error"]["class"] == "MemoryError"
    assert ask(child, 6, "noise")[-1]["result"]["did"] == "noise"
    assert ask(child, 7, "read")[-1]["result"] == {"read": ""}


def test_it_ends_with_the_pipe(child: "subprocess.Popen[bytes]") -> None:
    """A parent that is gone closes the pipe: the child does not stay."""
    ask(child, 1, "x")
    assert child.stdin
    child.stdin.close()
    assert child.wait(timeout=10) != 0


def test_ctrl_c_is_the_parents_to_handle(child: "subprocess.Popen[bytes]") -> None:
    """A terminal sends SIGINT to everybody; the child goes on until it is told to end (F14)."""
    ask(child, 1, "x")
    os.kill(child.pid, signal.SIGINT)
    assert ask(child, 2, "y")[-1]["result"]["did"] == "y"


def test_a_child_of_somebody_else_ends_at_once() -> None:
    """If the parent died before the child could ask to be told of it, it notices."""
    env = {**os.environ, worker.LIMITS: "{}", worker.PARENT: "1"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], input=b"", env=env, capture_output=True, start_new_session=True, timeout=20, check=False)
    assert done.returncode != 0
    assert done.stdout == b""
