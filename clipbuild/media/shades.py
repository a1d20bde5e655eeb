"""A soft shade behind text that would not read on the bare picture: full behind the text, gone before it is noticed.

Knows nothing of fonts; needs to be told how dark.
"""

from collections.abc import Sequence

import numpy as np

from clipbuild.media import layout, legible
from clipbuild.media.contrast import RGB
from clipbuild.media.layers import Layer
from clipbuild.media.placing import Placed

TAIL = 0.24
"""How far a shade runs out beyond the text, as a share of the frame."""
APART = 0.5
"""Shades less than this many seconds apart stay on between."""


def layers(needs: Sequence[tuple[Placed, float]], ink: RGB, size: tuple[int, int]) -> list[Layer]:
    """The shades for elements with the opacity each needs."""
    found = []
    for group in _runs(needs):
        start, end = min(p.cue.start for p, _ in group), max(p.cue.end for p, _ in group)
        rgba, x, y = _band(group, max(opacity for _, opacity in group), ink, size)
        found.append(Layer(x, y, rgba, start, end, min(0.3, (end - start) / 3), z=5))
    return found


def _runs(needs: Sequence[tuple[Placed, float]]) -> list[list[tuple[Placed, float]]]:
    runs: list[list[tuple[Placed, float]]] = []
    for placed, opacity in sorted(needs, key=lambda need: need[0].cue.start):
        if runs and placed.cue.start - max(p.cue.end for p, _ in runs[-1]) < APART:
            runs[-1].append((placed, opacity))
        else:
            runs.append([(placed, opacity)])
    return runs


def _band(
    group: Sequence[tuple[Placed, float]], opacity: float, ink: RGB, size: tuple[int, int]
) -> tuple[legible.Bytes, int, int]:
    """From the nearest edge of the frame to past the text: from the top or below, in a wide frame from the side."""
    wide = layout.shape(*size) == "landscape"
    length, across = size if wide else size[::-1]
    near = min((p.rect.x0 if wide else p.rect.y0) for p, _ in group)
    far = max((p.rect.x1 if wide else p.rect.y1) for p, _ in group)
    turned = near > length - far
    if turned:
        near, far = length - far, length - near
    margin = 0.02 * length
    reach = min(length, int(far + margin + TAIL * length))
    at = np.arange(reach) + 0.5
    fall = np.clip((at - (far + margin)) / max(1.0, reach - far - margin), 0, 1)
    share = opacity * (1 - fall * fall * (3 - 2 * fall))
    noise = (np.arange(across * reach).reshape(across, reach) * 0.618034) % 1.0 if wide else None
    if noise is None:
        noise = ((np.arange(reach)[:, None] * 0.754878 + np.arange(across)[None, :] * 0.569840) % 1.0).T
    alpha = np.floor(share[None, :] * 255 + noise).astype(np.uint8)
    alpha = alpha[:, ::-1] if turned else alpha
    alpha = alpha if wide else alpha.T
    rgba = np.empty((*alpha.shape, 4), np.uint8)
    rgba[..., :3], rgba[..., 3] = legible.shade_for(ink), alpha
    offset = length - reach if turned else 0
    return (rgba, offset, 0) if wide else (rgba, 0, offset)
