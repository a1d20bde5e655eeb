"""Which picture of the project is meant by a shop's product: by the file name the shop uses, or by SKU.

Looks only at names; opens and fetches nothing.
"""

import os
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

from clipbuild.catalog.feeds import Item

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

    def of(self, item: Item) -> list[str]:
        """The photos of an item, in the shop's order; none where the project has none of them."""
        names = [os.path.basename(unquote(urlsplit(image).path)).lower() for image in item.images]
        found = [self._known.get(name) or self._known.get(os.path.splitext(name)[0]) for name in names]
        found = [path for path in found if path] or [self._known.get(item.sku.lower())]
        return list(dict.fromkeys(path for path in found if path))


def below(root: str, folder: str) -> list[str]:
    """Every file below a folder of the project, relative to the project."""
    found = []
    for place, _, names in sorted(os.walk(os.path.join(root, folder))):
        found += [os.path.relpath(os.path.join(place, name), root).replace(os.sep, "/") for name in sorted(names)]
    return found
