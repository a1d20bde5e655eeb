"""One line of `clipbuild.lock`: what it must look like, exactly. The format as a whole is told in `lock`.

Refuses whatever it would not have written itself. Knows nothing of what the entries say to each other.
"""

import json
import re
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

from clipbuild import digest
from clipbuild.digest import Digest
from clipbuild.engine.action import Trace

FORMAT = 1
MAX_LINE = 64 << 10
FACTS = ("provider", "model", "job", "at")
HEADER: dict[str, Any] = {"format": FORMAT, "kind": "header"}
_COST = re.compile(r"\d{1,9}(\.\d{1,9})?\Z", re.ASCII)
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")


class FormatError(ValueError):
    """Written by another version."""


def read(line: str) -> dict[str, Any]:
    """The entry in a line. Raises ValueError, FormatError, RecursionError."""
    entry = _object(line)
    check(entry)
    return entry


def _object(line: str) -> dict[str, Any]:
    if len(line) > MAX_LINE:
        raise ValueError("a line of more than 64 KiB")
    found = json.loads(line, object_pairs_hook=_unique, parse_constant=_no_constant)
    if not isinstance(found, dict):
        raise ValueError("not a JSON object")
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("one field twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def check(entry: dict[str, Any]) -> None:
    """Refuse an entry that does not have exactly the fields of its kind, each well formed. Raises ValueError."""
    kind = entry.get("kind")
    if kind == "header" and (entry != HEADER or type(entry["format"]) is not int):
        raise FormatError(f"a lock of format {entry.get('format')!r}; this clipbuild reads format {FORMAT}")
    fields = _FIELDS.get(kind) if isinstance(kind, str) else None
    if fields is None:
        raise ValueError(f"an entry of unknown kind {kind!r}")
    if entry.keys() != fields.keys():
        odd = sorted(entry.keys() ^ fields.keys())
        raise ValueError(f"a {kind} with fields missing or unknown: {', '.join(odd)}")
    for name, holds in fields.items():
        if not holds(entry[name]):
            raise ValueError(f"{kind}: bad {name}: {str(entry[name])[:100]!r}")
    if kind == "pin" and entry["sum"] != pin_sum(entry):
        raise ValueError("a pin that was changed by hand or by a merge: its sum does not match")


def _is_any(_value: object) -> bool:
    return True


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and len(value) == 64 and not value.strip("0123456789abcdef")


def _is_text(value: object, limit: int = 500) -> bool:
    return isinstance(value, str) and len(value) <= limit and value.isprintable()


def _is_outputs(value: object) -> bool:
    return isinstance(value, dict) and bool(value) and all(_FILE.match(k) and _is_digest(v) for k, v in value.items())


def _is_facts(value: object) -> bool:
    return isinstance(value, dict) and all(k in FACTS and _is_text(v) and "://" not in v for k, v in value.items())


_FIELDS: dict[str, dict[str, Callable[[Any], bool]]] = {
    "header": {"format": _is_any, "kind": _is_any},
    "pin": {
        "cost": lambda v: isinstance(v, str) and bool(_COST.match(v)),
        "facts": _is_facts,
        "key": _is_digest,
        "kind": _is_any,
        "name": lambda v: _is_text(v) and bool(v),
        "outputs": _is_outputs,
        "sum": lambda v: isinstance(v, str),
    },
    "take": {
        "because": _is_text,
        "key": _is_digest,
        "kind": _is_any,
        "take": lambda v: type(v) is int and 1 <= v <= 1_000_000,
    },
    "approval": {
        "at": lambda v: _is_text(v, 40),
        "by": _is_text,
        "digest": _is_digest,
        "key": _is_digest,
        "kind": _is_any,
        "name": _is_text,
        "pair": _is_text,
        "reason": _is_text,
        "verdict": lambda v: v in ("approved", "rejected"),
    },
}


def pin_sum(entry: Mapping[str, Any]) -> str:
    return digest.of_document({name: value for name, value in entry.items() if name != "sum"})[:16]


_TEXT = r"[ !#-\[\]-~]"
_PIN = re.compile(
    r'\{"cost":"(\d{1,9}(?:\.\d{1,9})?)",'
    rf'"facts":\{{((?:"(?:at|job|model|provider)":"{_TEXT}{{0,500}}"(?:,(?=")|(?=\}})))*)\}},'
    rf'"key":"([0-9a-f]{{64}})","kind":"pin","name":"({_TEXT}{{1,500}})",'
    r'"outputs":\{((?:"[A-Za-z0-9][A-Za-z0-9._-]{0,99}":"[0-9a-f]{64}"(?:,(?=")|(?=\})))+)\},'
    r'"sum":"([0-9a-f]{16})"\}',
    re.ASCII,
)


def quick_pin(line: str) -> Trace | None:
    """The pin in a line that is byte for byte as we write it, which nearly all are; None: look closer with `read`.

    A lock of a large catalog has tens of thousands of pins, and is read by every build that has something to do.
    """
    found = _PIN.fullmatch(line)
    if found is None or len(line) > MAX_LINE:
        return None
    cost, facts, key, name, outputs, total = found.groups()
    if "://" in facts or sha256(f"{line[:-26]}}}".encode()).hexdigest()[:16] != total:
        return None
    said, files = _pairs(facts), _pairs(outputs)
    if len(said) != facts.count('":"') or len(files) != outputs.count('":"'):
        return None
    return Trace(name, Digest(key), {file: Digest(blob) for file, blob in files.items()}, cost, 0.0, said)


def _pairs(text: str) -> dict[str, str]:
    """The pairs of a JSON object of plain texts, without its braces."""
    return dict(pair.split('":"', 1) for pair in text[1:-1].split('","')) if text else {}
