"""`clipbuild retake`: ask for another take of what was bought."""

import click

from clipbuild.cli.common import profile_option, settings, workspace

STAGES = {"image": "generate", "generate": "generate", "motion": "animate", "animate": "animate"}


@click.command()
@click.argument("products", nargs=-1, required=True, metavar="SKU...")
@click.option(
    "--stage", type=click.Choice(sorted(STAGES)), help="The picture or the motion (default: the last that is bought)."
)
@click.option("--because", required=True, metavar="TEXT", help="Why, for whoever reads the lock.")
@profile_option("Of what this profile makes.")
@click.pass_obj
def retake(folder: str, products: tuple[str, ...], stage: str | None, because: str, profile: str) -> int:
    """Ask for another take of what was bought for SKU: the next build buys it, and keeps the earlier one's blob.

    The only way to buy the same thing again. The wish stands in clipbuild.lock, so that everybody's next build means it.
    """
    from clipbuild import decisions, planning
    from clipbuild.errors import UsageError
    from clipbuild.wish import Wish

    root, chosen = workspace(folder), settings()
    if not chosen.trusted:
        raise UsageError("an untrusted run asks for nothing", hint="CLIPBUILD_TRUSTED=1 if you trust this checkout")
    session = planning.open_session(Wish(root, products, (), profile), chosen)
    try:
        graph = planning.make_plan(session, None).plan.graph
    finally:
        session.close()
    bought = [action for action in graph if action.precious]
    wanted = STAGES.get(stage or "") or ("animate" if any(a.stage == "animate" for a in bought) else "generate")
    meant = [action for action in bought if action.stage == wanted]
    if not meant:
        raise UsageError("nothing of that is bought for these products", hint="`clipbuild plan` shows what is")
    for action in meant:
        take = decisions.retake(root, decisions.base_key(action), because)
        click.echo(f"{action.name}: take {take}; `clipbuild build` buys it")
    return 0
