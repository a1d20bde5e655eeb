"""The tree you ship: what clipbuild made is replaced and removed, what others put there is never touched."""

import os
import pathlib

import pytest

from clipbuild import digest
from clipbuild.errors import IntegrityError, UsageError
from clipbuild.manifest import Manifest
from clipbuild.outputs import MANIFEST, Entry, Tree


@pytest.fixture
def told() -> list[tuple[str, str]]:
    """What the tree said it did."""
    return []


@pytest.fixture
def tree(tmp_path: pathlib.Path, told: list[tuple[str, str]]) -> Tree:
    """An output folder that is not there yet."""
    return Tree(str(tmp_path), "dist", lambda kind, path: told.append((kind, path)))


def blob(tmp_path: pathlib.Path, text: str = "clip") -> str:
    """A blob with these bytes."""
    path = tmp_path / f"blob-{text}"
    path.write_text(text, encoding="utf-8")
    return str(path)


def entry(path: str = "tiktok/a/a.mp4", text: str = "clip") -> Entry:
    """A deliverable of these bytes."""
    name = digest.of_bytes(text.encode())
    return Entry(path, name, len(text), name, "a", "tiktok", "mp4", 1080, 1920, 30, 5.0)


def test_a_file_is_placed_once(tree: Tree, told: list[tuple[str, str]], tmp_path: pathlib.Path) -> None:
    """The second time nothing is written, and nobody is told anything."""
    source = blob(tmp_path)
    assert tree.put(entry(), source, ours=False)
    assert not tree.put(entry(), source, ours=True)
    assert (tmp_path / "dist/tiktok/a/a.mp4").read_text() == "clip"
    assert told == [("written", "tiktok/a/a.mp4")]


def test_the_right_bytes_of_anybody_are_fine(tree: Tree, told: list[tuple[str, str]], tmp_path: pathlib.Path) -> None:
    """A copy that somebody made of the very clip is left as it is."""
    (tmp_path / "dist/tiktok/a").mkdir(parents=True)
    (tmp_path / "dist/tiktok/a/a.mp4").write_text("clip")
    assert not tree.put(entry(), blob(tmp_path), ours=False)
    assert told == []


def test_a_strangers_file_is_never_overwritten(tree: Tree, tmp_path: pathlib.Path) -> None:
    """It is said where it is, and what to do; its bytes stay."""
    (tmp_path / "dist/tiktok/a").mkdir(parents=True)
    (tmp_path / "dist/tiktok/a/a.mp4").write_text("mine")
    with pytest.raises(UsageError, match=r"dist/tiktok/a/a\.mp4: a file that clipbuild did not make") as caught:
        tree.put(entry(), blob(tmp_path), ours=False)
    assert "move it away" in caught.value.hint
    assert (tmp_path / "dist/tiktok/a/a.mp4").read_text() == "mine"


def test_our_own_file_is_mended(tree: Tree, tmp_path: pathlib.Path) -> None:
    """One that was edited by hand, of any length, is put back (I6)."""
    tree.put(entry(), blob(tmp_path), ours=False)
    for damage in ("clap", "longer than before", ""):
        target = tmp_path / "dist/tiktok/a/a.mp4"
        target.unlink()
        target.write_text(damage)
        assert tree.put(entry(), blob(tmp_path), ours=True)
        assert target.read_text() == "clip"


def test_a_link_in_the_way_is_replaced_not_followed(tree: Tree, tmp_path: pathlib.Path) -> None:
    """What the link leads to keeps its bytes (N4)."""
    victim = tmp_path / "victim"
    victim.write_text("keep me")
    (tmp_path / "dist/tiktok/a").mkdir(parents=True)
    (tmp_path / "dist/tiktok/a/a.mp4").symlink_to(victim)
    assert tree.put(entry(), blob(tmp_path), ours=False)
    assert victim.read_text() == "keep me"
    assert not (tmp_path / "dist/tiktok/a/a.mp4").is_symlink()


@pytest.mark.parametrize("path", ["../x.mp4", "a/../../x.mp4", "/etc/x.mp4"])
def test_nothing_is_placed_outside(tree: Tree, tmp_path: pathlib.Path, path: str) -> None:
    """A path that leads out of the tree is refused, whoever wrote it (I7)."""
    with pytest.raises((IntegrityError, UsageError, ValueError)):
        tree.put(entry(path), blob(tmp_path), ours=True)
    assert not (tmp_path / "x.mp4").exists()


