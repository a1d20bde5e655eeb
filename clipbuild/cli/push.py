"""`clipbuild push`: give the results of this machine to the shared cache."""

import click

from clipbuild.cli.common import json_option, selectors
from clipbuild.cli.exchange import exchange


@click.command()
@selectors
@json_option
@click.pass_obj
def push(
    folder: str, products: tuple[str, ...], platforms: tuple[str, ...], profile: str, as_json: bool
) -> int:
    """Give the results of this machine to the shared cache.

    The cache is a folder or an http(s) address, `remote` in your configuration or CLIPBUILD_REMOTE; a project can't name
    one. What is there is never replaced. Bought results are found again by clipbuild.lock; free ones only by machines
    that share the secret CLIPBUILD_REMOTE_KEY. A run that is not trusted gives nothing.
    """
    return exchange(folder, products, platforms, profile, give=True, as_json=as_json)
