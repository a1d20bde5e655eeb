"""`clipbuild import FILE`: a shop's export into the catalog, again and again."""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from clipbuild.cli.common import json_option, settings, show_json, workspace
from clipbuild.errors import UsageError, shown

if TYPE_CHECKING:
    from clipbuild.catalog.feeds import Feed
    from clipbuild.catalog.importing import Imported, Photo


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--into", default="catalog/shop.yaml", show_default=True, help="The catalog file to write.")
@click.option("--photos", default="photos", show_default=True, help="Folder (in the project) to look for photos in.")
@click.option("--column", "columns", multiple=True, metavar="OURS=THEIRS",
              help="Plain CSV: which column is sku, name, price, was, description, images, tags, language, where their "
              "names don't say it (repeatable).")
@click.option("--currency", default="", help='Put before bare prices, for example "€".')
@click.option("--download", "hosts", multiple=True, metavar="HOST",
              help="Fetch missing photos from this host over https (repeatable), for example cdn.shopify.com.")
@click.option("--dry-run", "-n", is_flag=True, help="Say what would change; write nothing.")
@json_option
@click.pass_obj
def import_(
    folder: str, file: str, into: str, photos: str, columns: Sequence[str], currency: str, hosts: Sequence[str],
    dry_run: bool, as_json: bool,
) -> int:  # fmt: skip
    """Bring a shop's export into the catalog.

    Reads Shopify and WooCommerce product CSV, Google Merchant feeds (XML, TSV), JSON lists and plain CSV. Photos are
    found in the photo folder by the file name the shop uses, or by SKU; --download fetches those that are not there
    from the hosts you name, and from no other. Importing again updates what came from the shop, keeps what a person
    wrote (comments and order too) and says what changed. Bad rows are reported with their line; the rest goes on. Exit
    status 1 when rows were bad.
    """
    from clipbuild.catalog.photos import Album, below

    root = workspace(folder)
    feed = read(file, dict(_pair(column) for column in columns))
    if hosts and not dry_run:
        for line in _fetch(root, photos, feed, hosts):
            click.echo(f"not fetched  {line}", err=True)
    done = merge(root, feed, into, Album(below(root, photos)).of, currency, dry_run)
    if as_json:
        show_json({
            "dialect": feed.dialect, "added": done.added, "changed": done.changed, "kept": done.kept,
            "gone": done.gone, "without_photo": done.without_photo, "unread": list(feed.unread),
            "problems": [str(p) for p in feed.problems],
        })  # fmt: skip
    else:
        tell(feed, done, into, photos)
    return 1 if feed.problems else 0


def read(file: str, columns: Mapping[str, str]) -> "Feed":
    """A shop's export. Raises CatalogError."""
    from clipbuild.catalog import feeds

    with open(file, "rb") as handle:
        return feeds.read(os.path.basename(file), handle.read(), columns)


def merge(root: str, feed: "Feed", into: str, photo: "Photo", currency: str, dry_run: bool = False) -> "Imported":
    """An export into the catalog file `into` of a project; `photo` says where an item's pictures are."""
    from clipbuild.catalog import importing
    from clipbuild.engine.files import within, write_atomic

    target = within(root, into)
    memory = f"{target}.import.json"
    done = importing.merge(into, _bytes(target), _bytes(memory), feed.items, photo, currency)
    if not dry_run:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        write_atomic(target, done.text)
        write_atomic(memory, done.memory)
    return done


def _fetch(root: str, photos: str, feed: "Feed", hosts: Sequence[str]) -> list[str]:
    """Fetch what is missing from the named hosts; returns what could not be."""
    from clipbuild.catalog.photos import Album, below
    from clipbuild.cli import fetching
    from clipbuild.engine.files import within
    from clipbuild.providers.download import Bounds, Downloader

    if not settings().trusted:
        raise UsageError("this run is not trusted: it fetches nothing", hint="import on your own machine, and commit the photos")
    missing = fetching.wanted(feed.items, Album(below(root, photos)), hosts)
    return fetching.fetch(within(root, photos), missing, Downloader(bounds=Bounds(redirects=0)))


def _pair(text: str) -> tuple[str, str]:
    ours, equals, theirs = text.partition("=")
    if not equals:
        raise UsageError(f"--column {shown(text, 60)!r}: expected OURS=THEIRS", hint="for example --column sku=ID")
    return ours.strip(), theirs.strip()


def _bytes(path: str) -> bytes:
    if not os.path.isfile(path):
        return b""
    with open(path, "rb") as file:
        return file.read()


def tell(feed: "Feed", done: "Imported", into: str, photos: str) -> None:
    """What an import did."""
    for problem in feed.problems:
        click.echo(str(problem), err=True)
    for sku, fields in done.changed.items():
        click.echo(f"changed  {shown(sku)}: {shown(', '.join(fields))}")
    for sku, fields in done.kept.items():
        click.echo(f"kept     {shown(sku)}: {shown(', '.join(fields))} (edited here, and changed in the shop)")
    for sku in done.gone:
        click.echo(f"gone     {shown(sku)}: no longer in the shop; remove it from {into} when you want")
    if done.without_photo:
        some = ", ".join(done.without_photo[:8]) + (" …" if len(done.without_photo) > 8 else "")
        click.echo(f"left out {len(done.without_photo)} without a photo in {photos}/: {some}")
        click.echo("         put them there under the shop's file names and import again; `import --download HOST` fetches them")
    if feed.unread:
        some = ", ".join(shown(name, 40) for name in feed.unread[:12]) + (" …" if len(feed.unread) > 12 else "")
        click.echo(f"not read {some}")
        click.echo("         `--column images=NAME` reads a column as the photos; so do price, description and the others")
    counts = f"{len(done.added)} added, {len(done.changed)} changed, {len(feed.problems)} bad rows"
    click.echo(f"{feed.dialect}: {counts}; {into}")
