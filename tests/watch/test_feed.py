"""What was saved arrives in settled batches: single saves at once, storms as one, git's work when it is done."""

import asyncio
import os
import pathlib
import shutil
import time
from collections.abc import Callable

import pytest

from clipbuild.watch.feed import Batch, Gathering, batches, matters


def collect(root: pathlib.Path, act: Callable[[], None], *, seconds: float = 0.5) -> list[Batch]:
    """The batches that come while and after `act` runs in a thread, until none came for `seconds`."""

    async def main() -> list[Batch]:
        found: list[Batch] = []
        stop = asyncio.Event()
        came = asyncio.Event()

        async def listen() -> None:
            async for batch in batches(Gathering(str(root), "dist"), stop):
                found.append(batch)
                came.set()

        listening = asyncio.create_task(listen())
        await asyncio.sleep(0.4)
        await asyncio.to_thread(act)
        while True:
            came.clear()
            try:
                await asyncio.wait_for(came.wait(), seconds)
            except TimeoutError:
                break
        stop.set()
        await asyncio.wait_for(listening, 5)
        return found

    return asyncio.run(main())


@pytest.fixture
def root(tmp_path: pathlib.Path) -> pathlib.Path:
    """A workspace."""
    for folder in ("catalog", "photos", "dist/tiktok", ".clipbuild", ".git"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "clipbuild.yaml").write_text("a: 1\n")
    (tmp_path / "catalog/a.yaml").write_text("a: 1\n")
    return tmp_path


def paths(found: list[Batch]) -> set[str]:
    return {path for batch in found for path in batch.paths}


def test_a_save_is_one_small_batch(root) -> None:
    """The file that was saved, and nothing else is to be looked at."""
    found = collect(root, lambda: (root / "catalog/a.yaml").write_text("a: 2\n") and None)
    assert found == [Batch(frozenset({"catalog/a.yaml"}))]
    found = collect(root, lambda: (root / "clipbuild.yaml").write_text("a: 2\n") and None)
    assert found == [Batch(frozenset({"clipbuild.yaml"}))]


def test_an_editor_that_renames_saves_one_file(root) -> None:
    """Write aside, move the old away, rename, remove the backup: as vim and many others do."""

    def save() -> None:
        (root / "catalog/4913").write_text("")
        (root / "catalog/4913").unlink()
        (root / "catalog/a.yaml").rename(root / "catalog/a.yaml~")
        (root / "catalog/.a.yaml.swp").write_text("x")
        (root / "catalog/a.yaml").write_text("a: 3\n")
        (root / "catalog/a.yaml~").unlink()

    assert paths(collect(root, save)) == {"catalog/a.yaml"}


def test_what_is_made_is_not_what_is_saved(root) -> None:
    """The output tree, our own state and git's are nobody's edits."""

    def make() -> None:
        for path in ("dist/tiktok/a.mp4", ".clipbuild/state.db", ".git/index", "catalog/#a.yaml#", "catalog/b.yaml.swp"):
            (root / path).write_text("x")

    assert collect(root, make, seconds=0.6) == []


def test_a_storm_settles_to_one_batch_that_says_look_at_everything(root) -> None:
    """Thousands of files in a burst: few batches, and one more look afterwards."""

    def storm() -> None:
        for n in range(4000):
            (root / f"photos/{n}.png").write_bytes(b"x")

    found = collect(root, storm, seconds=2.6)
    assert 1 <= len(found) <= 4
    assert found[0].everything
    assert found[-1].everything


def test_git_is_let_finish(root) -> None:
    """While it holds its lock nothing is built, however long it pauses."""
    ended: list[float] = []

    def checkout() -> None:
        (root / ".git/index.lock").write_text("")
        (root / "catalog/a.yaml").write_text("half")
        time.sleep(0.8)
        (root / "catalog/b.yaml").write_text("whole")
        ended.append(time.monotonic())
        (root / ".git/index.lock").unlink()

    found = collect(root, checkout)
    assert len(found) == 1
    assert found[0].paths == {"catalog/a.yaml", "catalog/b.yaml"}


def test_folders_that_come_and_go_are_followed(root) -> None:
    """A new folder at the top, one that is replaced, and a file saved in each afterwards."""

    def replace() -> None:
        (root / "fresh").mkdir()
        time.sleep(1.2)
        (root / "fresh/a.png").write_bytes(b"x")
        shutil.rmtree(root / "catalog")
        time.sleep(0.3)
        (root / "catalog").mkdir()
        time.sleep(1.2)
        (root / "catalog/new.yaml").write_text("x")
        time.sleep(0.3)

    found = collect(root, replace)
    assert any(batch.everything for batch in found), "a folder came: what happened in it before we looked is not known"
    assert {"fresh/a.png", "catalog/new.yaml"} <= paths(found)


def test_which_paths_matter() -> None:
    """Inputs do; output of every profile, state, caches and editors' leavings do not."""
    for path in ("clipbuild.yaml", "catalog/a.yaml", "photos/x.PNG", "templates/prompts/a.j2", "distant/a.yaml"):
        assert matters(path, "dist"), path
    for path in ("dist/a.mp4", "dist.draft/a.mp4", ".clipbuild/x", "sub/.git/x", "a.yaml~", ".#a.yaml", "x/4913"):
        assert not matters(path, "dist"), path
    assert os.sep == "/"
