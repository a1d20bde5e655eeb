"""A shop's items into a catalog file, again and again: what came from the shop is updated, what a person wrote is kept.

Three sides decide each field: what the last import wrote (kept in a small file beside the catalog), what the file says
now, what the shop says now. Comments and order stay (ruamel round trip). Fetches no photo: `photo` says where one is.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from clipbuild.catalog import load, roundtrip
from clipbuild.catalog.feeds import Item, slug
from clipbuild.errors import CatalogError, Problem, shown

MEMORY_FORMAT = 1
_ODD = re.compile("[\x85\u2028\u2029]")
"""Line breaks to YAML alone."""
MAX_PHOTOS, MAX_TAGS = 10, 30
Photo = Callable[[Item], Sequence[str]]
"""Where an item's photos are, relative to the workspace; empty when there is none."""


class CommentError(CatalogError):
    """A comment would be lost."""


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
    try:
        return _merged(file, text, memory, items, photo, currency)
    except CommentError:
        return _merged(file, roundtrip.lifted(file, text), memory, items, photo, currency)


def _merged(file: str, text: bytes, memory: bytes, items: Sequence[Item], photo: Photo, currency: str) -> Imported:
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
            products.append(_node(fields))
            report.added.append(item.sku)
    report.gone = sorted(set(before) - {item.sku for item in items})
    kept = {sku: fields for sku, fields in before.items() if sku in report.without_photo}
    report.memory = _memory_text({**kept, **now})
    is_new = report.added or report.changed or not text.strip()
    report.text = _checked(file, roundtrip.dumped(yaml, tree, text), text) if is_new else text
    return report


def _checked(file: str, made: bytes, before: bytes) -> bytes:
    """The new text, if it reads and has every comment of the one before. Raises CatalogError."""
    load.read(file, made, ())
    left = Counter(roundtrip.comments(before.decode("utf-8-sig"))) - Counter(roundtrip.comments(made.decode("utf-8-sig")))
    if lost := list(left):
        what = f"can't be brought up to date without losing a comment: {shown(lost[0], 80)!r}"
        raise CommentError([Problem(file, 0, 0, what, (), "move it above its product, then import again")])
    return made


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
    made: list[dict[str, Any]] = []
    seen: set[str] = set()
    for variant in item.variants if photo else ():
        photos = list(photo(variant)) if variant.images and photo else []
        if not photos or photos[0] in seen or not slug(variant.sku):
            continue
        seen.add(photos[0])
        fields: dict[str, Any] = {"id": _free(variant.sku, made), "photos": photos[0]}
        if variant.price and (variant.price, variant.was) != (item.price, item.was):
            no_longer = {"was": ""} if item.was and not variant.was else {}  # else it would have the product's
            fields["offer"] = {**_offer(variant, currency), **no_longer}
        made.append(fields)
    return made if len(made) > 1 else []


def _free(name: str, taken: Sequence[Mapping[str, Any]]) -> str:
    """The id, with a number behind it where another variant has it."""
    ids = {entry["id"].lower() for entry in taken}
    return next(n for n in (name, *(f"{name}-{count}" for count in range(2, len(ids) + 3))) if n.lower() not in ids)


def _offer(item: Item, currency: str) -> dict[str, str]:
    return {"price": _priced(item.price, currency), **({"was": _priced(item.was, currency)} if item.was else {})}


def _priced(price: str, currency: str) -> str:
    return f"{currency}{price}" if currency and not re.search(r"[^\d.,' ]", price) else price


def _hashtag(tag: str) -> str:
    return "".join(char for char in tag.lower() if char.isalnum() or char == "_")


def _load(file: str, text: bytes) -> tuple[Any, Any]:
    if text.strip():
        load.read(file, text, ())
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


def _node(value: Any) -> Any:
    """A value as it is to be written."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

    if isinstance(value, Mapping):
        return CommentedMap((name, _node(part)) for name, part in value.items())
    if isinstance(value, list):
        return CommentedSeq(map(_node, value))
    if "\n" in value and not _ODD.search(value):
        return LiteralScalarString(value + "\n")
    return DoubleQuotedScalarString(value) if _needs_quotes(value) else value


def _needs_quotes(value: str) -> bool:
    """Text that a reader could take for something else is quoted, whatever a YAML version thinks of it."""
    words = ("null", "true", "false", "yes", "no", "on", "off", "y", "n")
    return not value[:1].isalpha() or _ODD.search(value) is not None or value.lower() in words


def _update(
    entry: Any, before: Mapping[str, Any], now: Mapping[str, Any], sku: str, report: Imported, prefix: str = ""
) -> None:
    """Each field: unchanged since the last import → the shop's new value; changed by a person → kept, and said."""
    for name, value in now.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping) and isinstance(entry.get(name), dict):
            part, count = roundtrip.apart(entry[name]), len(report.changed.get(sku, ()))
            _update(part, before.get(name, {}), value, sku, report, f"{path}.")
            if len(report.changed.get(sku, ())) > count:
                entry[name] = part
        elif _same(entry.get(name), value):
            continue
        elif _same(entry.get(name), before.get(name)) or (name not in entry and name not in before):
            roundtrip.put(entry, name, _node(value))
            report.changed.setdefault(sku, []).append(path)
        elif not _same(value, before.get(name)):
            report.kept.setdefault(sku, []).append(path)
    for name in [name for name in before if name not in now and name in entry]:
        if _same(entry[name], before[name]):
            roundtrip.drop(entry, name)
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
