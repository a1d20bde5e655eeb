"""The two doors to a shared cache: a folder, and plain HTTP(S). Named bytes in and out, nothing is ever replaced.

    cas/<SHA-256>    a blob
    ac/<SHA-256>     what a key gave, signed (see `remote`)

Any static file server with GET, HEAD and PUT will do: nginx with WebDAV, bazel-remote, an object store behind either.
Believes nothing it is told: who reads checks. Knows nothing of stores, keys or trust.
"""

import base64
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from clipbuild.engine import files
from clipbuild.errors import UsageError, shown

if TYPE_CHECKING:
    import httpx

Sink = Callable[[bytes], object]
ATTEMPTS = 3
CONNECT_SECONDS, IDLE_SECONDS, WHOLE_SECONDS = 5.0, 20.0, 600.0
_LOOPBACK = frozenset(("127.0.0.1", "localhost", "::1"))


class Unreachable(Exception):  # noqa: N818 - what it is, not whose fault
    """The cache did not answer as a cache does; whatever was asked counts as not there."""


class Door(Protocol):
    """Named bytes. Every method raises Unreachable."""

    def size(self, name: str) -> int | None:
        """Bytes under this name; None when there is nothing, -1 when the far side does not say."""
        ...

    def read(self, name: str, sink: Sink, limit: int) -> bool:
        """Hand the bytes to `sink`, at most `limit`; False when there is nothing. `sink` may have seen part of them
        when this raises."""
        ...

    def write(self, name: str, path: str, sha256: str) -> bool:
        """Put the file there; False when something of this name was there already, which then stays."""
        ...


def open_door(address: str, environ: Mapping[str, str]) -> Door:
    """The door to a folder or an http(s) address. Raises UsageError."""
    if "://" not in address:
        return Folder(os.path.expanduser(address))
    parts = urlsplit(address)
    if parts.scheme == "file" and not parts.netloc:
        return Folder(parts.path)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"remote {where(address)}: not a folder and not an http(s) address")
    return Web(address, environ.get("CLIPBUILD_REMOTE_TOKEN", ""))


def where(address: str) -> str:
    """The address as it may be shown: no user, no query."""
    if "://" not in address:
        return shown(address)
    parts = urlsplit(address)
    port = f":{parts.port}" if parts.port else ""
    return shown(f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}")


