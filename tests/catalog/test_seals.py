"""A sealed catalog is the catalog: what is remembered never differs from what a fresh reading gives."""

import os
import random

from clipbuild.catalog.catalog import Catalog, open_catalog
from clipbuild.errors import CatalogError
from tests.support.catalogs import KNOWN, Memory, Shelf

SEED = int(os.environ.get("CLIPBUILD_SEED", "0")) or random.randrange(10**6)


def product(number: int, more: str = "") -> str:
    return f"  - sku: p{number}\n    name: P {number}\n    photos: photos/{number}.png\n    cta: {{en: a, de: b}}\n{more}"


def files(products: list[str], project: str = "", head: str = "") -> dict[str, str | bytes]:
    texts: dict[str, str | bytes] = {f"photos/{n}.png": b"" for n in range(60)}
    return {**texts, "clipbuild.yaml": project or "catalog: catalog/*.yaml\n", "catalog/a.yaml": f"{head}products:\n{''.join(products)}"}


def read(texts: dict[str, str | bytes], cache: Memory, profile: str = "final") -> Catalog:
    return open_catalog(".", profile=profile, files=Shelf(texts), cache=cache, known=KNOWN)


def told(texts: dict[str, str | bytes], cache: Memory) -> object:
    """All that a reading says: clips with their places and fingerprints, or what is wrong."""
    try:
        found = read(texts, cache)
    except CatalogError as error:
        return error.problems
    return [(one.id, one.place, one.print, one.files, one.load()) for one in found.entries]


def test_a_sealed_file_is_not_judged_again() -> None:
    """Its clips come from memory, and are resolved only when they are asked for."""
    cache, texts = Memory(), files([product(n) for n in range(3)])
    read(texts, cache)
    [seal] = [key for key in cache.rows if key[0].startswith("seal")]
    cache.rows[seal] = cache.rows[seal].replace(b'"p1.en"', b'"sealed"')
    assert [one.id for one in read(texts, cache).entries] == ["p0.en", "p0.de", "sealed", "p1.de", "p2.en", "p2.de"]
    assert read(texts, cache).entries[0].load().cta == "a"


def test_of_a_large_file_only_changed_products_are_judged() -> None:
    """The others keep their seals, at their new lines."""
    cache, rows = Memory(), [product(n) for n in range(60)]
    read(files(rows), cache)
    [seal] = [key for key in cache.rows if key[0].startswith("seal")]
    cache.rows[seal] = cache.rows[seal].replace(b'.de"', b'.sealed"')
    rows[30] = product(30, "    hook: new\n\n")
    found = {one.id: one.place.line for one in read(files(rows), cache).entries}
    assert found["p29.sealed"] == 2 + 29 * 4
    assert "p30.de" in found
    assert "p30.sealed" not in found
    assert found["p31.sealed"] == 2 + 31 * 4 + 2


def test_a_photo_that_is_gone_breaks_the_seal() -> None:
    """Also in a product whose text did not change."""
    cache, texts = Memory(), files([product(n) for n in range(40)])
    read(texts, cache)
    del texts["photos/7.png"]
    assert told(texts, cache) == told(texts, Memory())
    assert "'photos/7.png' is not there" in str(told(texts, cache))


def test_any_history_reads_as_a_fresh_reading() -> None:
    """Edits of products, of the file's defaults, of the project, removals and doubles: memory changes nothing."""
    print(f"CLIPBUILD_SEED={SEED}")
    chance, cache = random.Random(SEED), Memory()
    rows, project, head = [product(n) for n in range(40)], "", ""
    for _ in range(60):
        at = chance.randrange(len(rows))
        match chance.randrange(8):
            case 0:
                rows[at] = product(at, f"    hook: h{chance.randrange(3)}\n")
            case 1:
                rows[at] = product(at, "    motion: none-such\n")
            case 2:
                rows.insert(at, rows[chance.randrange(len(rows))])
            case 3:
                rows.pop(at)
            case 4:
                head = chance.choice(["", "defaults: {duration: 4}\n", "# note\n\n"])
            case 5:
                project = chance.choice(["", "defaults: {languages: [en]}\n", "brand: {name: X}\n", "defaults: {motion: x}\n"])
            case 6:
                rows[at] = product(at)
            case 7:
                chance.shuffle(rows)
        texts = files(rows, project, head)
        assert told(texts, cache) == told(texts, Memory())
