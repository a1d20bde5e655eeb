"""A shot: pictures become parts a camera sees; layers move apart, focus goes, no edge shows, the last meets the first."""

import itertools
import pathlib
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from clipbuild.errors import MediaError
from clipbuild.media import frames, motion, shot
from clipbuild.media.frames import Frame
from clipbuild.media.shot import Frames, Still

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIBRARY: dict[str, Any] = yaml.safe_load((ROOT / "templates" / "motions.yaml").read_text(encoding="utf-8"))["motions"]
SHAPES = {"9:16": (108, 192), "16:9": (192, 108), "4:5": (108, 136), "1:1": (108, 108)}


def camera(name: str, **more: Any) -> motion.Move:
    return motion.move({**LIBRARY[name], "name": name, **more})


def saved(folder: pathlib.Path, name: str, pixels: np.ndarray) -> str:
    path = folder / f"{name}.png"
    Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8)).save(path)
    return str(path)


def layered(folder: pathlib.Path, size: tuple[int, int]) -> Still:
    """A picture a fifth larger than the frame: a magenta ground with stripes, a green disc on it, a shadow under it."""
    wide, high = round(size[0] * 0.6) * 2, round(size[1] * 0.6) * 2
    y, x = np.mgrid[0:high, 0:wide]
    ground = np.stack([200 + 30 * np.sin(x / 3), 0 * x + 40, 190 + 30 * np.sin(y / 4)], axis=2)
    far = np.hypot(x - wide / 2, y - high / 2)
    alpha = np.clip(0.2 * min(wide, high) - far + 0.5, 0, 1)[:, :, None]
    shade = np.clip(1 - np.hypot((x - wide / 2) / (0.3 * wide), (y - high * 0.66) / (0.05 * high)), 0, 1)[:, :, None] * 0.6
    disc = np.broadcast_to(np.array([30.0, 200, 60]), ground.shape)
    flat = (ground * (1 - shade)) * (1 - alpha) + disc * alpha
    return Still(
        saved(folder, "image", flat), saved(folder, "background", ground),
        saved(folder, "subject", np.dstack([disc, alpha * 255])), saved(folder, "shadow", np.dstack([0 * ground, shade * 255])),
    )  # fmt: skip


def drawn(still: Still, move: motion.Move, size: tuple[int, int], seconds: float = 2.0, fps: float = 10.0) -> list[np.ndarray]:
    made = shot.scene(still, move, Frames(*size, fps, seconds))
    found = []
    for index in range(made.count):
        out = Frame.of(*size)
        frames.draw(made, index, out)
        found.append(np.dstack([out.y, np.repeat(np.repeat(out.u, 2, 0), 2, 1), np.repeat(np.repeat(out.v, 2, 0), 2, 1)]))
    return found


@pytest.mark.parametrize("name", LIBRARY)
@pytest.mark.parametrize("shape", SHAPES)
def test_no_edge_shows(tmp_path: pathlib.Path, name: str, shape: str) -> None:
    """Any move over a picture in layers, in any format: the ground's colour reaches into every corner of every frame,
    and nothing is black, stretched out or left over from another frame."""
    size = SHAPES[shape]
    still = layered(tmp_path, size)
    for found in (drawn(still, camera(name, amount=1.0), size), drawn(Still(still.image), camera(name, loop=True), size)):
        for frame in found:
            rim = np.concatenate([frame[0], frame[-1], frame[:, 0], frame[:, -1]]).astype(int)
            assert (np.abs(rim[:, 0] - 98) < 30).all()  # luma of the magenta stripes
            assert (rim[:, 1] > 150).all()
            assert (rim[:, 2] > 150).all()


def test_layers_and_the_flat_picture_agree_at_the_start(tmp_path: pathlib.Path) -> None:
    """A move whose layers all begin in the same view begins with the picture that they make up."""
    size = SHAPES["9:16"]
    still = layered(tmp_path, size)
    apart, flat = drawn(still, camera("parallax"), size)[0], drawn(Still(still.image), camera("parallax"), size)[0]
    off = np.abs(apart.astype(int) - flat)
    assert np.percentile(off, 96) <= 4
    assert off.mean() < 1.2


