"""Where clips are delivered, as data: specs and platforms of `templates/platforms.yaml` and of the project.

A spec's safe box is the part of the frame that none of its platforms covers, so that one encode serves them all.
Knows no platform by name.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from clipbuild import resources
from clipbuild.catalog import load
from clipbuild.catalog.faults import Fault, unknown
from clipbuild.catalog.model import Box, Platform, Profile, Spec

LIMITS = {
    "min_seconds": 0.0, "max_seconds": 600.0, "max_megabytes": 256_000.0, "title_limit": 2200, "description_limit": 5000,
    "hashtag_limit": 30,
}  # fmt: skip
MARGIN = 0.05
"""What is free of words along an edge that no platform says anything of, as a share of the frame's shorter side."""
Table = Mapping[str, Mapping[str, Any]]


def shipped() -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """The specs and platforms that come with clipbuild."""
    path = os.path.join(resources.folder("templates"), "platforms.yaml")
    with open(path, "rb") as file:
        table = load.plain(path, file.read())
    return table["specs"], table["platforms"]


def merged(base: Table, own: Table) -> dict[str, dict[str, Any]]:
    """Shipped entries with the project's own figures over them."""
    names = dict.fromkeys([*base, *own])
    return {name: {**base.get(name, {}), **own.get(name, {})} for name in names}


def faults(specs: Table, platforms: Table, own: Mapping[str, Table]) -> Iterator[Fault]:
    """What is wrong with the `specs` and `platforms` of a project's `own` file, once they are merged: a size or spec
    that is not there, a safe zone with no room."""
    for kind, table, needed in (("specs", specs, ("width", "height", "fps")), ("platforms", platforms, ("spec",))):
        for name in own.get(kind, {}):
            for key in needed:
                if key not in table[name]:
                    yield Fault((kind, name), f"{key!r} is missing", f"write `{key}: …`")
    for name in own.get("platforms", {}):
        spec = platforms[name].get("spec", "")
        if spec and spec not in specs:
            yield unknown(("platforms", name, "spec"), "spec", spec, list(specs))
        elif spec and not _roomy(specs[spec], platforms.values(), spec):
            what = f"what the platforms of {spec!r} cover leaves no room for captions"
            yield Fault(("platforms", name, "safe"), what, "give this platform a spec of its own")


def _roomy(spec: Mapping[str, Any], platforms: Iterable[Mapping[str, Any]], name: str) -> bool:
    width, height = spec.get("width", 0), spec.get("height", 0)
    box = _safe({"width": width, "height": height}, [place for place in platforms if place.get("spec") == name])
    return bool(box.x1 - box.x0 >= width / 4 and box.y1 - box.y0 >= height / 8)


def resolve(specs: Table, platforms: Table, profile: Profile) -> dict[str, Platform]:
    """Every platform, with its spec as the profile scales and paces it."""
    made: dict[str, Spec] = {}
    for name, spec in specs.items():
        same = [platform for platform in platforms.values() if platform["spec"] == name]
        made[name] = _spec(name, spec, _safe(spec, same), profile)
    found = {}
    for name, entry in platforms.items():
        spec = specs[entry["spec"]]
        free = _spec(name, spec, _safe(spec, [entry]), profile).safe
        found[name] = _platform(name, {**LIMITS, **entry}, made[entry["spec"]], free)
    return found


def _safe(spec: Mapping[str, Any], platforms: list[Mapping[str, Any]]) -> Box:
    zones = [platform.get("safe", {}) for platform in platforms]
    margin = round(min(spec["width"], spec["height"]) * MARGIN)
    edge = {side: max([zone.get(side, margin) for zone in zones], default=margin) for side in ("top", "right", "bottom", "left")}
    return Box(edge["left"], edge["top"], spec["width"] - edge["right"], spec["height"] - edge["bottom"])


def _spec(name: str, spec: Mapping[str, Any], safe: Box, profile: Profile) -> Spec:
    scale = profile.scale
    width, height = _even(spec["width"] * scale), _even(spec["height"] * scale)
    x, y = width / spec["width"], height / spec["height"]
    box = Box(round(safe.x0 * x), round(safe.y0 * y), round(safe.x1 * x), round(safe.y1 * y))
    return Spec(
        name, width, height, spec["fps"], box,
        crf=profile.crf or spec.get("crf", 20), preset=profile.preset or spec.get("preset", "veryfast"),
        maxrate_kbps=spec.get("maxrate_kbps", 12000), audio_kbps=spec.get("audio_kbps", 128),
        audio_rate=spec.get("audio_rate", 48000),
    )  # fmt: skip


def _even(value: float) -> int:
    return max(2, int(value / 2 + 0.5) * 2)


def _platform(name: str, entry: Mapping[str, Any], spec: Spec, free: Box) -> Platform:
    return Platform(
        name, spec, float(entry["max_seconds"]), int(entry["max_megabytes"] * 1_000_000), entry["title_limit"],
        entry["description_limit"], entry["hashtag_limit"], float(entry["min_seconds"]), free,
    )  # fmt: skip
