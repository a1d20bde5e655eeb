"""Where secrets come from: the environment, or the user's own file that nobody else may read. Nowhere else.

    keys.toml, mode 0600, beside the user's configuration (or at $CLIPBUILD_KEYS):
    OPENAI_API_KEY = "…"

A value that was looked up is known to the redaction before anybody sees it. Knows nothing of providers.
"""

import os
import stat
from collections.abc import Mapping

from clipbuild.errors import UsageError, shown
from clipbuild.redact import learn


def keys_path(env: Mapping[str, str], config: str) -> str:
    """Where the user's keys are: $CLIPBUILD_KEYS, else beside the configuration file."""
    return env.get("CLIPBUILD_KEYS") or os.path.join(os.path.dirname(config), "keys.toml")


def look_up(variable: str, env: Mapping[str, str], path: str) -> str:
    """The secret, "" when there is none. Raises UsageError for a file that others may read, or that is none of ours."""
    value = env.get(variable, "") or _table(path).get(variable, "")
    for secret in (value, *value.split(":")):  # a pair is told by either half
        learn(secret)
    return value


def place(variable: str, env: Mapping[str, str], path: str) -> str:
    """Where a key would come from, for people; "" when there is none. The key itself is not told."""
    if env.get(variable):
        return "environment"
    return shown(path) if _table(path).get(variable) else ""


def _table(path: str) -> Mapping[str, str]:
    import tomllib

    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsageError(f"{shown(path)}: can't be read: {error.strerror}", hint="a plain file of your own") from error
    with open(fd, "rb") as file:
        facts = os.fstat(fd)
        if facts.st_mode & 0o077 or facts.st_uid != os.getuid() or not stat.S_ISREG(facts.st_mode):
            raise UsageError(f"{shown(path)}: others may read your keys", hint=f"chmod 600 {shown(path)}")
        try:
            table = tomllib.load(file)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"{shown(path)}: is no TOML (line and column are not shown: they may hold a key)") from error
    return {name: value for name, value in table.items() if isinstance(value, str)}
