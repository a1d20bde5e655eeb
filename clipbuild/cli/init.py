"""`clipbuild init`: start a project that builds at once."""

import os
from shlex import quote

import click

from clipbuild.engine.files import write_atomic
from clipbuild.errors import UsageError

PROJECT = """\
# clipbuild.yaml: the project. See docs/catalog.md for every key.
catalog: catalog/*.yaml

brand:
  name: {name}
  colors: {{primary: "#1f3d36", accent: "#e2a33d", background: "#f4efe6", text: "#ffffff"}}
  hashtags: []

defaults:
  recipe: {recipe}
  platforms: [tiktok, reels, shorts]
  motion: push-in
  duration: 5
"""
HEAD = """\
# One entry a product; three lines are enough. Put your own photo in photos/ and change these.
products:
  - sku: first-product
    name: First product
    photos: photos/first-product.png
"""
SAMPLES = {
    "packshot": """\
    captions:
      - Made from one photo
      - Change this line and build again
    cta: Shop now
""",
    "scene": """\
    ground: {plate: photos/room.png}
    motion: parallax
    captions:
      - It stands in a picture of your own
      - Change this line and build again
    cta: See the room
""",
    "card": """\
    captions:
      - A story card, laid out for you
    offer: {price: "−20%", text: until Sunday}
    cta: Code FIRST20
    motion: reveal
""",
}


@click.command()
@click.argument("where", metavar="[DIR]", default=".", type=click.Path(file_okay=False))
@click.option("--name", default="My brand", show_default=True, help="The brand's name.")
@click.option("--recipe", type=click.Choice(["packshot", "scene", "card"]), default="packshot", show_default=True,
              help="What kind of clip the project starts with.")
@click.option("--from", "export", metavar="FILE", type=click.Path(exists=True, dir_okay=False),
              help="Start with the products of a shop's export (see `clipbuild import`) instead of a sample.")
@click.option("--photos", "album", metavar="FOLDER", type=click.Path(exists=True, file_okay=False),
              help="With --from: copy the products' photos from here.")
@click.option("--currency", default="", help='With --from: put before bare prices, for example "€".')
@click.pass_obj
def init(folder: str, where: str, name: str, recipe: str, export: str | None, album: str | None, currency: str) -> int:
    """Start a project in DIR: a clipbuild.yaml, a catalog with one product, and a photo to replace.

    Nothing that is there is overwritten.
    """
    root = os.path.normpath(os.path.join(folder, where))
    if os.path.exists(os.path.join(root, "clipbuild.yaml")):
        raise UsageError(f"{root} has a clipbuild.yaml already", hint="`clipbuild check` reads it")
    import json

    brand = json.dumps(name, ensure_ascii=False)
    _write(root, "clipbuild.yaml", PROJECT.format(name=brand, recipe=recipe).encode())
    _write(root, ".gitignore", b".clipbuild/\ndist/\ndist.*/\n")
    _write(root, ".gitattributes", b"clipbuild.lock merge=union\n")
    if export:
        return _from_shop(root, export, album or "", currency)
    _write(root, "catalog/products.yaml", (HEAD + SAMPLES[recipe]).encode())
    _write(root, "photos/first-product.png", _picture())
    if recipe == "scene":
        _write(root, "photos/room.png", _room())
    click.echo(f"started a project in {root}\nnext: clipbuild -C {quote(root)} build")
    return 0


def _from_shop(root: str, export: str, album: str, currency: str) -> int:
    """A catalog of a shop's products, with the photos that are found."""
    from clipbuild.catalog.feeds import Item
    from clipbuild.catalog.photos import Album, below
    from clipbuild.cli.imports import merge, read, tell

    os.makedirs(os.path.join(root, "photos"), exist_ok=True)
    have = Album(below(album, ".") if album else below(root, "photos"))

    def photos(item: Item) -> list[str]:
        return [_copied(root, album, path) if album else path for path in have.of(item)]

    feed = read(export, {})
    done = merge(root, feed, "catalog/products.yaml", photos, currency)
    tell(feed, done, "catalog/products.yaml", album or "photos")
    again = f"clipbuild -C {quote(root)} import {quote(export)} --into catalog/products.yaml"
    left = f"; put the missing photos into photos/ and run: {again}" if done.without_photo else ""
    click.echo(f"started a project in {root}{left}\nnext: clipbuild -C {quote(root)} build --profile draft")
    return 1 if feed.problems else 0


def _copied(root: str, album: str, path: str) -> str:
    with open(os.path.join(album, path), "rb") as file:
        _write(root, f"photos/{os.path.basename(path)}", file.read())
    return f"photos/{os.path.basename(path)}"


def _write(root: str, path: str, data: bytes) -> None:
    target = os.path.join(root, path)
    if os.path.lexists(target):
        return
    os.makedirs(os.path.dirname(target), exist_ok=True)
    write_atomic(target, data)


def _picture() -> bytes:
    """A stand-in product with a transparent background, drawn: replaced by the user's own photo."""
    import io

    from PIL import Image, ImageDraw, ImageFilter

    big = Image.new("RGBA", (1600, 1600), (0, 0, 0, 0))
    draw = ImageDraw.Draw(big)
    draw.rounded_rectangle((560, 520, 1040, 1440), 90, fill=(31, 61, 54, 255))
    draw.rounded_rectangle((690, 250, 910, 540), 40, fill=(226, 163, 61, 255))
    draw.rounded_rectangle((620, 800, 980, 1180), 24, fill=(244, 239, 230, 255))
    shine = Image.new("RGBA", big.size, (0, 0, 0, 0))
    ImageDraw.Draw(shine).rounded_rectangle((600, 560, 660, 1400), 30, fill=(255, 255, 255, 70))
    big.alpha_composite(shine.filter(ImageFilter.GaussianBlur(14)))
    out = io.BytesIO()
    big.resize((800, 800), Image.Resampling.LANCZOS).save(out, "PNG")
    return out.getvalue()


def _room() -> bytes:
    """A stand-in background: a wall, a floor and light from the left."""
    import io

    import numpy as np
    from PIL import Image

    high, wide = 1600, 1600
    y, x = np.mgrid[0:high, 0:wide].astype(np.float32) / 1600
    wall = np.stack([214 - 40 * x - 18 * y, 205 - 42 * x - 16 * y, 190 - 44 * x - 14 * y], axis=2)
    floor = np.stack([150 - 30 * x + 20 * y, 118 - 28 * x + 16 * y, 88 - 24 * x + 12 * y], axis=2)
    share = np.clip((y - 0.66) * 160, 0, 1)[..., None]
    out = io.BytesIO()
    Image.fromarray((wall * (1 - share) + floor * share).clip(0, 255).astype(np.uint8), "RGB").save(out, "PNG")
    return out.getvalue()
