"""What there is to look at and decide on: one card for every clip of a spec, with everything a person needs to judge it.

Reads a judged plan, the store and the lock; changes nothing. Knows nothing of pages, browsers or how a decision is made.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from clipbuild import pairs
from clipbuild.catalog.model import Box, Clip, Spec
from clipbuild.decisions import APPROVED, Subject
from clipbuild.digest import Digest
from clipbuild.engine.action import Action, Output
from clipbuild.engine.lock import Approval
from clipbuild.engine.rebuilder import why
from clipbuild.media import suiting

if TYPE_CHECKING:
    from clipbuild.planning import Planned, Session

NEW, CHANGED, FAILED, WAITING = "new", "changed", "failed", "waiting"
STATES = (NEW, CHANGED, FAILED, WAITING, "rejected", APPROVED)
RISKY = "risky"
KEEP = "approved"
"""Under which kind the state keeps the documents that an approved result was made from, to tell later what changed."""


@dataclass(frozen=True, slots=True)
class Card:
    """One clip of one spec, or its picture while there is no clip yet (`kind` still)."""

    name: str
    sku: str
    title: str
    recipe: str
    language: str
    platforms: tuple[str, ...]
    spec: Spec
    seconds: float
    kind: str
    state: str
    risky: bool
    required: bool
    subject: Subject | None
    cover: Digest | None
    picture: Digest | None
    motion: str
    provider: str
    cost: str
    said: Approval | None = None
    before: Approval | None = None
    stale: Digest | None = None
    """A clip that was made from what the catalog said before: it can be seen and not decided on."""

    @property
    def version(self) -> str:
        """The variant or shot it is of: "" where there are none."""
        own = self.name.partition("/")[0].removeprefix(self.sku).removeprefix(".")
        return "" if own == self.language else own.removesuffix(f".{self.language}")

    @property
    def blob(self) -> Digest | None:
        """The bytes that are shown, and decided on where there is a subject."""
        return self.subject.digest if self.subject and not self.stale else self.stale


@dataclass(frozen=True, slots=True)
class Candidate:
    """One of several pictures that were bought to choose from: its verdict, what speaks against it, whether it was taken."""

    blob: Digest
    verdict: str
    against: tuple[str, ...]
    taken: bool


@dataclass(frozen=True, slots=True)
class Detail:
    """What stands beside a card's clip: where it came from, what was measured, what changed, how it is posted."""

    photos: tuple[Digest, ...] = ()
    prompts: tuple[tuple[str, str], ...] = ()
    findings: tuple[Mapping[str, Any], ...] = ()
    measures: tuple[tuple[str, str, float], ...] = ()
    axes: Mapping[str, str] = field(default_factory=dict)
    changes: tuple[tuple[str, str, str, str], ...] = ()
    posts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    subject: tuple[float, ...] | None = None
    shots: tuple[tuple[Card, tuple[float, ...] | None], ...] = ()
    """The product's pictures, those of the same spec first, with the box of the subject in each (shares of the
    picture)."""
    candidates: tuple[Candidate, ...] = ()
    takes: tuple[tuple[str, Digest, int], ...] = ()
    """Bought actions behind the clip: (name, base key, take)."""
    free: Mapping[str, Box] = field(default_factory=dict)
    """What each platform's app leaves uncovered of the frame."""


