"""A project that is watched while a test acts in another thread."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from clipbuild import events as facts
from clipbuild.settings import Settings
from clipbuild.watch import start
from clipbuild.wish import Wish
from tests.support.project import Project


@dataclass
class Seen:
    """What was told while watching, and the page's address."""

    address: str = ""
    events: list[facts.Event] = field(default_factory=list)
    wrongs: list[str] = field(default_factory=list)
    mended: int = 0

    def __call__(self, event: facts.Event) -> None:
        self.events.append(event)

    def wrong(self, text: str) -> None:
        self.wrongs.append(text)

    def well(self) -> None:
        self.mended += 1

    def of(self, *kinds: type[facts.Event]) -> list[Any]:
        """The events of these kinds."""
        return [event for event in list(self.events) if isinstance(event, kinds)]

    def ran(self) -> list[str]:
        """The actions that ended well."""
        return [event.name for event in self.of(facts.ActionFinished)]

    def until(self, holds: Callable[[], Any], seconds: float = 90.0) -> None:
        """Wait for something to be true."""
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, (self.wrongs, self.events[-5:])
            time.sleep(0.005)

    def idle(self, builds: int) -> None:
        """Wait until so many builds ended."""
        self.until(lambda: len(self.of(facts.BuildFinished)) >= builds)


def watching(project: Project, act: Callable[[Seen], Any], *, page: bool = False, profile: str = "draft", jobs: int = 2) -> Seen:
    """Watch while `act` runs in a thread; what was seen."""
    seen = Seen()

    async def main() -> None:
        stop = asyncio.Event()
        asked = start.Asked(Wish(str(project.root), profile=profile), Settings(), jobs, 0 if page else -1)

        def ready(address: str) -> None:
            seen.address = address or "none"

        running = asyncio.create_task(start.run(asked, seen, ready, stop))

        def acting() -> None:
            seen.until(lambda: seen.address)
            act(seen)

        try:
            await asyncio.to_thread(acting)
        finally:
            stop.set()
            await asyncio.wait_for(running, 60)

    asyncio.run(main())
    return seen
