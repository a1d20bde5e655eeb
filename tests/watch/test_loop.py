"""The loop between saves and builds: a batch is believed for a moment only, and what was wrong is told once it is mended."""

import asyncio
import os
import pathlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from clipbuild import build as builder
from clipbuild import events
from clipbuild.engine.workspace import Workspace
from clipbuild.settings import Settings
from clipbuild.shift import LongShift
from clipbuild.watch import loop
from clipbuild.watch.feed import Batch
from clipbuild.wish import Wish
from tests.support.project import Project


@dataclass
class Told:
    """What the loop tells, and the saves it is handed."""

    saves: "asyncio.Queue[Batch]" = field(default_factory=asyncio.Queue)
    ran: list[str] = field(default_factory=list)
    builds: int = 0
    wrong: list[str] = field(default_factory=list)
    mended: int = 0

    def __call__(self, event: events.Event) -> None:
        if isinstance(event, events.ActionFinished):
            self.ran.append(event.name)
        self.builds += isinstance(event, events.BuildFinished)

    def well(self) -> None:
        self.mended += 1

    async def feed(self) -> AsyncIterator[Batch]:
        """The saves, as they are handed over."""
        while True:
            yield await self.saves.get()

    async def until(self, holds: Callable[[], Any], seconds: float = 60.0) -> None:
        """Wait for something to be true."""
        async with asyncio.timeout(seconds):
            while not holds():
                await asyncio.sleep(0.01)


def looping(project: Project, act: Callable[[Told], Any]) -> None:
    """Run the loop over the project while `act` hands it saves."""

    async def main() -> None:
        told, stop = Told(), asyncio.Event()
        watch = loop.Watch(
            Wish(str(project.root), profile="draft"), Settings(), builder.Options(2),
            loop.Tellers(told, told.wrong.append, told.well), LongShift(Workspace(str(project.root))),
        )  # fmt: skip
        running = asyncio.create_task(watch.run(told.feed(), stop))
        try:
            await told.until(lambda: told.builds)
            await act(told)
        finally:
            stop.set()
            await asyncio.wait_for(running, 60)

    asyncio.run(main())


@pytest.fixture
def project(tmp_path: pathlib.Path) -> Project:
    """Two products, built."""
    made = Project(tmp_path / "p")
    made.sample(2)
    assert made.build().status == 0
    return made


def test_a_batch_says_where_to_look_and_what_it_left_out_is_found_soon(project: Project) -> None:
    """Two photos are saved and one event is lost: its clip is made in the look that follows when nothing more comes."""

    async def act(told: Told) -> None:
        project.photo("photos/p0.png", "#00aa55")
        project.photo("photos/p1.png", "#aa0055")
        told.saves.put_nowait(Batch(frozenset({"photos/p0.png"})))
        await told.until(lambda: told.builds == 2)
        assert {name.split("/")[0] for name in told.ran} == {"item-0"}
        await told.until(lambda: told.builds == 3)
        assert {name.split("/")[0] for name in told.ran} == {"item-0", "item-1"}
        count = told.builds
        await asyncio.sleep(loop.IDLE_SECONDS + 0.5)
        assert told.builds == count, "once everything was looked at, nothing is looked at again"

    looping(project, act)
    assert project.build().ran == []


def test_a_batch_that_may_not_be_whole_is_a_look_at_everything(project: Project) -> None:
    """Nothing is named, and yet both clips and a file that went from the tree are made again."""

    async def act(told: Told) -> None:
        project.photo("photos/p1.png", "#aa0055")
        (project.tree / "tiktok/item-0/item-0.srt").unlink()
        told.saves.put_nowait(Batch(everything=True))
        await told.until(lambda: told.builds == 2)
        assert {name.split("/")[0] for name in told.ran} == {"item-1"}
        assert os.path.exists(project.tree / "tiktok/item-0/item-0.srt")

    looping(project, act)


def test_what_is_wrong_is_told_and_so_is_that_it_is_mended(project: Project) -> None:
    """After an error nothing is believed: the next build looks at everything."""

    async def act(told: Told) -> None:
        good = (project.root / "catalog/all.yaml").read_text()
        project.write("catalog/all.yaml", good.replace("captions:", "kaptions:"))
        told.saves.put_nowait(Batch(frozenset({"catalog/all.yaml"})))
        await told.until(lambda: told.wrong)
        assert "catalog/all.yaml:5" in told.wrong[0]
        project.photo("photos/p1.png", "#aa0055")
        project.write("catalog/all.yaml", good)
        told.saves.put_nowait(Batch(frozenset({"catalog/all.yaml"})))
        await told.until(lambda: told.mended)
        assert {name.split("/")[0] for name in told.ran} == {"item-1"}

    looping(project, act)
