"""Layers over layers: what a clip has in the end, and where it came from."""

import pytest

from clipbuild.catalog.model import Asset, Caption, Clip, Footage, Ground, Motion, Offer, Sound
from tests.support.catalogs import SMALLEST, opened, wrong


def clip(keys: str = "", project: str = "", **files: str) -> Clip:
    """The one clip of the smallest product with more keys."""
    [found] = opened(f"{SMALLEST}{keys}", project, **files).clips
    return found


def test_three_lines_are_enough() -> None:
    """sku, name and photo make a clip; all else has a default."""
    found = clip()
    assert (found.id, found.recipe, found.platforms) == ("mug", "packshot", ("tiktok", "reels", "shorts"))
    assert (found.motion, found.seconds, found.caption_style, found.language) == (Motion("push-in"), 5, "boxed", "en")
    assert (found.prompt.subject, found.ground, found.sound) == ("Mug", Ground(), Sound())
    assert (found.image_provider, found.motion_provider) == ("local", "local")


def test_the_nearest_layer_wins() -> None:
    """Project ← brand ← recipe ← file ← product ← variant."""
    project = """
defaults: {lighting: project, background: project, depth: project, caption_style: plain, duration: 1}
brand: {defaults: {background: brand, depth: brand, duration: 2}}
recipes: {scene: {depth: recipe, duration: 3}}
"""
    products = """
defaults: {recipe: scene, duration: 4}
products:
  - sku: a
    name: A
    photos: p.png
    platforms: [tiktok]
    variants: [{id: x}, {id: y, duration: 6, lighting: variant}]
"""
    x, y = opened(products, project).clips
    assert (x.prompt.lighting, x.prompt.background, x.prompt.depth, x.caption_style, x.seconds) == (
        "project", "brand", "recipe", "plain", 4,
    )  # fmt: skip
    assert (y.prompt.lighting, y.seconds, y.id) == ("variant", 6, "a.y")


def test_maps_add_up_and_short_forms_too() -> None:
    """A product that changes one key of a map keeps the others; a name alone changes only the name."""
    project = "defaults: {motion: {name: drift, amount: 0.3}, ground: {style: gradient}, sound: {bed: p.png, gain: -6}}\n"
    found = clip("    motion: reveal\n    ground: {colors: ['#AABBCC']}\n    sound: {gain: -3}\n", project)
    assert found.motion == Motion("reveal", 0.3)
    assert found.ground == Ground("gradient", ("#aabbcc",))
    assert found.sound == Sound("p.png", -3)
    assert clip("    sound: false\n", project).sound.bed == ""


def test_a_plate_is_the_ground() -> None:
    """Naming a background picture is enough; another style puts it away."""
    assert clip("    ground: {plate: p.png}\n").ground == Ground("plate", (), "p.png")
    assert clip("    ground: studio\n", "defaults: {ground: {plate: p.png}}\n").ground == Ground("studio")


def test_a_clip_a_language() -> None:
    """Texts in several languages make several clips; plain text serves all; regions fall back to their language."""
    keys = "    languages: [en, de-AT]\n    cta: {en: Buy, de: Kaufen}\n    hook: Wow\n    offer: {price: €5, text: {en: now, de-AT: heuer}}\n"
    en, at = opened(f"{SMALLEST}{keys}").clips
    assert (en.id, en.cta, en.hook, en.offer, en.lang_suffix) == ("mug.en", "Buy", "Wow", Offer("€5", "", "now"), True)
    assert (at.id, at.cta, at.hook, at.offer) == ("mug.de-AT", "Kaufen", "Wow", Offer("€5", "", "heuer"))


def test_languages_are_those_written_where_nobody_says() -> None:
    """A product whose texts are in two languages gets two clips; `languages:` anywhere decides instead."""
    keys = "    cta: {de: Kaufen, fr: Acheter}\n"
    assert [one.language for one in opened(f"{SMALLEST}{keys}").clips] == ["de", "fr"]
    [only] = opened(f"{SMALLEST}{keys}", "defaults: {languages: [fr]}\n").clips
    assert (only.id, only.cta) == ("mug", "Acheter")


def test_a_text_that_is_missing_in_a_language() -> None:
    """It is said at the text, also within captions, offers and variants."""
    keys = "    languages: [en, de]\n    captions:\n      - {en: a, de: b}\n      - {en: c}\n"
    assert wrong(f"{SMALLEST}{keys}") == [
        "catalog/a.yaml:8:9: no text for the language 'de' | write `de: …` beside the others, or leave de out of `languages:`"
    ]
    keys = "    variants:\n      - {id: x, languages: [en, de], cta: {en: a}}\n"
    assert wrong(f"{SMALLEST}{keys}")[0].startswith("catalog/a.yaml:6:43: no text for the language 'de'")


