"""Word times to captions, mended by a script."""

import json
from itertools import pairwise

import pytest

from clipbuild.errors import MediaError
from clipbuild.media import speech
from clipbuild.media.speech import Heard


def heard(text: str, step: float = 0.3) -> list[Heard]:
    """Words said one after the other."""
    return [Heard(word, i * step, i * step + 0.8 * step) for i, word in enumerate(text.split())]


def test_captions_end_at_sentences_and_stay_short() -> None:
    """A stop ends a caption; no caption is longer than a line or two; every word keeps its time."""
    cues = speech.captions(heard("Twelve coats of lacquer. No two are ever quite the same, whatever anybody tells you."), 9)
    assert cues[0].text == "Twelve coats of lacquer."
    assert all(len(cue.text) <= speech.LONGEST for cue in cues)
    assert all(a.end <= b.start for a, b in pairwise(cues))
    for cue in cues:
        assert [cue.text[w.first : w.last] for w in cue.words] == cue.text.split()
    assert cues[1].words[0].start == pytest.approx(4 * 0.3)


def test_a_pause_ends_a_caption() -> None:
    """Silence between words is where the next caption begins."""
    cues = speech.captions([Heard("one", 0, 0.2), Heard("two", 0.3, 0.5), Heard("three", 2, 2.3)], 5)
    assert [cue.text for cue in cues] == ["one two", "three"]


def test_the_script_spells_what_was_heard() -> None:
    """Misheard words take the script's spelling and keep their time; words nobody said find room."""
    mended = speech.mended(heard("twelve goats of lacker no to are the same"), "Twelve coats of lacquer. No two are the same.")
    assert " ".join(word.text for word in mended) == "Twelve coats of lacquer. No two are the same."
    assert mended[1].start == pytest.approx(0.3)
    assert [w.start for w in mended] == sorted(w.start for w in mended)


@pytest.mark.parametrize("data", [b"", b"[1]", b'{"words": 3}', b'{"words": [{"word": "a"}]}', b'{"words":[{"word":"a","start":2,"end":1}]}'])
def test_a_file_without_word_times_is_refused(data: bytes) -> None:
    """With its name and what it should look like."""
    with pytest.raises(MediaError, match=r"talk\.json"):
        speech.words(data, "talk.json")


def test_transcriptions_of_both_kinds_are_read() -> None:
    """Words at the top or in segments."""
    row = {"word": " Hello", "start": 0.1, "end": 0.4}
    assert speech.words(json.dumps({"words": [row]}).encode(), "a") == [Heard("Hello", 0.1, 0.4)]
    assert speech.words(json.dumps({"segments": [{"words": [row]}]}).encode(), "a") == [Heard("Hello", 0.1, 0.4)]
