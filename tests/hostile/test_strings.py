"""Strings that break programs, in every text field: kept as written or refused, and never shown raw."""

import json
from pathlib import Path
from typing import Any

import pytest

from clipbuild.errors import CatalogError
from tests.support.catalogs import opened

ROWS = [json.loads(line) for line in (Path(__file__).parent / "data" / "strings" / "naughty.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("start", range(0, len(ROWS), 25))
def test_any_text_field(start: int) -> None:
    """Name, hook, caption and a key of one's own say exactly what was written; motion and path fields refuse it."""
    for row in ROWS[start : start + 25]:
        value: Any = row["value"]
        quoted = json.dumps(value)
        text = f"products:\n  - sku: a\n    name: {quoted}\n    photos: p.png\n    hook: {quoted}\n    captions: [x, {quoted}]\n    x-note: {quoted}\n"
        try:
            [clip] = opened(text).clips
        except CatalogError as error:
            assert all(line.isprintable() for line in str(error).splitlines()), row
            assert not value.strip() or any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 or 0xD800 <= ord(char) < 0xE000 or len(value) > 300 or ord(char) >= 0xFFFE
                                            for char in value), (row, error)  # fmt: skip
            continue
        assert (clip.name, clip.hook, clip.extra["x-note"]) == (value, value, value)
        assert clip.captions[-1].text in (value, "x")
        with pytest.raises(CatalogError) as caught:
            opened(f"products:\n  - sku: a\n    name: A\n    photos: {quoted}\n    motion: {quoted}\n")
        assert all(line.isprintable() for line in str(caught.value).splitlines()), row
