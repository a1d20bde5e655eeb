"""The catalog of a project, whole: the project file and every catalog file, read, checked, resolved into clips.

Everything that is wrong is said at once. Reads through the files it is handed, so that whoever assembles the build
knows what was asked. Knows nothing of how a clip is made.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from clipbuild.catalog import entries, project
from clipbuild.catalog.entries import Cache, Sheet
from clipbuild.catalog.faults import problems
from clipbuild.catalog.judge import Judge, Known
from clipbuild.catalog.model import Clip, Place, Project
from clipbuild.catalog.resolve import Resolver
from clipbuild.errors import CatalogError, Problem, UsageError

__all__ = ["Catalog", "Files", "Known", "open_catalog"]

MAX_PRODUCTS = 100_000
MAX_CLIPS = 1_000_000
MAX_TOTAL = 64 << 20


class Files(Protocol):
    """The project's files, by paths relative to its folder."""

    def read(self, relative: str) -> bytes:
        """The bytes. Raises UsageError."""

    def exists(self, relative: str) -> bool:
        """Something is there."""

    def glob(self, pattern: str) -> list[str]:
        """The paths that match, sorted."""

    def names(self, folder: str) -> list[str]:
        """The names in a folder; none where there is none."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """What should exist."""

    project: Project
    clips: tuple[Clip, ...]


def open_catalog(root: str, *, profile: str, files: Files, cache: Cache, known: Known) -> Catalog:
    """Read and resolve the whole catalog. Raises CatalogError with everything that is wrong, UsageError."""
    walk = _Walk(root, profile, files, cache, known)
    return walk.run()


@dataclass(slots=True)
class _Walk:
    root: str
    profile: str
    files: Files
    cache: Cache
    known: Known
    wrong: list[Problem] = field(default_factory=list)
    there: dict[str, bool] = field(default_factory=dict)

    def run(self) -> Catalog:
        data = self.files.read(project.FILE)
        config, raw = project.read(self.root, self.profile, data)
        judge = Judge(config.project, config.brands, self.known, self._exists, self.files.names)
        self.wrong += problems(project.FILE, data, judge.project(raw))
        sheets = self._sheets(config)
        resolver, clips = Resolver(config), list[Clip]()
        for sheet in sheets:
            found = [fault.below(("defaults",)) for fault in judge.layer(sheet.defaults)]
            for number, product in enumerate(sheet.products):
                own = list(judge.product(product))
                made, faults = resolver.clips(sheet, number)
                own += faults or judge.clips(made)
                found += [fault.below(("products", number)) for fault in own]
                clips += made
            self.wrong += problems(sheet.file, sheet.data, found)
        self._limits(sum(len(sheet.products) for sheet in sheets), len(clips))
        self.wrong += _doubled(sheets, clips)
        if self.wrong:
            raise CatalogError(dict.fromkeys(self.wrong))
        return Catalog(config.project, tuple(clips))

    def _exists(self, path: str) -> bool:
        found = self.there.get(path)
        if found is None:
            found = self.there[path] = self.files.exists(path)
        return found

    def _sheets(self, config: project.Config) -> list[Sheet]:
        sheets: dict[str, Sheet] = {}
        total = 0
        for source in config.sources:
            paths = self.files.glob(source.pattern)
            if not paths:
                what = f"no catalog file fits {source.pattern!r}"
                hint = "`clipbuild new SKU` writes one; or change `catalog:`"
                self.wrong.append(Problem(project.FILE, 0, 0, what, (), hint))
            for path in paths:
                if path in sheets:
                    continue
                try:
                    data = self.files.read(path)
                    total += len(data)
                    sheets[path] = entries.read(path, data, self.cache)
                except CatalogError as error:
                    self.wrong += error.problems
                except UsageError as error:
                    self.wrong.append(Problem(path, 0, 0, error.what, tuple(error.facts), error.hint))
                if total > MAX_TOTAL:
                    what = f"the catalog files have more than {MAX_TOTAL >> 20} MiB together"
                    raise CatalogError([*self.wrong, Problem(path, 0, 0, what, (), "split the project")])
        return list(sheets.values())

    def _limits(self, products: int, clips: int) -> None:
        for what, count, most in (("products", products, MAX_PRODUCTS), ("clips", clips, MAX_CLIPS)):
            if count > most:
                text = f"{count:,} {what}; a project may have {most:,}"
                self.wrong.append(Problem(project.FILE, 0, 0, text, (), "split the project"))


def _doubled(sheets: Sequence[Sheet], clips: Sequence[Clip]) -> list[Problem]:
    """Products, and clips of different products, that would be one file on some system."""
    rows = [(str(product["sku"]), Place(sheet.file, *spot))
            for sheet in sheets for product, spot in zip(sheet.products, sheet.spots, strict=True)]  # fmt: skip
    rows += [(clip.id, clip.place) for clip in clips if clip.id != clip.sku]
    first: dict[str, tuple[str, Place]] = {}
    found = []
    for name, place in rows:
        earlier, there = first.setdefault(name.lower(), (name, place))
        if there == place:
            continue
        same = "is written twice" if earlier == name else f"and {earlier!r} are one name on some systems"
        facts = (("first", f"{there.file}:{there.line}:{there.column}"),)
        found.append(Problem(place.file, place.line, place.column, f"{name!r} {same}", facts, "rename one"))
    return found
