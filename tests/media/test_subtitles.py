"""Subtitle files: what is drawn, at the same times."""

from clipbuild.media import subtitles, timing
from clipbuild.media.timing import Cue

CUES = [Cue("hook", "50% off", 0, 1.25), Cue("price", "€19", 1.25, 3661.5, "€29"), Cue("cta", "Buy", 1.25, 3661.5)]


def test_both_formats_say_the_same_at_the_same_times() -> None:
    """Texts of one time are one entry; an earlier price is told."""
    assert subtitles.srt(CUES) == (
        "1\n00:00:00,000 --> 00:00:01,250\n50% off\n\n2\n00:00:01,250 --> 01:01:01,500\n€29 → €19\nBuy\n"
    )
    assert subtitles.vtt(CUES) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.250\n50% off\n\n00:00:01.250 --> 01:01:01.500\n€29 → €19\nBuy\n"
    )


def test_markup_is_text() -> None:
    """In WebVTT by its own escapes, in SubRip by an invisible letter."""
    cue = Cue("caption", "<b> & {x} -->\n7", 0, 1)
    assert "&lt;b&gt; &amp; {x} --&gt;" in subtitles.vtt([cue])
    body = subtitles.srt([cue]).split("\n", 2)[2]
    assert "<b" not in body
    assert "-->" not in body
    assert body.replace("\u2060", "").strip() == cue.text


def test_a_clip_without_text_has_empty_files() -> None:
    """They are there, and say nothing."""
    assert subtitles.srt(timing.cues({"seconds": 5})) == ""
    assert subtitles.vtt([]) == "WEBVTT\n"
