"""The catalog of a project, whole: the project file and every catalog file, read, checked, resolved into clips.

Everything that is wrong is said at once. Reads through the files it is handed, so that whoever assembles the build
knows what was asked. Knows nothing of how a clip is made.
"""

import functools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from clipbuild import digest
from clipbuild.catalog import entries, platforms, project, seals
from clipbuild.catalog.entries import Cache, Product, Sheet
from clipbuild.catalog.faults import problems
from clipbuild.catalog.judge import Judge, Known
from clipbuild.catalog.model import Clip, Place, Project
from clipbuild.catalog.resolve import Resolver
from clipbuild.catalog.seals import Entry, Source
from clipbuild.errors import CatalogError, Problem, UsageError, shown

__all__ = ["Catalog", "Entry", "Files", "Known", "open_catalog"]

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
    entries: tuple[Entry, ...]
    warnings: tuple[Problem, ...] = ()
    """What was left out of a shop's export, and why."""
    exports: frozenset[str] = frozenset()
    """Shop exports: which clips they give depends on more than their bytes, on the photos that there are."""

    @property
    def clips(self) -> tuple[Clip, ...]:
        """Every clip, resolved."""
        return tuple(entry.load() for entry in self.entries)


def open_catalog(
    root: str,
    *,
    profile: str,
    files: Files,
    cache: Cache,
    known: Known,
    suspects: Collection[str] | None = None,
    kept: seals.Kept | None = None,
) -> Catalog:
    """Read the whole catalog. Raises CatalogError with everything that is wrong, UsageError.

    `suspects`: the only files that may be missing where they were not when the catalog was last found right; None when
    that is not known. `kept`: what an earlier catalog of this workspace left in memory.
    """
    walk = _Walk(root, profile, files, cache, known, suspects, kept or seals.Kept())
    return walk.run()