def test_a_file_where_a_folder_must_be(tree: Tree, tmp_path: pathlib.Path) -> None:
    """It is told as an error with a hint, and the file stays."""
    (tmp_path / "dist/tiktok").mkdir(parents=True)
    (tmp_path / "dist/tiktok/a").write_text("mine")
    with pytest.raises(UsageError, match="its folder can't be made"):
        tree.put(entry(), blob(tmp_path), ours=False)
    assert (tmp_path / "dist/tiktok/a").read_text() == "mine"


def test_ready_says_beforehand_that_nothing_can_be_written(tree: Tree, tmp_path: pathlib.Path) -> None:
    """A file in the place of the tree is found before the work (F7); a tree that is still to be made is fine."""
    tree.ready()
    assert not (tmp_path / "dist").exists()
    (tmp_path / "dist").write_text("mine")
    with pytest.raises(UsageError, match="dist: no folder"):
        tree.ready()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_ready_in_a_read_only_folder(tree: Tree, tmp_path: pathlib.Path) -> None:
    """The hint is the command that mends it."""
    (tmp_path / "dist").mkdir(mode=0o500)
    with pytest.raises(UsageError, match="can't be written to") as caught:
        tree.ready()
    assert "chmod u+w" in caught.value.hint


def test_dropping_takes_empty_folders_along(tree: Tree, told: list[tuple[str, str]], tmp_path: pathlib.Path) -> None:
    """Folders that became empty go, up to the tree itself; one with a stranger's file stays with it."""
    for path in ("tiktok/a/a.mp4", "tiktok/b/b.mp4", "reels/a/a.mp4"):
        tree.put(entry(path), blob(tmp_path), ours=False)
    (tmp_path / "dist/tiktok/b/notes.txt").write_text("mine")
    told.clear()
    tree.drop(["tiktok/a/a.mp4", "tiktok/b/b.mp4", "reels/a/a.mp4", "reels/never/there.mp4"])
    left = sorted(str(p.relative_to(tmp_path / "dist")) for p in (tmp_path / "dist").rglob("*"))
    assert left == ["tiktok", "tiktok/b", "tiktok/b/notes.txt"]
    assert told == [("removed", "tiktok/a/a.mp4"), ("removed", "tiktok/b/b.mp4"), ("removed", "reels/a/a.mp4")]


def test_a_folder_in_the_place_of_a_file_is_not_dropped(tree: Tree, tmp_path: pathlib.Path) -> None:
    """The manifest says a file; what is a folder now is somebody else's."""
    (tmp_path / "dist/tiktok/a/a.mp4").mkdir(parents=True)
    (tmp_path / "dist/tiktok/a/a.mp4/mine.txt").write_text("mine")
    tree.drop(["tiktok/a/a.mp4"])
    assert (tmp_path / "dist/tiktok/a/a.mp4/mine.txt").read_text() == "mine"


def test_the_manifest_is_written_when_it_differs(tree: Tree, tmp_path: pathlib.Path) -> None:
    """The same rows leave the file alone: its time tells no change."""
    table = Manifest.of([entry().plain()])
    tree.save(table)
    path = tmp_path / "dist" / MANIFEST
    before = path.stat().st_ino
    tree.save(Manifest.of([entry().plain()]))
    assert path.stat().st_ino == before
    tree.save(Manifest.of([entry("tiktok/b/b.mp4").plain()]))
    assert path.stat().st_ino != before
    assert list(tree.recorded()) == ["tiktok/b/b.mp4"]


def test_paths_as_seen_from_the_workspace(tree: Tree) -> None:
    """With the folder before them and forward slashes."""
    assert tree.name == "dist"
    assert tree.below(["a/b.mp4"]) == ["dist/a/b.mp4"]


def test_digest_of_what_is_there(tree: Tree, tmp_path: pathlib.Path) -> None:
    """None for what is absent, a link or a folder."""
    tree.put(entry(), blob(tmp_path), ours=False)
    (tmp_path / "dist/link").symlink_to(tmp_path / "dist/tiktok/a/a.mp4")
    assert tree.digest("tiktok/a/a.mp4") == entry().sha256
    assert [tree.digest(path) for path in ("link", "tiktok", "nosuch")] == [None, None, None]
