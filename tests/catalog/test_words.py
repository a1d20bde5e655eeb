"""What people probably meant: names of the library in their words, valid spellings, numbers with a unit."""

import pytest

from clipbuild import resources
from clipbuild.catalog import load, platforms, schema, words


def test_every_other_name_leads_to_a_known_one() -> None:
    """No hint names what there is not."""
    with open(f"{resources.folder('templates')}/words.yaml", "rb") as file:
        table = load.plain("words.yaml", file.read())
    with open(f"{resources.folder('templates')}/motions.yaml", "rb") as file:
        motions = load.plain("motions.yaml", file.read())["motions"]
    product = schema.document(schema.CATALOG)["definitions"]["product"]["properties"]
    recipes = schema.resolved(schema.CATALOG, product["recipe"])[1]["enum"]
    known = {"key": product, "platform": platforms.shipped()[1], "motion": motions, "recipe": recipes}
    for kind, names in known.items():
        assert set(table[kind].values()) <= set(names), kind
        assert not set(table[kind]) & set(names), kind


@pytest.mark.parametrize(("text", "said"), [("05", "5"), ("9s", "9"), ("4,50 sec", "4.50"), ("0", "0"), ("five", ""), ("1/2", "")])
def test_a_number_with_a_unit_is_one(text: str, said: str) -> None:
    """As YAML writes it, without leading zeros and with a point."""
    assert words.number(text) == said


@pytest.mark.parametrize(
    ("word", "said"),
    [("Größe 7", "Groesse-7"), ("en_US", "en-US"), ("a..b", "a.b"), ("a\\b.png", "a/b.png"), ("german", "de")],
)
def test_a_valid_spelling_is_among_those_offered(word: str, said: str) -> None:
    """Umlauts as German writes them, parts with dashes, paths with forward slashes."""
    assert said in list(words.spellings(word))


def test_names_are_found_however_they_are_written() -> None:
    """Case, spaces and underscores do not matter."""
    assert words.named("platform", "Instagram Reels") == words.named("platform", "instagram_reels") == "reels"
    assert words.named("platform", "myspace") == words.named("nothing", "x") == ""
