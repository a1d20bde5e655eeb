"""What a person decided about results: approve, reject, retake; written to the lock and read back by publishing.

A decision is of bytes: it stands for as long as the bytes are the same, whichever key they are made under. Knows
nothing of pages or of how results are made.
"""

import datetime
import fcntl
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from clipbuild import digest
from clipbuild.digest import Digest
from clipbuild.engine.action import Action, Output
from clipbuild.engine.lock import LOCK_FILE, Approval, Lock
from clipbuild.engine.workspace import Workspace
from clipbuild.errors import UsageError, shown

APPROVED, REJECTED = "approved", "rejected"
TEXT_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Subject:
    """What is decided on: an action's name, its key, the bytes that were looked at, and the pair they count for."""

    name: str
    key: Digest
    digest: Digest
    pair: str = ""


@contextmanager
def amending(root: str) -> Iterator[None]:
    """Change the lock file alone: short, and possible while a build runs."""
    place = Workspace(root)
    place.prepare()
    fd = os.open(os.path.join(place.home, "amend"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def amend(root: str, change: Callable[[Lock], Lock]) -> Lock:
    """Read the lock as it is now, change it, write it; nobody else's change is lost. Raises as `Lock.load`."""
    path = os.path.join(root, LOCK_FILE)
    with amending(root):
        return change(Lock.load(path)).save(path)


def decide(root: str, subjects: list[Subject], verdict: str, *, by: str, reason: str = "", at: str = "") -> Lock:
    """Note the verdict on each subject. Raises UsageError for text that the lock can't hold."""
    said, when = _line(reason, "reason"), at or now()
    approvals = [Approval(s.key, s.digest, verdict, by, when, said, s.name, s.pair) for s in subjects]

    def change(lock: Lock) -> Lock:
        for approval in approvals:
            lock = lock.with_approval(approval)
        return lock

    return amend(root, change)


def retake(root: str, base: Digest, because: str) -> int:
    """Mean the next take of a bought action from now on; the next build buys it. Returns the number of that take."""
    said = _line(because, "reason") or "asked for"
    return amend(root, lambda lock: lock.with_take(base, lock.take(base) + 1, said)).take(base)


def base_key(action: Action) -> Digest:
    """What the takes of a bought action have in common: its document without the take and its hint."""
    shape = {n: [i.action, i.name] if isinstance(i, Output) else i for n, i in action.inputs.items()}
    params = {name: value for name, value in action.params.items() if name not in ("take", "hint")}
    return digest.of_document({"stage": action.stage, "params": params, "inputs": shape})


def standing(said: Mapping[Digest, Approval], blob: Digest | None) -> str:
    """approved, rejected or "" for undecided."""
    found = said.get(blob) if blob else None
    return found.verdict if found else ""


def now() -> str:
    """This moment in ISO 8601, UTC."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def person(root: str, environ: Mapping[str, str]) -> str:
    """Who decides: git's user name here, else the login name."""
    told = ""
    with suppress(OSError):  # no git here
        asked = ["git", "-C", root, "config", "user.name"]
        told = subprocess.run(asked, capture_output=True, check=False).stdout.decode("utf-8", "replace").strip()
    return shown(told or environ.get("USER") or environ.get("LOGNAME") or "someone", 80)


def _line(text: str, what: str) -> str:
    line = shown(" ".join(text.split()), TEXT_LIMIT)
    if len(text) > TEXT_LIMIT or len(line) > TEXT_LIMIT:
        raise UsageError(f"the {what} is too long", [("limit", f"{TEXT_LIMIT} characters")], "say it shorter")
    return line
