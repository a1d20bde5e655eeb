"""`clipbuild verify`: every damaged blob, every output that isn't what was recorded; made again, are the bytes the same?"""


import click

from clipbuild.cli.common import json_option, profile_option, settings, show_json, workspace
from clipbuild.errors import UsageError, shown
from clipbuild.plural import counted


@click.command()
@click.argument("products", nargs=-1, metavar="[SKU]...")
@click.option("--rebuild", is_flag=True, help="Make all that is free of the clips of SKU again, aside, and compare the bytes.")
@profile_option("Whose output tree.")
@json_option
@click.pass_obj
def verify(folder: str, products: tuple[str, ...], rebuild: bool, profile: str, as_json: bool) -> int:
    """Read every blob of the store and every file of the output tree, and say what is damaged or missing.

    Damaged blobs go to quarantine, never away; the next build makes again what is free. Exit status 5 when something
    was found.

    With --rebuild nothing of that is read: pictures, clips, covers and words are made again in a scratch folder from
    what is on record, and every byte must be as it was. Nothing is bought and nothing changed.
    """
    if rebuild:
        return _remade(folder, products, profile, as_json)
    if products:
        raise UsageError("verify takes products only with --rebuild", hint="`clipbuild verify --rebuild SKU`")
    from clipbuild import planning, upkeep
    from clipbuild.engine.workspace import Workspace
    from clipbuild.wish import Wish

    root = workspace(folder)
    with Workspace(root).held():
        session = planning.open_session(Wish(root, profile=profile), settings())
        try:
            found = upkeep.inspect(session)
        finally:
            session.close()
    damaged = [{"blob": d.digest, "what": d.kind, "precious": d.precious} for d in found.damaged]
    outputs = [{"path": path, "what": what} for path, what in found.outputs]
    if as_json:
        show_json({
            "blobs": found.blobs, "damaged": damaged, "files": found.files, "outputs": outputs,
            "unfinished": found.unfinished,
        })  # fmt: skip
    else:
        for blob in found.damaged:
            click.echo(f"blob {blob.digest[:16]}…  {blob.kind}" + ("  (bought)" if blob.precious else ""))
        for path, what in found.outputs:
            click.echo(f"{shown(path)}  {what}")
        if found.unfinished:
            click.echo(f"{counted(len(found.unfinished), 'file')} of a build that did not end: `clipbuild build` settles this")
        told = f"{counted(found.blobs, 'blob')}, {counted(found.files, 'file')}"
        click.echo(f"{told}: {len(damaged) + len(outputs)} damaged or missing")
    return 5 if damaged or outputs else 0


def _remade(folder: str, products: tuple[str, ...], profile: str, as_json: bool) -> int:
    from clipbuild import planning, remaking
    from clipbuild.engine.executor import cores
    from clipbuild.wish import Wish

    known = settings()
    session = planning.open_session(Wish(workspace(folder), products, profile=profile), known)
    try:
        found = remaking.remake(session, known.jobs or cores())
    finally:
        session.close()
    if as_json:
        show_json(found.plain())
    else:
        for action, output, old, new in found.different:
            click.echo(f"{action}: {output} was {old[:16] or 'absent'}, is {new[:16] or 'absent'}")
        for action, why in found.failed.items():
            click.echo(f"{action}: {why}")
        skipped = f", {found.skipped} not up to date and left out" if found.skipped else ""
        changed = len({row[0] for row in found.different})
        same = counted(len(found.same), "action")
        click.echo(f"{same} made again, the same; {changed} differ, {len(found.failed)} failed{skipped}")
    return 5 if found.different else 1 if found.failed else 0
