"""Which font files a text needs: the brand's first, then the shipped ones, then the system's.

Reads only a font's table of characters, so that planning can ask cheaply and without a font library. Knows nothing
of shaping or drawing.
"""

import os
import struct
import sys
from collections.abc import Iterable, Sequence
from functools import lru_cache

from clipbuild import resources
from clipbuild.errors import MediaError, shown
from clipbuild.media import script

BODY = "Inter.ttf"
EMOJI = "NotoColorEmoji.ttf"
FALLBACKS = (
    "NotoSansHebrew.ttf",
    "NotoSansArabic.ttf",
    "NotoSansDevanagari.ttf",
    "NotoSansThai.ttf",
    "NotoSansCJK-Bold.otf",
    EMOJI,
)
FONT_LIMIT = 64 << 20
SUFFIXES = (".ttf", ".otf", ".ttc", ".otc")
Coverage = frozenset[int]


def needed(text: str, language: str = "", brand: Sequence[str] = ()) -> list[str]:
    """The font files that show `text`: the heading font, the body font, then fallbacks in the order they are asked.

    `brand` are the brand's own files, heading then body; "" means the shipped one. Raises MediaError naming the
    characters that no font has, and for a brand font that is no font.
    """
    heading, body = ([*brand, "", ""])[:2]
    first = (heading or shipped(BODY), body or shipped(BODY))
    text = script.plain(text)
    coloured = frozenset(
        char for char, after in zip(text, f"{text} "[1:], strict=True) if script.is_emoji(char) or after == script.VS16
    )
    return [*first, *_fallbacks(frozenset(text), coloured, first, language)]


def shipped(name: str) -> str:
    """Absolute path of a shipped font file."""
    return os.path.join(resources.folder("templates"), "fonts", name)


def missing(text: Iterable[str], paths: Sequence[str]) -> list[str]:
    """The characters of `text` that none of the fonts has, in order."""
    covered: set[int] = set().union(*(coverage(path) for path in paths))
    return [c for c in dict.fromkeys(text) if _must_show(c) and ord(c) not in covered]


def coverage(path: str) -> Coverage:
    """The code points a font file has a glyph for. Raises MediaError when it is no TrueType or OpenType font."""
    try:
        status = os.stat(path)
    except OSError as error:
        raise MediaError(f"{shown(path)}: cannot be read: {error.strerror}") from error
    return _coverage(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=4096)
def _fallbacks(
    chars: frozenset[str], coloured: frozenset[str], first: tuple[str, ...], language: str
) -> tuple[str, ...]:
    found: list[str] = []
    # Both of the first two must be helped out: a heading may hold what only the body font has.
    lacking = set().union(*(missing(sorted(chars), [path]) for path in set(first)))
    wanted = lacking | coloured
    for path in [shipped(BODY), *map(shipped, FALLBACKS)]:
        here = {c for c in wanted if ord(c) in coverage(path) and (c not in coloured or path.endswith(EMOJI))}
        if here and path not in first:
            found.append(path)
        wanted -= here
    wanted = {c for c in wanted if not any(ord(c) in coverage(path) for path in first)}
    for path in system_fonts() if wanted else ():
        if here := {c for c in wanted if ord(c) in _readable(path)}:
            found.append(path)
            wanted -= here
        if not wanted:
            break
    if wanted:
        raise _no_glyph(wanted, language)
    return tuple(found)


def _no_glyph(chars: Iterable[str], language: str) -> MediaError:
    listed = sorted(chars)
    facts = [("character", script.name(char)) for char in listed[:8]]
    if len(listed) > 8:
        facts.append(("and", f"{len(listed) - 8} more"))
    if language:
        facts.append(("language", shown(language)))
    return MediaError(
        f"no font has {len(listed)} of the characters" if len(listed) > 1 else "no font has a character",
        facts,
        "name a font that has it under brand: fonts, or change the text",
    )


def system_fonts() -> tuple[str, ...]:
    """Font files of the system's folders, Noto and upright bold ones first; the same order on every call."""
    return _listed(tuple(_folders()))


def _folders() -> list[str]:
    home = os.path.expanduser("~")
    if sys.platform == "win32":
        return [os.path.join(os.environ.get("WINDIR", r"C:\Windows"), "Fonts")]
    if sys.platform == "darwin":
        return ["/System/Library/Fonts", "/Library/Fonts", os.path.join(home, "Library/Fonts")]
    return ["/usr/share/fonts", "/usr/local/share/fonts", os.path.join(home, ".local/share/fonts")]


