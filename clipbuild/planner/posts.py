"""The words that travel with a clip: every text drawn on it, and the post for one platform.

Pure functions from a clip to plain data. Knows nothing of layout, fonts or files.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from clipbuild.catalog.model import Clip, Platform

COMPOSITE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
CAPTURED = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeCapture"

LATIN_TO_CYRILLIC = "\u0590"
"""Letters below this one write a full stop and a space."""


def texts(clip: Clip) -> tuple[str, ...]:
    """Every text that is drawn on the clip."""
    words = [caption.text for caption in clip.captions]
    words += [clip.hook, clip.cta, clip.offer.price, clip.offer.was, clip.offer.text]
    if clip.recipe == "card":
        words.append(clip.name)
    if clip.end_card:
        words.append(clip.brand.name)
    return tuple(word for word in words if word)


def post(clip: Clip, platform: Platform, generated: Sequence[str]) -> dict[str, Any]:
    """What is posted with the clip on `platform`, cut to its limits. `generated`: which parts a model made."""
    tags = list(dict.fromkeys([*clip.post.hashtags, *clip.brand.hashtags]))[: platform.hashtag_limit]
    description = clip.post.description or _sentences([c.text for c in clip.captions]) or clip.name
    assets = [{key: value for key, value in asdict(asset).items() if value} for asset in clip.assets]
    return {
        "title": _cut(clip.post.title or clip.name, platform.title_limit),
        "description": _cut(description, platform.description_limit),
        "hashtags": tags,
        "alt": clip.post.alt or clip.prompt.subject or clip.name,
        "language": clip.language,
        "duration": clip.seconds,
        "ai": {
            "generated": list(generated), "digital_source_type": source_type(clip, generated),
            "disclose": bool(generated),
        },
        **({"assets": assets} if assets else {}),
    }  # fmt: skip


def _sentences(texts: Sequence[str]) -> str:
    """Lines of a clip as running text: a stop where one ends without, as its script has it."""
    told = ""
    for text in texts:
        last = told[-1:]
        stops = ". " if last.isalnum() and last < LATIN_TO_CYRILLIC else " " * bool(last)
        told += ("。" if last.isalnum() and unicodedata.east_asian_width(last) == "W" else stops) + text
    return told


def source_type(clip: Clip, generated: Sequence[str]) -> str:
    """How the clip came to be, in the IPTC's words: photos put together, a model's work, or both."""
    if not generated:
        return CAPTURED
    return COMPOSITE if clip.photos else GENERATED


def _cut(text: str, limit: int) -> str:
    """`text` within `limit` UTF-16 units, cut at a word with an ellipsis."""
    if len(text.encode("utf-16-le")) // 2 <= limit:
        return text
    kept = text.encode("utf-16-le")[: 2 * (limit - 1)].decode("utf-16-le", "ignore")
    return (kept.rsplit(" ", 1)[0] if " " in kept else kept).rstrip() + "…"
