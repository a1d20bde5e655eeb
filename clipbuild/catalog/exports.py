"""A shop's export as a catalog file: its items become products as they are, without a file in between.

Rows that are no good and products without a photo are left out and said; the rest goes on. Knows no dialect.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from clipbuild.catalog import feeds, importing, schema
from clipbuild.catalog.entries import Product, Sheet
from clipbuild.catalog.photos import Album
from clipbuild.errors import CatalogError, Problem
from clipbuild.plural import counted

KINDS = {"google": "merchant", "table": "csv"}
"""What the dialects are called in clipbuild.yaml, where that differs."""
SHOWN = 8


def read(file: str, data: bytes, spec: Mapping[str, Any], pictures: Sequence[str]) -> tuple[Sheet, list[Problem]]:
    """The export as a sheet, and what is left out of it. `spec` is its entry in `catalog:`, `pictures` the files of its
    photo folder. Raises CatalogError for a file that can't be read."""
    feed = feeds.read(file, data, spec.get("columns"))
    kind = KINDS.get(feed.dialect, feed.dialect)
    if spec.get("kind", kind) != kind:
        what = f"looks like an export of kind {kind}, not {spec['kind']}"
        raise CatalogError([Problem(file, 1, 1, what, (), f"write `kind: {kind}` in clipbuild.yaml, or leave it out")])
    album, warnings = Album(pictures), list(feed.problems)
    needs_photo = spec.get("defaults", {}).get("recipe") != "card" and "photos" not in spec.get("defaults", {})
    products: list[Product] = []
    bare: list[str] = []
    for item in feed.items:
        photos = album.of(item)
        if not photos and needs_photo:
            bare.append(item.sku)
            continue
        fields = importing.wanted(item, photos, spec.get("currency", ""), album.of)
        if faults := schema.faults(schema.CATALOG, "product", fields):
            warnings += [Problem(file, item.line, 1, f"{item.sku}: {f.what}", f.facts, "it is left out") for f in faults]
            continue
        products.append(Product(len(products), (item.line, 1), fields))
    if bare:
        warnings.append(_without(file, bare, spec.get("photos", "photos")))
    return Sheet(file, data, spec.get("defaults", {}), tuple(products), flat=True), warnings


def _without(file: str, skus: Sequence[str], folder: str) -> Problem:
    some = ", ".join(skus[:SHOWN]) + (" …" if len(skus) > SHOWN else "")
    what = f"{counted(len(skus), 'product')} without a photo in {folder}/, left out"
    return Problem(file, 0, 0, what, (("products", some),), "put a photo there, named as in the shop or like the SKU")
