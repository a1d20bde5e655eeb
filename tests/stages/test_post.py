"""The post's file is what was planned, readable, in one order, the same bytes each time."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from clipbuild.stages.post import Post

POST = {
    "hashtags": ["home", "küche"], "title": "50% off — „Tasse“", "alt": "a mug", "duration": 5.0, "language": "ar",
    "description": "مرحبا\nline two", "zeta": 1,
    "ai": {"generated": ["image"], "digital_source_type": "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia", "disclose": True},
}  # fmt: skip


def run(folder: Path, params: dict[str, Any]) -> bytes:
    Post().run(SimpleNamespace(params=params, inputs={}, out=lambda name: str(folder / name)))  # type: ignore[arg-type]
    return (folder / "post").read_bytes()


def test_nothing_is_lost_or_escaped(tmp_path: Path) -> None:
    """Every key comes back, and other scripts are written as themselves."""
    data = run(tmp_path, POST)
    assert json.loads(data) == POST
    assert "مرحبا" in data.decode()
    assert data.endswith(b"}\n")


def test_the_order_is_a_reader_s(tmp_path: Path) -> None:
    """Title first, disclosure last, unknown keys after it by name; the order of the params does not matter."""
    keys = list(json.loads(run(tmp_path, POST)))
    assert keys == ["title", "description", "hashtags", "alt", "language", "duration", "ai", "zeta"]
    assert run(tmp_path, dict(reversed(POST.items()))) == run(tmp_path, POST)


def test_not_a_number_is_no_json(tmp_path: Path) -> None:
    """A duration that is no number is a fault of ours, not a file that others can't read."""
    with pytest.raises(ValueError, match="JSON"):
        run(tmp_path, POST | {"duration": float("nan")})
