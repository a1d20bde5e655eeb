"""What a plan costs, least and most, by action, product and provider; and what of it a model can't do.

The same plan that `build` runs, the same prices that the caps are checked with. Buys nothing, asks nobody.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from clipbuild import deadends, retaking, standins, unchosen
from clipbuild.adapters import Adapters, request_of
from clipbuild.deadends import price_of as price_of
from clipbuild.decisions import APPROVED, standing
from clipbuild.digest import Digest
from clipbuild.engine.action import Action, Output, Verdict
from clipbuild.errors import Problem
from clipbuild.holds import still
from clipbuild.planning import Planned, Session
from clipbuild.plural import counted
from clipbuild.providers.contract import Price
from clipbuild.providers.spend import span, usd

ZERO = Decimal(0)
NOTHING = Price(ZERO, ZERO)


@dataclass(frozen=True, slots=True)
class Line:
    """One action that is bought, or may be. `price` is of one take; None: not known, so it is not bought. `waits`: why not
    now. `more`: so many takes may follow when a check refuses those before; `paid`: only those are still to be bought."""

    action: Action
    sku: str
    provider: str
    will: bool
    price: Price | None
    waits: str = ""
    more: int = 0
    paid: bool = False
    chosen: bool = True
    """False: the plan has no such action yet, for its motion is chosen by the picture first."""
    never: str = ""
    """Why it is not bought at all: it leads nowhere."""
    known: bool = False
    """The lock has one of this name: it counts if what it is made from comes out as it did then, which nobody knows yet."""
    standin: bool = False
    """It is bought only if what it stands in for fails, as `fallback` allows."""

    @property
    def takes(self) -> int:
        """How many takes may be bought at most."""
        return self.more + (not self.paid)

    @property
    def whole(self) -> Price | None:
        """The price from one take to all of them."""
        return self.price and Price(ZERO if self.paid else self.price.least, self.price.most * self.takes)

    @property
    def counted(self) -> Price:
        """What it adds to a total: nothing for certain while it only may be bought, at most every take of it."""
        price = NOTHING if self.waits or self.never else self.whole or NOTHING
        return price if self.will else Price(ZERO, price.most)


@dataclass(frozen=True, slots=True)
class Bill:
    """All of a plan."""

    lines: tuple[Line, ...]

    @property
    def total(self) -> Price:
        """Least and most; what has no price is not in it, for it is not bought."""
        return _sum(self.lines)

    @property
    def retakes(self) -> Decimal:
        """What of the most are takes that only follow when a check refuses those before."""
        own = [line for line in self.lines if line.price and not (line.waits or line.never or line.standin)]
        return sum((line.price.most * line.more for line in own if line.price), ZERO)

    @property
    def waits(self) -> Price:
        """What waits for a person's word, and is not in the total: least and most once it is given."""
        return _sum([replace(line, waits="") for line in self.lines if line.waits])

    @property
    def known(self) -> Decimal:
        """What of the most the lock may have already."""
        return sum((line.counted.most for line in self.lines if line.known and not line.standin), ZERO)

    @property
    def standins(self) -> Decimal:
        """What of the most is bought only where others fail."""
        return sum((line.counted.most for line in self.lines if line.standin), ZERO)

    @property
    def unknown(self) -> list[str]:
        """Actions without a price."""
        return [line.action.name for line in self.lines if line.price is None and not line.waits]

    def by(self, what: str) -> dict[str, Price]:
        """Totals by `provider` or `sku`."""
        groups: dict[str, list[Line]] = {}
        for line in self.lines:
            groups.setdefault(str(getattr(line, what)), []).append(line)
        return {name: _sum(lines) for name, lines in sorted(groups.items())}

    def plain(self) -> dict[str, Any]:
        """As JSON data, for `plan --json`."""
        return {
            **_plain(self.total), "unknown": self.unknown, "further_takes": f"{self.retakes.normalize():f}",
            "standins": f"{self.standins.normalize():f}", "in_lock": f"{self.known.normalize():f}",
            "waits": _plain(self.waits),
            "by_provider": {name: _plain(price) for name, price in self.by("provider").items()},
            "by_product": {name: _plain(price) for name, price in self.by("sku").items()},
        }  # fmt: skip


def bill(session: Session, planned: Planned, adapters: Adapters) -> Bill:
    """The price of everything in the plan that is not yet bought. An open job is paid already."""
    deadends.found(session, planned, adapters)
    own = [*_lines(session, planned, adapters), *_unchosen(session, planned, adapters)]
    sources = (*own, *_under_way(session, planned))
    return Bill((*own, *(other for line in sources for other in _standins(session, planned, adapters, line))))


