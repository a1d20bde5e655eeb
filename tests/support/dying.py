"""Builds a project as far as its motion is bought, and kills itself at the n-th line of the journal.

`python -m tests.support.dying PROJECT N`; N 0: to the end. The exit status is the build's.
"""

import os
import signal
import sys

from clipbuild import build as builder
from clipbuild import events, settings
from clipbuild.wish import Wish


def main(root: str, at: int) -> int:
    """One build."""
    seen = 0

    def listen(event: events.Event) -> None:
        nonlocal seen
        if isinstance(event, events.JobNoted):
            seen += 1
            if seen == at:
                os.kill(os.getpid(), signal.SIGKILL)

    bus = events.Bus(lambda: 0.0, [listen])
    options = builder.Options(jobs=2, max_spend="100", until="animate")
    return builder.build(Wish(root, profile="studio"), settings.load(os.environ), bus, options).status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
