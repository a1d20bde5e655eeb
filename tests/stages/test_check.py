"""The check stage: the best candidate passes byte for byte, a bought picture that is not ready is refused."""

import json
import pathlib
import time
from typing import Any

import pytest
from PIL import Image

from clipbuild.errors import ActionError, MediaError
from clipbuild.stages.check import STAGE
from clipbuild.stages.workdir import Workdir
from tests.support import stills


def save(path: pathlib.Path, picture: stills.Picture) -> str:
    Image.fromarray(picture).save(path)
    return str(path)


def work(tmp_path: pathlib.Path, inputs: dict[str, str], **params: Any) -> Workdir:
    folder = tmp_path / "out"
    folder.mkdir(exist_ok=True)
    given = {"width": 1080, "height": 1920, "limits": {}, "block": True, **params}
    return Workdir("0" * 64, "acme/one/check", given, inputs, str(folder))


def report(done: Workdir) -> dict[str, Any]:
    return dict(json.loads(pathlib.Path(done.out("report")).read_bytes()))


@pytest.fixture
def good(tmp_path: pathlib.Path) -> str:
    return save(tmp_path / "good.png", stills.bottle(stills.plain()))


@pytest.fixture
def bad(tmp_path: pathlib.Path) -> str:
    return save(tmp_path / "bad.png", stills.bottle(stills.busy()))


def test_a_good_picture_passes_unchanged(tmp_path: pathlib.Path, good: str) -> None:
    """The output's bytes are the input's, so that what follows is cut off when only limits changed."""
    done = work(tmp_path, {"image": good})
    STAGE.run(done)
    assert pathlib.Path(done.out("image")).read_bytes() == pathlib.Path(good).read_bytes()
    assert report(done)["verdict"] == "ready"


def test_the_best_candidate_is_taken(tmp_path: pathlib.Path, good: str, bad: str) -> None:
    """A busy first candidate loses to a clean second one; the report says which was taken and how each fared."""
    done = work(tmp_path, {"image": bad, "image_1": good})
    STAGE.run(done)
    assert report(done)["taken"] == "image_1"
    assert report(done)["candidates"] == {"image": "not_ready", "image_1": "ready"}
    assert pathlib.Path(done.out("image")).read_bytes() == pathlib.Path(good).read_bytes()


def test_a_bought_picture_that_is_not_ready_is_refused(tmp_path: pathlib.Path, bad: str) -> None:
    """The error names the finding and its advice; no image goes on."""
    done = work(tmp_path, {"image": bad})
    with pytest.raises(ActionError, match="not ready") as caught:
        STAGE.run(done)
    assert "background_busy" in dict(caught.value.facts)
    assert not pathlib.Path(done.out("image")).exists()


def test_a_local_composition_is_only_warned_of(tmp_path: pathlib.Path, bad: str) -> None:
    """Without `block` the picture passes, with its findings in the report."""
    done = work(tmp_path, {"image": bad}, block=False)
    STAGE.run(done)
    assert pathlib.Path(done.out("image")).exists()
    assert report(done)["findings"][0]["id"] == "background_busy"


def test_limits_are_params(tmp_path: pathlib.Path, bad: str) -> None:
    """A project that bears busy pictures says so with limits, and the same picture passes."""
    done = work(tmp_path, {"image": bad}, limits={"busy_gradient": 99, "scene_detail": 99, "texture": 2})
    STAGE.run(done)
    assert report(done)["axes"]["background"] != "busy"


def test_the_subject_layer_settles_where_the_subject_is(tmp_path: pathlib.Path, bad: str) -> None:
    """With the composition's own subject layer its box is used, not a guess."""
    layer = Image.new("RGBA", (900, 900))
    layer.paste((200, 0, 0, 255), (90, 180, 450, 720))
    layer.save(tmp_path / "subject.png")
    done = work(tmp_path, {"image": bad, "subject": str(tmp_path / "subject.png")}, block=False)
    STAGE.run(done)
    assert report(done)["boxes"]["subject"] == pytest.approx([0.1, 0.2, 0.5, 0.8], abs=0.01)


def test_photos_are_judged_too(tmp_path: pathlib.Path, good: str, bad: str) -> None:
    """Reference photos get verdicts of their own and stop nothing."""
    done = work(tmp_path, {"image": good, "photo_0": bad})
    STAGE.run(done)
    assert report(done)["photos"]["photo_0"]["verdict"] == "not_ready"


def test_the_report_is_the_same_every_time(tmp_path: pathlib.Path, good: str) -> None:
    """Two runs leave the same bytes."""
    done = work(tmp_path, {"image": good})
    STAGE.run(done)
    first = pathlib.Path(done.out("report")).read_bytes()
    STAGE.run(done)
    assert pathlib.Path(done.out("report")).read_bytes() == first


def test_a_damaged_picture_is_an_error_of_its_own(tmp_path: pathlib.Path) -> None:
    """What can't be decoded is a MediaError, not a verdict."""
    path = tmp_path / "cut.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(MediaError):
        STAGE.run(work(tmp_path, {"image": str(path)}))


def test_it_is_cheap(tmp_path: pathlib.Path) -> None:
    """A 1300 × 2300 picture is judged well within a second (about a fifth on the machine it was written on)."""
    path = save(tmp_path / "large.png", stills.bottle(stills.plain(1300, 2300)))
    done = work(tmp_path, {"image": path})
    STAGE.run(done)
    began = time.process_time()
    STAGE.run(done)
    assert time.process_time() - began < 1.0
