"""Who makes what: targets read, modes chosen, stand-ins only where they are allowed."""

import pathlib
from typing import Any

import pytest

from clipbuild.catalog.model import Box, Spec
from clipbuild.media import alpha
from clipbuild.planner import routing
from clipbuild.planner.recipes import Bought
from tests.planner.test_prompts import clip
from tests.support.adapters import photo

SPEC = Spec("vertical", 1080, 1920, 30, Box(0, 0, 1080, 1920))


def routed(kind: str = "image", failed: Any = lambda _: "", **changes: Any) -> tuple[Bought | None, str]:
    """The route of a clip, its prompts replaced by their kind."""
    return routing.route(clip(**changes), kind, SPEC, "9:16", lambda _clip, kind, ratio: f"{kind} {ratio}", failed)


@pytest.mark.parametrize(
    ("target", "provider", "said"),
    [
        ("openai/gpt-image-2", "openai", {"model": "gpt-image-2", "quality": "medium", "n": 1}),
        ("openai/gpt-image-2.5-flare:low", "openai", {"model": "gpt-image-2.5-flare", "quality": "low", "n": 1}),
        ("openai-batch/gpt-image-2:high*4", "openai-batch", {"model": "gpt-image-2", "quality": "high", "n": 4}),
        ("acme/own_1*2", "acme", {"model": "own_1", "quality": "medium", "n": 2}),
    ],
)
def test_a_target_names_provider_model_quality_and_candidates(target: str, provider: str, said: dict[str, Any]) -> None:
    """As written in the catalog."""
    found, instead = routed(image_provider=target)
    assert found is not None
    assert (found.provider, instead) == (provider, "")
    assert said.items() <= found.params.items()
    assert found.params["prompt"] == "image 9:16"


def test_motion_takes_a_resolution_and_sound_only_when_it_is_kept() -> None:
    """`:720p` is what the model is asked for; the clip's own sound is bought only where it is kept."""
    found, _ = routed("video", motion_provider="kling/kling-3.0:720p")
    assert found is not None
    assert found.params["resolution"] == "720p"
    assert found.params["audio"] is False
    assert "n" not in found.params


def test_local_is_nothing_to_buy() -> None:
    """And needs no prompt."""
    assert routed(image_provider="local") == (None, "")
    assert routed("video", motion_provider="") == (None, "")


def test_a_stand_in_is_only_taken_where_it_is_allowed() -> None:
    """Without `fallback` the wanted one is asked again; with it the first that works, and it says for whom and why."""

    def failed(found: Bought) -> str:
        return "refused" if found.provider == "kling" else ""

    wanted = {"motion_provider": "kling/kling-3.0"}
    found, instead = routed("video", failed, **wanted)
    assert found is not None
    assert (found.provider, instead) == ("kling", "")
    found, instead = routed("video", failed, **wanted, fallback=("kling/kling-2.6", "runway/gen4.5", "local"))
    assert found is not None
    assert (found.provider, instead) == ("runway", "runway/gen4.5 instead of kling/kling-3.0: refused")
    assert routed("video", failed, **wanted, fallback=("local",)) == (None, "local instead of kling/kling-3.0: refused")
    found, instead = routed("video", lambda _: "gone", **wanted, fallback=("runway/gen4.5",))
    assert found is not None
    assert (found.provider, instead) == ("kling", ""), "when nobody can, the wanted one is what fails"


def test_a_stand_in_for_pictures_is_none_for_motion() -> None:
    """Model tables tell what a model makes; a model nobody knows may be either."""
    assert routing.fits("openai/gpt-image-2", "image")
    assert routing.fits("openai/gpt-image-2", "plate")
    assert not routing.fits("openai/gpt-image-2", "video")
    assert routing.fits("kling/kling-3.0", "video")
    assert not routing.fits("kling/kling-3.0", "image")
    assert routing.fits("acme/one", "video")
    assert routing.fits("local", "image")


@pytest.mark.parametrize(
    ("changes", "cut_out", "mode"),
    [
        ({}, True, "composite"), ({}, False, "edit"), ({"recipe": "scene"}, True, "edit"), ({"photos": ()}, True, "generate"),
        ({"picture": "generate"}, True, "generate"), ({"picture": "composite"}, False, "composite"),
        ({"picture": "composite", "photos": ()}, False, "generate"),
    ],
)  # fmt: skip
def test_how_a_picture_is_made(changes: dict[str, Any], cut_out: bool, mode: str) -> None:
    """The real product wherever its photo allows it, unless the catalog says otherwise."""
    one = clip(**{"photos": ("p.png",), **changes})
    assert routing.mode(one, lambda _: cut_out) == mode


@pytest.mark.parametrize(("mode", "form", "declared"), [("RGBA", "PNG", True), ("LA", "PNG", True), ("RGB", "PNG", False),
                                                         ("RGBA", "WEBP", True), ("RGB", "WEBP", False), ("RGB", "JPEG", False)])  # fmt: skip
def test_alpha_is_told_by_the_header(mode: str, form: str, declared: bool, tmp_path: pathlib.Path) -> None:
    """Lossless WebP too; no file is no alpha."""
    from PIL import Image

    path = tmp_path / "p"
    Image.new(mode, (9, 9)).save(path, form, **({"lossless": True} if form == "WEBP" else {}))
    assert alpha.is_declared(str(path)) is declared
    assert not alpha.is_declared(str(tmp_path / "none"))
    assert not alpha.is_declared(photo(tmp_path))
