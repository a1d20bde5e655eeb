"""`clipbuild authorship`: who made what of a clip, for the copyright file."""

import click

from clipbuild.cli.common import json_option, selectors, settings, show_json, workspace


@click.command()
@selectors
@json_option
@click.pass_obj
def authorship(
    folder: str, products: tuple[str, ...], platforms: tuple[str, ...], profile: str, as_json: bool
) -> int:
    """Say who made what of a clip: people, models, and clipbuild by rule.

    Words and photos are people's, by git's history of their lines and files, with licence and source where the catalog
    notes them. Approvals, rejections and retakes are read from clipbuild.lock. What a model made is listed with its
    prompt, provider, model, job and date. Nothing is run.
    """
    from clipbuild import authorship as records
    from clipbuild import planning
    from clipbuild.wish import Wish

    root = workspace(folder)
    records.needs_git(root)
    session = planning.open_session(Wish(root, products, platforms, profile), settings())
    try:
        found = list(records.authorship(session, planning.make_plan(session, None)))
    finally:
        session.close()
    if as_json:
        show_json({"clips": [record.plain() for record in found]})
        return 0
    for record in found:
        click.echo("\n".join(records.text(record)))
    return 0
