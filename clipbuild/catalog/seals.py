"""Catalog files that need not be judged again: what their clips are called and made of, remembered under a seal.

A seal holds while everything it was made from is the same: the file's bytes, the project file, the library's names,
this version; of a large file that changed, it holds for the products whose texts did not. A clip is resolved from a
sealed file only when somebody asks for it. Knows nothing of how clips are made.
"""

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from clipbuild import digest
from clipbuild.catalog.entries import Cache, Sheet
from clipbuild.catalog.model import Clip, Place
from clipbuild.catalog.places import Spot
from clipbuild.catalog.resolve import Resolver

KIND = "seal"
LOCAL = ("", "local")


@dataclass(frozen=True, slots=True)
class Entry:
    """A clip as far as anybody must know it before it is known to have changed.

    `files` are all that it is made from, `bought` that a provider makes a part of it, `spoken` that its captions are made
    from what is said, `print` a fingerprint of all of it but its place.
    """

    id: str
    sku: str
    place: Place
    platforms: tuple[str, ...]
    files: tuple[str, ...]
    bought: bool
    spoken: bool
    print: str
    number: int
    source: "Source" = field(repr=False, compare=False)

    def load(self) -> Clip:
        """The clip, resolved."""
        clip = self.source.clip(self.number, self.id)
        return clip if clip.platforms == self.platforms else replace(clip, platforms=self.platforms)


@dataclass(slots=True)
class Source:
    """Where the clips of one file come from; parsed and resolved when first asked."""

    resolver: Resolver
    read: Callable[[], Sheet]
    clips: dict[str, Clip] = field(default_factory=dict)
    sheet: Sheet | None = None

    def clip(self, number: int, name: str) -> Clip:
        """The clip `name` of the product at this place of the file."""
        if name not in self.clips:
            self.sheet = self.sheet or self.read()
            made, _ = self.resolver.clips(self.sheet, self.sheet.products[number])
            self.clips |= {clip.id: clip for clip in made}
        return self.clips[name]


Named = tuple[str, Place]
"""A product and where it stands."""


@dataclass(slots=True)
class Kept:
    """Sealed files in memory, for one who opens the same catalog again and again; not for two that are open at once."""

    files: dict[str, tuple[str, Source, list[Entry], list[Named]]] = field(default_factory=dict)

    def get(self, mark: str, file: str, source: Source) -> tuple[list[Entry], list[Named]] | None:
        """Clips and products of a file whose seal holds; from now on they are resolved through `source`."""
        known = self.files.get(file)
        if known is None or known[0] != mark:
            return None
        _, kept, entries, products = known
        kept.resolver, kept.read, kept.clips, kept.sheet = source.resolver, source.read, source.clips, source.sheet
        return entries, products

    def put(self, mark: str, file: str, source: Source, entries: list[Entry]) -> list[Named]:
        """Keep the clips of a file; its products."""
        products = list(dict.fromkeys((one.sku, one.place) for one in entries))
        self.files[file] = mark, source, entries, products
        return products


def files_of(clip: Clip) -> tuple[str, ...]:
    """Every file of the project that the clip is made from, each once."""
    brand, fonts = clip.brand, clip.brand.fonts
    named = (*clip.photos, clip.ground.plate, clip.sound.bed, brand.logo, fonts.heading, fonts.body, clip.caption_file,
             clip.words, *(layer.file for layer in clip.layers))  # fmt: skip
    others = clip.reference.shots if clip.reference else ()
    return tuple(dict.fromkeys((*(file for file in named if file), *(file for one in others for file in files_of(one)))))


def entry(clip: Clip, number: int, source: Source) -> Entry:
    """The entry of a clip that is resolved."""
    bought = clip.image_provider not in LOCAL or clip.motion_provider not in LOCAL
    source.clips[clip.id] = clip
    told = replace(clip, place=Place("", 0, 0))
    return Entry(
        clip.id, clip.sku, clip.place, clip.platforms, files_of(clip), bought, clip.auto_captions,
        digest.fingerprint(repr(told).encode()), number, source,
    )  # fmt: skip


def put(cache: Cache, profile: str, mark: str, base: str, sheet: Sheet, found: Iterable[Entry]) -> None:
    """Seal a file without a fault. `mark` is of everything, `base` of all but its products' own texts."""
    prints = [product.print for product in sheet.products]
    rows = [
        [prints[e.number], e.number, e.id, e.sku, e.platforms, e.files, e.bought, e.spoken, e.print, e.place.line, e.place.column]
        for e in found
    ]  # fmt: skip
    body = json.dumps(rows, separators=(",", ":"), ensure_ascii=False)
    cache.put(f"{KIND}:{profile}", sheet.file, f"{mark} {base}\n{body}".encode())


def get(cache: Cache, profile: str, mark: str, file: str, source: Source) -> list[Entry] | None:
    """The clips of a file whose seal holds."""
    known = cache.get(f"{KIND}:{profile}", file)
    if known is None or not known.startswith(mark.encode() + b" "):
        return None
    return [_entry(row, file, source) for row in json.loads(known.partition(b"\n")[2])]


def parts(cache: Cache, profile: str, base: str, sheet: Sheet, source: Source) -> dict[str, list[Entry]]:
    """The clips of those products of a changed file whose texts are as they were sealed, by the texts' fingerprints."""
    known = cache.get(f"{KIND}:{profile}", sheet.file) if sheet.products and sheet.products[0].print else None
    head, _, body = (known or b"").partition(b"\n")
    found: dict[str, list[Entry]] = {}
    if head.partition(b" ")[2] == base.encode():
        for row in json.loads(body):
            some = found.setdefault(row[0], [])
            if not some or some[0].number == row[1]:  # a product written twice is there twice
                some.append(_entry(row, sheet.file, source))
    found.pop("", None)
    return found


def moved(one: Entry, number: int, spot: Spot) -> Entry:
    """The same clip where its product now stands."""
    if (one.number, one.place.line, one.place.column) == (number, *spot):
        return one
    return replace(one, number=number, place=Place(one.place.file, *spot))


def _entry(row: Sequence[Any], file: str, source: Source) -> Entry:
    _, number, name, sku, platforms, files, bought, spoken, print_, line, column = row
    return Entry(name, sku, Place(file, line, column), tuple(platforms), tuple(files), bought, spoken, print_, number, source)


def whole(found: Iterable[Entry], suspects: Collection[str] | None, exists: Callable[[str], bool]) -> bool:
    """All files of these clips are there; only `suspects` are looked at where they are known."""
    for one in found:
        for file in one.files:
            if (suspects is None or file in suspects) and not exists(file):
                return False
    return True
