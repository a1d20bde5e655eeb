"""Where a text may be broken into lines, and the best-looking way to do so.

Measures through a function it is given; knows nothing of fonts, sizes or pictures.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from clipbuild.media import script

Measure = Callable[[str], float]

GENTLE, FREE, TORN = 0, 1, 2
"""How far breaking may go: at good places only, also inside words of scripts without spaces, inside any word."""

FORBIDDEN = float("inf")
WEAK = 0.35
"""Cost of a break inside a word of a script without spaces, in units of a line's squared empty share."""
AWKWARD = 1.4
"""Cost of a break inside a katakana word: a smaller size is better, where that avoids it."""
TEAR = 4.0
"""Cost of tearing a word that is wider than the line."""
ORPHAN = 0.5

# Kinsoku: what must not start or end a line in Chinese and Japanese (JIS X 4051, GB/T 15834).
NO_START = frozenset(
    "、。，．・：；？！゛゜´｀ヽヾゝゞ々ー’”）〕］｝〉》」』】〙〗〟｠»‐–—…‥％‰℃°′″¢"
    "ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶㇰㇱㇲㇳㇴㇵㇶㇷㇸㇹㇺㇻㇼㇽㇾㇿ,.!?:;)]}%~～"
)
NO_END = frozenset("‘“（〔［｛〈《「『【〘〖〝｟«￥＄￡＃＠€$£¥#@([{")

THAI_FIRST, THAI_LAST, THAI_UNFINISHED = frozenset("เแโใไ"), frozenset("ะำ์ๆ"), frozenset("ั็")
"""Vowels that open a syllable, signs that close one, and signs after which a syllable goes on."""