def _under_way(session: Session, planned: Planned) -> Iterator[Line]:
    """Purchases that wait for their job: paid, but it may still fail."""
    for action in planned.plan.graph:
        key = planned.plan.keys.get(action.id) if action.precious else None
        job = session.journal.replay.latest(key) if key else None
        if job is not None and job.is_open:
            clip = action.name.partition("/")[0]
            yield Line(action, planned.entries[clip].sku if clip in planned.entries else clip, action.pool, False, None)


def under_way(session: Session, planned: Planned) -> dict[Digest, str]:
    """What is not bought because its job is at the provider, or may be: by action, in words."""
    found = {}
    for action in planned.plan.graph:
        key = planned.plan.keys.get(action.id) if action.precious else None
        job = session.journal.replay.latest(key) if key else None
        if job is not None and job.is_open:
            found[action.id] = f"not bought again: its job at {job.provider} is open, and waited for"
        elif job is not None and job.is_ambiguous:
            found[action.id] = f"not bought again: its job at {job.provider} is unsure, see `clipbuild jobs`"
    return found


def _standins(session: Session, planned: Planned, adapters: Adapters, line: Line) -> Iterator[Line]:
    """Who may have to be asked should this purchase fail; a failed job may have been charged, so both count. What can't be
    made or has no price is not bought."""
    for action in standins.after(session, planned, line.action):
        price = None if deadends.faults(session, action, adapters) else price_of(action, adapters)
        if price is not None:
            yield replace(line, action=action, provider=action.pool, will=False, price=price, standin=True)


def _unchosen(session: Session, planned: Planned, adapters: Adapters) -> Iterator[Line]:
    """Motion that `auto` has not chosen yet: from the cheapest of the moves it may be to the dearest."""
    for moves in unchosen.actions(session, planned):
        prices = [price_of(action, adapters) for action in moves]
        known = [price for price in prices if price is not None]
        if not moves:
            continue
        whole = Price(min(p.least for p in known), max(p.most for p in known)) if known else None
        first, clip = moves[0], moves[0].name.partition("/")[0]
        waits, never = waiting(session, planned, first), deadends.of_choice(planned, first) if planned.dead else ""
        yield Line(first, planned.entries[clip].sku, first.pool, False, whole, waits, chosen=False, never=never)


def _lines(session: Session, planned: Planned, adapters: Adapters) -> Iterator[Line]:
    pinned = {pin.name for pin in session.lock.pins.values()}
    plan, lost, further = planned.plan, {action.id for action, _ in planned.plan.lost}, retaking.further(planned)
    for action in plan.graph:
        if not action.precious or action.id in lost:
            continue
        key, more = plan.keys.get(action.id), further.get(action.id, 0)
        job = session.journal.replay.latest(key) if key else None
        here = plan.verdicts[action.id] is Verdict.UP_TO_DATE or (job is not None and (job.is_open or job.is_ambiguous))
        if here and not more:
            continue
        fault = None if here else (planned.dead or {}).get(action.id)
        never = fault.what if fault else ""
        will = plan.verdicts[action.id] is Verdict.WILL_RUN and not here and not never
        clip = action.name.partition("/")[0]
        entry = planned.entries.get(clip)
        waits, price = waiting(session, planned, action), price_of(action, adapters)
        is_first = int(action.params.get("take") or 1) == 1
        known = plan.verdicts[action.id] is Verdict.MAY_RUN and is_first and action.name in pinned
        yield Line(
            action, entry.sku if entry else clip, action.pool, will, price, waits, more, here, never=never, known=known
        )  # fmt: skip


def waiting(session: Session, planned: Planned, action: Action) -> str:
    """Why a bought action does not run yet, "" when it may: with `approve: stills` a person looks at the picture first."""
    name = still(action)
    if not name or session.catalog.project.approve != "stills":
        return ""
    source = action.inputs[name]
    blob = planned.plan.resolve(source) if isinstance(source, Output) else source
    whose = "its" if name == "image" else "the first shot's"
    return "" if standing(session.lock.decisions(), blob) == APPROVED else f"{whose} still is not approved yet"


