"""A parser's complaint in plain words: each says what to do."""

import pytest
import yaml

from clipbuild.catalog import load, parsers
from clipbuild.catalog.yamlwords import yaml_problem
from clipbuild.errors import CatalogError


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("a: b: c\n", "in quotes"),
        ("a: {colors: [#fff]}\n", "a # begins a comment"),
        ("a: @home\n", "put the text in quotes"),
        ("a: `x`\n", "put the text in quotes"),
        ("a:\n- b\n  - c: d: e\n", "quotes"),
        ("a:\n  - b: *new*\n", "put the text in quotes"),
        ("a:\n  - b: &\n", "put the text in quotes"),
        ("a:\n  -sku: b\n   name: c\n", "`- ` before each entry"),
        ("a:\n  - b: c\n\td: e\n", "indent with spaces"),
        ("a:\n  b: c\n  name:d\n  e: f\n", "write `key: value`"),
        ("a: 'x\n", "close it"),
        ("a: \"\\q\"\n", "single quotes"),
        ("- a\nb: c\n", "begin in one column"),
        ("a: - b\n", "begin it in the next line"),
        ("a:\n  b: 1\n c: 2\n", "inden"),
    ],
)
def test_the_hint_helps(text: str, hint: str) -> None:
    """A common slip gets a hint that mends it, whichever parser found it."""
    for parser in (parsers.parser, parsers.pure):
        builder = load._Builder("a.yaml", (), "")
        try:
            builder.run(parser(text).get_event)
        except yaml.YAMLError as error:
            problem = yaml_problem("a.yaml", text, error)
        assert hint in problem.hint, (parser, problem)


def test_no_word_of_the_parser_is_left() -> None:
    """Scanner jargon never reaches a person: "mapping", "block end", "token"."""
    for text in ("a: b: c\n", "a: [\n", "a: {\n", "a:\n\t- b\n", "%x\na\n", "a: &\n", "? a\nb\n"):
        with pytest.raises(CatalogError) as caught:
            load.read("a.yaml", text.encode())
        said = str(caught.value)
        assert not any(word in said for word in ("mapping", "block end", "token", "scalar")), said
