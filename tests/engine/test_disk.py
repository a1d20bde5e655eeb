"""The real disk behind the door: what the bare calls do where it matters."""

import errno
import os
import pathlib

import pytest

from clipbuild.engine.disk import DISK, Os


def test_a_link_is_linked_not_followed(tmp_path: pathlib.Path) -> None:
    """A symbolic link at the source becomes a second name of the link: what it leads to gains no name (N4)."""
    secret = tmp_path / "secret"
    secret.write_text("x", encoding="utf-8")
    (tmp_path / "alias").symlink_to(secret)
    folder = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        DISK.link(str(tmp_path / "alias"), "new", dst_dir_fd=folder)
    finally:
        os.close(folder)
    assert (tmp_path / "new").is_symlink()
    assert secret.stat().st_nlink == 1


def test_a_link_never_replaces(tmp_path: pathlib.Path) -> None:
    """A name that is taken is refused: create-only rests on it (S4)."""
    (tmp_path / "a").write_text("a", encoding="utf-8")
    (tmp_path / "b").write_text("b", encoding="utf-8")
    folder = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with pytest.raises(FileExistsError):
            DISK.link(str(tmp_path / "a"), "b", dst_dir_fd=folder)
    finally:
        os.close(folder)
    assert (tmp_path / "b").read_text(encoding="utf-8") == "b"


def test_clone_shares_or_says_that_it_can_not(tmp_path: pathlib.Path) -> None:
    """True with the very bytes, or False with an untouched target: whoever asks copies then."""
    (tmp_path / "a").write_bytes(b"clip" * 4096)
    with open(tmp_path / "a", "rb") as source, open(tmp_path / "b", "wb") as target:
        shared = DISK.clone(source.fileno(), target.fileno())
    assert (tmp_path / "b").read_bytes() == ((tmp_path / "a").read_bytes() if shared else b"")


def test_a_clone_that_fails_for_another_reason_is_told(tmp_path: pathlib.Path) -> None:
    """A closed file is no file system that lacks the call."""
    with pytest.raises(OSError) as caught:
        DISK.clone(9999, 9998)
    assert caught.value.errno == errno.EBADF


def test_flush_all(tmp_path: pathlib.Path) -> None:
    """It ends for an open file; a closed one is an error, not silence."""
    with open(tmp_path / "a", "wb") as file:
        DISK.flush_all(file.fileno())
    with pytest.raises(OSError, match="can't be flushed"):
        DISK.flush_all(9999)


def test_every_call_of_the_door_is_there() -> None:
    """The real disk has all that the protocol names."""
    for name in ("open", "read", "write", "fchmod", "fsync", "close", "rename", "link", "unlink", "mkdir", "clone", "flush_all"):
        assert callable(getattr(Os, name))
