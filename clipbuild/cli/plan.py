"""`clipbuild plan`: what would run, why and for how much. The first half of `build`, alone."""

import os
from collections import Counter
from decimal import Decimal
from typing import Any

import click

from clipbuild.cli.common import json_option, selectors, settings, show_json, told_why, workspace
from clipbuild.cli.scope import Scope, narrowed, scope_of, scope_options, touched
from clipbuild.errors import UsageError
from clipbuild.plural import counted
from clipbuild.wish import Wish


@click.command()
@selectors
@scope_options
@click.option("--until", metavar="STAGE", default="", help="As far as this stage: `image` is the pictures and their check.")
@click.option("--markdown", is_flag=True, help="With --since: print the comment of a pull request.")
@click.option("--limit", type=click.IntRange(0), default=None, help="List so many actions at most; 0: only the summary.")
@json_option
@click.pass_context
def plan(
    ctx: click.Context, products: tuple[str, ...], platforms: tuple[str, ...], profile: str, until: str,
    markdown: bool, limit: int | None, as_json: bool,
) -> int:  # fmt: skip
    """Say what would run, why and for how much; run nothing.

    With --since REV it says what the change since then costs before it is made: which values differ, old and new, how
    many clips each touches, and for each product what is cached, what is made here, what is bought, for how much.
    """
    wish = Wish(workspace(ctx.obj), products, platforms, profile)
    scope = scope_of(ctx)
    if scope.since and until:
        raise UsageError("--until shows a plan, and --since a change", hint="leave one of them away")
    if scope.since:
        return show_change(wish, scope, "markdown" if markdown else "json" if as_json else "text")
    if markdown:
        raise UsageError("--markdown shows a change", hint="add --since REV, for example --since origin/main")
    return show_plan(wish, scope, as_json, limit, until)


def show_change(wish: Wish, scope: Scope, form: str) -> int:
    """Print what a change costs."""
    from clipbuild import planning
    from clipbuild.cli import change
    from clipbuild.impact import impact

    session = planning.open_session(wish, settings())
    try:
        clips, told = touched(session, scope)
        assert clips is not None
        assert told is not None
        planned = told.planned or planning.make_plan(session, among=clips)
        found = impact(session, planned, told, clips, _prices(session, planned))
    finally:
        session.close()
    if form == "json":
        show_json(found.plain())
    elif form == "markdown":
        click.echo(change.markdown(found), nl=False)
    else:
        click.echo("\n".join(change.text(found)))
    return 0


def show_plan(wish: Wish, scope: Scope, as_json: bool, limit: int | None = None, until: str = "") -> int:
    """Print the plan of a wish; `build --dry-run` is this. What the last whole build left as it was is only counted."""
    from clipbuild import cutouts, deadends, planning
    from clipbuild.look import Look

    chosen = settings()
    wish, _ = narrowed(wish, scope, chosen)
    look = Look.take(wish, chosen)
    session = planning.open_session(wish, chosen, suspects=look.suspects())
    try:
        planned = planning.make_plan(session, look.drift(session))
        if until:
            deadends.look(session, planned)
            planned.plan = planning.up_to(session, planned.plan.graph, until)
        found = _bill(session, planned)
        told = _told(session, planned, found, limit if as_json or limit is not None else LISTED)
        told["pictures"] = cutouts.told(session, planned)
    finally:
        session.close()
    if as_json:
        cost = found.plain() if found else {"least": "0", "most": "0"}
        show_json({**told, "cost": cost})
    else:
        _show_text(told, found)
    return 0


LISTED = 200
"""So many actions a person is shown unasked."""


def _told(session: Any, planned: Any, found: Any, limit: int | None) -> dict[str, Any]:
    """The plan as JSON data: what is to do by stage, verdict and reason, and the first `limit` actions of it."""
    from clipbuild.engine.action import Verdict

    plan, jobs = planned.plan, _jobs(session, planned)
    prices = {line.action.id: line for line in found.lines if not line.standin} if found else {}
    todo = [action for action in plan.graph if plan.verdicts[action.id] is not Verdict.UP_TO_DATE]
    kinds = Counter((a.stage, plan.verdicts[a.id].value, plan.reason(a.id, brief=True).kind) for a in todo)
    later = [line for line in found.lines if not line.chosen and not line.standin] if found else []
    kinds.update(("animate", Verdict.MAY_RUN.value, "waits") for _ in later)
    degraded = {d.clip: d.degraded for files in planned.deliverables.values() for d in files if d.degraded}
    return {
        "summary": [
            {"stage": stage, "verdict": verdict, "reason": reason, "actions": count}
            for (stage, verdict, reason), count in sorted(kinds.items())
        ],
        "jobs": len(jobs), "to_do": len(todo) + len(later),
        "up_to_date": len(plan.graph) - len(todo) + planned.kept_actions, "degraded": degraded,
        "actions": [*(_row(plan, a, prices.get(a.id), jobs) for a in todo[:limit]), *map(_later, later)][:limit],
    }  # fmt: skip


