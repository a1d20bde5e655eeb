"""The door to a provider: requests that are never repeated here, answers as plain data, failures told by what they mean.

A submit goes out on a connection of its own, so that a kept one that has just died can't make its outcome unsure.
No redirects, no encodings, no retries. Knows no provider's words.
"""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from clipbuild.errors import UsageError
from clipbuild.providers.config import Config
from clipbuild.providers.contract import Outcome, PollError, SubmitError

if TYPE_CHECKING:
    import asyncio
    import ssl

    import httpx

LARGEST_ANSWER = 256 << 20
CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 60.0
LOOPBACK = frozenset(("127.0.0.1", "localhost", "::1"))
UNSENT = frozenset(("ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol", "ProxyError"))
"""Failures before a byte of the request went out, by class name: httpx and httpx2 share them (their docs, Exceptions)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a failed submit means, and who says so. A rule holds where all that it names agrees: HTTP status, the
    body's code, lower-case words of the message (`says`)."""

    outcome: Outcome
    source: str
    status: int = 0
    codes: frozenset[str] = frozenset()
    says: str = ""

    def holds(self, status: int, code: str, message: str) -> bool:
        """Whether it speaks of this failure."""
        alike = (not self.status or self.status == status) and (not self.codes or code in self.codes)
        return alike and self.says in message.lower()


COMMON = (
    Rule(Outcome.LANE_CLOSED, "RFC 9110 15.4: the resource is elsewhere; nothing was made here", status=301),
    Rule(Outcome.LANE_CLOSED, "RFC 9110 15.4", status=302),
    Rule(Outcome.LANE_CLOSED, "RFC 9110 15.4", status=303),
    Rule(Outcome.LANE_CLOSED, "RFC 9110 15.4", status=307),
    Rule(Outcome.LANE_CLOSED, "RFC 9110 15.4", status=308),
    Rule(Outcome.LANE_CLOSED, "RFC 9110 15.5.2: not authenticated", status=401),
    Rule(Outcome.LANE_CLOSED, "RFC 9110 15.5.3: payment required", status=402),
)
"""True of every provider, looked at after its own rules."""


def decide(rules: Iterable[Rule], status: int, code: str, message: str) -> Outcome:
    """What a failed submit means: the first rule that holds, else UNKNOWN: it may have been taken."""
    for rule in (*rules, *COMMON):
        if rule.holds(status, code, message):
            return rule.outcome
    return Outcome.UNKNOWN


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer: `body` is parsed JSON, or None where it was cut short or is no JSON."""

    status: int
    headers: Mapping[str, str]
    body: Any = None
    text: str = ""

    def map(self, name: str = "") -> Mapping[str, Any]:
        """The body, or a member of it, if it is an object; else an empty one."""
        value = self.body if not name else self.map().get(name)
        return value if isinstance(value, Mapping) else {}

    @property
    def retry_after(self) -> float | None:
        """Seconds the provider asks to wait, where it says so in a way that makes sense."""
        return seconds_of(self.headers)


def maps(value: object) -> list[Mapping[str, Any]]:
    """The objects of a list; nothing of what is no list."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def seconds_of(headers: Mapping[str, str]) -> float | None:
    """Retry-After as seconds: a number, or a date counted from the answer's own Date."""
    told = headers.get("retry-after", "").strip()
    if told.isascii() and told.isdigit():
        return float(told)
    try:
        return max(0.0, (parsedate_to_datetime(told) - parsedate_to_datetime(headers.get("date", ""))).total_seconds())
    except (TypeError, ValueError, OverflowError):
        return None


def bearer(config: Config, provider: str) -> str:
    """The key, fit for a header. Raises SubmitError: without one nothing can be sent."""
    key = config.key().strip()
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise SubmitError(Outcome.LANE_CLOSED, "no key", f"{provider}: there is no usable key")
    return key


