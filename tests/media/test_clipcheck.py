"""Clips broken on purpose, one way each, are caught by the check made for it; the clip they were made of is not."""

from functools import lru_cache

import numpy as np
import pytest

from clipbuild.media import clipcheck, clipmeasures, clipmotion, metrics
from clipbuild.media.clipcheck import Asked, ClipReport
from clipbuild.media.cliptext import Text
from tests.support import stills
from tests.support.stills import Picture

SIZE = (270, 480)
LABEL = (0.36, 0.48, 0.64, 0.66)
ZOOM = {"zoom": 1.06, "pan_x": 0.0, "pan_y": 0.0}


@lru_cache(1)
def still() -> Picture:
    """A labelled bottle before a soft scene, 9:16."""
    return stills.bottle(stills.blurred(720, 1280), tall=0.6)


@lru_cache(1)
def clean() -> tuple[Picture, ...]:
    return tuple(stills.push(still()))


@lru_cache(1)
def asked() -> Asked:
    mask = clipmeasures.fitted(metrics.look(still()).subject.mask.astype(np.uint8), *SIZE) > 0
    return Asked(picture=still(), mask=mask, label=LABEL, motion=ZOOM)


def report(frames: list[Picture], wish: Asked | None = None) -> ClipReport:
    wish = wish or asked()
    clip = clipmeasures.collect(frames, 30.0)
    return clipcheck.judge(clipcheck.measure(clip, wish), clipcheck.limits(), wish, 30.0)


def ids(found: ClipReport) -> set[str]:
    return {finding.id for finding in found.findings}


def test_a_clean_push_in_is_ready() -> None:
    """Nothing is found in a clip that does what was asked."""
    found = report(list(clean()))
    assert (found.verdict, ids(found)) == ("ready", set())


BROKEN = {
    "black": lambda f: [*f[:30], *[np.zeros_like(f[0])] * 6, *f[36:]],
    "frozen": lambda f: [*f[:10], *[f[10]] * 40, *f[10:20]],
    "doubled": lambda f: [f[i - i % 2] for i in range(len(f))],
    "flicker": stills.flickering,
    "shimmer": stills.shimmering,
    "cut": lambda f: f[:30] + stills.push(stills.bottle(stills.busy(720, 1280), x=0.2))[30:],
    "judder": lambda _: stills.push(still(), shake=2.0),
    "motion": lambda _: stills.push(still(), zoom=1.0, pan=(0.11, 0.0)),
    "first": lambda _: stills.push(stills.bottle(stills.busy(720, 1280), y=0.3)),
    "label": lambda f: stills.smearing(f, LABEL),
    "warp": lambda f: stills.waving(f, 5),
    "colour": stills.tinting,
}
"""A way to break the clean clip, by the finding that must tell it."""

MEASURE = {"first": "first_like", "label": "label_worst", "colour": "colour_most", "motion": "pan_x"}


@pytest.mark.parametrize("name", BROKEN)
def test_each_way_to_break_a_clip_is_found(name: str) -> None:
    """The finding of that name is there, and its measure is at least three times further from ideal than the clean clip's."""
    good, bad = report(list(clean())), report(BROKEN[name](list(clean())))
    assert name in ids(bad)
    assert bad.verdict != "ready"
    measure = MEASURE.get(name, name)
    ideal = 1.0 if name in ("first", "label") else 0.0
    assert abs(bad.measures[measure] - ideal) >= 3 * abs(good.measures[measure] - ideal)


def test_a_small_warp_is_found_too() -> None:
    """Two pixels of a wave over two seconds are enough for a warning."""
    assert "warp" in ids(report(stills.waving(list(clean()), 2)))


def test_a_subject_that_slides_is_told_from_a_camera_that_moves() -> None:
    """Only the subject moves: drift, while the camera's path stays still."""
    ground = stills.blurred(720, 1280) // 2 + stills.busy(720, 1280) // 4
    frames = [
        stills.push(stills.bottle(ground, x=0.5 + 0.12 * i / 59, tall=0.6), frames=1, zoom=1.0)[0]
        for i in range(0, 60, 2)
    ]
    mask = clipmeasures.fitted(metrics.look(stills.bottle(ground, tall=0.6)).subject.mask.astype(np.uint8), *SIZE) > 0
    found = report(frames, Asked(mask=mask))
    assert found.measures["drift"] > 0.02
    assert abs(found.measures["pan_x"]) < 0.02


def test_the_path_is_exact() -> None:
    """A 6 % push-in is measured as 6 % and an 11 % pan as 11 %, within half a percent."""
    zoomed = clipmotion.follow(clipmeasures.collect(clean(), 30.0).grey).delivered()
    panned = clipmotion.follow(
        clipmeasures.collect(stills.push(still(), zoom=1.0, pan=(0.11, 0.0)), 30.0).grey
    ).delivered()
    assert zoomed["zoom"] == pytest.approx(1.06, abs=0.005)
    assert panned["pan_x"] == pytest.approx(0.11, abs=0.005)
    assert abs(zoomed["pan_x"]) < 0.005


