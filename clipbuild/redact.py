"""One filter for secrets, in front of every place where text leaves: terminal, events, journal, reports, errors.

A secret is learned when it is read; from then on it is hidden in the forms in which it could come back: as it is,
percent-encoded, base64, hex, escaped. Besides, addresses lose user part, query and fragment, and what looks like a
key is hidden. Knows nothing of where a secret comes from.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl, quote, urlsplit

HIDDEN = "[secret]"
LEAST = 8
"""Shorter values are no secrets, and hiding them would make nonsense of ordinary words."""
_NAMES = re.compile(r"(KEY|TOKEN|SECRET|PASSW|CREDENTIAL|AUTH|SIGNED|JWT|SAS)", re.IGNORECASE)
_ADDRESS = re.compile(r"\b([a-z][a-z0-9+.-]{1,20}://)([^\s\"'<>]*)", re.IGNORECASE)
_LOOKS = re.compile(
    r"\b(?:sk|rk|pk|key|whsec|ghp|gho|xox[bp])[-_][A-Za-z0-9*._-]{8,}|\bAIza[A-Za-z0-9_-]{20,}|\bAKIA[A-Z0-9]{12,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?|\b[Bb]earer\s+[A-Za-z0-9._~+/=-]{8,}"
)
_known: set[str] = set()
_pattern: list[re.Pattern[str]] = []


def learn(secret: str) -> None:
    """Hide this value from now on, in all its forms; of an address what is secret in it: password and query."""
    value = secret.strip()
    if "://" in value:
        try:
            parts = urlsplit(value)
        except ValueError:
            return
        for part in (parts.password or "", *(said for _, said in parse_qsl(parts.query)), *parts.query.split("&")):
            learn(part.rpartition("=")[2])
        return
    if len(value) >= LEAST and value not in _known:
        _known.add(value)
        _pattern.clear()


def learn_environment(env: Mapping[str, str]) -> None:
    """Hide the values of all variables whose names speak of a secret."""
    for name, value in env.items():
        if (_NAMES.search(name) and not value.startswith("/")) or "://" in value:
            learn(value)


def redact(text: str) -> str:
    """`text` without secrets. Cheap where there is none."""
    if _known:
        if not _pattern:
            forms = sorted({form for secret in _known for form in _forms(secret)}, key=len, reverse=True)
            _pattern.append(re.compile("|".join(map(re.escape, forms))))
        text = _pattern[0].sub(HIDDEN, text)
    if "://" in text:
        text = _ADDRESS.sub(_plain_address, text)
    return _LOOKS.sub(HIDDEN, text)


def _plain_address(found: re.Match[str]) -> str:
    place = re.split(r"[?#]", found[2], maxsplit=1)[0]
    host, slash, path = place.partition("/")
    cut = "?…" if place != found[2] else ""
    return f"{found[1]}{host.rpartition('@')[2]}{slash}{path}{cut}"


def _forms(secret: str) -> Iterator[str]:
    """The secret as it may come back."""
    data = secret.encode("utf-8", "surrogatepass")
    once = quote(data, safe="")
    yield from (secret, once, quote(once, safe=""), quote(data), once.replace("%20", "+"))
    yield from (once.lower(), json.dumps(secret)[1:-1], repr(secret)[1:-1], ascii(secret)[1:-1])
    yield from (binascii.hexlify(data).decode(), binascii.hexlify(data).decode().upper(), secret[::-1])
    for shift in range(3):
        yield from _encoded(data, shift)
    yield from (line for line in secret.splitlines() if len(line) >= LEAST)
    if len(secret) >= 20:
        yield from (secret[:12], secret[-12:])


def _encoded(data: bytes, shift: int) -> Iterator[str]:
    """Base64 of the bytes somewhere in a longer text, of which `shift` bytes (mod 3) stand before: the part that is sure."""
    text = base64.b64encode(b"\0" * shift + data).decode()
    sure = text[-(-shift * 8 // 6) :].rstrip("=")
    sure = sure[:-1] if (len(data) + shift) % 3 else sure
    if len(sure) >= LEAST:
        yield sure
        yield sure.replace("+", "-").replace("/", "_")