class Folder:
    """A folder, for example on a shared disk or in a CI's cache."""

    def __init__(self, root: str) -> None:
        self.root = root

    def size(self, name: str) -> int | None:
        try:
            return os.stat(self._place(name), follow_symlinks=False).st_size
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Unreachable(_told(error)) from error

    def read(self, name: str, sink: Sink, limit: int) -> bool:
        try:
            fd = os.open(self._place(name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise Unreachable(_told(error)) from error
        try:
            _pour(iter(lambda: os.read(fd, files.CHUNK), b""), sink, limit, None)
        except OSError as error:
            raise Unreachable(_told(error)) from error
        finally:
            os.close(fd)
        return True

    def write(self, name: str, path: str, sha256: str) -> bool:
        """A hard link from a temporary gives the name: it fails where the name is taken."""
        target = self._place(name)
        if os.path.lexists(target):
            return False
        temp = f"{target}.{os.urandom(6).hex()}.part"
        try:
            files.ensure_dir(os.path.dirname(target), 0o755)
            files.place(path, temp, share=False)
            os.chmod(temp, 0o444)
            files.flush([temp])
            os.link(temp, target, follow_symlinks=False)
        except FileExistsError:
            return False
        except OSError as error:
            raise Unreachable(_told(error)) from error
        finally:
            with suppress(OSError):
                os.unlink(temp)
        return True

    def _place(self, name: str) -> str:
        kind, digest = name.split("/")
        return os.path.join(self.root, kind, digest[:2], digest)


class Web:
    """An http(s) address. The token goes to that address alone, over TLS or to this machine."""

    def __init__(
        self, address: str, token: str = "", *, idle: float = IDLE_SECONDS, whole: float = WHOLE_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        self.address, self._token, self._sleep = address.rstrip("/"), token, sleep
        self._idle, self._whole = idle, whole
        self._open: httpx.Client | None = None

    def size(self, name: str) -> int | None:
        answer = self._asked(lambda client: client.head(self._url(name)))
        if answer.status_code in (404, 410):
            return None
        _expect(answer, 200, 204)
        told = answer.headers.get("content-length", "")
        return int(told) if told.isascii() and told.isdigit() and answer.status_code == 200 else -1

    def read(self, name: str, sink: Sink, limit: int) -> bool:
        import httpx

        try:
            with self._client().stream("GET", self._url(name)) as answer:
                if answer.status_code in (404, 410):
                    return False
                _expect(answer, 200)
                if answer.headers.get("content-encoding", "identity") != "identity":
                    raise Unreachable("the answer is encoded, which was not asked for")
                told = answer.headers.get("content-length", "")
                if told.isascii() and told.isdigit() and int(told) > limit:
                    raise Unreachable(f"more than {limit} bytes under one name")
                # as they come: pieces of a fixed size would hide a trickle from the clock
                _pour(answer.iter_raw(), sink, limit, time.monotonic() + self._whole)
        except (httpx.HTTPError, OSError) as error:
            raise Unreachable(_told(error)) from error
        return True

    def write(self, name: str, path: str, sha256: str) -> bool:
        if self.size(name) is not None:
            return False
        length = os.path.getsize(path)
        told = base64.b64encode(bytes.fromhex(sha256)).decode()
        headers = {
            "if-none-match": "*", "content-length": str(length), "content-type": "application/octet-stream",
            "content-digest": f"sha-256=:{told}:",
        }  # fmt: skip

        def put(client: "httpx.Client") -> "httpx.Response":
            with open(path, "rb") as body:  # opened anew for each attempt: never half of it again
                return client.put(self._url(name), content=iter(lambda: body.read(files.CHUNK), b""), headers=headers)

        answer = self._asked(put)
        if answer.status_code in (409, 412):
            return False
        _expect(answer, 200, 201, 202, 204)
        if self.size(name) not in (length, -1):
            raise Unreachable(f"{name[:16]} arrived cut")
        return True

    def _asked(self, ask: "Callable[[httpx.Client], httpx.Response]") -> "httpx.Response":
        """Ask up to three times; safe, for names are never given twice."""
        import httpx

        last = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                self._sleep(0.2 * 3**attempt)
            try:
                answer = ask(self._client())
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                raise Unreachable(_told(error)) from error
            except (httpx.HTTPError, OSError) as error:
                last = _told(error)
                continue
            if answer.status_code not in (429, 500, 502, 503, 504):
                return answer
            last = f"HTTP {answer.status_code}"
        raise Unreachable(last)

    def _client(self) -> "httpx.Client":
        if self._open is None:
            import httpx

            headers = {"accept-encoding": "identity"}
            parts = urlsplit(self.address)
            if self._token and (parts.scheme == "https" or parts.hostname in _LOOPBACK):
                headers["authorization"] = f"Bearer {self._token}"
            timeout = httpx.Timeout(self._idle, connect=CONNECT_SECONDS)
            self._open = httpx.Client(headers=headers, timeout=timeout, follow_redirects=False)
        return self._open

    def _url(self, name: str) -> str:
        parts = urlsplit(self.address)
        return parts._replace(path=f"{parts.path.rstrip('/')}/{name}").geturl()


def _expect(answer: Any, *statuses: int) -> None:
    if answer.status_code not in statuses:
        raise Unreachable(f"HTTP {answer.status_code}")


def _pour(chunks: Any, sink: Sink, limit: int, until: float | None) -> None:
    seen = 0
    for chunk in chunks:
        seen += len(chunk)
        if seen > limit:
            raise Unreachable(f"more than {limit} bytes under one name")
        if until is not None and time.monotonic() > until:
            raise Unreachable("too slow")
        sink(chunk)


def _told(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return shown(f"{type(error).__name__}: {error}", 200)
