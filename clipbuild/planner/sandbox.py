"""Templates that can't do harm: checked before they are compiled, rendered with an allowance, capped.

What the language is, and what a template may cost, is `dialect`'s business; this compiles once, renders, and gives
every error its file and line. Knows nothing of prompts: names and plain data in, text out.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from clipbuild.errors import CatalogError, Problem, shown
from clipbuild.planner.shelf import MARK, RefusedError, Shelf

if TYPE_CHECKING:
    from jinja2 import Template
    from jinja2.sandbox import ImmutableSandboxedEnvironment

OUTPUT_LIMIT = 64 << 10


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
            raise self._problem(name, refused.at(_place(error)[0])) from None
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

    def _problem(self, name: str, error: RefusedError) -> CatalogError:
        if not error.file:
            try:
                error.file = self.shelf.find(name)[0]
            except RefusedError:
                error.file = name
        column = 1 if error.line else 0
        return CatalogError([Problem(shown(error.file, 200), error.line, column, error.what, (), error.hint)])


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
