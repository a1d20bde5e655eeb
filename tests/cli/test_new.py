"""`clipbuild new`, `fmt`, `schema`, `init` and `import`, as typed."""

import json
import pathlib

import pytest

from tests.support.project import Project

EXPORTS = pathlib.Path(__file__).resolve().parents[1] / "catalog" / "exports"


@pytest.fixture
def project(tmp_path: pathlib.Path) -> Project:
    made = Project(tmp_path)
    made.sample()
    return made


def test_new(project: Project) -> None:
    """A product by options; the photo is found by the SKU; it is there for the next check."""
    project.photo("photos/red-mug.png")
    before = (project.root / "catalog/all.yaml").read_text()
    status, out, err = project.run("new", "red-mug", "--caption", "Warm, and round", "--price", "€5")
    assert (status, err) == (0, "")
    assert "next: clipbuild check" in out
    text = (project.root / "catalog/all.yaml").read_text()
    assert text == before + (
        '  - sku: red-mug\n    name: Red mug\n    photos: photos/red-mug.png\n    captions: ["Warm, and round"]\n    offer: {price: "€5"}\n'
    )
    assert project.run("check")[1].startswith("2 products, 2 clips: nothing wrong")


def test_new_is_strict(project: Project) -> None:
    """A SKU that is taken, or none at all, changes nothing."""
    before = (project.root / "catalog/all.yaml").read_bytes()
    assert "is in catalog/all.yaml already" in project.run("new", "Item-0")[2]
    assert "letters a-z" in project.run("new", "a/b")[2]
    assert "a device's name on Windows" in project.run("new", "nul.x")[2]
    assert (project.root / "catalog/all.yaml").read_bytes() == before


def test_new_starts_a_file(project: Project) -> None:
    """--into may be a file that is not there yet; it can't be one outside."""
    assert project.run("new", "x", "--recipe", "card", "--into", "catalog/cards.yaml")[0] == 0
    assert project.run("check")[0] == 0
    assert project.run("new", "y", "--recipe", "card", "--into", "../cards.yaml")[0] != 0


def test_fmt(project: Project) -> None:
    """--check says what is not in style; without it the file is tidied, once; comments stay."""
    project.write("catalog/b.yaml", "products:\n- sku: b   # why\n  name:  B\n  recipe: card\n")
    status, out, _ = project.run("fmt", "--check", "catalog/b.yaml")
    assert (status, out.splitlines()[0]) == (1, "not in style  catalog/b.yaml")
    assert project.run("fmt")[0] == 0
    assert (project.root / "catalog/b.yaml").read_text() == "products:\n  - sku: b # why\n    name: B\n    recipe: card\n"
    assert project.run("fmt", "--check")[0] == 0
    project.write("catalog/c.yaml", "products: [\n")
    status, _, err = project.run("fmt")
    assert status == 2
    assert "catalog/c.yaml:2:1" in err


def test_schema(project: Project) -> None:
    """Where the schemas are, plain and as an editor's settings."""
    path = pathlib.Path(project.run("schema", "catalog")[1].strip())
    assert json.loads(path.read_text())["title"] == "clipbuild catalog"
    settings = json.loads(project.run("schema", "--vscode")[1])
    assert sorted(settings["yaml.schemas"].values()) == ["catalog/*.yaml", "clipbuild.yaml"]


@pytest.mark.parametrize("recipe", ["packshot", "scene", "card"])
def test_init(tmp_path: pathlib.Path, recipe: str) -> None:
    """Each recipe starts a project without a fault, in style."""
    project = Project(tmp_path / "shop")
    project.root.mkdir()
    assert project.run("init", "--recipe", recipe, "--name", 'A "brand": ours')[0] == 0
    assert project.run("check")[1] == "1 product, 1 clip: nothing wrong\n"
    assert project.run("fmt", "--check")[0] == 0
    assert project.run("init")[0] == 2


def test_init_from_a_shop(tmp_path: pathlib.Path) -> None:
    """An export and a folder of photos are a project; what has no photo is said."""
    source = Project(tmp_path)
    for name in ("ember-mug-1.png", "vase-red.png", "vase-green.png"):
        source.photo(f"pictures/{name}")
    project = Project(tmp_path / "shop")
    project.root.mkdir()
    status, out, err = project.run(
        "init", "--from", str(EXPORTS / "woocommerce.csv"), "--photos", str(tmp_path / "pictures"), "--currency", "€"
    )
    assert status == 1  # one row of the export is bad
    assert "variation of 'FF-NOBODY'" in err
    assert "left out 2 without a photo" in out
    assert "under the shop's file names and import again" in out
    assert project.run("check")[1].startswith("2 products, 3 clips: nothing wrong")


def test_import_again(project: Project) -> None:
    """What came from the shop is updated, what a person wrote is kept, and both are said."""
    for name in ("ember-mug-1.png", "vase-red.png", "vase-green.png", "stool.png"):
        project.photo(f"photos/{name}")
    export = project.root / "shop.csv"
    text = (EXPORTS / "shopify.csv").read_text(encoding="utf-8")
    export.write_text(text, encoding="utf-8")
    assert project.run("import", str(export), "--currency", "€")[0] == 1
    project.edit("catalog/shop.yaml", "name: Ember mug", "name: Our mug # better")
    export.write_text(text.replace("14.00", "12.50").replace("Ember mug,", "Ember mug XL,"), encoding="utf-8")
    _, out, _ = project.run("import", str(export), "--currency", "€", "--json")
    told = json.loads(out)
    assert told["changed"] == {"ember-mug": ["offer.price"]}
    assert told["kept"] == {"ember-mug": ["name"]}
    text = (project.root / "catalog/shop.yaml").read_text(encoding="utf-8")
    assert "name: Our mug # better" in text
    assert "€12.50" in text
    assert project.run("check")[0] == 0
    assert project.run("import", str(export), "--json", "--dry-run", "--currency", "€")[0] == 1
