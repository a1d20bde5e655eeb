"""Catalog files as checked entries: what did not change is neither parsed nor checked again.

Remembered by the fingerprint of a file's bytes, and of each product's text where a file is large; only what has no
fault is. Knows the outer form of a catalog file, not what its keys mean.
"""

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from clipbuild import __version__, digest
from clipbuild.catalog import load, schema
from clipbuild.catalog.faults import Fault, problems
from clipbuild.catalog.pieces import cut
from clipbuild.catalog.places import Spot
from clipbuild.errors import CatalogError, Problem

KIND = "catalog"
MAX_PRODUCTS = 100_000
WORTH = 50
"""A changed file is remembered anew when more than one product in this many changed: writing costs too."""


class Cache(Protocol):
    """Where parsed files are remembered: the state, or anything with its two methods."""

    def get(self, kind: str, key: str) -> bytes | None:
        """What was put, or None."""

    def put(self, kind: str, key: str, data: bytes) -> None:
        """Remember."""


@dataclass(frozen=True, slots=True)
class Product:
    """One product as written: its number in the file's list, where it begins, and a fingerprint of its text where the
    file was cut."""

    number: int
    spot: Spot
    value: Mapping[str, Any]
    print: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One catalog file: its shared defaults and its sound products, and what is wrong with the rest.

    `partial` are the products that can't be resolved, with only those of their keys that are sound. A `flat` one comes
    from a table: its faults are those of a row.
    """

    file: str
    data: bytes
    defaults: Mapping[str, Any]
    products: tuple[Product, ...]
    faults: tuple[Fault, ...] = ()
    partial: tuple[Product, ...] = ()
    flat: bool = False

    def problems(self, faults: Sequence[Fault]) -> list[Problem]:
        """These faults with their places."""
        if not self.flat:
            return problems(self.file, self.data, faults)
        spots = {product.number: product.spot for product in self.products}
        places = [spots.get(int(fault.path[1]), (0, 0)) if fault.path[:1] == ("products",) else (0, 0) for fault in faults]
        return [Problem(self.file, *spot, f.what, f.facts, f.hint) for f, spot in zip(faults, places, strict=True)]


@dataclass(frozen=True, slots=True)
class _Known:
    """What is remembered of a file: the fingerprint of its bytes, all but its products, and of each product the
    fingerprint of its text (none where the file was not cut), that text's line, its place there, and its value."""

    whole: str
    frame: Any
    prints: Sequence[str]
    lines: Sequence[int]
    spots: Sequence[Spot]
    values: Sequence[Mapping[str, Any]]


def read(file: str, data: bytes, cache: Cache) -> Sheet:
    """One catalog file. Raises CatalogError for one that can't be read as YAML at all."""
    whole = digest.fingerprint(data)
    known = _recall(cache.get(KIND, file))
    if known is None or known.whole != whole:
        text = load.decode(file, data)
        known = _renewed(file, text, whole, known, cache)
        if known is None:
            return _whole(file, data, text, whole, cache)
    rows = zip(known.lines, known.spots, known.values, known.prints or [""] * len(known.values), strict=True)
    products = tuple(Product(n, (line + at[0], at[1]), value, mark) for n, (line, at, value, mark) in enumerate(rows))
    return Sheet(file, data, known.frame.get("defaults", {}), products)


def _whole(file: str, data: bytes, text: str, whole: str, cache: Cache) -> Sheet:
    """The file parsed from end to end, with every fault."""
    document = load.build(file, text, schema.number_keys(schema.CATALOG), "products")
    value = document.value
    faults = schema.faults(schema.CATALOG, "", value)
    if not faults:
        entries = value["products"]
        known = _Known(whole, _frame(value), (), [0] * len(entries), document.items, entries)
        _remember(cache, file, known)
    elif not isinstance(value, dict) or not isinstance(value.get("products"), list):
        return Sheet(file, data, {}, (), tuple(faults))
    rows = enumerate(zip(document.items, value["products"], strict=True))
    return _sorted(file, data, value, [Product(n, spot, entry) for n, (spot, entry) in rows], faults)


