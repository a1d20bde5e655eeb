"""Catalog files as checked entries: a file that did not change is not parsed again.

What was parsed is remembered by the fingerprint of the file's bytes; only files without a fault are. Knows the outer
form of a catalog file, not what its keys mean.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from clipbuild import __version__, digest
from clipbuild.catalog import load, schema
from clipbuild.catalog.faults import problems
from clipbuild.catalog.load import Spot
from clipbuild.errors import CatalogError

KIND = "catalog"


class Cache(Protocol):
    """Where parsed files are remembered: the state, or anything with its two methods."""

    def get(self, kind: str, key: str) -> bytes | None:
        """What was put, or None."""

    def put(self, kind: str, key: str, data: bytes) -> None:
        """Remember."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One catalog file: its shared defaults, its products as written, and where each begins."""

    file: str
    data: bytes
    defaults: Mapping[str, Any]
    products: tuple[Mapping[str, Any], ...]
    spots: tuple[Spot, ...]


def read(file: str, data: bytes, cache: Cache) -> Sheet:
    """One catalog file, as data that the schema allows. Raises CatalogError with everything that is wrong."""
    mark = f"{_signature()} {digest.fingerprint(data)}"
    if known := cache.get(KIND, file):
        begin, _, body = known.partition(b"\n")
        if begin.decode() == mark:
            value, spots = json.loads(body)
            return _sheet(file, data, value, spots)
    document = load.read(file, data, schema.number_keys(schema.CATALOG), "products")
    found = schema.faults(schema.CATALOG, "", document.value)
    if found:
        raise CatalogError(problems(file, data, found))
    body = json.dumps([document.value, document.items], separators=(",", ":"), ensure_ascii=False).encode()
    cache.put(KIND, file, mark.encode() + b"\n" + body)
    return _sheet(file, data, document.value, document.items)


def _sheet(file: str, data: bytes, value: Any, spots: Any) -> Sheet:
    places = tuple((line, column) for line, column in spots)
    return Sheet(file, data, value.get("defaults", {}), tuple(value["products"]), places)


def _signature() -> str:
    """What a remembered file was checked by: another schema or version checks it again."""
    rules = digest.canonical(schema.document(schema.CATALOG))
    return f"1-{__version__}-{digest.fingerprint(rules)}"
