"""The child's side of a worker process: takes one task a line, answers in lines, dies with its parent.

    in   {"id": 7, "cpu_seconds": 600, "task": {…}}
    out  {"id": 7, "progress": 0.5, "note": "…"}      any number
         {"id": 7, "result": {…}}  or  {"id": 7, "error": {"class": …, "what": …, "facts": […], "hint": …}}

All JSON. What the task means is the business of the `handle` it is given to.
"""

import ctypes
import json
import os
import queue
import resource
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from clipbuild.errors import ClipbuildError, shown

Progress = Callable[[float, str], None]
Handle = Callable[[dict[str, Any], Progress], dict[str, Any]]
LIMITS, PARENT = "CLIPBUILD_WORKER_LIMITS", "CLIPBUILD_WORKER_PARENT"
_SET_PDEATHSIG = 1


def serve(handle: Handle) -> None:
    """Answer tasks until the parent closes the pipe or dies. Takes over standard input and output."""
    tasks, answers = _take_over()
    _limit(json.loads(os.environ.pop(LIMITS, "{}")))
    _die_with_parent(int(os.environ.pop(PARENT, "0")))
    waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(tasks, waiting), daemon=True).start()
    while True:
        _answer(json.loads(waiting.get()), handle, answers)


def _answer(message: Mapping[str, Any], handle: Handle, answers: BinaryIO) -> None:
    number = message["id"]

    def progress(done: float, note: str = "") -> None:
        _send(answers, {"id": number, "progress": float(done), "note": note})

    _allow_cpu(message.get("cpu_seconds"))
    try:
        reply: dict[str, Any] = {"id": number, "result": handle(message["task"], progress)}
    except ClipbuildError as error:
        facts = [[str(name), str(value)] for name, value in error.facts]
        told = {"class": type(error).__name__, "what": error.what, "facts": facts, "hint": error.hint}
        reply = {"id": number, "error": told}
    except MemoryError:
        reply = {"id": number, "error": {"class": "MemoryError", "what": "ran out of the memory it may use"}}
    except Exception as error:  # a fault of ours: told with its place, the worker goes on
        reply = {"id": number, "error": _unforeseen(error)}
    _send(answers, reply)


def _unforeseen(error: Exception) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""
    traceback.print_exc(file=sys.stderr)
    return {"class": type(error).__name__, "what": shown(error) or type(error).__name__, "facts": [["at", place]]}


def _take_over() -> tuple[BinaryIO, BinaryIO]:
    """The pipes to the parent under private descriptors: what a library prints or a child reads can't reach them."""
    tasks, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return tasks, answers


def _send(answers: BinaryIO, message: Mapping[str, Any]) -> None:
    answers.write(json.dumps(message, ensure_ascii=True).encode() + b"\n")
    answers.flush()


def _listen(tasks: BinaryIO, waiting: "queue.SimpleQueue[bytes]") -> None:
    """Hand on each task; when the pipe ends the parent is gone, and so are we with all our children."""
    for line in tasks:
        waiting.put(line)
    _end()


def _end() -> None:
    if os.getpgid(0) == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _die_with_parent(parent: int) -> None:
    """Ask the kernel to tell us when the parent dies, even while we are busy: the handler takes our children along."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    signal.signal(signal.SIGUSR1, lambda *_: _end())
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PDEATHSIG, signal.SIGUSR1, 0, 0, 0)
    if parent and os.getppid() != parent:
        _end()


def _limit(limits: Mapping[str, int]) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for name, kind in (("memory_bytes", resource.RLIMIT_AS), ("file_bytes", resource.RLIMIT_FSIZE)):
        if limits.get(name):
            resource.setrlimit(kind, (limits[name], limits[name]))


def _allow_cpu(seconds: float | None) -> None:
    """The limit counts over the life of a process, so each task gets what was used so far and its own share."""
    if seconds:
        used = resource.getrusage(resource.RUSAGE_SELF)
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime + seconds) + 1, hard))
