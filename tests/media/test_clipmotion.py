"""The camera's path, told from frames whose path is known."""

import cv2
import numpy as np
import pytest

from clipbuild.media import clipmotion
from clipbuild.media.clipmotion import Grey, Path

SIZE = (150, 266)


def scene(seed: int = 5) -> Grey:
    """A picture larger than the frame with corners all over it."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 255, (110, 80)).astype(np.uint8)
    return np.asarray(cv2.GaussianBlur(cv2.resize(small, (400, 550), interpolation=cv2.INTER_NEAREST), (0, 0), 1.2))


def view(picture: Grey, zoom: float = 1.0, across: float = 0.0, down: float = 0.0, turn: float = 0.0) -> Grey:
    """What a camera sees in the middle of the picture."""
    matrix = cv2.getRotationMatrix2D((200, 275), turn, zoom)
    matrix[:, 2] += SIZE[0] / 2 - 200 + across, SIZE[1] / 2 - 275 + down
    return np.asarray(cv2.warpAffine(picture, matrix, SIZE, flags=cv2.INTER_CUBIC))


def test_a_pan() -> None:
    """Its whole travel as a share of the frame, without zoom or turn, evenly."""
    told = clipmotion.follow([view(scene(), across=-1.5 * n) for n in range(11)]).delivered()
    assert told["pan_x"] == pytest.approx(-15 / SIZE[0], abs=0.005)
    assert told["pan_y"] == pytest.approx(0, abs=0.003)
    assert told["zoom"] == pytest.approx(1, abs=0.005)
    assert told["judder"] < 0.1


def test_a_push_in() -> None:
    """1.1 is ten per cent closer; the centre stays."""
    told = clipmotion.follow([view(scene(), zoom=1 + 0.01 * n) for n in range(11)]).delivered()
    assert told["zoom"] == pytest.approx(1.1, abs=0.005)
    assert abs(told["pan_x"]) < 0.01


def test_a_turn() -> None:
    """In degrees."""
    told = clipmotion.follow([view(scene(), turn=-0.3 * n) for n in range(11)]).delivered()
    assert abs(told["turn"]) == pytest.approx(3, abs=0.2)


def test_judder_is_not_travel() -> None:
    """A shaking camera that arrives at the same place has the same pan and much more judder."""
    rng = np.random.default_rng(2)
    even = [view(scene(), across=1.0 * n) for n in range(12)]
    shaken = [even[0], *(view(scene(), across=1.0 * n + rng.uniform(-1, 1)) for n in range(1, 11)), even[-1]]
    calm, rough = (clipmotion.follow(frames).delivered() for frames in (even, shaken))
    assert rough["pan_x"] == pytest.approx(calm["pan_x"], abs=0.01)
    assert rough["judder"] > 5 * calm["judder"]


def test_still_frames_do_not_move() -> None:
    """The same frame again and again is no motion; a frame without any feature is none either."""
    for frame in (view(scene()), np.full(SIZE[::-1], 90, np.uint8)):
        told = clipmotion.follow([frame] * 4).delivered()
        assert (told["zoom"], told["pan_x"], told["judder"]) == pytest.approx((1, 0, 0), abs=1e-3)


def test_what_is_hidden_is_not_followed() -> None:
    """Text that stands still over a moving picture does not hold the path back."""
    frames = []
    for n in range(9):
        frame = view(scene(), down=-2.0 * n)
        frame[90:180] = 230
        for k in range(8):
            frame[100:170, 8 + 18 * k : 14 + 18 * k] = 10
        frames.append(frame)
    box = (0.0, 90 / SIZE[1], 1.0, 180 / SIZE[1])
    assert clipmotion.follow(frames, [box]).delivered()["pan_y"] == pytest.approx(-16 / SIZE[1], abs=0.01)


def test_a_path_is_the_product_of_its_steps() -> None:
    """`until` goes from the first frame on; nothing is the identity, the end is all of them."""
    step = np.array([[1, 0, 2], [0, 1, -1], [0, 0, 1]], float)
    path = Path((step, step, step), SIZE)
    assert path.until(0) == pytest.approx(np.eye(3))
    assert path.until(2)[:2, 2] == pytest.approx([4, -2])
    assert path.moves()[:, :2] == pytest.approx(np.array([[2, -1]] * 3))
    assert Path((), SIZE).moves().shape == (0, 4)


def test_aligned_undoes_a_step() -> None:
    """A frame laid back over the first one equals it where it covers it, and says where that is."""
    first, later = view(scene()), view(scene(), across=8)
    matrix = np.array([[1, 0, 8], [0, 1, 0], [0, 0, 1]], float)
    back, there = clipmotion.aligned(later, matrix)
    assert not there.all()
    inner = there.copy()
    inner[:, :4] = inner[:, -12:] = False
    assert np.abs(back.astype(int) - first)[inner].mean() < 3


def test_texture_that_boils() -> None:
    """Fine noise that changes from frame to frame shimmers; the same picture carried along does not."""
    rng = np.random.default_rng(4)
    calm = [view(scene(), across=1.0 * n) for n in range(6)]
    boiling = [np.clip(f + rng.normal(0, 12, f.shape), 0, 255).astype(np.uint8) for f in calm]
    path = clipmotion.follow(calm)
    assert clipmotion.shimmer(boiling, path) > 3 * clipmotion.shimmer(calm, path)
    assert clipmotion.shimmer(calm[:1], Path((), SIZE)) == 0.0


def test_a_body_that_bends() -> None:
    """A picture that is waved in the middle warps; the same one moved as a whole does not."""
    soft = (128 + 0.3 * (scene().astype(np.float32) - 128)).astype(np.uint8)
    first = view(soft)
    y, x = np.mgrid[0 : SIZE[1], 0 : SIZE[0]].astype(np.float32)
    wave = np.asarray(cv2.remap(first, x + 3 * np.sin(y / 14), y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT))
    bent, _ = clipmotion.bending(first, wave, np.eye(3))
    whole, _ = clipmotion.bending(first, view(soft, across=3), np.array([[1, 0, 3], [0, 1, 0], [0, 0, 1]], float))
    assert bent > 0.008
    assert whole < bent / 3


def test_a_subject_that_leaves_its_ground() -> None:
    """Its travel against the ground is told as drift; without a mask there is none to tell."""
    first = view(scene())
    mask = np.zeros(SIZE[::-1], np.bool_)
    mask[90:180, 45:105] = True
    later = first.copy()
    later[90:180, 48:108] = first[90:180, 45:105]
    assert clipmotion.bending(first, later, np.eye(3), mask)[1] == pytest.approx(3 / SIZE[0], abs=0.008)
    assert clipmotion.bending(first, first, np.eye(3), mask)[1] < 0.002
    assert clipmotion.bending(first, later, np.eye(3))[1] == 0.0
