"""Which input pictures a provider takes: formats, bytes, sides, shape; and what a picture's header says of it.

Judges pictures that are there already. Knows no provider and no model.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass

from clipbuild.providers.contract import Request


@dataclass(frozen=True, slots=True)
class Picture:
    """What a provider takes as an input picture: formats, most bytes, least side, longest ratio."""

    formats: tuple[str, ...]
    largest: int
    side: int = 0
    ratio: float = 0.0


def unfit(request: Request, limits: Picture) -> list[str]:
    """What speaks against the input pictures that are there already; a clip starts from a picture of its own shape."""
    found = []
    for name, path in request.files.items():
        if os.path.isfile(path):
            found += [f"the picture {name!r} {problem}" for problem in _unfit(path, request, limits)]
    return found


def _unfit(path: str, request: Request, limits: Picture) -> Iterator[str]:
    form, width, height = measured(path)
    if form not in limits.formats:
        yield f"is not {', '.join(limits.formats)}"
        return
    if os.path.getsize(path) > limits.largest:
        yield f"has more than {limits.largest / 1e6:g} MB"
    if min(width, height) < limits.side:
        yield f"is {width}x{height}, smaller than {limits.side} px a side"
    if limits.ratio and max(width / height, height / width) > limits.ratio:
        yield f"is {width}x{height}, longer than {limits.ratio}:1"
    across, _, down = str(request.params.get("aspect", "")).partition(":")
    if request.kind == "video" and across.isdigit() and down.isdigit():
        wanted = int(across) / int(down)
        if not 0.95 < width / height / wanted < 1.05:
            yield f"is {width}x{height}, and the clip is to be {across}:{down}"


def measured(path: str) -> tuple[str, int, int]:
    """(format, width, height) of a picture, from its header; format "" for none that is known."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=("PNG", "JPEG", "WEBP")) as picture:
            return picture.format or "", *picture.size
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        return "", 0, 0
