"""`clipbuild qc` on files of all kinds: verdicts, JSON, annotated pictures, and bad files that stop nobody."""

import json
import pathlib
import subprocess
import sys

import pytest
from PIL import Image

from clipbuild.cli import judging
from clipbuild.media import clipreader
from tests.support import stills

ROOT = pathlib.Path(__file__).resolve().parents[2]
AXES = {
    "subject_count": {"1", "many", "none"},
    "background": {"plain", "gradient", "blurred", "busy", "alpha"},
    "negative_space": {"yes", "no"},
    "lighting": {"soft", "hard", "flat"},
    "depth_cue": {"yes", "no"},
}


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    Image.fromarray(stills.bottle(stills.plain())).save(tmp_path / "good.jpg", quality=92)
    Image.fromarray(stills.bottle(stills.busy())).save(tmp_path / "busy.png")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    (tmp_path / "page.html").write_text("<html>")
    return tmp_path


def qc(folder: pathlib.Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "clipbuild", "qc", *args], cwd=folder, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "COLUMNS": "120"},
    )  # fmt: skip


def test_json_is_the_promised_list(folder: pathlib.Path) -> None:
    """One object a file, in order, with exactly the promised keys and words."""
    done = qc(folder, "--json", "good.jpg", "busy.png")
    rows = json.loads(done.stdout)
    assert done.returncode == 0
    assert [(row["file"], row["verdict"]) for row in rows] == [("good.jpg", "ready"), ("busy.png", "not_ready")]
    for row in rows:
        assert set(row) == {"file", "verdict", "reasons", "axes", "measures"}
        assert set(row["axes"]) == set(AXES)
        assert all(row["axes"][name] in words for name, words in AXES.items())
    assert "shimmer" in rows[1]["reasons"][0]


def test_bad_files_stop_nobody(folder: pathlib.Path) -> None:
    """Damaged, foreign and missing files get rows with a reason; the good one is judged; exit status 1."""
    done = qc(folder, "--json", "broken.png", "page.html", "missing.jpg", ".", "good.jpg")
    rows = json.loads(done.stdout)
    assert done.returncode == 1
    assert [row["verdict"] for row in rows] == ["not_ready"] * 4 + ["ready"]
    assert all(row["reasons"][0].startswith("can't be judged: ") for row in rows[:4])
    assert "no such file" in rows[2]["reasons"][0]


def test_the_table_names_verdict_file_and_reason(folder: pathlib.Path) -> None:
    """Without --json a person reads verdict, file name, the kind of picture and the advice."""
    text = qc(folder, "good.jpg", "busy.png").stdout
    assert "✓ ready" in text
    assert "✗ not ready" in text
    assert "one subject, plain background" in text
    assert "1 ready, 1 not ready" in text


def test_annotated_pictures_are_written(folder: pathlib.Path) -> None:
    """--annotate writes one picture a file that could be judged."""
    qc(folder, "--annotate", "out", "good.jpg", "broken.png")
    assert [path.name for path in (folder / "out").iterdir()] == ["good.jpg.readiness.png"]
    with Image.open(folder / "out" / "good.jpg.readiness.png") as image:
        assert image.width > 1200


def test_the_current_folder_is_not_imported_from(folder: pathlib.Path) -> None:
    """A numpy.py beside the pictures is not run by the child that decodes them."""
    (folder / "numpy.py").write_text("open('ran', 'w')")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "clipbuild", "qc", "--json", "good.jpg"], cwd=folder, capture_output=True,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert not (folder / "ran").exists()


def test_clips_are_judged_with_pictures(folder: pathlib.Path) -> None:
    """A clip that freezes is told so, in the same list, with the axes of its first frame."""
    frames = stills.push(stills.bottle(stills.plain(720, 1280)), frames=20, size=(360, 640))
    frames += [frames[-1]] * 45
    argv = [clipreader.program(), "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "360x640", "-r", "30", "-i", "-",
            "-c:v", "libx264", "-pix_fmt", "yuv420p", str(folder / "frozen.mp4")]  # fmt: skip
    subprocess.run(argv, input=b"".join(frame.tobytes() for frame in frames), check=True)
    done = qc(folder, "--json", "frozen.mp4", "good.jpg")
    row = json.loads(done.stdout)[0]
    assert (done.returncode, row["verdict"], row["axes"]["background"]) == (0, "not_ready", "plain")
    assert row["reasons"] == ["nothing moves for 1.5 s"]
    assert row["measures"]["fps"] == 30


def test_two_files_of_one_name_keep_both_annotations() -> None:
    """a/x.png and b/x.png are annotated under different names; odd characters never reach the file name."""
    names = judging.annotations(["a/x.png", "b/x.png", "c/\x1b[2Jé y.png"])
    assert len(set(names.values())) == 3
    assert all("\x1b" not in name and "/" not in name for name in names.values())
