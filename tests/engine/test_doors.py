"""The doors to a shared cache: named bytes come back as they went in, a name is never given twice, and nothing is believed."""

import hashlib
import os
import pathlib

import pytest

from clipbuild.engine.doors import Folder, Unreachable, Web, open_door, where
from clipbuild.errors import UsageError


@pytest.fixture
def blob(tmp_path: pathlib.Path) -> tuple[str, str, str]:
    """A file, its digest and its name in a cache."""
    path = tmp_path / "blob"
    path.write_bytes(b"bytes " * 1000)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return str(path), digest, f"cas/{digest}"


def taken(door: Folder, name: str, limit: int = 1 << 20) -> bytes | None:
    """What is there under a name."""
    found: list[bytes] = []
    return b"".join(found) if door.read(name, found.append, limit) else None


def test_a_folder_gives_back_what_it_was_given(tmp_path: pathlib.Path, blob: tuple[str, str, str]) -> None:
    """Nothing before, size and bytes after, read-only, and no temporary is left."""
    path, digest, name = blob
    door = Folder(str(tmp_path / "cache"))
    assert (door.size(name), taken(door, name)) == (None, None)
    assert door.write(name, path, digest)
    assert (door.size(name), taken(door, name)) == (6000, pathlib.Path(path).read_bytes())
    there = [p for p in (tmp_path / "cache").rglob("*") if p.is_file()]
    assert [p.name for p in there] == [digest]
    assert there[0].stat().st_mode & 0o777 == 0o444


def test_a_name_is_never_given_twice(tmp_path: pathlib.Path, blob: tuple[str, str, str]) -> None:
    """Who comes second is told so, and what is there stays, also where it is a link to nowhere."""
    path, digest, name = blob
    door = Folder(str(tmp_path / "cache"))
    (tmp_path / "other").write_bytes(b"other")
    assert door.write(name, str(tmp_path / "other"), digest)
    assert not door.write(name, path, digest)
    assert taken(door, name) == b"other"
    second = f"ac/{digest}"
    place = tmp_path / "cache" / "ac" / digest[:2] / digest
    place.parent.mkdir(parents=True)
    place.symlink_to("/nowhere")
    assert not door.write(second, path, digest)


def test_what_is_there_is_not_believed(tmp_path: pathlib.Path, blob: tuple[str, str, str]) -> None:
    """More than was asked for, a link, a folder in its place, a cache that is none: unreachable, never an answer."""
    path, digest, name = blob
    door = Folder(str(tmp_path / "cache"))
    door.write(name, path, digest)
    with pytest.raises(Unreachable, match="more than 5999 bytes"):
        taken(door, name, 5999)
    place = tmp_path / "cache" / "cas" / digest[:2] / digest
    os.unlink(place)
    place.symlink_to(path)
    with pytest.raises(Unreachable):
        taken(door, name)
    os.unlink(place)
    place.mkdir()
    with pytest.raises(Unreachable):
        taken(door, name)
    with pytest.raises(Unreachable):
        Folder(path).write(name, path, digest)


def test_addresses(tmp_path: pathlib.Path) -> None:
    """A path, file:// and http(s):// are doors; anything else is refused; what is shown has no user and no query."""
    assert isinstance(open_door(str(tmp_path), {}), Folder)
    assert isinstance(open_door(f"file://{tmp_path}", {}), Folder)
    assert isinstance(open_door("https://cache.example/a", {}), Web)
    for wrong in ("ftp://cache.example", "http://", "file://host/x"):
        with pytest.raises(UsageError, match="not a folder"):
            open_door(wrong, {})
    assert where("https://user:secret@cache.example:8443/a?token=x") == "https://cache.example:8443/a"


def test_nobody_there_is_told_at_once() -> None:
    """A port that nobody listens on: unreachable, without waiting or trying again."""
    slept: list[float] = []
    with pytest.raises(Unreachable):
        Web("http://127.0.0.1:9", sleep=slept.append).size("cas/" + "0" * 64)
    assert slept == []