def test_a_picture_is_the_same_in_all_languages() -> None:
    """Its words are those of the first language, so that it is made once."""
    en, de = opened(f"{SMALLEST.replace('Mug', '{en: Mug, de: Tasse}')}").clips
    assert (en.name, de.name) == ("Mug", "Tasse")
    assert en.prompt == de.prompt
    assert en.prompt.subject == "Mug"


def test_captions_in_all_their_forms() -> None:
    """Text, timed text, a file a language, or made from what is spoken."""
    keys = "    captions:\n      - One\n      - {text: Two, at: 1.5, for: 2}\n      - {text: {en: Three}}\n      - ''\n"
    assert clip(keys).captions == (Caption("One"), Caption("Two", 1.5, 2.0), Caption("Three"))
    found = clip("    captions: {file: a.srt}\n", **{"a.srt": ""})
    assert (found.captions, found.caption_file, found.auto_captions) == ((), "a.srt", False)
    two = opened(f"{SMALLEST}    captions: {{file: {{en: a.srt, de: b.srt}}}}\n", **{"a.srt": "", "b.srt": ""}).clips
    assert [one.caption_file for one in two] == ["a.srt", "b.srt"]
    found = clip("    captions: auto\n    script: Twelve coats.\n    words: w.json\n", **{"w.json": ""})
    assert (found.auto_captions, found.script, found.words) == (True, "Twelve coats.", "w.json")


def test_layers_and_the_end_card() -> None:
    """What lies on top, and what stands at the end."""
    keys = "    layers:\n      - {file: p.png, at: 1, for: 2, place: top, shape: circle, width: 0.5}\n      - {file: p.png, place: full}\n"
    assert clip(keys).layers == (Footage("p.png", 1, 2, "top", "circle", 0.5), Footage("p.png", 0, None, "full", "full"))
    assert [clip(f"    end_card: {value}\n").end_card for value in ("false", "true", "{for: 3}")] == [0, 1.8, 3]


def test_who_makes_what() -> None:
    """The product's word, else the first route that fits, else the profile; a draft makes everything itself."""
    project = """
profiles: {final: {image: openai/a, motion: kling/b}}
routes:
  - {priority: hero, motion: runway/c}
  - {sound: true, motion: google/d}
  - {recipe: packshot, image: openai/e}
"""

    def makers(keys: str, profile: str = "final") -> tuple[str, str]:
        [found] = opened(f"{SMALLEST}{keys}", project, profile=profile).clips
        return found.image_provider, found.motion_provider

    assert makers("") == ("openai/e", "kling/b")
    assert makers("    priority: hero\n    sound: {own: keep}\n") == ("openai/e", "runway/c")
    assert makers("    sound: {own: keep}\n") == ("openai/e", "google/d")
    assert makers("    recipe: scene\n    ground: {plate: p.png}\n") == ("openai/a", "kling/b")
    assert makers("    image_provider: local\n    motion_provider: x/y:z\n") == ("local", "x/y:z")
    assert makers("    motion_provider: x/y\n", "draft") == ("local", "local")


def test_licences_are_carried_along() -> None:
    """The product's note serves all its photos, a photo's own note wins; a bed has its own."""
    keys = "    licence: own photo\n    sound: {bed: p.png, licence: CC-BY-4.0, credit: Mika}\n".replace("    ", "    ")
    found = opened(
        SMALLEST.replace("photos: p.png", "photos: [p.png, {file: q.png, licence: MIT, source: shop, credit: Ana}]") + keys,
        **{"q.png": ""},
    ).clips[0]
    assert found.photos == ("p.png", "q.png")
    assert found.assets == (
        Asset("p.png", "own photo"), Asset("q.png", "MIT", "shop", "Ana"), Asset("p.png", "CC-BY-4.0", "", "Mika"),
    )  # fmt: skip
    assert clip().assets == ()


def test_keys_of_ones_own() -> None:
    """x- keys come through as text, from any layer."""
    found = clip("    x-material: 1.10\n    x-new: true\n", "defaults: {x-season: spring}\n")
    assert found.extra == {"x-season": "spring", "x-material": "1.10", "x-new": "true"}


def test_what_others_read_from_a_clip() -> None:
    """Priority, review, fallback, how the picture is made, takes."""
    found = clip("    priority: hero\n    review: required\n    fallback: [local]\n    picture: edit\n    takes: 3\n")
    assert (found.priority, found.review, found.fallback, found.picture, found.takes) == ("hero", "required", ("local",), "edit", 3)
    assert clip("    review: none\n").review == ""


@pytest.mark.parametrize("exclude", ["text", "[text, logos]"])
def test_one_or_a_list(exclude: str) -> None:
    """A single photo or word needs no brackets."""
    assert clip(f"    exclude: {exclude}\n").prompt.exclude[0] == "text"
