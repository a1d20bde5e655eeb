"""All fake providers at once, for a rehearsal: `python -m tests.fakes` prints what to set, and runs until it is stopped."""

import argparse
import signal
import threading
from collections.abc import Mapping
from contextlib import ExitStack

from .batches import OpenAIBatch
from .google import Google
from .kling import Kling
from .kling_legacy import KlingLegacy
from .runway import Runway
from .server import Fake
from .vertex import Vertex

PORT = 4010
KEYS = {
    "openai": "OPENAI_API_KEY", "kling": "KLING_API_KEY", "runway": "RUNWAYML_API_SECRET", "google": "GEMINI_API_KEY",
    "vertex": "VERTEX_ACCESS_TOKEN", "kling-legacy": "KLING_ACCESS_SECRET",
}  # fmt: skip


def every(*, seconds: float = 0.0, slots: int = 0, small: bool = False, port: int = 0) -> Mapping[str, Fake]:
    """One fake of each provider, not yet started; `port` is that of the first, 0 for any."""
    kinds: tuple[type[Fake], ...] = (OpenAIBatch, Kling, Runway, Google, Vertex, KlingLegacy)
    return {
        kind.name: kind(seconds=seconds, slots=slots, small=small, port=port + number if port else 0)
        for number, kind in enumerate(kinds)
    }


def told(fakes: Mapping[str, Fake]) -> str:
    """What to write into the user's configuration, and which keys to set."""
    lines = [f"export {KEYS[name]}={fake.key}" for name, fake in fakes.items()]
    lines += ["", "# rehearse in a copy of the project: its lock remembers what a fake made as bought"]
    lines += ["# in the configuration file of clipbuild:", "[base_urls]"]
    return "\n".join([*lines, *(f'{name} = "{fake.url}"' for name, fake in fakes.items())])


def main(arguments: list[str] | None = None) -> None:
    """Start them, say how to reach them, wait for SIGINT or SIGTERM, then print the bill."""
    parser = argparse.ArgumentParser(prog="fake-providers", description=__doc__)
    parser.add_argument("--port", type=int, default=PORT, help="port of the first; the others follow (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long a job takes (default %(default)s)")
    parser.add_argument("--slots", type=int, default=5, help="jobs at once at each provider (default %(default)s)")
    parser.add_argument("--small", action="store_true", help="tiny results, for speed")
    options = parser.parse_args(arguments)
    fakes = every(seconds=options.seconds, slots=options.slots, small=options.small, port=options.port)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with ExitStack() as stack:
        for fake in fakes.values():
            stack.enter_context(fake)
        print(told(fakes), flush=True)
        stop.wait()
    for name, fake in fakes.items():
        print(f"{name}: {len(fake.ledger.charges)} charges, ${fake.ledger.total}, {fake.submits} submits")


if __name__ == "__main__":
    main()
