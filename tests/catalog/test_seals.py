"""Sealed catalog files: what did not change is not judged again, and everything that may have changed is."""

import os
import pathlib
import random

import pytest

from clipbuild.catalog.catalog import Catalog, Known, open_catalog
from clipbuild.catalog.seals import Kept
from clipbuild.engine.sources import Sources
from clipbuild.engine.traces import State
from clipbuild.errors import CatalogError
from tests.bench import workspace

KNOWN = Known(motions=("push-in", "pan"), styles=("boxed",))


class Shop:
    """A workspace of six products in two files, read as often as one likes."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        workspace.make(str(root), 6, 2)
        (root / ".clipbuild").mkdir()
        self.state = State.open(str(root / ".clipbuild" / "state.db"))

    def read(
        self, *, known: Known = KNOWN, fresh: bool = False, suspects: frozenset[str] | None = None, kept: Kept | None = None
    ) -> Catalog:
        """The catalog; `fresh`: with nothing remembered."""
        state = State.open(":memory:") if fresh else self.state
        files = Sources(str(self.root), state)
        return open_catalog(
            str(self.root), profile="", files=files, cache=state, known=known, suspects=suspects, kept=kept
        )

    def parsed(self, catalog: Catalog) -> set[str]:
        """The files that were read as data, not only recognised."""
        return {entry.place.file for entry in catalog.entries if entry.source.sheet is not None}


@pytest.fixture
def shop(tmp_path: pathlib.Path) -> Shop:
    """As `Shop`, read once."""
    found = Shop(tmp_path / "shop")
    found.read()
    return found


def test_a_sealed_file_gives_the_same_clips(shop: Shop) -> None:
    """Remembered or read anew: the same entries, and the same clips when they are asked for."""
    sealed, fresh = shop.read(), shop.read(fresh=True)
    assert shop.parsed(sealed) == set()
    assert sealed.entries == fresh.entries
    assert sealed.clips == fresh.clips


def test_an_edit_opens_its_file_alone(shop: Shop) -> None:
    """The other file stays sealed; of the edited one only the edited product's fingerprint differs."""
    before = {entry.id: entry.print for entry in shop.read().entries}
    path = shop.root / "catalog" / "part-0000.yaml"
    path.write_text(path.read_text().replace("Look at number 1", "Look here"))
    catalog = shop.read()
    assert shop.parsed(catalog) == {"catalog/part-0000.yaml"}
    assert {entry.id for entry in catalog.entries if entry.print != before[entry.id]} == {"item-000001"}


def test_what_is_kept_in_memory_is_not_read_from_the_state(shop: Shop) -> None:
    """Opened again and again in one process: only the edited file is asked for, and clips come from the text as it is."""
    kept = Kept()
    first = shop.read(kept=kept)
    shop.state.drop("seal:")
    assert shop.parsed(shop.read(kept=kept)) == set(), "nothing is left in the state, and nothing is missed"
    path = shop.root / "catalog" / "part-0000.yaml"
    path.write_text(path.read_text().replace("Look at number 1", "Look here"))
    again = shop.read(kept=kept)
    assert shop.parsed(again) == {"catalog/part-0000.yaml"}
    assert again.clips == shop.read(fresh=True).clips != first.clips


@pytest.mark.parametrize("what", ["project", "library", "photo"])
def test_what_else_a_seal_stands_on(shop: Shop, what: str) -> None:
    """The project file, the names of the library, a photo that is gone: each opens every file it is about."""
    known = KNOWN
    if what == "project":
        path = shop.root / "clipbuild.yaml"
        path.write_text(path.read_text().replace("duration: 5", "duration: 6"))
        assert all(clip.seconds == 6 for clip in shop.read().clips)
    elif what == "library":
        known = Known(motions=("pan",), styles=("boxed",))
        with pytest.raises(CatalogError, match="push-in"):
            shop.read(known=known)
    else:
        (shop.root / "photos" / "000" / "000004.png").unlink()
        with pytest.raises(CatalogError, match="000004"):
            shop.read()
        assert shop.read(suspects=frozenset()), "nothing is suspected: nobody looks"
        with pytest.raises(CatalogError, match="000004"):
            shop.read(suspects=frozenset(["photos/000/000004.png"]))


def test_products_of_one_name_are_found_across_sealed_files(shop: Shop) -> None:
    """A name that is taken in a file that is sealed is told with both places."""
    path = shop.root / "catalog" / "part-0001.yaml"
    path.write_text(path.read_text().replace("item-000004", "ITEM-000001"))
    with pytest.raises(CatalogError, match="item-000001"):
        shop.read()


def test_any_history_of_edits_reads_as_if_anew(shop: Shop) -> None:
    """Random edits, some wrong: what is remembered, on disk or in memory, never changes what is read or what is said."""
    seed = int(os.environ.get("CLIPBUILD_SEED") or random.randrange(1 << 32))
    chance = random.Random(seed)
    words = ["€1", "€5", "push-in", "Shop now", "item-00000", "duration: 5", "captions:", "price:"]
    kept = Kept()
    original = {path: path.read_text() for path in [*shop.root.glob("catalog/*.yaml"), shop.root / "clipbuild.yaml"]}
    for _ in range(60):
        path = chance.choice(sorted(original))
        text = original[path] if chance.random() < 0.4 else path.read_text()
        path.write_text(text.replace(chance.choice(words), chance.choice([*words, "x", "duration: 7"]), chance.choice([1, 2])))
        said = []
        for kind in ({}, {"kept": kept}, {"fresh": True}):
            try:
                catalog = shop.read(**kind)
                said.append((catalog.entries, catalog.clips, catalog.project))
            except CatalogError as error:
                said.append(str(error))
        assert said[0] == said[1] == said[2], f"seed {seed}"
