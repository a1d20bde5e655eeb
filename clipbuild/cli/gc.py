"""`clipbuild gc`: what the store holds that nobody needs any more."""

import time

import click

from clipbuild.cli.common import json_option, settings, show_json, workspace
from clipbuild.plural import counted


@click.command()
@click.option("--remove", is_flag=True, help="Remove it; without this it is only said what would go.")
@json_option
@click.pass_obj
def gc(folder: str, remove: bool, as_json: bool) -> int:
    """Say what the store holds that nobody needs any more; with --remove, remove it.

    Never removed: what was bought, what a lock of this worktree or of any branch pins or approves, what the output
    trees and the current catalog's plans lead to, what a running build uses, and anything that a build made or
    asked for in the last day, in whichever workspace.
    """
    from clipbuild import upkeep
    from clipbuild.engine.workspace import Workspace

    root = workspace(folder)
    with Workspace(root).held():
        keep, sweep = upkeep.clean_up(root, settings(), now=time.time(), remove=remove)
    removed = [blob for blob, _ in sweep.blobs]
    if as_json:
        show_json({"removed" if remove else "would_remove": removed, "bytes": sweep.freed(), "kept": len(keep)})
    else:
        verb = "removed" if remove else "would remove"
        click.echo(f"{verb} {counted(len(removed), 'blob')}, {sweep.freed() / 1e6:.1f} MB")
        if removed and not remove:
            click.echo("`clipbuild gc --remove` removes them")
    return 0
