"""`clipbuild watch`: what is saved is made again at once, as a draft, and a page shows it."""

import os
import time

import click

from clipbuild import events
from clipbuild.cli.common import settings, workspace
from clipbuild.errors import shown
from clipbuild.plural import counted


@click.command()
@click.argument("products", nargs=-1, metavar="[SKU]...")
@click.option("--platform", "platforms", multiple=True, metavar="NAME", help="Only for this platform (repeatable).")
@click.option("--profile", default="draft", show_default=True, metavar="NAME", help="How good and how dear.")
@click.option("--jobs", "-j", type=click.IntRange(1, 256), default=None, help="How many actions run at once.")
@click.option("--page/--no-page", "paged", default=True, help="Show drafts on a page on this machine.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Serve the page on this port (default: any free one).")
@click.option("--open/--no-open", "show", default=True, help="Open the page in the browser.")
@click.pass_obj
def watch(
    folder: str, products: tuple[str, ...], platforms: tuple[str, ...], profile: str, jobs: int | None, paged: bool,
    port: int, show: bool,
) -> int:  # fmt: skip
    """Make again at once, as a draft, what is saved; a page shows it without a reload.

    Only what changed is made. A broken save shows its error with file and line, and watching goes on; a save in the
    middle of a build plans it anew, and work that is still wanted goes on. Nothing is ever bought from here: a result
    that has to be bought is named, and `clipbuild build` buys it. Ctrl-C ends it.
    """
    import asyncio

    from clipbuild.watch import start
    from clipbuild.wish import Wish

    wish = Wish(workspace(folder), products, platforms, profile)
    asked = start.Asked(wish, settings(), jobs or 0, port if paged else -1)
    return asyncio.run(start.run(asked, Lines(), lambda address: _ready(address, show)))


def _ready(address: str, show: bool) -> None:
    from clipbuild.cli import review

    if address:
        click.echo(f"watch   {address}\n        works once; Ctrl-C ends it", err=True)
    else:
        click.echo("watching; Ctrl-C ends it", err=True)
    if address and show and review.has_screen(os.environ):
        review.open_page(address)


class Lines:
    """A line for each build that did something, and every error as it is: once, until another takes its place."""

    def __init__(self) -> None:
        self.failed: list[str] = []
        self.written = 0
        self.told: object = None

    def __call__(self, event: events.Event) -> None:
        match event:
            case events.BuildStarted():
                self.failed, self.written = [], 0
            case events.ActionFailed():
                self.failed.append(event.error)
            case events.DeliverableWritten():
                self.written += 1
            case events.Warned():
                click.echo(f"warning: {shown(event.text)}", err=True)
            case events.BuildFinished():
                self._finished(event)
                self.failed, self.written = [], 0
            case _:
                pass

    def _finished(self, event: events.BuildFinished) -> None:
        did = event.ran or self.written
        if did or (event.failed and self.told != self.failed):
            failed = f", {event.failed} failed" if event.failed else ""
            self._say(f"{event.ran} made{failed}, {counted(self.written, 'file')} written ({event.seconds:.2f} s)")
            for error in dict.fromkeys(self.failed):
                click.echo(error, err=True)
        self.told = self.failed

    def wrong(self, text: str) -> None:
        """What stops a build before it begins."""
        if text != self.told:
            self._say(text)
        self.told = text

    def well(self) -> None:
        """It is mended."""
        self.told = None
        self._say("the catalog is mended")

    def _say(self, text: str) -> None:
        click.echo(f"{time.strftime('%H:%M:%S')}  {text}", err=True)
