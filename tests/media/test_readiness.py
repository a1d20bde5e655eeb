"""Verdicts on drawn pictures and on the example's photos, findings by limits, and which motion suits a picture."""

import json
import pathlib
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from clipbuild.media import metrics, pictures, readiness, suiting
from clipbuild.media.readiness import Readiness
from tests.support import stills
from tests.support.stills import Picture

PHOTOS = pathlib.Path(__file__).resolve().parents[2] / "examples" / "storefront" / "photos"
LIMITS = readiness.limits()


def judged(picture: Picture, alpha: Picture | None = None, **own: float) -> Readiness:
    return readiness.judge(metrics.look(picture, alpha), {**LIMITS, **own})


def ids(result: Readiness, *severities: str) -> set[str]:
    return {f.id for f in result.findings if f.severity in (severities or ("error", "warn"))}


def test_a_bottle_on_a_plain_ground_is_ready() -> None:
    """One whole subject, a calm ground, room for text: nothing speaks against it."""
    result = judged(stills.bottle(stills.plain()))
    assert (result.verdict, result.axes.subject_count, result.axes.background) == ("ready", "1", "plain")
    assert (result.axes.negative_space, result.reasons) == ("yes", [])


def test_a_bottle_before_a_blurred_scene_is_ready() -> None:
    """A scene out of focus is a good ground, and a depth cue."""
    result = judged(stills.bottle(stills.blurred()))
    assert (result.verdict, result.axes.background, result.axes.depth_cue) == ("ready", "blurred", "yes")


def small(picture: Picture) -> Picture:
    return np.asarray(cv2.resize(picture, (320, 320), interpolation=cv2.INTER_AREA), np.uint8)


def crowd(_: Picture) -> Picture:
    made = stills.plain()
    for x in (0.2, 0.5, 0.8):
        made = stills.bottle(made, x, tall=0.4)
    return made


def grey(picture: Picture) -> Picture:
    return np.asarray(cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB), np.uint8)


def crushed(picture: Picture) -> Picture:
    data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 4])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


FAULTS: dict[str, Callable[[Picture], Picture]] = {
    "background_busy": lambda _: stills.bottle(stills.busy()),
    "no_subject": lambda _: grey(stills.busy(seed=9)),
    "many_subjects": crowd,
    "too_small": small,
    "banner": lambda _: stills.bottle(stills.plain(1800, 600)),
    "compressed": lambda p: crushed(stills.bottle(stills.busy())),
    "subject_cut": lambda _: stills.bottle(stills.plain(), x=0.05, tall=0.8),
}
"""A way to spoil a picture, by the finding that must tell it."""


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_found(name: str) -> None:
    """The finding is there with its value on the wrong side of its limit and a sentence of advice."""
    result = judged(FAULTS[name](stills.bottle(stills.plain())))
    assert name in ids(result)
    assert result.verdict != "ready"
    finding = next(f for f in result.findings if f.id == name)
    assert finding.value != finding.limit
    assert len(finding.advice) > 20
    assert finding.advice in result.reasons


def test_two_of_a_kind_on_a_calm_ground_are_only_risky() -> None:
    """A pair may be sold as one: a warning. Three are an error."""
    pair = stills.bottle(stills.bottle(stills.plain(), 0.3, tall=0.5), 0.7, tall=0.5)
    assert (judged(pair).verdict, judged(pair).axes.subject_count) == ("risky", "many")
    assert judged(crowd(pair)).verdict == "not_ready"


def test_a_cut_out_is_ready_and_its_ground_is_alpha() -> None:
    """Alpha is a ground of its own kind; its soft shadow is the depth cue."""
    ground = np.zeros((900, 900, 3), np.uint8)
    picture = stills.bottle(ground)
    alpha = np.where((picture > 0).any(axis=2), 255, 0).astype(np.uint8)
    picture[:] = (150, 60, 50)
    shade = cv2.ellipse(np.zeros_like(alpha), (450, 760), (200, 30), 0, 0, 360, 110, -1)
    assert judged(picture, alpha).axes.depth_cue == "no"
    shaded = judged(picture, np.maximum(alpha, shade))
    assert (shaded.verdict, shaded.axes.background, shaded.axes.depth_cue) == ("ready", "alpha", "yes")


