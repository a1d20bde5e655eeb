"""One line of the lock: the quick way to read a pin accepts nothing that the strict way would not."""

import json
import os
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clipbuild import digest
from clipbuild.engine import lockline
from clipbuild.engine.action import Trace

SLOW = bool(os.environ.get("CLIPBUILD_SLOW"))


def d(text: str) -> digest.Digest:
    return digest.of_bytes(text.encode())


def line(**fields) -> str:
    """A pin's line, its sum right for what it says."""
    entry = {
        "kind": "pin", "key": d("key"), "name": "acme/SKU 1/animate", "cost": "0.35",
        "outputs": {"clip.mp4": d("clip"), "last.png": d("last")},
        "facts": {"provider": "kling", "job": "1", "at": "2025-01-31T12:00:00Z"}, **fields,
    }  # fmt: skip
    entry["sum"] = lockline.pin_sum(entry)
    return digest.canonical(entry).decode()


def strict(text: str) -> Trace | None:
    """The pin by the strict way."""
    try:
        entry = lockline.read(text)
    except (ValueError, RecursionError):
        return None
    if entry["kind"] != "pin":
        return None
    return Trace(entry["name"], entry["key"], entry["outputs"], entry["cost"], 0.0, entry["facts"])


def test_a_line_as_we_write_it_is_read_quickly():
    """The usual pin takes the quick way, with the same result."""
    assert lockline.quick_pin(line()) == strict(line()) is not None
    assert lockline.quick_pin(line(facts={})) == strict(line(facts={})) is not None


@pytest.mark.parametrize(
    "text",
    [
        line().replace('"cost"', ' "cost"'),
        line(cost="1e9"),
        line(cost="-1"),
        line(name=""),
        line(name='say "hi"'),
        line(name="ž"),
        line(facts={"url": "x"}),
        line(facts={"job": "https://x"}),
        line(outputs={}),
        line(outputs={"../x": d("x")}),
        line(outputs={"a/b": d("x")}),
        line(outputs={"clip.mp4": d("x").upper()}),
        line(key="0" * 63),
        line(url="https://x"),
        line()[:-1],
        line() + " ",
        line() + "\n",
        line().replace("0.35", "0.36"),
        "",
    ],
)
def test_anything_else_is_looked_at_closely(text):
    """Other spellings, unknown fields, paths, a sum that does not match: not the quick way's business."""
    assert lockline.quick_pin(text) is None


def resum(text: str) -> str:
    """The line with a sum that fits its bytes: what somebody could write who knows the format."""
    from hashlib import sha256

    head = text[:-26]
    total = sha256((head + "}").encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return head + ',"sum":"' + total + '"}'


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"clip.mp4"', '"last.png"'),
        ('"job":"1"', '"at":"1"'),
        ('"job":"1",', '"job":"1",,'),
        ('"cost"', '"cost","cost"'),
        ('.png":', '.png" :'),
    ],
)
def test_a_forged_sum_opens_no_second_way(old, new):
    """Fields twice and broken commas under a sum that fits are refused by both ways alike."""
    text = resum(line().replace(old, new))
    assert text != line()
    assert lockline.quick_pin(text) is None
    assert strict(text) is None


@settings(max_examples=30_000 if SLOW else 500, deadline=None)
@given(st.data())
def test_whatever_the_quick_way_accepts_the_strict_way_reads_the_same(data):
    """Fuzz with and without a sum that fits: no line is a pin for the one and something else for the other."""
    text = list(line())
    pieces = ['"', "\\", ",", ":", "{", "}", '"at":"', '":"', "://", "\u2028", "\n", "a", "0", "/", "..", d("z")]
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at : at + data.draw(st.integers(0, 3))] = list(data.draw(st.sampled_from(pieces)))
    joined = "".join(text)
    for candidate in (joined, resum(joined)):
        quick = lockline.quick_pin(candidate)
        if quick is not None:
            assert quick == strict(candidate)


def test_a_long_line_takes_no_long_time():
    """Lines made to send a pattern astray are answered at once."""
    began = time.perf_counter()
    for text in (
        '{"cost":"0","facts":{' + '"job":"",' * 7000,
        '{"cost":"0","facts":{"job":"' + "a" * 60_000,
        line().replace('"outputs":{', '"outputs":{' + '"a":"x",' * 8000),
        json.dumps({"a": "b" * 100_000}),
    ):
        assert lockline.quick_pin(text) is None
    assert time.perf_counter() - began < 0.5
