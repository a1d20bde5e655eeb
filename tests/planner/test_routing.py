"""Who makes which part of a clip, and what is asked for."""

from dataclasses import replace
from typing import Any

import pytest

from clipbuild.catalog.model import Box, Clip, Sound, Spec
from clipbuild.planner import routing
from clipbuild.planner.recipes import Bought
from tests.support.templates import clip as sample

SPEC = Spec("vertical", 1080, 1920, 30, Box(0, 0, 1080, 1920))


def prompt(clip: Clip, kind: str, ratio: str) -> str:
    """What would be said."""
    return f"{kind} {ratio} of {clip.name}"


def route(clip: Clip, kind: str = "image", **failed: str) -> tuple[Bought | None, str]:
    """The route; providers named in `failed` can't be had, for that reason."""
    return routing.route(clip, kind, SPEC, "9:16", prompt, lambda found: failed.get(found.provider, ""))


@pytest.mark.parametrize("target", ["", "local"])
@pytest.mark.parametrize("kind", ["image", "video", "plate"])
def test_local_buys_nothing(target: str, kind: str) -> None:
    """Nothing is asked for, and nothing is said to a model."""
    assert route(sample(image_provider=target, motion_provider=target), kind) == (None, "")


@pytest.mark.parametrize(
    ("target", "expected"),
    [("openai/gpt-image-1", ("openai", "gpt-image-1", "medium", 1)), ("openai/gpt-image-1:high", ("openai", "gpt-image-1", "high", 1)),
     ("openai/gpt-image-1:low*3", ("openai", "gpt-image-1", "low", 3)), ("google/imagen*2", ("google", "imagen", "medium", 2))],
)  # fmt: skip
def test_a_target(target: str, expected: tuple[str, str, str, int]) -> None:
    """provider/model, then a quality, then how many candidates."""
    found, _ = route(sample(image_provider=target))
    assert found is not None
    assert (found.provider, found.params["model"], found.params["quality"], found.params["n"]) == expected


def test_a_picture_is_asked_for_in_its_size() -> None:
    """Everything that shapes it is among the params: nothing is left to the adapter's defaults."""
    found, _ = route(sample(image_provider="openai/m"))
    assert found is not None
    assert found.params == {
        "model": "m", "aspect": "9:16", "width": 1080, "height": 1920, "prompt": "image 9:16 of Ember mug", "quality": "medium", "n": 1,
    }  # fmt: skip


def test_motion_is_asked_for_with_its_length_and_sound() -> None:
    """Sound only where the clip keeps it: it costs more at some providers."""
    found, _ = route(sample(motion_provider="kling/v2", seconds=6.0), "video")
    assert found is not None
    assert (found.params["seconds"], found.params["audio"]) == (6.0, False)
    kept, _ = route(sample(motion_provider="kling/v2", sound=Sound(own="keep")), "video")
    assert kept is not None
    assert kept.params["audio"] is True


def test_a_plate_is_one_picture() -> None:
    """Candidates are for the picture that is judged, not for its background."""
    found, _ = route(sample(image_provider="openai/m*4"), "plate")
    assert found is not None
    assert found.params["n"] == 1


def test_image_and_motion_have_routes_of_their_own() -> None:
    """One may be bought while the other is made here."""
    clip = sample(image_provider="local", motion_provider="kling/v2")
    assert route(clip)[0] is None
    assert route(clip, "video")[0] is not None


def test_nobody_stands_in_unless_it_is_written() -> None:
    """Without `fallback` the wanted one is asked, whatever is known to have failed."""
    found, why = route(sample(image_provider="openai/m"), openai="refused")
    assert found is not None
    assert (found.provider, why) == ("openai", "")


def test_a_stand_in_is_told() -> None:
    """The first one that can be had takes the place, in the order that is written, and it is said for whom and why."""
    clip = sample(image_provider="openai/m", fallback=("google/g", "local"))
    found, why = route(clip, openai="content policy")
    assert found is not None
    assert (found.provider, why) == ("google", "google/g instead of openai/m: content policy")
    found, why = route(clip, openai="content policy", google="quota")
    assert (found, why) == (None, "local instead of openai/m: content policy")


def test_when_nobody_can_the_wanted_one_is_asked() -> None:
    """Then its failure is what the person sees."""
    found, why = route(sample(image_provider="openai/m", fallback=("google/g",)), openai="a", google="b")
    assert found is not None
    assert (found.provider, why) == ("openai", "")


@pytest.mark.parametrize(
    ("changes", "cut", "expected"),
    [
        ({"photos": ()}, True, "generate"), ({"photos": (), "picture": "edit"}, True, "generate"),
        ({}, True, "composite"), ({}, False, "edit"), ({"recipe": "scene"}, True, "edit"),
        ({"picture": "edit"}, True, "edit"), ({"picture": "generate"}, True, "generate"), ({"picture": "composite"}, False, "composite"),
    ],
)  # fmt: skip
def test_how_a_model_makes_the_picture(changes: dict[str, Any], cut: bool, expected: str) -> None:
    """What is written counts; else a cut-out packshot keeps its real pixels, a photo is edited, words alone generate."""
    assert routing.mode(replace(sample(), **changes), lambda clip: cut) == expected


def test_the_mark_of_a_request() -> None:
    """The same whichever take it is, another for another prompt, model or provider."""
    one = Bought("openai", {"model": "m", "prompt": "p"})
    assert routing.mark(one) == routing.mark(Bought("openai", {"model": "m", "prompt": "p", "take": 3, "hint": "x"}))
    others = [Bought("google", one.params), Bought("openai", {"model": "n", "prompt": "p"}), Bought("openai", {"model": "m", "prompt": "q"})]
    assert len({routing.mark(other) for other in (one, *others)}) == 4


def test_a_stand_in_makes_the_same_kind_of_thing() -> None:
    """A model of motion does not stand in for one of pictures, as far as the tables know; `local` always does."""
    assert routing.fits("local", "image")
    assert routing.fits("local", "video")
    assert routing.fits("unknown/model", "image")
    assert not routing.fits("nonsense", "image")
