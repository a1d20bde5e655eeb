"""One frame of a clip as a JPEG without anything else in it. Knows nothing of what covers are for."""

from typing import Any

from clipbuild.errors import MediaError
from clipbuild.media import footage, probe

QUALITY = 90


def save(program: str, clip: str, at: float, path: str) -> None:
    """Write the frame nearest to `at` seconds. Raises MediaError."""
    from PIL import Image

    facts = probe.facts(clip)
    frame = min(facts.frames - 1, max(0, round(at * float(facts.rate))))
    size = (facts.width, facts.height)
    pixels = footage.sample(program, clip, size, [max(0.0, (frame - 0.25) / float(facts.rate))])[0]
    options: dict[str, Any] = {"quality": QUALITY, "optimize": True, "progressive": True, "subsampling": "4:2:0"}
    try:
        Image.fromarray(pixels).save(path, "JPEG", **options)
    except OSError as error:
        raise MediaError("the cover can't be written", [("reason", str(error))]) from error


