"""Makes workspaces of any size for the engine's benchmark, and the ninja graph that equals one. Knows no timing.

A product has a photo of its own: an action for each of `STAGES`, and 15 deliverables, five files on each of three
platforms. The ninja graph has an edge an action and an edge an export, the same photos, a
file a product that says what its clip is, and the same files in its output tree.
"""

import os
import struct
import zlib

from tests.bench import trivial

PLATFORMS = ("tiktok", "reels", "shorts")
KINDS = ("mp4", "jpg", "json", "srt", "vtt")
CONFIG = """\
catalog: catalog/*.yaml
brand:
  name: Bench
  colors: {primary: "#24443a", accent: "#e0a43a", background: "#f1ebe0", text: "#ffffff"}
  hashtags: [bench]
defaults:
  platforms: [tiktok, reels, shorts]
  motion: push-in
  duration: 5
  lighting: soft window light from the left
  depth: shallow depth of field
"""
TEMPLATE = """\
{# the bench's own prompt #}
{{ subject }}. {{ lighting }}. {{ background }}. {{ depth }}. {{ motion }}, {{ frame }}.
"""


def sku(number: int) -> str:
    """The name of a product."""
    return f"item-{number:06d}"


def photo(number: int) -> bytes:
    """A small PNG of one colour, another for each number."""
    width = height = 32
    colour = bytes([number >> 16 & 255, number >> 8 & 255, number & 255])
    rows = zlib.compress((b"\0" + colour * width) * height, 1)
    parts = [(b"IHDR", struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)), (b"IDAT", rows), (b"IEND", b"")]
    chunks = (struct.pack(">I", len(b)) + k + b + struct.pack(">I", zlib.crc32(k + b)) for k, b in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def entry(number: int) -> str:
    """One product of the catalog."""
    return f"""\
  - sku: {sku(number)}
    name: Item number {number}
    photos: photos/{number // 1000:03d}/{number:06d}.png
    hook: Look at number {number}
    captions:
      - Made for bench {number}
      - Fits under every machine
    offer:
      price: "€{number}"
    cta: Shop now
    background: a plain table, number {number}
"""


def make(root: str, products: int, files: int) -> None:
    """Write a workspace of `products` over `files` catalog files."""
    _write(os.path.join(root, "clipbuild.yaml"), CONFIG)
    _write(os.path.join(root, "templates", "prompts", "packshot.j2"), TEMPLATE)
    each = -(-products // files)
    for number in range(files):
        rows = [entry(n) for n in range(number * each, min(products, (number + 1) * each))]
        if rows:
            _write(catalog_file(root, number), "products:\n" + "".join(rows))
    photos(os.path.join(root, "photos"), products)


def catalog_file(root: str, number: int) -> str:
    """The catalog file of this number."""
    return os.path.join(root, "catalog", f"part-{number:04d}.yaml")


def photos(folder: str, products: int) -> None:
    """A photo for each product, a thousand a folder."""
    for number in range(products):
        if number % 1000 == 0:
            os.makedirs(os.path.join(folder, f"{number // 1000:03d}"), exist_ok=True)
        with open(os.path.join(folder, f"{number // 1000:03d}", f"{number:06d}.png"), "wb") as file:
            file.write(photo(number))


def make_ninja(root: str, products: int) -> None:
    """Write the equal ninja graph, with the sources it needs."""
    outputs = {name: stage.outputs for name, stage in trivial.stages().items()}
    photos(os.path.join(root, "photos"), products)
    for number in range(products):
        if number % 1000 == 0:
            os.makedirs(os.path.join(root, "spec", f"{number // 1000:03d}"), exist_ok=True)
        _write(os.path.join(root, spec(number)), entry(number), made=True)
    with open(os.path.join(root, "build.ninja"), "w") as file:
        file.write("ninja_required_version = 1.10\nbuilddir = .\n")
        file.write("rule make\n  command = for o in $out; do echo $out > $$o; done\n")
        for number in range(products):
            file.write(edges(number, outputs))


def spec(number: int) -> str:
    """The ninja graph's file that says what a product's clip is."""
    return f"spec/{number // 1000:03d}/{number:06d}.yaml"


STAGES = ("image", "check", "choose", "render", "cover", "captions", "clipcheck", "post")
"""What is made for a product; each is an action of ours and an edge of theirs."""
NEEDS = {
    "image": (), "check": ("image",), "choose": ("check",), "render": ("check", "image", "choose"), "cover": ("render",),
    "captions": (), "clipcheck": ("render",), "post": (),
}  # fmt: skip


def edges(number: int, outputs: dict[str, tuple[str, ...]]) -> str:
    """The edges of one product. `outputs` are those of every stage."""
    name = sku(number)
    made = {stage: " ".join(f"obj/{name}/{stage}.{output}" for output in outputs[stage]) for stage in STAGES}
    rows = []
    for stage in STAGES:
        source = f"photos/{number // 1000:03d}/{number:06d}.png" if stage == "image" else spec(number)
        rows.append((made[stage], " ".join([source, *(made[need] for need in NEEDS[stage])])))
    ends = " ".join(made[stage] for stage in ("render", "cover", "captions", "post", "clipcheck"))
    for platform in PLATFORMS:
        rows.append((" ".join(f"dist/{platform}/{name}/{name}.{kind}" for kind in KINDS), ends))
    return "".join(f"build {outs}: make {ins}\n" for outs, ins in rows)


def _write(path: str, text: str, *, made: bool = False) -> None:
    if not made:
        os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
