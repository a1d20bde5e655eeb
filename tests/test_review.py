"""Review in whole builds: what a check or a person holds back, what a decision lets through, and for how long it stands."""

import json
import pathlib

import pytest

from tests.support.project import CONFIG, Project


def rejecting(project: Project) -> None:
    """Limits under which every clip of this size fails."""
    shipped = (pathlib.Path(__file__).parent.parent / "templates" / "clipcheck.yaml").read_text()
    project.write("templates/clipcheck.yaml", shipped.replace("black: [2, 3]", "black: [-2, -1]"))


@pytest.fixture
def project(tmp_path: pathlib.Path) -> Project:
    project = Project(tmp_path, profile="small")
    project.sample(2)
    config = CONFIG.replace("platforms: [tiktok]", "platforms: [kiosk]")
    project.write("clipbuild.yaml", config + """\
profiles:
  small: {preset: superfast, crf: 30}
specs:
  tiny: {width: 270, height: 480, fps: 30}
platforms:
  kiosk: {spec: tiny, safe: {top: 20, right: 20, bottom: 60, left: 20}}
""")
    return project


def published(project: Project) -> set[str]:
    return {name.split("/")[1] for name in project.files() if name.endswith(".mp4")}


def lock(project: Project) -> list[dict[str, str]]:
    path = project.root / "clipbuild.lock"
    lines = path.read_text().splitlines()[1:] if path.exists() else []
    return [json.loads(line) for line in lines]


def decide(project: Project, *args: str) -> None:
    status, _, err = project.run(args[0], "--profile", project.profile, "--by", "kim", *args[1:])
    assert status == 0, err


def test_a_failing_clip_is_published_once_approved(project: Project) -> None:
    """It is held back, the build says why and that a person must decide; an approval publishes it without a render."""
    rejecting(project)
    held = project.build()
    assert held.status == 4, held.text
    assert set(held.plain["held"]) == {"item-0", "item-1"}
    assert "frames are black" in held.plain["held"]["item-0"]
    assert published(project) == set()
    decide(project, "approve", "item-0")
    second = project.build()
    assert (second.status, second.ran) == (4, [])
    assert published(project) == {"item-0"}
    (said,) = lock(project)
    assert (said["verdict"], said["by"], said["name"]) == ("approved", "kim", "item-0/tiny/render")


def test_reject_edit_approve(project: Project) -> None:
    """A rejected clip leaves the tree, alone; changed, it is back; approved, it stays approved while its bytes do."""
    assert project.build().status == 0
    decide(project, "reject", "item-0", "--reason", "the price is wrong")
    gone = project.build()
    assert (gone.status, gone.ran) == (0, [])
    assert "the price is wrong" in gone.plain["held"]["item-0"]
    assert published(project) == {"item-1"}
    assert project.build().ran == []
    project.edit("catalog/all.yaml", "photos: photos/p0.png\n    captions: [Hello there]", "photos: photos/p0.png\n    captions: [Hi]")
    back = project.build()
    assert back.status == 0
    assert published(project) == {"item-0", "item-1"}
    assert not any(name.startswith("item-1/") for name in back.ran)
    decide(project, "approve", "item-0")
    approved = project.files()
    project.edit("catalog/all.yaml", "captions: [Hi]", "captions: [Hello there]")
    assert "item-0" in project.build().plain["held"], "the bytes that were rejected are back, and so is the rejection"
    assert {n: d for n, d in project.files().items() if n.endswith("mp4")} == {n: d for n, d in approved.items() if n.endswith("mp4")}


def test_review_required_waits_for_a_person(project: Project) -> None:
    """Such a product is made and held; approved, it is published; made again differently, it waits again and the
    approved files stay."""
    project.edit("catalog/all.yaml", "  - sku: item-0\n", "  - sku: item-0\n    review: required\n")
    first = project.build()
    assert first.status == 4
    assert list(first.plain["held"]) == ["item-0"]
    assert published(project) == {"item-1"}
    decide(project, "approve", "item-0")
    assert project.build().status == 0
    before = {name: data for name, data in project.files().items() if "item-0" in name}
    assert before
    project.edit("catalog/all.yaml", "review: required\n    name: Item 0", "review: required\n    name: Item 0\n    hook: New")
    assert project.build().status == 4
    assert {name: data for name, data in project.files().items() if "item-0" in name} == before


