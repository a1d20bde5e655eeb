"""`clipbuild stats`: what the store and the state hold, and what it came to."""

import click

from clipbuild.cli.common import json_option, settings, show_json, workspace


@click.command()
@json_option
@click.pass_obj
def stats(folder: str, as_json: bool) -> int:
    """Say what the store holds (blobs, bytes, how much was bought), and how many traces and clips are known."""
    from clipbuild import planning, upkeep
    from clipbuild.wish import Wish

    session = planning.open_session(Wish(workspace(folder)), settings())
    try:
        facts = upkeep.facts(session)
    finally:
        session.close()
    if as_json:
        show_json(facts)
    else:
        for name, value in facts.items():
            click.echo(f"{name.replace('_', ' '):14} {value:,}" if isinstance(value, int) else f"{name:14} {value}")
    return 0
