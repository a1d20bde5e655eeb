"""Cutting a catalog at its products: only where nothing can be mistaken."""

import pytest

from clipbuild.catalog.pieces import LEAST, cut


def listed(count: int = LEAST, indent: str = "  ") -> str:
    return "".join(f"{indent}- sku: p{n}\n{indent}  name: P {n}\n" for n in range(count))


def test_the_parts_make_the_whole() -> None:
    """Every line is in the frame or in one piece, and each piece knows its first line."""
    text = f"# c\ndefaults: {{duration: 5}}\nproducts: # all\n\n  # first\n{listed()}x-note: end\n"
    found = cut(text)
    assert found is not None
    assert found.frame == "# c\ndefaults: {duration: 5}\nproducts: []\nx-note: end\n"
    assert len(found.pieces) == LEAST
    assert "".join(found.pieces) == listed()
    assert [text.splitlines()[line - 1] for line in found.lines[:2]] == ["  - sku: p0", "  - sku: p1"]


@pytest.mark.parametrize("indent", ["", "  ", "      "])
def test_any_indentation(indent: str) -> None:
    """Also a list that begins in the column of its key."""
    found = cut(f"products:\n{listed(indent=indent)}defaults: {{}}\n")
    assert found is not None
    assert len(found.pieces) == LEAST
    assert found.frame == "products: []\ndefaults: {}\n"


@pytest.mark.parametrize(
    "text",
    [
        listed(), "products:\n" + listed(LEAST - 1), "products: [\n" + listed(), "products:\n" + listed() + "products: []\n",
        "x: &a 1\nproducts:\n" + listed(), "products:\n" + listed() + "    hook: *a\n",
        "products:\n" + listed().replace("\n", "\r", 1), "products:\n" + listed() + "    hook: x\u2028y\n", "", "products:\n",
    ],
)  # fmt: skip
def test_doubt_means_no_cut(text: str) -> None:
    """Anchors, odd line breaks, few products, a flow list: the file is parsed whole."""
    assert cut(text) is None