def test_approved_only(project: Project) -> None:
    """Only what was approved is in the tree; without the flag the rest comes back, and nothing is made for either."""
    assert project.build().status == 0
    decide(project, "approve", "item-1")
    only = project.build("--approved-only")
    assert (only.status, only.ran) == (0, [])
    assert published(project) == {"item-1"}
    rest = project.build()
    assert (rest.status, rest.ran) == (0, [])
    assert published(project) == {"item-0", "item-1"}


def test_an_untrusted_run_decides_nothing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """In CI that serves strangers an approval is refused."""
    assert project.build("item-0").status == 0
    monkeypatch.setenv("CI", "true")
    status, _, err = project.run("approve", "item-0", "--profile", project.profile)
    assert status == 2
    assert "untrusted" in err
    assert lock(project) == []


def test_the_desk_of_a_project(project: Project) -> None:
    """The page's door: what is there, a decision on it, a stale one refused, what changed since the approval."""
    from clipbuild.errors import DecisionError
    from clipbuild.gallery.desk import ProjectDesk
    from clipbuild.settings import Settings
    from clipbuild.wish import Wish

    assert project.build().status == 0
    desk = ProjectDesk(Wish(str(project.root), profile=project.profile), Settings(), "kim")
    try:
        card = desk.shelf().cards[0]
        assert (card.name, card.state, card.motion) == ("item-0/tiny", "new", "push-in")
        assert card.subject
        assert card.subject.pair.startswith("one subject, ")
        blob = card.subject.digest
        assert desk.file(blob)
        assert desk.decide(card.name, blob, "approved", "").state == "approved"
        project.edit("catalog/all.yaml", "sku: item-0\n    name: Item 0", "sku: item-0\n    name: Item 0\n    hook: Look at this")
        project.build()
        now = desk.shelf().cards[0]
        assert now.state == "changed"
        changes = {path: new for _, path, _, new in desk.shelf().detail(now).changes}
        assert changes["hook"] == "Look at this"
        with pytest.raises(DecisionError, match="made again"):
            desk.decide(card.name, blob, "approved", "")
        assert desk.records()[0].approved == 1
    finally:
        desk.close()


def test_a_motion_that_does_not_suit_is_told_once(project: Project) -> None:
    """The build names a better one when the picture is first looked at, and not again."""
    project.edit("clipbuild.yaml", "motion: push-in", "motion: hold")
    first = project.build("item-0")
    _, out, err = project.run("build", "item-0", "--profile", project.profile)
    assert first.status == 0
    assert "does not suit" not in out + err
    project.edit("clipbuild.yaml", "motion: hold", "motion: rack")
    _, out, err = project.run("build", "item-0", "--profile", project.profile)
    assert "item-0/tiny: rack does not suit this picture (" in out + err
    assert " would" in out + err


def test_the_candidates_are_shown_with_their_verdicts(tmp_path: pathlib.Path) -> None:
    """Of three bought pictures one is taken; page and report show all of them, each with what the check said of it."""
    from clipbuild.gallery import pages
    from clipbuild.gallery.desk import ProjectDesk
    from clipbuild.settings import Settings
    from clipbuild.wish import Wish
    from tests.support.shop import opened

    with opened(tmp_path, "openai") as shop:
        shop.stock(1, "local")
        shop.edit("clipbuild.yaml", 'flare:low"', 'flare:low*3"')
        assert shop.build().status == 0
        desk = ProjectDesk(Wish(str(shop.root), profile=shop.profile), Settings(), "")
        try:
            (card,) = desk.shelf().cards
            found = desk.shelf().detail(card).candidates
            assert [one.taken for one in found].count(True) == 1
            assert len({one.blob for one in found}) == 3
            assert next(one.blob for one in found if one.taken) == card.picture
            assert all(desk.file(one.blob) for one in found), "the page may show them"
            html = pages.clip(desk.shelf(), card, pages.Frame("x")).html
            assert "Chosen from 3 pictures" in html
            assert html.count('alt="Candidate ') == 3
        finally:
            desk.close()
        shop.run("report", "--out", str(tmp_path / "report"), "--profile", shop.profile)
        media = {path.name.partition(".")[0] for path in (tmp_path / "report" / "media").iterdir()}
        assert {str(one.blob) for one in found} <= media
