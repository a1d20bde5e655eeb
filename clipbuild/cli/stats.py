"""`clipbuild stats`: what the store and the state hold, and what it came to."""

import os

import click

from clipbuild.cli.common import json_option, settings, show_json, workspace


@click.command()
@json_option
@click.pass_obj
def stats(folder: str, as_json: bool) -> int:
    """Say what the store holds (blobs, bytes, how much was bought), and how many traces and clips are known."""
    from clipbuild import planning
    from clipbuild.wish import Wish

    root = workspace(folder)
    session = planning.open_session(Wish(root), settings())
    try:
        sizes = {blob: session.store.size(blob) for blob in session.store.blobs()}
        bought = {blob for blob in session.store.marked() if blob in sizes}
        facts = {
            "store": os.path.relpath(session.store.root, root), "blobs": len(sizes), "bytes": sum(sizes.values()),
            "bought_blobs": len(bought), "bought_bytes": sum(sizes[blob] for blob in bought),
            "traces": len(session.state.keys()), "pins": len(session.lock.pins),
            "clips": len(session.catalog.clips), "files": len(session.tree.recorded()),
        }  # fmt: skip
    finally:
        session.close()
    if as_json:
        show_json(facts)
    else:
        for name, value in facts.items():
            click.echo(f"{name.replace('_', ' '):14} {value:,}" if isinstance(value, int) else f"{name:14} {value}")
    return 0
