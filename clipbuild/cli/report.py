"""`clipbuild report`: the review pages as files, and a summary as Markdown."""

import os

import click

from clipbuild.cli.common import profile_option, settings, workspace
from clipbuild.plural import counted


@click.command()
@click.option("--out", "target", metavar="DIR", default="report", show_default=True, help="Where the pages go.")
@click.option("--markdown", is_flag=True, help="Print a summary for a pull request's comment instead.")
@profile_option("Of what this profile made.")
@click.argument("products", nargs=-1, metavar="[SKU]...")
@click.pass_obj
def report(folder: str, target: str, markdown: bool, profile: str, products: tuple[str, ...]) -> int:
    """Write what was made, and what it came to, as pages that open anywhere.

    The pages are those of `clipbuild review`, without the buttons; DIR/index.html is the first. Clips and pictures
    are beside them, so that a continuous integration run can keep the folder.
    """
    from clipbuild.gallery import report as pages
    from clipbuild.gallery.desk import ProjectDesk
    from clipbuild.wish import Wish

    root = workspace(folder)
    desk = ProjectDesk(Wish(root, products, (), profile), settings(), "", os.path.basename(root))
    try:
        shelf = desk.shelf()
        if markdown:
            click.echo(pages.markdown(desk.title, shelf.cards), nl=False)
            return 0
        made = pages.write(os.path.join(folder, target), desk.title, shelf, desk.records(), desk.file)
    finally:
        desk.close()
    click.echo(f"{os.path.join(target, 'index.html')}: {counted(len(shelf.cards), 'clip')}, {counted(len(made), 'file')}")
    return 0