@dataclass(slots=True)
class _Walk:
    root: str
    profile: str
    files: Files
    cache: Cache
    known: Known
    suspects: Collection[str] | None
    kept: seals.Kept
    wrong: list[Problem] = field(default_factory=list)
    there: dict[str, bool] = field(default_factory=dict)
    products: list[tuple[str, Place]] = field(default_factory=list)
    feeds: dict[str, tuple[Mapping[str, Any], list[str]]] = field(default_factory=dict)
    """Shop exports by path: their entry in `catalog:`, and the files of their photo folder."""
    warnings: dict[str, list[Problem]] = field(default_factory=dict)

    def run(self) -> Catalog:
        data = self.files.read(project.FILE)
        config = project.read(self.root, self.profile, data)
        self.wrong += problems(project.FILE, data, config.faults)
        texts = self._texts(config.sources)
        if config.faults:
            for sheet in self._sheets(texts):
                self.wrong += sheet.problems(sheet.faults)
            raise CatalogError(dict.fromkeys(self.wrong))
        judge = Judge(config.project, config.brands, self.known, self._exists, self.files.names)
        self.wrong += problems(project.FILE, data, judge.project(config.raw))
        shared = repr((entries.signature(), data, config.project.profile, self.known, platforms.shipped())).encode()
        resolver, found = Resolver(config), list[Entry]()
        for path, text in texts.items():
            mark = digest.fingerprint(b"\0".join((shared, path.encode(), repr(self.feeds.get(path)).encode(), text)))
            source = Source(resolver, functools.partial(self._read, path, text))
            if (sealed := self._sealed(mark, path, source)) is not None:
                found += sealed
                continue
            for sheet in self._sheets({path: text}):
                base = digest.fingerprint(b"\0".join((shared, path.encode(), repr(sheet.defaults).encode())))
                found += self._judged(sheet, judge, source, (mark, base), MAX_CLIPS - len(found))
        self.wrong += doubled(self.products, found)
        if self.wrong:
            raise CatalogError(dict.fromkeys(self.wrong))
        warnings = tuple(problem for some in self.warnings.values() for problem in some)
        return Catalog(config.project, tuple(found), warnings, frozenset(self.feeds))

    def _sealed(self, mark: str, path: str, source: Source) -> list[Entry] | None:
        """The clips of a file whose seal holds, if all their files are there; its products are noted."""
        if (kept := self.kept.get(mark, path, source)) is None:
            if (found := seals.get(self.cache, self.profile, mark, path, source)) is None:
                return None
            kept = found, self.kept.put(mark, path, source, found)
        if not seals.whole(kept[0], self.suspects, self._exists):
            return None
        self.products += kept[1]
        return kept[0]

    def _judged(self, sheet: Sheet, judge: Judge, source: Source, marks: tuple[str, str], room: int) -> list[Entry]:
        """The clips of a file, all its faults noted; sealed when there are none."""
        source.sheet = sheet
        faults = list(sheet.faults)
        if not sheet.flat:  # the defaults of an export stand in the project file and are judged there
            faults += [fault.below(("defaults",)) for fault in judge.layer(sheet.defaults)]
        faults += [fault.below(("products", part.number)) for part in sheet.partial for fault in judge.product(part.value)]
        self.products += [_named(sheet, part) for part in sheet.partial if "sku" in part.value]
        made: list[Entry] = []
        parts, fresh = seals.parts(self.cache, self.profile, marks[1], sheet, source), 0
        for position, product in enumerate(sheet.products):
            self.products.append(_named(sheet, product))
            sealed = parts.get(product.print, ())
            if sealed and seals.whole(sealed, self.suspects, self._exists):
                made += [seals.moved(one, position, product.spot) for one in sealed]
                continue
            fresh += 1
            clips, wrong = source.resolver.clips(sheet, product)
            own = [*judge.product(product.value), *(wrong or judge.clips(clips))]
            faults += [fault.below(("products", product.number)) for fault in own]
            made += [seals.entry(clip, position, source) for clip in clips if not own]
            if len(made) > room:
                what = f"more than {MAX_CLIPS:,} clips (products × variants × languages)"
                raise CatalogError([*self.wrong, Problem(sheet.file, *product.spot, what, (), "split the project")])
        if not faults and not self.warnings.get(sheet.file) and fresh * entries.WORTH > len(parts):
            seals.put(self.cache, self.profile, *marks, sheet, made)
        self.wrong += sheet.problems(faults)
        return made

    def _exists(self, path: str) -> bool:
        found = self.there.get(path)
        if found is None:
            found = self.there[path] = self.files.exists(path)
        return found

    def _texts(self, sources: Sequence[project.Source]) -> dict[str, bytes]:
        """Every catalog file that can be read, once."""
        texts: dict[str, bytes] = {}
        total = 0
        for source in sources:
            paths = self.files.glob(source.pattern)
            if not paths:
                what = f"no catalog file fits {source.pattern!r}"
                hint = self._fitting(source.pattern) or "`clipbuild new SKU` writes one; or change `catalog:`"
                self.wrong.append(Problem(project.FILE, 0, 0, what, (), hint))
            for path in (path for path in paths if path not in texts):
                if not _is_text(path):
                    self.wrong.append(Problem(shown(path), 0, 0, "its name is no UTF-8", (), "rename the file"))
                    continue
                if source.feed is not None:
                    photos = self.files.glob(f"{source.feed.get('photos', 'photos')}/**")
                    self.feeds[path] = (source.feed, [photo for photo in photos if _is_text(photo)])
                try:
                    texts[path] = self.files.read(path)
                except UsageError as error:
                    self.wrong.append(Problem(path, 0, 0, error.what, tuple(error.facts), error.hint))
                    continue
                total += len(texts[path])
                if total > MAX_TOTAL:
                    what = f"the catalog has more than {MAX_TOTAL >> 20} MiB"
                    raise CatalogError([*self.wrong, Problem(path, 0, 0, what, (), "split the project")])
        for path in self._unread(sources, texts):
            hint = f"rename it to {_twin(path)}, or list it in `catalog:`"
            self.warnings[path] = [Problem(path, 0, 0, "is not read: nothing in `catalog:` fits its name", (), hint)]
        return texts

    def _unread(self, sources: Sequence[project.Source], texts: Collection[str]) -> list[str]:
        """Files beside the catalog's that only differ in their ending."""
        twins = dict.fromkeys(_twin(source.pattern) for source in sources if source.feed is None)
        return [path for twin in twins if twin for path in self.files.glob(twin) if path not in texts and _is_text(path)]

    def _fitting(self, pattern: str) -> str:
        """What was meant by a pattern that nothing fits: the files in a folder of this name, or those with the other ending."""
        base = pattern.removesuffix("/").removesuffix(".yaml").removesuffix(".yml")
        tried = (f"{base}/*.yaml", f"{base}/*.yml", f"{base}.yml", f"{base}.yaml")
        return next((f"did you mean `catalog: {one}`?" for one in tried if self.files.glob(one)), "")

    def _read(self, path: str, text: bytes) -> Sheet:
        if path not in self.feeds:
            return entries.read(path, text, self.cache)
        from clipbuild.catalog import exports

        sheet, self.warnings[path] = exports.read(path, text, *self.feeds[path])
        return sheet

    def _sheets(self, texts: Mapping[str, bytes]) -> Iterator[Sheet]:
        for path, text in texts.items():
            try:
                sheet = self._read(path, text)
            except CatalogError as error:
                self.wrong += error.problems
                continue
            if len(self.products) + len(sheet.products) > entries.MAX_PRODUCTS:
                what = f"the catalog has more than {entries.MAX_PRODUCTS:,} products"
                raise CatalogError([*self.wrong, Problem(path, 0, 0, what, (), "split the project")])
            yield sheet


def _is_text(path: str) -> bool:
    """A name that catalogs, manifests and other systems can hold."""
    return not any("\ud800" <= sign <= "\udfff" for sign in path)


def _named(sheet: Sheet, product: Product) -> tuple[str, Place]:
    return str(product.value["sku"]), Place(sheet.file, *product.spot)


def doubled(products: Sequence[tuple[str, Place]], clips: Iterable[Entry]) -> list[Problem]:
    """Products, and clips, that would be one file on some system."""
    found = dict.fromkeys(_same(products))
    places = {(problem.file, problem.line, problem.column) for problem in found}
    for problem in _same([(clip.id, clip.place) for clip in clips]):
        if (problem.file, problem.line, problem.column) not in places:
            found[problem] = None
    return list(found)


def _same(rows: Sequence[tuple[str, Place]]) -> Iterator[Problem]:
    if len({name.lower() for name, _ in rows}) == len(rows):
        return
    first: dict[str, tuple[str, Place]] = {}
    for row in rows:
        name, place = row
        earlier, there = first.setdefault(name.lower(), row)
        if first[name.lower()] is row:
            continue
        what = f"{name!r} is written twice" if earlier == name else f"{name!r} and {earlier!r} are one name on some systems"
        facts = (("first", f"{there.file}:{there.line}:{there.column}"),)
        yield Problem(place.file, place.line, place.column, what, facts, "rename one")


def _twin(path: str) -> str:
    """The same name with YAML's other ending, "" for one without either."""
    base, dot, ending = path.rpartition(".")
    other = {"yaml": "yml", "yml": "yaml"}.get(ending, "")
    return f"{base}{dot}{other}" if other else ""
