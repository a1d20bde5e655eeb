"""Which provider makes a part of a clip, and what it is asked for: `local`, or `provider/model[:quality][*candidates]`.

Pure: turns a clip's route into the request params an adapter understands. A stand-in takes the place of what failed only
where the clip allows it. Knows no provider by name.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from clipbuild import digest
from clipbuild.catalog.model import Clip, Spec
from clipbuild.planner.recipes import Bought
from clipbuild.planner.shots import is_batch

LOCAL = "local"
GENERATE, EDIT, COMPOSITE = "generate", "edit", "composite"
_TARGET = re.compile(r"(?P<provider>[^/]+)/(?P<model>[^:*]+)(:(?P<quality>[^*]+))?(\*(?P<count>\d+))?\Z")
PARTS = {"image": "image", "plate": "image", "video": "motion"}
"""What is bought, and whose route it takes."""
SHARED = ("aspect", "width", "height", "prompt", "seconds", "audio")
"""What a request says whoever is asked."""

Prompt = Callable[[Clip, str, str], str]
Failed = Callable[[Bought], str]
"""Why a request can't be had, "" when nothing speaks against it."""


def mode(clip: Clip, is_usable: Callable[[Clip], bool]) -> str:
    """How a model makes the picture: from words, from the photos, or only the place that the real product is put into.
    The last is the usual one for a packshot whose photo has a usable cut-out: label, logo and colour then stay true."""
    if clip.picture:
        return clip.picture if clip.photos else GENERATE
    if not clip.photos:
        return GENERATE
    return COMPOSITE if clip.recipe == "packshot" and is_usable(clip) else EDIT


def route(
    clip: Clip, kind: str, spec: Spec, ratio: str, prompt: Prompt, failed: Failed = lambda _: ""
) -> tuple[Bought | None, str]:
    """(the bought request for a part of `clip`, or None when it is made locally; what it stands in for, in words).

    `kind` is image, plate (a picture without the product) or video.
    """
    wanted = clip.image_provider if PARTS[kind] == "image" else clip.motion_provider
    because = ""
    for target in (wanted, *(other for other in clip.fallback if fits(other, kind))):
        found = None if target in ("", LOCAL) else request(clip, target, kind, spec, ratio, prompt)
        why = failed(found) if found and clip.fallback else ""
        if not why:
            return found, f"{target or LOCAL} instead of {wanted}: {because}" if because else ""
        because = because or why
    return request(clip, wanted, kind, spec, ratio, prompt), ""


def request(clip: Clip, target: str, kind: str, spec: Spec, ratio: str, prompt: Prompt) -> Bought:
    """What `target` is asked for."""
    params: dict[str, Any] = {"aspect": ratio, "width": spec.width, "height": spec.height}
    if kind == "video":
        params |= {"prompt": prompt(clip, "motion", ratio), "seconds": clip.seconds, "audio": clip.sound.own == "keep"}
    else:
        params["prompt"] = prompt(clip, kind, ratio)
    return _asked(clip, target, kind, params)


def _asked(clip: Clip, target: str, kind: str, params: Mapping[str, Any]) -> Bought:
    """`params` of the wanted thing, as this target takes them."""
    said = _TARGET.match(target)
    parts = said.groupdict() if said else {"provider": target, "model": "", "quality": None, "count": None}
    found: dict[str, Any] = {"model": parts["model"], **params}
    if kind == "video":
        return Bought(str(parts["provider"]), {**found, **({"resolution": parts["quality"]} if parts["quality"] else {})})
    count = int(parts["count"] or 1) if kind == "image" else 1
    if kind == "image" and is_batch(clip) and clip.reference is not None:
        count = len(clip.reference.shots)
    return Bought(str(parts["provider"]), {**found, "quality": parts["quality"] or "medium", "n": count})


def standins(clip: Clip, kind: str, now: Bought, failed: Failed = lambda _: "") -> list[Bought]:
    """Who may still be asked, one after the other, should the request `now` fail: those of `fallback` behind it, as far
    as the first that is made here."""
    shared = {name: now.params[name] for name in SHARED if name in now.params}
    wanted = clip.image_provider if PARTS[kind] == "image" else clip.motion_provider
    found: list[Bought] = []
    for target in (wanted, *(other for other in clip.fallback if fits(other, kind))):
        if target in ("", LOCAL):
            break
        asked = _asked(clip, target, kind, shared)
        found = [] if mark(asked) == mark(now) else [*found, *([] if failed(asked) else [asked])]
    return found


def mark(found: Bought) -> str:
    """What tells one request from another, whichever take or clip it is for."""
    params = {name: value for name, value in found.params.items() if name not in ("provider", "take", "hint")}
    return digest.of_document({"provider": found.provider, "params": params})


def fits(target: str, kind: str) -> bool:
    """Whether a stand-in makes this kind of thing at all, as far as the model tables know."""
    said = _TARGET.match(target)
    if said is None:
        return target == LOCAL
    made = _kinds(said["provider"]).get(said["model"])
    return made is None or made == ("video" if kind == "video" else "image")


@cache
def _kinds(provider: str) -> dict[str, str]:
    from clipbuild.providers import models

    try:
        return {name: model.kind for name, model in models.shipped(provider).items()}
    except OSError:
        return {}
