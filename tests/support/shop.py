"""A project whose pictures and motion are bought from fakes, through the real command line and a user's configuration."""

import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from tests.fakes.batches import OpenAIBatch
from tests.fakes.google import Google
from tests.fakes.kling import Kling
from tests.fakes.runway import Runway
from tests.fakes.server import Fake
from tests.support.project import Project

KEYS = {"OPENAI_API_KEY": "test-key", "KLING_API_KEY": "test-key", "RUNWAYML_API_SECRET": "test-key", "GEMINI_API_KEY": "test-key"}
ROOT = pathlib.Path(__file__).resolve().parents[2]
MOTION = {"kling": "kling/kling-3.0", "runway": "runway/gen4.5", "google": "google/gemini-omni-1.2-flash"}
FAKES: Mapping[str, type[Fake]] = {"openai": OpenAIBatch, "kling": Kling, "runway": Runway, "google": Google}


class Shop(Project):
    """Products in a profile `studio`: pictures from openai, motion from one of the others. `env` is what the user set."""

    took, said = 0.0, ""

    def __init__(self, root: pathlib.Path, fakes: Mapping[str, Fake]) -> None:
        super().__init__(root / "project", "studio")
        self.fakes, self.home = fakes, root
        self.root.mkdir()
        self.env = self._environment()
        self.configure()

    def _environment(self) -> dict[str, str]:
        keep = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH", "TMPDIR") if name in os.environ}
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        return {**keep, **KEYS, "PYTHONPATH": path, "CLIPBUILD_CONFIG": str(self.home / "config.toml"), "XDG_STATE_HOME": str(self.home / "state")}

    def configure(self, **settings: str) -> None:
        """The user's configuration: where the fakes are, a generous budget, and `settings` (TOML values)."""
        lines = [f"{name} = {value}" for name, value in {"budget_build": "100", **settings}.items()]
        lines += ["[base_urls]", *(f'{name} = "{fake.url}"' for name, fake in self.fakes.items())]
        (self.home / "config.toml").write_text("\n".join(lines) + "\n")

    def stock(self, count: int = 1, motion: str = "kling", extra: str = "", image: str = "openai", picture: str = "edit") -> None:
        """So many products; clips of three seconds, small; `motion` "local" buys pictures only; `picture` "": as usual."""
        self.sample(count)
        self.edit("clipbuild.yaml", "duration: 1", f"duration: 3\n  picture: {picture}" if picture else "duration: 3")
        profile = f'{{image: "{image}/gpt-image-2.5-flare:low", motion: "{MOTION.get(motion, motion)}", scale: 0.25}}'
        text = (self.root / "clipbuild.yaml").read_text()
        self.write("clipbuild.yaml", f"{text}profiles:\n  studio: {profile}\n{extra}")

    def command(self, *args: str) -> "subprocess.CompletedProcess[str]":
        """A command in a process of its own."""
        line = [sys.executable, "-m", "clipbuild", "-C", str(self.root), *args]
        return subprocess.run(line, env=self.env, capture_output=True, text=True, timeout=120, check=False)

    def interrupted(self, charges: int, number: signal.Signals = signal.SIGINT, *, again: bool = False) -> int:
        """Build in a process of its own and send it a signal once the bills show so many charges, soon after it once
        more if `again`; its status. `took` is then how long it took to end, `said` its last words."""
        command = [sys.executable, "-m", "clipbuild", "-C", str(self.root), "build", "--profile", self.profile, "--quiet"]
        process = subprocess.Popen(command, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        limit = time.monotonic() + 60
        while sum(self.charges().values()) < charges and process.poll() is None and time.monotonic() < limit:
            time.sleep(0.02)
        time.sleep(0.3)
        process.send_signal(number)
        began = time.monotonic()
        if again:
            time.sleep(0.3)
            process.send_signal(number)
        self.said = process.communicate(timeout=30)[0]
        self.took = time.monotonic() - began
        return process.returncode

    def charges(self) -> dict[str, int]:
        """How many charges each fake has on its bill."""
        return {name: len(fake.ledger.charges) for name, fake in self.fakes.items() if fake.ledger.charges}

    def submits(self) -> int:
        """Submits that arrived, in all."""
        return sum(fake.submits for fake in self.fakes.values())

    def doubles(self) -> int:
        """What was charged twice, in all."""
        return sum(len(fake.ledger.doubles()) for fake in self.fakes.values())


@contextmanager
def opened(root: pathlib.Path, *names: str, **settings: object) -> Iterator[Shop]:
    """A shop with fakes of these providers (all: none named); clips are tiny."""
    root.mkdir(exist_ok=True)
    with ExitStack() as stack:
        started = {name: stack.enter_context(FAKES[name](small=name != "openai", **settings)) for name in names or FAKES}
        yield Shop(root, started)
