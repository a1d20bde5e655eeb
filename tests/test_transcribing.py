"""Word times are bought once, and captions are made from them."""

import json
import pathlib
import wave

import pytest

from tests.support.shop import Shop, opened


def voice(shop: Shop) -> None:
    """Two seconds of sound in the project."""
    (shop.root / "sound").mkdir(exist_ok=True)
    with wave.open(str(shop.root / "sound/voice.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\1" * 16000)


def test_the_words_of_a_sound_become_captions(tmp_path: pathlib.Path) -> None:
    """Bought, written, pinned; the second time for nothing; a product then says them."""
    with opened(tmp_path, "openai") as shop:
        shop.stock(1, motion="local")
        voice(shop)
        status, out, err = shop.run("transcribe", "sound/voice.wav", "--language", "en")
        assert status == 0, err
        assert "sound/voice.words.json" in out
        words = json.loads((shop.root / "sound/voice.words.json").read_text())["words"]
        assert [word["word"] for word in words] == ["Meet", "the", "little", "lamp"]
        assert "voice.wav/transcribe" in (shop.root / "clipbuild.lock").read_text()
        (shop.root / "sound/voice.words.json").unlink()
        assert shop.run("transcribe", "sound/voice.wav", "--language", "en", "--out", "sound/voice.words.json")[0] == 0
        assert shop.submits() == 1
        shop.edit("catalog/all.yaml", "    captions: [Hello there]", "    captions: auto\n    words: sound/voice.words.json")
        shop.profile = "draft"
        assert shop.build().status == 0
        assert b"Meet the little lamp" in shop.files()["tiktok/item-0/item-0.srt"]


def test_each_has_a_cap_of_its_own(tmp_path: pathlib.Path) -> None:
    """Two sounds, each within what its own command allows: the first does not count to the second, nor to a build."""
    with opened(tmp_path, "openai") as shop:
        shop.stock(1, motion="local")
        voice(shop)
        for language in ("en", "de"):
            status, _, err = shop.run("transcribe", "sound/voice.wav", "--language", language, "--max-spend", "0.0004")
            assert status == 0, err


@pytest.mark.parametrize(
    ("args", "status", "says"),
    [
        (("sound/none.wav",), 2, "can't be read"), (("../voice.wav",), 2, "leaves its folder"),
        (("sound/voice.wav", "--max-spend", "0.00001"), 3, "cost more than it may"),
        (("sound/voice.wav", "--model", "whisper"), 2, "name a provider"), (("clipbuild.yaml",), 1, "not a sound file"),
    ],
)  # fmt: skip
def test_what_is_refused_costs_nothing(args: tuple[str, ...], status: int, says: str, tmp_path: pathlib.Path) -> None:
    """Before any request."""
    with opened(tmp_path, "openai") as shop:
        shop.stock(1, motion="local")
        voice(shop)
        found, _, err = shop.run("transcribe", *args)
        assert (found, says in err) == (status, True), err
        assert shop.submits() == 0
