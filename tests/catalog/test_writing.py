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


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("products:   # none yet\n# more\nx-a:  {b:  1}\n", "products:   # none yet\n  - NEW\n# more\nx-a:  {b:  1}\n"),
        ("products: []   # none\nx-a:  1\n", "products:   # none\n  - NEW\nx-a:  1\n"),
        ("a: &x [ {products:  1} ]\nproducts: [ {sku: a,  name: A} ]  # all\n",
         "a: &x [ {products:  1} ]\nproducts: [ {sku: a,  name: A}, NEW ]  # all\n"),
        ("products: [\n  {sku: a,  name: A}   # last\n]\nx-a:  1\n",
         "products: [\n  {sku: a,  name: A},   # last\n  NEW\n]\nx-a:  1\n"),
        ("products: [\n  {sku: a,  name: A},   # ]\n]\n", None),
        ("products:\n- sku: a\n  name:  A   # why\n  # photos: b.png\n\n# the file's\ndefaults:\n    motion:  drift\n",
         "products:\n- sku: a\n  name:  A   # why\n  # photos: b.png\n- NEW\n\n# the file's\ndefaults:\n    motion:  drift\n"),
        ("products:\n  - sku: a\n    name:  |\n      A\n\n      # B\ndefaults:  {}\n",
         "products:\n  - sku: a\n    name:  |\n      A\n\n      # B\n  - NEW\ndefaults:  {}\n"),
    ],
)  # fmt: skip
def test_nothing_else_is_restyled(before: str, after: str | None) -> None:
    """In brackets, empty, before other keys: one entry more, and every other byte and comment where it was."""
    out = writing.added("a.yaml", before.encode(), {"sku": "new"}).decode()
    assert load.read("a.yaml", out.encode(), ()).value["products"][-1] == {"sku": "new"}
    if after is not None:
        assert out == after.replace("- NEW", "- sku: new").replace("NEW", "{sku: new}")
