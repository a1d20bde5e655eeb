"""The clip the render bench makes: 5 s, a slow push-in over a real photo, two captions that fade, logo, bed, AAC."""

import os
import pathlib
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import yaml
from PIL import Image, ImageOps

from clipbuild.media import ffmpeg, fonts
from clipbuild.stages import registry
from clipbuild.stages.workdir import Workdir

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHOP = ROOT / "examples" / "storefront"
CAPTIONS = ("Holds the heat for an hour", "Fits under every machine")
BRAND = {"primary": "#24443a", "accent": "#e0a43a", "background": "#f1ebe0", "text": "#ffffff"}

KEEPER = """#!{python} -S
import os, shutil, sys
argv = [{ffmpeg!r}, *sys.argv[1:]]
if "pipe:0" in argv:
    with open({path!r}, "wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file, 1 << 20)
    os.dup2(os.open({path!r}, os.O_RDONLY), 0)
os.execv(argv[0], argv)
"""


@dataclass
class Work:
    """The stage's params and inputs at some size and rate; `run` makes the clip and gives its path."""

    folder: str
    width: int = 1080
    height: int = 1920
    fps: int = 30
    seconds: float = 5.0
    preset: str = "veryfast"
    crf: int = 20
    picture: str = ""
    text: bool = True
    inputs: dict[str, str] = field(default_factory=dict)

    def params(self) -> dict[str, Any]:
        """What the planner would give the stage."""
        scale = self.width / 1080
        found: dict[str, Any] = {
            "recipe": "packshot", "width": self.width, "height": self.height, "fps": self.fps,
            "seconds": self.seconds, "crf": self.crf, "preset": self.preset,
            "safe": [round(v * scale) for v in (60, 220, 960, 1500)],
            "motion": {**shipped("motions.yaml")["motions"]["push-in"], "name": "push-in", "amount": 0.5},  # 2 % a second
            "sound": {"gain": 0.0, "own": "mix"}, "brand": BRAND,
            "captions": [], "hook": "", "offer": {"price": "", "was": "", "text": ""}, "cta": "", "language": "en",
        }  # fmt: skip
        if self.text:
            found["captions"] = [{"text": CAPTIONS[0], "at": 0.4, "seconds": 2.0},
                                 {"text": CAPTIONS[1], "at": 2.7, "seconds": 2.0}]  # fmt: skip
            found["caption_style"] = style()
        return found

    def given(self) -> dict[str, str]:
        """The input files."""
        found = {"image": self.picture or still(self.folder, self.width, self.height), **self.inputs}
        if self.text:
            found |= {"logo": str(SHOP / "brand" / "logo.png"), "bed": str(SHOP / "sound" / "loop.flac")}
            found |= {f"font_{i}": path for i, path in enumerate(fonts.needed(" ".join(CAPTIONS)))}
        return found

    def run(self, program: str = "") -> str:
        """Make the clip, with a `program` for ffmpeg."""
        folder = tempfile.mkdtemp(prefix="run-", dir=self.folder)
        tools = {"ffmpeg": program or ffmpeg.find()}
        work = Workdir("0" * 64, "bench/render", self.params(), self.given(), folder, tools=tools)
        registry.run("render", work)
        return work.out("video")

    def dump(self, path: str) -> None:
        """Write the frames that go to the encoder, as raw video: a program in ffmpeg's place keeps what it is fed."""
        stub = os.path.join(self.folder, "keeper")
        pathlib.Path(stub).write_text(KEEPER.format(python=sys.executable, path=path, ffmpeg=ffmpeg.find()), encoding="utf-8")
        pathlib.Path(stub).chmod(0o700)
        shutil.rmtree(os.path.dirname(self.run(stub)))


@cache
def shipped(name: str) -> dict[str, Any]:
    """A file of the templates, read once: a build's worker is given what stands in it."""
    return dict(yaml.safe_load((ROOT / "templates" / name).read_text(encoding="utf-8")))


def style() -> dict[str, Any]:
    """The plain caption style that ships."""
    return dict(shipped("captions/boxed.yaml"))


def wall(folder: str, width: int, height: int) -> str:
    """A sharp picture full of detail: every photo of the shop, each smaller than it was taken; made once."""
    path = os.path.join(folder, f"wall-{width}x{height}.png")
    if not os.path.isfile(path):
        size = round(width * 0.6) * 2, round(height * 0.6) * 2
        cell = -(-size[0] // 3), -(-size[1] // 4)
        whole = Image.new("RGB", size)
        for i, photo in enumerate(sorted((SHOP / "photos").iterdir()) * 2):
            at = (i % 3 * cell[0], i // 3 * cell[1])
            with Image.open(photo) as image:
                whole.paste(ImageOps.fit(image.convert("RGB"), cell, Image.Resampling.LANCZOS), at)
        whole.save(path)
    return path


def still(folder: str, width: int, height: int) -> str:
    """The picture that the image stage composes for such a clip; made once."""
    path = os.path.join(folder, f"picture-{width}x{height}.png")
    if not os.path.isfile(path):
        made = tempfile.mkdtemp(prefix="image-", dir=folder)
        params = {
            "recipe": "packshot", "width": round(width * 0.6) * 2, "height": round(height * 0.6) * 2,
            "safe": [0.06, 0.12, 0.88, 0.78], "ground": {"style": "studio", "colors": []}, "brand": BRAND,
            "text_space": True,
        }  # fmt: skip
        photo = {"photo_0": str(SHOP / "photos" / "mug_black_01.jpg")}
        registry.run("image", Workdir("0" * 64, "bench/image", params, photo, made))
        shutil.move(os.path.join(made, "image"), path)
    return path
