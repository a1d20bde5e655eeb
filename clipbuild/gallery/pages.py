"""The pages as HTML text: the same for the server and for a static report. Everything from outside is escaped.

Style and script stand in the page itself and are allowed by their digests; nothing else runs. Knows nothing of
requests, sessions or disks.
"""

import base64
import hashlib
import os
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Protocol

from clipbuild.gallery import overlay
from clipbuild.gallery.desk import Shelf
from clipbuild.pairs import Record
from clipbuild.reviewing import RISKY, STATES, Card, Detail

A_PAGE = 96
HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pages")
WORDS = {"new": "new", "changed": "changed", "failed": "failed", "waiting": "to build", "rejected": "rejected",
         "approved": "approved", RISKY: "risky"}  # fmt: skip


class Links(Protocol):
    """Where things are, seen from a page."""

    live: bool

    def home(self) -> str: ...

    def motions(self) -> str: ...

    def clip(self, card: Card) -> str: ...

    def media(self, blob: str | None) -> str: ...


class Live:
    """Addresses on the server."""

    live = True

    def home(self) -> str:
        return "/"

    def motions(self) -> str:
        return "/motions"

    def clip(self, card: Card) -> str:
        return "/clip/" + urllib.parse.quote(card.name)

    def media(self, blob: str | None) -> str:
        return f"/media/{blob}" if blob else ""


LIVE = Live()


@dataclass(frozen=True, slots=True)
class Frame:
    """What all pages share: the project's name, where things are, and what a write must carry."""

    title: str
    links: Links = LIVE
    page: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A page to send."""

    html: str
    status: int = 200


@dataclass(frozen=True, slots=True)
class Filter:
    """Which cards are asked for."""

    state: str = ""
    q: str = ""
    platform: str = ""
    recipe: str = ""
    page: int = 1

    @staticmethod
    def of(told: Mapping[str, str]) -> "Filter":
        """From a query; anything odd counts as not said."""
        page = told.get("page", "1")
        state = told.get("state", "")
        return Filter(
            state if state in (*STATES, RISKY) else "", told.get("q", "")[:100], told.get("platform", "")[:100],
            told.get("recipe", "")[:100], int(page) if page.isdecimal() and len(page) < 7 else 1,
        )  # fmt: skip

    def fits(self, card: Card) -> bool:
        """Whether the card is asked for."""
        text = f"{card.sku} {card.title} {card.name}".lower()
        return (
            (not self.state or (card.risky if self.state == RISKY else card.state == self.state))
            and all(word in text for word in self.q.lower().split())
            and (not self.platform or self.platform in card.platforms)
            and (not self.recipe or self.recipe == card.recipe)
        )

    def query(self, **other: Any) -> str:
        """As a query, with some of it changed."""
        said = replace(self, **{"page": 1, **other})
        values = {n: getattr(said, n) for n in ("state", "q", "platform", "recipe") if getattr(said, n)}
        return "?" + urllib.parse.urlencode(values | ({"page": said.page} if said.page > 1 else {}))


@dataclass(frozen=True, slots=True)
class Facets:
    """What can be chosen, and how many there are of each state."""

    counts: Mapping[str, int] = field(default_factory=dict)
    platforms: tuple[str, ...] = ()
    recipes: tuple[str, ...] = ()
    total: int = 0
    decided: int = 0


def wall(shelf: Shelf, asked: Filter, frame: Frame) -> Page:
    """Many cards."""
    others = replace(asked, state="")
    near = [card for card in shelf.cards if others.fits(card)]
    found = [card for card in near if asked.fits(card)]
    start = (max(1, asked.page) - 1) * A_PAGE
    shown = found[start : start + A_PAGE] if frame.links.live else found
    pages = -(-len(found) // A_PAGE) if frame.links.live else 1
    facets = _facets(shelf.cards, near)
    return _page("wall.html.j2", frame, cards=shown, asked=asked, facets=facets, pages=pages, found=len(found))


def _facets(cards: Sequence[Card], near: Sequence[Card]) -> Facets:
    counts = {state: sum(card.state == state for card in near) for state in STATES}
    counts[RISKY] = sum(card.risky for card in near)
    decided = sum(card.said is not None for card in cards)
    return Facets(
        {name: counts[name] for name in ("new", "changed", "failed", RISKY, "rejected", "approved", "waiting")},
        tuple(sorted({p for card in cards for p in card.platforms})), tuple(sorted({c.recipe for c in cards})),
        len(cards), decided,
    )  # fmt: skip


def clip(shelf: Shelf, card: Card, frame: Frame) -> Page:
    """One card, with all there is to know."""
    before, after = shelf.beside(card)
    detail: Detail = shelf.detail(card)
    posts, free = detail.posts, detail.free
    drawn = [(name, overlay.drawing(name, card.spec, posts.get(name, {}), free.get(name))) for name in card.platforms]
    return _page(
        "clip.html.j2", frame, card=card, detail=detail, before=before, after=after, overlays=drawn, takes=_takes(detail),
        findings=sorted(detail.findings, key=lambda f: ("error", "warn", "note").index(f.get("severity", "note"))),
    )  # fmt: skip


def _takes(detail: Detail) -> list[str]:
    """Which takes of what was bought are shown; a second picture is that of the shot this one is made like."""
    told: list[str] = []
    for name, _, take in detail.takes:
        what = name.rsplit("/", 1)[1]
        other = any(text.startswith(f"{what} ") for text in told)
        told.append(f"{'the first shot’s ' if other else ''}{what} take {take}")
    return told


def close(card: Card, box: Sequence[float] | None) -> str:
    """The square around a picture's subject as an SVG view box, in the frame's pixels."""
    wide, high = card.spec.width, card.spec.height
    x0, y0, x1, y1 = box or (0.0, 0.0, 1.0, 1.0)
    side = 1.08 * max((x1 - x0) * wide, (y1 - y0) * high)
    return f"{(x0 + x1) / 2 * wide - side / 2:.0f} {(y0 + y1) / 2 * high - side / 2:.0f} {side:.0f} {side:.0f}"


def record(rows: Sequence[Record], frame: Frame) -> Page:
    """The record of motions."""
    return _page("motions.html.j2", frame, rows=rows)


def wrong(text: str, frame: Frame) -> Page:
    """The project can't be shown as it is now."""
    return replace(_page("wrong.html.j2", frame, text=text), status=500)