def test_parallax_moves_the_subject_more_than_the_ground(tmp_path: pathlib.Path) -> None:
    """At the end the disc has grown by its share of the push-in, the ground's stripes by less."""
    size = (216, 384)
    found = drawn(layered(tmp_path, size), camera("parallax", amount=1.0), size, seconds=5.0, fps=4)
    wide = [int((frame[192, :, 2] < 110).sum()) for frame in (found[0], found[-1])]
    assert 1.12 < wide[1] / wide[0] < 1.22
    stripes = [np.abs(np.fft.rfft(frame[8, :, 0] - frame[8, :, 0].mean(), 4096)).argmax() for frame in (found[0], found[-1])]
    assert 1.02 < stripes[0] / stripes[1] < 1.08


def test_focus_goes_from_the_ground_to_the_subject(tmp_path: pathlib.Path) -> None:
    """In a rack the ground is sharp at first and soft at the end, while the disc's rim stays as sharp as it was."""
    size = (216, 384)
    found = drawn(layered(tmp_path, size), camera("rack"), size, seconds=4.0, fps=6)
    detail = [float(np.abs(np.diff(frame[:60, :, 0].astype(int), axis=1)).mean()) for frame in found]
    assert detail[-1] < 0.7 * detail[0]  # stripes of 19 px blurred by 2.4
    assert all(b <= a + 0.25 for a, b in itertools.pairwise(detail))
    rims = [np.abs(np.diff(frame[192, :, 2].astype(int))).max() for frame in found]
    assert min(rims) > 0.6 * rims[0]


@pytest.mark.parametrize("name", [name for name in LIBRARY if name != "hold"])
def test_a_loop_has_no_seam(tmp_path: pathlib.Path, name: str) -> None:
    """Asked to loop, the last frame is as near to the first as frames within are to each other."""
    size = SHAPES["9:16"]
    found = [frame.astype(int) for frame in drawn(layered(tmp_path, size), camera(name, loop=True), size, 4.0, 12)]
    steps = [float(np.abs(a - b).mean()) for a, b in itertools.pairwise(found)]
    assert float(np.abs(found[-1] - found[0]).mean()) <= max(steps) * 1.05 + 0.2


def test_a_subject_with_alpha_and_no_layers_is_laid_on_white(tmp_path: pathlib.Path) -> None:
    """A picture with alpha of its own shows on white, never on black."""
    rgba = np.zeros((192, 108, 4))
    rgba[60:120, 30:70] = (200, 30, 30, 255)
    frame = drawn(Still(saved(tmp_path, "cut", rgba)), camera("hold"), (108, 192))[0]
    assert (frame[5, :, 0] == 235).all()


def test_large_pictures_are_made_smaller_first(tmp_path: pathlib.Path) -> None:
    """A picture much larger than the frame costs no more memory than one that fits, and shows no aliasing."""
    y, x = np.mgrid[0:1600, 0:900]
    fine = np.repeat(((x + y) % 2 * 255)[:, :, None], 3, axis=2)
    made = shot.scene(Still(saved(tmp_path, "fine", fine)), camera("push-in"), Frames(90, 160, 10, 1))
    assert made.parts[0].sheet.size[0] < 130
    out = Frame.of(90, 160)
    frames.draw(made, 3, out)
    assert out.y.std() < 3


def test_wrong_pictures_are_told(tmp_path: pathlib.Path) -> None:
    """Layers of another size, or without transparency, and tiny pictures are errors with words."""
    still = layered(tmp_path, (108, 192))
    other = saved(tmp_path, "other", np.zeros((64, 64, 4)))
    solid = saved(tmp_path, "solid", np.full((230, 130, 3), 90.0))
    tiny = saved(tmp_path, "tiny", np.full((8, 8, 3), 90.0))
    out = Frames(108, 192, 10, 1)
    with pytest.raises(MediaError, match="differ in size"):
        shot.scene(Still(still.image, still.background, other), camera("parallax"), out)
    with pytest.raises(MediaError, match="no transparency"):
        shot.scene(Still(still.image, still.background, still.subject, solid), camera("parallax"), out)
    with pytest.raises(MediaError, match="too small"):
        shot.scene(Still(tiny), camera("push-in"), out)


def test_auto_moves_as_chosen() -> None:
    """The chosen motion of the library, with the amount that was asked for; without a choice there is none."""
    entry = {"name": "auto", "library": LIBRARY, "amount": 1.0}
    chosen = shot.camera(entry, "push-in")
    assert (chosen.name, chosen.zoom) == ("push-in", LIBRARY["push-in"]["range"]["zoom"][1])
    with pytest.raises(MediaError, match="no motion to move by"):
        shot.camera(entry, "")
