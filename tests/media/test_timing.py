"""The timetable: hook, captions, offer, in time."""

import pytest

from clipbuild.errors import MediaError
from clipbuild.media import timing


def test_a_clip_opens_with_its_hook_and_closes_with_its_offer() -> None:
    """Texts without times fill the clip without gaps or overlaps, in order."""
    params = {
        "seconds": 6, "hook": "Slow mornings", "captions": [{"text": "Twice glazed"}, {"text": "Keeps warm"}],
        "offer": {"price": "€19", "was": "€29"}, "cta": "Shop now",
    }  # fmt: skip
    cues = timing.cues(params)
    assert [cue.kind for cue in cues] == ["hook", "caption", "caption", "price", "cta"]
    assert cues[0].start == 0
    assert [a.end for a in cues[:3]] == [b.start for b in cues[1:4]]
    assert {cue.end for cue in cues[3:]} == {6}


def test_asked_times_are_kept() -> None:
    """`at` and `for` of a caption are what is shown; loose captions stand between."""
    captions = [{"text": "one"}, {"text": "two", "at": 3.0, "seconds": 1.0}, {"text": "three"}]
    cues = timing.cues({"seconds": 8, "captions": captions})
    assert [(cue.start, cue.end) for cue in cues] == [(0, 3), (3, 4), (4, 8)]


def test_a_caption_that_would_never_be_seen_is_an_error() -> None:
    """After the clip's end, or under its end card."""
    late = {"text": "too late", "at": 4.0}
    with pytest.raises(MediaError, match="comes at 4 s, the picture ends at 3.5 s"):
        timing.cues({"seconds": 5, "captions": [late], "end_card": {"seconds": 1.5}})
    assert timing.cues({"seconds": 5, "captions": [late]})[0].end == 5


def test_an_end_card_ends_all_that_is_on_the_picture() -> None:
    """Hook, captions and a card's words stop when it comes; the offer is on it."""
    for card in ({}, {"card": {"headline": "Salt"}}):
        params = {"seconds": 5, "hook": "Hi", "captions": [{"text": "one"}], "cta": "Buy", "end_card": {"seconds": 2, "name": "Us"}}
        cues = timing.cues({**params, **card})
        on_card = {cue.kind for cue in cues if cue.start >= 3.0}
        assert on_card == {"sign", "cta"}
        assert all(cue.end <= 3.0 for cue in cues if cue.kind not in on_card)


def test_a_still_shows_text_that_neither_comes_nor_goes() -> None:
    """Near three fifths of the clip, but never within a fade; with words that come one by one, when the last is there."""
    asked = {"seconds": 5, "captions": [{"text": "Full-grain leather, cut by hand"}, {"text": "It only gets better"}]}
    params = {**asked, "offer": {"price": "€12", "was": "€16"}, "cta": "See all sizes"}
    assert timing.still(asked) == 2.5
    for by_word in (False, True):
        at = timing.still(params, by_word=by_word)
        seen = [cue for cue in timing.cues(params) if cue.start <= at < cue.end]
        assert seen
        assert all(at - cue.start >= timing.SETTLED and cue.end - at >= timing.LEAVING for cue in seen)
        assert not by_word or at > max(timing.words(cue)[-1].start for cue in seen)
    assert timing.still({"seconds": 4}) == 2.4
    carded = {"seconds": 4, "hook": "Hi", "cta": "Buy", "end_card": {"seconds": 2.0, "name": "Us"}}
    assert timing.still(carded) < 2.0
