"""Which provider is found where, and which variable holds its key. A module is imported when its provider is needed.

To add a provider: one file beside this one with a `make(config)`, one line here; or the entry point group
`clipbuild.providers` in a package of your own, which is imported only when the user's configuration names it.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from clipbuild.errors import UsageError
from clipbuild.providers.contract import Provider

if TYPE_CHECKING:
    from clipbuild.providers.config import Config

GROUP = "clipbuild.providers"
HOME = "clipbuild.providers."


@dataclass(frozen=True, slots=True)
class Entry:
    """Module, the function in it that makes the adapter, and the variable of the key. `keeps` False: its answer is the
    only copy of a result, so that a lost one can't be adopted."""

    module: str
    make: str
    variable: str
    keeps: bool = True


PROVIDERS = {
    "openai": Entry(HOME + "openai", "make", "OPENAI_API_KEY", keeps=False),
    "openai-batch": Entry(HOME + "openai_batch", "make", "OPENAI_API_KEY"),
    "kling": Entry(HOME + "kling", "make", "KLING_API_KEY"),
    "kling-legacy": Entry(HOME + "kling_legacy", "make", "KLING_ACCESS_SECRET"),
    "runway": Entry(HOME + "runway", "make", "RUNWAYML_API_SECRET"),
    "google": Entry(HOME + "google", "make", "GEMINI_API_KEY"),
    "vertex": Entry(HOME + "google", "make_vertex", "VERTEX_ACCESS_TOKEN"),
}


def variable(name: str) -> str:
    """The environment variable of a provider's key."""
    known = PROVIDERS.get(name)
    return known.variable if known else f"{name.upper().replace('-', '_')}_API_KEY"


def keeps(name: str) -> bool:
    """Whether the provider has a result for a while, so that a job can be adopted by its id."""
    known = PROVIDERS.get(name)
    return known is None or known.keeps


def find(name: str, plugins: Collection[str] = ()) -> "Callable[[Config], Provider]":
    """What makes the adapter `name`; `plugins` are the entry points that the user's configuration names.

    Raises UsageError for a name that nobody stands for; nothing else of a package is imported to find that out.
    """
    entry = PROVIDERS.get(name)
    if entry is not None:
        found: Any = getattr(import_module(entry.module), entry.make)
        return found  # type: ignore[no-any-return]
    if name in plugins:
        return _plugin(name)
    known = ", ".join([*PROVIDERS, *sorted(plugins)])
    hint = f'if a package of yours brings it: `plugins = ["{name}"]` in your configuration'
    raise UsageError(f"there is no provider {name!r}", [("known", known)], hint)


def _plugin(name: str) -> "Callable[[Config], Provider]":
    from importlib.metadata import entry_points

    found = list(entry_points(group=GROUP, name=name))
    if len(found) != 1:
        what = "no installed package brings" if not found else "more than one package brings"
        raise UsageError(f"{what} the provider {name!r}", hint=f"install one, or take {name!r} out of `plugins`")
    try:
        made: Any = found[0].load()
    except Exception as error:
        raise UsageError(f"the provider {name!r} can't be loaded: {type(error).__name__}: {error}") from error
    return made  # type: ignore[no-any-return]
