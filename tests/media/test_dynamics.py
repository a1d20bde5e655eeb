"""High dynamic range to BT.709: colours come back as they were meant, highlights keep their steps, others are left alone."""

import pathlib
from typing import Any

import numpy as np
import pytest

from clipbuild.media import dynamics, footage, probe
from tests.support import reels
from tests.support.reels import PROGRAM

PATCHES = [(128, 128, 128), (200, 150, 120), (60, 110, 70), (30, 40, 90), (190, 40, 60), (12, 12, 12), (215, 205, 190)]
NAMES = {dynamics.PQ: "smpte2084", dynamics.HLG: "arib-std-b67"}
SIDE = 64
TO_2020 = np.linalg.inv([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]])
LUMA = np.array([0.2627, 0.6780, 0.0593])


def signal(light: Any, transfer: int) -> Any:
    """Light in cd/m², as BT.2020, to the signal: the way back of what the product does, from ITU-R BT.2100."""
    if transfer == dynamics.PQ:
        power = np.power(light / 10_000, 0.1593017578125)
        return np.power((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power), 78.84375)
    shown = light / 1000
    scene = shown * np.power(shown @ LUMA, -0.2 / 1.2)[..., None]
    high = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), high)


def filmed(path: pathlib.Path, shares: Any, transfer: int) -> str:
    """A clip of patches of light (shares of diffuse white, BT.709), as a telephone writes it: 10 bits, HEVC, in a MOV."""
    coded = signal(np.maximum(np.asarray(shares) @ TO_2020.T, 1e-6) * 203, transfer)
    y = coded @ LUMA
    planes = [64 + 876 * y, 512 + 896 * (coded[:, 2] - y) / 1.8814, 512 + 896 * (coded[:, 0] - y) / 1.4746]
    frame = b"".join(
        np.repeat(np.repeat(plane[:, None], size, axis=0), size, axis=1).round().astype("<u2").tobytes()
        for plane, size in zip(planes, (SIDE, SIDE // 2, SIDE // 2), strict=True)
    )
    raw = path.with_suffix(".yuv")
    raw.write_bytes(frame * 3)
    name = NAMES[transfer]
    return reels.made(
        path, "-f", "rawvideo", "-pix_fmt", "yuv420p10le", "-s", f"{SIDE}x{SIDE * len(shares)}", "-r", "24", "-i", str(raw),
        "-c:v", "libx265", "-x265-params", f"log-level=error:lossless=1:colorprim=9:transfer={transfer}:colormatrix=9",
        "-vf", f"setparams=color_primaries=bt2020:color_trc={name}:colorspace=bt2020nc:range=tv", "-tag:v", "hvc1",
    )  # fmt: skip


def seen(path: str, count: int) -> Any:
    """The colour of each patch in the first frame."""
    (frame,) = footage.sample(PROGRAM, path, (SIDE, SIDE * count), [0.0])
    return frame.reshape(count, SIDE, SIDE, 3)[:, 16:-16, 16:-16].mean(axis=(1, 2))


@pytest.mark.parametrize("transfer", NAMES)
def test_what_is_no_highlight_looks_as_it_did(transfer: int, tmp_path: pathlib.Path) -> None:
    """Greys, skin, foliage and a saturated red, each within three levels."""
    wanted = np.array(PATCHES, float)
    path = filmed(tmp_path / "clip.mov", np.power(wanted / 255, 2.2), transfer)
    assert dynamics.is_high(probe.facts(path).colour)
    assert np.abs(seen(path, len(PATCHES)) - wanted).max() <= 3


@pytest.mark.parametrize("transfer", NAMES)
def test_highlights_keep_their_steps(transfer: int, tmp_path: pathlib.Path) -> None:
    """From paper white to three times as bright each is brighter than the last, none is burnt out, and a lamp keeps its hue."""
    greys = [0.7, 1.0, 1.5, 2.0, 3.0]
    path = filmed(tmp_path / "clip.mov", [[value] * 3 for value in greys] + [[3.0, 1.5, 0.6]], transfer)
    tones = seen(path, len(greys) + 1)
    assert (np.diff(tones[:5].mean(axis=1)) > 0).all()
    assert tones[1].min() > 230
    red, green, blue = np.power(tones[5] / 255, 2.2)
    assert green / red == pytest.approx(0.5, abs=0.06)
    assert blue / red == pytest.approx(0.2, abs=0.06)


def test_ordinary_clips_are_left_alone() -> None:
    """BT.709, BT.601, and what says nothing."""
    assert not any(dynamics.is_high(colour) for colour in [(), (1, 1, 1, 0), (5, 6, 5, 0), (9, 14, 9, 0)])
