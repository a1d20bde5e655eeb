"""Faults get their places from the text, and unknown words the nearest known one."""

import pytest

from clipbuild.catalog.faults import Fault, near, problems, unknown

TEXT = b"products:\n  - sku: a\n    motion: {name: x}\n"


def test_places() -> None:
    """The value's place, the key's when the key is meant, and that of what holds it where nothing is written."""
    path = ("products", 0, "motion", "name")
    faults = [Fault(path, "value"), Fault(path, "key", key=True), Fault(("products", 0, "photos"), "missing"), Fault(("x",), "top")]
    found = {p.what: (p.line, p.column) for p in problems("a.yaml", TEXT, faults)}
    assert found == {"value": (3, 20), "key": (3, 14), "missing": (2, 5), "top": (1, 1)}


def test_no_faults_no_look_up() -> None:
    """A file without faults is not read again; one that can't be read still gets its faults said."""
    assert problems("a.yaml", b"\xff", []) == []
    assert [(p.line, p.what) for p in problems("a.yaml", b"\xff", [Fault((), "x")])] == [(0, "x")]


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [("promtp", ["prompt", "photos"], "prompt"), ("push_in", ["push-in"], "push-in"), ("TikTok", ["tiktok"], "tiktok"), ("zzz", ["a"], "")],
)
def test_near(word: str, known: list[str], meant: str) -> None:
    """Case, dashes and a slip of the finger don't matter."""
    assert near(word, known) == meant


def test_unknown_words_list_the_known_ones_unless_they_are_many() -> None:
    """A short list is shown whole; of a long one only the nearest."""
    assert unknown((), "motion", "drfit", ["drift", "float"]).facts == (("known", "drift, float"),)
    many = [f"key{n}" for n in range(40)]
    assert unknown((), "key", "key1x", many).facts == ()
    assert unknown((), "key", "???", many).facts[0][1].endswith("…")


def test_control_characters_are_escaped() -> None:
    """A word from a file can't write to the terminal."""
    assert "\x1b" not in unknown((), "key", "a\x1b[2J", []).what
