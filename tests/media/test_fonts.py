"""Which fonts a text needs."""

import os
import pathlib
import random
import shutil

import pytest

from clipbuild.errors import MediaError
from clipbuild.media import fonts, ink
from clipbuild.media.faces import Face
from clipbuild.media.text import Fonts, Style


def names(text: str, language: str = "") -> list[str]:
    return [os.path.basename(path) for path in fonts.needed(text, language)]


@pytest.mark.parametrize(
    ("text", "extra"),
    [
        ("Café – 50% €19", []), ("مرحبا", ["NotoSansArabic.ttf"]), ("שלום", ["NotoSansHebrew.ttf"]),
        ("नमस्ते", ["NotoSansDevanagari.ttf"]), ("สวัสดี", ["NotoSansThai.ttf"]), ("新品 こんにちは 한국어", ["NotoSansCJK-Bold.otf"]),
        ("🔥 sale", ["NotoColorEmoji.ttf"]), ("❤️", ["NotoColorEmoji.ttf"]), ("", []),
    ],
)  # fmt: skip
def test_a_text_gets_the_fonts_it_needs_and_no_more(text: str, extra: list[str]) -> None:
    """Heading and body first, then what they lack."""
    assert names(text) == ["Inter.ttf", "Inter.ttf", *extra]


def test_a_character_without_a_font_is_named() -> None:
    """By number, name and itself."""
    with pytest.raises(MediaError) as caught:
        fonts.needed("a \U00012f90 b", "de")
    assert "U+12F90 CYPRO-MINOAN" in str(caught.value)
    assert "brand: fonts" in caught.value.hint


def test_the_brands_font_comes_first(tmp_path: pathlib.Path) -> None:
    """Its own files lead; what they lack is helped out by the shipped ones."""
    own = tmp_path / "own.ttf"
    shutil.copy(fonts.shipped("NotoSansThai.ttf"), own)
    found = fonts.needed("abc", brand=(str(own),))
    assert found[0] == str(own)
    assert fonts.shipped("Inter.ttf") in found


@pytest.mark.parametrize("damage", ["cut", "zeros", "text", "empty"])
def test_a_damaged_font_is_an_error_with_its_name(tmp_path: pathlib.Path, damage: str) -> None:
    """Never a crash: cut short, overwritten, no font at all."""
    data = pathlib.Path(fonts.shipped("NotoSansThai.ttf")).read_bytes()
    bad = {"cut": data[:300], "zeros": data[:12] + bytes(5000), "text": b"hello" * 99, "empty": b""}[damage]
    path = tmp_path / "bad.ttf"
    path.write_bytes(bad)
    with pytest.raises(MediaError, match=r"bad\.ttf"):
        fonts.needed("abc", brand=(str(path),))
    if damage in ("text", "empty"):
        with pytest.raises(MediaError, match=r"bad\.ttf"):
            Face(str(path), 700)


def test_a_font_with_wrong_bytes_is_used_or_refused_never_more(tmp_path: pathlib.Path) -> None:
    """A hundred mutations: text is drawn, or the error says that the font is no good; nothing else gets out."""
    seed = int(os.environ.get("CLIPBUILD_SEED", "0")) or random.randrange(1 << 30)
    print("CLIPBUILD_SEED =", seed)
    rng, whole = random.Random(seed), pathlib.Path(fonts.shipped("NotoSansHebrew.ttf")).read_bytes()
    for number in range(100):
        data = bytearray(whole)
        for _ in range(rng.choice((1, 8, 60))):
            data[rng.randrange(len(data))] = rng.randrange(256)
        path = tmp_path / f"{number}.ttf"
        path.write_bytes(data)
        try:
            known = Fonts(fonts.needed("שלום 50%", brand=(str(path),)))
            ink.rasterise(known.fit("שלום 50%", Style(), 40, 20, 900, 400, 2, "left"))
        except MediaError as error:
            assert error.facts
