"""A new product in a catalog file: put behind the last one, everything else byte for byte as it was.

Knows the outer form of a catalog file; what the product says is handed in.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from clipbuild.catalog import load, places, roundtrip, schema
from clipbuild.errors import CatalogError, Problem

HEAD = "# One entry a product. docs/catalog.md explains every key.\nproducts:\n"
_PLAIN = re.compile(r"[^\W\d_][\w/., +€$£%()-]*\Z")


def added(file: str, data: bytes, fields: Mapping[str, Any]) -> bytes:
    """The file ("" for a new one) with one more product. Raises CatalogError for a file that is no catalog."""
    if not data.strip():
        return (HEAD + entry(fields, 2)).encode()
    before = load.read(file, data, schema.number_keys(schema.CATALOG), "products")
    products = before.value.get("products") or [] if isinstance(before.value, dict) and "products" in before.value else None
    if not isinstance(products, list):
        raise CatalogError([Problem(file, 1, 1, "not a catalog: no list of products", (), "choose another --into")])
    text = data.decode("utf-8-sig")
    indent = before.items[-1][1] - 3 if before.items else 2
    for tried in _tries(text, fields, max(0, indent)):
        if _says(file, tried.encode(), [*products, dict(fields)], before.value):
            return roundtrip.as_before(tried.encode(), data)
    yaml, tree = roundtrip.parse(file, data)
    if tree["products"]:
        tree["products"].append(dict(fields))
    else:
        tree["products"] = [dict(fields)]
    return roundtrip.dumped(yaml, tree, data)


def _tries(text: str, fields: Mapping[str, Any], indent: int) -> Iterator[str]:
    """The text with the product where a person would put it, likeliest first; which of them reads right is to be seen."""
    block = entry(fields, indent)
    yield f"{text.rstrip()}\n{_gap(text)}{block}"
    begin, last, end, flow = places.extent(text, "products")
    if begin == end or (flow and last < 0):  # nothing, or []
        line, _, below = text[end:].partition("\n")
        yield f"{text[:begin].rstrip(' ')}{line}\n{block}{below}"
    elif flow:
        yield _in_brackets(text, last, _value(fields))
    else:
        lines = text[:end].splitlines(keepends=True)
        while lines and (not lines[-1].strip() or lines[-1].startswith("#")):
            lines.pop()
        own = "".join(lines)
        yield f"{own}{_gap(text)}{block}{text[len(own):]}"
        yield f"{text[:end]}{block}\n{text[end:]}"


def _in_brackets(text: str, last: int, value: str) -> str:
    """The text with one more entry behind the one that ends at `last`: beside it, or on a line of its own."""
    line, _, below = text[last:].partition("\n")
    if "]" in line:
        return f"{text[:last]}, {value}{text[last:]}"
    begun = text[text.rfind("\n", 0, last) + 1 :]
    space = begun[: len(begun) - len(begun.lstrip(" "))]
    followed = line.lstrip().startswith(",")
    return f"{text[:last]}{'' if followed else ','}{line}\n{space}{value}{',' if followed else ''}\n{below}"


def entry(fields: Mapping[str, Any], indent: int) -> str:
    """A product as a person would write it."""
    lines = [f"{name}: {_value(value)}" for name, value in fields.items()]
    space = " " * indent
    return "".join(f"{space}{'- ' if not number else '  '}{line}\n" for number, line in enumerate(lines))


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_value(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    if not isinstance(value, str):
        return json.dumps(value)
    words = ("null", "true", "false", "yes", "no", "on", "off", "y", "n")
    plain = _PLAIN.match(value) and value == value.strip() and "," not in value and value.lower() not in words
    return value if plain else json.dumps(value, ensure_ascii=False)


def _gap(text: str) -> str:
    """A blank line where the products of the file have one between them."""
    return "\n" if re.search(r"\n[ \t]*\n[ ]*-[ ]", text) else ""


def _says(file: str, data: bytes, products: list[Any], before: Mapping[str, Any]) -> bool:
    try:
        value = load.read(file, data, schema.number_keys(schema.CATALOG)).value
    except CatalogError:
        return False
    return bool(value == {**before, "products": products})
