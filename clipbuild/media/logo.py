"""A logo as a layer: fitted into a corner of the safe zone, seen from the first frame to the last.

Knows nothing of brands or text.
"""

from collections.abc import Sequence

import numpy as np

from clipbuild.errors import MediaError
from clipbuild.media import pictures
from clipbuild.media.layers import Layer

WIDE, HIGH = 0.2, 0.05
"""The most a logo may take of the frame's width and of its longer side."""
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


def beside(logo: Layer, safe: Sequence[int]) -> tuple[int, int, int, int]:
    """What a logo leaves of the safe zone: the part above or below it, whichever is larger."""
    x0, y0, x1, y1 = safe
    high = logo.rgba.shape[0]
    gap = max(8, high * 2 // 5)
    if logo.y - y0 > y1 - (logo.y + high):
        return x0, y0, x1, logo.y - gap
    return x0, logo.y + high + gap, x1, y1
