"""The folder of a store: whose it may be, which version, and what the file system must be able to do."""

import os
import pathlib
import stat

import pytest

from clipbuild.engine import premises
from clipbuild.engine.disk import DISK, Os
from clipbuild.errors import UsageError


@pytest.fixture
def root(tmp_path: pathlib.Path) -> pathlib.Path:
    """A store that was laid out."""
    place = tmp_path / "store"
    premises.lay_out(str(place), 0o700, DISK)
    return place


def test_a_store_is_private_and_tells_its_version(root: pathlib.Path) -> None:
    """Folders for this user alone (S14), a format file, nothing left of the probe."""
    assert sorted(path.name for path in root.iterdir()) == ["format", "precious", "quarantine", "tmp"]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o700 for path in (root, *root.iterdir()) if path.is_dir())
    assert (root / "format").read_text(encoding="ascii") == "clipbuild store 1\n"
    assert list((root / "tmp").iterdir()) == []
    premises.check(str(root), shared=False)


def test_laying_out_twice_changes_nothing(root: pathlib.Path) -> None:
    """Another process may do it at the same time; the format file is written once."""
    before = (root / "format").stat().st_ino
    premises.lay_out(str(root), 0o700, DISK)
    assert (root / "format").stat().st_ino == before


def test_none_is_fine(tmp_path: pathlib.Path) -> None:
    """A store that is still to be made is no problem."""
    premises.check(str(tmp_path / "nosuch"), shared=False)


@pytest.mark.parametrize("kind", ["link", "file", "pipe"])
def test_what_is_no_folder(tmp_path: pathlib.Path, root: pathlib.Path, kind: str) -> None:
    """A link, a file or a pipe is refused, without a hang."""
    place = tmp_path / "other"
    {"link": lambda: place.symlink_to(root), "file": lambda: place.write_text("x"), "pipe": lambda: os.mkfifo(place)}[kind]()
    with pytest.raises(UsageError, match="a link or no folder"):
        premises.check(str(place), shared=False)


@pytest.mark.parametrize(("mode", "shared", "fine"), [(0o777, False, False), (0o770, False, False), (0o770, True, True), (0o777, True, False),
                                                      (0o755, False, True)])  # fmt: skip
def test_who_may_write(root: pathlib.Path, mode: int, shared: bool, fine: bool) -> None:
    """Others may not; a group only where the user said that the store is shared (S14)."""
    root.chmod(mode)
    if fine:
        premises.check(str(root), shared=shared)
        return
    with pytest.raises(UsageError, match="others may write") as caught:
        premises.check(str(root), shared=shared)
    assert caught.value.hint.startswith("chmod go-w ")


@pytest.mark.parametrize("text", ["clipbuild store 2\n", "clipbuild store\n", "other store 1\n", "\x1b[2J", "", "clipbuild store 1 x"])
def test_another_version(root: pathlib.Path, text: str) -> None:
    """A newer or strange store is refused with what was found, safe to show (S15)."""
    (root / "format").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="another version") as caught:
        premises.check(str(root), shared=False)
    assert "\x1b" not in str(caught.value)
    assert ("known", "clipbuild store 1") in caught.value.facts


class Lying(Os):
    """A file system whose exclusive create is none, as on some network mounts."""

    @staticmethod
    def open(path: str, flags: int, mode: int = 0o600, *, dir_fd: int | None = None) -> int:
        """Open without O_EXCL."""
        return os.open(path, flags & ~os.O_EXCL, mode, dir_fd=dir_fd)


def test_a_file_system_without_exclusive_create_is_refused(tmp_path: pathlib.Path) -> None:
    """Correctness rests on it (F10): said before the first blob, and no format file is left that would say it is fine."""
    with pytest.raises(UsageError, match="can't make a file exclusively") as caught:
        premises.lay_out(str(tmp_path / "store"), 0o700, Lying())
    assert "local disk" in caught.value.hint
    assert not (tmp_path / "store" / "format").exists()
    assert list((tmp_path / "store" / "tmp").iterdir()) == []


def test_anchoring_goes_up_to_the_root(root: pathlib.Path) -> None:
    """Every folder above the store is flushed, so that a power loss can't take its name."""
    flushed = []

    class Noting(Os):
        @staticmethod
        def fsync(fd: int, /) -> None:
            flushed.append(os.readlink(f"/proc/self/fd/{fd}"))

    premises.anchor(str(root), Noting())
    assert flushed[0] == str(root.parent)
    assert flushed[-1] == "/"
