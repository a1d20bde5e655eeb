"""Subtitle files: the timetable of a clip as SubRip and WebVTT, so written that every player shows it as it is.

Formats: https://www.w3.org/TR/webvtt1/ and SubRip as players read it. Knows nothing of pictures.
"""

from collections.abc import Iterable, Sequence

from clipbuild.media.timing import Cue

WORD_JOINER = "\u2060"
"""Breaks up what a SubRip player would take as markup; shows nothing."""


def srt(cues: Sequence[Cue]) -> str:
    """A SubRip file. Text that looks like a tag or a time is kept from being one by an invisible character."""
    blocks = []
    for number, (start, end, text) in enumerate(_together(cues), 1):
        blocks.append(f"{number}\n{_clock(start, ',')} --> {_clock(end, ',')}\n{_plain(text)}\n")
    return "\n".join(blocks)


def vtt(cues: Sequence[Cue]) -> str:
    """A WebVTT file."""
    blocks = ["WEBVTT\n"]
    for start, end, text in _together(cues):
        blocks.append(f"{_clock(start, '.')} --> {_clock(end, '.')}\n{_escaped(text)}\n")
    return "\n".join(blocks)


def timed(cues: Sequence[Cue], note: str) -> str:
    """A WebVTT file with the time of every word in it, for a person to correct; `note` says so at its top."""
    blocks = ["WEBVTT\n", f"NOTE {note}\n"]
    for cue in cues:
        text, at = "", 0
        for number, word in enumerate(cue.words):
            mark = f"<{_clock(word.start, '.')}>" if number else ""
            text += _escaped(cue.text[at : word.first]) + mark + _escaped(cue.text[word.first : word.last])
            at = word.last
        blocks.append(f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n{text}{_escaped(cue.text[at:])}\n")
    return "\n".join(blocks)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _together(cues: Iterable[Cue]) -> list[tuple[float, float, str]]:
    """Texts of one and the same time as one entry, a line each."""
    found: dict[tuple[float, float], list[str]] = {}
    for cue in cues:
        found.setdefault((cue.start, cue.end), []).append(cue.said)
    return [(start, end, "\n".join(texts)) for (start, end), texts in found.items()]


def _plain(text: str) -> str:
    for mark in ("<", "{", "--", "\\"):
        text = text.replace(mark, mark + WORD_JOINER)
    lines = text.split("\n")
    return "\n".join(line + WORD_JOINER if line.strip().isdecimal() else line for line in lines)


def _clock(seconds: float, comma: str) -> str:
    whole = round(seconds * 1000)
    minutes, rest = divmod(whole, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}{comma}{rest % 1000:03d}"
