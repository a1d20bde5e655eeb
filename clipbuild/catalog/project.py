"""clipbuild.yaml: the project, its brands, what products have unless they say otherwise, and who makes what.

Reads and judges that one file; knows no product.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from clipbuild.catalog import load, names, schema
from clipbuild.catalog import platforms as places
from clipbuild.catalog.faults import Fault, unknown
from clipbuild.catalog.model import Brand, Font, Profile, Project, Route
from clipbuild.errors import UsageError

FILE = "clipbuild.yaml"
BUILT_IN: Mapping[str, Any] = {
    "recipe": "packshot", "platforms": ["tiktok", "reels", "shorts"], "motion": {"name": "push-in"}, "duration": 5,
    "caption_style": "boxed", "takes": 1, "priority": "normal",
    "exclude": ["text", "logos", "watermarks", "extra objects"],
}  # fmt: skip
OURS = ("photos", "templates", ".clipbuild", ".git")
"""Folders that hold no finished clips."""
USUAL = "final"
PROFILES: Mapping[str, Mapping[str, Any]] = {
    "draft": {"scale": 0.5, "preset": "superfast", "crf": 26, "paid": False}, "final": {},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Source:
    """Where products come from: a pattern of catalog files, or a shop's export with how to read it."""

    pattern: str
    feed: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """The project file, read: what resolving products needs of it."""

    project: Project
    profile: Profile
    sources: tuple[Source, ...]
    brands: Mapping[str, Brand]
    defaults: Mapping[str, Any]
    by_brand: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    by_recipe: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict)
    """The file as it was written."""
    faults: tuple[Fault, ...] = ()
    """What is wrong with the file; then all but `sources` is a stand-in."""

    def layers(self, brand: str, recipe: str) -> list[Mapping[str, Any]]:
        """What a product of this brand and recipe has before its file and itself speak, the weakest first."""
        return [BUILT_IN, self.defaults, self.by_brand.get(brand, {}), self.by_recipe.get(recipe, {})]


def read(root: str, profile: str, data: bytes) -> Config:
    """The project. Raises CatalogError when it can't be read at all, UsageError for a profile it has not."""
    value = load.read(FILE, data, schema.number_keys(schema.PROJECT)).value
    faults = schema.faults(schema.PROJECT, "", value)
    if not faults:
        faults = list(_faults(value))
    if faults:
        entry = value.get("catalog", "catalog/*.yaml") if isinstance(value, dict) else ()
        usable = not any(fault.path[:1] == ("catalog",) for fault in faults)
        return _broken(root, tuple(_source(e) for e in _listed(entry)) if usable else (), tuple(faults))
    return _config(root, profile, value)


def _broken(root: str, sources: tuple[Source, ...], faults: tuple[Fault, ...]) -> Config:
    return Config(Project(root, "dist", (), {}, {}, {}), Profile("final"), sources, {}, {}, faults=faults)


def _tables(value: Mapping[str, Any]) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    specs, platforms = places.shipped()
    return places.merged(specs, value.get("specs", {})), places.merged(platforms, value.get("platforms", {}))


def _faults(value: Mapping[str, Any]) -> Iterator[Fault]:
    specs, platforms = _tables(value)
    yield from places.faults(specs, platforms, value)
    output, entries = value.get("output", "dist"), _listed(value.get("catalog", "catalog/*.yaml"))
    patterns = [_source(entry).pattern for entry in entries]
    if output.partition("/")[0] in {*OURS, *(pattern.partition("/")[0] for pattern in patterns if "/" in pattern)}:
        yield Fault(("output",), f"{output} is a folder of sources", "give clips one of their own, for example `output: dist`")
    profiles = [*PROFILES, *value.get("profiles", {})]
    if value.get("profile", USUAL) not in profiles:
        yield unknown(("profile",), "profile", value["profile"], profiles)
    for kind in ("platforms", "specs", "profiles"):
        folded = [*names.collisions([*(platforms if kind == "platforms" else ()), *value.get(kind, {})])]
        for earlier, later in folded:
            if earlier != later:
                yield Fault((kind, later), f"{later!r} and {earlier!r} are one name on some systems", "rename one", key=True)
        for name in value.get(kind, {}):
            if why := names.refused(name):
                yield Fault((kind, name), f"{name!r} {why}", "choose another name", key=True)
    for number, route in enumerate(value.get("routes", ())):
        if "image" not in route and "motion" not in route:
            yield Fault(("routes", number), "a route that leads nowhere", "name who makes the `image:` or the `motion:`")


def _config(root: str, profile: str, value: Mapping[str, Any]) -> Config:
    profiles = {
        name: _profile(name, {**PROFILES.get(name, {}), **value.get("profiles", {}).get(name, {})})
        for name in dict.fromkeys([*PROFILES, *value.get("profiles", {})])
    }
    usual = value.get("profile", USUAL)
    profile = profile or usual
    if profile not in profiles:
        fault = unknown((), "profile", profile, list(profiles))
        raise UsageError(fault.what, fault.facts, fault.hint)
    chosen = profiles[profile]
    specs, platforms = _tables(value)
    sources = tuple(_source(entry) for entry in _listed(value.get("catalog", "catalog/*.yaml")))
    budget = value.get("budget", {})
    project = Project(
        root, value.get("output", "dist"), tuple(source.pattern for source in sources),
        places.resolve(specs, platforms, chosen), profiles, value.get("pools", {}),
        budget_build=budget.get("build", ""), budget_month=budget.get("month", ""),
        takes=value.get("defaults", {}).get("takes", 1), approve=_unless_none(value.get("approve", "")),
        routes=tuple(_route(entry) for entry in value.get("routes", ())), profile=profile, usual=usual,
    )  # fmt: skip
    raw = {"": value.get("brand", {}), **value.get("brands", {})}
    return Config(
        project, chosen, sources, {name: _brand(entry, raw[""]) for name, entry in raw.items()},
        value.get("defaults", {}), {name: entry.get("defaults", {}) for name, entry in raw.items()},
        value.get("recipes", {}), value,
    )  # fmt: skip


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _source(entry: Any) -> Source:
    return Source(entry) if isinstance(entry, str) else Source(entry["file"], entry)


def _unless_none(word: str) -> str:
    return "" if word == "none" else word


def _profile(name: str, entry: Mapping[str, Any]) -> Profile:
    return Profile(
        name, entry.get("image", "local"), entry.get("motion", "local"), float(entry.get("scale", 1)),
        entry.get("preset", ""), entry.get("crf", 0), entry.get("paid", True),
    )  # fmt: skip


def _route(entry: Mapping[str, Any]) -> Route:
    return Route(
        entry.get("recipe", ""), entry.get("priority", ""), entry.get("sound"), entry.get("image", ""),
        entry.get("motion", ""),
    )  # fmt: skip


def _brand(entry: Mapping[str, Any], base: Mapping[str, Any]) -> Brand:
    """A brand; one of `brands` has the colours, fonts and hashtags of `brand` where it names none."""
    merged = {**base, **entry}
    colors = {**base.get("colors", {}), **entry.get("colors", {})}
    fonts = {**base.get("fonts", {}), **entry.get("fonts", {})}
    return Brand(
        name=merged.get("name", ""), **{name: color.lower() for name, color in colors.items()},
        fonts=Font(fonts.get("heading", ""), fonts.get("body", "")), logo=merged.get("logo", ""),
        hashtags=tuple(merged.get("hashtags", ())),
    )  # fmt: skip
