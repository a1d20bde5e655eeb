"""`clipbuild why SKU`: which input changed, as a difference of two key documents."""

import click

from clipbuild.cli.common import json_option, profile_option, settings, show_json, told_why, workspace


@click.command()
@click.argument("sku")
@profile_option("How good and how dear.")
@json_option
@click.pass_obj
def why(folder: str, sku: str, profile: str, as_json: bool) -> int:
    """Show which input of a product changed since it was last made.

    Every action of SKU is listed with its verdict; where it would run, the values that differ are shown,
    old -> new, and of long texts the words that changed.
    """
    from clipbuild import planning
    from clipbuild.engine.rebuilder import word
    from clipbuild.wish import Wish

    session = planning.open_session(Wish(workspace(folder), (sku,), (), profile), settings())
    try:
        plan = planning.make_plan(session, None).plan
        reasons = {action.name: (plan.verdicts[action.id], plan.reason(action.id)) for action in plan.graph}
    finally:
        session.close()
    if as_json:
        show_json({
            name: {"verdict": verdict.value, "reason": reason.kind, "changes": [list(c) for c in reason.changes]}
            for name, (verdict, reason) in reasons.items()
        })  # fmt: skip
        return 0
    for name, (verdict, reason) in reasons.items():
        click.echo(f"{name}: {verdict.value}" + ("" if verdict.value == "up to date" else told_why(word(reason))))
    return 0
