"""What Unicode says of a text that is to be drawn: is it allowed, which script, which way, how fast it is read.

Plain tables and functions; knows nothing of fonts, pixels or time lines.
"""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from clipbuild.errors import MediaError, shown

TEXT_LIMIT = 2000
MARKS_LIMIT = 8
ZWJ, ZWSP, VS15, VS16 = "\u200d", "\u200b", "\ufe0e", "\ufe0f"
NBSP = "\u00a0"

_REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_MARKS = frozenset("\u200e\u200f\u061c")
_JOINERS = frozenset("\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f")

# Ranges of scripts that need another font, direction or reading speed; everything else is "latin".
_SCRIPTS: tuple[tuple[int, int, str], ...] = (
    (0x0370, 0x03FF, "greek"), (0x0400, 0x052F, "cyrillic"), (0x0590, 0x05FF, "hebrew"),
    (0x0600, 0x077F, "arabic"), (0x0870, 0x08FF, "arabic"), (0x0900, 0x097F, "devanagari"),
    (0x0980, 0x0DFF, "indic"), (0x0E00, 0x0E7F, "thai"), (0x0E80, 0x0EFF, "lao"), (0x1000, 0x109F, "myanmar"),
    (0x1100, 0x11FF, "hangul"), (0x1780, 0x17FF, "khmer"), (0x1F00, 0x1FFF, "greek"), (0x2E80, 0x2FDF, "han"),
    (0x3040, 0x309F, "hiragana"), (0x30A0, 0x30FF, "katakana"), (0x3105, 0x312F, "han"), (0x3130, 0x318F, "hangul"),
    (0x31F0, 0x31FF, "katakana"), (0x3400, 0x4DBF, "han"), (0x4E00, 0x9FFF, "han"), (0xA8E0, 0xA8FF, "devanagari"),
    (0xAC00, 0xD7A3, "hangul"), (0xF900, 0xFAFF, "han"), (0xFB1D, 0xFB4F, "hebrew"), (0xFB50, 0xFDFF, "arabic"),
    (0xFE70, 0xFEFC, "arabic"), (0xFF66, 0xFF9F, "katakana"), (0x20000, 0x323AF, "han"),
)  # fmt: skip

# Characters a second that a viewer reads in comfort; after the timed-text guides of the large streaming services.
_SPEED = {"han": 8.0, "hiragana": 9.0, "katakana": 9.0, "hangul": 11.0, "thai": 17.0, "arabic": 17.0}
LATIN_SPEED = 17.0

# Emoji below U+1F000 that are shown in colour without being asked (Unicode's Emoji_Presentation).
_EMOJI_BMP = frozenset(
    "⌚⌛⏩⏪⏫⏬⏰⏳◽◾☔☕♈♉♊♋♌♍♎♏♐♑♒♓♿⚓⚡⚪⚫⚽⚾⛄⛅⛎⛔⛪⛲⛳⛵⛺⛽✅✊✋✨❌❎❓❔❕❗➕➖➗➰➿⬛⬜⭐⭕"
)


def clean(text: str) -> str:
    """`text` as it is drawn and written: NFC, line breaks as LF, a tab as a space; nothing else changes.

    Raises MediaError for what must not be drawn: nothing at all, control characters, lone surrogates, characters
    that make the visible order differ from the written one, and heaps of combining marks.
    """
    if len(text) > TEXT_LIMIT:
        raise MediaError(
            f"a text of {len(text)} characters is too long to draw",
            [("text", shown(text, 60)), ("limit", str(TEXT_LIMIT))],
            "split it into several captions",
        )
    text = plain(text)
    if not any(is_visible(char) for char in text):
        raise MediaError("a text to draw is empty", [("text", shown(text, 60) or '""')], "write it or remove it")
    if not text.isascii() and _marks_in_a_row(text) > MARKS_LIMIT:
        raise MediaError(
            f"a text stacks more than {MARKS_LIMIT} combining marks on one letter",
            [("text", shown(text, 60))],
            "remove the marks",
        )
    return text