def test_a_still_clip_is_fine_where_no_motion_was_asked() -> None:
    """Frozen and doubled are no faults of a clip that should not move."""
    frames = [clean()[0]] * 30
    assert ids(report(frames, Asked(moving=False))) == set()
    assert "frozen" in ids(report(frames, Asked()))


def test_a_loop_must_close() -> None:
    """A push-in is no loop; there and back again is one."""
    there = stills.push(still(), frames=30, zoom=1.15)
    assert "seam" in ids(report(there, Asked(loop=True)))
    assert "seam" not in ids(report([*there, *there[::-1]], Asked(loop=True)))


def test_asked_against_delivered_says_what_came() -> None:
    """The advice names both moves in words."""
    found = report(stills.push(still(), zoom=1.0, pan=(0.11, 0.0)))
    advice = next(f.advice for f in found.findings if f.id == "motion")
    assert advice == "asked for push-in 6 %, got travel right 11 %"


def test_text_keeps_to_its_place() -> None:
    """A text outside the safe box is an error with its time; one over the subject a warning; a good one nothing."""
    good = Text((0.1, 0.15, 0.8, 0.2), 0.5, 2.0)
    low = Text((0.1, 0.8, 0.8, 0.9), 1.0, 2.0)
    over = Text((0.4, 0.4, 0.6, 0.5), 0.0, 2.0)
    wish = Asked(texts=(good, low, over), safe=(0.06, 0.14, 0.9, 0.65), subject=(0.3, 0.3, 0.7, 0.8))
    found = {f.id: f for f in report(list(clean())[:20], wish).findings}
    assert (found["unsafe_text"].severity, found["unsafe_text"].at) == ("error", 1.0)
    assert found["text_on_subject"].box == over.box
    assert len([f for f in found if "text" in f]) == 2


def test_contrast_that_was_measured_is_judged() -> None:
    """Under 4.5 a text is a warning, under 3 an error, each with its time; one that reads is nothing."""
    clip = clipmeasures.collect(list(clean())[:8], 30.0)
    wish = Asked(texts=tuple(Text((0.1, 0.4, 0.9, 0.6), 0.0, 1.0) for _ in range(3)), moving=False)
    values = clipcheck.measure(clip, wish)
    read = {0: (9.0, 0.2), 1: (4.2, 0.4), 2: (1.6, 0.7)}
    found = [f for f in clipcheck.judge(values, clipcheck.limits(), wish, 30.0, read=read).findings if f.id == "contrast"]
    assert [(f.severity, f.value, f.at) for f in found] == [("warn", 4.2, 0.4), ("error", 1.6, 0.7)]


def test_container_facts_are_held_to_the_spec() -> None:
    """A wrong size, a wrong loudness and a clipped peak are told; what fits is not."""
    clip = clipmeasures.collect(list(clean())[:8], 30.0)
    wish = Asked(spec={"width": 1080, "fps": 30.0, "seconds": 5.0}, loudness=-14.0, moving=False)
    values = clipcheck.measure(clip, wish)
    good = {"width": 1080, "fps": 30.0, "seconds": 5.02, "loudness": -14.3, "true_peak": -1.2}
    assert clipcheck.judge(values, clipcheck.limits(), wish, 30.0, good).findings == ()
    bad = {"width": 720, "fps": 30.0, "seconds": 5.0, "loudness": -9.0, "true_peak": 0.4}
    found = clipcheck.judge(values, clipcheck.limits(), wish, 30.0, bad)
    assert sorted(ids(found)) == ["loudness", "spec", "true_peak"]
    assert found.verdict == "not_ready"


def test_hidden_texts_do_not_count() -> None:
    """A caption that pops up is a change of picture unless its box is hidden."""
    frames = [f.copy() for f in clean()]
    for frame in frames[30:]:
        frame[300:400, 20:250] = 255
    shown = clipmeasures.time_values(clipmeasures.collect(frames, 30.0))
    hidden = clipmeasures.time_values(clipmeasures.collect(frames, 30.0, hidden=[(0.05, 0.6, 0.95, 0.85)]))
    assert hidden["cut"] < 0.02 < shown["cut"]


def test_own_limits_win() -> None:
    """A project's limit replaces the shipped one; null never stops a clip."""
    own = clipcheck.limits({"flicker": [None, None]})
    wish = asked()
    values = clipcheck.measure(clipmeasures.collect(stills.flickering(list(clean())), 30.0), wish)
    assert "flicker" not in ids(clipcheck.judge(values, own, wish, 30.0))
    assert own["black"] == clipcheck.limits()["black"]
