"""Puts a watch together: the feed of saves, the loop of builds, the screen and its page.

Knows nothing of terminals.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from clipbuild import build as builder
from clipbuild import events, planning
from clipbuild.engine.workspace import Workspace
from clipbuild.errors import ClipbuildError
from clipbuild.settings import Settings
from clipbuild.shift import LongShift
from clipbuild.watch.feed import Gathering, batches
from clipbuild.watch.loop import Tellers, Watch
from clipbuild.watch.screen import Screen
from clipbuild.wish import Wish


@dataclass(frozen=True, slots=True)
class Asked:
    """What to watch; `port` -1: no page, 0: any."""

    wish: Wish
    settings: Settings
    jobs: int = 0
    port: int = 0


class Teller(Protocol):
    """Somebody who is told what happens."""

    def __call__(self, event: events.Event) -> None: ...

    def wrong(self, text: str) -> None: ...

    def well(self) -> None: ...


async def run(
    asked: Asked, lines: Teller, ready: Callable[[str], None], stop: asyncio.Event | None = None
) -> int:
    """Watch until interrupted or `stop`; `ready` is given the page's address, "" without one. The exit status.

    Raises UsageError.
    """
    stop = stop or asyncio.Event()
    _on_signals(stop)
    output = _output(asked)
    screen = Screen(os.path.join(asked.wish.root, output))
    shift = LongShift(Workspace(asked.wish.root))
    serving = _serve(asked, screen, stop, ready)
    tellers = Tellers(_both(lines, screen), _both(lines.wrong, screen.wrong), _all(lines.well, screen.well))
    options = builder.Options(asked.jobs, locked=True)
    try:
        gathering = Gathering(asked.wish.root, output.removesuffix(f".{asked.wish.profile}"))
        await Watch(asked.wish, asked.settings, options, tellers, shift).run(batches(gathering, stop), stop)
    finally:
        stop.set()
        if serving is not None:
            await serving
    return 0


def _serve(
    asked: Asked, screen: Screen, stop: asyncio.Event, ready: Callable[[str], None]
) -> "asyncio.Task[None] | None":
    if asked.port < 0:
        ready("")
        return None
    from clipbuild.gallery.server import listen
    from clipbuild.watch.page import Page

    page = Page(screen, os.path.basename(asked.wish.root), listen(asked.port))
    screen.changed = page.told
    screen.fill()
    ready(page.address)
    return asyncio.create_task(page.serve(stop))


def _output(asked: Asked) -> str:
    """The output folder of this profile, also while the catalog is wrong."""
    with contextlib.suppress(ClipbuildError):
        session = planning.open_session(asked.wish, asked.settings)
        try:
            return os.path.relpath(session.tree.top, asked.wish.root).replace(os.sep, "/")
        finally:
            session.close()
    return f"dist.{asked.wish.profile}"


def _on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, stop.set)


def _both(one: Callable[..., None], other: Callable[..., None]) -> Callable[..., None]:
    def told(value: object) -> None:
        one(value)
        other(value)

    return told


def _all(one: Callable[[], None], other: Callable[[], None]) -> Callable[[], None]:
    def told() -> None:
        one()
        other()

    return told
