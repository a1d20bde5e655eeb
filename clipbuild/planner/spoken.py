"""The captions of a clip that come from files: subtitles, word times, and drafts that a person may correct.

Captions made from what is said are written to `captions/<clip>.vtt`; once it is there, that file is what counts.
Pure: files are read through a door. Knows nothing of keys or actions.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from clipbuild.catalog.model import Caption, Clip
from clipbuild.errors import MediaError
from clipbuild.media import speech, subtitlefiles, subtitles, timing
from clipbuild.media.timing import Cue

FOLDER = "captions"
NOTE = "Made from what is said. Correct it: from then on this file is what counts. A time stands before its word."


@dataclass(frozen=True, slots=True)
class Files:
    """The door to files of the workspace."""

    read: Callable[[str], bytes]
    exists: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Draft:
    """A file to be written for a person to correct."""

    path: str
    text: str


def resolved(clip: Clip, files: Files) -> tuple[Clip, Draft | None]:
    """The clip with its captions, and the draft of them where they were made just now. Raises MediaError."""
    if clip.caption_file:
        return _with(clip, files.read(clip.caption_file), clip.caption_file), None
    if not clip.auto_captions:
        return clip, None
    path = draft_path(clip.id)
    if files.exists(path):
        return _with(clip, files.read(path), path), None
    draft = Draft(path, subtitles.timed(_spoken(clip, files), NOTE))
    return _with(clip, draft.text.encode(), path), draft


def draft_path(clip: str) -> str:
    """Where the draft of the captions of the clip with this id is."""
    return f"{FOLDER}/{clip}.vtt"


def sources(clip: Clip, files: Files) -> list[str]:
    """The files that a clip's captions come from."""
    if clip.caption_file:
        return [clip.caption_file]
    if not clip.auto_captions:
        return []
    draft = draft_path(clip.id)
    return [draft] if files.exists(draft) else [clip.words] if clip.words else []


def _spoken(clip: Clip, files: Files) -> list[Cue]:
    until = timing.end_card_start({"seconds": clip.seconds, "end_card": {"seconds": clip.end_card}})
    if clip.words:
        heard = speech.words(files.read(clip.words), clip.words)
        return speech.captions(speech.mended(heard, clip.script) if clip.script else heard, until)
    if clip.script:
        return speech.captions(speech.spread(clip.script, until), until)
    raise MediaError(
        "there is nothing to make captions from",
        hint="name a file of word times with `words:`, or write down what is said with `script:`",
    )


def _with(clip: Clip, data: bytes, name: str) -> Clip:
    found = subtitlefiles.read(data, name)
    for said in found:
        if said.start >= clip.seconds:
            what = f"{name}: a caption starts at {said.start:g} s, the clip ends at {clip.seconds:g} s"
            raise MediaError(what, [("text", said.text[:60])], "make the clip longer with `duration:`, or cut the file")
    return replace(clip, captions=tuple(_caption(said, clip.seconds) for said in found))


def _caption(said: subtitlefiles.Said, seconds: float) -> Caption:
    words = tuple((word.first, word.last, round(word.start, 3), round(word.end, 3)) for word in said.words)
    return Caption(said.text, said.start, round(min(said.end, seconds) - said.start, 3), words)
