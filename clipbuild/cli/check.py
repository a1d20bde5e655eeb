"""`clipbuild check`: read the catalog and say everything that is wrong with it."""

import click

from clipbuild.cli.common import json_option, profile_option, settings, show_json, workspace


@click.command()
@profile_option("Check what this profile would make.")
@json_option
@click.pass_obj
def check(folder: str, profile: str, as_json: bool) -> int:
    """Read the catalog and say everything that is wrong with it, as file:line:column with a hint.

    Nothing is run or written. Exit status 2 when something is wrong.
    """
    from clipbuild import planning
    from clipbuild.errors import CatalogError
    from clipbuild.wish import Wish

    try:
        session = planning.open_session(Wish(workspace(folder), profile=profile), settings())
        try:
            planned = planning.make_plan(session, None)
        finally:
            session.close()
    except CatalogError as error:
        if not as_json:
            raise
        rows = [{"file": p.file, "line": p.line, "column": p.column, "what": p.what, "hint": p.hint} for p in error.problems]
        show_json({"problems": rows})
        return error.exit_status
    products = len({clip.sku for clip in planned.clips.values()})
    if as_json:
        show_json({"problems": [], "products": products, "clips": len(planned.clips)})
    else:
        click.echo(f"{products} products, {len(planned.clips)} clips: nothing wrong")
    return 0
