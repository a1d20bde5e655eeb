"""A shop's items into a catalog file, again and again: what came from the shop is updated, what a person wrote is kept.

Three sides decide each field: what the last import wrote (kept in a small file beside the catalog), what the file says
now, what the shop says now. Comments and order stay (ruamel round trip). Fetches no photo: `photo` says where one is.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from clipbuild.catalog import roundtrip
from clipbuild.catalog.feeds import Item, slug
from clipbuild.errors import CatalogError, Problem, shown

MEMORY_FORMAT = 1
MAX_PHOTOS, MAX_TAGS = 10, 30
Photo = Callable[[Item], Sequence[str]]
"""Where an item's photos are, relative to the workspace; empty when there is none."""


@dataclass(slots=True)
class Imported:
    """What an import did: the new text of the file and of its memory, and per SKU what happened."""

    text: bytes = b""
    memory: bytes = b""
    added: list[str] = field(default_factory=list)
    changed: dict[str, list[str]] = field(default_factory=dict)
    kept: dict[str, list[str]] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    without_photo: list[str] = field(default_factory=list)


def merge(file: str, text: bytes, memory: bytes, items: Sequence[Item], photo: Photo, currency: str = "") -> Imported:
    """Bring `items` into the catalog `text` ("" for a new file). Raises CatalogError for a file that is no catalog."""
    yaml, tree = _load(file, text)
    before = _memory(file, memory)
    report = Imported()
    products = tree.setdefault("products", []) if tree.get("products") is None else tree["products"]
    by_sku = {str(entry.get("sku")): entry for entry in products if isinstance(entry, dict)}
    now: dict[str, dict[str, Any]] = {}
    for item in items:
        photos = list(photo(item))
        if not photos:
            report.without_photo.append(item.sku)
            continue
        fields = now[item.sku] = wanted(item, photos, currency, photo)
        if item.sku in by_sku:
            _update(by_sku[item.sku], before.get(item.sku, {}), fields, item.sku, report)
        elif item.sku not in before:
            products.append(_entry(fields))
            report.added.append(item.sku)
    report.gone = sorted(set(before) - {item.sku for item in items})
    kept = {sku: fields for sku, fields in before.items() if sku in report.without_photo}
    report.memory = _memory_text({**kept, **now})
    report.text = roundtrip.dumped(yaml, tree)
    return report


def wanted(item: Item, photos: Sequence[str], currency: str = "", photo: Photo | None = None) -> dict[str, Any]:
    """The catalog fields that a shop's item gives, in the order of the file. `photo` finds the photos of its variants:
    only those that look different become variants here, not every size."""
    fields: dict[str, Any] = {"sku": item.sku, "name": _text(item, 0) or item.name}
    if photos:
        fields["photos"] = photos[0] if len(photos) == 1 else list(photos)[:MAX_PHOTOS]
    if item.price:
        fields["offer"] = _offer(item, currency)
    post: dict[str, Any] = {}
    if description := _text(item, 1) or item.description:
        post["description"] = description
    if tags := [tag for tag in map(_hashtag, item.tags) if tag]:
        post["hashtags"] = list(dict.fromkeys(tags))[:MAX_TAGS]
    if post:
        fields["post"] = post
    if variants := _variants(item, currency, photo):
        fields["variants"] = variants
    return fields


def _text(item: Item, number: int) -> dict[str, str]:
    """Name (0) or description (1) by language; {} where the shop has one."""
    texts = {language: both[number] for language, both in item.texts.items()}
    return texts if all(texts.values()) else {}


def _variants(item: Item, currency: str, photo: Photo | None) -> list[dict[str, Any]]:
    made, seen = [], set()
    for variant in item.variants if photo else ():
        photos = list(photo(variant)) if variant.images and photo else []
        if not photos or photos[0] in seen or not slug(variant.sku):
            continue
        seen.add(photos[0])
        fields: dict[str, Any] = {"id": variant.sku, "photos": photos[0]}
        if variant.price and (variant.price, variant.was) != (item.price, item.was):
            fields["offer"] = _offer(variant, currency)
        made.append(fields)
    return made if len(made) > 1 else []


