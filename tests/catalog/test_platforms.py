"""Platforms are data: sizes, limits and safe zones, merged and scaled."""

from clipbuild.catalog import platforms, schema
from clipbuild.catalog.model import Box, Profile
from tests.support.catalogs import SMALLEST, opened, wrong

DRAFT = Profile("draft", scale=0.5, preset="superfast", crf=26)


def test_the_shipped_table_is_sound() -> None:
    """Every entry passes the schema that a project's own must pass, and says where its figures come from."""
    specs, places = platforms.shipped()
    assert {name: schema.faults(schema.PROJECT, "spec", spec) for name, spec in specs.items()} == {name: [] for name in specs}
    assert set(places) == {"tiktok", "reels", "shorts", "youtube", "feed", "square"}
    for name, place in places.items():
        assert schema.faults(schema.PROJECT, "platform", place) == [], name
        assert place["source"], name
        assert place["date"], name
    assert list(platforms.faults(specs, places, {"specs": specs, "platforms": places})) == []


def test_the_sizes_are_what_the_places_want() -> None:
    """9:16, 16:9, 4:5 and 1:1 at full size, half of it in a draft."""
    made = platforms.resolve(*platforms.shipped(), Profile("final"))
    sizes = {name: (place.spec.width, place.spec.height, place.spec.fps) for name, place in made.items()}
    assert sizes == {
        "tiktok": (1080, 1920, 30), "reels": (1080, 1920, 30), "shorts": (1080, 1920, 30),
        "youtube": (1920, 1080, 30), "feed": (1080, 1350, 30), "square": (1080, 1080, 30),
    }  # fmt: skip
    draft = platforms.resolve(*platforms.shipped(), DRAFT)["tiktok"].spec
    assert (draft.width, draft.height, draft.preset, draft.crf) == (540, 960, "superfast", 26)


def test_one_safe_box_serves_all_platforms_of_a_spec() -> None:
    """It is what none of them covers, in a draft scaled with the frame."""
    made = platforms.resolve(*platforms.shipped(), Profile("final"))
    assert made["tiktok"].spec == made["reels"].spec == made["shorts"].spec
    assert made["tiktok"].spec.safe == Box(108, 269, 890, 1248)
    assert platforms.resolve(*platforms.shipped(), DRAFT)["tiktok"].spec.safe == Box(54, 134, 445, 624)


def test_a_platform_of_ones_own() -> None:
    """An entry of YAML is all it takes; other figures for a shipped one are merged."""
    own = "specs: {wide: {width: 2560, height: 1080, fps: 25}}\nplatforms:\n  wall: {spec: wide, max_seconds: 20}\n  reels: {max_seconds: 90}\n"
    places = opened(SMALLEST, own).project.platforms
    assert (places["wall"].spec.width, places["wall"].spec.fps, places["wall"].max_seconds) == (2560, 25, 20)
    assert places["wall"].spec.safe == Box(54, 54, 2506, 1026)
    assert (places["reels"].max_seconds, places["reels"].min_seconds) == (90, 3)


def test_what_is_wrong_with_one() -> None:
    """An unknown spec, a frame that is all covered, a name that is another's but for case."""
    assert wrong(SMALLEST, "platforms: {wall: {spec: wide}}\n") == ["clipbuild.yaml:1:26: unknown spec 'wide' | "]
    assert wrong(SMALLEST, "specs: {wide: {fps: 30}}\nplatforms: {wall: {max_seconds: 3}}\n") == [
        "clipbuild.yaml:1:15: 'height' is missing | write `height: …`", "clipbuild.yaml:1:15: 'width' is missing | write `width: …`",
        "clipbuild.yaml:2:19: 'spec' is missing | write `spec: …`",
    ]  # fmt: skip
    [covered] = wrong(SMALLEST, "platforms: {wall: {spec: square, safe: {top: 600, bottom: 470}}}\n")
    assert "leaves no room for captions" in covered
    [same] = wrong(SMALLEST, "platforms: {Reels: {spec: square}}\n")
    assert "'Reels' and 'reels' are one name on some systems" in same