def test_notes_do_not_spoil_a_verdict() -> None:
    """A small but usable picture must be enlarged: said, not held against it."""
    result = judged(stills.bottle(stills.plain(700, 700)))
    assert "upscaled" in ids(result, "note")
    assert result.verdict == "ready"


def test_the_target_decides_crop_and_enlargement() -> None:
    """A wide product loses its ends in 9:16 and none in 16:9."""
    ground = stills.plain(1600, 900)
    cv2.rectangle(ground, (150, 350), (1450, 550), (150, 40, 30), -1)
    seen = metrics.look(ground)
    tall, wide = (readiness.judge(seen, LIMITS, size).measures for size in ((1080, 1920), (1920, 1080)))
    assert tall["crop_loss"] > 0.5 > wide["crop_loss"]
    assert tall["upscale"] > wide["upscale"]


def test_limits_decide() -> None:
    """A limit of the project replaces the shipped one and moves the verdict."""
    busy = stills.bottle(stills.busy())
    assert judged(busy).axes.background == "busy"
    assert judged(busy, busy_gradient=99, scene_detail=99, texture=2).axes.background != "busy"
    assert readiness.limits({"rival": 0.5})["rival"] == 0.5


def test_the_report_is_plain_data() -> None:
    """Everything goes through JSON and back unchanged."""
    plain = judged(stills.bottle(stills.busy())).plain()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain


EXPECTED = {
    "belt_tan_01.jpg": "ready", "cactus_pot_01.jpg": "ready", "cutout_stool_wood.png": "ready",
    "jar_bamboo_01.jpg": "ready", "lollipop_01.jpg": "ready", "mug_black_01.jpg": "ready",
    "sofa_grey_01.jpg": "not_ready", "vase_red_01.jpg": "ready", "watch_gold_01.jpg": "ready",
}  # fmt: skip
"""What a person said of the example's photos where it was a clear yes or no."""


@pytest.mark.parametrize("name", EXPECTED)
def test_the_examples_photos_are_judged_as_a_person_did(name: str) -> None:
    """Real photos, judged by eye before."""
    rgb, alpha = pictures.read(str(PHOTOS / name))
    assert readiness.judge(metrics.look(rgb, alpha), LIMITS).verdict == EXPECTED[name]


MOTIONS: dict[str, dict[str, dict[str, list[float | None]]]] = {
    "push-in": {"suits": {"headroom": [1.08, None], "subject_area": [0.05, 0.5]}},
    "drift": {"suits": {"room_left": [0.1, None], "room_right": [0.1, None], "headroom": [None, 1.3]}},
    "still": {},
}


def test_the_motion_with_no_miss_and_the_most_ranges_suits_best() -> None:
    """A picture with headroom gets the push-in, one without it the drift; a motion without ranges always comes last
    of those that fit."""
    roomy = {"headroom": 1.6, "subject_area": 0.2, "room_left": 0.3, "room_right": 0.3}
    tight = {"headroom": 1.02, "subject_area": 0.2, "room_left": 0.3, "room_right": 0.3}
    assert suiting.suits(roomy, MOTIONS)[0] == "push-in"
    assert suiting.suits(tight, MOTIONS)[0] == "drift"
    assert suiting.suits({}, MOTIONS)[0] == "still"


def test_every_measured_axis_a_motion_may_name_is_there() -> None:
    """The names that `suits` may use are measures of every picture."""
    result = judged(stills.bottle(stills.plain()))
    assert set(readiness.SUITABLE) <= set(result.measures)