def content(path: str) -> bytes:
    """An input picture's bytes. Raises SubmitError: without it nothing is sent."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise SubmitError(Outcome.REFUSED, "no picture", f"{os.path.basename(path)}: {error.strerror}") from error


def checked(base_url: str) -> str:
    """A base URL that a key may be sent to: https, or http to this machine. Raises UsageError."""
    from urllib.parse import urlsplit

    parts = urlsplit(base_url)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    if not is_safe or not parts.hostname or parts.username is not None or parts.query or parts.fragment:
        raise UsageError(f"{base_url.split('?')[0]}: no place to send a key to", hint="use https, or http to this machine")
    return base_url.rstrip("/")


@dataclass(slots=True)
class Http:
    """One provider's door. `headers` are made when a request is due, so that the key is looked up only then."""

    config: Config
    base_url: str
    headers: Callable[[], Mapping[str, str]]
    patience: float = 0.0
    _clients: dict[bool, tuple["asyncio.AbstractEventLoop", "httpx.AsyncClient"]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.patience = self.patience or self.config.patience or ANSWER_SECONDS

    async def read(self, method: str, path: str, **parts: Any) -> Answer:
        """A request that may be repeated. Raises PollError for a failure on the way, for 429 and for 5xx."""
        import httpx

        try:
            answer = await self._ask(method, path, is_submit=False, **parts)
        except httpx.HTTPError as error:
            raise PollError(type(error).__name__, "the provider could not be asked") from error
        except httpx.InvalidURL as error:
            raise PollError("InvalidURL", str(error)) from error
        if answer.status == 429 or answer.status >= 500:
            raise PollError(str(answer.status), "the provider asks to wait", answer.retry_after)
        if answer.status < 300 and answer.body is None:
            raise PollError("bad answer", "it was cut short or is no JSON")
        return answer

    async def submit(self, path: str, **parts: Any) -> Answer:
        """A request that may cost money, sent once. Raises SubmitError where there was no answer at all."""
        import httpx

        try:
            return await self._ask("POST", path, is_submit=True, **parts)
        except httpx.HTTPError as error:
            raise SubmitError(lost(error), type(error).__name__, "no answer to the submit") from error

    async def close(self) -> None:
        """Let the kept connections go."""
        import asyncio

        clients, self._clients = self._clients, {}
        for loop, client in clients.values():
            if loop is asyncio.get_running_loop():
                await client.aclose()

    async def _ask(self, method: str, path: str, *, is_submit: bool, **parts: Any) -> Answer:
        url = path if "://" in path else self.base_url + path
        own = {} if "://" in path else dict(self.headers())
        async with self.client(is_submit=is_submit).stream(method, url, headers=own, **parts) as response:
            return await _received(response)

    def client(self, *, is_submit: bool) -> "httpx.AsyncClient":
        """The connections of the running loop: those of submits are used once, those of reads are kept."""
        import asyncio

        loop = asyncio.get_running_loop()
        kept = self._clients.get(is_submit)
        if kept is None or kept[0] is not loop:
            kept = (loop, self._made(is_submit))
            self._clients[is_submit] = kept
        return kept[1]

    def _made(self, is_submit: bool) -> "httpx.AsyncClient":
        import httpx

        return httpx.AsyncClient(
            verify=trust(),
            transport=self.config.transport() if self.config.transport else None,
            timeout=httpx.Timeout(self.patience, connect=CONNECT_SECONDS, pool=None),
            limits=httpx.Limits(max_connections=200, max_keepalive_connections=0 if is_submit else 50),
            headers={"Accept-Encoding": "identity"},
            follow_redirects=False,
        )


@cache
def trust() -> "ssl.SSLContext":
    """The certificates that are trusted, read once: it takes 20 ms."""
    import httpx

    return httpx.create_ssl_context()


async def _received(response: "httpx.Response") -> Answer:
    """The whole answer; a body that is cut, coded or too long counts as none."""
    import httpx

    headers = {name.lower(): value for name, value in response.headers.items()}
    parts: list[bytes] = []
    try:
        size = 0
        async for part in response.aiter_raw():
            parts.append(part)
            size += len(part)
            if size > LARGEST_ANSWER:
                return Answer(response.status_code, headers)
    except httpx.HTTPError:
        return Answer(response.status_code, headers)
    if headers.get("content-encoding", "identity") != "identity":
        return Answer(response.status_code, headers)
    data = b"".join(parts)
    try:
        body = json.loads(data, parse_float=Decimal) if data else {}
    except (ValueError, RecursionError):
        body = None
    return Answer(response.status_code, headers, body, data[:2000].decode("utf-8", "replace"))


def lost(error: BaseException) -> Outcome:
    """Whether a request without an answer went out, told by the failure and what caused it."""
    seen: BaseException | None = error
    while seen is not None:
        if type(seen).__name__ in UNSENT:
            return Outcome.NOT_SENT
        seen = seen.__cause__ if type(seen).__module__.partition(".")[0] == "openai" else None
    return Outcome.UNKNOWN
