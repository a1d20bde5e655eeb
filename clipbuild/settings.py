"""What the user and the machine decide, apart from any repository: configuration file, environment, trust.

Read once by the assembly and the command line; nothing below `build` sees it. Secrets are not kept here: they are
looked up by name at the moment a paid submit is due.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from clipbuild.errors import UsageError

KNOWN = frozenset((
    "ffmpeg", "jobs", "store", "budget_build", "budget_month", "confirm_above", "plugins", "base_urls", "remote",
    "remote_write",
))  # fmt: skip
"""What the configuration file may say."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`trusted` False: may plan, never spend. Paths "" mean the default place. `remote`: a folder or http(s) address where
    machines share results; `remote_write`: builds put theirs there."""

    trusted: bool = True
    ffmpeg: str = ""
    jobs: int = 0
    store: str = ""
    budget_build: str = ""
    budget_month: str = ""
    confirm_above: str = "5"
    plugins: tuple[str, ...] = ()
    base_urls: Mapping[str, str] = field(default_factory=dict)
    remote: str = ""
    remote_write: bool = False
    state_home: str = ""


def config_path(env: Mapping[str, str]) -> str:
    """Where the user's configuration is: $CLIPBUILD_CONFIG, else the XDG place."""
    home = env.get("XDG_CONFIG_HOME") or os.path.join(env.get("HOME", "/nonexistent"), ".config")
    return env.get("CLIPBUILD_CONFIG") or os.path.join(home, "clipbuild", "config.toml")


def is_trusted(env: Mapping[str, str]) -> bool:
    """A run in CI that does not say otherwise is untrusted: it may serve a fork's pull request."""
    told = env.get("CLIPBUILD_TRUSTED", "").strip().lower()
    if told:
        return told in ("1", "true", "yes")
    return env.get("CI", "").strip().lower() in ("", "0", "false", "no")


def load(env: Mapping[str, str]) -> Settings:
    """The settings of this run. Raises UsageError for a configuration that can't be read."""
    path = config_path(env)
    table = _read(path) if os.path.isfile(path) else {}
    state = env.get("XDG_STATE_HOME") or os.path.join(env.get("HOME", "/nonexistent"), ".local", "state")
    for key in sorted(set(table) - KNOWN):
        raise UsageError(f"{path}: unknown key {key!r}", [("known", ", ".join(sorted(KNOWN)))])
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    for key in ("budget_build", "budget_month", "confirm_above"):
        if key in values:
            values[key] = str(values[key])
    for key in ("ffmpeg", "remote"):
        if told := env.get(f"CLIPBUILD_{key.upper()}"):
            values[key] = told
    if env.get("CLIPBUILD_REMOTE_WRITE"):
        values["remote_write"] = env["CLIPBUILD_REMOTE_WRITE"].strip().lower() in ("1", "true", "yes")
    return Settings(trusted=is_trusted(env), state_home=os.path.join(state, "clipbuild"), **values)


def _read(path: str) -> dict[str, Any]:
    import tomllib

    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: can't be read: {error}", hint="mend or remove the file") from error
