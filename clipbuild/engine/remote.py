"""A cache that several machines share: blobs by digest, and signed word of what a free action gave.

A blob is only what its digest says, and that is checked when it arrives; so blobs need no trust. That a *key* gave a
blob is believed only from the lock, or from a statement that carries the signature of a secret which the machines
share (CLIPBUILD_REMOTE_KEY); never of what costs money, and never without. A cache that is down, slow, full or lying
is a miss, with one warning. Knows nothing of clips or of what a build wants.
"""

import hmac
import json
import os
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from clipbuild import digest
from clipbuild.digest import Digest
from clipbuild.engine.action import Trace
from clipbuild.engine.doors import Door, Unreachable, open_door, where
from clipbuild.engine.store import Store
from clipbuild.errors import IntegrityError, UsageError

FORMAT = 1
MAX_BLOB, MAX_STATEMENT = 2 << 30, 64 << 10
KEY, LEAST_KEY = "CLIPBUILD_REMOTE_KEY", 16
GIVE_UP = 3
"""After this many refusals in a row the cache is let alone for the rest of the run."""


@dataclass(frozen=True, slots=True)
class Trust:
    """What this run may do with the cache: `write` put things there, `secret` sign and believe statements ("" for
    neither). A run that is not trusted has neither: it reads pinned blobs."""

    write: bool = False
    secret: str = ""


def open_remote(
    address: str, environ: Mapping[str, str], *, trusted: bool, write: bool, warn: Callable[[str], None]
) -> "Remote | None":
    """The cache of the user's configuration, None when there is none. Raises UsageError."""
    if not address:
        return None
    secret = environ.get(KEY, "") if trusted else ""
    if secret and len(secret) < LEAST_KEY:
        raise UsageError(f"{KEY} is too short", [("at least", f"{LEAST_KEY} characters")], "openssl rand -hex 32")
    return Remote(open_door(address, environ), Trust(write and trusted, secret), warn, where(address))


class Remote:
    """One cache, seen through its `door`. Safe to use from several threads."""

    def __init__(
        self, door: Door, trust: Trust, warn: Callable[[str], None], name: str = "the cache", *, largest: int = MAX_BLOB
    ) -> None:
        self.trust, self.name, self._largest = trust, name, largest
        self._door, self._warn = door, warn
        self._refused, self._told = 0, False
        self._guard = threading.Lock()

    @property
    def closed(self) -> bool:
        """It failed so often in a row that it is let alone."""
        return self._refused >= GIVE_UP

    def fetch(self, name: Digest, store: Store, folder: str, *, precious: bool = False) -> bool:
        """Bring a blob into the store, by way of a temporary in `folder`; False when it can't be had."""
        if self.closed:
            return False
        fd, path = tempfile.mkstemp(prefix="remote-", dir=folder)
        try:
            with os.fdopen(fd, "wb") as file:
                if not self._door.read(f"cas/{name}", file.write, self._largest):
                    self._answered()
                    return False
            store.add_file(path, expect=name, precious=precious)
        except IntegrityError:
            self._failed(f"blob {name[:12]} came with other bytes than its name says")
            return False
        except (Unreachable, OSError) as error:
            self._failed(str(error))
            return False
        finally:
            os.unlink(path)
        self._answered()
        return True

    def push(self, name: Digest, store: Store) -> str:
        """Put a blob there: "sent", "there" when it was, "refused" when that is not possible or not allowed."""
        if self.closed or not self.trust.write or not store.sound(name):
            return "refused"
        try:
            sent = self._door.write(f"cas/{name}", store.path(name), name)
            if not sent and self._door.size(f"cas/{name}") not in (store.size(name), -1):
                self._failed(f"blob {name[:12]} lies there with another size and can't be replaced")
                return "refused"
        except (Unreachable, OSError) as error:
            self._failed(str(error))
            return "refused"
        self._answered()
        return "sent" if sent else "there"

    def statement(self, key: Digest) -> Trace | None:
        """What a free action of this key gave, if somebody who has the secret says so."""
        if self.closed or not self.trust.secret:
            return None
        parts: list[bytes] = []
        try:
            found = self._door.read(f"ac/{key}", parts.append, MAX_STATEMENT)
        except Unreachable as error:
            self._failed(str(error))
            return None
        self._answered()
        return _believed(b"".join(parts), key, self.trust.secret) if found else None

    def say(self, trace: Trace, store: Store, folder: str) -> str:
        """Sign what a free action gave: "sent", "there", or "refused". What was said first stays; a different second
        word is reported."""
        if self.closed or not self.trust.write or not self.trust.secret or trace.cost != "0" or trace.facts:
            return "refused"
        data = _signed(trace, {name: store.size(blob) for name, blob in trace.outputs.items()}, self.trust.secret)
        fd, path = tempfile.mkstemp(prefix="remote-", dir=folder)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(data)
            sent = self._door.write(f"ac/{trace.key}", path, digest.of_bytes(data))
        except (Unreachable, OSError) as error:
            self._failed(str(error))
            return "refused"
        finally:
            os.unlink(path)
        if not sent:
            first = self.statement(trace.key)
            if first is not None and dict(first.outputs) != dict(trace.outputs):
                self._failed(f"{trace.name}: another machine made other bytes of the same key", counts=False)
        return "sent" if sent else "there"

    def _answered(self) -> None:
        with self._guard:
            self._refused = self._refused if self.closed else 0

    def _failed(self, why: str, *, counts: bool = True) -> None:
        with self._guard:
            self._refused += counts
            told, self._told = self._told, True
        if not told:
            self._warn(f"{self.name}: {why}; the build goes on without")


def _signed(trace: Trace, sizes: Mapping[str, int], secret: str) -> bytes:
    body: dict[str, Any] = {
        "format": FORMAT, "key": trace.key, "name": trace.name, "seconds": str(trace.seconds),
        "outputs": {name: [blob, sizes[name]] for name, blob in trace.outputs.items()},
    }  # fmt: skip
    return digest.canonical({**body, "mac": _mac(body, secret)})


def _believed(data: bytes, key: Digest, secret: str) -> Trace | None:
    """The trace in a statement, if its shape, its key and its signature are right."""
    try:
        said = json.loads(data)
        mac = said.pop("mac")
        if not hmac.compare_digest(str(mac), _mac(said, secret)) or said["key"] != key or said["format"] != FORMAT:
            return None
        outputs = {str(name): digest.parse(blob) for name, (blob, _size) in said["outputs"].items()}
        return Trace(str(said["name"]), key, outputs, "0", float(said["seconds"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _mac(body: Mapping[str, Any], secret: str) -> str:
    return hmac.new(secret.encode(), b"clipbuild statement 1\n" + digest.canonical(body), sha256).hexdigest()
