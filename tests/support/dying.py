"""Builds a project as far as a stage, and kills itself at the n-th line of the journal, or where the n-th
bought blob is about to be listed as such: its answer came, and nothing of it is in the store.

`python -m tests.support.dying PROJECT STAGE LINE BLOB`; 0: never. The exit status is the build's.
"""

import os
import re
import signal
import sys
from typing import Any

from clipbuild import build as builder
from clipbuild import events, settings
from clipbuild.wish import Wish


def die_at(blob: int) -> None:
    """Die before the n-th rename that lists a blob as bought: within one folder, to the name of a blob."""
    seen = 0

    def hook(event: str, args: tuple[Any, ...]) -> None:
        nonlocal seen
        if event == "os.rename" and re.fullmatch("[0-9a-f]{64}", str(args[1])) and args[2] == args[3]:
            seen += 1
            if seen == blob:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def main(root: str, until: str, at: int, blob: int) -> int:
    """One build."""
    if blob:
        die_at(blob)
    seen = 0

    def listen(event: events.Event) -> None:
        nonlocal seen
        if isinstance(event, events.JobNoted):
            seen += 1
            if seen == at:
                os.kill(os.getpid(), signal.SIGKILL)

    bus = events.Bus(lambda: 0.0, [listen])
    options = builder.Options(jobs=2, max_spend="100", until=until)
    return builder.build(Wish(root, profile="studio"), settings.load(os.environ), bus, options).status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
