"""What `push` and `pull` share: open, plan, move, say what was moved."""

import click

from clipbuild.cli.common import settings, show_json, workspace
from clipbuild.plural import counted


def exchange(
    folder: str, products: tuple[str, ...], platforms: tuple[str, ...], profile: str, *, give: bool, as_json: bool
) -> int:
    """Move results between this machine and the shared cache; the exit status. Raises ClipbuildError."""
    from clipbuild import events, planning, sharing
    from clipbuild.engine.workspace import Workspace
    from clipbuild.errors import UsageError
    from clipbuild.wish import Wish

    chosen, warnings = settings(), list[str]()
    if not chosen.remote:
        raise UsageError("no shared cache is configured", hint="set `remote` in your configuration, or CLIPBUILD_REMOTE")
    if give and not chosen.trusted:
        raise UsageError("this run is not trusted, so it gives nothing", hint="CLIPBUILD_TRUSTED=1 if you trust this checkout")
    bus = events.Bus(lambda: 0.0, [lambda event: warnings.append(event.text) if isinstance(event, events.Warned) else None])
    wish = Wish(workspace(folder), products, platforms, profile)
    with Workspace(wish.root).held():
        session = planning.open_session(wish, chosen)
        try:
            remote = sharing.remote_of(session, bus, write=give)
            assert remote is not None
            planned = planning.make_plan(session, None)
            moved = (sharing.push if give else sharing.pull)(session, planned, remote)
        finally:
            session.close()
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    if as_json:
        show_json({"blobs": moved.blobs, "results": moved.results, "failed": moved.failed, "warnings": warnings})
    else:
        verb = "given" if give else "brought"
        failed = f", {moved.failed} not possible" if moved.failed else ""
        click.echo(f"{counted(moved.blobs, 'blob')} {verb}, {counted(moved.results, 'result')}{failed} ({remote.name})")
    return 1 if moved.failed else 0
