"""Pictures that tests of composing share: drawn products whose true outline is known."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Bytes = NDArray[np.uint8]


def disc_mask(size: tuple[int, int], box: tuple[int, int, int, int]) -> Bytes:
    """An ellipse with smooth edges, 0..255."""
    big = Image.new("L", (size[0] * 4, size[1] * 4), 0)
    ImageDraw.Draw(big).ellipse([4 * v for v in box], fill=255)
    return np.asarray(big.resize(size, Image.Resampling.BOX))


def before_backdrop(
    size: tuple[int, int] = (600, 600),
    box: tuple[int, int, int, int] = (200, 180, 400, 420),
    tone: tuple[int, int, int] = (226, 222, 214),
    product: tuple[int, int, int] = (30, 70, 150),
    *,
    shadow: bool = True,
    noise: float = 1.5,
) -> tuple[Bytes, Bytes]:
    """A photo of an egg before a softly lit wall, with its shadow, and the egg's true alpha."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    light = 1.06 - 0.16 * ((x / width - 0.4) ** 2 + (y / height - 0.4) ** 2)
    photo = np.array(tone, np.float32) * light[:, :, None]
    alpha = disc_mask(size, box)
    if shadow:
        foot = Image.new("L", size, 0)
        x0, _, x1, y1 = box
        ImageDraw.Draw(foot).ellipse((x0, y1 - 25, x1 + 20, y1 + 12), fill=110)
        dark = np.asarray(foot.filter(ImageFilter.GaussianBlur(12)), np.float32) / 255
        photo *= (1 - dark)[:, :, None]
    share = (alpha / 255.0)[:, :, None]
    body = np.array(product, np.float32) * (1.15 - 0.4 * (x - box[0]) / (box[2] - box[0]))[:, :, None]
    photo = photo * (1 - share) + body * share
    photo += np.random.default_rng(5).normal(0, noise, photo.shape)
    return np.clip(np.rint(photo), 0, 255).astype(np.uint8), alpha


def cut_out(size: tuple[int, int] = (300, 400), product: tuple[int, int, int] = (40, 90, 60)) -> Bytes:
    """An RGBA cut-out of an egg that nearly fills its picture."""
    width, height = size
    alpha = disc_mask(size, (10, 10, width - 10, height - 10))
    rgba = np.zeros((height, width, 4), np.uint8)
    rgba[:, :, :3] = product
    rgba[:, :, 3] = alpha
    return rgba


def place(size: tuple[int, int] = (700, 500)) -> Bytes:
    """A real place, all texture and shapes, with one red thing in it."""
    source = np.random.default_rng(11)
    image = Image.fromarray(source.integers(40, 200, (size[1] // 10, size[0] // 10, 3), dtype=np.uint8))
    image = image.resize(size, Image.Resampling.BICUBIC)
    spot = [round(share * side) for share, side in zip((0.43, 0.36, 0.57, 0.66), size * 2, strict=True)]
    ImageDraw.Draw(image).ellipse(spot, fill=(230, 20, 30))
    return np.asarray(image)


def saved(path: Any, picture: Bytes) -> str:
    """Write a PNG and give its path."""
    Image.fromarray(picture).save(path)
    return str(path)
