"""What tests of prompts share: workspace files in memory, and a clip to speak of."""

from typing import Any

from clipbuild.catalog.model import (
    Brand,
    Clip,
    Ground,
    Motion,
    Offer,
    Place,
    Post,
    Prompt,
    Sound,
)


class Memory:
    """Workspace files that are only in memory; `asked` lists what was looked for."""

    root = "/nowhere"

    def __init__(self, files: dict[str, str | bytes]) -> None:
        self.files = {name: text.encode() if isinstance(text, str) else text for name, text in files.items()}
        self.asked: list[str] = []

    def names(self, folder: str) -> list[str]:
        return sorted(name.removeprefix(f"{folder}/") for name in self.files if name.rpartition("/")[0] == folder)

    def exists(self, relative: str) -> bool:
        self.asked.append(relative)
        return relative in self.files

    def read(self, relative: str) -> bytes:
        return self.files[relative]


def clip(**changes: Any) -> Clip:
    """A mug, photographed."""
    values: dict[str, Any] = {
        "id": "mug-black.en", "sku": "mug-black", "variant": "", "language": "en", "recipe": "packshot",
        "name": "Ember mug", "photos": ("photos/mug.jpg",),
        "prompt": Prompt("a matte black ceramic mug", "soft window light from the left", "a calm pale kitchen worktop",
                         "shallow depth of field, the background out of focus", ("text", "logos", "hands")),
        "ground": Ground(), "motion": Motion(), "seconds": 5.0, "captions": (), "caption_style": "boxed", "hook": "",
        "offer": Offer(), "cta": "", "sound": Sound(), "brand": Brand(), "post": Post(), "platforms": ("tiktok",),
        "image_provider": "local", "motion_provider": "local", "takes": 1, "place": Place("catalog/home.yaml", 3, 5),
    }  # fmt: skip
    return Clip(**(values | changes))
