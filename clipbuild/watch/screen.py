"""What the preview page shows, as data: what is going on, what is wrong, and the clips that were made last.

Listens to a build's events, in the thread that builds; the page asks from another. Knows nothing of HTML.
"""

import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from clipbuild import digest, events
from clipbuild.errors import shown
from clipbuild.outputs import MANIFEST

SHOWN = 24
"""So many clips at once."""
WATCHING, BUILDING, WRONG = "watching", "building", "wrong"


@dataclass(frozen=True, slots=True)
class Made:
    """One encode of one clip: its bytes, its cover's, and the platforms that have them."""

    clip: str
    platforms: tuple[str, ...]
    video: str
    cover: str = ""
    at: float = 0.0

    def plain(self) -> dict[str, Any]:
        """As JSON data."""
        return {"clip": self.clip, "platforms": list(self.platforms), "video": self.video, "cover": self.cover}


@dataclass(slots=True)
class Screen:
    """`top` is the output tree. `changed` is called, from any thread, when there is something new to see."""

    top: str
    changed: Callable[[], None] = lambda: None
    phase: str = WATCHING
    done: int = 0
    total: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)
    made: list[Made] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    """Where the bytes of a digest are that the page may show."""
    refused: bool = False
    """The project as it is can't be built: that, and no failure of a step, is what `problems` says."""
    _written: list[str] = field(default_factory=list)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, event: events.Event) -> None:
        with self._guard:
            told = self._note(event)
        if told:
            self.changed()

    def _note(self, event: events.Event) -> bool:
        match event:
            case events.BuildStarted():
                self.phase, self.done, self.total = BUILDING, 0, event.will_run + event.may_run
                self.problems, self._written, self.refused = [], [], False
            case events.ActionFinished() | events.ActionSkipped():
                self.done += 1
            case events.ActionFailed():
                self.problems.append(event.error)
            case events.DeliverableWritten():
                self._written.append(event.path)
                return False
            case events.TreeReady():
                self._take(self._written)
            case events.BuildFinished():
                self.phase, self.seconds = WRONG if self.problems else WATCHING, event.seconds
            case _:
                return False
        return True

    def wrong(self, text: str) -> None:
        """The project can't be built as it is: shown with its place, until a save mends it."""
        with self._guard:
            self.phase, self.problems, self.refused = WRONG, [text], True
        self.changed()

    def well(self) -> None:
        """The project can be built again; what failed in the build that found it out stays."""
        with self._guard:
            if self.refused:
                self.phase, self.problems, self.refused = WATCHING, [], False
        self.changed()

    def fill(self) -> None:
        """Show what an earlier build made."""
        try:
            with open(os.path.join(self.top, MANIFEST), "rb") as file:
                rows = json.loads(file.read())["deliverables"]
            paths = [str(row["path"]) for row in rows if row["kind"] == "mp4"][: 3 * SHOWN]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return
        with self._guard:
            self._take(paths)
        self.changed()

    def state(self) -> dict[str, Any]:
        """Everything, as JSON data."""
        with self._guard:
            return {
                "phase": self.phase, "done": self.done, "total": self.total, "seconds": round(self.seconds, 2),
                "problems": [shown(text, 4000).replace("\\x0a", "\n") for text in self.problems[:10]],
                "clips": [made.plain() for made in self.made],
            }  # fmt: skip

    def file(self, name: str) -> str | None:
        """Where the bytes of a digest are, for one that is shown."""
        with self._guard:
            return self.files.get(name)

    def _take(self, paths: list[str]) -> None:
        """Clips that were just written come first; platforms with the same bytes are one."""
        fresh: dict[tuple[str, str], Made] = {}
        for path in sorted(path for path in paths if path.endswith(".mp4"))[: 4 * SHOWN]:
            platform, _, name = path.partition("/")
            whole = os.path.join(self.top, path)
            try:
                video = digest.of_file(whole)
            except OSError:
                continue
            clip = os.path.basename(name).removesuffix(".mp4")
            known = fresh.get((clip, video))
            if known is not None:
                fresh[clip, video] = replace(known, platforms=(*known.platforms, platform))
                continue
            self.files[video] = whole
            fresh[clip, video] = Made(clip, (platform,), video, self._cover(whole), time.monotonic())
        gone = {(made.clip, platform) for made in fresh.values() for platform in made.platforms}
        rest = [made for made in self.made if not any((made.clip, platform) in gone for platform in made.platforms)]
        self.made = [*fresh.values(), *rest][:SHOWN]
        kept = {name for made in self.made for name in (made.video, made.cover)}
        self.files = {name: path for name, path in self.files.items() if name in kept}

    def _cover(self, video: str) -> str:
        cover = f"{video.removesuffix('.mp4')}.jpg"
        try:
            name = digest.of_file(cover)
        except OSError:
            return ""
        self.files[name] = cover
        return name
