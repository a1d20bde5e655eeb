"""A layer: a small picture that lies on the clip for a while.

The one word that text, logos and cards share with the renderer; knows neither.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Lettering:
    """What is written on a layer: the colour of the letters, their size and the width of their outline in pixels, and
    the columns of the frame where it is struck through."""

    ink: tuple[int, int, int]
    em: float
    edge: float = 0.0
    struck: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """`rgba` (HxWx4 uint8, straight alpha) with its corner at (x, y) from `start` to `end` seconds.

    It fades in and out over `fade` seconds, rises by `rise` pixels and grows from `scale_from` while it comes in.
    """

    x: int
    y: int
    rgba: NDArray[np.uint8]
    start: float
    end: float
    fade: float = 0.2
    rise: float = 0.0
    scale_from: float = 1.0
    z: int = 0
    lettering: Lettering | None = None