# Spaces that must not be broken: a currency or sign and its number, a number and its unit.
_GLUE = re.compile(
    r"(?<=[€$£¥₹₽₪₩₺₫฿§№#+±~–-]) (?=\d)|(?<=\d) (?=[€$£¥₹₽₪₩₺₫฿%‰°])"
    r"|(?<=\d) (?=(?:[kKcmMµ]?[gmlLbBWV]|kg|oz|lb|cl|dl|ml|cm|mm|km|in|ft|h|min|s|x|XL|GB|MB|TB|mAh|px|Hz|kHz)\b)"
    r"|(?<=\d) (?=\d{3}\b)|(?<=\bNo\.) (?=\d)|(?<=\bNr\.) (?=\d)"
)
_PIECE = re.compile("[^ \u3000]+[ \u3000]*|[ \u3000]+")  # any other space is there to hold together


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch that is never broken inside. `cost` is that of breaking after it; `space` what a break swallows."""

    text: str
    cost: float
    space: str = ""


def break_lines(text: str, measure: Measure, width: float, lines: int, level: int = FREE) -> list[str] | None:
    """`text` in at most `lines` lines no wider than `width`, balanced; None when it does not fit.

    Line feeds in `text` always break, also beyond `lines`.
    """
    done: list[str] = []
    paragraphs = text.split("\n")
    spare = max(lines - len(paragraphs), 0)
    for paragraph in paragraphs:
        broken = _paragraph(paragraph.strip(" "), measure, width, 1 + spare, level)
        if broken is None:
            return None
        spare -= len(broken) - 1
        done += broken
    return done


def pieces(text: str, level: int = FREE) -> tuple[Piece, ...]:
    """`text` cut wherever a line may end."""
    return _pieces(text, level)


def words(line: str) -> list[tuple[int, int]]:
    """Where each word of a line begins and ends; in scripts without spaces what a break would cost little between."""
    found: list[tuple[int, int]] = []
    at, going_on = 0, False
    for piece in _pieces(line, FREE):
        end = at + len(piece.text)
        if going_on:
            found[-1] = (found[-1][0], end)
        else:
            found.append((at, end))
        at, going_on = end + len(piece.space), piece.cost >= AWKWARD
    return found


@lru_cache(maxsize=1024)
def _pieces(text: str, level: int) -> tuple[Piece, ...]:
    found: list[Piece] = []
    for match in _PIECE.finditer(_GLUE.sub(script.NBSP, text)):
        stretch = match.group()
        word = stretch.rstrip(" \u3000")
        found += _word(word, level)
        if found:
            last = found[-1]
            found[-1] = Piece(last.text, _after_word(word), last.space + stretch[len(word) :])
    return tuple(found)


def _word(word: str, level: int) -> list[Piece]:
    """A word as pieces: one, unless its script breaks anywhere or it may be torn."""
    made: list[Piece] = []
    current = ""
    letters = list(script.clusters(word))
    for here, after in zip(letters, [*letters[1:], ""], strict=True):
        current += here
        cost = _between(here[-1], after[0], level) if after else 0.0
        if cost != FORBIDDEN:
            made.append(Piece(current, cost))
            current = ""
    return made


def _between(before: str, after: str, level: int) -> float:
    """What a break between two characters without a space costs."""
    if after in NO_START or before in NO_END:
        return FORBIDDEN
    if script.ZWSP in (before, after):
        return 0.02 if before == script.ZWSP else FORBIDDEN
    kinds = script.script_of(before), script.script_of(after)
    if script.is_cjk(before) or script.is_cjk(after):
        cost = _cjk(before, kinds)
        return FORBIDDEN if cost >= AWKWARD and level == GENTLE else cost
    if (before == "-" and kinds[1] == "latin") or before == "/":
        return WEAK
    if kinds[0] == kinds[1] == "thai":
        return _thai(before, after, level)
    if kinds[0] == kinds[1] and kinds[0] in ("lao", "khmer", "myanmar"):
        return WEAK
    # Letters of a joined script change their shape when torn apart.
    if level == TORN and "arabic" not in kinds:
        return TEAR
    return FORBIDDEN


def _cjk(before: str, kinds: tuple[str, str]) -> float:
    """Breaks are free after punctuation and where a Japanese phrase ends: kana before kanji or katakana."""
    if before in NO_START and kinds[0] not in ("hiragana", "katakana"):
        return 0.0
    if kinds[0] == "hiragana" and kinds[1] in ("han", "katakana"):
        return 0.02
    if kinds == ("katakana", "katakana"):
        return AWKWARD
    if kinds[1] == "hiragana":
        return WEAK
    return WEAK / 3 if kinds[0] == kinds[1] else 0.05


def _thai(before: str, after: str, level: int) -> float:
    """Without a dictionary only some ends of syllables are sure; a zero-width space (U+200B) marks words for certain."""
    if before in THAI_UNFINISHED:
        return FORBIDDEN
    if after in THAI_FIRST or before in THAI_LAST:
        return WEAK / 3
    return FORBIDDEN if level == GENTLE else AWKWARD


def _after_word(word: str) -> float:
    """A line should not end with a word that belongs to the next one: an article, a preposition, a lone letter."""
    if word[-1:] in ".,;:!?…。、":
        return -0.05
    return 0.12 if len(word) <= 2 and word.isalpha() and script.script_of(word[0]) in ("latin", "cyrillic", "greek") else 0.0


def _paragraph(text: str, measure: Measure, width: float, lines: int, level: int) -> list[str] | None:
    if measure(text) <= width:
        return [text]
    parts = pieces(text, level)
    widths = [measure(part.text) for part in parts]
    spaces = [measure(part.space) if part.space else 0.0 for part in parts]
    least = _least_lines(parts, widths, spaces, width)
    if least is None or least > lines:
        return None
    ends = _balanced(parts, widths, spaces, width, least)
    return None if ends is None else _join(parts, ends)


def _least_lines(
    parts: Sequence[Piece], widths: Sequence[float], spaces: Sequence[float], width: float
) -> int | None:
    count, room = 1, width
    for i in range(len(parts)):
        if widths[i] > width:
            return None
        if widths[i] > room:
            count, room = count + 1, width
        room -= widths[i] + spaces[i]
    return count


def _balanced(
    parts: Sequence[Piece], widths: Sequence[float], spaces: Sequence[float], width: float, lines: int
) -> list[int] | None:
    """Ends of exactly `lines` lines of the least cost: even lengths, good places, no orphan."""
    n = len(parts)
    total = sum(widths) + sum(spaces[:-1])
    ideal = min(total / lines, width)
    best: list[list[tuple[float, int]]] = [[(FORBIDDEN, -1)] * (n + 1) for _ in range(lines + 1)]
    best[0][0] = (0.0, -1)
    for line in range(1, lines + 1):
        for start in range(n):
            if best[line - 1][start][0] == FORBIDDEN:
                continue
            length = 0.0
            for end in range(start, n):
                length += widths[end] + (spaces[end - 1] if end > start else 0.0)
                if length > width:
                    break
                cost = best[line - 1][start][0] + _line_cost(length, ideal, width, parts[end], end == n - 1, end == start)
                if cost < best[line][end + 1][0]:
                    best[line][end + 1] = (cost, start)
    if best[lines][n][0] == FORBIDDEN:
        return None
    ends, at = [], n
    for line in range(lines, 0, -1):
        ends.append(at)
        at = best[line][at][1]
    return ends[::-1]


def _line_cost(length: float, ideal: float, width: float, part: Piece, last: bool, alone: bool) -> float:
    cost = ((length - ideal) / width) ** 2 * 4
    if not last:
        return cost + part.cost
    return cost + (ORPHAN if alone and length < 0.35 * ideal else 0.0)


def _join(parts: Sequence[Piece], ends: Sequence[int]) -> list[str]:
    lines, start = [], 0
    for end in ends:
        text = "".join(part.text + part.space for part in parts[start:end])
        lines.append(text.rstrip(" "))
        start = end
    return lines
