"""Where values are written."""

import pytest

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


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hook: Big sale #summer\n", ["#summer"]),
        ("captions:\n  - Big sale #summer #sun\n  - x   # a note\n  - y #\n", ["#summer #sun"]),
        ("# hook: x #y\nhook: 'x' #y\nname: \"a\n  b #c\"\n", []),
        ("a: |\n  b #c\nd: 1 # todo\n", []),
    ],
)
def test_hashtags_behind_a_text_are_found(text: str, said: list[str]) -> None:
    """They are a comment to YAML; a comment of words, a quoted text and a long text are left alone."""
    assert [text[at:].partition("\n")[0] for at in places.hashtags(text)] == said
