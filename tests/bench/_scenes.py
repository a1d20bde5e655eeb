"""Scenes with their text, drawn without encoding: what the caption figures and the contact sheet look at."""

import hashlib
import json
import os
import pathlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from clipbuild.media import color, ffmpeg, frames
from clipbuild.stages import registry, render
from clipbuild.stages.workdir import Workdir

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHOP = ROOT / "examples" / "storefront"
BRAND = {"primary": "#24443a", "accent": "#e0a43a", "background": "#f1ebe0", "text": "#ffffff"}
Pixels = NDArray[np.uint8]


@dataclass
class Shown:
    """A clip that can be looked at: its frames at any time, with or without text."""

    work: Workdir
    target: Any = field(init=False)
    scene: frames.Scene = field(init=False)

    def __post_init__(self) -> None:
        self.target = render._target(self.work)
        self.scene, _ = render._still(self.work, self.target, [])
        self.scene.layers.extend(render._layers(self.work, self.target, [], self.sample))

    def sample(self, times: Any, box: Any = None) -> list[Any]:
        """The picture without text at moments."""
        return frames.sample(self.scene, times, box)

    def frame(self, at: float) -> Pixels:
        """The frame at `at` seconds as RGB."""
        made = frames.Frame.of(self.target.width, self.target.height)
        frames.draw(self.scene, min(self.scene.count - 1, max(0, round(at * self.scene.fps))), made)
        return color.to_rgb(made.y, made.u, made.v)


def run(folder: str, stage: str, params: Mapping[str, Any], inputs: Mapping[str, str]) -> str:
    """Run a stage once a folder: where its outputs are."""
    name = hashlib.sha256(json.dumps([stage, dict(params), dict(inputs)], sort_keys=True, default=str).encode()).hexdigest()
    place = os.path.join(folder, name[:20])
    if not os.path.isfile(os.path.join(place, "done")):
        os.makedirs(place, exist_ok=True)
        registry.run(stage, Workdir(name, f"bench/{stage}", dict(params), dict(inputs), place, tools={"ffmpeg": ffmpeg.find()}))
        pathlib.Path(place, "done").touch()
    return place


def pictures(folder: str, recipe: str, size: tuple[int, int], photo: str, plate: str = "") -> dict[str, str]:
    """The local picture of a recipe for a frame, with its layers, as inputs of the render."""
    width, height = (round(1.2 * side / 2) * 2 for side in size)
    ground = {"style": "plate" if plate else "studio", "colors": []}
    params = {"recipe": recipe, "width": width, "height": height, "ground": ground, "brand": BRAND, "text_space": True}
    inputs = {"photo_0": str(SHOP / photo), **({"plate": str(SHOP / plate)} if plate else {})}
    place = run(folder, "image", params, inputs)
    names = ("image", "background", "subject", "shadow")
    return {name: f"{place}/{name}" for name in names if os.path.isfile(f"{place}/{name}")}


def template(name: str) -> dict[str, Any]:
    """A shipped YAML template."""
    found = yaml.safe_load((ROOT / "templates" / name).read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def clip(size: tuple[int, int], safe: tuple[int, ...], inputs: Mapping[str, str], motion: str, **more: Any) -> Shown:
    """A clip of five seconds with a move and whatever text is given."""
    overlays = {path.stem: template(f"overlays/{path.name}") for path in (ROOT / "templates" / "overlays").glob("*.yaml")}
    params = {
        "recipe": "packshot", "width": size[0], "height": size[1], "fps": 30, "seconds": 5.0, "safe": list(safe),
        "motion": {**template("motions.yaml")["motions"][motion], "name": motion}, "brand": BRAND, "overlays": overlays,
        "caption_style": template("captions/plain.yaml"), "captions": [], "hook": "", "offer": {}, "cta": "", **more,
    }  # fmt: skip
    return Shown(Workdir("0", "bench/render", params, dict(inputs), "", tools={"ffmpeg": ffmpeg.find()}))
