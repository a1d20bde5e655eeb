"""`clipbuild prompt SKU`: what would be sent, and which template lines it came from."""

import click

from clipbuild.cli.common import json_option, settings, show_json, workspace


@click.command()
@click.argument("sku")
@click.option("--kind", type=click.Choice(["image", "plate", "motion"]), default="image", show_default=True)
@click.option("--aspect", default="", help="Only this aspect (9:16, 16:9, 4:5, 1:1). Default: all the product needs.")
@click.option("--bare", is_flag=True, help="Print the text alone.")
@json_option
@click.pass_obj
def prompt(folder: str, sku: str, kind: str, aspect: str, bare: bool, as_json: bool) -> int:
    """Print what would be sent to an image or motion model for SKU, and the template lines it came from."""
    from clipbuild import planning, tooling
    from clipbuild.planner.recipes import aspect as nearest
    from clipbuild.wish import Wish

    session = planning.open_session(Wish(workspace(folder), (sku,)), settings())
    try:
        found = []
        seen = set()
        for clip in session.selected():
            specs = [session.catalog.project.platforms[name].spec for name in clip.platforms]
            for ratio in dict.fromkeys(nearest(spec.width, spec.height) for spec in specs):
                if aspect in ("", ratio):
                    rendered = tooling.rendered(session, clip, kind, ratio)
                    if (rendered.text, ratio) not in seen:
                        seen.add((rendered.text, ratio))
                        found.append((clip.id, ratio, rendered))
    finally:
        session.close()
    if as_json:
        show_json([
            {"clip": c, "aspect": a, "kind": kind, "text": r.text, "lines": [list(line) for line in r.lines]}
            for c, a, r in found
        ])  # fmt: skip
        return 0
    for clip_id, ratio, rendered in found:
        if bare:
            click.echo(rendered.text)
            continue
        click.echo(f"{clip_id} ({kind}, {ratio})\n\n{rendered.text}\n")
        for file, line, text in rendered.lines:
            click.echo(f"    {file}:{line}  {text}")
        click.echo("")
    return 0
