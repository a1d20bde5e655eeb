"""`clipbuild review`: look at clips in the browser and decide on them."""

import os
import sys
from collections.abc import Mapping

import click

from clipbuild.cli.common import profile_option, settings, workspace


@click.command()
@profile_option("Look at what this profile made.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Serve on this port (default: any free one).")
@click.option("--open/--no-open", "show", default=True, help="Open the page in the browser.")
@click.option("--by", metavar="NAME", help="Who decides (default: git's user name).")
@click.pass_obj
def review(folder: str, profile: str, port: int, show: bool, by: str | None) -> int:
    """Look at clips in the browser, and approve, reject or retake them.

    The page is served to this machine alone, and opened by an address that works once. Decisions are written to
    clipbuild.lock; nothing is bought from the page. Ctrl-C ends it.
    """
    from clipbuild import decisions
    from clipbuild.gallery import server
    from clipbuild.gallery.desk import ProjectDesk
    from clipbuild.wish import Wish

    root = workspace(folder)
    who = by or decisions.person(root, os.environ)
    desk = ProjectDesk(Wish(root, profile=profile), settings(), who, os.path.basename(root))
    server.serve(desk, server.listen(port), lambda url: _ready(url, show))
    return 0


def _ready(url: str, show: bool) -> None:
    click.echo(f"review  {url}\n        works once; Ctrl-C ends it")
    if show and has_screen(os.environ):
        open_page(url)


def has_screen(environ: Mapping[str, str]) -> bool:
    """A browser could show something here."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))


def open_page(url: str) -> None:
    """Hand the address to the browser in a private file, not on a command line that other users can read."""
    import tempfile
    import threading
    import webbrowser

    fd, path = tempfile.mkstemp(prefix="clipbuild-review-", suffix=".html")
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(f'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url={url}">')
    webbrowser.open(f"file://{path}")
    gone = threading.Timer(30, os.remove, (path,))
    gone.daemon = True
    gone.start()
