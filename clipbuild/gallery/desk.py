"""The desk: what pages may ask of the project, and the only three things they may change: approve, reject, retake.

Opens the project again when something changed on disk, so that nobody decides on what is no longer there. All of it
happens in one thread. Knows nothing of HTML or requests.
"""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from clipbuild import decisions
from clipbuild.digest import Digest
from clipbuild.errors import ClipbuildError, DecisionError, UsageError
from clipbuild.pairs import Record, records
from clipbuild.reviewing import Card, Detail, Room, remember
from clipbuild.settings import Settings
from clipbuild.wish import Wish

if TYPE_CHECKING:
    from clipbuild.planning import Session

PATIENCE = 8.0
"""What is there is looked at again after so many times what the last look took."""
WATCHED = ("clipbuild.lock", ".clipbuild/state.db", ".clipbuild/state.db-wal", "clipbuild.yaml")


class Shelf(Protocol):
    """What is to be looked at."""

    @property
    def cards(self) -> Sequence[Card]: ...

    def card(self, name: str) -> Card | None: ...

    def beside(self, card: Card) -> tuple[Card | None, Card | None]: ...

    def detail(self, card: Card) -> Detail: ...


class Desk(Protocol):
    """The door between pages and a project. `decide` and `retake` raise ClipbuildError; DecisionError for stale bytes."""

    title: str

    def shelf(self) -> Shelf: ...

    def file(self, blob: Digest) -> str | None: ...

    def decide(self, name: str, blob: str, verdict: str, reason: str) -> Card: ...

    def retake(self, name: str, blob: str, reason: str) -> Card: ...

    def records(self) -> list[Record]: ...

    def stamp(self) -> str: ...


@dataclass(slots=True)
class ProjectDesk:
    """The desk of a real project."""

    wish: Wish
    settings: Settings
    by: str
    title: str = ""
    session: "Session | None" = None
    room: Room | None = None
    seen: str = ""
    until: float = 0.0
    shown: frozenset[str] = frozenset()
    """The blobs that pages show; photos join when a page names them."""

    def shelf(self) -> Room:
        """What is there now; while a build changes it all the time, what was there a moment ago. Raises CatalogError and
        the like while the catalog is wrong."""
        if self.room is None or not self.seen or (time.monotonic() > self.until and self.seen != self._look()):
            began = time.monotonic()
            self._open()
            self.until = time.monotonic() + PATIENCE * (time.monotonic() - began)
        assert self.room is not None
        return self.room

    def _open(self) -> None:
        from clipbuild import planning

        self.close()
        self.session = planning.open_session(self.wish, self.settings)
        self.room = Room(self.session, planning.make_plan(self.session, None))
        self.title = self.session.catalog.project.root.rstrip("/").rpartition("/")[2] or self.title
        self.session.state.commit()
        self.shown = _shown(self.room)
        self.seen = self._look()

    def close(self) -> None:
        """Let go of the project."""
        if self.session is not None:
            self.session.close()
            self.session = self.room = None

    def _look(self) -> str:
        found = []
        for name in WATCHED:
            try:
                stat = os.stat(os.path.join(self.wish.root, name))
                found.append(f"{stat.st_size}.{stat.st_mtime_ns}.{stat.st_ino}")
            except OSError:
                found.append("-")
        return " ".join(found)

    def stamp(self) -> str:
        """Changes when there may be something else to see."""
        self.shelf()
        return self.seen

    def file(self, blob: Digest) -> str | None:
        """Where the bytes of a digest that is shown are; None for any other."""
        room = self.room or self.shelf()
        session = room.session
        if session.store.has(blob):
            return session.store.path(blob) if blob in self.shown or blob in session.origins else None
        return session.origins.get(blob)

    def decide(self, name: str, blob: str, verdict: str, reason: str) -> Card:
        """Note the verdict on exactly the bytes that were shown."""
        room, card = self._wanted(name, blob)
        assert card.subject is not None
        if verdict == decisions.REJECTED and not reason.strip():
            raise UsageError("a rejection needs a reason", hint="say in a few words what is wrong")
        if verdict == decisions.APPROVED:
            remember(room, [card])
        decisions.decide(self.wish.root, [card.subject], verdict, by=self.by, reason=reason)
        return self._again(name)

    def retake(self, name: str, blob: str, reason: str) -> Card:
        """Reject the bytes and mean the next take of what was bought for them; the next build buys it, within budget."""
        room, card = self._wanted(name, blob)
        assert card.subject is not None
        takes = room.detail(card).takes
        if not takes:
            hint = "change the product, then `clipbuild build`; `reject` notes what is wrong"
            raise UsageError(f"{name}: nothing of it was bought, so there is nothing to take again", hint=hint)
        said = reason.strip() or "asked for a retake"
        decisions.decide(self.wish.root, [card.subject], decisions.REJECTED, by=self.by, reason=said)
        decisions.retake(self.wish.root, takes[0][1], said)
        return self._again(name)

    def records(self) -> list[Record]:
        """The record of pairs."""
        room = self.shelf()
        return records(room.session.lock, room.pairs())

    def _wanted(self, name: str, blob: str) -> tuple[Room, Card]:
        if not self.settings.trusted:
            raise UsageError("an untrusted run decides nothing", hint="CLIPBUILD_TRUSTED=1 if you trust this checkout")
        self.seen = ""
        room = self.shelf()
        return room, current(room, name, blob)

    def _again(self, name: str) -> Card:
        self.seen = ""
        card = self.shelf().card(name)
        assert card is not None
        return card


def current(room: Shelf, name: str, blob: str) -> Card:
    """The card as it was shown. Raises DecisionError when it shows something else by now."""
    card = room.card(name)
    if card is None or card.subject is None:
        raise DecisionError(f"{name}: is no longer there", hint="load the page again")
    if card.subject.digest != blob:
        facts = [("shown to you", blob[:12]), ("there now", card.subject.digest[:12])]
        raise DecisionError(f"{name}: it was made again since you looked", facts, "load the page and look again")
    return card


def _shown(room: Room) -> frozenset[str]:
    every = (
        (card.blob, card.cover, card.picture, card.before and card.before.digest, room.reference(card),
         *room.candidates(card).values())
        for card in room.cards
    )  # fmt: skip
    return frozenset(str(blob) for of in every for blob in of if blob)


def failure(error: ClipbuildError) -> Mapping[str, Any]:
    """An error as JSON data for a page."""
    return {"error": error.what, "facts": [list(fact) for fact in error.facts], "hint": error.hint}
