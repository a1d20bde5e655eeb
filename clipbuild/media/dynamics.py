"""Footage in high dynamic range brought to BT.709: what telephones record unless told otherwise would look grey and dull.

One table of colours for each of the two kinds, applied by ffmpeg: HLG and PQ as in ITU-R BT.2100, reference white at
203 cd/m² as in BT.2408. What is darker than that keeps its lightness, what is brighter is rolled off, hues stay. Knows
nothing of files or frames.
"""

import os
import tempfile
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

PQ, HLG = 16, 18
"""Transfer functions by their numbers in ISO/IEC 23091-2."""
SIZE = 33
"""Nodes of the table along each colour."""
WHITE, PEAK = 203.0, 1000.0
"""cd/m²: diffuse white, and the display that HLG is made for."""
KNEE = 0.7
"""Share of white up to which nothing is changed."""
GAMMA = 2.2
_LUMA = np.array([0.2627, 0.6780, 0.0593])
_TO_709 = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]])
"""BT.2020 light to BT.709 light (BT.2087)."""
Values = NDArray[Any]


def is_high(colour: tuple[int, ...]) -> bool:
    """Whether a clip's colours (primaries, transfer, matrix, …) are of high dynamic range."""
    return len(colour) > 1 and colour[1] in (PQ, HLG)


def light(signal: Values, transfer: int) -> Values:
    """BT.2020 signals 0..1 (… × 3) as light on the display, in shares of diffuse white."""
    if transfer == PQ:
        power = np.power(signal, 1 / 78.84375)
        shown = 10_000 * np.power(np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power), 1 / 0.1593017578125)
        return np.asarray(shown / WHITE)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    return np.asarray(PEAK / WHITE * scene * np.power(scene @ _LUMA, 0.2)[..., None])


def ordinary(shares: Values) -> Values:
    """Such light as BT.709 signals 0..1."""
    plain = shares @ _TO_709.T
    most = np.maximum(plain.max(axis=-1, keepdims=True), 1e-6)
    rolled = np.where(most <= KNEE, most, KNEE + (1 - KNEE) * -np.expm1((KNEE - most) / (1 - KNEE)))
    return np.asarray(np.power(np.clip(plain * (rolled / most), 0, 1), 1 / GAMMA))


@cache
def table(transfer: int) -> str:
    """The path of the table for a transfer function, in a folder that lives as long as this process."""
    steps = np.linspace(0, 1, SIZE)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    values = ordinary(light(np.stack([red, green, blue], axis=-1), transfer)).reshape(-1, 3)
    path = os.path.join(_folder().name, f"{transfer}.cube")
    np.savetxt(path, values, "%.6f", header=f"LUT_3D_SIZE {SIZE}", comments="")
    return path


@cache
def _folder() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="clipbuild-colour-")
