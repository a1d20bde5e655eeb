"""The warp: the compiled loops and the plain ones make the same bytes, exact in place, sharp, low-passed, and unbanded."""

import random
import subprocess
import sys

import numpy as np
import pytest

from clipbuild.media import warp
from clipbuild.media.warp import LEVEL, ONE, Placed, Plane


def noise(width: int, height: int, seed: int = 0) -> Plane:
    return warp.plane(np.random.default_rng(seed).integers(0, 255 * LEVEL, (height, width)).astype(np.int16))


def seen(source: Plane, size: tuple[int, int], left: float, top: float, step: float, **more: int) -> Placed:
    """A plane through a window of `size` outputs."""
    across = warp.taps(left, step, 0, size[0], source.width, wide=True)
    down = warp.taps(top, step, 0, size[1], source.height, wide=False)
    return Placed(source, None, more.get("opacity", ONE), 0, 0, *size, across, down)


def drawn(placed: list[Placed], size: tuple[int, int], *, slowly: bool = False) -> np.ndarray:
    out = np.zeros((size[1], size[0]), np.uint8)
    (warp.compose_slowly if slowly else warp.compose)(out, placed)
    return out


@pytest.mark.skipif(warp._warp is None, reason="no compiler here: there is only one way")
def test_compiled_and_plain_loops_make_the_same_bytes() -> None:
    """Any picture, window, step from enlarging to halving, opacity and alpha, through 4, 6 and 8 taps: no byte differs."""
    seed = random.randrange(1 << 30)
    print("seed", seed)
    rng = random.Random(seed)
    for _ in range(60):
        source = noise(rng.randint(24, 300), rng.randint(24, 200), rng.randint(0, 99))
        size = rng.randint(4, 150), rng.randint(4, 60)
        step = rng.uniform(0.2, warp.MOST_STEP)
        window = rng.uniform(0, source.width / 2), rng.uniform(0, source.height / 2), step
        placed = [seen(source, size, *window), over(rng, source, size)]
        fast = drawn(placed, size)
        assert (fast == drawn(placed, size, slowly=True)).all(), (size, window)


def over(rng: random.Random, source: Plane, size: tuple[int, int]) -> Placed:
    """Something with alpha on top, as it is or through taps."""
    alpha = warp.plane(np.random.default_rng(1).integers(0, ONE + 1, (source.height, source.width)).astype(np.int16))
    wide, high = min(size[0], source.width) // 2, min(size[1], source.height) // 2
    at = (rng.randint(0, ONE), rng.randint(0, size[0] - wide), rng.randint(0, size[1] - high), wide, high)
    if rng.random() < 0.5:
        return Placed(source, alpha, *at, sx=rng.randint(0, source.width - wide), sy=rng.randint(0, source.height - high))
    across = warp.taps(rng.uniform(-3, 9), 0.93, 0, wide, source.width, wide=True)
    return Placed(source, alpha, *at, across, warp.taps(rng.uniform(-3, 9), 1.2, 0, high, source.height, wide=False))


