"""The story of incremental builds, action by action. Read it top to bottom: it is the specification."""

import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import pytest

from tests.support.project import CONFIG, Project

ALL = ["captions", "check", "choose", "cover", "image", "post", "render"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A project of two products, built once; tests work on copies."""
    project = Project(tmp_path_factory.mktemp("built"))
    project.sample(2)
    assert project.build().status == 0
    return project.root


@pytest.fixture
def project(built: pathlib.Path, tmp_path: pathlib.Path) -> Project:
    """A built project of one's own."""
    shutil.copytree(built, tmp_path / "p", symlinks=True)
    return Project(tmp_path / "p")


def test_the_first_build_makes_every_action_once(tmp_path: pathlib.Path) -> None:
    """image, check, render, cover, words and post of one product; then its five files and the manifest."""
    project = Project(tmp_path)
    project.sample(1)
    report = project.build()
    assert report.status == 0, report.text or report.plain
    assert report.stages() == ALL
    names = {"item-0.mp4", "item-0.jpg", "item-0.srt", "item-0.vtt", "item-0.json"}
    assert set(project.files()) == {f"tiktok/item-0/{name}" for name in names} | {"manifest.json"}


def test_the_manifest_tells_the_truth(project: Project) -> None:
    """Every deliverable is listed with its real digest and size."""
    files = project.files()
    rows = json.loads(files.pop("manifest.json"))["deliverables"]
    assert {row["path"] for row in rows} == set(files)
    for row in rows:
        assert hashlib.sha256(files[row["path"]]).hexdigest() == row["sha256"]
        assert len(files[row["path"]]) == row["bytes"]
        assert {"key", "width", "height", "fps", "duration"} <= set(row)


def test_a_second_build_runs_nothing(project: Project) -> None:
    """Nothing changed, nothing runs, and not a file is touched."""
    before = {p: p.stat().st_mtime_ns for p in project.tree.rglob("*.mp4")}
    assert project.build().ran == []
    assert project.build().plain["up_to_date"] == 13, "the products say the same: their subtitles are one action"
    assert {p: p.stat().st_mtime_ns for p in project.tree.rglob("*.mp4")} == before


def test_a_caption_edit_renders_that_clip_alone(project: Project) -> None:
    """Picture and check are not touched, the other product is not touched."""
    project.edit("catalog/all.yaml", "name: Item 0\n    photos: photos/p0.png\n    captions: [Hello there]",
                 "name: Item 0\n    photos: photos/p0.png\n    captions: [Good morning]")  # fmt: skip
    todo = {row["action"].rsplit("/", 1)[1] for row in project.plan()}
    assert "image" not in todo
    assert "check" not in todo
    report = project.build()
    assert report.stages() == ["captions", "cover", "post", "render"]
    assert all(name.startswith("item-0/") for name in report.ran)


@pytest.mark.parametrize(
    ("old", "new", "stages"),
    [
        ("price: €5", "price: €7", {"render", "cover", "captions"}),
        ("name: Item 0", "name: Item zero", {"post"}),
    ],
)
def test_price_and_name_never_touch_the_picture(
    project: Project, old: str, new: str, stages: set[str]
) -> None:
    """A price renders again; a name only changes the words of the post."""
    text = (project.root / "catalog/all.yaml").read_text()
    project.write("catalog/all.yaml", text.replace(old, new, 1))
    assert set(project.build().stages()) <= stages


def test_a_logo_change_never_touches_the_picture(project: Project) -> None:
    """The logo is drawn when rendering."""
    project.photo("brand/logo.png", "#123456", (64, 64))
    project.edit("clipbuild.yaml", "  name: Test\n", "  name: Test\n  logo: brand/logo.png\n")
    report = project.build()
    assert set(report.stages()) == {"render", "cover"}


def test_renaming_a_product_moves_files_and_runs_nothing(project: Project) -> None:
    """Keys hold content only, never names."""
    before = project.files()["tiktok/item-0/item-0.mp4"]
    project.edit("catalog/all.yaml", "sku: item-0", "sku: renamed")
    report = project.build()
    assert report.ran == []
    files = project.files()
    assert files["tiktok/renamed/renamed.mp4"] == before
    assert not any("item-0" in path for path in files)


def test_a_platform_of_a_known_spec_only_adds_files(project: Project) -> None:
    """Shorts and TikTok share one encode; only the words of the post are made for each."""
    project.edit("clipbuild.yaml", "platforms: [tiktok]", "platforms: [tiktok, shorts]")
    report = project.build()
    assert set(report.stages()) <= {"post"}
    files = project.files()
    assert files["shorts/item-0/item-0.mp4"] == files["tiktok/item-0/item-0.mp4"]


def test_horizontal_is_a_pass_of_its_own(project: Project) -> None:
    """A 16:9 platform gets its own image and its own motion, never a crop."""
    project.edit("clipbuild.yaml", "platforms: [tiktok]", "platforms: [tiktok, youtube]")
    report = project.build("item-0")
    assert set(report.stages()) - {"post"} == {"check", "choose", "cover", "image", "render"}
    rows = json.loads(project.files()["manifest.json"])["deliverables"]
    wide = next(row for row in rows if row["path"].startswith("youtube/") and row["kind"] == "mp4")
    assert wide["width"] > wide["height"]


def test_a_template_edit_that_leaves_the_text_alone_runs_nothing(project: Project) -> None:
    """A prompt template is the text it renders to."""
    from clipbuild import resources

    shipped = pathlib.Path(resources.folder("templates"), "prompts", "packshot.j2").read_text()
    project.write("templates/prompts/packshot.j2", "{# a remark #}" + shipped)
    assert project.build().ran == []


def test_a_touched_photo_runs_nothing(project: Project) -> None:
    """Only content counts, not time."""
    os.utime(project.root / "photos/p0.png", (1, 1))
    assert project.build().ran == []


def test_a_changed_photo_remakes_its_product(project: Project) -> None:
    """And only its product."""
    project.photo("photos/p1.png", "#00aa55")
    report = project.build()
    assert {name.split("/")[0] for name in report.ran} == {"item-1"}
    assert "image" in report.stages()


@pytest.mark.parametrize("damage", ["delete", "edit", "replace"])
def test_a_damaged_output_is_restored(project: Project, damage: str) -> None:
    """Deleted, written into or replaced: the next build puts the recorded bytes back, and runs at most what it must."""
    target = project.tree / "tiktok/item-0/item-0.json"
    good = target.read_bytes()
    if damage == "delete":
        target.unlink()
    elif damage == "edit":
        target.chmod(0o644)
        target.write_bytes(b"edited by hand")
    else:
        target.unlink()
        target.write_bytes(b"another file")
    report = project.build()
    assert report.status == 0
    assert target.read_bytes() == good
    assert set(report.stages()) <= {"post"}


def test_what_leaves_the_catalog_leaves_the_tree(project: Project) -> None:
    """Only what clipbuild made; a stranger's file stays."""
    stranger = project.write(f"{project.tree.name}/tiktok/item-1/notes.txt", "mine")
    text = (project.root / "catalog/all.yaml").read_text()
    project.write("catalog/all.yaml", text.split("  - sku: item-1")[0])
    report = project.build()
    assert report.ran == []
    assert not any(p.startswith("tiktok/item-1/item-1") for p in project.files())
    assert stranger.read_text() == "mine"


def test_a_strangers_file_in_the_way_is_never_overwritten(tmp_path: pathlib.Path) -> None:
    """The build says so and leaves it."""
    project = Project(tmp_path)
    project.sample(1)
    stranger = project.write(f"{project.tree.name}/tiktok/item-0/item-0.mp4", "mine")
    report = project.build()
    assert report.status != 0
    assert stranger.read_text() == "mine"
    assert "in the way" in report.text


def test_an_edited_output_is_ours_also_without_its_manifest(project: Project) -> None:
    """The build's own records tell it from a stranger's file."""
    target = project.tree / "tiktok/item-0/item-0.mp4"
    good = target.read_bytes()
    target.unlink()
    target.write_bytes(b"edited by hand")
    (project.tree / "manifest.json").unlink()
    assert project.build().status == 0
    assert target.read_bytes() == good


def test_one_product_failing_never_stops_the_others(project: Project) -> None:
    """The good ones are published, the status says 1, and a rerun touches only the failed one."""
    project.write("photos/p0.png", (project.root / "photos/p0.png").read_bytes()[:300])
    text = (project.root / "catalog/all.yaml").read_text()
    project.photo("photos/p9.png", "#0055aa")
    extra = "  - sku: item-9\n    name: Item 9\n    photos: photos/p9.png\n"
    project.write("catalog/all.yaml", text + extra)
    report = project.build()
    assert report.status == 1
    assert [name.split("/")[0] for name in report.failed] == ["item-0"]
    assert "tiktok/item-9/item-9.mp4" in project.files()
    assert "tiktok/item-0/item-0.mp4" in project.files(), "the clip of before stays"
    project.photo("photos/p0.png", "#777777")
    assert {name.split("/")[0] for name in project.build().ran} == {"item-0"}


def test_selecting_products_leaves_the_rest_alone(project: Project) -> None:
    """`build item-1` makes item-1 and keeps item-0's files."""
    project.photo("photos/p0.png", "#123123")
    project.photo("photos/p1.png", "#321321")
    assert {name.split("/")[0] for name in project.build("item-1").ran} == {"item-1"}
    assert "tiktok/item-0/item-0.mp4" in project.files()
    assert {name.split("/")[0] for name in project.build().ran} == {"item-0"}


def test_an_unknown_selector_is_an_error(project: Project) -> None:
    """With the nearest name."""
    report = project.build("itme-1")
    assert report.status == 2
    assert "item-1" in report.text


def test_renders_wait_for_room_for_their_threads(project: Project) -> None:
    """Renders have a pool of their own, so that the encoder's threads times their number fit the cores."""
    from clipbuild import planning
    from clipbuild.settings import Settings
    from clipbuild.wish import Wish

    session = planning.open_session(Wish(str(project.root), profile="draft"), Settings())
    try:
        pools = {(action.stage, action.pool) for action in planning.make_plan(session).plan.graph}
    finally:
        session.close()
    assert ("render", "encode") in pools
    assert ("image", "cpu") in pools


def test_the_same_inputs_give_the_same_bytes(tmp_path: pathlib.Path) -> None:
    """Two clean builds, one job and three: byte-identical trees."""
    trees = []
    for jobs in ("1", "3"):
        project = Project(tmp_path / jobs)
        project.sample(2)
        assert project.build("--jobs", jobs).status == 0
        trees.append(project.files())
    assert trees[0] == trees[1]


def test_a_lost_state_is_only_slower(project: Project) -> None:
    """Without its database the build makes the same tree again."""
    before = project.files()
    shutil.rmtree(project.root / ".clipbuild")
    assert project.build().status == 0
    assert project.files() == before


def test_a_killed_build_goes_on(built: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """SIGKILL in the middle; the next build ends with the tree of an undisturbed one."""
    project = Project(tmp_path)
    project.sample(2)
    command = [sys.executable, "-m", "clipbuild", "-C", str(tmp_path), "build", "--profile", "draft", "--jobs", "1"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    limit = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < limit:
        if any((tmp_path / ".clipbuild/store").glob("??/*")):
            break
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert project.build().status == 0
    assert project.files() == Project(built).files()


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_cleanly(tmp_path: pathlib.Path, sent: signal.Signals, status: int) -> None:
    """Nothing new starts, state is saved, it is said; the next build goes on (F14, F15)."""
    project = Project(tmp_path)
    project.sample(3)
    command = [sys.executable, "-m", "clipbuild", "-C", str(tmp_path), "build", "--profile", "draft", "--jobs", "1"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert any("image" in line for line in iter(process.stderr.readline, ""))
    process.send_signal(sent)
    _, said = process.communicate(timeout=30)
    assert process.returncode == status
    assert "interrupted: what is done is kept, the same command goes on" in said
    report = project.build()
    assert report.status == 0
    assert len(report.ran) < 18


def test_variants_and_languages_share_the_picture(tmp_path: pathlib.Path) -> None:
    """Two languages of one product: one image, one check, two renders; files carry the language."""
    project = Project(tmp_path)
    project.write("clipbuild.yaml", CONFIG)
    project.photo("photos/a.png")
    project.write(
        "catalog/a.yaml",
        "products:\n  - sku: mug\n    name: {en: Mug, de: Tasse}\n    photos: photos/a.png\n"
        "    captions: [{en: Hello, de: Hallo}]\n    languages: [en, de]\n",
    )
    report = project.build()
    assert report.status == 0, report.text
    assert report.stages().count("image") == 1
    assert report.stages().count("render") == 2
    assert {"tiktok/mug/mug.en.mp4", "tiktok/mug/mug.de.mp4"} <= set(project.files())


def test_why_names_the_input_that_changed(project: Project) -> None:
    """Old and new value of the caption."""
    project.edit("catalog/all.yaml", "name: Item 0\n    photos: photos/p0.png\n    captions: [Hello there]",
                 "name: Item 0\n    photos: photos/p0.png\n    captions: [Good morning]")  # fmt: skip
    status, out, _ = project.run("why", "item-0", "--profile", "draft")
    assert status == 0
    assert "Hello there" in out
    assert "Good morning" in out


def test_plan_runs_nothing_and_agrees_with_build(project: Project) -> None:
    """What `plan` says will or may run is what `build` then runs, or finds up to date on the way."""
    project.photo("photos/p0.png", "#456456")
    files = project.files()
    said = {row["action"] for row in project.plan()}
    assert project.files() == files
    assert set(project.build().ran) <= said