def plain(text: str, status: int = 200) -> Page:
    """A line of text on a page."""
    return replace(_page("wrong.html.j2", Frame("clipbuild"), text=text), status=status)


def moved(to: str) -> Page:
    """A page that goes on to another by itself: the next request then comes from a page of ours, with its cookie."""
    return Page(_environment().get_template("moved.html.j2").render(to=to))


def policy(frame_live: bool = True) -> str:
    """What a page may do: its own style and script by digest, pictures and clips from its own place."""
    style, script = (_digest(_asset(name)) for name in ("page.css", "page.js"))
    own = "'self'" if frame_live else "'self' file:"
    parts = ["default-src 'none'", f"script-src {script}", f"style-src {style}", f"img-src {own}", f"media-src {own}"]
    if frame_live:
        parts += ["connect-src 'self'", "frame-ancestors 'none'", "form-action 'self'"]
    return "; ".join([*parts, "base-uri 'none'"])


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _asset(name: str) -> str:
    with open(os.path.join(HERE, name), encoding="utf-8") as file:
        return file.read()


@cache
def _environment() -> Any:
    import jinja2
    from markupsafe import Markup

    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.globals |= {"css": Markup(_asset("page.css")), "js": Markup(_asset("page.js")), "words": WORDS, "close": close}  # noqa: S704 - our own files
    made.filters |= {"short": lambda blob: str(blob)[:10], "number": _number, "money": money}
    return made


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) else str(value)


def money(text: str) -> str:
    """A cost in USD as it is shown."""
    return f"${float(text):.2f}" if text not in ("0", "") else "free"


def _page(name: str, frame: Frame, **values: Any) -> Page:
    links = frame.links
    text = _environment().get_template(name).render(
        frame=frame, links=links, policy="" if links.live else policy(frame_live=False), **values
    )
    return Page(text)
