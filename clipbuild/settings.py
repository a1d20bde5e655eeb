"""What the user and the machine decide, apart from any repository: configuration file, environment, trust.

Read once by the assembly and the command line; nothing below `build` sees it. Secrets are not kept here: they are
looked up by name at the moment a paid submit is due.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from clipbuild.errors import UsageError, shown

KNOWN = {
    "ffmpeg": "a path", "jobs": "a number from 1 to 256", "store": "a path", "budget_build": "an amount in USD",
    "budget_month": "an amount in USD", "confirm_above": "an amount in USD", "plugins": "a list of names",
    "base_urls": "a table of addresses", "remote": "a path or address", "remote_write": "true or false",
    "partial_pictures": "a number from 0 to 3",
}  # fmt: skip
"""What the configuration file may say, and what each value is."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`trusted` False: may plan, never spend. Paths "" mean the default place. `remote`: a folder or http(s) address where
    machines share results; `remote_write`: builds put theirs there. `partial_pictures`: so many unfinished ones are
    bought of each picture on its way, where the provider sells them."""

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
    partial_pictures: int = 0
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
    """The settings of this run. Raises UsageError for a configuration that can't be read or understood."""
    path = config_path(env)
    table = _read(path) if os.path.isfile(path) else {}
    state = env.get("XDG_STATE_HOME") or os.path.join(env.get("HOME", "/nonexistent"), ".local", "state")
    values = {key: _value(path, key, value) for key, value in table.items()}
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


def _value(path: str, key: str, value: Any) -> Any:
    """One value as the settings hold it. Raises UsageError: a cap that is misspelt must not be no cap."""
    if key not in KNOWN:
        import difflib

        near = difflib.get_close_matches(key, KNOWN, n=1)
        hint = f'did you mean "{near[0]}"?' if near else ""
        raise UsageError(f"{path}: unknown key {shown(key)!r}", [("known", ", ".join(sorted(KNOWN)))], hint)
    kind = KNOWN[key]
    if not _fits(kind, value):
        raise UsageError(f"{path}: {key} is {kind}", [("found", shown(value, 80))], "mend the file")
    if kind == "an amount in USD":
        return str(value)
    return tuple(value) if isinstance(value, list) else value


def _fits(kind: str, value: Any) -> bool:
    match kind:
        case "true or false":
            return isinstance(value, bool)
        case "a number from 1 to 256" | "a number from 0 to 3":
            least, most = (int(word) for word in kind.split() if word.isdigit())
            return type(value) is int and least <= value <= most
        case "an amount in USD":
            return not isinstance(value, bool) and re.fullmatch(r"([0-9]{1,9}(\.[0-9]{1,12})?)?", str(value)) is not None
        case "a list of names":
            return isinstance(value, list) and all(isinstance(item, str) for item in value)
        case "a table of addresses":
            return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())
        case _:
            return isinstance(value, str)
