"""May this build buy, and up to what? The caps of user, project and command line, and a person's word above a threshold.

Decides before anything runs; the caps themselves hold at each submit, in `providers.spend`. Buys nothing.
"""

import os
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from clipbuild.adapters import Adapters
from clipbuild.errors import SpendError, UsageError, shown
from clipbuild.planning import Planned, Session
from clipbuild.pricing import Bill, bill, worded
from clipbuild.providers.spend import FROZEN, LOCKED, UNTRUSTED, Budget, smaller, usd

Ask = Callable[[Bill], bool]
"""Asks a person whether to buy; there is one only on a terminal."""
SHOWN = 12


def budget(
    session: Session, planned: Planned, *, max_spend: str = "", locked: bool = False, frozen: bool = False,
    ask: Ask | None = None, agreed: str = "",
) -> Budget:  # fmt: skip
    """What this build may spend. `agreed` is what a person agreed to in an earlier round.

    Raises SpendError when something has to be bought and may not be, before anything runs; UsageError for no amount.
    """
    if not session.settings.trusted:
        return UNTRUSTED
    found = bill(session, planned, Adapters(session.settings, os.environ))
    return allowed(session, found, max_spend=max_spend, locked=locked, frozen=frozen, ask=ask, agreed=agreed)


def allowed(
    session: Session, found: Bill, *, max_spend: str = "", locked: bool = False, frozen: bool = False,
    ask: Ask | None = None, agreed: str = "",
) -> Budget:  # fmt: skip
    """The same for a bill that is known."""
    caps = _caps(session, max_spend)
    if not session.settings.trusted:
        return UNTRUSTED
    if locked or frozen:
        if any(line.will for line in found.lines):
            asked = "--frozen" if frozen else "--locked"
            raise SpendError(f"{asked}: something would have to be bought", _facts(found), _LOCK_HINT)
        return FROZEN if frozen else LOCKED
    if not found.lines or found.total.most == 0:
        return caps
    if caps.build is not None:
        return _within(caps, found)
    if agreed:
        return Budget(Decimal(agreed), caps.month)
    return Budget(_agreed(session, found, ask), caps.month)


def _caps(session: Session, max_spend: str) -> Budget:
    """The command line's word or else the user's; a project may lower it, never raise it."""
    project, settings = session.catalog.project, session.settings
    own = money_of(max_spend, "--max-spend") if max_spend else money_of(settings.budget_build, "budget_build")
    return Budget(
        smaller(own, money_of(project.budget_build, "budget")),
        smaller(money_of(settings.budget_month, "budget_month"), money_of(project.budget_month, "budget")),
    )


def _within(caps: Budget, found: Bill) -> Budget:
    if caps.build is not None and found.total.least > caps.build:
        facts = [("cap", usd(caps.build)), ("at least", usd(found.total.least)), *_facts(found)]
        raise SpendError("this build would cost more than it may", facts, "`--max-spend USD`, or build fewer products")
    return caps


def _agreed(session: Session, found: Bill, ask: Ask | None) -> Decimal:
    """What a person agrees to. Raises SpendError for no, and where nobody can be asked."""
    threshold = money_of(session.settings.confirm_above, "confirm_above") or Decimal(0)
    if ask is None:
        raise SpendError(
            "something has to be bought, and no budget is given", _facts(found),
            "`--max-spend USD`, or `budget_build` in your configuration",
        )  # fmt: skip
    if found.total.most > threshold and not ask(found):
        raise SpendError("nothing was bought: you said no", _facts(found))
    return found.total.most


def money_of(text: str, where: str) -> Decimal | None:
    """An amount as a person writes it; None for "". Raises UsageError."""
    if not text:
        return None
    try:
        value = Decimal(text.strip().removeprefix("$"))
    except InvalidOperation:
        value = Decimal(-1)
    if not value.is_finite() or not 0 <= value < 1_000_000_000:
        raise UsageError(f"{where}: {shown(text, 40)!r} is no amount of money", hint="USD, for example 12.50")
    return value


def _facts(found: Bill) -> list[tuple[str, str]]:
    rows = [(line.action.name, worded(line)) for line in found.lines if not line.waits]
    more = [("…", f"and {len(rows) - SHOWN} more")] if len(rows) > SHOWN else []
    total = found.total
    return [*rows[:SHOWN], *more, ("in all", f"{usd(total.least)} to {usd(total.most)}")]


_LOCK_HINT = "build where buying is allowed, then commit clipbuild.lock"
