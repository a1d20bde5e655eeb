"""What was saved arrives in settled batches: single saves at once, storms as one, git's work when it is done."""

import asyncio
import os
import pathlib
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from clipbuild.watch.feed import Batch, Gathering, batches, matters

PROBE = "catalog/probe"
"""Written again and again to learn that the feed follows, and as the last of all to learn that everything before it came."""


@dataclass
class Following:
    """What came so far; used from the thread that acts."""

    root: pathlib.Path
    found: list[Batch] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    probed: int = 0

    def take(self, batch: Batch) -> None:
        """A batch came."""
        self.probed += PROBE in batch.paths
        rest = Batch(batch.paths - {PROBE}, batch.everything)
        if rest:
            self.found.append(rest)
            self.times.append(time.monotonic())

    def until(self, holds: Callable[[], Any], again: Callable[[], Any] = lambda: None) -> None:
        """Wait for something to be true; `again` is done over and over meanwhile."""
        end = time.monotonic() + 60
        while not holds():
            assert time.monotonic() < end, self.found
            again()
            time.sleep(0.05)

    def probe(self) -> None:
        """Everything until now has come."""
        before = self.probed
        self.until(lambda: self.probed > before, lambda: (self.root / PROBE).write_text(str(time.monotonic())))

    def paths(self) -> set[str]:
        """Every path that came."""
        return {path for batch in self.found for path in batch.paths}


def collect(root: pathlib.Path, act: Callable[[Following], Any]) -> Following:
    """The batches that come while `act` runs in a thread, all of them, from when the feed is known to follow."""

    async def main() -> Following:
        seen, stop = Following(root), asyncio.Event()

        async def listen() -> None:
            async for batch in batches(Gathering(str(root), "dist"), stop):
                seen.take(batch)

        def acting() -> None:
            seen.probe()
            seen.found.clear()
            seen.times.clear()
            act(seen)
            seen.probe()

        listening = asyncio.create_task(listen())
        try:
            await asyncio.to_thread(acting)
        finally:
            stop.set()
            await asyncio.wait_for(listening, 20)
        return seen

    return asyncio.run(main())


@pytest.fixture
def root(tmp_path: pathlib.Path) -> pathlib.Path:
    """A workspace."""
    for folder in ("catalog", "photos", "dist/tiktok", ".clipbuild", ".git"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "clipbuild.yaml").write_text("a: 1\n")
    (tmp_path / "catalog/a.yaml").write_text("a: 1\n")
    return tmp_path


def test_a_save_is_a_small_batch(root) -> None:
    """The file that was saved, and nothing else is to be looked at."""
    for path in ("catalog/a.yaml", "clipbuild.yaml"):

        def save(seen: Following, path: str = path) -> None:
            (root / path).write_text("a: 2\n")
            seen.until(lambda: seen.found)

        assert set(collect(root, save).found) == {Batch(frozenset({path}))}


def test_an_editor_that_renames_saves_one_file(root) -> None:
    """Write aside, move the old away, rename, remove the backup: as vim and many others do."""

    def save(seen: Following) -> None:
        (root / "catalog/4913").write_text("")
        (root / "catalog/4913").unlink()
        (root / "catalog/a.yaml").rename(root / "catalog/a.yaml~")
        (root / "catalog/.a.yaml.swp").write_text("x")
        (root / "catalog/a.yaml").write_text("a: 3\n")
        (root / "catalog/a.yaml~").unlink()
        seen.until(lambda: seen.found)

    assert collect(root, save).paths() == {"catalog/a.yaml"}


def test_what_is_made_is_not_what_is_saved(root) -> None:
    """The output tree, our own state and git's are nobody's edits."""

    def make(_seen: Following) -> None:
        for path in ("dist/tiktok/a.mp4", ".clipbuild/state.db", ".git/index", "catalog/#a.yaml#", "catalog/b.yaml.swp"):
            (root / path).write_text("x")

    assert collect(root, make).found == []


def test_a_storm_settles_to_few_batches_that_say_look_at_everything(root) -> None:
    """Thousands of files in a burst: few batches, and one more look afterwards."""

    def storm(seen: Following) -> None:
        for n in range(4000):
            (root / f"photos/{n}.png").write_bytes(b"x")
        seen.until(lambda: Batch(everything=True) in seen.found)

    found = collect(root, storm).found
    assert 1 <= len(found) <= 12
    assert any(batch.everything and batch.paths for batch in found)


def test_git_is_let_finish(root) -> None:
    """While it holds its lock nothing is built, however long it pauses."""
    ended: list[float] = []

    def checkout(seen: Following) -> None:
        (root / ".git/index.lock").write_text("")
        (root / "catalog/a.yaml").write_text("half")
        time.sleep(0.8)
        (root / "catalog/b.yaml").write_text("whole")
        ended.append(time.monotonic())
        (root / ".git/index.lock").unlink()
        seen.until(lambda: {"catalog/a.yaml", "catalog/b.yaml"} <= seen.paths())

    seen = collect(root, checkout)
    assert seen.paths() == {"catalog/a.yaml", "catalog/b.yaml"}
    assert all(at >= ended[0] for at in seen.times)


def test_folders_that_come_and_go_are_followed(root) -> None:
    """A new folder at the top, one that is replaced, and a file saved in each afterwards."""

    def replace(seen: Following) -> None:
        (root / "fresh").mkdir()
        seen.until(lambda: any(batch.everything for batch in seen.found))  # what happened in it before is not known
        seen.until(lambda: "fresh/a.png" in seen.paths(), lambda: (root / "fresh/a.png").write_bytes(b"x"))
        shutil.rmtree(root / "catalog")
        (root / "catalog").mkdir()
        seen.until(lambda: "catalog/new.yaml" in seen.paths(), lambda: (root / "catalog/new.yaml").write_text("x"))

    collect(root, replace)


def test_which_paths_matter() -> None:
    """Inputs do; output of every profile, state, caches and editors' leavings do not."""
    for path in ("clipbuild.yaml", "catalog/a.yaml", "photos/x.PNG", "templates/prompts/a.j2", "distant/a.yaml"):
        assert matters(path, "dist"), path
    for path in ("dist/a.mp4", "dist.draft/a.mp4", ".clipbuild/x", "sub/.git/x", "a.yaml~", ".#a.yaml", "x/4913"):
        assert not matters(path, "dist"), path
    assert os.sep == "/"


def test_an_output_folder_beside_inputs_hides_none_of_them() -> None:
    """`output: media/clips`: photos in media/ are heeded, the tree of every profile is not."""
    assert matters("media/photos/a.jpg", "media/clips")
    assert matters("catalog/a.yaml", "catalog.out")
    for path in ("media/clips/tiktok/a.mp4", "media/clips.draft/a.mp4"):
        assert not matters(path, "media/clips"), path
