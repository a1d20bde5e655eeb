"""Which template is meant by a name, and which files are none."""

import os
import pathlib

import pytest

from clipbuild.planner.shelf import SHIPPED, SOURCE_LIMIT, Disk, RefusedError, Shelf
from tests.support.templates import Memory


@pytest.fixture
def shipped(tmp_path: pathlib.Path) -> str:
    """A shipped folder with two templates."""
    folder = tmp_path / "shipped"
    folder.mkdir()
    (folder / "packshot.j2").write_text("shipped", encoding="utf-8")
    (folder / "card.j2").write_text("card", encoding="utf-8")
    return str(folder)


def test_the_nearest_one_wins(shipped: str) -> None:
    """The project's folders in their order, then what ships."""
    files = {"brand/packshot.j2": "brand", "own/packshot.j2": "own", "own/extra.j2": "extra"}
    shelf = Shelf(["own", "brand"], Memory(dict(files)), shipped)
    assert shelf.find("packshot.j2") == ("own/packshot.j2", "own")
    assert shelf.find("extra.j2") == ("own/extra.j2", "extra")
    assert shelf.find("card.j2") == (f"{SHIPPED}card.j2", "card")


def test_the_shipped_one_can_be_named(shipped: str) -> None:
    """`clipbuild/…` is what ships, also where the project has its own."""
    shelf = Shelf(["own"], Memory({"own/packshot.j2": "own"}), shipped)
    assert shelf.find("clipbuild/packshot.j2") == ("clipbuild/packshot.j2", "shipped")


@pytest.mark.parametrize(
    "name",
    ["../secret.j2", "/etc/passwd", "a/b.j2", "packshot", ".hidden.j2", "", "x.j2\n", "clipbuild/../packshot.j2", "a" * 90 + ".j2",
     "pack\u202eshot.j2", "clipbuild/clipbuild/card.j2"],
)  # fmt: skip
def test_what_is_no_name(shipped: str, name: str) -> None:
    """A name is a plain file name: no path, no hidden file, nothing invisible (J2, N1)."""
    door = Memory({})
    with pytest.raises(RefusedError, match="no template name|no template"):
        Shelf(["own"], door, shipped).find(name)
    assert not any(".." in path or path.startswith("/") for path in door.asked)


def test_one_that_is_not_there(shipped: str) -> None:
    """Told with those that are, the project's and the shipped ones."""
    with pytest.raises(RefusedError) as caught:
        Shelf(["own"], Memory({"own/mine.j2": "x"}), shipped).find("gone.j2")
    assert caught.value.hint == "there are clipbuild/card.j2, clipbuild/packshot.j2, mine.j2"


@pytest.mark.parametrize(
    ("data", "what", "line"),
    [(b"x" * (SOURCE_LIMIT + 1), "larger than 256 KiB", 0), (b"ok\nno \xff", "not UTF-8", 0), (b"a\nb\0c", "NUL", 2)],
)
def test_what_is_no_text(shipped: str, data: bytes, what: str, line: int) -> None:
    """Too large, not UTF-8, or with a NUL: refused with the file and, where there is one, the line (L4)."""
    shelf = Shelf(["own"], Memory({"own/a.j2": data}), shipped)
    with pytest.raises(RefusedError, match=what) as caught:
        shelf.find("a.j2")
    assert (caught.value.file, caught.value.line) == ("own/a.j2", line)


def test_a_mark_at_the_beginning_is_not_text(shipped: str) -> None:
    """The byte order mark that some editors write is not part of the prompt."""
    assert Shelf(["own"], Memory({"own/a.j2": b"\xef\xbb\xbfhi"}), shipped).find("a.j2")[1] == "hi"


def test_sources_are_all_that_a_prompt_may_come_from(shipped: str) -> None:
    """Every template, own and shipped; files of other kinds are not templates."""
    files = {"own/a.j2": "1", "own/notes.txt": "2", "own/.x.j2": "3"}
    found = dict(Shelf(["own"], Memory(dict(files)), shipped).sources())
    assert found == {"own/a.j2": "1", "clipbuild/card.j2": "card", "clipbuild/packshot.j2": "shipped"}


@pytest.mark.parametrize("what", ["file", "folder"])
def test_links_are_refused(tmp_path: pathlib.Path, shipped: str, what: str) -> None:
    """Neither a template nor its folder may be a link: it might lead out of the project (J2, N3)."""
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "a.j2").write_text("secret", encoding="utf-8")
    root = tmp_path / "project"
    (root / "templates").mkdir(parents=True)
    if what == "folder":
        (root / "templates" / "prompts").symlink_to(secret)
    else:
        (root / "templates" / "prompts").mkdir()
        (root / "templates" / "prompts" / "a.j2").symlink_to(secret / "a.j2")
    shelf = Shelf(["templates/prompts"], Disk(str(root)), shipped)
    for read in (lambda: shelf.find("a.j2"), lambda: list(shelf.sources())):
        with pytest.raises(RefusedError, match="link"):
            read()


def test_the_plain_door(tmp_path: pathlib.Path) -> None:
    """Names are sorted, a missing folder has none; a pipe is refused and not waited for."""
    (tmp_path / "b").write_bytes(b"2")
    (tmp_path / "a").write_bytes(b"1")
    os.mkfifo(tmp_path / "pipe")
    door = Disk(str(tmp_path))
    assert door.names(".") == ["a", "b", "pipe"]
    assert door.names("nosuch") == []
    assert (door.exists("a"), door.exists("c"), door.read("a")) == (True, False, b"1")
    with pytest.raises(OSError, match="no regular file"):
        door.read("pipe")
