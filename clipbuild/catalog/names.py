"""Which ids may name folders and files, on any system and beside each other. Knows nothing of products.

The allow-list itself is the `id` of the schema; here is what a pattern can't say.
"""

import re
from collections.abc import Iterable, Iterator

DEVICES = {"con", "prn", "aux", "nul", "conin$", "conout$", *(f"{d}{n}" for d in ("com", "lpt") for n in range(10))}
_STARTS = re.compile(r"[^.]*")


def refused(name: str) -> str:
    """Why this id can't name a folder, or ""."""
    first = _STARTS.match(name)
    if first is not None and first[0].lower() in DEVICES:
        return "is a device's name on Windows"
    return ""


def collisions(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(earlier, later) for names that would be one file on some system: equal but for case. The same twice too."""
    seen: dict[str, str] = {}
    for name in names:
        folded = name.lower()
        if folded in seen:
            yield seen[folded], name
        seen.setdefault(folded, name)
