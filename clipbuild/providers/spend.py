"""May this be bought? Caps on what a build and a month may cost, held over processes and restarts.

Everything that may have been charged counts at its worst price until the real one is known. Asked only under the
journal's lock, so that two that ask at once can't both be let through. Knows nothing of providers or files.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from clipbuild.engine.action import Trace
from clipbuild.errors import SpendError, shown
from clipbuild.providers.contract import Price
from clipbuild.providers.elsewhere import Elsewhere
from clipbuild.providers.records import ZERO, Job, Replay, amount


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be spent, USD; None: no cap of that kind.

    `closed`: why nothing may be bought at all ("this run is not trusted", "--locked", …), "" when it may.
    `offline`: no provider may even be asked, so open jobs are not collected. `unknown`: unknown prices are allowed.
    """

    build: Decimal | None = None
    month: Decimal | None = None
    closed: str = ""
    offline: bool = False
    unknown: bool = False


UNTRUSTED = Budget(closed="this run, which is not trusted,", offline=True)
LOCKED = Budget(closed="--locked")
FROZEN = Budget(closed="--frozen", offline=True)


def smaller(*caps: Decimal | None) -> Decimal | None:
    """The lowest of several caps: a project or the command line may lower the user's cap, never raise it."""
    return min((cap for cap in caps if cap is not None), default=None)


class Spending:
    """The caps of one run over what the journal and the lock (`pinned`) say was spent, and this user's other
    workspaces (`elsewhere`)."""

    def __init__(self, budget: Budget, pinned: Iterable[Trace] = (), elsewhere: Elsewhere | None = None) -> None:
        self.budget, self._elsewhere = budget, elsewhere or Elsewhere()
        self.dearer = ""
        self._locked: dict[str, Decimal] = {}
        self._pinned = [trace for trace in pinned if trace.facts.get("at")]

    def refusal(self, name: str, price: Price | None, replay: Replay, *, build: str, month: str) -> SpendError | None:
        """Why this may not be bought now, or None."""
        budget = self.budget
        if budget.closed:
            facts = [("would cost", span(price))] if price else []
            hint = _TRUST_HINT if budget == UNTRUSTED else _CLOSED_HINT
            return SpendError(f"{name}: has to be bought, and {budget.closed} forbids it", facts, hint)
        if self.dearer:
            return SpendError(f"{name}: not bought: {self.dearer}", hint="mend the price table, then build again")
        if price is None:
            if budget.unknown:
                return None
            return SpendError(f"{name}: not bought: its price is not known", hint="add it to the model table")
        spent_build = replay.spent_in_build(build)
        spent_month = ZERO if budget.month is None else self.spent_in_month(replay, month)
        for path, why in self._elsewhere.unread.items() if budget.month is not None else ():
            facts = [("can't be read", shown(path)), ("why", why)]
            what = f"{name}: not bought: what another workspace spent is not known, so the month's cap can't be held"
            return SpendError(what, facts, "mend its permissions, or remove it if it is no journal")
        for cap, spent, what in ((budget.build, spent_build, "this build"), (budget.month, spent_month, month)):
            if cap is not None and spent + price.most > cap:
                facts = [("cap", usd(cap)), ("spent", f"{usd(spent)} in {what}, open jobs at their highest price")]
                hint = "--max-spend" if what == "this build" else "`budget_month` in your configuration"
                return SpendError(f"{name}: not bought: {span(price)} is over the cap", facts, f"raise it with {hint}")
        return None

    def spent_in_month(self, replay: Replay, month: str) -> Decimal:
        """Journals and lock together, what both know counted once."""
        elsewhere = self._elsewhere.spent(month, replay)
        if month not in self._locked:
            news = (trace for trace in self._pinned if self._is_news(trace, month, replay))
            self._locked[month] = sum((amount(trace.cost) or ZERO for trace in news), ZERO)
        return replay.spent_in_month(month) + self._locked[month] + elsewhere

    def _is_news(self, trace: Trace, month: str, replay: Replay) -> bool:
        """Bought in that month by a job that no journal here knows."""
        if not trace.facts["at"].startswith(month) or replay.latest(trace.key) is not None:
            return False
        known = any(replay.named(trace.facts.get("provider", ""), trace.facts.get("job", "")))
        return not (known or self._elsewhere.knows(trace))

    def note(self, job: Job) -> None:
        """Take a real cost into account: one above the highest planned price stops all further buying."""
        if job.most is not None and job.cost is not None and job.cost > job.most:
            self.dearer = f"{job.name} cost {usd(job.cost)}, planned were {usd(job.most)} at most"


_TRUST_HINT = "`CLIPBUILD_TRUSTED=1` where only your own people's branches are built (docs/ci.md)"
_CLOSED_HINT = "build where buying is allowed, then commit clipbuild.lock"


def usd(value: Decimal) -> str:
    """An amount for people."""
    cents, fine = value.quantize(Decimal("0.01")), value.quantize(Decimal("0.0001"))
    return f"${cents:f}" if cents == value or value >= 1 else f"${fine:f}"


def span(price: Price) -> str:
    """A price for people: one amount, or least to most."""
    return usd(price.most) if price.least == price.most else f"{usd(price.least)} to {usd(price.most)}"
