"""What adapters of clips by the second share: what can be made, what is to be known and what it costs, by a table alone.

Knows no protocol and asks nobody.
"""

from collections.abc import Sequence

from clipbuild.providers import models, photos
from clipbuild.providers.config import Config
from clipbuild.providers.contract import Price, Request


class Tabled:
    """Base of an adapter: `picture` is what it takes to start from; `_config` and `_models` are its own to set."""

    picture: photos.Picture
    _config: Config
    _models: models.Models

    def problems(self, request: Request) -> Sequence[str]:
        """What of this request the model cannot do."""
        model = models.find(self._models, request)
        found = models.problems(model, request, self._models, self._config.today())
        return found or photos.unfit(request, self.picture)

    def notes(self, request: Request) -> Sequence[str]:
        """What a person should know of the model."""
        return models.notes(models.find(self._models, request), self._config.today())

    def price(self, request: Request) -> Price | None:
        """The list price, with what may come on top."""
        model = models.find(self._models, request)
        return models.video_price(model, request) if model else None
