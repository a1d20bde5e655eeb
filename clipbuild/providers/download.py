"""The guarded downloader: addresses from providers and catalogs, fetched whole or not at all.

https only, every address of the name public, the connection made to the address that was checked; at most three
redirects, each checked the same way, a key never taken along; sizes and times bounded; the file gets its name only
when its container is whole. Results of a provider that the user runs on this machine may come from there.
"""

import asyncio
import ipaddress
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import SplitResult, urljoin, urlsplit

from clipbuild.errors import shown
from clipbuild.providers import container
from clipbuild.providers.contract import PollError
from clipbuild.providers.http import LOOPBACK, seconds_of, trust

if TYPE_CHECKING:
    import httpx

Resolve = Callable[[str, int], Awaitable[list[str]]]
_MOVED = frozenset((301, 302, 303, 307, 308))
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48")


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bytes by kind, seconds to the headers, of silence, and for all of it, redirects."""

    image: int = 64 << 20
    video: int = 2 << 30
    headers: float = 30.0
    idle: float = 60.0
    whole: float = 1800.0
    redirects: int = 3


@dataclass(frozen=True, slots=True)
class Hop:
    """A checked address: where to connect, and the name to ask for."""

    url: str
    address: str
    host: str
    origin: tuple[str, str, int]


async def resolved(host: str, port: int) -> list[str]:
    """Every address of a name. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


