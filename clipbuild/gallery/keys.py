"""The secrets of one start of the server: what opens the first page, what a browser shows from then on.

A first key works once, so that an address seen over somebody's shoulder, in a history or in a process list is worth
nothing. Knows nothing of requests.
"""

import secrets
from dataclasses import dataclass, field
from hmac import compare_digest


def _secret() -> str:
    return secrets.token_urlsafe(32)


@dataclass(slots=True)
class Keys:
    """`first` opens the session once; `cookie` is the session; `page` must come with every write, from a page of ours."""

    first: str = field(default_factory=_secret)
    cookie: str = field(default_factory=_secret)
    page: str = field(default_factory=_secret)
    used: bool = False

    def open(self, told: str) -> bool:
        """Whether `told` is the first key, not used before. Uses it up."""
        good = not self.used and same(told, self.first)
        self.used = self.used or good
        return good

    def holds(self, told: str) -> bool:
        """Whether `told` is this session's cookie."""
        return same(told, self.cookie)


def same(one: str, other: str) -> bool:
    """Equal, in a time that does not tell how nearly."""
    return compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


