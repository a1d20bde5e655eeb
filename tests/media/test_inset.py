"""The user's own pictures and clips on a clip: their place, shape, time and sound."""

import pathlib
import subprocess

import numpy as np
import pytest
from PIL import Image

from clipbuild.errors import MediaError
from clipbuild.media import color, ffmpeg, frames, inset, layout
from clipbuild.media.frames import Bytes, Frame, Part, Scene
from clipbuild.media.motion import View

SIZE, SAFE = (160, 240), (10, 20, 150, 220)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A red clip with sound that turns green after half a second, and a blue disc with an alpha channel."""
    folder = tmp_path_factory.mktemp("clips")
    turn = "color=red:s=80x120:r=20:d=0.5[a];color=lime:s=80x120:r=20:d=0.5[b];[a][b]concat"
    disc = "color=blue:s=80x80:r=20:d=1,format=yuva444p10le,geq=lum=p(X\\,Y):cb=p(X\\,Y):cr=p(X\\,Y):a=1023*lt(hypot(X-40\\,Y-40)\\,30)"
    run = [ffmpeg.find(), "-v", "error", "-y", "-f", "lavfi", "-i"]
    talk = [*run, turn, "-f", "lavfi", "-i", "sine=d=1", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac"]
    subprocess.run([*talk, str(folder / "talk.mp4")], check=True)
    subprocess.run([*run, disc, "-c:v", "prores_ks", "-profile:v", "4444", str(folder / "disc.mov")], check=True)
    Image.new("RGB", (200, 100), (0, 0, 255)).save(folder / "card.png")
    return folder


def drawn(entries: list[dict[str, object]], paths: list[pathlib.Path], at: list[int]) -> list[Bytes]:
    """Frames (20 a second) of a white clip of two seconds with insets on it."""
    sheet = color.sheet(np.full((SIZE[1], SIZE[0], 3), 255, np.uint8))
    scene = Scene(*SIZE, 20.0, 40, (Part(sheet, [View(0.0, 0.0, 1.0)] * 40),))
    found = inset.insets(entries, [str(path) for path in paths], SIZE, SAFE, 2.0)
    made = []
    with inset.shown(scene, found, ffmpeg.find()):
        for index in range(40):
            frame = Frame.of(*SIZE)
            frames.draw(scene, index, frame)
            if index in at:
                made.append(color.to_rgb(frame.y, frame.u, frame.v))
    return made


def is_white(pixel: Bytes) -> bool:
    return bool(pixel.min() > 245)


def test_a_clip_plays_in_its_circle_for_its_time(clips: pathlib.Path) -> None:
    """Nothing before, its own first frames at its start, later ones later, nothing after, corners left alone."""
    entry = {"at": 0.5, "seconds": 1.0, "place": "bottom-right", "shape": "circle", "width": 0.4}
    before, red, green, after = drawn([entry], [clips / "talk.mp4"], [8, 17, 24, 31])
    y, x = 188, 118
    assert is_white(before[y, x])
    assert is_white(after[y, x])
    assert red[y, x, 0] > 180 > 90 > red[y, x, 1]
    assert green[y, x, 1] > 180 > 90 > green[y, x, 0]
    assert not is_white(red[158 + 30, 90])
    assert is_white(red[100, 20])


def test_an_alpha_channel_is_seen_through(clips: pathlib.Path) -> None:
    """What a clip leaves clear shows what lies below, without a shadow of its box."""
    entry = {"at": 0.0, "seconds": None, "place": "top-left", "shape": "box", "width": 0.5}
    (frame,) = drawn([entry], [clips / "disc.mov"], [10])
    assert frame[20 + 40, 10 + 40, 2] > 180 > 90 > frame[60, 50, 0]
    assert is_white(frame[23, 13])
    assert is_white(frame[20 + 82, 10 + 40])


def test_where_all_of_the_frame_is_safe_it_stays_in_the_frame(clips: pathlib.Path) -> None:
    """As wide as the frame, it begins at its edge and not beside it."""
    for place in inset.PLACES:
        entry = {"at": 0.0, "seconds": None, "place": place, "shape": "box", "width": 1.0}
        (found,) = inset.insets([entry], [str(clips / "talk.mp4")], SIZE, (0, 0, *SIZE), 2.0)
        assert 0 <= found.rect[0] < found.rect[2] <= SIZE[0], place
        assert 0 <= found.rect[1] < found.rect[3] <= SIZE[1], place


def test_a_picture_lies_inside_the_safe_box(clips: pathlib.Path) -> None:
    """At every place, in its own proportions."""
    for place in inset.PLACES:
        (found,) = inset.insets([{"place": place}], [str(clips / "card.png")], SIZE, SAFE, 2.0)
        x0, y0, x1, y1 = found.rect
        assert x0 >= SAFE[0] - 1
        assert y0 >= SAFE[1] - 1
        assert x1 <= SAFE[2]
        assert y1 <= SAFE[3]
        assert abs((x1 - x0) - 2 * (y1 - y0)) <= 4
        assert not any(edge % 2 for edge in found.rect)


def test_text_keeps_clear_of_it(clips: pathlib.Path) -> None:
    """The room for text is the largest part beside the inset."""
    (found,) = inset.insets([{"place": "top", "width": 0.5}], [str(clips / "card.png")], SIZE, SAFE, 2.0)
    assert layout.beside(SAFE, [found.rect], 6) == (10, found.rect[3] + 6, 150, 220)


def test_the_first_clip_with_sound_is_heard(clips: pathlib.Path) -> None:
    """A silent disc is not."""
    paths = [str(clips / "disc.mov"), str(clips / "talk.mp4")]
    found = inset.insets([{}, {"at": 0.25}], paths, SIZE, SAFE, 2.0)
    heard = inset.voice(found)
    assert heard is not None
    assert (heard.path, heard.start) == (paths[1], 0.25)


def test_a_layer_after_the_end_is_an_error(clips: pathlib.Path) -> None:
    """It would never be seen."""
    with pytest.raises(MediaError, match="a layer comes at 3 s, the clip ends at 2 s"):
        inset.insets([{"at": 3}], [str(clips / "card.png")], SIZE, SAFE, 2.0)
