"""What did not change is not parsed again, and what is remembered is what a fresh reading gives."""

import json
import os
import random

import pytest

from clipbuild.catalog import entries, load
from clipbuild.catalog.entries import Sheet
from clipbuild.errors import CatalogError
from tests.support.catalogs import SMALLEST, Memory

SEED = int(os.environ.get("CLIPBUILD_SEED", "0")) or random.randrange(10**6)


def big(count: int = 60) -> str:
    rows = [f"  - sku: p{n}\n    name: P {n}\n    hook: |\n      two\n      lines\n    captions: [a, b]\n" for n in range(count)]
    return "defaults: {duration: 4}\nproducts:\n" + "".join(rows)


def plain(sheet: Sheet) -> object:
    """All that a sheet says, as comparable data."""
    rows = [(p.number, tuple(p.spot), p.value) for p in (*sheet.products, *sheet.partial)]
    return json.dumps([sheet.defaults, rows, [repr(fault) for fault in sheet.faults]], sort_keys=True)


def fresh(text: str) -> object:
    """The file read from end to end, or what is wrong with it."""
    try:
        return plain(entries._whole("a.yaml", text.encode(), load.decode("a.yaml", text.encode()), "", Memory()))
    except CatalogError as error:
        return str(error)


def again(text: str, cache: Memory) -> object:
    try:
        return plain(entries.read("a.yaml", text.encode(), cache))
    except CatalogError as error:
        return str(error)


def mark(cache: Memory) -> None:
    """Change what is remembered, so that it can be told from what is read."""
    for key, row in cache.rows.items():
        cache.rows[key] = row.replace(b'"name":"', b'"name":"remembered ')


def names(text: str, cache: Memory) -> list[str]:
    return [str(product.value["name"]) for product in entries.read("a.yaml", text.encode(), cache).products]


@pytest.mark.parametrize("text", [SMALLEST, big()])
def test_an_unchanged_file_is_not_parsed(text: str) -> None:
    """Small or large, the second reading comes from memory."""
    cache = Memory()
    before = names(text, cache)
    mark(cache)
    assert names(text, cache) == [f"remembered {name}" for name in before]


def test_one_edit_parses_one_product() -> None:
    """Of a large file only what changed is read; places of all that follows are right."""
    cache = Memory()
    again(big(), cache)
    text = big().replace("P 30\n", "New\n    # a line more\n")
    assert again(text, cache) == fresh(text)
    mark(cache)
    found = names(text, cache)
    assert found[30] == "New"
    assert all(name == f"remembered P {n}" for n, name in enumerate(found) if n != 30)


def test_many_edits_are_remembered_anew() -> None:
    """When much of a file changed, the next reading finds all of it in memory."""
    cache = Memory()
    again(big(), cache)
    text = big().replace("name: P", "name: Q")
    again(text, cache)
    mark(cache)
    assert all(name.startswith("remembered Q") for name in names(text, cache))


def test_a_file_with_faults_is_not_remembered() -> None:
    """It is read afresh each time, so that its faults are said each time, and its sound products stay usable."""
    cache = Memory()
    sheet = entries.read("a.yaml", f"{SMALLEST}  - sku: b\n    nam: B\n    hook: x\n".encode(), cache)
    assert [product.value["sku"] for product in sheet.products] == ["mug"]
    assert [dict(part.value) for part in sheet.partial] == [{"sku": "b", "hook": "x"}]
    assert len(sheet.faults) == 1
    assert not cache.rows


def test_damaged_and_foreign_memory_is_no_memory() -> None:
    """A row of another version, or of nothing readable, is passed over."""
    cache = Memory()
    again(SMALLEST, cache)
    [key] = cache.rows
    cache.rows[key] = b"1-other\n[]"
    assert again(SMALLEST, cache) == fresh(SMALLEST)


EDITS = (
    "x: 1\n", "  - sku: new\n    name: N\n", "    hook: 'open\n", "    cta: \"a\n  - b\"\n", "# note\n", "\n", "...\n", "---\n",
    "  - x\n", " - sku: odd\n", "    hook: |\n  text\n", "    layers: [\n", "    hook: &a x\n", "\t- sku: tab\n", "products: []\n",
    "    captions: [{text: x, at: 1.5}]\n", "      deeper: 1\n", "- sku: left\n  name: L\n", "    x-note: é\n", "  -\n", "  - \n    sku: z\n    name: Z\n",
)  # fmt: skip


def test_any_edit_reads_as_a_fresh_reading_would() -> None:
    """Whatever lines are put in, taken out or doubled, cutting and remembering never change what is read."""
    print(f"CLIPBUILD_SEED={SEED}")
    chance = random.Random(SEED)
    cache, text, sound = Memory(), big(40), 0
    for _ in range(150):
        lines = text.splitlines(keepends=True)
        at = chance.randrange(len(lines))
        match chance.randrange(3):
            case 0:
                lines.insert(at, chance.choice(EDITS))
            case 1:
                del lines[at]
            case 2:
                lines.insert(at, chance.choice(lines))
        tried = "".join(lines)
        expected = fresh(tried)
        assert again(tried, cache) == expected, tried
        if str(expected).startswith("[") and '"Fault' not in str(expected):
            text, sound = tried, sound + 1
    assert sound > 10
