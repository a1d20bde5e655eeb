"""Subtitle files: read as people write them, faults with their line, and back from what we wrote."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipbuild.errors import MediaError
from clipbuild.media import script, subtitlefiles, subtitles
from clipbuild.media.timing import Cue, Word

SRT = b"\xef\xbb\xbf1\r\n00:00:00,500 --> 00:00:01,750\r\n<i>Twelve</i> coats\r\nof {\\an8}lacquer\r\n\r\n2\r\n00:00:02,000 --> 00:00:03,000\r\nNo two\r\n"
VTT = b"WEBVTT - a title\n\nNOTE\nfor nobody\n\nSTYLE\n::cue { color: red }\n\nfirst\n00:01.000 --> 00:02.000 align:start\n<v Ana>Salt &amp; <b>pepper</b>\n"


def test_both_formats_are_read() -> None:
    """Byte order marks, line ends, tags, notes, styles, settings and entities leave the plain text and its time."""
    assert [(s.text, s.start, s.end) for s in subtitlefiles.read(SRT, "a.srt")] == [
        ("Twelve coats\nof lacquer", 0.5, 1.75), ("No two", 2.0, 3.0),
    ]  # fmt: skip
    assert [(s.text, s.start, s.end) for s in subtitlefiles.read(VTT, "a.vtt")] == [("Salt & pepper", 1.0, 2.0)]


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b"WEBVTT\n\n00:01.000 --> 00:02\nx", "a.vtt:3: no time"),
        (b"1\n00:00:02,000 --> 00:00:01,000\nx", "a.vtt:2: the caption ends before it starts"),
        (b"WEBVTT\n\njust text\nmore", "a.vtt:3: expected a time"),
        (b"1\n00:00:01,000 --> 00:00:02,000\n\xe9t\xe9", "a.vtt:3: not UTF-8"),
    ],
)
def test_a_fault_has_its_line(data: bytes, where: str) -> None:
    """File and line come first."""
    with pytest.raises(MediaError) as caught:
        subtitlefiles.read(data, "a.vtt")
    assert str(caught.value).startswith(where)


def test_word_times_survive_the_draft() -> None:
    """A draft that nobody changed says what it was made from."""
    cue = Cue("caption", "Salt & pepper", 1.0, 2.5, words=(Word(0, 4, 1.0, 1.4), Word(5, 6, 1.4, 1.6), Word(7, 13, 1.6, 2.5)))
    (said,) = subtitlefiles.read(subtitles.timed([cue], "note").encode(), "a.vtt")
    assert (said.text, said.start, said.end, said.words) == (cue.text, cue.start, cue.end, cue.words)


@given(st.text(max_size=60))
def test_what_we_write_we_read(text: str) -> None:
    """Any text that can be drawn comes back from both formats as it was."""
    try:
        text = "\n".join(line.strip() for line in script.clean(text).split("\n") if line.strip())
    except MediaError:
        return
    cue = Cue("caption", text, 0.25, 1.5)
    for write in (subtitles.srt, subtitles.vtt):
        found = subtitlefiles.read(write([cue]).encode(), "a")
        assert [(s.text, s.start, s.end) for s in found] == [(cue.text, cue.start, cue.end)]
