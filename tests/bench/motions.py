"""What every motion looks like: `python -m tests.bench motions FOLDER`.

Writes one sheet a recipe (packshot, scene, card): a row a motion, with five frames from first to last, as the render
stage makes them from the shop's photos. For looking at, not for measuring.
"""

import os
import shutil
import subprocess
import tempfile
from typing import Any

import yaml
from PIL import Image, ImageDraw

from clipbuild.media import ffmpeg
from clipbuild.stages import registry
from clipbuild.stages.workdir import Workdir
from tests.bench._work import BRAND, ROOT, SHOP

SIZE = (270, 480)
SHOWN = 5
GROUND = {"style": "studio", "colors": []}
RECIPES: dict[str, tuple[str, dict[str, Any]]] = {
    "packshot": ("mug_black_01.jpg", GROUND), "cutout": ("cutout_stool_wood.png", GROUND),
    "scene": ("cutout_stool_wood.png", {"style": "plate", "colors": []}), "card": ("lollipop_01.jpg", GROUND),
}  # fmt: skip
LAYERS = ("image", "background", "subject", "shadow")


def main(folder: str, *only: str) -> None:
    """Write the sheets; `only` some recipes."""
    motions = yaml.safe_load((ROOT / "templates" / "motions.yaml").read_text(encoding="utf-8"))["motions"]
    for recipe in only or RECIPES:
        with tempfile.TemporaryDirectory() as place:
            layers = pictures(recipe, place)
            rows = [(name, frames(place, layers, {**entry, "name": name, "amount": 1.0})) for name, entry in motions.items()]
        path = os.path.join(folder, f"motions-{recipe}.jpg")
        sheet(rows).save(path, quality=88)
        print(path)


def pictures(recipe: str, place: str) -> dict[str, str]:
    """The picture of a recipe and its layers, where it has some."""
    photo, ground = RECIPES[recipe]
    params = {
        "recipe": "packshot" if recipe == "cutout" else recipe, "width": round(SIZE[0] * 0.6) * 2,
        "height": round(SIZE[1] * 0.6) * 2, "safe": [0.06, 0.12, 0.88, 0.78], "ground": ground, "brand": BRAND, "text_space": True,
    }  # fmt: skip
    inputs = {"photo_0": str(SHOP / "photos" / photo)}
    if recipe == "scene":
        inputs["plate"] = str(SHOP / "photos" / "sofa_grey_01.jpg")
    registry.run("image", Workdir("0" * 64, "sheet/image", params, inputs, place))
    return {name: os.path.join(place, name) for name in LAYERS if os.path.isfile(os.path.join(place, name))}


def frames(place: str, layers: dict[str, str], motion: dict[str, Any]) -> list[Image.Image]:
    """Frames of the clip from first to last."""
    params = {"width": SIZE[0], "height": SIZE[1], "fps": 12, "seconds": 5, "crf": 18, "preset": "ultrafast", "motion": motion}
    folder = tempfile.mkdtemp(dir=place)
    work = Workdir("0" * 64, "sheet/render", params, layers, folder, tools={"ffmpeg": ffmpeg.find()})
    registry.run("render", work)
    argv = [ffmpeg.find(), "-v", "error", "-i", work.out("video"), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    data = subprocess.run(argv, check=True, capture_output=True).stdout
    amount = SIZE[0] * SIZE[1] * 3
    every = [data[at : at + amount] for at in range(0, len(data), amount)]
    shutil.rmtree(folder)
    return [Image.frombytes("RGB", SIZE, every[round(i * (len(every) - 1) / (SHOWN - 1))]) for i in range(SHOWN)]


def sheet(rows: list[tuple[str, list[Image.Image]]]) -> Image.Image:
    """All of it, three motions beside each other."""
    wide, high = SIZE[0] // 2, SIZE[1] // 2
    block = SHOWN * wide + 16
    whole = Image.new("RGB", (3 * block, -(-len(rows) // 3) * (high + 22)), "white")
    ink = ImageDraw.Draw(whole)
    for number, (name, shown) in enumerate(rows):
        x, y = number % 3 * block, number // 3 * (high + 22)
        ink.text((x + 4, y + 5), name, fill="black")
        for i, frame in enumerate(shown):
            whole.paste(frame.resize((wide, high), Image.Resampling.LANCZOS), (x + i * wide, y + 20))
    return whole
