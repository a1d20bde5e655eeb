"""The catalog, whole: all files, all faults, no two products in one place."""

import pytest

from clipbuild.catalog import catalog as catalogs
from clipbuild.errors import CatalogError
from tests.support.catalogs import KNOWN, SMALLEST, Memory, Shelf, opened, wrong


def entry(sku: str, more: str = "") -> str:
    return f"  - {{sku: {sku}, name: N, photos: p.png{more}}}\n"


def test_files_in_order() -> None:
    """Products come in the order of files and lines, each file once however often it is named."""
    project = "catalog: [catalog/b.yaml, catalog/*.yaml]\n"
    found = opened(SMALLEST, project, **{"catalog/b.yaml": f"products:\n{entry('z')}{entry('y')}"})
    assert [clip.id for clip in found.clips] == ["z", "y", "mug"]
    assert (found.clips[1].place.file, found.clips[1].place.line, found.clips[1].place.column) == ("catalog/b.yaml", 3, 5)


def test_all_faults_of_all_files_at_once() -> None:
    """Sorted by file and line, those of every kind."""
    found = wrong(
        f"products:\n{entry('a', ', motion: x')}{entry('a')}",
        **{"catalog/b.yaml": "products: [\n", "catalog/c.yaml": "products:\n  - {sku: c}\n"},
    )
    assert [line.split(" | ")[0] for line in found] == [
        "catalog/a.yaml:2:46: unknown motion 'x'", "catalog/a.yaml:3:5: 'a' is written twice",
        "catalog/b.yaml:2:1: no value where one belongs", "catalog/c.yaml:2:5: 'name' is missing",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other", "what"),
    [
        (entry("SKU"), entry("sku"), "'sku' and 'SKU' are one name on some systems"),
        (entry("x"), entry("x"), "'x' is written twice"),
        (entry("a", ", variants: [{id: b}]"), entry("a.b"), "'a.b' is written twice"),
        (entry("a", ", languages: [en, de]"), entry("A.DE"), "'A.DE' and 'a.de' are one name on some systems"),
    ],
)
def test_what_would_be_one_file(one: str, other: str, what: str) -> None:
    """Two clips of one name, on a disk that heeds no case: the second names the first."""
    with pytest.raises(CatalogError) as caught:
        opened(f"products:\n{one}{other}")
    [problem] = caught.value.problems
    assert (problem.what, problem.line) == (what, 3)
    assert dict(problem.facts)["first"] == "catalog/a.yaml:2:5"


def test_one_products_clips_may_collide_too() -> None:
    """A variant with languages, and one named like the result."""
    keys = ", variants: [{id: x, languages: [de, fr]}, {id: x.de, languages: [en]}]"
    assert "'a.x.de' is written twice" in wrong(f"products:\n{entry('a', keys)}")[0]


def test_a_pattern_that_fits_nothing() -> None:
    """A catalog that isn't found is no empty catalog."""
    assert wrong(SMALLEST, "catalog: catlog/*.yaml\n") == [
        "clipbuild.yaml:0:0: no catalog file fits 'catlog/*.yaml' | `clipbuild new SKU` writes one; or change `catalog:`"
    ]


def test_a_folder_is_no_pattern() -> None:
    """The files in it are what was meant; so are those with the other ending."""
    for pattern in ("catalog", "catalog/", "catalog/*.yml"):
        (told,) = wrong(SMALLEST, f"catalog: {pattern}\n")
        assert told.endswith("| did you mean `catalog: catalog/*.yaml`?"), told


def test_the_fan_out_is_bounded() -> None:
    """A catalog that would make a million clips is refused while it is counted."""
    codes = [f"{a}{b}" for a in "abcdefghij" for b in "abcde"]
    variants = ", ".join(f"{{id: v{n}}}" for n in range(100))
    keys = f", languages: [{', '.join(codes)}], variants: [{variants}]"
    text = "products:\n" + "".join(entry(f"s{n}", keys) for n in range(9))
    files = Shelf({"clipbuild.yaml": "catalog: a.yaml\n", "a.yaml": text, "p.png": ""})
    most, catalogs.MAX_CLIPS = catalogs.MAX_CLIPS, 9000
    try:
        with pytest.raises(CatalogError, match="more than 9,000 clips") as caught:
            catalogs.open_catalog(".", profile="final", files=files, cache=Memory(), known=KNOWN)
    finally:
        catalogs.MAX_CLIPS = most
    assert caught.value.problems[0].line == 3


def test_an_untouched_catalog_is_the_same_catalog() -> None:
    """What is remembered gives equal clips."""
    cache = Memory()
    text = "products:\n" + "".join(entry(f"s{n}", ", cta: {en: a, de: b}") for n in range(50))
    assert opened(text, cache=cache) == opened(text, cache=cache) == opened(text)


def test_a_catalog_file_whose_name_is_no_text_is_told() -> None:
    """As what an old system called `café.yaml` in Latin-1: nothing that lists files could hold it."""
    files = Shelf({"clipbuild.yaml": "catalog: '*/*.yaml'\n", "c/caf\udce9.yaml": "products: []\n", "c/a.yaml": SMALLEST, "p.png": ""})
    with pytest.raises(CatalogError, match="its name is no UTF-8") as caught:
        catalogs.open_catalog(".", profile="final", files=files, cache=Memory(), known=KNOWN)
    assert [problem.file for problem in caught.value.problems] == ["c/caf\\udce9.yaml"]


def test_a_file_with_the_other_ending_is_told() -> None:
    """`.yml` beside `.yaml` is easily overlooked: a warning, until a pattern fits it."""
    more = {"catalog/more.yml": f"products:\n{entry('z')}"}
    found = opened(SMALLEST, "catalog: catalog/*.yaml\n", **more)
    assert [problem.file for problem in found.warnings] == ["catalog/more.yml"]
    assert "catalog/more.yaml" in found.warnings[0].hint
    assert not opened(SMALLEST, "catalog: [catalog/*.yaml, catalog/*.yml]\n", **more).warnings


@pytest.mark.parametrize("output", ["catalog", "catalog/out", "photos", "templates/x", ".git"])
def test_clips_go_to_no_folder_of_sources(output: str) -> None:
    """Neither into the catalog's own folder nor into photos, templates or what is git's."""
    for written in ("", "catalog: catalog/*.yaml\n"):
        assert any(f"{output} is a folder of sources" in line for line in wrong(SMALLEST, f"{written}output: {output}\n"))
