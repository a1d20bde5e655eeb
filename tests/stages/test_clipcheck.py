"""The clip check stage: a report for every clip, a refusal where it is told to refuse, what was asked from params."""

import json
import pathlib
import subprocess
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from clipbuild.errors import ActionError, MediaError
from clipbuild.media import clipreader, cliptext
from clipbuild.stages.clipcheck import STAGE
from clipbuild.stages.workdir import Workdir
from tests.support import stills

STILL = stills.bottle(stills.blurred(720, 1280), tall=0.6)


def encode(path: pathlib.Path, frames: list[stills.Picture]) -> str:
    height, width = frames[0].shape[:2]
    argv = [clipreader.program(), "-y", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}",
            "-r", "30", "-i", "-", "-c:v", "libx264", "-crf", "18", "-pix_fmt", "yuv420p", str(path)]  # fmt: skip
    subprocess.run(argv, input=b"".join(frame.tobytes() for frame in frames), check=True)
    return str(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    made = tmp_path_factory.mktemp("clips")
    Image.fromarray(STILL).save(made / "still.png")
    encode(made / "good.mp4", stills.push(STILL, frames=45, size=(360, 640)))
    encode(made / "aside.mp4", stills.push(STILL, frames=45, zoom=1.0, pan=(0.1, 0.0), size=(360, 640)))
    return made


def checked(folder: pathlib.Path, tmp_path: pathlib.Path, clip: str, **params: Any) -> dict[str, Any]:
    inputs = {"video": str(folder / clip), "image": str(folder / "still.png")}
    work = Workdir("0" * 64, "acme/one/clipcheck", params, inputs, str(tmp_path))
    STAGE.run(work)
    return dict(json.loads(pathlib.Path(work.out("report")).read_bytes()))


def test_a_clip_that_does_as_asked_is_ready(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """Source still, move, spec and safe text: nothing is found."""
    text = {"box": [0.1, 0.1, 0.8, 0.16], "start": 0.2, "end": 1.0, "colour": [255, 255, 255]}
    report = checked(
        folder, tmp_path, "good.mp4", motion={"zoom": 1.06}, spec={"width": 360, "fps": 30.0}, texts=[text],
        safe=[0.06, 0.08, 0.9, 0.65],
    )  # fmt: skip
    assert (report["verdict"], report["reasons"]) == ("ready", [])
    assert report["measures"]["first_like"] > 0.9


def test_another_move_than_asked_is_refused(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """With `block` the clip is an error that says what came; the report is written all the same."""
    with pytest.raises(ActionError, match="not ready") as caught:
        checked(folder, tmp_path, "aside.mp4", motion={"zoom": 1.06}, block=True)
    assert "travel right 10 %" in dict(caught.value.facts)["motion"]
    assert (tmp_path / "report").exists()


def test_without_block_findings_are_only_told(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """The same clip passes with its finding in the report."""
    report = checked(folder, tmp_path, "aside.mp4", motion={"zoom": 1.06})
    assert [finding["id"] for finding in report["findings"]] == ["motion"]


def test_limits_are_params(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """A project's own limit lets it pass."""
    report = checked(folder, tmp_path, "aside.mp4", motion={"zoom": 1.06}, limits={"motion": [None, None]})
    assert report["verdict"] == "ready"


def test_a_damaged_clip_is_an_error_of_its_own(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """What does not decode is a MediaError, not a verdict."""
    (folder / "cut.mp4").write_bytes((folder / "good.mp4").read_bytes()[:4000])
    with pytest.raises(MediaError):
        checked(folder, tmp_path, "cut.mp4")


def captioned(frames: list[stills.Picture], box: int | None) -> tuple[list[stills.Picture], dict[str, Any]]:
    """White words on every frame, on a box of that grey or on the bare picture; and how they are told."""
    words = np.zeros(frames[0].shape[:2], np.uint8)
    cv2.putText(words, "Fern & Field", (40, 120), cv2.FONT_HERSHEY_DUPLEX, 1.1, 255, 3, cv2.LINE_AA)
    share, made = words[..., None] / 255.0, []
    for frame in frames:
        frame = frame.copy()
        if box is not None:
            frame[85:135, 30:330] = box
        made.append(np.asarray(frame * (1 - share) + 255 * share, np.uint8))
    cut = words[85:135, 30:330]
    white = np.dstack([np.full((*cut.shape, 3), 255, np.uint8), cut])
    letters = cliptext.told(white, (255, 255, 255), 34.0)
    return made, {"box": [30 / 360, 85 / 640, 330 / 360, 135 / 640], "start": 0.0, "end": 1.5, "letters": letters}


def test_a_text_that_can_t_be_read_is_caught(tmp_path: pathlib.Path) -> None:
    """In the finished clip: on a dark box it reads, on a grey one it is an error with its time, and one that reads until
    the picture behind it turns white is caught at that moment."""
    plain = stills.push(stills.bottle(stills.plain(720, 1280), tall=0.5), frames=45, size=(360, 640))
    values = {}
    for name, box in (("dark", 30), ("grey", 175), ("bare", None)):
        frames, text = captioned(plain, box)
        encode(tmp_path / f"{name}.mp4", frames)
        work = Workdir("0" * 64, "a/b/clipcheck", {"texts": [text]}, {"video": str(tmp_path / f"{name}.mp4")}, str(tmp_path))
        STAGE.run(work)
        report = json.loads(pathlib.Path(work.out("report")).read_bytes())
        found = [(f["id"], f["severity"]) for f in report["findings"] if f["id"] == "contrast"]
        values[name] = (report["measures"]["contrast"], found)
    assert values["dark"][0] > 12
    assert values["dark"][1] == []
    assert 1.8 < values["grey"][0] < 3
    assert values["grey"][1] == [("contrast", "error")]
    assert values["bare"][0] < 1.5
    late, text = captioned(plain, 30)
    dim, _ = captioned(plain, 225)
    encode(tmp_path / "late.mp4", [*late[:36], *dim[36:]])
    work = Workdir("0" * 64, "a/b/clipcheck", {"texts": [text]}, {"video": str(tmp_path / "late.mp4")}, str(tmp_path))
    STAGE.run(work)
    (finding,) = [f for f in json.loads(pathlib.Path(work.out("report")).read_bytes())["findings"] if f["id"] == "contrast"]
    assert finding["at"] >= 1.15
