"""`clipbuild approve` and `clipbuild reject`: decide on what was made, from the shell."""

import os

import click

from clipbuild.cli.common import json_option, profile_option, settings, show_json, workspace


@click.command()
@click.argument("products", nargs=-1, required=True, metavar="SKU...")
@profile_option("Of what this profile made.")
@click.option("--still", is_flag=True, help="Approve the pictures, before motion is bought for them.")
@click.option("--reason", default="", metavar="TEXT", help="Why, for whoever reads the lock.")
@click.option("--by", metavar="NAME", help="Who decides (default: git's user name).")
@json_option
@click.pass_obj
def approve(
    folder: str, products: tuple[str, ...], profile: str, still: bool, reason: str, by: str | None, as_json: bool
) -> int:
    """Approve the clips of SKU as they are now.

    The approval is of these very bytes: a clip that is made again is not approved, unless it comes out the same.
    """
    return _decide(folder, products, profile, "approved", reason, by, still=still, as_json=as_json)


@click.command()
@click.argument("products", nargs=-1, required=True, metavar="SKU...")
@profile_option("Of what this profile made.")
@click.option("--still", is_flag=True, help="Reject the pictures.")
@click.option("--reason", required=True, metavar="TEXT", help="What is wrong.")
@click.option("--by", metavar="NAME", help="Who decides (default: git's user name).")
@json_option
@click.pass_obj
def reject(
    folder: str, products: tuple[str, ...], profile: str, still: bool, reason: str, by: str | None, as_json: bool
) -> int:
    """Reject the clips of SKU as they are now: the next build takes them out of the output tree.

    What was bought for them is bought again only when you ask: `clipbuild retake SKU --because TEXT`.
    """
    return _decide(folder, products, profile, "rejected", reason, by, still=still, as_json=as_json)


def _decide(
    folder: str, products: tuple[str, ...], profile: str, verdict: str, reason: str, by: str | None, *,
    still: bool, as_json: bool,
) -> int:  # fmt: skip
    from clipbuild import decisions, planning
    from clipbuild.errors import UsageError
    from clipbuild.reviewing import Room, remember
    from clipbuild.wish import Wish

    root, chosen = workspace(folder), settings()
    if not chosen.trusted:
        raise UsageError("an untrusted run decides nothing", hint="CLIPBUILD_TRUSTED=1 if you trust this checkout")
    session = planning.open_session(Wish(root, products, (), profile), chosen)
    try:
        room = Room(session, planning.make_plan(session, None))
        subjects = room.stills() if still else [c.subject for c in room.cards if c.subject and c.kind == "clip"]
        missing = [card.name for card in room.cards if card.kind != "clip"] if not still else []
        if not subjects:
            raise UsageError("nothing is made yet that could be decided on", hint="`clipbuild build` first")
        if verdict == decisions.APPROVED:
            remember(room, [card for card in room.cards if card.subject in subjects])
    finally:
        session.close()
    decisions.decide(root, subjects, verdict, by=by or decisions.person(root, os.environ), reason=reason)
    if as_json:
        rows = [{"name": s.name, "digest": s.digest, "key": s.key} for s in subjects]
        show_json({"verdict": verdict, "decided": rows, "not_made": missing})
        return 0
    for subject in subjects:
        click.echo(f"{verdict}  {subject.name}  {subject.digest[:12]}")
    for name in missing:
        click.echo(f"not made yet: {name}")
    return 0
