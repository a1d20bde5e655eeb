"""The card a clip may end with: logo, name, offer and call to action, centred on a colour of the brand.

Covers the whole frame; nothing else is seen. Knows nothing of what came before it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from clipbuild.errors import MediaError
from clipbuild.media import contrast, drawing, legible, lettering, looks, painting, timing
from clipbuild.media.contrast import RGB
from clipbuild.media.layers import Layer
from clipbuild.media.lettering import Element
from clipbuild.media.placing import Placed
from clipbuild.media.text import Fonts

LOGO = 2.4
"""How much larger than in its corner the logo is."""
FADE, LATE, Z = 0.35, 0.2, 60
SCALES = (1.15, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
GAP = 0.036
"""Between two things on the card, as a share of the frame's shorter side."""
Box = tuple[float, float, float, float]


def layers(
    params: Mapping[str, Any], fonts: Sequence[str], size: tuple[int, int], safe: Sequence[int], logo: Layer | None
) -> list[Layer]:
    """The layers of the end card, [] where there is none. `logo` is as large as it is to be, its place is of no matter.

    Raises MediaError for text that does not fit.
    """
    start, seconds = timing.end_card_start(params), float(params["seconds"])
    if start >= seconds:
        return []
    brand = dict(params.get("brand") or {})
    ground = _ground(brand, logo)
    card = np.empty((size[1], size[0], 4), np.uint8)
    card[:] = (*ground, 255)
    room, gap = _room(size, safe), GAP * min(size)
    high = logo.rgba.shape[0] + gap if logo is not None else 0.0
    elements, whole = _elements(params, fonts, min(size), room, high)
    y = (room[1] + room[3] - whole - high) / 2
    found = [Layer(0, 0, card, start, seconds, FADE, z=Z)]
    if logo is not None:
        x = round((room[0] + room[2] - logo.rgba.shape[1]) / 2)
        found.append(replace(logo, x=x, y=round(y), start=start, end=seconds, fade=FADE, z=Z + 1))
    return found + _drawn(_stacked(elements, room, y + high, gap), brand, ground)


def _ground(brand: Mapping[str, Any], logo: Layer | None) -> RGB:
    """The brand's main colour, or its background where the logo stands out from that more."""
    grounds = looks.colour("primary", brand), looks.colour("background", brand)
    if logo is None:
        return grounds[0]
    seen = logo.rgba[logo.rgba[..., 3] > 128][:, :3]
    if not len(seen):
        return grounds[0]
    light = contrast.luminance([int(v) for v in seen.mean(axis=0)])
    return max(grounds, key=lambda ground: contrast.ratio(light, contrast.luminance(ground)))


def _room(size: tuple[int, int], safe: Sequence[int]) -> Box:
    """The safe box, as wide to the left of the frame's middle as to the right."""
    reach = min(size[0] / 2 - safe[0], safe[2] - size[0] / 2)
    return size[0] / 2 - reach, safe[1], size[0] / 2 + reach, safe[3]


def _elements(
    params: Mapping[str, Any], fonts: Sequence[str], unit: float, room: Box, taken: float
) -> tuple[list[Element], float]:
    """What is written on the card, as large as it goes, and its whole height."""
    cues = [cue for cue in timing.cues(params) if cue.kind in timing.CLOSING]
    if not cues:
        return [], 0.0
    centred = {kind: replace(look, align="center") for kind, look in lettering.looks_of(params).items()}
    setter = lettering.Setter(Fonts(fonts, str(params.get("language") or "")), centred, unit)
    width, height = room[2] - room[0], room[3] - room[1] - taken
    for scale in SCALES:
        try:
            found = [setter.element(cue, width, height, scale) for cue in cues]
        except MediaError:
            if scale == SCALES[-1]:
                raise
            continue
        whole = sum(element.height for element in found) + GAP * unit * (len(found) - 1)
        if whole <= height:
            return found, whole
    raise MediaError("the end card has more text than room", hint="shorten the offer or the call to action")


def _stacked(elements: Sequence[Element], room: Box, y: float, gap: float) -> list[Placed]:
    found = []
    for element in elements:
        found.append(Placed(element, (room[0] + room[2] - element.width) / 2, y))
        y += element.height + gap
    return found


def _drawn(placed: Sequence[Placed], brand: Mapping[str, Any], ground: RGB) -> list[Layer]:
    if not placed:
        return []
    plain = np.empty((4, 4, 3), np.uint8)
    plain[:] = ground
    seen = legible.Seen((0.0,), (plain,), 0, 0)
    ink = contrast.ink_on(ground, *painting.inks(brand))
    painter = painting.Painter(brand, seen, ink)
    found = []
    for item in placed:
        spot = legible.Spot(painting.spot(item).rect, 0.0, 0.0, item.element.size)
        paint, _ = painter.paint(item, spot)
        made = drawing.layers(item, replace(paint, shadow=0.0))
        found += [replace(layer, z=layer.z + Z, start=layer.start + LATE) for layer in made]
    return found