@lru_cache(maxsize=8)
def _listed(folders: tuple[str, ...]) -> tuple[str, ...]:
    found = [
        os.path.join(base, name)
        for folder in folders
        for base, _, names in os.walk(folder)
        for name in names
        if name.lower().endswith(SUFFIXES)
    ]
    return tuple(sorted(found, key=_preference))


def _preference(path: str) -> tuple[bool, bool, bool, str]:
    name = os.path.basename(path).lower()
    slanted = "italic" in name or "oblique" in name
    return (slanted or "mono" in name, "noto" not in name, "bold" not in name, path)


def _readable(path: str) -> Coverage:
    try:
        return coverage(path)
    except MediaError:
        return frozenset()


def _must_show(char: str) -> bool:
    return not (char.isspace() or script.is_ignorable(char))


@lru_cache(maxsize=512)
def _coverage(path: str, size: int, _changed: int) -> Coverage:
    if size > FONT_LIMIT:
        raise MediaError(f"{shown(path)}: a font of {size >> 20} MB is too large", [("limit", "64 MB")])
    try:
        with open(path, "rb") as file:
            return _cmap(file.read())
    except (struct.error, ValueError, IndexError) as error:
        raise MediaError(
            f"{shown(path)}: not a TrueType or OpenType font", [("reason", str(error))], "use a .ttf or .otf file"
        ) from error


def _cmap(data: bytes) -> Coverage:
    """Code points of the best Unicode subtable: format 12 for all planes, else format 4."""
    base = 0
    if data[:4] == b"ttcf":
        (base,) = struct.unpack_from(">I", data, 12)
    if data[base : base + 4] not in (b"\0\1\0\0", b"OTTO", b"true"):
        raise ValueError("a WOFF file" if data[:3] == b"wOF" else "unknown signature")
    (tables,) = struct.unpack_from(">H", data, base + 4)
    for i in range(tables):
        tag, _, start, _ = struct.unpack_from(">4sIII", data, base + 12 + 16 * i)
        if tag == b"cmap":
            return _subtables(data, start)
    raise ValueError("no table of characters")


def _subtables(data: bytes, start: int) -> Coverage:
    (count,) = struct.unpack_from(">H", data, start + 2)
    readers = {12: _format12, 4: _format4}
    offsets: dict[int, int] = {}
    for i in range(count):
        platform, encoding, offset = struct.unpack_from(">HHI", data, start + 4 + 8 * i)
        (form,) = struct.unpack_from(">H", data, start + offset)
        if platform == 0 or (platform == 3 and encoding in (1, 10)):
            offsets.setdefault(form, start + offset)
    for form, read in readers.items():
        if form in offsets:
            return read(data, offsets[form])
    raise ValueError("no Unicode table of characters")


def _format12(data: bytes, at: int) -> Coverage:
    (groups,) = struct.unpack_from(">I", data, at + 12)
    codes: set[int] = set()
    for low, high, glyph in struct.iter_unpack(">III", data[at + 16 : at + 16 + 12 * groups]):
        if low > high or high > 0x10FFFF:
            raise ValueError("damaged table of characters")
        codes.update(range(low if glyph else low + 1, high + 1))
    return frozenset(codes)


def _format4(data: bytes, at: int) -> Coverage:
    (twice,) = struct.unpack_from(">H", data, at + 6)
    segments = twice // 2
    columns = [struct.unpack_from(f">{segments}H", data, at + 14 + i * twice + (2 if i else 0)) for i in range(4)]
    codes: set[int] = set()
    for i, (high, low, delta, offset) in enumerate(zip(*columns, strict=True)):
        if not offset:
            codes.update(c for c in range(low, high + 1) if (c + delta) & 0xFFFF)
            continue
        first = at + 16 + 3 * twice + 2 * i + offset
        glyphs = data[first : first + 2 * (high - low + 1)]
        codes.update(low + k for k, (glyph,) in enumerate(struct.iter_unpack(">H", glyphs[: len(glyphs) & ~1])) if glyph)
    codes.discard(0xFFFF)
    return frozenset(codes)
