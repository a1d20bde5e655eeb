"""The words that travel with a clip, within what each platform takes."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clipbuild.catalog.model import Asset, Box, Brand, Caption, Clip, Offer, Platform, Post, Prompt, Spec
from clipbuild.planner import posts
from tests.support.templates import clip as sample

SPEC = Spec("vertical", 1080, 1920, 30, Box(0, 0, 1080, 1920))
PLACE = Platform("tiktok", SPEC, 60.0, 10**8, title_limit=20, description_limit=40, hashtag_limit=2)


def post(clip: Clip, *generated: str, **limits: Any) -> dict[str, Any]:
    """The post of a clip on a small platform."""
    return posts.post(clip, replace(PLACE, **limits), generated)


def units(text: str) -> int:
    """UTF-16 units, as platforms count."""
    return len(text.encode("utf-16-le")) // 2


def test_every_text_that_is_drawn() -> None:
    """Captions, hook, button, prices and offer; a card's name is its headline, an end card shows the brand."""
    clip = sample(captions=(Caption("a"), Caption("b")), hook="h", cta="c", offer=Offer("p", "w", "o"), brand=Brand("Ember"))
    assert posts.texts(clip) == ("a", "b", "h", "c", "p", "w", "o")
    assert "Ember mug" in posts.texts(replace(clip, recipe="card"))
    assert "Ember" in posts.texts(replace(clip, end_card=1.0))
    assert posts.texts(sample()) == ()


def test_what_is_written_wins() -> None:
    """Title, description and alt of the catalog come first."""
    told = post(sample(post=Post("T", "D", (), "A"), captions=(Caption("c"),)))
    assert (told["title"], told["description"], told["alt"]) == ("T", "D", "A")


def test_what_is_not_written_is_taken_from_the_clip() -> None:
    """The name, the captions as sentences in a row, the subject for those who can't see it."""
    told = post(sample(captions=(Caption("Holds the heat."), Caption("Fits."))))
    assert (told["title"], told["description"]) == ("Ember mug", "Holds the heat. Fits.")
    assert told["alt"] == "a matte black ceramic mug"
    assert post(sample(prompt=Prompt()))["alt"] == "Ember mug"
    assert post(sample())["description"] == "Ember mug"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["Two colours, one glaze", "Build again"], "Two colours, one glaze. Build again"),
        (["Only today!", "50 % off", "Now"], "Only today! 50 % off. Now"),
        (["温かい", "おいしい。", "いま"], "温かい。おいしい。 いま"),
        (["गरम", "अभी"], "गरम अभी"),
    ],
)
def test_captions_become_running_text(lines: list[str], said: str) -> None:
    """A stop where a line has none, in the way of its script."""
    assert post(sample(captions=tuple(map(Caption, lines))))["description"] == said


def test_hashtags_once_and_no_more_than_fit() -> None:
    """The product's come before the brand's; the same one is not said twice."""
    clip = sample(post=Post(hashtags=("mug", "warm")), brand=Brand(hashtags=("warm", "shop")))
    assert post(clip)["hashtags"] == ["mug", "warm"]
    assert post(clip, hashtag_limit=9)["hashtags"] == ["mug", "warm", "shop"]
    assert post(clip, hashtag_limit=0)["hashtags"] == []


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=60), st.integers(2, 40))
def test_a_title_is_never_longer_than_the_limit(text: str, limit: int) -> None:
    """Counted in UTF-16 units, as the platforms do; what is cut is whole characters and ends in an ellipsis."""
    told = posts._cut(text, limit)
    assert units(told) <= limit
    if units(text) <= limit:
        assert told == text
    else:
        assert told.endswith("…")
        assert text.startswith(told[:-1])


def test_a_cut_is_at_a_word() -> None:
    """No half word where there is a whole one; a single long word is cut where it must be."""
    assert posts._cut("one two three", 10) == "one two…"
    assert posts._cut("abcdefghijkl", 6) == "abcde…"
    assert posts._cut("🙂🙂🙂🙂", 6) == "🙂🙂…"


@pytest.mark.parametrize(
    ("generated", "photos", "source", "disclose"),
    [((), ("p.jpg",), posts.CAPTURED, False), (("image",), ("p.jpg",), posts.COMPOSITE, True),
     (("image", "video"), (), posts.GENERATED, True), (("background",), ("p.jpg",), posts.COMPOSITE, True)],
)  # fmt: skip
def test_what_a_model_made_is_disclosed(generated: tuple[str, ...], photos: tuple[str, ...], source: str, disclose: bool) -> None:
    """Which parts, in the IPTC's words, and whether the platform must be told."""
    ai = post(sample(photos=photos), *generated)["ai"]
    assert ai == {"generated": list(generated), "digital_source_type": source, "disclose": disclose}


def test_licences_travel_along() -> None:
    """Each asset with what is known of it; no empty fields, no list where there is none."""
    told = post(sample(assets=(Asset("photos/a.jpg", "CC BY 4.0", credit="A. Person"),)))
    assert told["assets"] == [{"file": "photos/a.jpg", "licence": "CC BY 4.0", "credit": "A. Person"}]
    assert "assets" not in post(sample())