class Room:
    """Everything of one plan that can be looked at. `cards` are in catalog order."""

    def __init__(self, session: "Session", planned: "Planned") -> None:
        self.session, self.planned, self.plan = session, planned, planned.plan
        aliases = planned.plan.graph.aliases
        self.by_name = {name: planned.plan.graph.actions[of] for of, names in aliases.items() for name in names}
        self.said = session.lock.decisions()
        self.earlier = _earlier(self.said)
        self._told: dict[Digest, Mapping[str, Any]] = {}
        self.cards = list(self._cards())
        self._places = {card.name: place for place, card in enumerate(self.cards)}

    def card(self, name: str) -> Card | None:
        """The card of this name."""
        place = self._places.get(name)
        return None if place is None else self.cards[place]

    def beside(self, card: Card) -> tuple[Card | None, Card | None]:
        """The cards before and after."""
        place = self._places[card.name]
        return (self.cards[place - 1] if place else None, self.cards[place + 1] if place + 1 < len(self.cards) else None)

    def stills(self) -> list[Subject]:
        """The pictures that clips start from, as they are now."""
        found = {}
        for card in self.cards:
            key = self._key(f"{card.name}/check")
            if key and card.picture:
                found[key] = Subject(f"{card.name}/check", key, card.picture)
        return list(found.values())

    def pairs(self) -> list[tuple[str, Digest]]:
        """(pair, bytes) of everything that is made now."""
        return [(card.subject.pair, card.subject.digest) for card in self.cards if card.subject and card.kind == "clip"]

    def _cards(self) -> Iterator[Card]:
        for clip in self.planned.clips.values():
            for spec in dict.fromkeys(d.spec for d in self.planned.deliverables.get(clip.id, ())):
                yield self._card(clip, spec)

    def _card(self, clip: Clip, spec: Spec) -> Card:
        where = f"{clip.id}/{spec.name}"
        video, picture = self._out(f"{where}/render", "video"), self._out(f"{where}/check", "image")
        kind, action, blob = ("clip", f"{where}/render", video) if video else ("still", f"{where}/check", picture)
        told, seen = self._report(f"{where}/clipcheck", "report"), self._report(f"{where}/check", "report")
        motion = str(self._report(f"{where}/choose", "choice").get("motion") or clip.motion.name)
        pair = pairs.pair(suiting.composition(seen.get("axes") or {}), motion, clip.motion_provider)
        stale = None if video else self._last(f"{where}/render", "video")
        kind, key = "clip" if stale else kind, self._key(action)
        subject = Subject(action, key, blob, pair) if key and blob else None
        said, before = self.said.get(blob) if blob else None, self.earlier.get(action)
        return Card(
            where, clip.sku, clip.name, clip.recipe, clip.language,
            tuple(p for p in clip.platforms if self.session.catalog.project.platforms[p].spec == spec),
            spec, clip.seconds, kind, self._state(said, before, told, kind, blob if not stale else None),
            RISKY in (told.get("verdict"), seen.get("verdict")), clip.review == "required",
            None if stale else subject,
            self._out(f"{where}/cover", "cover") if video else self._last(f"{where}/cover", "cover") if stale else None,
            picture or (self._last(f"{where}/check", "image") if stale else None), motion,
            clip.motion_provider, str(self._cost(f"{where}/render")), said,
            before if before and before.digest != blob else None, stale,
        )  # fmt: skip

    def _state(
        self, said: Approval | None, before: Approval | None, told: Mapping[str, Any], kind: str, blob: Digest | None
    ) -> str:
        if not blob:
            return WAITING
        if said:
            return said.verdict
        if kind == "still":
            return WAITING
        if told.get("verdict") == "not_ready":
            return FAILED
        return CHANGED if before else NEW

    def detail(self, card: Card) -> Detail:
        """What stands beside the card."""
        clip = self.planned.entries[card.name.rsplit("/", 1)[0]].load()
        seen, told = self._report(f"{card.name}/check", "report"), self._report(f"{card.name}/clipcheck", "report")
        measures = [("picture", name, value) for name, value in sorted((seen.get("measures") or {}).items())]
        measures += [("clip", name, value) for name, value in sorted((told.get("measures") or {}).items())]
        found = [{**f, "of": "picture"} for f in seen.get("findings") or ()]
        found += [{**f, "of": "clip"} for f in told.get("findings") or ()]
        return Detail(
            (*(self.session.source(path) for path in clip.photos), *filter(None, (self.reference(card),))),
            tuple(self._prompts(clip, card)), tuple(found), tuple(measures), seen.get("axes") or {},
            tuple(self._changes(card)),
            {name: self._report(f"{clip.id}/{name}/post", "post") for name in card.platforms},
            self._subject(card),
            tuple((c, self._subject(c)) for c in self._shots(card)),
            tuple(self._candidates(card)),
            tuple(self._takes(card)),
            {n: p.free for n in card.platforms if (p := self.session.catalog.project.platforms[n]).free},
        )  # fmt: skip

    def _subject(self, card: Card) -> tuple[float, ...] | None:
        choice = self._out(f"{card.name}/choose", "choice") or self._last(f"{card.name}/choose", "choice")
        box = self.session.report(choice).get("subject") if choice else None
        return tuple(float(value) for value in box) if box else None

    def _shots(self, card: Card) -> Iterator[Card]:
        """One clip for each picture of the product, this one among them: languages share theirs."""
        seen = {_pictured(card): card}
        for one in sorted((c for c in self.cards if c.sku == card.sku), key=lambda c: c.spec != card.spec):
            if _pictured(one) not in seen or one.name == card.name:
                yield seen.setdefault(_pictured(one), one)

    def reference(self, card: Card) -> Digest | None:
        """The picture of another shot that went along with the request for this one's."""
        action = self.by_name.get(f"{card.name}/image")
        source = action.inputs.get("reference") if action else None
        return self.plan.resolve(source) if isinstance(source, Output) else None

    def candidates(self, card: Card) -> Mapping[str, Digest]:
        """The pictures that a card's was chosen from, where there are several and they are still there."""
        action = self.by_name.get(f"{card.name}/check")
        if action is None or "image_1" not in action.inputs:
            return {}
        known = self.plan.inputs(action) or {}
        return {n: known[n] for n in sorted(known) if n.startswith("image") and self.session.store.has(known[n])}

    def _candidates(self, card: Card) -> Iterator[Candidate]:
        report = self._report(f"{card.name}/check", "report")
        verdicts, against = report.get("candidates") or {}, report.get("against") or {}
        for name, blob in self.candidates(card).items():
            if name in verdicts:
                yield Candidate(blob, verdicts[name], tuple(against.get(name) or ()), name == report.get("taken"))

    def _prompts(self, clip: Clip, card: Card) -> Iterator[tuple[str, str]]:
        from clipbuild.planner.recipes import aspect
        from clipbuild.tooling import rendered

        for stage, kind in (("image", "image"), ("animate", "motion")):
            action = self.by_name.get(f"{card.name}/{stage}")
            if action is not None and action.precious:
                provider = f"{action.params.get('provider', '')} {action.params.get('model', '')}".strip()
                yield f"{kind}, sent to {provider}", str(action.params.get("prompt", ""))
            elif kind == "image":
                text = rendered(self.session, clip, kind, aspect(card.spec.width, card.spec.height)).text
                yield "image, not sent: composed here", text

    def _changes(self, card: Card) -> Iterator[tuple[str, str, str, str]]:
        if card.before is None:
            return
        data = self.session.state.get(KEEP, card.before.digest)
        then = json.loads(data) if data else {}
        for stage, new in self.documents(card).items():
            if stage in then:
                for path, was, now in why(then[stage], new):
                    if not path.startswith("inputs."):
                        yield stage, path.removeprefix("params."), was, now

    def documents(self, card: Card) -> dict[str, Any]:
        """The key documents of all that the card was made of, by the action's last part."""
        found = {}
        for action in self._chain(f"{card.name}/{'render' if card.kind == 'clip' else 'check'}"):
            inputs = self.plan.inputs(action)
            if inputs is not None:
                found[action.name.rsplit("/", 1)[1]] = action.document(inputs)
        return found

    def _takes(self, card: Card) -> Iterator[tuple[str, Digest, int]]:
        from clipbuild.decisions import base_key

        for action in self._chain(f"{card.name}/render"):
            if action.precious:
                yield action.name, base_key(action), int(action.params.get("take") or 1)

    def _chain(self, name: str) -> Sequence[Action]:
        """The action and all it is made of, that one first."""
        first = self.by_name.get(name)
        found: dict[Digest, Action] = {} if first is None else {first.id: first}
        queue = list(found.values())
        while queue:
            for source in queue.pop(0).inputs.values():
                if isinstance(source, Output) and source.action not in found:
                    found[source.action] = self.plan.graph.actions[source.action]
                    queue.append(found[source.action])
        return list(found.values())

    def _cost(self, name: str) -> Decimal:
        total = Decimal(0)
        for action in self._chain(name):
            key = self.plan.keys.get(action.id) if action.precious else None
            pin = self.session.lock.pin(key) if key else None
            total += Decimal(pin.cost) if pin else 0
        return total

    def _key(self, name: str) -> Digest | None:
        action = self.by_name.get(name)
        return self.plan.keys.get(action.id) if action else None

    def _out(self, name: str, output: str) -> Digest | None:
        action = self.by_name.get(name)
        return self.plan.outputs.get(action.id, {}).get(output) if action else None

    def _last(self, name: str, output: str) -> Digest | None:
        """What the last build that made this made, if it is still there."""
        key = self.session.state.last_keys([name]).get(name)
        trace = self.session.state.trace(key) if key else None
        blob = trace.outputs.get(output) if trace else None
        return blob if blob and self.session.store.has(blob) else None

    def _report(self, name: str, output: str) -> Mapping[str, Any]:
        """A small JSON output, {} where it is not made or can't be read."""
        blob = self._out(name, output)
        if blob is None:
            return {}
        if blob not in self._told:
            self._told[blob] = self.session.report(blob)
        return self._told[blob]


def _pictured(card: Card) -> tuple[str, Spec, Digest | None]:
    """What clips of one picture have in common."""
    return card.name.partition("/")[0].removesuffix(f".{card.language}"), card.spec, card.picture


def _earlier(said: Mapping[Digest, Approval]) -> dict[str, Approval]:
    """The latest approved result under each name."""
    found: dict[str, Approval] = {}
    for approval in sorted(said.values(), key=lambda a: a.at):
        if approval.name and approval.verdict == APPROVED:
            found[approval.name] = approval
    return found


def undecided(cards: Sequence[Card]) -> list[Card]:
    """The cards that wait for a person."""
    return [card for card in cards if card.state in (NEW, CHANGED, FAILED)]


def remember(room: Room, cards: Sequence[Card]) -> None:
    """Keep what the cards were made from, so that a later version can be compared with them."""
    rows = {str(card.blob): json.dumps(room.documents(card)).encode() for card in cards if card.blob}
    room.session.state.put_all(KEEP, rows)
    room.session.state.commit()


