"""Photos from hosts that a person named, and from no other."""

import pathlib
from collections.abc import Mapping

from clipbuild.catalog.feeds import Item
from clipbuild.catalog.photos import Album
from clipbuild.cli import fetching
from clipbuild.providers.contract import PollError

ITEMS = [
    Item("a", "A", 2, images=("https://cdn.test/x/Mug%20One.png?v=1", "https://other.test/b.jpg", "here.jpg")),
    Item("b", "B", 3, images=("https://cdn.test/y/here.jpg",), variants=(Item("r", "R", 4, images=("https://cdn.test/red",)),)),
]


class Host:
    """A downloader that has some addresses."""

    def __init__(self, have: set[str]) -> None:
        self.have, self.asked = have, list[str]()

    async def __call__(self, url: str, dest: str, *, kind: str, headers: Mapping[str, str]) -> None:
        self.asked.append(url)
        assert (kind, dict(headers)) == ("image", {})
        if url not in self.have:
            raise PollError("404", "no result at its address")
        pathlib.Path(dest).write_bytes(b"picture")


def test_what_is_missing() -> None:
    """Only from the named hosts, only what is not there, under a name that is safe here."""
    assert fetching.wanted(ITEMS, Album(["photos/here.jpg"]), ["cdn.test"]) == {
        "mug-one.png": "https://cdn.test/x/Mug%20One.png?v=1", "red.jpg": "https://cdn.test/red",
    }  # fmt: skip
    assert fetching.wanted(ITEMS, Album([]), []) == {}


def test_what_was_fetched_is_found(tmp_path: pathlib.Path) -> None:
    """The next look finds it by the shop's name; what is not there is told; a second run asks only for that."""
    host = Host({"https://cdn.test/x/Mug%20One.png?v=1"})
    missing = fetching.wanted(ITEMS, Album(["photos/here.jpg"]), ["cdn.test"])
    [told] = fetching.fetch(str(tmp_path), missing, host)
    assert told.startswith("https://cdn.test/red: ")
    album = Album(["photos/here.jpg", *(f"photos/{path.name}" for path in tmp_path.iterdir())])
    assert album.of(ITEMS[0]) == ["photos/mug-one.png", "photos/here.jpg"]
    assert list(fetching.wanted(ITEMS, album, ["cdn.test"])) == ["red.jpg"]
