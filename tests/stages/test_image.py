"""The image stage makes the picture of a clip from what the photo is: its size, its layers, its bytes, its judgement."""

import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from clipbuild.errors import MediaError
from clipbuild.media import layout
from clipbuild.stages.image import Image
from tests.support.pictures import before_backdrop, cut_out, place, saved

SIZES = [(216, 384), (384, 216), (288, 360)]
RECIPES = ("packshot", "scene", "card")


@dataclass
class Work:
    """A work folder as the stage sees it."""

    folder: Path
    params: dict[str, Any]
    inputs: dict[str, str] = field(default_factory=dict)
    name: str = "acme/mug/image"

    def out(self, name: str) -> str:
        return str(self.folder / name)


def params(width: int = 216, height: int = 384, recipe: str = "packshot", style: str = "studio", **more: Any) -> dict[str, Any]:
    ground = {"style": style, "colors": more.pop("colors", [])}
    brand = {"primary": "#24443a", "accent": "#e0a43a", "background": "#f1ebe0"}
    return {"width": width, "height": height, "recipe": recipe, "ground": ground, "brand": brand, "text_space": True, **more}


def run(folder: Path, given: dict[str, Any], **inputs: str) -> dict[str, np.ndarray]:
    """The pictures a run leaves, by name."""
    folder.mkdir(parents=True, exist_ok=True)
    Image().run(Work(folder, given, inputs))  # type: ignore[arg-type]
    return {path.name: np.asarray(Pillow.open(path)) for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A cut-out, a photo before a plain backdrop, glass-like white on white, and a real place."""
    folder = tmp_path_factory.mktemp("photos")
    plain, _ = before_backdrop(size=(260, 260), box=(80, 65, 180, 195))
    pale, _ = before_backdrop(size=(260, 260), box=(80, 65, 180, 195), tone=(236, 236, 236), product=(241, 241, 241))
    return {
        "alpha": saved(folder / "alpha.png", cut_out()),
        "plain": saved(folder / "plain.png", plain),
        "pale": saved(folder / "pale.png", pale),
        "place": saved(folder / "place.png", place((420, 300))),
    }


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("photo", ["alpha", "plain", "pale", "place"])
def test_a_whole_picture_of_the_asked_size(
    tmp_path: Path, photos: dict[str, str], size: tuple[int, int], recipe: str, photo: str
) -> None:
    """Any recipe, any photo, any frame: an RGB picture of that size with something in it; layers are all or none, of
    the same size, and make up the picture."""
    inputs = {"photo_0": photos[photo]} | ({"plate": photos["place"]} if recipe == "scene" else {})
    made = run(tmp_path, params(*size, recipe=recipe), **inputs)
    image = made["image"]
    assert image.shape == (size[1], size[0], 3)
    assert image.std() > 3
    assert set(made) in ({"image"}, {"image", "background", "subject", "shadow"})
    if "subject" in made:
        flat = made["background"].astype(float)
        for layer in (made["shadow"], made["subject"]):
            assert layer.shape == (size[1], size[0], 4)
            share = layer[:, :, 3:] / 255
            flat = flat * (1 - share) + layer[:, :, :3] * share
        assert np.abs(flat - image).max() <= 2.5


@pytest.mark.parametrize(("photo", "layers"), [("alpha", True), ("plain", True), ("pale", False), ("place", False)])
def test_layers_where_the_product_is_known(tmp_path: Path, photos: dict[str, str], photo: str, layers: bool) -> None:
    """A cut-out and a photo that can be cut out come in layers; what can't be told from its ground stays a photo."""
    assert ("subject" in run(tmp_path, params(), photo_0=photos[photo])) is layers


def outline(subject: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero((subject[:, :, 3] > 127).any(axis=1)), np.flatnonzero((subject[:, :, 3] > 127).any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("photo", ["alpha", "plain"])
def test_the_product_keeps_its_shape_and_leaves_room(
    tmp_path: Path, photos: dict[str, str], size: tuple[int, int], photo: str
) -> None:
    """Never stretched, never cropped, inside its room: captions have the rest."""
    x0, y0, x1, y1 = outline(run(tmp_path, params(*size), photo_0=photos[photo])["subject"])
    expected = 280 / 380 if photo == "alpha" else 100 / 130
    assert (x1 - x0) / (y1 - y0) == pytest.approx(expected, rel=0.06)
    left, top, right, bottom = layout.standing_room(*size, True)
    assert x0 >= left * size[0] - 3
    assert x1 <= right * size[0] + 3
    assert y0 >= top * size[1] - 3
    assert y1 <= bottom * size[1] + 3


def test_a_card_keeps_the_words_box_free(tmp_path: Path, photos: dict[str, str]) -> None:
    """Where the text will stand there is only calm ground."""
    for size in SIZES:
        for photo in ("alpha", "place"):
            made = run(tmp_path / f"{size[0]}{photo}", params(*size, recipe="card"), photo_0=photos[photo])
            x0, y0, x1, y1 = layout.card_layout(*size, True)["text"]
            assert made["subject"][y0:y1, x0:x1, 3].max() < 8
            assert made["image"][y0:y1, x0:x1].astype(float).std(axis=(0, 1)).max() < 30


@pytest.mark.parametrize("size", SIZES)
def test_a_card_needs_no_photo(tmp_path: Path, size: tuple[int, int]) -> None:
    """A graphic alone, in the brand's colour, calm where the words will stand."""
    made = run(tmp_path, params(*size, recipe="card"))
    assert set(made) == {"image"}
    x0, y0, x1, y1 = layout.card_layout(*size, False)["text"]
    words = made["image"][y0:y1, x0:x1].reshape(-1, 3).astype(float)
    assert words.std(axis=0).max() < 16
    assert np.abs(words.mean(axis=0) - (0x24, 0x44, 0x3A)).max() < 25


def test_a_packshot_needs_a_photo(tmp_path: Path) -> None:
    """The local provider invents nothing, and says what to add."""
    with pytest.raises(MediaError, match="no photo") as caught:
        run(tmp_path, params())
    assert "photos" in caught.value.hint


def test_a_scene_without_product_is_its_place(tmp_path: Path, photos: dict[str, str]) -> None:
    """A plate alone makes a picture."""
    assert set(run(tmp_path, params(recipe="scene"), plate=photos["place"])) == {"image"}


@pytest.mark.parametrize("style", ["plain", "gradient", "studio", "blur"])
def test_each_ground_has_its_look(tmp_path: Path, photos: dict[str, str], style: str) -> None:
    """Every style works, and the named colour is the ground's where it has one."""
    made = run(tmp_path, params(style=style, colors=["#3a7d5c"]), photo_0=photos["alpha"])
    if style == "blur":
        assert set(made) == {"image"}
        return
    corner = made["background"][6:40, 6:40].reshape(-1, 3).mean(axis=0)
    assert corner[1] > corner[0] + 15
    assert corner[1] > corner[2]


def test_a_product_stands_out_from_a_ground_nobody_chose(tmp_path: Path) -> None:
    """A product of the paper's colour gets another ground; a chosen colour is kept."""
    photo = saved(tmp_path / "p.png", cut_out(product=(236, 220, 188)))
    made = run(tmp_path / "a", params(), photo_0=photo)
    x0, y0, x1, y1 = outline(made["subject"])
    body = made["image"][(y0 + y1) // 2, (x0 + x1) // 2].astype(int)
    wall = made["background"][(y0 + y1) // 2, 12].astype(int)
    assert np.abs(body - wall).sum() > 45


def test_the_same_document_gives_the_same_bytes(tmp_path: Path, photos: dict[str, str]) -> None:
    """Run again, every file is the same, byte for byte."""
    for recipe, photo in (("packshot", "plain"), ("packshot", "place"), ("packshot", "pale"), ("card", "alpha")):
        digests = []
        for turn in "ab":
            folder = tmp_path / f"{recipe}{photo}{turn}"
            run(folder, params(recipe=recipe), photo_0=photos[photo])
            digests.append({p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()})
        assert digests[0] == digests[1]


@pytest.mark.parametrize(
    ("change", "said"),
    [({"style": "disco"}, "disco"), ({"colors": ["beige"]}, "beige")],
)
def test_wrong_params_are_named(tmp_path: Path, photos: dict[str, str], change: dict[str, Any], said: str) -> None:
    """A ground or colour that is none is refused by name."""
    with pytest.raises(MediaError, match=said):
        run(tmp_path, params(**change), photo_0=photos["alpha"])


def test_a_damaged_photo_is_refused(tmp_path: Path) -> None:
    """What can't be read is not composed around."""
    (tmp_path / "p.jpg").write_bytes(b"\xff\xd8\xff\xe0 no photo")
    with pytest.raises(MediaError, match="the photo"):
        run(tmp_path / "out", params(), photo_0=str(tmp_path / "p.jpg"))


@pytest.mark.parametrize("size", [(1, 1), (3000, 2), (2, 900)])
@pytest.mark.parametrize("alpha", [False, True])
def test_strange_photos_make_pictures(tmp_path: Path, size: tuple[int, int], alpha: bool) -> None:
    """One pixel, or a thread of them, is still a photo."""
    picture = np.full((size[1], size[0], 4 if alpha else 3), 90, np.uint8)
    if alpha:
        picture[0, 0, 3] = 0
    made = run(tmp_path / "out", params(), photo_0=saved(tmp_path / "p.png", picture))
    assert made["image"].shape == (384, 216, 3)


DIGESTS = """
import hashlib, json, sys
from pathlib import Path
from tests.stages.test_image import Work, params
from clipbuild.stages.image import Image
found = {}
for i, photo in enumerate(sys.argv[2:]):
    for recipe in ("packshot", "card"):
        folder = Path(sys.argv[1]) / f"{i}{recipe}"
        folder.mkdir(parents=True)
        Image().run(Work(folder, params(recipe=recipe), {"photo_0": photo}))
        found |= {f"{folder.name}/{p.name}": hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.iterdir())}
print(json.dumps(found, sort_keys=True))
"""


def test_the_same_bytes_on_another_processor(tmp_path: Path, photos: dict[str, str]) -> None:
    """Without the processor's newer instructions, and with other numbers of threads, every file is the same."""
    lesser = {
        "OPENCV_CPU_DISABLE": "AVX2,AVX,FMA3,AVX512-SKX,SSE4.2,SSE4.1,FP16",
        "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX2 FMA3 AVX512F AVX512CD AVX512_SKX",
        "OPENCV_FOR_THREADS_NUM": "7",
        "OMP_NUM_THREADS": "7",
    }
    root = Path(__file__).parents[2]
    told = []
    for name, extra in (("as it is", {}), ("lesser", lesser)):
        done = subprocess.run(
            [sys.executable, "-c", DIGESTS, str(tmp_path / name), photos["plain"], photos["place"], photos["alpha"], photos["pale"]],
            cwd=root, env={"PATH": os.environ["PATH"], "PYTHONPATH": str(root), **extra}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        told.append(done.stdout.splitlines()[-1])
    assert told[0] == told[1]
    assert len(told[0]) > 500