def _sorted(file: str, data: bytes, value: Mapping[str, Any], products: Sequence[Product], faults: Sequence[Fault]) -> Sheet:
    """The sheet of a file: which of its products are sound, and what is of the others."""
    bad: dict[Any, set[Any]] = {}
    for fault in faults:
        number = fault.path[1] if len(fault.path) > 1 and fault.path[0] == "products" else ""
        bad.setdefault(number, set()).add(fault.path[2] if len(fault.path) > 2 else "")
    sound, partial = [], []
    for product in products:
        if "" not in bad and product.number not in bad:
            sound.append(product)
        elif isinstance(product.value, dict):
            rest = {key: part for key, part in product.value.items() if key not in bad.get(product.number, ())}
            partial.append(Product(product.number, product.spot, rest))
    defaults = value.get("defaults", {}) if "" not in bad else {}
    return Sheet(file, data, defaults, tuple(sound), tuple(faults), tuple(partial))


def _frame(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: part for key, part in value.items() if key != "products"}


def _renewed(file: str, text: str, whole: str, old: _Known | None, cache: Cache) -> _Known | None:
    """A large file's content with only its changed products parsed; None when it must be parsed whole."""
    pieces = cut(text)
    if pieces is None:
        return None
    if len(pieces.pieces) > MAX_PRODUCTS:
        what = f"{len(pieces.pieces):,} products; a project may have {MAX_PRODUCTS:,}"
        raise CatalogError([Problem(file, pieces.lines[MAX_PRODUCTS], 1, what, (), "split the project")])
    prints = [digest.fingerprint(piece.encode("utf-8", "surrogatepass")) for piece in pieces.pieces]
    have = dict(zip(old.prints, zip(old.spots, old.values, strict=True), strict=True)) if old and old.prints else {}
    before = len(have)
    try:
        frame = load.build(file, pieces.frame, schema.number_keys(schema.CATALOG)).value
        for piece, mark in zip(pieces.pieces, prints, strict=True):
            if mark not in have:
                have[mark] = _learned(file, piece)
    except CatalogError:
        return None
    if schema.faults(schema.CATALOG, "", frame):
        return None
    spots, values = zip(*(have[mark] for mark in prints), strict=True)
    known = _Known(whole, _frame(frame), prints, pieces.lines, spots, values)
    if (len(have) - before) * WORTH > len(prints) or not before:
        _remember(cache, file, known)
    return known


def _learned(file: str, piece: str) -> tuple[Spot, Any]:
    """One product's text, parsed and checked. Raises CatalogError when it is not exactly one sound product."""
    document = load.build(file, f"products:\n{piece}", schema.number_keys(schema.CATALOG), "products")
    entries = document.value.get("products")
    if len(document.value) != 1 or not isinstance(entries, list) or len(entries) != 1:
        raise CatalogError([])
    if schema.faults(schema.CATALOG, "product", entries[0]):
        raise CatalogError([])
    line, column = document.items[0]
    return (line - 2, column), entries[0]


def _recall(row: bytes | None) -> _Known | None:
    begin, _, body = (row or b"").partition(b"\n")
    if begin.decode("utf-8", "replace") != signature():
        return None
    return _Known(*json.loads(body))


def _remember(cache: Cache, file: str, known: _Known) -> None:
    body = [known.whole, known.frame, known.prints, known.lines, known.spots, known.values]
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    cache.put(KIND, file, signature().encode() + b"\n" + text.encode("utf-8", "surrogatepass"))


@functools.cache
def signature() -> str:
    """What a remembered file was checked by: another schema or version checks it again."""
    rules = digest.canonical(schema.document(schema.CATALOG))
    return f"2-{__version__}-{digest.fingerprint(rules)}"
