"""Random schedules of faults, kills and stops: nothing is charged twice, no cap is passed, nothing stored is lost.

`CLIPBUILD_SEED` repeats a run, `CLIPBUILD_SCHEDULES` says how many (500; a night takes 20,000).
"""

import os
import random

import pytest

from tests.support.chance import play

SEED = int(os.environ.get("CLIPBUILD_SEED") or random.randrange(1 << 32))
COUNT = int(os.environ.get("CLIPBUILD_SCHEDULES") or 500)
PART = 50


@pytest.mark.parametrize("part", range((COUNT + PART - 1) // PART))
def test_whatever_happens_is_charged_once(part: int) -> None:
    """Each schedule ends with every key charged at most once, below the cap, its result stored."""
    print(f"CLIPBUILD_SEED={SEED}")
    for number in range(part * PART, min(COUNT, (part + 1) * PART)):
        result = play(SEED + number)
        assert result.is_good, f"seed {result.seed}: {result}"
