"""`clipbuild init`: start a project that builds at once."""

import os

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
  recipe: packshot
  platforms: [tiktok, reels, shorts]
  motion: push-in
  duration: 5
"""
CATALOG = """\
# One entry a product; three lines are enough. Put your own photo in photos/ and change these.
products:
  - sku: first-product
    name: First product
    photos: photos/first-product.png
    captions:
      - Made from one photo
      - Change this line and build again
    cta: Shop now
"""


@click.command()
@click.argument("where", metavar="[DIR]", default=".", type=click.Path(file_okay=False))
@click.option("--name", default="My brand", show_default=True, help="The brand's name.")
@click.pass_obj
def init(folder: str, where: str, name: str) -> int:
    """Start a project in DIR: a clipbuild.yaml, a catalog with one product, and a photo to replace.

    Nothing that is there is overwritten.
    """
    root = os.path.normpath(os.path.join(folder, where))
    if os.path.exists(os.path.join(root, "clipbuild.yaml")):
        raise UsageError(f"{root} has a clipbuild.yaml already", hint="`clipbuild check` reads it")
    import json

    for path, text in {
        "clipbuild.yaml": PROJECT.format(name=json.dumps(name, ensure_ascii=False)), "catalog/products.yaml": CATALOG,
        ".gitignore": ".clipbuild/\ndist/\ndist.*/\n",
    }.items():  # fmt: skip
        _write(root, path, text.encode())
    _write(root, "photos/first-product.png", _picture())
    click.echo(f"started a project in {root}\nnext: clipbuild -C {root} build")
    return 0


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
