"""One style for all catalogs, and nothing lost on the way."""

from pathlib import Path

import pytest

from clipbuild.catalog import load, roundtrip
from clipbuild.errors import CatalogError

MESSY = """\
# top
defaults: {motion: push-in,   duration: 5}   # shared


products:
- sku: 0123
  name: NO
# before the price
  offer:   {price: 1.10, "was": '2'}
  hook: |
    # not a comment


    text
  captions:
  - a
  -   text: b
      at:  1.50
  x-empty:
  x-null: ~

- sku: b   # end
  name: "x: y"
# tail
"""
TIDY = """\
# top
defaults: {motion: push-in, duration: 5}     # shared

products:
  - sku: 0123
    name: NO
    # before the price
    offer: {price: 1.10, "was": '2'}
    hook: |
      # not a comment


      text
    captions:
      - a
      - text: b
        at: 1.50
    x-empty:
    x-null: ~

  - sku: b # end
    name: "x: y"
# tail
"""


def test_one_style() -> None:
    """Indentation and spaces; texts, quotes, numbers and comments stay as they are."""
    assert roundtrip.tidy("a.yaml", MESSY.encode()).decode() == TIDY


def test_twice_is_once() -> None:
    """A tidy file stays as it is."""
    assert roundtrip.tidy("a.yaml", TIDY.encode()).decode() == TIDY


@pytest.mark.parametrize("path", sorted((Path(__file__).resolve().parents[2] / "examples").rglob("*.yaml")), ids=lambda p: p.name)
def test_the_examples_are_in_style(path: Path) -> None:
    """What the repository shows is what `clipbuild fmt` writes."""
    if "ci" not in path.parts:
        assert roundtrip.tidy(path.name, path.read_bytes()).decode() == path.read_text(encoding="utf-8")


def test_a_broken_file_is_left_alone() -> None:
    """What clipbuild can't read it does not touch."""
    for text in (b"a: [", b"a: 1\na: 2\n", b"a: !x 1\n"):
        with pytest.raises(CatalogError):
            roundtrip.tidy("a.yaml", text)


def test_any_spelling_survives() -> None:
    """Words that other readers retype come out as they went in."""
    for word in ("0123", "1e3", "NO", "on", "12:30:45", "2024-01-31", "0x1F", "1_000", ".inf", "~", "null", "true", "1.10"):
        text = f"products:\n  - sku: {word}\n    name: N\n".encode()
        assert roundtrip.tidy("a.yaml", text) == text
        assert load.read("a.yaml", text, ()).value["products"][0]["name"] == "N"
