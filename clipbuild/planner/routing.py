"""Which provider makes a part of a clip, and what it is asked for: `local`, or `provider/model[:quality]`.

Pure: turns a clip's route into the request params an adapter understands. Knows no provider by name.
"""

from collections.abc import Callable
from typing import Any

from clipbuild.catalog.model import Clip, Spec
from clipbuild.planner.recipes import Bought

LOCAL = "local"


def route(
    clip: Clip, kind: str, spec: Spec, ratio: str, prompt: Callable[[Clip, str, str], str]
) -> Bought | None:
    """The bought request for a part (`kind` image or video) of `clip`, or None when it is made locally."""
    target = clip.image_provider if kind == "image" else clip.motion_provider
    if target in ("", LOCAL):
        return None
    provider, _, model = target.partition("/")
    model, _, quality = model.partition(":")
    params: dict[str, Any] = {"model": model, "aspect": ratio, "width": spec.width, "height": spec.height}
    if kind == "image":
        text = prompt(clip, "image", ratio)
        return Bought(provider, {**params, "prompt": text, "quality": quality or "medium", "n": 1})
    text = prompt(clip, "motion", ratio)
    audio = clip.sound.own == "keep"
    return Bought(provider, {**params, "prompt": text, "seconds": clip.seconds, "audio": audio})
