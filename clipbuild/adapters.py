"""Adapters of providers for one run: made when first asked for, keys looked up at the moment they are due.

Reads settings and environment; buys nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from clipbuild.digest import Digest
from clipbuild.engine.action import Action
from clipbuild.errors import UsageError
from clipbuild.providers.contract import Outcome, Provider, Request, SubmitError
from clipbuild.providers.desk import Order
from clipbuild.settings import Settings, config_path
from clipbuild.stages import registry as stages

if TYPE_CHECKING:
    from clipbuild.providers.config import Config


@dataclass(slots=True)
class Adapters:
    """Adapters by name. `environment` is where keys are looked up; in a run that is not trusted none is, and no plugin
    is imported."""

    settings: Settings
    environment: Mapping[str, str]
    made: dict[str, Provider] = field(default_factory=dict)

    def get(self, name: str) -> Provider:
        """The adapter. Raises UsageError for a provider that nobody stands for."""
        if name not in self.made:
            from clipbuild.providers import registry

            plugins = self.settings.plugins if self.settings.trusted else ()
            self.made[name] = registry.find(name, plugins)(self._config(name))
        return self.made[name]

    def may_ask(self, name: str) -> bool:
        """Whether this run may look into the adapter: a package of the user's own is not imported in one that is not
        trusted."""
        return self.settings.trusted or name not in self.settings.plugins

    def _config(self, name: str) -> "Config":
        from clipbuild.providers import keys, registry
        from clipbuild.providers.config import Config
        from clipbuild.providers.download import Downloader, nearby

        urls = self.settings.base_urls
        base = str(urls.get(name) or (urls.get("openai") if name == "openai-batch" else "") or "")
        path = keys.keys_path(self.environment, config_path(self.environment))

        def key() -> str:
            variable = registry.variable(name)
            try:
                found = keys.look_up(variable, self.environment, path) if self.settings.trusted else ""
            except UsageError as error:  # before anything was sent: nothing is unsure
                raise SubmitError(Outcome.LANE_CLOSED, "no key", f"{error.what}: {error.hint}") from error
            if not found.strip():
                raise SubmitError(Outcome.LANE_CLOSED, "no key", f"set {variable}")
            return found

        return Config(key, Downloader(nearby(base)), base, partials=self.settings.partial_pictures)

    async def close(self) -> None:
        """Let connections go."""
        for provider in self.made.values():
            close = getattr(provider, "close", None)
            if close is not None:
                await close()


def request_of(action: Action, paths: Mapping[str, str] | None = None) -> Request:
    """What an action wants bought. Without `paths` its pictures are only named: enough for a price and for what the
    model can't do."""
    params = {name: value for name, value in action.params.items() if name not in ("provider", "take", "hint")}
    if hint := action.params.get("hint"):
        params["prompt"] = f"{params.get('prompt', '')}\n{hint}"
    files = dict(paths) if paths is not None else dict.fromkeys(action.inputs, "")
    return Request(getattr(stages.stage(action.stage), "kind", ""), params, files)


def order_of(action: Action, key: Digest, paths: Mapping[str, str]) -> Order:
    """The same as an order."""
    return Order(key, action.name, str(action.params["provider"]), request_of(action, paths))