def test_a_window_of_its_own_size_changes_nothing() -> None:
    """Step 1 at a whole place gives the samples back, up to the dither, which never moves a level by itself."""
    source = warp.plane((np.arange(64 * 48).reshape(48, 64) % 230 * LEVEL).astype(np.int16))
    out = drawn([seen(source, (64, 48), 0, 0, 1.0)], (64, 48))
    assert (out == source.data[8:-8, 8:-8] // LEVEL).all()


@pytest.mark.parametrize("step", [0.5, 0.9, 1.0, 1.3, 1.9])
def test_a_ramp_is_read_at_the_exact_place(step: float) -> None:
    """On a straight ramp every output has the value of its centre to a 500th of a level, wherever the window starts."""
    line = np.broadcast_to(np.arange(400) * 40, (24, 400)).astype(np.int16)
    for left in (50.0, 50.3, 60.77, 71.123):
        out = np.empty((8, 120), np.int16)
        warp.compose(out, [seen(warp.plane(line), (120, 8), left, 2.0, step)])
        true = 40 * (left + (np.arange(120) + 0.5) * step - 0.5)
        assert np.abs(out[4] - true).max() < 1.2


def test_fine_texture_is_low_passed_when_made_smaller() -> None:
    """Stripes of one pixel, seen 1.9 times smaller, come out as a near-even grey: nothing is left that could shimmer;
    stripes of 8 pixels keep most of their contrast."""
    def contrast(width: int, step: float) -> float:
        line = np.where(np.arange(600) // width % 2, 200, 50) * LEVEL
        source = warp.plane(np.broadcast_to(line, (40, 600)).astype(np.int16))
        spread = [drawn([seen(source, (200, 8), 30 + k / 7, 4, step)], (200, 8))[4].astype(int) for k in range(7)]
        return float(np.mean([np.percentile(row, 95) - np.percentile(row, 5) for row in spread]))

    assert contrast(1, 1.9) < 15
    assert contrast(8, 1.9) > 120


def test_what_is_enlarged_stays_sharp() -> None:
    """A soft edge seen 1.3 times larger keeps its slope (a linear filter would lose a tenth and breathe)."""
    x = np.arange(200)
    edge = 16000 / (1 + np.exp(-(x - 100) / 0.9))
    source = warp.plane(np.broadcast_to(edge, (16, 200)).astype(np.int16))
    slopes = []
    for shift in np.linspace(0, 1, 9):
        out = np.empty((4, 120), np.int16)
        warp.compose(out, [seen(source, (120, 4), 60 + float(shift), 4, 1 / 1.3)])
        slopes.append(np.diff(out[2].astype(int)).max() * 1.3 / (16000 / 0.9 / 4))
    assert 0.88 < min(slopes) <= max(slopes) < 1.05


def test_a_faint_gradient_has_no_bands() -> None:
    """A rise of 3 levels over 600 pixels: means of small patches follow it to a tenth of a level."""
    ramp = np.broadcast_to(np.linspace(100, 103, 600) * LEVEL, (600, 600))
    out = drawn([Placed(warp.plane(ramp.astype(np.int16)), None, ONE, 0, 0, 600, 600)], (600, 600)).astype(float)
    patches = out.reshape(25, 24, 25, 24).mean(axis=(1, 3))
    true = (ramp / LEVEL).reshape(25, 24, 25, 24).mean(axis=(1, 3))
    assert np.abs(patches - true).max() < 0.1
    assert len(np.unique(out)) <= 5


def test_the_edge_is_repeated_not_darkened() -> None:
    """A window that reaches over the picture's rim by part of a tap sees the rim's colour there."""
    source = warp.plane(np.full((40, 40), 90 * LEVEL, np.int16))
    assert (drawn([seen(source, (40, 40), 0.4, -0.4, 1.0)], (40, 40)) == 90).all()


def test_weights_always_sum_to_one() -> None:
    """Each output of each position and kind of taps takes exactly ONE of weight: nothing brightens or darkens."""
    for step in (0.4, 1.0, 1.2, 1.49, 1.51, 1.95):
        for wide in (False, True):
            weight = warp.taps(3.3, step, 0, 500, 2000, wide=wide).weight.astype(int)
            assert (weight.sum(axis=1) == ONE).all()


@pytest.mark.skipif(warp._warp is None, reason="no compiler here")
def test_the_compiled_loops_refuse_to_read_outside() -> None:
    """Wrong offsets, sizes or places are errors, never reads beyond the plane."""
    source, out = noise(32, 32), np.zeros((16, 16), np.uint8)
    good = seen(source, (16, 16), 2, 2, 1.0)
    far = warp.Taps((good.across.first + 1000).astype(np.int32), good.across.weight)  # type: ignore[union-attr]
    for wrong in (
        Placed(source, None, ONE, 0, 0, 16, 16, good.across, far),
        Placed(source, None, ONE, 8, 0, 16, 16, good.across, good.down),
        Placed(source, None, ONE, 0, 0, 16, 16, sx=30, sy=30),
        Placed(source, None, ONE + 1, 0, 0, 16, 16),
    ):
        with pytest.raises(ValueError):
            warp.compose(out, [wrong])


def test_without_a_compiler_it_still_draws() -> None:
    """Where the extension is missing the module imports and draws the same bytes."""
    code = (
        "import sys; sys.modules['clipbuild.media._warp'] = None\n"
        "import numpy as np\n"
        "from clipbuild.media import warp\n"
        "assert warp._warp is None\n"
        "source = warp.plane(np.arange(40 * 40).reshape(40, 40).astype(np.int16) * 9)\n"
        "across = warp.taps(2.2, 0.9, 0, 24, 40, wide=True); down = warp.taps(1.7, 0.9, 0, 20, 40, wide=False)\n"
        "out = np.zeros((20, 24), np.uint8)\n"
        "warp.compose(out, [warp.Placed(source, None, warp.ONE, 0, 0, 24, 20, across, down)])\n"
        "sys.stdout.buffer.write(out.tobytes())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    source = warp.plane(np.arange(40 * 40).reshape(40, 40).astype(np.int16) * 9)
    across, down = warp.taps(2.2, 0.9, 0, 24, 40, wide=True), warp.taps(1.7, 0.9, 0, 20, 40, wide=False)
    assert done.stdout == drawn([Placed(source, None, ONE, 0, 0, 24, 20, across, down)], (24, 20)).tobytes()
