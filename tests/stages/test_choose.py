"""The choice of a move: the best suited, what the record speaks against left out, a named one kept with advice."""

import json
import pathlib
from typing import Any

from clipbuild.stages.choose import STAGE
from clipbuild.stages.workdir import Workdir

LIBRARY = {
    "push-in": {"suits": {"headroom": [1.1, None]}},
    "drift": {"suits": {"room_right": [0.2, None], "headroom": [None, 1.1]}},
    "parallax": {"suits": {"headroom": [1.1, None], "depth": [1, 1]}, "needs": "layers"},
}
ROOMY: dict[str, Any] = {
    "measures": {"headroom": 1.4, "room_right": 0.05, "depth": 1.0}, "boxes": {"subject": [0.3, 0.3, 0.7, 0.7]},
    "axes": {"subject_count": "1", "background": "plain"},
}  # fmt: skip


def chosen(
    tmp_path: pathlib.Path, motion: str, report: Any = ROOMY, *, layers: bool = False, **params: Any
) -> tuple[Any, Any]:
    (tmp_path / "in").write_text(json.dumps(report))
    inputs = {"report": str(tmp_path / "in")} | ({"subject": "unread"} if layers else {})
    work = Workdir("0" * 64, "a/b/choose", {"motion": motion, "library": LIBRARY, **params}, inputs, str(tmp_path))
    STAGE.run(work)
    return json.loads((tmp_path / "choice").read_bytes()), json.loads((tmp_path / "advice").read_bytes())


def test_auto_takes_what_suits(tmp_path: pathlib.Path) -> None:
    """By the picture's measures; a move of layers only for a picture that has some."""
    assert chosen(tmp_path, "auto")[0] == {"motion": "push-in", "subject": [0.3, 0.3, 0.7, 0.7]}
    assert chosen(tmp_path, "auto", layers=True)[0]["motion"] == "parallax"


def test_the_record_is_heard(tmp_path: pathlib.Path) -> None:
    """What was rejected for such pictures is left out, for these pictures only."""
    assert chosen(tmp_path, "auto", avoid={"one subject, plain": ["push-in"]})[0]["motion"] == "drift"
    assert chosen(tmp_path, "auto", avoid={"one subject, busy": ["push-in"]})[0]["motion"] == "push-in"


def test_a_named_move_is_kept(tmp_path: pathlib.Path) -> None:
    """It stays what it is; where another suits clearly better, that one is named with the measures that speak for it."""
    choice, advice = chosen(tmp_path, "drift")
    assert choice["motion"] == "drift"
    assert advice == {"better": "push-in", "because": "room right, headroom"}
    assert chosen(tmp_path, "push-in")[1]["better"] == ""


def test_layers_have_depth(tmp_path: pathlib.Path) -> None:
    """A move in depth that is named for a picture in layers is not spoken against because the flat picture shows none."""
    flat = {**ROOMY, "measures": {**ROOMY["measures"], "depth": 0.0}}
    assert chosen(tmp_path, "parallax", flat, layers=True)[1]["better"] == ""
    assert chosen(tmp_path, "auto", flat, layers=True)[0]["motion"] == "parallax"
    assert chosen(tmp_path, "auto", flat)[0]["motion"] == "push-in"
