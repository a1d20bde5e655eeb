"""`clipbuild pull`: bring from the shared cache what this machine lacks."""

import click

from clipbuild.cli.common import json_option, selectors
from clipbuild.cli.exchange import exchange


@click.command()
@selectors
@json_option
@click.pass_obj
def pull(
    folder: str, products: tuple[str, ...], platforms: tuple[str, ...], profile: str, as_json: bool
) -> int:
    """Bring from the shared cache what this machine lacks; `build` does the same before it makes anything.

    Every blob is checked against its digest. What was bought comes by its pin in clipbuild.lock, also in a run that is
    not trusted; free results only by word that is signed with CLIPBUILD_REMOTE_KEY.
    """
    return exchange(folder, products, platforms, profile, give=False, as_json=as_json)
