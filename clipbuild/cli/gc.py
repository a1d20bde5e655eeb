"""`clipbuild gc`: what the store holds that nobody needs any more."""

import subprocess
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

    Never removed: what was bought, what a lock of this worktree or of any branch pins or approves, what the output trees
    and the current catalog's plans lead to, what a running build uses, and anything younger than a day.
    """
    from clipbuild.engine.workspace import Workspace

    root = workspace(folder)
    with Workspace(root).held():
        keep, sweep = _sweep(root, remove)
    removed = [blob for blob, _ in sweep.blobs]
    if as_json:
        show_json({"removed" if remove else "would_remove": removed, "bytes": sweep.freed(), "kept": len(keep)})
    else:
        verb = "removed" if remove else "would remove"
        click.echo(f"{verb} {counted(len(removed), 'blob')}, {sweep.freed() / 1e6:.1f} MB")
        if removed and not remove:
            click.echo("`clipbuild gc --remove` removes them")
    return 0


def _sweep(root: str, remove: bool):  # type: ignore[no-untyped-def]
    from clipbuild import planning
    from clipbuild.wish import Wish

    keep = set()
    session = planning.open_session(Wish(root), settings())
    try:
        for profile in session.catalog.project.profiles:
            other = planning.open_session(Wish(root, profile=profile), settings())
            try:
                plan = planning.make_plan(other, None).plan
                keep |= {d for outputs in plan.outputs.values() for d in outputs.values()}
                keep |= set(other.origins)
                keep |= {row["sha256"] for row in other.tree.recorded().values()}
            finally:
                other.close()
        for lock in _locks(root, session.lock):
            keep |= {d for trace in lock.pins.values() for d in trace.outputs.values()}
            keep |= {said.digest for said in lock.approvals.values() if said.verdict == "approved"}
        return keep, session.store.gc(keep, now=time.time(), dry_run=not remove)
    finally:
        session.close()


def _locks(root: str, own):  # type: ignore[no-untyped-def]
    """The lock of this worktree and of every branch and tag that git knows."""
    from clipbuild.engine import lock
    from clipbuild.errors import ClipbuildError

    yield own
    listed = subprocess.run(
        ["git", "-C", root, "for-each-ref", "--format=%(objectname)"], capture_output=True, text=True, check=False
    )
    for commit in sorted(set(listed.stdout.split())):
        shown = subprocess.run(
            ["git", "-C", root, "show", f"{commit}:./clipbuild.lock"], capture_output=True, check=False
        )
        if shown.returncode == 0:
            try:
                yield lock.parse(shown.stdout)
            except ClipbuildError as error:
                click.echo(f"warning: the lock at {commit[:12]}: {error}", err=True)
