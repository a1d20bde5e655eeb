"""A new product goes behind the last one, and nothing else moves."""

import pytest

from clipbuild.catalog import load, writing
from clipbuild.errors import CatalogError

FIELDS = {"sku": "new", "name": "New: one", "photos": "p.png", "captions": ["a, b", "c"], "offer": {"price": "€5"}}


@pytest.mark.parametrize(
    "text",
    [
        "", "products:\n  - sku: a\n    name: A\n", "products:\n- sku: a\n  name: A\n\n- sku: b\n  name: B\n\n\n# end\n",
        "# c\ndefaults: {}\nproducts:\n    - sku: a\n      name: A", "products: []\n", "products:\n  - {sku: a, name: A}\ndefaults: {duration: 5}\n",
        "products: [{sku: a, name: A}]\n",
    ],
)  # fmt: skip
def test_it_is_added(text: str) -> None:
    """Whatever the file's form; all products of before stay, and so do all of its lines where the list is the last key."""
    out = writing.added("a.yaml", text.encode(), FIELDS)
    before = load.read("a.yaml", text.encode(), ()).value if text else {"products": []}
    value = load.read("a.yaml", out, ()).value
    assert value == {**before, "products": [*before["products"], FIELDS]}
    if text.rstrip().startswith("products:\n") and "defaults" not in text:
        assert out.decode().startswith(text.rstrip())


def test_line_breaks_and_the_mark_stay() -> None:
    """A file from Windows is still one."""
    before = b"\xef\xbb\xbfproducts:\r\n  - sku: a\r\n    name: A\r\n"
    assert writing.added("a.yaml", before, {"sku": "b", "name": "B"}) == before + b"  - sku: b\r\n    name: B\r\n"


def test_it_reads_as_a_person_would_write_it() -> None:
    """Quotes only where they are needed."""
    assert writing.entry(FIELDS, 2) == (
        '  - sku: new\n    name: "New: one"\n    photos: p.png\n    captions: ["a, b", c]\n    offer: {price: "€5"}\n'
    )
    assert writing.entry({"sku": "0123", "name": "no"}, 0) == '- sku: "0123"\n  name: "no"\n'


def test_a_file_that_is_no_catalog() -> None:
    """It is refused as it is."""
    with pytest.raises(CatalogError, match="no list of products"):
        writing.added("a.yaml", b"x: 1\n", FIELDS)
