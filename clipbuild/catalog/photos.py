"""Which picture of the project is meant by a shop's product: by the file name the shop uses, or by SKU.

Looks only at names; opens and fetches nothing.
"""

import os
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

from clipbuild.catalog.feeds import Item, slug

ENDINGS = (".jpg", ".jpeg", ".png", ".webp")


class Album:
    """The pictures of a project, by lower-case file name with and without its ending."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._known: dict[str, str] = {}
        for path in paths:
            name = path.rpartition("/")[2].lower()
            stem, ending = os.path.splitext(name)
            if ending in ENDINGS:
                self._known.setdefault(name, path)
                self._known.setdefault(stem, path)

    def has(self, image: str) -> bool:
        """The project has this picture of the shop's."""
        return self._find(image) is not None

    def of(self, item: Item) -> list[str]:
        """The photos of an item, in the shop's order; none where the project has none of them."""
        found = [self._find(image) for image in item.images]
        found = [path for path in found if path] or [self._known.get(item.sku.lower())]
        return list(dict.fromkeys(path for path in found if path))

    def _find(self, image: str) -> str | None:
        name = _base(image).lower()
        return self._known.get(name) or self._known.get(os.path.splitext(name)[0]) or self._known.get(file_name(image))


def file_name(image: str) -> str:
    """What a picture of the shop's is called here: its own name, as an id with an ending."""
    stem, ending = os.path.splitext(_base(image).lower())
    return f"{slug(stem) or 'photo'}{ending if ending in ENDINGS else '.jpg'}"


def _base(image: str) -> str:
    return os.path.basename(unquote(urlsplit(image).path))


def below(root: str, folder: str) -> list[str]:
    """Every file below a folder of the project, relative to the project."""
    found = []
    for place, _, names in sorted(os.walk(os.path.join(root, folder))):
        found += [os.path.relpath(os.path.join(place, name), root).replace(os.sep, "/") for name in sorted(names)]
    return found
