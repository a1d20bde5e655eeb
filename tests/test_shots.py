"""Shots of one subject: each a clip of its own, their pictures made from one reference, free ones from one photo."""

import pathlib
from collections.abc import Mapping

import pytest

from clipbuild.gallery.desk import ProjectDesk
from clipbuild.settings import Settings
from clipbuild.wish import Wish
from tests.support.project import Project
from tests.support.shop import Shop, opened

SHOTS = """\
products:
  - sku: ana
    name: Mornings with Ana
    subject: Ana in a green jumper
    photos: photos/p0.png
    picture: edit
    reference: first
    shots:
      - {id: pour, doing: pours coffee, captions: [One]}
      - {id: sip, doing: takes a sip, captions: [Two]}
      - {id: door, doing: locks the door, motion: drift}
"""


def stocked(shop: Shop, text: str = SHOTS, motion: str = "local", extra: str = "") -> None:
    """The shop with nothing but the three shots."""
    shop.stock(1, motion, extra)
    shop.write("catalog/all.yaml", text)


def prompts(shop: Shop) -> Mapping[str, str]:
    """What the pictures of the shots are asked for with, by clip."""
    desk = ProjectDesk(Wish(str(shop.root), profile=shop.profile), Settings(), "")
    try:
        room = desk.shelf()
        return {card.name.partition("/")[0]: room.detail(card).prompts[0][1] for card in room.cards}
    finally:
        desk.close()


def test_free_shots_are_clips_of_their_own(tmp_path: pathlib.Path) -> None:
    """Three shots of one photo share its picture; a caption of one renders that one again and no other."""
    project = Project(tmp_path)
    project.sample(1)
    project.write("catalog/all.yaml", SHOTS.replace("motion: drift", "motion: drift, captions: [Three]"))
    first = project.build()
    assert first.status == 0, first.text
    assert sum(name.endswith("/image") for name in first.ran) == 1
    assert sum(name.endswith("/render") for name in first.ran) == 3
    before = project.files()
    assert {path.rsplit("/", 1)[1] for path in before if path.endswith(".mp4")} == {"ana.pour.mp4", "ana.sip.mp4", "ana.door.mp4"}
    project.edit("catalog/all.yaml", "[Two]", "[Still warm]")
    again = project.build()
    assert {name.partition("/")[0] for name in again.ran} == {"ana.sip"}
    changed = {path for path, data in project.files().items() if data != before.get(path)}
    assert {path.rsplit("/", 1)[1].partition(".")[0] for path in changed if "manifest" not in path} == {"ana"}
    assert not any("pour" in path or "door" in path for path in changed)


def test_the_first_picture_goes_along_with_the_others(tmp_path: pathlib.Path) -> None:
    """Three pictures are bought, the later two from the photo and the first shot's picture; words of one buy one, those
    of the first may buy all, and a caption buys nothing."""
    with opened(tmp_path, "openai") as shop:
        stocked(shop)
        built = shop.build()
        assert (built.status, shop.charges()) == (0, {"openai": 3}), built.text
        said = prompts(shop)
        assert "pours coffee" in said["ana.pour"]
        assert "nothing of it changes" not in said["ana.pour"]
        assert "nothing of it changes" in said["ana.sip"]
        assert [job.facts["photos"] for job in shop.fakes["openai"].jobs.values()] == [1, 2, 2]
        shop.edit("catalog/all.yaml", "[Two]", "[Still warm]")
        assert (shop.build().stages().count("generate"), shop.charges()) == (0, {"openai": 3})
        shop.edit("catalog/all.yaml", "takes a sip", "takes a long sip")
        assert {name for name in shop.build().ran if name.endswith("/image")} == {"ana.sip/vertical/image"}
        assert shop.charges() == {"openai": 4}
        shop.edit("catalog/all.yaml", "pours coffee", "pours tea")
        waits = {row["action"]: row["verdict"] for row in shop.plan() if row["stage"] == "generate"}
        assert waits == {
            "ana.pour/vertical/image": "will run", "ana.sip/vertical/image": "may run", "ana.door/vertical/image": "may run"
        }  # fmt: skip
        shop.build()
        assert shop.charges() == {"openai": 5}, "the first came out the same, so the others stand"
        assert shop.build().ran == []


