"""Digests and canonical documents: the only place where a `Digest` is made.

SHA-256 names blobs and keys, because a name that leaves the machine must not be forgeable.
XXH3-128 (a *fingerprint*) only answers "has it changed?" and never names anything.
Knows nothing of actions, clips or files' meaning.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, NewType

Digest = NewType("Digest", str)
"""SHA-256 as 64 lower-case hex digits."""

Fingerprint = NewType("Fingerprint", str)
"""XXH3-128 as 32 lower-case hex digits: a hint that something changed, never a name."""

CHUNK = 1 << 20
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
"""How much of a file is read at once."""
_HEX = re.compile(r"[0-9a-f]{64}\Z")


def canonical(document: Mapping[str, Any]) -> bytes:
    """The one byte form of a plain document: sorted keys, no spaces, UTF-8, no NaN.

    Raises ValueError for NaN and infinities, TypeError for anything that is not plain JSON data.
    """
    return _CANONICAL.encode(document).encode("utf-8", "surrogatepass")


def of_bytes(data: bytes) -> Digest:
    """SHA-256 of bytes."""
    return Digest(hashlib.sha256(data).hexdigest())


def of_document(document: Mapping[str, Any]) -> Digest:
    """SHA-256 of a document's canonical form."""
    return of_bytes(canonical(document))


def of_file(path: str) -> Digest:
    """SHA-256 of a file's bytes. Raises OSError."""
    with open(path, "rb", buffering=0) as file:
        return Digest(hashlib.file_digest(file, "sha256").hexdigest())


def parse(text: object) -> Digest:
    """`text` as a digest, or ValueError: for digests read from a file or a peer."""
    if isinstance(text, str) and _HEX.match(text):
        return Digest(text)
    raise ValueError(f"not a SHA-256 digest: {str(text)[:80]!r}")


def fingerprint(data: bytes) -> Fingerprint:
    """XXH3-128 of bytes."""
    import xxhash

    return Fingerprint(xxhash.xxh3_128_hexdigest(data))