def plain(text: str) -> str:
    """`text` with LF line breaks, spaces for tabs, in NFC. Raises MediaError for a character that must not be drawn."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ").replace("\ufeff", "")
    if text.isascii() and text.isprintable():
        return text
    for char in text:
        if char != "\n" and _forbidden(char):
            raise MediaError(
                f"a text has the character {name(char)}, which cannot be drawn as written",
                [("text", shown(text, 60))],
                "remove the character",
            )
    return unicodedata.normalize("NFC", text)


def name(char: str) -> str:
    """How an error names a character: `U+1F525 FIRE "🔥"`, without the sign itself where it would not show."""
    label = f"U+{ord(char):04X} {unicodedata.name(char, '')}".rstrip()
    return label if not is_visible(char) or unicodedata.category(char) in ("Cs", "Co", "Cn") else f'{label} "{char}"'


@lru_cache(maxsize=4096)
def is_visible(char: str) -> bool:
    """Whether a character leaves ink: no space, no mark of direction, no joiner or selector."""
    return not (char.isspace() or is_ignorable(char) or unicodedata.category(char) in ("Cc", "Cf", "Zs"))


def is_ignorable(char: str) -> bool:
    """Whether a font need not have the character: it only steers how others are shown."""
    code = ord(char)
    return char in _JOINERS or char in _MARKS or 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF


@lru_cache(maxsize=4096)
def script_of(char: str) -> str:
    """The script of a letter in lower case, "emoji", or "" for what belongs to any script (digits, spaces, signs)."""
    code = ord(char)
    if is_emoji(char):
        return "emoji"
    for low, high, script in _SCRIPTS:
        if low <= code <= high:
            return script
    return "latin" if unicodedata.category(char)[0] in "LM" else ""


@lru_cache(maxsize=4096)
def is_emoji(char: str) -> bool:
    """Whether a character is shown in colour without being asked."""
    code = ord(char)
    return (0x1F000 <= code <= 0x1FAFF and unicodedata.category(char) == "So") or 0x1F3FB <= code <= 0x1F3FF or (
        char in _EMOJI_BMP
    )


@lru_cache(maxsize=4096)
def is_cjk(char: str) -> bool:
    """Whether lines may break beside the character without a space."""
    code = ord(char)
    return (
        script_of(char) in ("han", "hiragana", "katakana") or 0x3000 <= code <= 0x303F or 0xFF01 <= code <= 0xFF60
    )


def is_rtl(text: str) -> bool:
    """Whether the first strong character of `text` runs from right to left."""
    for char in text:
        kind = unicodedata.bidirectional(char)
        if kind in ("L", "R", "AL"):
            return kind != "L"
    return False


def has_direction(text: str) -> bool:
    """Whether `text` has a letter that runs one way or the other: digits and signs alone do not."""
    return any(unicodedata.bidirectional(char) in ("L", "R", "AL") for char in text)


def reading_seconds(text: str) -> float:
    """How long a viewer needs for `text`."""
    return sum(map(_seconds, text))


@lru_cache(maxsize=4096)
def _seconds(char: str) -> float:
    return 0.0 if is_ignorable(char) else 1.0 / _SPEED.get(script_of(char), LATIN_SPEED)


def clusters(text: str) -> Iterator[str]:
    """`text` in pieces that must stay together: a letter with its marks, an emoji sequence, a flag."""
    start = 0
    for i in range(1, len(text)):
        if _joins(text[start:i], text[i]):
            continue
        yield text[start:i]
        start = i
    if text:
        yield text[start:]


def _joins(cluster: str, char: str) -> bool:
    if char in (ZWJ, VS15, VS16) or cluster.endswith(ZWJ) or unicodedata.category(char) in ("Mn", "Me", "Mc"):
        return True
    if 0x1F3FB <= ord(char) <= 0x1F3FF:
        return script_of(cluster[0]) == "emoji"
    if 0x1F1E6 <= ord(char) <= 0x1F1FF:
        return len(cluster) == 1 and 0x1F1E6 <= ord(cluster) <= 0x1F1FF
    # A Devanagari virama binds the next consonant; Thai prefixed vowels bind what they precede.
    return cluster[-1] == "\u094d" or cluster[-1] in "เแโใไ" or char in "ะาำ"


@lru_cache(maxsize=4096)
def _forbidden(char: str) -> bool:
    return char in _REORDERING or unicodedata.category(char) in ("Cc", "Cs", "Co", "Cn", "Zl", "Zp")


def _marks_in_a_row(text: str) -> int:
    most = run = 0
    for char in text:
        run = run + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        most = max(most, run)
    return most
