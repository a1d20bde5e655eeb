"""How a piece of text looks, as data: letters, colours, box, and how it comes in. Read from caption styles and overlays.

Knows nothing of what the text says, where it stands or what is behind it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from clipbuild.errors import MediaError, shown

if TYPE_CHECKING:
    from clipbuild.media.contrast import RGB
    from clipbuild.media.text import Style

NAMED = ("auto", "primary", "accent", "background", "text", "black", "white")
"""Colour words: `auto` is what reads best where it stands, four are the brand's."""
WAYS = ("block", "word", "highlight")
MARK = 0.14
"""How far the mark of a said word reaches beyond it, in em."""
ALIGNS = ("start", "center")


@dataclass(frozen=True, slots=True)
class Look:
    """Sizes: `size` in shares of the frame's shorter side, everything else in em (letter sizes)."""

    role: str = "body"
    weight: int = 700
    size: float = 0.06
    least: float = 0.036
    lines: int = 3
    leading: float = 1.2
    tracking: float = -0.01
    align: str = "start"
    colour: str = "auto"
    box: str = ""
    opacity: float = 1.0
    radius: float = 0.3
    pad_x: float = 0.5
    pad_y: float = 0.36
    hug: bool = False
    outline: float = 0.0
    shadow: float = 0.0
    fade: float = 0.25
    rise: float = 0.0
    scale: float = 1.0
    delay: float = 0.0
    by: str = "block"
    highlight: str = "accent"

    @property
    def style(self) -> "Style":
        """How its letters are set."""
        from clipbuild.media.text import Style

        return Style(self.role, self.weight, self.tracking, self.leading)


    @property
    def margin(self) -> float:
        """What reaches beyond the letters without a box: an outline, or the mark of a said word; in em."""
        return 0.0 if self.box else max(self.outline, MARK if self.by == "highlight" else 0.0)

    def boxed(self) -> "Look":
        """The same in a box of the brand's main colour, for where a shade would be a stain."""
        if self.box:
            return self
        return replace(self, box="primary", opacity=0.92, radius=0.2, pad_x=0.4, pad_y=0.34, shadow=0.0)


def look(entry: Mapping[str, Any], what: str = "style") -> Look:
    """A look from a template's map. Raises MediaError for a key or value that has no meaning."""
    try:
        return _look(tuple(entry.items()), what)
    except TypeError:  # a value that is a list or a map: told by name
        return _look.__wrapped__(tuple(entry.items()), what)


@lru_cache(maxsize=256)
def _look(entry: tuple[tuple[str, Any], ...], what: str) -> Look:
    known = {field.name: field.type for field in fields(Look)}
    given = {str(key): value for key, value in entry if key not in ("name", "about")}
    for key, value in given.items():
        if key not in known:
            raise MediaError(f"{what}: there is no key {shown(key)!r}", [("known", ", ".join(sorted(known)))])
        _check(what, key, value, getattr(Look(), key))
    return Look(**given)


def colour(name: str, brand: Mapping[str, Any], auto: "RGB" = (255, 255, 255)) -> "RGB":
    """A colour word or "#rrggbb" as RGB."""
    from clipbuild.media import contrast

    if name == "auto":
        return auto
    if name in ("black", "white"):
        return (14, 15, 18) if name == "black" else (255, 255, 255)
    return contrast.rgb(str(brand.get(name) or DEFAULTS[name]) if name in DEFAULTS else name)


DEFAULTS = {"primary": "#1f2937", "accent": "#e0a43a", "background": "#f3efe8", "text": "#ffffff"}


def _check(what: str, key: str, value: Any, usual: Any) -> None:
    right = isinstance(value, type(usual)) or (isinstance(usual, float) and isinstance(value, int))
    right = right and not (isinstance(value, bool) and not isinstance(usual, bool))
    if right and key in ("colour", "box", "highlight"):
        right = value in NAMED or (key == "box" and not value) or _is_colour(value)
    choices = {"by": WAYS, "align": ALIGNS, "role": ("heading", "body")}.get(key, ())
    if not right or (choices and value not in choices):
        facts = [("value", shown(value)), ("for example", shown(usual))]
        if choices or key in ("colour", "box", "highlight"):
            facts[1] = ("known", ", ".join(choices or (*NAMED, '"#rrggbb"')))
        raise MediaError(f"{what}: {key} has no such value", facts)


def _is_colour(value: str) -> bool:
    return re.fullmatch("#(?:[0-9a-fA-F]{3}){1,2}", value) is not None
