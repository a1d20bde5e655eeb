"""Several shots of one subject: whose words a picture is asked for with, and what is sent so that the subject stays the same.

Pure; knows what the catalog says of shots and references. Knows no provider, prompt or action.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from clipbuild.catalog.model import Clip

FIRST, BATCH, PHOTO = "first", "batch", "photo"


def is_batch(clip: Clip) -> bool:
    """The pictures of all its product's shots are asked for at once."""
    return clip.reference is not None and clip.reference.kind == BATCH


def leader(clip: Clip) -> Clip | None:
    """The shot whose picture goes along with the request for this one's."""
    shared = clip.reference
    return shared.shots[0] if shared is not None and shared.kind == FIRST and shared.number else None


def asked(clip: Clip, kind: str) -> Clip:
    """Whose words a request is made of: the clip's own, but for the picture of a batch the first shot's, with no doing
    of its own."""
    shared = clip.reference
    if kind != "image" or shared is None or shared.kind != BATCH:
        return clip
    first = shared.shots[0]
    return replace(first, prompt=replace(first.prompt, doing=""), reference=replace(shared, number=0))


def words(clip: Clip) -> Mapping[str, Any]:
    """What a template may know of it: what the subject is doing, whether it must be as in a picture that is sent, and
    what each picture of a batch shows."""
    shared = clip.reference
    every = shared.shots if shared is not None and shared.kind == BATCH else ()
    return {
        "doing": clip.prompt.doing,
        "same": leader(clip) is not None or (shared is not None and shared.kind == PHOTO),
        "shots": tuple(one.prompt.doing or one.prompt.subject for one in every),
    }