def _show_text(told: dict[str, Any], found: Any) -> None:
    from clipbuild.cutouts import lines

    for row in told["actions"]:
        price = f"  {row['price']}" if row.get("price") else ""
        click.echo(f"{row['verdict']:9}  {row['action']}{told_why(row['reason'])}{price}")
    if (more := told["to_do"] - len(told["actions"])) > 0:
        click.echo(f"… and {counted(more, 'action')} more (--limit {told['to_do']} lists all); by stage and reason:")
        for row in told["summary"]:
            click.echo(f"  {row['actions']:7,}  {row['stage']:10} {row['verdict']}, {row['reason']}")
    for line in lines(told["pictures"]):
        click.echo(f"picture    {line}")
    for clip, words in told["degraded"].items():
        click.echo(f"degraded   {clip}: {words}")
    if not told["to_do"]:
        click.echo(f"nothing to do: {counted(told['up_to_date'], 'action')} up to date")
        return
    counts = Counter({"up to date": told["up_to_date"]})
    for row in told["summary"]:
        counts[row["verdict"]] += row["actions"]
    line = ", ".join(f"{counts[word]} {word}" for word in ("will run", "may run", "up to date"))
    free = f"; nothing new is bought, {counted(told['jobs'], 'job')} under way" if told["jobs"] else "; cost 0 USD, all made here"
    click.echo(line + (free if not found or not found.lines else "; to be bought:"))
    if found and found.lines:
        from clipbuild.pricing import table

        click.echo("\n".join(table(found)))


def _jobs(session: Any, planned: Any) -> Any:
    """What is not bought again because of the job it has, in words."""
    if not any(action.precious for action in planned.plan.graph):
        return {}
    from clipbuild.pricing import under_way

    return under_way(session, planned)


def _bill(session: Any, planned: Any) -> Any:
    """What the plan costs; None for one in which nothing is bought."""
    if not (session.undecided or any(action.precious for action in planned.plan.graph)):
        return None
    from clipbuild.adapters import Adapters
    from clipbuild.pricing import bill

    return bill(session, planned, Adapters(session.settings, os.environ))


def _prices(session: Any, planned: Any) -> Any:
    """The price of one action with the takes that may follow, for what a change costs."""
    from clipbuild import deadends
    from clipbuild.adapters import Adapters
    from clipbuild.pricing import price_of
    from clipbuild.retaking import further

    adapters, more = Adapters(session.settings, os.environ), further(planned)
    dead = deadends.found(session, planned, adapters)

    def price(action: Any) -> Any:
        if action.id in dead:
            return (Decimal(0), Decimal(0))
        found = price_of(action, adapters)
        return None if found is None else (found.least, found.most * (1 + more.get(action.id, 0)))

    return price


def _later(line: Any) -> dict[str, Any]:
    """A purchase that the plan does not have yet, for its motion is chosen once its picture is measured."""
    reason = "waits for its motion to be chosen, by its picture"
    row = {"action": line.action.name, "stage": "animate", "verdict": "may run", "reason": reason}
    return {**row, "pool": line.action.pool, "precious": True, **_priced(line)}


def _priced(line: Any) -> dict[str, Any]:
    from clipbuild.pricing import worded

    price = line.whole
    bounds = {"least": str(price.least), "most": str(price.most)} if price else {"least": None, "most": None}
    return {**bounds, "price": worded(line), "waits": line.waits, "takes": line.takes}


def _row(plan: Any, action: Any, line: Any, jobs: Any) -> dict[str, Any]:
    from clipbuild.engine.rebuilder import word

    row = {
        "action": action.name, "stage": action.stage, "verdict": plan.verdicts[action.id].value,
        "reason": word(plan.reason(action.id)), "pool": action.pool, "precious": action.precious,
    }  # fmt: skip
    if line is not None:
        row |= _priced(line)
    return row | ({"price": jobs[action.id]} if action.id in jobs else {})
