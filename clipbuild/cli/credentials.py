"""`clipbuild credentials`: signed copies of clips that say what went into them (C2PA)."""

import os

import click

from clipbuild.cli.common import selectors, settings, workspace


@click.command()
@selectors
@click.option("--cert", required=True, type=click.Path(dir_okay=False), envvar="CLIPBUILD_SIGN_CERT",
              help="Your certificate and its chain, PEM.")  # fmt: skip
@click.option("--key", required=True, type=click.Path(dir_okay=False), envvar="CLIPBUILD_SIGN_KEY",
              help="Its private key, PEM; outside of the project, readable by you alone.")  # fmt: skip
@click.option("--algorithm", default="es256", show_default=True, help="How the key signs.",
              type=click.Choice(["es256", "es384", "es512", "ps256", "ps384", "ps512", "ed25519"]))  # fmt: skip
@click.option("--time-stamps", metavar="URL", default="", help="A time stamp authority to ask (default: none).")
@click.option("--out", metavar="DIR", default="", help="Where the copies go (default: the output folder's name with .signed).")
@click.pass_obj
def credentials(
    folder: str, products: tuple[str, ...], platforms: tuple[str, ...], profile: str, cert: str, key: str,
    algorithm: str, time_stamps: str, out: str,
) -> int:  # fmt: skip
    """Write signed copies of finished clips with Content Credentials (C2PA).

    Each copy says what it is made of: photo, picture, clip, which of them a model made, and by what; platforms that read
    such credentials show them. The output tree itself stays as it is. Needs `pip install 'clipbuild[credentials]'`.
    """
    from clipbuild import credentials as signing
    from clipbuild import planning
    from clipbuild.wish import Wish

    root = workspace(folder)
    signer = signing.read_signer(cert, key, algorithm, time_stamps, root)
    session = planning.open_session(Wish(root, products, platforms, profile), settings())
    try:
        target = os.path.abspath(out) if out else f"{session.tree.top}.signed"
        planned = planning.make_plan(session, None)
        count = signing.write(session, planned, target, signer, lambda path, state: click.echo(f"{state.lower()}  {path}"))
    finally:
        session.close()
    click.echo(f"{count} clips signed into {target}")
    return 0
