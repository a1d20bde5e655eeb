"""The templates that are there: found by name, read as text, refused when they are no plain files in their folder.

Knows nothing of what templates say.
"""

import os
import re
import stat
from collections.abc import Iterator, Sequence
from typing import Protocol

from clipbuild.errors import ClipbuildError, shown

SOURCE_LIMIT = 256 << 10
MARK = "\0"
"""No text may hold it: marked output is parted by it."""

SHIPPED = "clipbuild/"
_NAME = re.compile(r"(?:clipbuild/)?[A-Za-z0-9][A-Za-z0-9_.-]{0,80}\.j2\Z")


class RefusedError(Exception):
    """A template does what it may not; `line` 0 where it is the whole file, `file` "" where that is not known yet."""

    def __init__(self, what: str, line: int = 0, hint: str = "", file: str = "") -> None:
        super().__init__(what)
        self.what, self.line, self.hint, self.file = what, line, hint, file

    def at(self, file: str, line: int = 0) -> "RefusedError":
        """With its place, where it has none."""
        if not self.file:
            self.file, self.line = file, self.line or line
        return self


class Files(Protocol):
    """The door to workspace files: paths are relative to `root`."""

    root: str

    def names(self, folder: str) -> list[str]: ...

    def exists(self, relative: str) -> bool: ...

    def read(self, relative: str) -> bytes: ...


class Disk:
    """The plain door: reads below `root` without following links or waiting for pipes."""

    def __init__(self, root: str) -> None:
        self.root = root

    def names(self, folder: str) -> list[str]:
        """Names in a folder, sorted; none where there is no folder."""
        try:
            return sorted(os.listdir(os.path.join(self.root, folder)))
        except OSError:
            return []

    def exists(self, relative: str) -> bool:
        """Something of that name is there."""
        return os.path.lexists(os.path.join(self.root, relative))

    def read(self, relative: str) -> bytes:
        """The bytes of a regular file. Raises OSError."""
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        with os.fdopen(os.open(os.path.join(self.root, relative), flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise OSError("no regular file")
            return file.read(SOURCE_LIMIT + 1)


class Shelf:
    """The templates that are there: the workspace's folders first, then the shipped one, also as `clipbuild/…`."""

    def __init__(self, folders: Sequence[str], files: Files, shipped: str) -> None:
        self.folders, self.files, self.shipped = tuple(folders), files, Disk(shipped)

    def find(self, name: str) -> tuple[str, str]:
        """(the file as shown, its text). Raises RefusedError."""
        if not _NAME.match(name):
            hint = "a template is a file like extra.j2 beside this one"
            raise RefusedError(f"{shown(name, 80)!r} is no template name", hint=hint)
        bare = name.removeprefix(SHIPPED)
        for folder in self.folders if bare == name else ():
            path = f"{folder}/{bare}"
            if self.files.exists(path):
                self._refuse_links(path)
                return path, _text(self.files, path)
        if self.shipped.exists(bare):
            return SHIPPED + bare, _text(self.shipped, bare, SHIPPED + bare)
        known = ", ".join(sorted({*self.own(), *(SHIPPED + n for n in self.shipped.names("."))}))
        raise RefusedError(f"there is no template {name!r}", hint=f"there are {known}")

    def own(self) -> list[str]:
        """Names of the workspace's templates."""
        return [n for folder in self.folders for n in self.files.names(folder) if _NAME.match(n)]

    def sources(self) -> Iterator[tuple[str, str]]:
        """Every template as (file, text): what a change may be in."""
        for folder in self.folders:
            for name in self.files.names(folder):
                if _NAME.match(name):
                    self._refuse_links(f"{folder}/{name}")
                    yield f"{folder}/{name}", _text(self.files, f"{folder}/{name}")
        for name in self.shipped.names("."):
            if _NAME.match(name):
                yield SHIPPED + name, _text(self.shipped, name)

    def _refuse_links(self, path: str) -> None:
        full = os.path.join(self.files.root, path)
        for part in (os.path.dirname(os.path.dirname(full)), os.path.dirname(full), full):
            if os.path.islink(part):
                raise RefusedError("a template may not be reached through a link", hint="copy the file", file=path)


def _text(files: Files, path: str, shown_as: str = "") -> str:
    file = shown_as or path
    try:
        data = files.read(path)
    except OSError as error:
        raise RefusedError(f"can't be read: {error.strerror or error}", file=file) from None
    except ClipbuildError as error:
        raise RefusedError(error.what, hint=error.hint, file=file) from None
    if len(data) > SOURCE_LIMIT:
        raise RefusedError(f"is larger than {SOURCE_LIMIT >> 10} KiB", file=file)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise RefusedError("is not UTF-8 text", file=file) from None
    if MARK in text:
        raise RefusedError("holds a NUL character", 1 + text[: text.index(MARK)].count("\n"), file=file)
    return text.removeprefix("\ufeff")
