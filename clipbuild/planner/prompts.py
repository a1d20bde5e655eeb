"""Prompts: what a picture or motion model is told, composed from a clip's fields by a template.

single subject + lighting + background + depth + what to exclude + what it will be animated as. Pure: the same clip
and templates give the same text. Knows no provider and sends nothing.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from clipbuild import digest, resources
from clipbuild.catalog.model import Clip
from clipbuild.errors import CatalogError, Problem
from clipbuild.planner import shots
from clipbuild.planner.sandbox import Sandbox
from clipbuild.planner.shelf import MARK, Disk, Files, RefusedError, Shelf

Lines = tuple[tuple[str, int, str], ...]

FRAMES = {"9:16": "vertical", "16:9": "horizontal", "4:5": "portrait", "1:1": "square"}
CONTEXT_LIMIT = 32 << 10


@dataclass(frozen=True, slots=True)
class Rendered:
    """A prompt: its text, the template's name and the files it is made of (itself first)."""

    text: str
    template: str
    files: tuple[str, ...]
    trace: Callable[[], Lines] = field(repr=False, compare=False)

    @property
    def lines(self) -> Lines:
        """(file, line, text) of every piece, in the order of the text."""
        return self.trace()


class Prompts:
    """The prompt templates of one workspace: `prompts/` in each of `folders` (paths below the root of `files`, or
    plain paths without it), then the shipped ones."""

    def __init__(self, folders: Sequence[str], files: Files | None = None) -> None:
        shipped = os.path.join(resources.folder("templates"), "prompts")
        shelf = Shelf([f"{folder}/prompts" for folder in folders], files or Disk(""), shipped)
        self._sandbox = Sandbox(shelf)

    def render(
        self, clip: Clip, kind: str, *, aspect: str, motion_words: str, seconds: float
    ) -> Rendered:
        """The prompt of `clip` for an `image` or its `motion`. Raises CatalogError, with file and line, for a template
        that is missing, wrong or not allowed, or that can't be filled from this clip."""
        name = f"{clip.recipe}.j2" if kind == "image" else f"{clip.recipe}.{kind}.j2"
        values = context(clip, aspect, motion_words, seconds)
        text = collapse(self._sandbox.render(name, values))
        if not text:
            file = self._sandbox.files(name)[0]
            raise CatalogError([Problem(file, 0, 0, "the prompt it makes is empty", (("clip", clip.id),))])

        def trace() -> Lines:
            return pieces(self._sandbox.render(name, values, marked=True), self._sandbox.marks)

        return Rendered(text, name, self._sandbox.files(name), trace)

    def signature(self) -> str:
        """A digest of every template there is: while it stands, every prompt does. Raises CatalogError."""
        try:
            return digest.of_document(dict(self._sandbox.shelf.sources()))
        except RefusedError as error:
            raise CatalogError([Problem(error.file or "templates/prompts", error.line, 0, error.what, (), error.hint)]) from None


def context(clip: Clip, aspect: str, motion_words: str, seconds: float) -> Mapping[str, Any]:
    """What a template may speak of: plain, immutable data. Neither names of files nor captions, prices or platforms:
    what only changes those must not change a picture."""
    prompt, brand, together = clip.prompt, clip.brand, shots.words(clip)
    values: dict[str, Any] = {
        "name": clip.name,
        "subject": ", ".join(filter(None, (prompt.subject or clip.name, prompt.doing))),
        **together,
        "lighting": prompt.lighting,
        "background": prompt.background,
        "depth": prompt.depth,
        "exclude": prompt.exclude,
        "aspect": aspect,
        "frame": FRAMES.get(aspect, "vertical"),
        "motion": motion_words,
        "seconds": f"{seconds:g}",
        "loop": clip.motion.loop,
        "ground": clip.ground.style,
        "photos": len(clip.photos) + (shots.leader(clip) is not None),
        "colors": clip.ground.colors,
        "brand": {"name": brand.name, "primary": brand.primary, "accent": brand.accent, "background": brand.background},
        "x": {key.removeprefix("x-").replace("-", "_"): value for key, value in clip.extra.items()},
    }
    told = (clip.name, values["subject"], prompt.lighting, prompt.background, prompt.depth, *together["shots"])
    length = sum(map(len, told))
    length += sum(map(len, prompt.exclude)) + sum(map(len, clip.extra.values()))
    if length > CONTEXT_LIMIT:
        place = clip.place
        what = f"the words for its prompt are longer than {CONTEXT_LIMIT >> 10} KiB"
        raise CatalogError([Problem(place.file, place.line, place.column, what, (("characters", f"{length:,}"),))])
    return MappingProxyType(values)


def collapse(text: str) -> str:
    """One space between words, no empty lines."""
    return "\n".join(line for line in (" ".join(row.split()) for row in text.split("\n")) if line)


def pieces(marked: str, marks: Sequence[tuple[str, int]]) -> Lines:
    """The pieces of a marked text with the template lines they came from, neighbours of one line joined."""
    parts = marked.split(MARK)
    found: list[tuple[str, int, str]] = []
    for number, text in zip(parts[1::2], parts[2::2], strict=True):
        file, line = marks[int(number)]
        if found and found[-1][:2] == (file, line):
            text = found.pop()[2] + text
        found.append((file, line, text))
    return tuple((file, line, " ".join(text.split())) for file, line, text in found if text.strip())
