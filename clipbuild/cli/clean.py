"""`clipbuild clean`: remove the output tree, and on request what can be made again. Never what was bought."""

import os

import click

from clipbuild.cli.common import profile_option, settings, workspace
from clipbuild.plural import counted


@click.command()
@profile_option("Whose output tree.")
@click.option("--cache", is_flag=True, help="Also forget traces and snapshots, so that free work is done again.")
@click.option("--dry-run", "-n", is_flag=True, help="Only say what would go.")
@click.pass_obj
def clean(folder: str, profile: str, cache: bool, dry_run: bool) -> int:
    """Remove the files that clipbuild made from the output tree.

    Files of other makers stay. Bought results stay in the store, always; the lock is never touched.
    """
    from clipbuild import look, planning
    from clipbuild.engine.workspace import Workspace
    from clipbuild.outputs import MANIFEST
    from clipbuild.wish import Wish

    root = workspace(folder)
    session = planning.open_session(Wish(root, profile=profile), settings())
    try:
        made = sorted(session.tree.recorded())
        if dry_run:
            click.echo(f"would remove {counted(len(made), 'file')} of {os.path.relpath(session.tree.top, root)}")
            return 0
        with Workspace(root).held():
            session.tree.drop([*made, MANIFEST])
            session.records.clear()
            look.forget(root, {"", profile, session.catalog.project.profile})
            if cache:
                session.state.forget(session.state.keys())
    finally:
        session.close()
    click.echo(f"removed {counted(len(made), 'file')}" + (" and forgot what was made for free" if cache else ""))
    return 0
