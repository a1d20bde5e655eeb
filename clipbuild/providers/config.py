"""What an adapter is given besides requests: the key when it is due, where to ask, how to download, the day.

Whoever assembles the build makes one per provider. Knows no provider.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from time import time
from typing import TYPE_CHECKING, Protocol

from clipbuild.providers.models import Model

if TYPE_CHECKING:
    import httpx


class Download(Protocol):
    """The guarded downloader: `url` to the new file `dest`, whole or not at all. `kind` is image or video.

    `headers` are for the first host alone. Raises PollError; its `code` is the status where there was one.
    """

    async def __call__(self, url: str, dest: str, *, kind: str, headers: Mapping[str, str]) -> None: ...


def _today() -> date:
    from datetime import UTC, datetime

    return datetime.now(UTC).date()


@dataclass(frozen=True, slots=True)
class Config:
    """`key` looks the secret up at the moment it is needed; without one it raises SubmitError, for nothing can be sent.
    `base_url` "" is the provider's own; `models` {} the shipped table. `transport` stands in for the network; `patience`
    seconds to an answer; `partials` unfinished pictures to ask for on the way, where the provider sells them; `now` seconds
    since 1970."""

    key: Callable[[], str]
    download: Download
    base_url: str = ""
    models: Mapping[str, Model] = field(default_factory=dict)
    today: Callable[[], date] = _today
    transport: "Callable[[], httpx.AsyncBaseTransport] | None" = None
    patience: float | None = None
    partials: int = 0
    now: Callable[[], float] = time
