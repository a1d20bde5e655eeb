"""Where values are written."""

from clipbuild.catalog import places


def test_places_are_looked_up() -> None:
    """Keys and values of any path, in lists, maps and flow style; what is not there is not answered."""
    text = "a:\n  - b: {c: 1,\n       d: 2}\n  - x\n"
    found = places.locate(text, [("a", 0, "b", "d"), ("a", 1), ("a", 0, "z")])
    assert found["a", 0, "b", "d"] == ((3, 8), (3, 11))
    assert found["a", 1][1] == (4, 5)
    assert ("a", 0, "z") not in found


def test_what_a_parser_takes_for_a_comment() -> None:
    """A value after a comma that begins with # is found, unless it is in text or in a comment."""
    assert places.swallowed("c: [a,#b\n  ]\n") == [6]
    assert places.swallowed('c: "a,#b"\nd: x,#y\ne: [z] # [a,#b]\n# [#\nf: |\n  [#c\n') == []
