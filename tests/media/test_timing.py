"""The timetable: hook, captions, offer, in time."""

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
