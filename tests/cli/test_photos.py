"""`clipbuild check` looks at the product photos: a bad one is known before anything is bought, at the line that names it."""

import io
import json
import pathlib

import numpy as np
from PIL import Image

from tests.support.project import Project


def texture(project: Project, path: str) -> None:
    """A photo that is all noise."""
    grain = np.random.default_rng(5).integers(0, 255, (90, 70, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(grain).resize((700, 900), Image.Resampling.NEAREST).save(out, "PNG")
    project.write(path, out.getvalue())


def warned(project: Project) -> list[dict[str, str]]:
    status, out, err = project.run("check", "--json")
    assert status == 0, err
    return [row for row in json.loads(out)["problems"] if row["level"] == "warning"]


def test_a_bad_photo_is_named_with_its_place(tmp_path: pathlib.Path) -> None:
    """The photo, what is wrong with it, where the product stands; the good one is not mentioned. A warning, no error."""
    project = Project(tmp_path)
    project.sample(2)
    project.photo("photos/p0.png", size=(800, 1000))
    texture(project, "photos/p1.png")
    (row,) = warned(project)
    assert row["what"].startswith("photos/p1.png: ")
    assert "texture" in row["what"]
    assert row["file"] == "catalog/all.yaml"
    assert "qc --annotate" in row["hint"]


def test_what_was_seen_is_remembered_by_bytes_and_limits(tmp_path: pathlib.Path) -> None:
    """Another limit and another photo are looked at again; a photo of the same bytes is not."""
    from clipbuild.engine.traces import State

    project = Project(tmp_path)
    project.sample(1)
    texture(project, "photos/p0.png")
    assert len(warned(project)) == 1
    state = State.open(str(tmp_path / ".clipbuild" / "state.db"))
    seen = set(state.get_all("photo"))
    state.close()
    assert len(seen) == 1
    assert len(warned(project)) == 1
    shipped = (pathlib.Path(__file__).parent.parent.parent / "templates" / "readiness.yaml").read_text()
    project.write("templates/readiness.yaml", shipped.replace("texture: 0.28", "texture: 1.1"))
    warned(project)
    state = State.open(str(tmp_path / ".clipbuild" / "state.db"))
    assert len(state.get_all("photo")) == 2
    state.close()


def test_a_photo_that_cannot_be_read_is_a_problem(tmp_path: pathlib.Path) -> None:
    """A telephone's HEIC under another name, a video, a page, an empty file: each is said with its place and what to do,
    before a build fails on it."""
    project = Project(tmp_path)
    project.sample(4)
    for number, data in enumerate((b"\0\0\0\x18ftypheic", b"\0\0\0\x18ftypisom", b"<!DOCTYPE html>", b"")):
        project.write(f"photos/p{number}.png", data + bytes(40) if data else b"")
    status, out, _ = project.run("check", "--json")
    rows = json.loads(out)["problems"]
    assert status == 2
    assert [row["what"].partition(": ")[2] for row in rows] == [
        "not a picture we read, but HEIC", "not a picture we read, but a video", "not a picture we read, but HTML", "empty file",
    ]  # fmt: skip
    assert all(row["level"] == "error" and row["line"] and row["hint"] for row in rows)
    assert "Most Compatible" in rows[0]["hint"]
