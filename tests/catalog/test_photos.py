"""Which picture belongs to a shop's product."""

import pathlib

from clipbuild.catalog.feeds import Item
from clipbuild.catalog.photos import Album, below

ALBUM = Album(["photos/Mug One.JPG", "photos/a/red.png", "photos/b/red.jpg", "photos/notes.txt", "photos/FF-1.webp"])


def of(*images: str, sku: str = "x") -> list[str]:
    return ALBUM.of(Item(sku, "X", 1, images=images))


def test_by_the_shops_file_name() -> None:
    """Case, folders, queries, escapes and the ending don't matter; the first of equals wins; order is the shop's."""
    assert of("https://cdn.test/x/red.png?v=3", "/media/mug%20one.png") == ["photos/a/red.png", "photos/Mug One.JPG"]
    assert of("red.jpg") == ["photos/b/red.jpg"]
    assert of("red.png", "RED.PNG") == ["photos/a/red.png"]


def test_by_sku() -> None:
    """Where the shop's names are not here, the picture named like the product."""
    assert of("https://cdn.test/zzz.jpg", sku="ff-1") == ["photos/FF-1.webp"]
    assert of(sku="nothing") == []
    assert of("notes.txt") == []


def test_below(tmp_path: pathlib.Path) -> None:
    """All files below a folder, sorted, relative to the project."""
    for name in ("photos/b/2.png", "photos/a.png", "other.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert below(str(tmp_path), "photos") == ["photos/a.png", "photos/b/2.png"]
