"""A shop's export in `catalog:`: products as they are, what is no good said and left out."""

import pathlib

import pytest

from clipbuild.catalog import exports
from clipbuild.errors import CatalogError
from tests.support.catalogs import KNOWN, Memory, Shelf, opened, wrong
from tests.support.project import Project

EXPORTS = pathlib.Path(__file__).parent / "exports"
SHOPIFY = (EXPORTS / "shopify.csv").read_bytes()
PROJECT = 'catalog:\n  - {file: shop.csv, kind: shopify, currency: "€", defaults: {duration: 4}}\n'
PHOTOS = {f"photos/{name}.jpg": b"" for name in ("ember-mug-1", "vase-red", "vase-green")}


def test_products_as_they_are() -> None:
    """Names, prices, photos and variants of the shop, defaults of the project; each clip's place is its row."""
    found = opened("", PROJECT, **{"shop.csv": SHOPIFY, **PHOTOS})
    assert [clip.id for clip in found.clips] == ["ember-mug", "vase.red-s", "vase.green-s"]
    mug = found.clips[0]
    assert (mug.name, mug.offer.price, mug.offer.was, mug.seconds, mug.photos) == (
        "Ember mug", "€14.00", "€18.00", 4, ("photos/ember-mug-1.jpg",),
    )  # fmt: skip
    assert (mug.place.file, mug.place.line) == ("shop.csv", 2)
    assert found.exports == {"shop.csv"}


def test_what_is_left_out_is_said() -> None:
    """Bad rows with their line, products without a photo by name; they stop nothing, the next time either."""
    cache = Memory()
    for _ in range(2):
        found = opened("", PROJECT, cache=cache, **{"shop.csv": SHOPIFY, **PHOTOS})
        assert [(problem.file, problem.line, problem.what) for problem in found.warnings] == [
            ("shop.csv", 8, "no SKU or handle"), ("shop.csv", 9, "6 cells, fewer than the 17 columns"),
            ("shop.csv", 0, "1 product without a photo in photos/, left out"),
        ]  # fmt: skip


def test_a_card_needs_no_photo() -> None:
    """Then a product without one stays."""
    found = opened("", PROJECT.replace("duration: 4", "recipe: card"), **{"shop.csv": SHOPIFY})
    assert [clip.id for clip in found.clips] == ["ember-mug", "vase", "stool"]


def test_faults_have_their_row() -> None:
    """A SKU that a catalog file has too, and defaults that are wrong, in the project file where they stand."""
    both = PROJECT + "  - catalog/*.yaml\n"
    text = "products:\n  - {sku: ember-mug, name: M, recipe: card}\n"
    assert "'ember-mug' is written twice" in wrong(text, both, **{"shop.csv": SHOPIFY, **PHOTOS})[0]
    assert wrong(text, PROJECT.replace("duration: 4", "motion: x"), **{"shop.csv": SHOPIFY, **PHOTOS}) == [
        "clipbuild.yaml:2:71: unknown motion 'x' | "
    ]
    short = wrong("", PROJECT.replace("duration: 4", "duration: 2"), **{"shop.csv": SHOPIFY, **PHOTOS})
    assert short[0].startswith("shop.csv:2:1: 2 s; reels takes 3 to 900 s")


def test_the_wrong_kind_and_the_wrong_column() -> None:
    """They are named before anything is read into it."""
    with pytest.raises(CatalogError, match="looks like an export of kind shopify, not woocommerce"):
        exports.read("shop.csv", SHOPIFY, {"file": "shop.csv", "kind": "woocommerce"}, [])
    with pytest.raises(CatalogError, match="column map"):
        exports.read("shop.csv", b"a,b\n1,2\n", {"columns": {"sku": "x"}}, [])
    assert wrong("", PROJECT)[0].startswith("clipbuild.yaml:0:0: no catalog file fits 'shop.csv'")


def test_an_unchanged_export_gives_the_same_clips() -> None:
    """Remembered or not."""
    files = Shelf({"clipbuild.yaml": PROJECT, "shop.csv": SHOPIFY.split(b",No handle")[0] + b"\n", **PHOTOS, "photos/stool.jpg": b""})
    from clipbuild.catalog.catalog import open_catalog

    cache = Memory()
    first, second = (open_catalog(".", profile="final", files=files, cache=cache, known=KNOWN) for _ in range(2))
    assert first.clips == second.clips
    assert len(first.clips) == 4


def test_a_new_photo_brings_a_product(tmp_path: pathlib.Path) -> None:
    """A build after a photo was put there makes that product, and takes it away with the photo."""
    project = Project(tmp_path)
    project.write("clipbuild.yaml", PROJECT.replace("duration: 4", "duration: 1, platforms: [tiktok]"))
    project.write("shop.csv", SHOPIFY)
    project.photo("photos/stool.png")
    assert {name.partition("/")[0] for name in project.build().ran} == {"stool"}
    project.photo("photos/ember-mug-1.png", "#3a3")
    assert {name.partition("/")[0] for name in project.build().ran} == {"ember-mug"}
    (tmp_path / "photos/stool.png").unlink()
    built = project.build()
    assert built.ran == []
    assert {path.split("/")[1] for path in built.plain["removed"]} == {"stool"}
