"""A logo as a layer: fitted into a corner of the safe zone, seen from the first frame to the last.

Knows nothing of brands or text.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from clipbuild.errors import MediaError
from clipbuild.media import pictures, shapes
from clipbuild.media.contrast import LINEAR as LIGHT
from clipbuild.media.contrast import RGB, WEIGHTS
from clipbuild.media.layers import Layer

Bytes = NDArray[np.uint8]
WIDE, HIGH = 0.2, 0.05
"""The most a logo may take of the frame's width and of its longer side."""
SEEN, ENOUGH, EDGE = 1.7, 0.4, 0.07
"""How much a pixel of a logo stands out (contrast), how much of it must, and the edge it gets else, of its height."""
CORNERS = ("top-left", "top-right", "bottom-left", "bottom-right")


def layer(
    path: str, size: tuple[int, int], safe: Sequence[int], seconds: float, corner: str = "top-left", large: float = 1.0
) -> Layer:
    """The logo in a corner of `safe` (x0, y0, x1, y1), `large` times as large as usual. Raises MediaError."""
    from PIL import Image
    from PIL.Image import Resampling

    if corner not in CORNERS:
        raise MediaError(f"a logo can't stand at {corner!r}", [("known", ", ".join(CORNERS))])
    rgb, alpha = pictures.read(path, side=2048)
    rgba = np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8) if alpha is None else alpha])
    if alpha is not None:
        rows, columns = np.flatnonzero(alpha.max(axis=1)), np.flatnonzero(alpha.max(axis=0))
        if not len(rows):
            raise MediaError("the logo shows nothing: it is transparent everywhere")
        rgba = rgba[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    high, wide = rgba.shape[:2]
    scale = large * min(WIDE * size[0] / wide, HIGH * max(size) / high)
    fit = max(2, round(wide * scale)), max(2, round(high * scale))
    small = Image.fromarray(np.ascontiguousarray(rgba)).convert("RGBa").resize(fit, Resampling.LANCZOS)
    x0, y0, x1, y1 = safe
    x = x0 if corner.endswith("left") else x1 - fit[0]
    y = y0 if corner.startswith("top") else y1 - fit[1]
    return Layer(x, y, np.array(small.convert("RGBA")), 0.0, seconds, fade=0.0, z=10)


def standing_out(logo: Layer, frames: Sequence[Bytes], plate: RGB) -> Layer:
    """The logo, with an edge of `plate` round its shape where too little of it stands out from `frames`, the picture
    behind it at some moments."""
    seen = logo.rgba[..., 3] > 128
    light = LIGHT[logo.rgba[..., :3]] @ WEIGHTS
    for frame in frames:
        behind = LIGHT[frame] @ WEIGHTS
        high, low = np.maximum(light, behind[: light.shape[0], : light.shape[1]]), np.minimum(light, behind)
        if (((high + 0.05) / (low + 0.05))[seen] > SEEN).mean() < ENOUGH:
            return _edged(logo, plate)
    return logo


def _edged(logo: Layer, plate: RGB) -> Layer:
    reach = max(2, round(EDGE * logo.rgba.shape[0]))
    high, wide = logo.rgba.shape[:2]
    canvas = shapes.Canvas(shapes.Rect(logo.x - reach, logo.y - reach, logo.x + wide + reach, logo.y + high + reach))
    alpha = np.ascontiguousarray(logo.rgba[..., 3])
    canvas.tint(shapes.spread(alpha, reach), logo.x - reach, logo.y - reach, plate)
    share = alpha.astype(np.uint16)[..., None]
    weighted = np.dstack([(logo.rgba[..., :3] * share + 127) // 255, alpha]).astype(np.uint8)
    canvas.picture(weighted, logo.x, logo.y)
    x, y, rgba = canvas.cropped()
    return replace(logo, x=x, y=y, rgba=rgba)


def corner(size: tuple[int, int], rtl: bool) -> str:
    """Where a logo stands unasked: across from where text begins, but over the text in a wide frame, where the product
    is on the other side."""
    return "top-left" if (size[0] > 1.25 * size[1]) != rtl else "top-right"


def place(logo: Layer) -> tuple[int, int, int, int]:
    """The box it takes."""
    high, wide = logo.rgba.shape[:2]
    return logo.x, logo.y, logo.x + wide, logo.y + high
