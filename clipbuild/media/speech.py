"""What is said when: word times of a transcription, mended by the script, cut into captions that can be read.

The file of words is JSON: {"words": [{"word", "start", "end"}, …]}, as transcriptions give it. Knows nothing of
providers, pictures or catalogs.
"""

import difflib
import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from clipbuild.errors import MediaError, shown
from clipbuild.media import linebreak, script, timing
from clipbuild.media.timing import Cue, Word

SIZE_LIMIT = 8 << 20
LONGEST = 34.0
"""Letters of a caption at most; a letter of a wide script counts twice."""
PAUSE = 0.6
LEAST_PART = 0.55
"""From which part of LONGEST on a caption may end at a comma."""
STOPS, COMMAS = ".!?…。！？؟।", ",;:–—،、，；："
TAIL = 0.35
"""How long a caption stays after its last word, where nothing follows."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One word and its time."""

    text: str
    start: float
    end: float


def words(data: bytes, name: str) -> list[Heard]:
    """The words of a transcription file. Raises MediaError when it is none."""
    if len(data) > SIZE_LIMIT:
        raise MediaError(f"{shown(name)}: {len(data) >> 20} MB is too large for word times", [("limit", "8 MB")])
    try:
        found = _listed(json.loads(data))
        heard = [Heard(str(row["word"]).strip(), float(row["start"]), float(row["end"])) for row in found]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        hint = 'it should be {"words": [{"word": "Hello", "start": 0.1, "end": 0.4}, …]}'
        raise MediaError(f"{shown(name)}: no word times", [("reason", shown(error, 80))], hint) from error
    heard = [word for word in heard if word.text]
    if any(not 0 <= word.start <= word.end < 1e6 for word in heard):
        raise MediaError(f"{shown(name)}: a word ends before it starts")
    return sorted(heard, key=lambda word: word.start)


def _listed(value: Any) -> list[Mapping[str, Any]]:
    if isinstance(value, Mapping) and "words" not in value and "segments" in value:
        return [word for segment in value["segments"] for word in segment["words"]]
    found = value["words"] if isinstance(value, Mapping) else value
    if not isinstance(found, list):
        raise TypeError("no list of words")
    return found


def mended(heard: Sequence[Heard], written: str) -> list[Heard]:
    """What was heard, in the words of the script: times from the one, spelling from the other."""
    tokens = [line[a:b] for line in written.split("\n") for a, b in linebreak.words(line)]
    if not tokens or not heard:
        return list(heard)
    sides = [_key(word.text) for word in heard], [_key(token) for token in tokens]
    found: list[Heard] = []
    for kind, a0, a1, b0, b1 in difflib.SequenceMatcher(None, *sides, autojunk=False).get_opcodes():
        if kind == "equal":
            pairs = zip(tokens[b0:b1], heard[a0:a1], strict=True)
            found += [replace(word, text=token) for token, word in pairs]
        elif b1 > b0:
            before = heard[a0 - 1].end if a0 else heard[0].start
            start = heard[a0].start if a1 > a0 else before
            end = heard[a1 - 1].end if a1 > a0 else (heard[a0].start if a0 < len(heard) else heard[-1].end)
            found += _spread(tokens[b0:b1], start, max(end, start))
    return found


def _key(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def _spread(tokens: Sequence[str], start: float, end: float) -> list[Heard]:
    weights = [max(1, len(token)) for token in tokens]
    step, found = (end - start) / sum(weights), []
    for token, weight in zip(tokens, weights, strict=True):
        found.append(Heard(token, start, start + weight * step))
        start += weight * step
    return found


def spread(written: str, seconds: float) -> list[Heard]:
    """A script without times, spread over a clip by reading speed."""
    cue = Cue("caption", script.clean(written), 0.0, seconds)
    return [Heard(cue.text[word.first : word.last], word.start, word.end) for word in timing.words(cue)]


def captions(heard: Sequence[Heard], seconds: float) -> list[Cue]:
    """Captions of a line or two, ended at sentences, pauses and commas, with the times of their words."""
    groups: list[list[Heard]] = []
    for word in heard:
        if word.start >= seconds - 0.05:
            break
        if groups and not _ends(groups[-1], word):
            groups[-1].append(word)
        else:
            groups.append([word])
    starts = [group[0].start for group in groups[1:]] + [seconds]
    return [_cue(group, after) for group, after in zip(groups, starts, strict=True)]


def _ends(group: Sequence[Heard], after: Heard) -> bool:
    last, length = group[-1], _length(_joined(group))
    if last.text[-1:] in STOPS or after.start - last.end > PAUSE:
        return True
    if length + _length(after.text) + 1 > LONGEST:
        return True
    return last.text[-1:] in COMMAS and length > LEAST_PART * LONGEST


def _length(text: str) -> float:
    return sum(2.0 if script.is_cjk(c) or script.script_of(c) == "hangul" else 1.0 for c in text)


def _joined(group: Sequence[Heard]) -> str:
    text = ""
    for word in group:
        text += (" " if text and _spaced(text[-1], word.text[0]) else "") + word.text
    return text


def _spaced(before: str, after: str) -> bool:
    return not (script.is_cjk(before) or script.is_cjk(after) or script.script_of(after) == "thai")


def _cue(group: Sequence[Heard], after: float) -> Cue:
    text, found = "", []
    for word in group:
        text += " " if text and _spaced(text[-1], word.text[0]) else ""
        found.append(Word(len(text), len(text) + len(word.text), round(word.start, 3), round(word.end, 3)))
        text += word.text
    end = min(after, max(group[-1].end + TAIL, group[0].start + 0.5))
    return Cue("caption", text, round(group[0].start, 3), round(end, 3), words=tuple(found))
