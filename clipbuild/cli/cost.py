"""`clipbuild cost`: what was spent, by product, provider, model or month."""

import os

import click

from clipbuild.cli.common import json_option, settings, show_json, workspace

WAYS = ("product", "provider", "model", "month")


@click.command()
@click.option("--by", type=click.Choice(WAYS), multiple=True, help="Only these tables (default: all of them).")
@click.option("--month", metavar="YYYY-MM", default="", help="Only this month.")
@json_option
@click.pass_obj
def cost(folder: str, by: tuple[str, ...], month: str, as_json: bool) -> int:
    """Say what was spent, from clipbuild.lock and the journal together, each charge once.

    What the provider has not confirmed (open, unsure and abandoned jobs) stands apart, at its highest price. Jobs that
    the journal of another machine knows and this lock does not are not in it.
    """
    from clipbuild import ledger
    from clipbuild.engine.lock import LOCK_FILE, Lock
    from clipbuild.providers.opening import opened

    root, chosen = workspace(folder), settings()
    journal = opened(root, chosen.store, chosen.state_home, lambda text: click.echo(f"warning: {text}", err=True))
    found = [c for c in ledger.charges(Lock.load(os.path.join(root, LOCK_FILE)), journal) if c.month.startswith(month)]
    journal.close()
    tables = {way: ledger.grouped(found, way) for way in by or WAYS}
    if as_json:
        show_json({
            way: {name: {"count": n, "usd": str(sure), "unconfirmed": str(maybe)} for name, (n, sure, maybe) in rows.items()}
            for way, rows in tables.items()
        })  # fmt: skip
        return 0
    if not found:
        click.echo("nothing was spent")
        return 0
    for way, rows in tables.items():
        click.echo(f"{way:32} {'count':>6} {'USD':>12} {'unconfirmed':>12}")
        for name, (count, sure, maybe) in rows.items():
            click.echo(f"  {name:30} {count:6} {sure:12.4f} {f'{maybe:.4f}' if maybe else '':>12}")
        click.echo("")
    click.echo(f"{'in all':32} {len(found):6} {sum(c.usd for c in found if c.sure):12.4f}")
    return 0
