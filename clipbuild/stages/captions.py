"""Stage `captions`: the words of a clip as subtitle files, the same words at the same times as those drawn on it.

Knows nothing of pictures, fonts or platforms.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clipbuild.stages.workdir import Workdir


@dataclass(frozen=True, slots=True)
class Captions:
    """The stage: no inputs. Params: captions, hook, offer, cta, card, seconds, language."""

    name: str = "captions"
    version: int = 1
    outputs: tuple[str, ...] = ("srt", "vtt")
    tools: tuple[str, ...] = ()
    inline: bool = True

    def run(self, work: "Workdir") -> None:
        """Write both files. Raises MediaError for a text that can't be shown."""
        from clipbuild.media import subtitles, timing

        cues = timing.cues(work.params)
        for name, text in (("srt", subtitles.srt(cues)), ("vtt", subtitles.vtt(cues))):
            with open(work.out(name), "w", encoding="utf-8", newline="\n") as file:
                file.write(text)


STAGE = Captions()
