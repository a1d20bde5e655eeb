"""What this user's other workspaces spent in a month, as their mirrors in the state folder tell it, now.

Read anew at each question, from where the last reading ended. Two workspaces that ask at once take turns at the lock
that the journal holds while it permits. Knows nothing of caps or of this workspace's own journal.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal

from clipbuild.engine import files
from clipbuild.engine.action import Trace
from clipbuild.providers.records import ZERO, Replay, from_line

_NO_FOLLOW = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW


@dataclass(slots=True)
class Mirror:
    """One mirror, as far as it was read."""

    inode: int = 0
    offset: int = 0
    replay: Replay = field(default_factory=Replay)

    def read(self, path: str) -> None:
        """Take its new whole lines; from the beginning when it was written anew. Raises OSError."""
        with open(os.open(path, _NO_FOLLOW), "rb") as file:
            there = os.fstat(file.fileno())
            if there.st_ino != self.inode or there.st_size < self.offset:
                self.inode, self.offset, self.replay = there.st_ino, 0, Replay()
            if there.st_size == self.offset:
                return
            file.seek(self.offset)
            whole, newline, _ = file.read().rpartition(b"\n")
        self.offset += len(whole) + len(newline)
        for line in whole.split(b"\n"):
            with suppress(ValueError):
                self.replay.add(from_line(line))


class Elsewhere:
    """The mirrors beside `own` ("": there are none)."""

    def __init__(self, own: str = "") -> None:
        self._folder, self._own = os.path.split(own)
        self._mirrors: dict[str, Mirror] = {}
        self.unread: dict[str, str] = {}
        """What could not be read at the last question, and why."""

    def spent(self, month: str, own: Replay | None = None) -> Decimal:
        """What was spent, or may have been, in `month` ("2025-01"), beside what `own` knows. A copy of a workspace has its
        jobs in its journal as well: they count once."""
        counted, total = [own] if own is not None else [], ZERO
        for replay in self._replays():
            twice = max((replay.shared_in_month(month, other) for other in counted), default=ZERO)
            total += replay.spent_in_month(month) - twice
            counted.append(replay)
        return total

    def knows(self, trace: Trace) -> bool:
        """Whether one of them bought this: a lock that came with a clone tells of it too."""
        provider, job = trace.facts.get("provider", ""), trace.facts.get("job", "")
        return bool(job) and any(any(mirror.replay.named(provider, job)) for mirror in self._mirrors.values())

    def _replays(self) -> Iterator[Replay]:
        listed = os.listdir(self._folder) if self._own and os.path.isdir(self._folder) else []
        names = [name for name in listed if name != self._own and not files.is_temporary(name)]
        self.unread.clear()
        for name in names:
            path, mirror = os.path.join(self._folder, name), self._mirrors.setdefault(name, Mirror())
            try:
                mirror.read(path)
            except FileNotFoundError:
                pass
            except OSError as error:
                if not os.path.islink(path):
                    self.unread[path] = error.strerror or str(error)
        for name in self._mirrors.keys() - set(names):
            del self._mirrors[name]
        return (mirror.replay for mirror in self._mirrors.values())
