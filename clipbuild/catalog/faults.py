"""What is wrong, by its path in a file's data; turned into file:line:column only when there is something to say.

Places of values are not kept while a catalog is read: they are looked up afterwards, for files that have a fault.
Knows nothing of what keys mean.
"""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from clipbuild.catalog import words
from clipbuild.catalog.load import decode
from clipbuild.catalog.places import Path, locate
from clipbuild.errors import CatalogError, Problem, shown

Facts = tuple[tuple[str, str], ...]
NEAR = 0.6


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong at `path` of a file; `key` when the key is meant and not its value.

    `meant` is the known word that an unknown one probably stands for, `missing` the key that is not there.
    """

    path: Path
    what: str
    hint: str = ""
    facts: Facts = ()
    key: bool = False
    meant: str = ""
    missing: str = ""

    def below(self, path: Path) -> "Fault":
        """The same fault, seen from further up."""
        return replace(self, path=(*path, *self.path))


def near(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant, or ""."""
    by_folded = {name.lower().replace("_", "-"): name for name in known}
    folded = word.lower().replace("_", "-")
    found = [folded] if folded in by_folded else difflib.get_close_matches(folded, by_folded, n=1, cutoff=NEAR)
    return by_folded[found[0]] if found else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint that names the nearest known word, or ""."""
    found = near(word, known)
    return f'did you mean "{found}"?' if found else ""


def unknown(path: Path, what: str, word: str, known: Sequence[str], *, key: bool = False, hint: str = "") -> Fault:
    """A word that is not among the known ones."""
    named = words.named(what, word)
    meant = named if named in known else near(word, known)
    listed = ", ".join(known[:16]) + (" …" if len(known) > 16 else "")
    facts = (("known", listed),) if known and not (meant and len(known) > 16) else ()
    hint = f'did you mean "{meant}"?' if meant else hint
    return Fault(path, f"unknown {what} {shown(word, 60)!r}", hint, facts, key, meant if key else "")


def problems(file: str, data: bytes, faults: Iterable[Fault]) -> list[Problem]:
    """Faults of a file with their places. A path that is not written down gets the place of what holds it."""
    faults = list(faults)
    try:
        places = locate(decode(file, data), [fault.path for fault in faults]) if faults else {}
    except CatalogError:
        places = {}
    out = []
    for fault in faults:
        path, key = fault.path, fault.key
        while path and path not in places:
            path, key = path[:-1], False
        spot = places.get(path)
        line, column = (0, 0) if spot is None else spot[0 if key else 1]
        out.append(Problem(file, line, column, fault.what, fault.facts, fault.hint))
    return out
