"""`clipbuild new SKU`: a product in the catalog, by questions or by options."""

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from clipbuild.cli.common import workspace
from clipbuild.errors import CatalogError, UsageError, shown


@click.command()
@click.argument("sku")
@click.option("--name", default="", help="What it is called; made from the SKU if not given.")
@click.option("--photo", "photos", multiple=True, metavar="FILE",
              help="A photo in the project (repeatable); found by the SKU if not given.")
@click.option("--recipe", type=click.Choice(["packshot", "scene", "card"]), default=None,
              help="What kind of clip; the project's usual one if not given.")
@click.option("--caption", "captions", multiple=True, metavar="TEXT", help="A line the clip says (repeatable).")
@click.option("--price", default="", help="The price, as you write it.")
@click.option("--cta", default="", help="The call to action.")
@click.option("--into", default="", metavar="FILE", help="The catalog file; the last one there is if not given.")
@click.pass_obj
def new(
    folder: str, sku: str, name: str, photos: Sequence[str], recipe: str | None, captions: Sequence[str], price: str,
    cta: str, into: str,
) -> int:  # fmt: skip
    """Add a product to the catalog.

    On a terminal it asks for what you don't say; elsewhere it takes what it finds. The file's other lines stay as they
    are, byte for byte.
    """
    from clipbuild.catalog import names, schema, writing
    from clipbuild.engine.files import within, write_atomic

    root = workspace(folder)
    found = list(photos) or _photos(root, sku)
    if sys.stdin.isatty() and sys.stdout.isatty():
        name, found, captions = _asked(sku, name, found, captions, recipe != "card")
    fields = _fields(sku, name or _name(sku), found, recipe, captions, price, cta)
    for fault in schema.faults(schema.CATALOG, "product", fields):
        where = ".".join(map(str, fault.path))
        what = fault.what if where and fault.what.startswith(where) else f"{where}: {fault.what}"
        raise UsageError(what, fault.facts, fault.hint)
    if why := names.refused(sku):
        raise UsageError(f"sku: {sku!r} {why}", hint="choose another SKU")
    files = catalog_files(root)
    into = into or (files[-1] if files else "catalog/products.yaml")
    _free(root, files, sku)
    target = within(root, into)
    text = writing.added(into, _read(root, into) if os.path.isfile(target) else b"", fields)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    write_atomic(target, text)
    click.echo(f"added {sku} to {into}")
    lacks = [photo for photo in found if not os.path.isfile(os.path.join(root, photo))]
    if lacks or (not found and recipe != "card"):
        where = ", ".join(map(shown, lacks)) or f"photos/{sku}.jpg, and write `photos: photos/{sku}.jpg`"
        click.echo(f"its photo is not there yet: put it at {where}")
    click.echo(f"next: clipbuild check, then clipbuild build {sku} --profile draft")
    return 0


def _asked(
    sku: str, name: str, photos: list[str], captions: Sequence[str], needs_photo: bool
) -> tuple[str, list[str], Sequence[str]]:  # fmt: skip
    """What is not said yet, asked of a person."""
    name = name or click.prompt("Name", default=_name(sku))
    if not photos and needs_photo:
        photos = [click.prompt("Photo (a file of the project)")]
    if not captions:
        line = click.prompt("Caption (empty for none)", default="", show_default=False)
        captions = [line] if line else []
    return name, photos, captions


def _name(sku: str) -> str:
    words = sku.replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def _fields(
    sku: str, name: str, photos: Sequence[str], recipe: str | None, captions: Sequence[str], price: str, cta: str
) -> dict[str, Any]:  # fmt: skip
    fields: dict[str, Any] = {"sku": sku, "name": name}
    if photos:
        fields["photos"] = photos[0] if len(photos) == 1 else list(photos)
    if recipe:
        fields["recipe"] = recipe
    if captions:
        fields["captions"] = list(captions)
    return fields | ({"offer": {"price": price}} if price else {}) | ({"cta": cta} if cta else {})


def _photos(root: str, sku: str) -> list[str]:
    """The photo that is named like the product."""
    from clipbuild.catalog.feeds import Item
    from clipbuild.catalog.photos import Album, below

    return Album(below(root, "photos")).of(Item(sku, "", 0))


def catalog_files(root: str) -> list[str]:
    """The catalog files that there are."""
    from glob import glob

    from clipbuild.catalog import project

    sources = project.read(root, "", _read(root, project.FILE)).sources
    patterns = [source.pattern for source in sources if source.feed is None]
    found = [path for pattern in patterns for path in sorted(glob(pattern, root_dir=root, recursive=True))]
    return list(dict.fromkeys(path.replace(os.sep, "/") for path in found))


def _free(root: str, files: Sequence[str], sku: str) -> None:
    from clipbuild.catalog import load

    for file in files:
        try:
            products = load.read(file, _read(root, file), ()).value["products"]
        except (CatalogError, KeyError, TypeError):
            continue
        for product in products if isinstance(products, list) else []:
            if isinstance(product, dict) and str(product.get("sku")).lower() == sku.lower():
                raise UsageError(f"{shown(sku, 60)} is in {file} already", hint="choose another SKU, or edit it there")


def _read(root: str, path: str) -> bytes:
    with open(os.path.join(root, path), "rb") as file:
        return file.read()