@dataclass(slots=True)
class Downloader:
    """`near` are origins (scheme, host, port) on this machine that the user configured as a provider."""

    near: frozenset[tuple[str, str, int]] = frozenset()
    bounds: Bounds = field(default_factory=Bounds)
    resolve: Resolve = resolved
    transport: "Callable[[], httpx.AsyncBaseTransport] | None" = None

    async def __call__(self, url: str, dest: str, *, kind: str, headers: Mapping[str, str]) -> None:
        """`url` to the new file `dest`. Raises PollError; its `code` is the HTTP status where there was one."""
        import httpx

        try:
            async with asyncio.timeout(self.bounds.whole):
                await self._fetch(url, dest, kind, headers)
        except TimeoutError:
            raise PollError("too slow", f"not whole after {self.bounds.whole:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise PollError(type(error).__name__, "the download broke off") from error
        except OSError as error:
            raise PollError("disk", shown(error.strerror or error)) from error

    async def _fetch(self, url: str, dest: str, kind: str, headers: Mapping[str, str]) -> None:
        hop, seen = await self.check(url), {url}
        first = hop.origin
        for _ in range(self.bounds.redirects + 1):
            own = headers if hop.origin == first else {}
            further = await self._take(hop, dest, kind, own)
            if further is None:
                return
            url = urljoin(url, further)
            if url in seen:
                raise PollError("redirects", "it leads in a circle")
            seen.add(url)
            hop = await self.check(url)
        raise PollError("redirects", f"more than {self.bounds.redirects}")

    async def check(self, url: str) -> Hop:
        """Where `url` leads, if anything may be fetched from there. Raises PollError(code "refused")."""
        parts = _split(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        origin = (parts.scheme, host, port)
        if origin in self.near:
            return Hop(url, host, host, origin)
        if parts.scheme != "https" or port != 443:
            raise _refused("only https on its usual port is fetched")
        try:
            found = [host] if _is_numeric(host) else await self.resolve(host, port)
        except OSError as error:
            raise PollError("no address", f"{shown(host, 100)}: {shown(error.strerror or error)}") from error
        if not found or not all(is_public(address) for address in found):
            raise _refused(f"{shown(host, 100)} is not on the public network")
        return Hop(url, found[0], host, origin)

    async def _take(self, hop: Hop, dest: str, kind: str, headers: Mapping[str, str]) -> str | None:
        """Fetch into `dest`, or say where it moved to."""
        parts = urlsplit(hop.url)
        literal = f"[{hop.address}]" if ":" in hop.address else hop.address
        netloc = literal if parts.port is None else f"{literal}:{parts.port}"
        extensions = {"sni_hostname": hop.host} if parts.scheme == "https" else {}
        asked = {**headers, "Host": parts.netloc, "Accept-Encoding": "identity", "Accept": "*/*"}
        async with self._client() as client:
            place = parts._replace(netloc=netloc).geturl()
            request = client.build_request("GET", place, headers=asked, extensions=extensions)
            async with asyncio.timeout(self.bounds.headers):
                response = await client.send(request, stream=True)
            try:
                if response.status_code in _MOVED and "location" in response.headers:
                    return str(response.headers["location"])
                await self._store(response, dest, kind)
            finally:
                await response.aclose()
        return None

    def _client(self) -> "httpx.AsyncClient":
        import httpx

        return httpx.AsyncClient(
            verify=trust(),
            trust_env=False,
            transport=self.transport() if self.transport else None,
            timeout=httpx.Timeout(self.bounds.idle, connect=10.0, read=self.bounds.idle),
            follow_redirects=False,
        )

    async def _store(self, response: "httpx.Response", dest: str, kind: str) -> None:
        headers = {name.lower(): value for name, value in response.headers.items()}
        if response.status_code != 200:
            raise PollError(str(response.status_code), "no result at its address", seconds_of(headers))
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise PollError("encoded", "it comes compressed, which was not asked for")
        most = self.bounds.image if kind == "image" else self.bounds.video
        claimed = headers.get("content-length", "")
        if claimed.isdigit() and int(claimed) > most:
            raise PollError("too large", f"{int(claimed):,} bytes; at most {most:,} are fetched")
        part = f"{dest}.part"
        try:
            got = await _written(response, part, most)
            if claimed.isdigit() and got != int(claimed):
                raise PollError("cut", f"{got:,} of {int(claimed):,} bytes")
            if container.format_of(part) not in container.FORMATS[kind]:
                raise PollError("not whole", f"{got:,} bytes that are no whole {kind}")
            os.rename(part, dest)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(part)


async def _written(response: "httpx.Response", part: str, most: int) -> int:
    got = 0
    with _fresh(part) as file:
        async for data in response.aiter_raw(1 << 18):
            got += len(data)
            if got > most:
                raise PollError("too large", f"more than {most:,} bytes")
            file.write(data)
    return got


def _fresh(path: str) -> BinaryIO:
    return open(path, "xb")


def _split(url: str) -> SplitResult:
    """The parts of an address that reads the same to everybody. Raises PollError(code "refused")."""
    if not url.isascii() or any(char <= " " or char in '\\"<>^`{|}\x7f' for char in url) or len(url) > 8192:
        raise _refused("the address holds characters that do not belong there")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise _refused("that is no address") from None
    if parts.username is not None or parts.password is not None or "@" in parts.netloc or not parts.hostname:
        raise _refused("the address names a user, or no host")
    return parts


def _refused(why: str) -> PollError:
    return PollError("refused", why)


def _is_numeric(host: str) -> bool:
    """A host that is an address. Raises PollError for one that only some would take for an address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        last = host.rstrip(".").rpartition(".")[2]
        if not last[:1].isalpha():
            raise _refused("the host is a number in disguise") from None
        return False
    return True


def is_public(address: str) -> bool:
    """The address is on the public network, whichever way it is written."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return is_public(str(found.ipv4_mapped))
        if found.sixtofour is not None or found.teredo is not None or any(found in net for net in _TRANSLATED):
            return False
    return found.is_global and not found.is_multicast


def nearby(base_url: str) -> frozenset[tuple[str, str, int]]:
    """The origin of a base URL that is on this machine; empty for one that is not."""
    parts = urlsplit(base_url)
    if parts.hostname not in LOOPBACK:
        return frozenset()
    return frozenset(((parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)),))
