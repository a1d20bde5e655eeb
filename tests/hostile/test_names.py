"""Ids from outside: one allow-list, and no two that would be one file anywhere."""

import json
from pathlib import Path
from typing import Any

import pytest

from clipbuild.errors import CatalogError
from tests.support.catalogs import opened

DATA = Path(__file__).parent / "data" / "names"
IDS = [json.loads(line) for line in (DATA / "identifiers.jsonl").read_text(encoding="utf-8").splitlines()]
PAIRS = [json.loads(line) for line in (DATA / "collisions.jsonl").read_text(encoding="utf-8").splitlines()]


def product(sku: str, more: str = "") -> str:
    return f"  - {{sku: {json.dumps(sku)}, name: N, photos: p.png{more}}}\n"


def refused(text: str) -> str:
    """What is wrong, or "" when every clip keeps its spelling."""
    try:
        found = opened(text)
    except CatalogError as error:
        return str(error)
    assert all(json.dumps(clip.sku) in text for clip in found.clips)
    return ""


@pytest.mark.parametrize("case", IDS, ids=lambda case: case["id"])
@pytest.mark.parametrize("place", ["sku", "variant"])
def test_identifier(case: dict[str, Any], place: str) -> None:
    """As listed, as a SKU and as a variant's id; a refusal names the place and shows nothing raw."""
    name = case["value"]
    row = product(name) if place == "sku" else product("a", f", variants: [{{id: {json.dumps(name)}}}]")
    said = refused(f"products:\n{row}")
    assert bool(said) == (case["expect"] == "reject") or case["expect"] == "either", said
    if said:
        assert said.startswith("catalog/a.yaml:2:")
        assert not any(char in said for char in "\x00\x07\x1b\x7f\u202e\u200b\ufeff")


@pytest.mark.parametrize("case", PAIRS, ids=lambda case: case["id"])
def test_collision(case: dict[str, Any]) -> None:
    """What would be one file is refused, by the pair or because one of the two is no id at all."""
    said = refused(f"products:\n{product(case['a'])}{product(case['b'])}")
    if case["expect"] == "collide":
        assert said
        if refused(f"products:\n{product(case['a'])}") == refused(f"products:\n{product(case['b'])}") == "":
            assert "catalog/a.yaml:3:5" in said
            assert "first  catalog/a.yaml:2:5" in said
    elif refused(f"products:\n{product(case['a'])}") == refused(f"products:\n{product(case['b'])}") == "":
        assert not said
