"""The same pages as a folder of files, for whoever has no clipbuild: nothing can be decided there. And a Markdown text.

Media go by digest into one folder, linked where the disk can. Knows nothing of servers.
"""

import os
import urllib.parse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from clipbuild.digest import Digest
from clipbuild.engine import files
from clipbuild.errors import UsageError, shown
from clipbuild.gallery import media, pages
from clipbuild.gallery.desk import Shelf
from clipbuild.pairs import Record
from clipbuild.plural import counted
from clipbuild.reviewing import STATES, Card

MARK = ".clipbuild-report"
Find = Callable[[Digest], str | None]


@dataclass(slots=True)
class Folder:
    """Links of a page that lies `depth` folders down; remembers which media are needed."""

    find: Find
    depth: int = 0
    live: bool = False
    needed: dict[str, str] = field(default_factory=dict)

    def _up(self, path: str) -> str:
        return "../" * self.depth + path

    def home(self) -> str:
        return self._up("index.html")

    def motions(self) -> str:
        return self._up("motions.html")

    def clip(self, card: Card) -> str:
        return self._up("clip/" + urllib.parse.quote(page_name(card)))

    def media(self, blob: str | None) -> str:
        name = self._known(blob) if blob else ""
        return self._up(f"media/{name}") if name else ""

    def _known(self, blob: str) -> str:
        if blob not in self.needed:
            path = self.find(Digest(blob))
            head = b""
            if path is not None:
                with open(path, "rb") as file:
                    head = file.read(16)
            self.needed[blob] = f"{blob}{media.extension(head)}" if media.kind(head) else ""
        return self.needed[blob]


def page_name(card: Card) -> str:
    """The file of a card's page."""
    return card.name.replace("/", "--") + ".html"


def write(target: str, title: str, shelf: Shelf, rows: Sequence[Record], find: Find) -> list[str]:
    """Write the report; returns the files, relative to `target`. Only a folder that is a report of ours, or empty or
    not there, is written to. Raises UsageError."""
    _prepare(target)
    top = Folder(find)
    below = Folder(find, 1, needed=top.needed)
    made = {"index.html": pages.wall(shelf, pages.Filter(), pages.Frame(title, top)).html}
    made["motions.html"] = pages.record(rows, pages.Frame(title, top)).html
    for card in shelf.cards:
        made[f"clip/{page_name(card)}"] = pages.clip(shelf, card, pages.Frame(title, below)).html
    for path, text in made.items():
        full = files.within(target, path)
        files.ensure_dir(os.path.dirname(full))
        files.write_atomic(full, text.encode())
    files.ensure_dir(os.path.join(target, "media"))
    wanted = {name: place for blob, name in top.needed.items() if name and (place := find(Digest(blob)))}
    for name, place in wanted.items():
        files.place(place, os.path.join(target, "media", name), share=True)
    _sweep(target, {*made, *(f"media/{name}" for name in wanted)})
    return sorted([*made, *(f"media/{name}" for name in wanted)])


def _prepare(target: str) -> None:
    mark = os.path.join(target, MARK)
    if os.path.isdir(target) and os.listdir(target) and not os.path.isfile(mark):
        raise UsageError(f"{shown(target)}: is not empty and no report of ours", hint="name a new folder")
    files.ensure_dir(target)
    files.write_atomic(mark, b"clipbuild report\n")


def _sweep(target: str, keep: set[str]) -> None:
    """Take away pages and media of an earlier report."""
    for folder in ("clip", "media"):
        place = os.path.join(target, folder)
        for name in os.listdir(place) if os.path.isdir(place) else ():
            if f"{folder}/{name}" not in keep:
                files.remove(os.path.join(place, name))


def markdown(title: str, cards: Sequence[Card], limit: int = 60) -> str:
    """What was made and what waits for a person, for the comment on a pull request."""
    counts = {state: sum(card.state == state for card in cards) for state in STATES}
    said = ", ".join(f"{count} {pages.WORDS[state]}" for state, count in counts.items() if count)
    lines = [f"### clipbuild: {_plain(title)}", "", f"{counted(len(cards), 'clip')}: {said or 'none'}", ""]
    order = {state: place for place, state in enumerate(("failed", "changed", "new", "rejected", "waiting", "approved"))}
    listed = sorted(cards, key=lambda card: order[card.state])
    if listed:
        lines += ["| clip | state | motion | cost | note |", "| --- | --- | --- | --- | --- |"]
    for card in listed[:limit]:
        note = card.said.reason if card.said else "risky" if card.risky else ""
        cells = [card.name, pages.WORDS[card.state], card.motion, pages.money(card.cost), note]
        lines.append("| " + " | ".join(_plain(cell) for cell in cells) + " |")
    if len(listed) > limit:
        lines += ["", f"… and {len(listed) - limit} more"]
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """Outside text as Markdown that stays text."""
    named = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
    return "".join(f"\\{c}" if c in "\\`*_{}[]()#+!|~@$:" else named.get(c, c) for c in shown(text, 200))