def test_a_batch_is_one_request(tmp_path: pathlib.Path) -> None:
    """One request for three pictures, each shot with its own; what one of them does is in the words of the one request."""
    with opened(tmp_path, "openai") as shop:
        stocked(shop, SHOTS.replace("reference: first", "reference: batch"))
        built = shop.build()
        assert built.status == 0, built.text
        assert shop.submits() == 1
        said = prompts(shop)
        assert len(set(said.values())) == 1
        assert "A set of 3 pictures of this one subject" in said["ana.sip"]
        assert "pours coffee; takes a sip; locks the door" in said["ana.sip"]
        desk = ProjectDesk(Wish(str(shop.root), profile=shop.profile), Settings(), "")
        try:
            room = desk.shelf()
            assert len({card.picture for card in room.cards}) == 3
            names = [shot.name.partition("/")[0] for shot, _ in room.detail(room.cards[1]).shots]
            assert names == ["ana.pour", "ana.sip", "ana.door"], "side by side, this one in its place"
        finally:
            desk.close()
        shop.edit("catalog/all.yaml", "[Two]", "[Still warm]")
        again = shop.build()
        assert {name.partition("/")[0] for name in again.ran} == {"ana.sip"}
        assert shop.submits() == 1


def test_a_reference_photo_goes_along(tmp_path: pathlib.Path) -> None:
    """A picture of one's own is sent beside the photos, and another one asks for all pictures again."""
    with opened(tmp_path, "openai") as shop:
        stocked(shop, SHOTS.replace("reference: first", "reference: photos/ana.png"))
        shop.photo("photos/ana.png", "#2a4")
        assert shop.build().status == 0
        assert [job.facts["photos"] for job in shop.fakes["openai"].jobs.values()] == [2, 2, 2]
        shop.photo("photos/ana.png", "#a42")
        shop.build()
        assert shop.charges() == {"openai": 6}


def test_the_first_still_is_approved_before_others_are_bought(tmp_path: pathlib.Path) -> None:
    """With `approve: stills` a person sees the one picture that the others will be made from."""
    with opened(tmp_path, "openai") as shop:
        stocked(shop, extra="approve: stills\n")
        built = shop.build()
        assert (built.status, shop.charges()) == (4, {"openai": 1})
        assert "the first shot's picture waits for a person's approval" in str(built.plain["errors"])
        plan = shop.run("plan", "--profile", shop.profile)[1]
        assert "the first shot's still is not approved yet" in plan
        shop.run("approve", "--still", "ana.pour", "--profile", shop.profile, "--by", "kim")
        assert (shop.build().status, shop.charges()) == (0, {"openai": 3})


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("    shots:\n", "    variants: [{id: x}]\n    shots:\n", "a product has shots or variants, not both"),
        ("reference: first", "reference: photos/nobody.png", "'photos/nobody.png' is not there"),
        ("id: sip", "id: Pour", "two shots are called 'pour'"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: pathlib.Path, old: str, new: str, said: str) -> None:
    """Shots and variants in one product, a reference that is not there, one id twice: each with its place."""
    project = Project(tmp_path)
    project.sample(1)
    project.write("catalog/all.yaml", SHOTS.replace(old, new))
    status, _, err = project.run("check")
    assert status == 2
    assert said in err
    assert "catalog/all.yaml:" in err


def test_a_reference_needs_shots(tmp_path: pathlib.Path) -> None:
    """Alone it would do nothing, and is refused."""
    project = Project(tmp_path)
    project.sample(1)
    project.edit("catalog/all.yaml", "name: Item 0", "name: Item 0\n    reference: first")
    assert "there are none" in project.run("check")[2]