def _offer(item: Item, currency: str) -> dict[str, str]:
    return {"price": _priced(item.price, currency), **({"was": _priced(item.was, currency)} if item.was else {})}


def _priced(price: str, currency: str) -> str:
    return f"{currency}{price}" if currency and not re.search(r"[^\d.,' ]", price) else price


def _hashtag(tag: str) -> str:
    return "".join(char for char in tag.lower() if char.isalnum() or char == "_")


def _load(file: str, text: bytes) -> tuple[Any, Any]:
    yaml, tree = roundtrip.parse(file, text)
    if not isinstance(tree, dict) or not isinstance(tree.get("products") or [], list):
        raise CatalogError([Problem(file, 1, 1, "not a catalog: no list of products", (), "choose another --into")])
    return yaml, tree


def _memory(file: str, memory: bytes) -> dict[str, dict[str, Any]]:
    if not memory:
        return {}
    try:
        table = json.loads(memory)
        if table["format"] != MEMORY_FORMAT:
            raise ValueError(f"format {table['format']}")
        return dict(table["products"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        what = f"the record of the last import can't be read: {shown(error, 80)}"
        hint = "remove it to import afresh: fields of the file are then all taken as a person's"
        raise CatalogError([Problem(f"{file}.import.json", 0, 0, what, (), hint)]) from None


def _memory_text(products: Mapping[str, Mapping[str, Any]]) -> bytes:
    lines = ",\n".join(
        f"{json.dumps(sku)}: {json.dumps(products[sku], sort_keys=True, ensure_ascii=False)}" for sku in sorted(products)
    )
    return f'{{"format": {MEMORY_FORMAT}, "products": {{\n{lines}\n}}}}\n'.encode()


def _entry(fields: Mapping[str, Any]) -> Any:
    from ruamel.yaml.comments import CommentedMap
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

    entry = CommentedMap()
    for name, value in fields.items():
        if isinstance(value, Mapping):
            entry[name] = _entry(value)
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            entry[name] = [_entry(part) for part in value]
        elif isinstance(value, str) and "\n" in value:
            entry[name] = LiteralScalarString(value + "\n")
        elif isinstance(value, str) and _needs_quotes(value):
            entry[name] = DoubleQuotedScalarString(value)
        else:
            entry[name] = value
    return entry


def _needs_quotes(value: str) -> bool:
    """Text that a reader could take for something else is quoted, whatever a YAML version thinks of it."""
    return not value[:1].isalpha() or value.lower() in ("null", "true", "false", "yes", "no", "on", "off", "y", "n")


def _update(
    entry: Any, before: Mapping[str, Any], now: Mapping[str, Any], sku: str, report: Imported, prefix: str = ""
) -> None:
    """Each field: unchanged since the last import → the shop's new value; changed by a person → kept, and said."""
    for name, value in now.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping) and isinstance(entry.get(name), dict):
            _update(entry[name], before.get(name, {}), value, sku, report, f"{path}.")
        elif _same(entry.get(name), value):
            continue
        elif _same(entry.get(name), before.get(name)) or (name not in entry and name not in before):
            entry[name] = _entry({name: value})[name]
            report.changed.setdefault(sku, []).append(path)
        elif not _same(value, before.get(name)):
            report.kept.setdefault(sku, []).append(path)
    for name in [name for name in before if name not in now and name in entry]:
        if _same(entry[name], before[name]):
            del entry[name]
            report.changed.setdefault(sku, []).append(f"{prefix}{name}")


def _same(one: Any, other: Any) -> bool:
    """Equal as text: a literal block's last line break does not count."""
    if isinstance(one, str) and isinstance(other, str):
        return one.rstrip("\n") == other.rstrip("\n")
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return set(one) == set(other) and all(_same(one[key], other[key]) for key in one)
    return bool(one == other)
