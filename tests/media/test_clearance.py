"""A move ends before the product comes over the words: push-ins, pans and waves, and not for words it never meets."""

import pathlib
from dataclasses import replace
from typing import Any

import pytest
import yaml

from clipbuild.media import clearance, motion
from clipbuild.media.clearance import APART, LEAST, Words

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIBRARY: dict[str, Any] = yaml.safe_load((ROOT / "templates" / "motions.yaml").read_text(encoding="utf-8"))["motions"]
SIZE, PICTURE = (1080, 1920), (1296, 2304)
SUBJECT = (0.2, 0.4, 0.8, 0.75)


def made(name: str, texts: list[Words], **more: Any) -> tuple[motion.Move, motion.Move]:
    """The move as it was wanted, and as it is."""
    wanted = motion.move({**LIBRARY[name], "name": name, "amount": 1.0, **more})
    return wanted, clearance.clear(wanted, 5.0, 30, SIZE, PICTURE, SUBJECT, texts, "")


def top(move: motion.Move) -> float:
    """How high the product comes, as a share of the frame."""
    views = motion.path(move, 5.0, 30, SIZE, PICTURE, subject=SUBJECT)
    return min((SUBJECT[1] * PICTURE[1] - view.top) / (SIZE[1] * view.step) for view in views)


def test_a_push_in_ends_below_the_words() -> None:
    """It goes as far as it may, and no further."""
    low = Words((0.1, 0.2, 0.8, 0.375), 0.0, 5.0)
    wanted, kept = made("push-in", [low])
    assert top(wanted) < 0.375
    assert low.box[3] <= top(kept) < low.box[3] + APART + 0.01


def test_words_that_are_gone_in_time_hold_nothing_up() -> None:
    """A push-in comes nearest at its end."""
    wanted, kept = made("push-in", [Words((0.1, 0.2, 0.8, 0.375), 0.0, 1.0)])
    assert kept == wanted


@pytest.mark.parametrize("box", [(0.1, 0.1, 0.8, 0.25), (0.0, 0.2, 0.1, 0.8), (0.3, 0.45, 0.7, 0.55)])
def test_words_elsewhere_hold_nothing_up(box: tuple[float, float, float, float]) -> None:
    """High above, far to the side, or on the product from the first frame on."""
    wanted, kept = made("push-in", [Words(box, 0.0, 5.0)])
    assert kept == wanted


@pytest.mark.parametrize("name", ["pan-down", "pan-up", "float", "drift"])
def test_every_way_is_bounded(name: str) -> None:
    """What goes over the words goes less far; never less than a little."""
    wanted, kept = made(name, [Words((0.1, 0.1, 0.9, 0.385), 0.0, 5.0)])
    assert top(kept) >= min(top(wanted), 0.385)
    assert abs(kept.y) >= LEAST * abs(wanted.y) - 1e-9
    assert replace(kept, zoom=0, x=0, y=0, travel=0) == replace(wanted, zoom=0, x=0, y=0, travel=0)
