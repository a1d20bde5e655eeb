"""`clipbuild plan`: what would run, why and for how much. The first half of `build`, alone."""

from collections import Counter
from typing import Any

import click

from clipbuild.cli.common import json_option, selectors, settings, show_json, workspace


@click.command()
@selectors
@json_option
@click.pass_obj
def plan(
    folder: str, products: tuple[str, ...], platforms: tuple[str, ...], profile: str, as_json: bool
) -> int:
    """Say what would run, why and for how much; run nothing."""
    return show_plan(workspace(folder), products, platforms, profile, as_json)


def show_plan(
    root: str, products: tuple[str, ...], platforms: tuple[str, ...], profile: str, as_json: bool
) -> int:
    """Print the plan of a wish; `build --dry-run` is this."""
    from clipbuild import planning
    from clipbuild.wish import Wish

    session = planning.open_session(Wish(root, products, platforms, profile), settings())
    try:
        planned = planning.make_plan(session, None)
        rows = [_row(planned.plan, action) for action in planned.plan.graph]
    finally:
        session.close()
    todo = [row for row in rows if row["verdict"] != "up to date"]
    if as_json:
        show_json({"actions": todo, "up_to_date": len(rows) - len(todo), "cost": {"least": "0", "most": "0"}})
        return 0
    for row in todo:
        click.echo(f"{row['verdict']:9}  {row['action']}  ({row['reason']})")
    counts = Counter(row["verdict"] for row in rows)
    if not todo:
        click.echo(f"nothing to do: {len(rows)} actions up to date")
    else:
        click.echo(
            f"{counts['will run']} will run, {counts['may run']} may run, {counts['up to date']} up to date; cost 0 USD"
        )
    return 0


def _row(plan: Any, action: Any) -> dict[str, Any]:
    from clipbuild.engine.rebuilder import word

    return {
        "action": action.name, "stage": action.stage, "verdict": plan.verdicts[action.id].value,
        "reason": word(plan.reason(action.id)), "pool": action.pool, "precious": action.precious,
    }  # fmt: skip
