"""docs/catalog.md tells the truth: it names every key, and what it shows as YAML is valid."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clipbuild.catalog import load, schema

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "catalog.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def keys(node: Any) -> Iterator[str]:
    """Every key that the schemas know."""
    if isinstance(node, dict):
        for key, part in node.items():
            if key == "properties":
                yield from part
            yield from keys(part)
    elif isinstance(node, list):
        for part in node:
            yield from keys(part)


def words(node: Any) -> Iterator[str]:
    """Every word that a value may be chosen from."""
    if isinstance(node, dict):
        yield from (word for word in node.get("enum", ()) if isinstance(word, str))
        for part in node.values():
            yield from words(part)
    elif isinstance(node, list):
        for part in node:
            yield from words(part)


@pytest.mark.parametrize("name", [schema.CATALOG, schema.PROJECT])
def test_every_key_is_named(name: str) -> None:
    """Each key of the schema stands on the page, as code."""
    text = re.sub(r"^```.*?^```", "", PAGE, flags=re.MULTILINE | re.DOTALL)
    code = set(re.findall(r"[a-z_]+", " ".join(re.findall(r"`[^`]+`", text) + BLOCKS)))
    assert set(keys(schema.document(name))) - code == set()


def test_every_choice_is_named() -> None:
    """Each recipe, shape, place and so on is on the page."""
    known = set(words(schema.document(schema.CATALOG))) - {"none", "top", "top-right", "left", "right", "bottom-left", "bottom"}
    assert {word for word in known if f"`{word}`" not in PAGE} == set()


def test_there_are_examples() -> None:
    """The page shows more than it tells."""
    assert len(BLOCKS) >= 8


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("\n")[0][:24])
def test_what_it_shows_is_valid(block: str) -> None:
    """Each block is a catalog file, a project file or a product's keys."""
    value = load.read("docs/catalog.md", block.encode(), schema.number_keys(schema.PROJECT)).value
    if "products" in value:
        found = schema.faults(schema.CATALOG, "", value)
    elif set(value) & {"catalog", "routes", "specs", "brand"}:
        found = schema.faults(schema.PROJECT, "", value)
    else:
        found = schema.faults(schema.CATALOG, "product", {"sku": "a", "name": "A", **value})
    assert found == []