def problems(session: Session, planned: Planned, adapters: Adapters) -> list[Problem]:
    """What of the catalog the chosen models can't honour, with the product's place: bought or not, all of it."""
    found: dict[Problem, None] = {}
    for action in (*planned.plan.graph, *(one for moves in unchosen.actions(session, planned) for one in moves)):
        if not action.precious:
            continue
        for name in planned.plan.graph.aliases.get(action.id, (action.name,)):
            entry = planned.entries.get(name.partition("/")[0])
            place = entry.place if entry else None
            for fault in deadends.faults(session, action, adapters):
                model = f"{action.params['provider']}/{action.params.get('model', '')}"
                part = "picture" if action.stage == "generate" else "motion"
                problem = Problem(
                    place.file if place else "", place.line if place else 0, place.column if place else 0,
                    f"{name.partition('/')[0]}: {fault.what}", (("asked of", f"{model}, for the {part} of {name}"),),
                    fault.hint or "change the product, or who makes it: `routes`, `image_provider`, `motion_provider`",
                )  # fmt: skip
                found.setdefault(problem)
    return list(found)


def notes(session: Session, planned: Planned, adapters: Adapters) -> list[str]:
    """What a person should know of the models in use: that one will end, that one in `fallback` could never stand in."""
    found: dict[str, None] = {}
    for action in planned.plan.graph:
        if action.precious and not adapters.may_ask(action.pool):
            found[f"{action.pool}: not asked what it can't make: a package of yours, in a run that is not trusted"] = None
        elif action.precious:
            told = getattr(adapters.get(str(action.params["provider"])), "notes", lambda _: ())
            found |= dict.fromkeys(told(request_of(action)))
            found |= dict.fromkeys(_candidates(planned, action))
            for other in standins.after(session, planned, action):
                who = f"{action.name.partition('/')[0]}: {other.pool}/{other.params.get('model', '')}"
                for fault in deadends.faults(session, other, adapters):
                    found[f"{who} can't stand in, as `fallback` has it: {fault.what}"] = None
    return list(found)


def _candidates(planned: Planned, action: Action) -> Iterator[str]:
    """Candidates that are asked for of a picture of which only the place is bought."""
    clip = action.name.partition("/")[0]
    target = planned.entries[clip].load().image_provider if action.name.endswith("/plate") and clip in planned.entries else ""
    if "*" in target:
        yield f"{target}: of a composite one is made, for it buys the place alone; candidates are of whole pictures"


def worded(line: Line) -> str:
    """The price of a line for people."""
    if line.never:
        return f"not bought: {line.never}"
    if line.waits:
        return f"not bought: {line.waits}" + (f" (then {span(line.whole)})" if line.whole else "")
    if line.whole is None:
        return "price not known: not bought"
    if line.standin:
        return f"{span(Price(ZERO, line.counted.most))}, should that fail: {line.provider} stands in"
    takes = f"up to {counted(line.takes, 'further take' if line.paid else 'take')}: " if line.more else ""
    return takes + span(line.whole)


def table(found: Bill) -> Iterator[str]:
    """The bill for people: by provider, then by product where there are several, then in all, and what of it are takes
    that only follow when a check refuses the ones before."""
    found, waits = Bill(tuple(line for line in found.lines if not line.waits)), found.waits
    providers, products = found.by("provider"), found.by("sku")
    priced = {line.provider for line in found.lines if line.price is not None}
    for name, price in providers.items():
        yield f"  {name:24} {_range(price) if name in priced else 'not known'}"
    if 1 < len(products) <= 40:
        yield ""
        for name, price in products.items():
            yield f"  {name:24} {_range(price)}"
    yield f"  {'in all':24} {_range(found.total)}"
    if found.unknown:
        yield f"  {'price not known':24} {counted(len(found.unknown), 'action')}, not bought; `clipbuild check` says why"
    if found.retakes:
        yield f"  {'of it further takes':24} {usd(found.retakes)} at most, when a check refuses those before (`takes`)"
    if found.known:
        yield f"  {'of it in the lock':24} {usd(found.known)}: not bought again if what it is made from comes out as it did"
    if found.standins:
        yield f"  {'of it stand-ins':24} {usd(found.standins)} at most, when others fail (`fallback`)"
    if waits.most:
        yield f"  {'waits for approval':24} {_range(waits)} more, once it is given"


def _range(price: Price) -> str:
    return span(price) if price.least == price.most else f"{usd(price.least)} to {usd(price.most)}"


def _sum(lines: tuple[Line, ...] | list[Line]) -> Price:
    return Price(sum((line.counted.least for line in lines), ZERO), sum((line.counted.most for line in lines), ZERO))


def _plain(price: Price) -> Mapping[str, str]:
    return {"least": f"{price.least.normalize():f}", "most": f"{price.most.normalize():f}"}
