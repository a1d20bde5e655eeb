"""Looks read from templates."""

import re

import pytest

from clipbuild import resources
from clipbuild.errors import MediaError
from clipbuild.media import contrast, looks
from tests.support import styles


def test_every_shipped_template_is_a_look() -> None:
    """No key without a meaning."""
    for name in styles.styles():
        looks.look(styles.style(name), name)
    for name, entry in styles.overlays().items():
        looks.look(entry, name)


def test_the_first_style_explains_every_key() -> None:
    """What a person may write is listed where they look for it."""
    with open(f"{resources.folder('templates')}/captions/plain.yaml", encoding="utf-8") as file:
        told = "\n".join(line for line in file if line.startswith("#"))
    assert [key for key in looks.Look.__slots__ if not re.search(rf"\b{key}\b", told)] == []


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        ({"sise": 0.1}, "there is no key 'sise'"), ({"size": "big"}, "size has no such value"),
        ({"box": "purple"}, "box has no such value"), ({"by": "letter"}, "by has no such value"),
        ({"hug": 1}, "hug has no such value"), ({"lines": True}, "lines has no such value"),
        ({"pad_x": [1, 2]}, "pad_x has no such value"), ({"lines": 3.5}, "lines has no such value"),
    ],
)  # fmt: skip
def test_a_wrong_key_or_value_is_an_error(entry: dict[str, object], what: str) -> None:
    """With what would be right."""
    with pytest.raises(MediaError, match=what) as caught:
        looks.look(entry, "caption style")
    assert caught.value.facts


def test_colour_words_mean_the_brands_colours() -> None:
    """Or those a brand without them has, or what is written."""
    assert looks.colour("accent", {"accent": "#123456"}) == contrast.rgb("#123456")
    assert looks.colour("accent", {}) == contrast.rgb(looks.DEFAULTS["accent"])
    assert looks.colour("#abc", {}) == contrast.rgb("#aabbcc")
    assert looks.colour("auto", {}, (1, 2, 3)) == (1, 2, 3)
