"""What people read, word for word: plans, reasons, errors, problems of a catalog, fixed in tests/golden.

A change of wording shows as a difference of a text. `CLIPBUILD_REWRITE=1 python -m pytest tests/test_golden.py` writes
them anew; read the difference before it is committed.
"""

import os
import pathlib
import re

import pytest

from tests.support.built import built
from tests.support.project import Project

GOLDEN = pathlib.Path(__file__).parent / "golden"
BROKEN = """\
products:
  - sku: mug
    nam: Mug
    photos: photos/p0.png
    duration: .nan
    captions: [one, {text: two, at: soon}]
  - sku: MUG
    name: Mug
    photos: photos/gone.png
    platforms: [tiktok-ads]
    motion: zooom
    offer: {price: 5}
    hook: {en: Hi, xx: Ho}
  - sku: ../mug
    name: ""
    photos: [photos/p0.png]
    ground: {style: blurr}
    brand: {}
  - name: nobody
"""
CONFIG = """\
catalog: catalog/*.yaml
brand:
  name: Test
  colors: {primary: red, accent: "#e0a43a"}
defaults:
  platforms: [tiktok, vimeo]
  duration: 99
  takes: many
outptu: dist
"""


def check(name: str, text: str, root: pathlib.Path) -> None:
    """The text is as it stands in the golden file, but for places, digests and times."""
    text = text.replace(str(root), "PROJECT")
    text = re.sub(r"\([0-9a-f]{8} -> [0-9a-f]{8}\)", "(OLD -> NEW)", text)
    text = re.sub(r"\(\d+\.\d+ s\)", "(TIME)", text)
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("CLIPBUILD_REWRITE"):
        GOLDEN.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


@pytest.fixture
def project(tmp_path: pathlib.Path) -> Project:
    made = Project(tmp_path / "shop")
    made.sample(2)
    return made


def said(project: Project, *args: str) -> str:
    """A command as a person sees it: what is typed, stdout, stderr, status."""
    status, out, err = project.run(*args)
    return f"$ clipbuild {' '.join(args)}\n{out}{err}-> {status}\n"


def test_a_plan(project: Project) -> None:
    """Of a fresh project."""
    check("plan", said(project, "plan", "--profile", "draft"), project.root)


def test_the_life_of_a_change(tmp_path: pathlib.Path) -> None:
    """Nothing to do; then a price, a motion and a photo differ, and why says so, as does the plan."""
    project = built(tmp_path)
    text = said(project, "build", "--profile", "draft")
    project.edit("catalog/all.yaml", "offer: {price: €5}\n  - sku: item-1", "offer: {price: €4, was: €5}\n    motion: hold\n  - sku: item-1")
    project.photo("photos/p1.png", "#0000ff")
    text += said(project, "why", "item-0", "--profile", "draft") + said(project, "why", "item-1", "--profile", "draft")
    text += said(project, "plan", "--profile", "draft")
    check("change", text, project.root)


def test_a_catalog_full_of_mistakes(project: Project) -> None:
    """Every one at once, with place, facts and hint."""
    project.write("catalog/broken.yaml", BROKEN)
    check("catalog", said(project, "check"), project.root)


def test_a_project_file_full_of_mistakes(project: Project) -> None:
    """The same for clipbuild.yaml."""
    project.write("clipbuild.yaml", CONFIG)
    check("project", said(project, "check"), project.root)


def test_files_that_can_not_be_read(project: Project) -> None:
    """YAML that is none, doubled keys, text that another reader would take for something else."""
    text = ""
    for number, data in enumerate((
        "products: [", "products:\n  - sku: a\n    sku: b\n", "products:\n\t- sku: a\n", "a: &x [*x]\n", "---\n---\n", "!!python/none x\n",
        "products:\n  - sku: 0123\n    name: on\n    photos: photos/p0.png\n", "<<<<<<< ours\nproducts: []\n",
    )):  # fmt: skip
        path = project.write(f"catalog/bad{number}.yaml", data)
        text += said(project, "check")
        path.unlink()
    check("unreadable", text, project.root)


def test_slips_on_the_command_line(project: Project) -> None:
    """Each with what there is and, where something is near, that."""
    text = ""
    for line in ("build nosuch", "build itm-0", "build --platform vimeo", "build --profile drafty", "build --until paint",
                 "build --shard 9/2", "build --max-spend lots", "plan --markdown", "why item", "prompt item-9", "retake nosuch --because x",
                 "approve nosuch", "new item-0", "init ."):  # fmt: skip
        text += said(project, *line.split())
    check("slips", text, project.root)
