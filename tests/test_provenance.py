"""What a clip says of how it came to be: labels inside its files, terms of its photos, and the record of who made what."""

import json
import pathlib
from collections.abc import Iterator

import pytest

from clipbuild import decisions
from clipbuild.engine.lock import Lock
from clipbuild.media import labels
from tests.support.project import Project
from tests.support.repository import Repository
from tests.support.shop import Shop, opened

IPTC = b"http://cv.iptc.org/newscodes/digitalsourcetype/"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Two people's work: ann made the project, ben wrote a caption."""
    made = Project(tmp_path_factory.mktemp("p"))
    repository = Repository(made.root)
    made.sample(1)
    made.edit("catalog/all.yaml", "photos: photos/p0.png",
              "photos: [{file: photos/p0.png, licence: CC-BY-4.0, credit: Ana Lima, source: https://example.com/p0}]")  # fmt: skip
    made.write(".gitignore", ".clipbuild/\ndist*/\n")
    repository.commit("a product", who="ann")
    made.edit("catalog/all.yaml", "[Hello there]", "[Hello there, Made by hand]")
    repository.commit("a caption", who="ben")
    assert made.build().status == 0
    return made


def test_files_carry_their_source_type_inside(project: Project) -> None:
    """Clip and cover of real photos say so in the IPTC's words, as XMP."""
    for name in ("item-0.mp4", "item-0.jpg"):
        packet = labels.read(str(project.tree / "tiktok/item-0" / name))
        assert IPTC + b"compositeCapture<" in packet


def test_the_post_says_the_same_and_carries_the_terms(project: Project) -> None:
    """Nothing was generated; the photo's licence, credit and source go along."""
    post = json.loads(project.files()["tiktok/item-0/item-0.json"])
    assert post["ai"] == {"generated": [], "digital_source_type": (IPTC + b"compositeCapture").decode(), "disclose": False}
    assert post["assets"] == [{"file": "photos/p0.png", "licence": "CC-BY-4.0", "credit": "Ana Lima",
                               "source": "https://example.com/p0"}]  # fmt: skip


def test_the_record_names_people_by_their_lines(project: Project) -> None:
    """The caption's line was last changed by ben, the name and the photo are ann's; an edit that is not committed is
    nobody's yet."""
    status, out, _ = project.run("authorship", "--json", "--profile", "draft")
    assert status == 0
    (record,) = json.loads(out)["clips"]
    words = {word["what"]: word for word in record["words"]}
    assert words["name"]["by"]["name"] == "ann"
    assert words["captions[1]"]["by"]["name"] == "ben"
    assert words["captions[1]"]["line"] > words["name"]["line"]
    (photo,) = record["files"]
    assert (photo["by"]["name"], photo["licence"]) == ("ann", "CC-BY-4.0")
    assert record["generated"] == []
    assert record["people"] == ["ann", "ben"]
    assert "vertical/render" in record["composed"]
    project.edit("catalog/all.yaml", "price: €5", "price: €9")
    record = json.loads(project.run("authorship", "--json", "--profile", "draft")[1])["clips"][0]
    assert {word["by"]["name"] for word in record["words"] if word["what"] == "offer.price"} == {""}
    project.edit("catalog/all.yaml", "price: €9", "price: €5")
    assert "ben" in project.run("authorship", "item-0", "--profile", "draft")[1]


def test_without_git_there_is_no_record(tmp_path: pathlib.Path) -> None:
    """An error that says why."""
    made = Project(tmp_path)
    made.sample(1)
    status, _, err = made.run("authorship")
    assert status == 2
    assert "git" in err


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A clip whose picture and motion were bought."""
    with opened(tmp_path_factory.mktemp("shop"), "openai", "kling") as made:
        made.stock(1)
        Repository(made.root).commit("bought")
        built = made.build()
        assert built.status == 0, built.text
        yield made


def test_what_a_model_made_is_said_everywhere(shop: Shop) -> None:
    """In the files, in the post, and in the record with prompt, model and job; a person's word on it is listed too."""
    files = {path.name: path for path in shop.tree.rglob("item-0.*")}
    for name in ("item-0.mp4", "item-0.jpg"):
        assert IPTC + b"compositeWithTrainedAlgorithmicMedia<" in labels.read(str(files[name]))
    post = json.loads(files["item-0.json"].read_text())
    assert post["ai"]["disclose"]
    assert "video" in post["ai"]["generated"]
    pin = next(pin for pin in Lock.load(str(shop.root / "clipbuild.lock")).pins.values() if pin.name.endswith("image"))
    blob = next(iter(pin.outputs.values()))
    decisions.decide(str(shop.root), [decisions.Subject(pin.name, pin.key, blob)], decisions.APPROVED, by="cleo", reason="true")
    record = json.loads(shop.run("authorship", "--json", "--profile", "studio")[1])["clips"][0]
    assert {part["provider"] for part in record["generated"]} == {"openai", "kling"}
    for part in record["generated"]:
        assert part["prompt"]
        assert part["at"]
        assert part["outputs"]
    assert [(said["verdict"], said["by"]) for said in record["decisions"]] == [("approved", "cleo")]
    assert "cleo" in record["people"]


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A test certificate and its key."""
    pytest.importorskip("c2pa", reason="not run: no c2pa")
    pytest.importorskip("cryptography", reason="not run: no cryptography")
    from tests.support import certificates

    cert, key = certificates.make(tmp_path_factory.mktemp("signer"))
    return str(cert), str(key)


def test_a_signed_copy_tells_photo_picture_and_clip(shop: Shop, signer: tuple[str, str], tmp_path: pathlib.Path) -> None:
    """Valid by the library's own reader; the chain of ingredients goes back to the photo, each made part with its agent
    and source type; the tree itself is untouched; a changed copy is no longer valid."""
    from clipbuild import credentials

    before = shop.files()
    status, out, err = shop.run("credentials", "--profile", "studio", "--cert", signer[0], "--key", signer[1],
                                "--out", str(tmp_path / "signed"))  # fmt: skip
    assert status == 0, err
    assert "valid  tiktok/item-0/item-0.mp4" in out
    assert shop.files() == before
    copy = tmp_path / "signed/tiktok/item-0/item-0.mp4"
    told = credentials.told(str(copy))
    manifests = told["manifests"].values()
    titles = {ingredient["title"] for manifest in manifests for ingredient in manifest.get("ingredients", [])}
    assert {"p0.png", "animate of item-0"} <= titles
    text = json.dumps(told)
    assert "kling" in text
    assert (IPTC + b"compositeWithTrainedAlgorithmicMedia").decode() in text
    data = bytearray(copy.read_bytes())
    data[-2000] ^= 1
    (tmp_path / "changed.mp4").write_bytes(data)
    assert credentials.state(str(tmp_path / "changed.mp4")) == "Invalid"
    assert labels.read(str(copy)), "the label inside is still there"


def test_a_key_that_is_not_kept_well_is_refused(shop: Shop, signer: tuple[str, str]) -> None:
    """In the project, readable by others, or not there."""
    import shutil

    inside = shop.root / "key.pem"
    shutil.copy(signer[1], inside)
    inside.chmod(0o600)
    outside = shop.home / "key.pem"
    shutil.copy(signer[1], outside)
    outside.chmod(0o644)
    for key, word in ((inside, "project"), (outside, "others"), (shop.home / "none.pem", "no such file")):
        status, _, err = shop.run("credentials", "--cert", signer[0], "--key", str(key))
        assert (status, word in err) == (2, True), err
    inside.unlink()
