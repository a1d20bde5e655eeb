"""Which parser reads a text: the fast one, unless its stack is in danger."""

from clipbuild.catalog import parsers


def kind(text: str) -> str:
    return type(parsers.parser(text)).__name__


def test_the_fast_one_unless_brackets_are_deep() -> None:
    """Many brackets are fine; many open at once are not."""
    assert kind("a: [1]\n" * 1000) == "CParser"
    assert kind("[" * 150) == "CParser"
    assert kind("[" * 300) == "Pure"
    assert kind("{a: " * 300) == "Pure"
