"""The model tables: every entry whole, sensible and sourced; how a frame, a length and a price are chosen."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from clipbuild.providers import models
from clipbuild.providers.contract import Request

TABLES = {name: models.shipped(name) for name in ("openai", "kling", "kling-legacy", "runway", "google")}
EVERY = [pytest.param(model, id=f"{provider}/{name}") for provider, table in TABLES.items() for name, model in table.items()]
ALIVE = [param for param in EVERY if not (param.values[0].ends and param.values[0].ends < date(2026, 11, 23))]


@pytest.mark.parametrize("model", EVERY)
def test_every_entry_has_a_source_and_a_way_out(model: models.Model) -> None:
    """A model says where its facts are from; one that ends names a successor that does not end before it."""
    assert model.source
    assert model.kind in ("image", "video", "words")
    if model.successor:
        successor = TABLES[model.provider][model.successor]
        assert successor.ends is None


@pytest.mark.parametrize("model", ALIVE)
def test_every_live_entry_is_whole(model: models.Model) -> None:
    """Frames have the shape of their aspect, in rising size; lengths rise; prices belong to frames that exist."""
    for aspect, sizes in model.sizes.items():
        across, down = (int(part) for part in aspect.split(":"))
        assert [size.width for size in sizes] == sorted(size.width for size in sizes)
        assert all(abs(size.width * down / (size.height * across) - 1) < 0.06 for size in sizes)
    assert list(model.seconds) == sorted(set(model.seconds))
    names = {name for sizes in model.sizes.values() for size in sizes for name in (size.name, models.resolution(size))}
    assert set(model.per_second) <= names
    assert model.audio in ("never", "optional", "always")
    if model.kind == "video":
        assert model.seconds
        assert model.prompt
    if model.audio == "never":
        assert all(pair[1] is None for pair in model.per_second.values())
    for rows in model.per_picture.values():
        assert all(price > 0 for _, price in rows)


def test_a_frame_covers_what_is_wanted() -> None:
    """The smallest that covers, the largest where none does, a named one where it is named."""
    omni = TABLES["google"]["gemini-omni-1.2-flash"]

    def chosen(**params: Any) -> str | None:
        found = models.size(omni, Request("video", {"aspect": "9:16", **params}))
        return found.name if found else None

    assert chosen(width=360, height=640) == "360p"
    assert chosen(width=361, height=640) == "720p"
    assert chosen(width=1080, height=1920) == "1080p"
    assert chosen(width=9000, height=16000) == "4k"
    assert chosen(width=1080, height=1920, resolution="720p") == "720p"
    assert chosen(width=1080, height=1920, quality="360p") == "360p"
    assert chosen(quality="best") is None
    assert models.size(omni, Request("video", {"aspect": "7:5"})) is None


def test_a_length_is_the_next_that_is_made() -> None:
    """5 s on a 4/6/8 s model buys 6; 9 s can't be bought."""
    veo = TABLES["runway"]["veo3.1"]
    assert [models.seconds(veo, Request("video", {"seconds": s})) for s in (1, 4, 4.01, 5, 6, 7.5, 8, 8.1)] == [
        4, 4, 6, 6, 6, 8, 8, None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("models: {m: {kind: video, source: s, colour: red}}", "unknown field 'colour'"),
        ("models: {m: {kind: video, source: s, seconds: soon}}", "not a span of seconds"),
        ("models: {m: {kind: video, source: s, sizes: {'9:16': {a: large}}}}", "not a size"),
        ("models: {m: {kind: video, source: s, per_second: {a: [true, 1]}}}", "not an amount"),
        ("models: {m: {kind: video, source: s, ends: soon}}", "isoformat"), ("models: {m: {kind: video}}", "source"),
        ("models: {m: {kind: video, source: s, seconds: 5}}", "not a list of seconds"),
    ],
)  # fmt: skip
def test_a_wrong_table_names_the_model_and_the_field(table: str, words: str) -> None:
    """A table of one's own is checked as the shipped ones are."""
    with pytest.raises(ValueError, match=r"x\.yaml: model 'm'") as raised:
        models.parsed(table, "x")
    assert words in str(raised.value)


def test_prices_are_exact() -> None:
    """Money is decimal from the table on: no 0.1 + 0.2."""
    assert TABLES["kling"]["kling-3.0"].per_second["1080p"] == (Decimal("0.112"), Decimal("0.168"))


def test_utf16_units_are_counted_as_the_provider_does() -> None:
    """An emoji is two units, for those who count that way."""
    assert (models.units("a🙂", "utf16"), models.units("a🙂", "characters")) == (3, 2)
