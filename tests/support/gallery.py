"""A desk of made-up clips for the pages: no project behind it, decisions kept in memory. And a server to run it."""

import hashlib
import pathlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from clipbuild.catalog.model import Box, Spec
from clipbuild.decisions import APPROVED, Subject
from clipbuild.digest import Digest
from clipbuild.engine.lock import Approval
from clipbuild.errors import UsageError
from clipbuild.gallery.app import application
from clipbuild.gallery.desk import current
from clipbuild.gallery.keys import Keys
from clipbuild.gallery.server import Patient, listen
from clipbuild.pairs import Record
from clipbuild.reviewing import Card, Detail

TALL = Spec("9x16", 1080, 1920, 30, Box(65, 270, 900, 1248))
WIDE = Spec("16x9", 1920, 1080, 30, Box(96, 54, 1824, 1026))


def d(text: str) -> Digest:
    """A digest of some text."""
    return Digest(hashlib.sha256(text.encode()).hexdigest())


class MadeUp:
    """The desk. `put` adds a clip; its bytes are files of `folder`."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder, self.title = folder, "made-up"
        self.cards: list[Card] = []
        self.details: dict[str, Detail] = {}
        self.files: dict[str, str] = {}
        self.said: list[tuple[str, str, str, str]] = []

    def add(self, data: bytes) -> Digest:
        """A blob."""
        blob = Digest(hashlib.sha256(data).hexdigest())
        path = self.folder / blob
        path.write_bytes(data)
        self.files[blob] = str(path)
        return blob

    def put(self, name: str, *, video: bytes = b"", cover: bytes = b"", detail: Detail | None = None, **more: Any) -> Card:
        """A card; anything of it may be given."""
        blob = self.add(video) if video else None
        facts: dict[str, Any] = {
            "name": name, "sku": name.split("/")[0], "title": name.split("/")[0].replace("-", " ").capitalize(),
            "recipe": "packshot", "language": "", "platforms": ("tiktok", "reels"), "spec": TALL, "seconds": 5.0,
            "kind": "clip", "state": "new", "risky": False, "required": False,
            "subject": Subject(f"{name}/render", d(name), blob, "one subject, plain / push-in / local") if blob else None,
            "cover": self.add(cover) if cover else None, "picture": self.add(cover) if cover else None,
            "motion": "push-in", "provider": "local", "cost": "0",
        }  # fmt: skip
        card = Card(**{**facts, **more})
        self.cards.append(card)
        self.details[name] = detail or Detail()
        return card

    def change(self, name: str, video: bytes) -> None:
        """The clip was made again."""
        self._swap(name, subject=Subject(f"{name}/render", d(name), self.add(video)), state="changed")

    def _swap(self, name: str, **changes: Any) -> Card:
        place = next(i for i, card in enumerate(self.cards) if card.name == name)
        self.cards[place] = replace(self.cards[place], **changes)
        return self.cards[place]

    def shelf(self) -> "MadeUp":
        return self

    def card(self, name: str) -> Card | None:
        return next((card for card in self.cards if card.name == name), None)

    def beside(self, card: Card) -> tuple[Card | None, Card | None]:
        place = self.cards.index(card)
        return (self.cards[place - 1] if place else None, self.cards[place + 1] if place + 1 < len(self.cards) else None)

    def detail(self, card: Card) -> Detail:
        return self.details[card.name]

    def file(self, blob: Digest) -> str | None:
        return self.files.get(blob)

    def decide(self, name: str, blob: str, verdict: str, reason: str) -> Card:
        card = current(self, name, blob)
        if verdict != APPROVED and not reason:
            raise UsageError("a rejection needs a reason")
        self.said.append((name, blob, verdict, reason))
        assert card.subject
        said = Approval(card.subject.key, card.subject.digest, verdict, "kim", "2026-01-02T03:04:05Z", reason)
        return self._swap(name, said=said, state=verdict)

    def retake(self, name: str, blob: str, reason: str) -> Card:
        return self.decide(name, blob, "rejected", reason or "again")

    def records(self) -> list[Record]:
        return [Record("one subject, plain", "push-in", "local", 9, 7, 1), Record("one subject, blurred", "sway", "local", 4, 1, 3)]

    def stamp(self) -> str:
        return str(len(self.said))


@contextmanager
def served(desk: Any) -> Iterator[tuple[int, Keys]]:
    """The desk behind a real server on a free loopback port."""
    import uvicorn

    listening, keys = listen(0), Keys()
    port = listening.getsockname()[1]
    config = uvicorn.Config(
        application(desk, keys, port), http=Patient, ws="none", lifespan="off", log_config=None, log_level="critical",
        access_log=False, server_header=False, date_header=False, h11_max_incomplete_event_size=16 << 10,
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield port, keys
    finally:
        server.should_exit = True
        thread.join(5)
