"""Templates that can't do harm: a language cut down to what a prompt needs, checked before it is compiled.

The check bounds cost (J3 of the threat model): allow-listed nodes, filters and tests; loops only over lists, counted
against one allowance; no arithmetic, no padding, no calls, no macros; text can't grow by multiplication. What passes
runs in jinja's own immutable sandbox as well. Knows nothing of prompts: names in, text out.
"""

import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from clipbuild.errors import CatalogError, Problem, shown

if TYPE_CHECKING:
    from jinja2 import Template
    from jinja2.sandbox import ImmutableSandboxedEnvironment

SOURCE_LIMIT = 256 << 10
OUTPUT_LIMIT = 64 << 10
MARK = "\0"
"""Parts a marked template's output into (line number of the mark table, text); a NUL can't come from anywhere else."""

SHIPPED = "clipbuild/"
_NAME = re.compile(r"(?:clipbuild/)?[A-Za-z0-9][A-Za-z0-9_.-]{0,80}\.j2\Z")


class RefusedError(Exception):
    """A template does what it may not; `line` 0 where it is the whole file."""

    def __init__(self, what: str, line: int = 0, hint: str = "") -> None:
        super().__init__(what)
        self.what, self.line, self.hint = what, line, hint


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
            raise RefusedError(f"{name!r} is no template name", hint="a template is a file like extra.j2 beside this one")
        bare = name.removeprefix(SHIPPED)
        for folder in self.folders if bare == name else ():
            path = f"{folder}/{bare}"
            if self.files.exists(path):
                self._refuse_links(path)
                return path, _text(self.files, path)
        if self.shipped.exists(bare):
            return SHIPPED + bare, _text(self.shipped, bare)
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
                raise RefusedError("a template may not be reached through a link", hint="copy the file")


def _text(files: Files, path: str) -> str:
    try:
        data = files.read(path)
    except OSError as error:
        raise RefusedError(f"can't be read: {error.strerror or error}") from None
    if len(data) > SOURCE_LIMIT:
        raise RefusedError(f"is larger than {SOURCE_LIMIT >> 10} KiB")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise RefusedError("is not UTF-8 text") from None
    if MARK in text:
        raise RefusedError("holds a NUL character", 1 + text[: text.index(MARK)].count("\n"))
    return text.removeprefix("\ufeff")


class Sandbox:
    """Compiles and renders the templates of a shelf; each is checked and compiled once. Not for two threads."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.marks: list[tuple[str, int]] = []
        """(file, line) of each mark in marked output."""
        self._env = lru_cache(maxsize=2)(self._environment)
        self._files: dict[str, tuple[str, ...]] = {}

    def render(self, name: str, context: Mapping[str, Any], *, marked: bool = False) -> str:
        """The text of template `name` with plain immutable data. Raises CatalogError with file and line."""
        try:
            template = self._compiled(name, marked)
        except RefusedError as error:
            raise self._problem(name, error) from None
        environment = template.environment
        environment.fuel.refill()  # type: ignore[attr-defined]
        limit = OUTPUT_LIMIT * (4 if marked else 1)
        parts, length = [], 0
        try:
            for part in template.root_render_func(template.new_context(context)):  # type: ignore[arg-type]
                parts.append(part)
                length += len(part)
                if length > limit:
                    raise RefusedError(f"the text is longer than {OUTPUT_LIMIT >> 10} KiB")
        except Exception as error:
            refused = _located(error)
            refused.hint = refused.hint or _nearest(refused.what, context)
            raise self._problem(name, refused, _place(error)[0]) from None
        text = "".join(parts)
        if not marked and MARK in text:
            raise self._problem(name, RefusedError("the text holds a NUL character"))
        return text

    def files(self, name: str) -> tuple[str, ...]:
        """The files that template `name` is made of, itself first. Raises CatalogError."""
        if name not in self._files:
            try:
                self._compiled(name, False)
            except RefusedError as error:
                raise self._problem(name, error) from None
        return self._files[name]

    def _compiled(self, name: str, marked: bool) -> "Template":
        from clipbuild.planner import dialect

        if name not in self._files:
            self._files[name] = tuple(dialect.closure(name, self.shelf.find, self._env(False)))
        try:
            return self._env(marked).get_template(name)
        except RefusedError:
            raise
        except Exception as error:
            raise _located(error) from None

    def _environment(self, marked: bool) -> "ImmutableSandboxedEnvironment":
        from clipbuild.planner import dialect

        return dialect.environment(self.shelf.find, self.marks if marked else None)

    def _problem(self, name: str, error: RefusedError, file: str = "") -> CatalogError:
        where = file or getattr(error, "file", "")
        if not where:
            try:
                where = self.shelf.find(name)[0]
            except RefusedError:
                where = name
        return CatalogError([Problem(shown(where, 200), error.line, 1 if error.line else 0, error.what, (), error.hint)])


def _located(error: BaseException) -> RefusedError:
    """Any error of a template's own making as a refusal with its line."""
    line = _place(error)[1]
    if isinstance(error, RefusedError):
        error.line = error.line or line
        return error
    if isinstance(error, (RecursionError, MemoryError)):
        return RefusedError("is nested too deeply", line)
    line = getattr(error, "lineno", None) or line
    return RefusedError(shown(getattr(error, "message", None) or error, 300), line)


def _nearest(what: str, context: Mapping[str, Any]) -> str:
    """What an undefined name may have been meant to be."""
    missing = re.match(r"'(\w+)' is undefined", what)
    if not missing:
        return ""
    import difflib

    near = difflib.get_close_matches(missing[1], context, n=1)
    return f"did you mean {near[0]!r}?" if near else "there are " + ", ".join(sorted(context))


def _place(error: BaseException) -> tuple[str, int]:
    """(file, line) of the innermost template frame an error came through."""
    found, trace = ("", 0), error.__traceback__
    while trace is not None:
        template = trace.tb_frame.f_globals.get("__jinja_template__")
        if template is not None:
            found = template.filename or "", template.get_corresponding_lineno(trace.tb_lineno)
        trace = trace.tb_next
    return found
