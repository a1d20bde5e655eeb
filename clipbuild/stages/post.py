"""Stage `post`: the words that go with a clip, as a JSON file for whoever posts it.

Everything is in the params already, cut to the platform's limits. Knows nothing of platforms or posting.
"""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clipbuild.stages.workdir import Workdir


ORDER = ("title", "description", "hashtags", "alt", "language", "duration", "ai")
"""How a person reads a post; other keys follow by name."""


@dataclass(frozen=True, slots=True)
class Post:
    """The stage: no inputs, params are the post itself."""

    name: str = "post"
    version: int = 1
    outputs: tuple[str, ...] = ("post",)
    tools: tuple[str, ...] = ()
    inline: bool = True

    def run(self, work: "Workdir") -> None:
        """Write the params as JSON: readable, in one order, the same bytes each time."""
        keys = [key for key in ORDER if key in work.params] + sorted(set(work.params) - set(ORDER))
        post = {key: work.params[key] for key in keys}
        text = json.dumps(post, indent=2, ensure_ascii=False, allow_nan=False)
        with open(work.out("post"), "w", encoding="utf-8", newline="\n") as file:
            file.write(text + "\n")


STAGE = Post()
