"""What only the project can say: is the file there, is the name known, does the length fit."""

import pytest

from tests.support.catalogs import SMALLEST, wrong


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("    motion: pushin\n", "5:13: unknown motion 'pushin' | did you mean \"push-in\"?"),
        ("    motion: {name: x}\n", "5:20: unknown motion 'x' | "),
        ("    caption_style: boxd\n", "5:20: unknown caption style 'boxd' | did you mean \"boxed\"?"),
        ("    platforms: [reels, tiktk]\n", "5:24: unknown platform 'tiktk' | did you mean \"tiktok\"?"),
        ("    ground: {plate: plate.jpg}\n", "5:21: 'plate.jpg' is not there | paths are relative to clipbuild.yaml"),
        (
            "    sound: “s.flac”\n",
            "5:12: '“s.flac”' is not there | curly quotes are part of a text; write straight ones or none",
        ),
        ("    sound: s.flac\n", "5:12: 's.flac' is not there | paths are relative to clipbuild.yaml"),
        ("    sound: {bed: s.flac}\n", "5:18: 's.flac' is not there | paths are relative to clipbuild.yaml"),
        ("    layers: [{file: ana.mp4}]\n", "5:21: 'ana.mp4' is not there | paths are relative to clipbuild.yaml"),
        ("    captions: {file: {en: c.srt}}\n", "5:27: 'c.srt' is not there | paths are relative to clipbuild.yaml"),
        ("    words: w.json\n", "5:12: 'w.json' is not there | paths are relative to clipbuild.yaml"),
        ("    duration: 1\n", "5:15: 1 s; reels takes 3 to 900 s | change `duration:`, or leave reels out of `platforms:`"),
        ("    captions: [{text: a, at: 1}, {text: b, at: 5}]\n",
         "5:48: begins at 5 s; the clip ends at 5 s | begin earlier, or make `duration:` longer"),
        ("    layers: [{file: p.png, at: 7}]\n", "5:32: begins at 7 s; the clip ends at 5 s | begin earlier, or make `duration:` longer"),
        ("    end_card: {for: 6}\n", "5:15: 6 s of end card; the clip ends at 5 s | make one shorter or the other longer"),
        ("    variants: [{id: a}, {id: A}]\n", "5:30: two variants are called 'a' | rename one"),
        ("    variants: [{id: a, motion: x}]\n", "5:32: unknown motion 'x' | "),
    ],
)
def test_where_it_is_written(keys: str, expected: str) -> None:
    """Each is said at its own place."""
    assert wrong(SMALLEST + keys) == [f"catalog/a.yaml:{expected}"]


def test_a_photo_that_is_not_there() -> None:
    """The nearest file of its folder is offered."""
    text = SMALLEST.replace("p.png", "photos/mug_blakc.jpg")
    assert wrong(text, **{"photos/mug_black.jpg": ""}) == [
        "catalog/a.yaml:4:13: 'photos/mug_blakc.jpg' is not there | did you mean \"photos/mug_black.jpg\"?"
    ]
    text = SMALLEST.replace("p.png", "[p.png, {file: q.png}]")
    assert wrong(text) == ["catalog/a.yaml:4:28: 'q.png' is not there | did you mean \"p.png\"?"]


def test_a_product_needs_a_photo_and_a_card_does_not() -> None:
    """A packshot is made from one."""
    text = "products:\n  - sku: a\n    name: A\n"
    assert wrong(text) == ["catalog/a.yaml:2:5: no photo, and a packshot is made from one | write `photos: photos/name.jpg`"]
    assert wrong(f"{text}    recipe: card\n") == []


@pytest.mark.parametrize("name", ['""', "' '", "{en: ''}"])
def test_a_product_has_a_name(name: str) -> None:
    """Posts and cards say it: one of blanks alone is none, in any language."""
    assert wrong(SMALLEST.replace("name: Mug", f"name: {name}")) == [
        "catalog/a.yaml:3:11: an empty name | write what the product is called: posts and cards say it"
    ]


def test_the_projects_own_layers() -> None:
    """Defaults of the project, its brands and recipes, and their files."""
    project = "defaults: {motion: x}\nbrand: {logo: l.png, fonts: {body: f.ttf}}\nrecipes: {card: {platforms: [x]}}\nbrands: {b: {defaults: {caption_style: x}}}\n"
    assert [line.partition(" | ")[0] for line in wrong(SMALLEST, project)] == [
        "clipbuild.yaml:1:20: unknown motion 'x'", "clipbuild.yaml:2:15: 'l.png' is not there",
        "clipbuild.yaml:2:36: 'f.ttf' is not there", "clipbuild.yaml:3:30: unknown platform 'x'",
        "clipbuild.yaml:4:40: unknown caption style 'x'",
    ]  # fmt: skip


def test_a_product_with_a_fault_is_judged_as_far_as_it_goes() -> None:
    """A misspelt key does not hide a missing photo."""
    found = wrong("products:\n  - sku: a\n    name: A\n    photos: q.png\n    hok: x\n    motion: y\n")
    assert [line.split(":")[1] for line in found] == ["4", "5", "6"]
