"""What people probably meant by a word that is not known here: another name of the thing, or a valid spelling of it.

Hints are made of it, nothing else. The other names are data, in `templates/words.yaml`; knows no product.
"""

import functools
import os
import re
import unicodedata
from collections.abc import Iterator, Mapping

from clipbuild import resources

_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"})


@functools.cache
def _names() -> Mapping[str, Mapping[str, str]]:
    from clipbuild.catalog import load

    path = os.path.join(resources.folder("templates"), "words.yaml")
    with open(path, "rb") as file:
        table = load.plain(path, file.read())
    return {kind: {folded(word): name for word, name in words.items()} for kind, words in table.items()}


def folded(word: str) -> str:
    """A word as it is compared: without case, and whatever parts it."""
    return re.sub(r"[-_ ]+", "-", word.strip().lower())


def named(kind: str, word: str) -> str:
    """What a thing of this kind ("platform", "motion", "key" …) that people call `word` is called here, or ""."""
    return _names().get(kind, {}).get(folded(word), "")


def spellings(word: str, joint: str = "-") -> Iterator[str]:
    """What a word that is refused for its form may have been meant to be, likeliest first; `joint` takes the place of
    what can't stand in it."""
    if language := named("language", word):
        yield language
    if "\\" in word or "/" in word:
        yield word.replace("\\", "/")
        return
    head, part, tail = word.partition("_")
    yield f"{head.lower()}-{tail}" if part else word.lower()
    plain = unicodedata.normalize("NFKD", word.translate(_GERMAN)).encode("ascii", "ignore").decode()
    yield re.sub(r"\.{2,}", ".", re.sub(r"[^A-Za-z0-9._-]+", joint, plain)).strip("-._")[:64]


def number(text: str) -> str:
    """The number in a text like `9 s`, `05` or `4,5`, as YAML writes it, or ""."""
    found = re.fullmatch(r"\s*0*(\d+)(?:[.,](\d+))?\s*[A-Za-z%]{0,8}\.?\s*", text)
    return f"{found[1]}.{found[2]}" if found and found[2] else found[1] if found else ""
