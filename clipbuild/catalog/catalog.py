"""The catalog of a project, whole: the project file and every catalog file, read, checked, resolved into clips.

Everything that is wrong is said at once. Reads through the files it is handed, so that whoever assembles the build
knows what was asked. Knows nothing of how a clip is made.
"""

from collections.abc import Iterator, Sequence
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
        config = project.read(self.root, self.profile, data)
        self.wrong += problems(project.FILE, data, config.faults)
        sheets = self._sheets(config.sources)
        if config.faults:
            self.wrong += [problem for sheet in sheets for problem in problems(sheet.file, sheet.data, sheet.faults)]
            raise CatalogError(dict.fromkeys(self.wrong))
        judge = Judge(config.project, config.brands, self.known, self._exists, self.files.names)
        self.wrong += problems(project.FILE, data, judge.project(config.raw))
        resolver, clips = Resolver(config), list[Clip]()
        for sheet in sheets:
            clips += self._clips(sheet, judge, resolver, MAX_CLIPS - len(clips))
        self.wrong += doubled(sheets, clips)
        if self.wrong:
            raise CatalogError(dict.fromkeys(self.wrong))
        return Catalog(config.project, tuple(clips))

    def _clips(self, sheet: Sheet, judge: Judge, resolver: Resolver, room: int) -> list[Clip]:
        found = [*sheet.faults, *(fault.below(("defaults",)) for fault in judge.layer(sheet.defaults))]
        found += [fault.below(("products", part.number)) for part in sheet.partial for fault in judge.product(part.value)]
        clips: list[Clip] = []
        for product in sheet.products:
            made, faults = resolver.clips(sheet, product)
            own = [*judge.product(product.value), *(faults or judge.clips(made))]
            found += [fault.below(("products", product.number)) for fault in own]
            clips += [] if own else made
            if len(clips) > room:
                what = f"more than {MAX_CLIPS:,} clips (products × variants × languages)"
                raise CatalogError([*self.wrong, Problem(sheet.file, *product.spot, what, (), "split the project")])
        self.wrong += problems(sheet.file, sheet.data, found)
        return clips

    def _exists(self, path: str) -> bool:
        found = self.there.get(path)
        if found is None:
            found = self.there[path] = self.files.exists(path)
        return found

    def _sheets(self, sources: Sequence[project.Source]) -> list[Sheet]:
        sheets: dict[str, Sheet] = {}
        total = products = 0
        for source in sources:
            paths = self.files.glob(source.pattern)
            if not paths:
                what = f"no catalog file fits {source.pattern!r}"
                hint = "`clipbuild new SKU` writes one; or change `catalog:`"
                self.wrong.append(Problem(project.FILE, 0, 0, what, (), hint))
            for path in paths:
                sheet = self._sheet(path) if path not in sheets else None
                if sheet is None:
                    continue
                sheets[path] = sheet
                total, products = total + len(sheet.data), products + len(sheet.products)
                if total > MAX_TOTAL or products > entries.MAX_PRODUCTS:
                    what = f"the catalog has more than {MAX_TOTAL >> 20} MiB or {entries.MAX_PRODUCTS:,} products"
                    raise CatalogError([*self.wrong, Problem(path, 0, 0, what, (), "split the project")])
        return list(sheets.values())

    def _sheet(self, path: str) -> Sheet | None:
        try:
            return entries.read(path, self.files.read(path), self.cache)
        except CatalogError as error:
            self.wrong += error.problems
        except UsageError as error:
            self.wrong.append(Problem(path, 0, 0, error.what, tuple(error.facts), error.hint))
        return None


def doubled(sheets: Sequence[Sheet], clips: Sequence[Clip]) -> list[Problem]:
    """Products, and clips, that would be one file on some system."""
    skus = [(str(product.value["sku"]), Place(sheet.file, *product.spot))
            for sheet in sheets for product in (*sheet.products, *sheet.partial) if "sku" in product.value]  # fmt: skip
    found = dict.fromkeys(_same(skus))
    places = {(problem.file, problem.line, problem.column) for problem in found}
    for problem in _same([(clip.id, clip.place) for clip in clips]):
        if (problem.file, problem.line, problem.column) not in places:
            found[problem] = None
    return list(found)


def _same(rows: Sequence[tuple[str, Place]]) -> Iterator[Problem]:
    first: dict[str, tuple[str, Place]] = {}
    for row in rows:
        name, place = row
        earlier, there = first.setdefault(name.lower(), row)
        if first[name.lower()] is row:
            continue
        what = f"{name!r} is written twice" if earlier == name else f"{name!r} and {earlier!r} are one name on some systems"
        facts = (("first", f"{there.file}:{there.line}:{there.column}"),)
        yield Problem(place.file, place.line, place.column, what, facts, "rename one")
