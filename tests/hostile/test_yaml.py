"""Every hostile YAML text: refused with file and line, or read as it is written; never slow, never large."""

import contextlib
import json
import resource
import time
from pathlib import Path
from typing import Any

import pytest

from clipbuild.catalog import entries, load, schema
from clipbuild.errors import CatalogError
from tests.support.catalogs import Memory, wrong

DATA = Path(__file__).parent / "data"
CASES = [json.loads(line) for line in (DATA / "yaml" / "cases.jsonl").read_text(encoding="utf-8").splitlines()]
SUITE = [json.loads(line) for line in (DATA / "yaml" / "suite.jsonl").read_text(encoding="utf-8").splitlines()]
LITERAL = {"env-subst": "${OPENAI_API_KEY}", "shell-subst": "$(id)"}
LENIENT = {"DK95-1", "G5U8-0", "L24T-1", "MUS6-0", "QB6E-0", "S98Z-0", "Y79Y-3", "YJV2-0"}
"""Faults of indentation, tabs and blank lines that libyaml passes over; what it reads is what a person would."""


def text_of(case: dict[str, Any]) -> str:
    if "text" in case:
        return str(case["text"])
    return "".join("".join(unit.replace("{i}", str(i)) for i in range(count)) if "{i}" in unit else unit * count
                   for unit, count in case["repeat"])  # fmt: skip


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_case(case: dict[str, Any]) -> None:
    """As listed, within 2 s and 256 MiB; whatever is refused names the file, the place and the reason."""
    text = text_of(case)
    memory, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    try:
        value: Any = load.read("a.yaml", encoded(text), schema.number_keys(schema.PROJECT)).value
        problems: tuple[Any, ...] = ()
    except CatalogError as error:
        value, problems = None, error.problems
        assert all(p.file == "a.yaml" and p.what and "\x1b" not in str(p) and "Traceback" not in str(p) for p in problems)
    if not problems and case["expect"] != "literal":
        problems = tuple(as_catalog(case, text))
    assert time.process_time() - began < 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 256 << 10
    match case["expect"]:
        case "reject" | "limit-or-reject":
            assert problems, value
        case "string-or-reject":
            written = text.removeprefix("sku:").strip()
            assert problems or value == {"sku": written}
        case "literal":
            assert list(value.values()) == [LITERAL[case["id"]]]


def as_catalog(case: dict[str, Any], text: str) -> list[Any]:
    """What is wrong when the text is a product, a project or a catalog file, whichever its keys come nearest to."""
    if text.startswith(("duration:", "sku:", "variants:", "promtp:")):
        value = load.read("a.yaml", encoded(text), schema.number_keys(schema.CATALOG)).value
        found = schema.faults(schema.CATALOG, "product", {"sku": "a", "name": "A", **value})
        return [] if case["expect"] == "string-or-reject" and value["sku"] is not None else found
    if text.startswith("budget:"):
        return wrong("products: []\n", text)
    text = text.replace("skus:", "products:").replace("id:", "sku:").replace("image:", "name: A\n    photos:")
    with contextlib.suppress(CatalogError):
        sheet = entries.read("a.yaml", encoded(text), Memory())
        return [*sheet.faults] or [product for product in sheet.products if len(sheet.products) > 100_000]
    return ["refused"]


@pytest.mark.parametrize("case", SUITE, ids=lambda case: case["id"])
def test_suite(case: dict[str, Any]) -> None:
    """What is not well formed is refused; the rest is read as meant, or refused for what clipbuild does not read."""
    try:
        value = load.read("a.yaml", encoded(case["text"])).value
    except CatalogError as error:
        assert error.problems[0].what
        return
    assert case["well_formed"] or case["id"] in LENIENT, value
    if case["json"] and case["id"] not in LENIENT:
        expected = json.loads(case["json"])
        assert plain(value) == plain(expected), case["text"]


def plain(value: Any) -> Any:
    """Scalars as text: which of them are numbers is clipbuild's own choice."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
