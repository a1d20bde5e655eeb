"""clipbuild.yaml: what a project says for all its products."""

import pytest

from clipbuild.catalog.model import Profile, Route
from clipbuild.errors import UsageError
from tests.support.catalogs import SMALLEST, opened, wrong


def test_an_almost_empty_project_works() -> None:
    """Everything has a sensible value."""
    project = opened(SMALLEST).project
    assert (project.output, project.takes, project.approve, project.budget_build) == ("dist", 1, "", "")
    assert project.profiles == {
        "draft": Profile("draft", scale=0.5, preset="superfast", crf=26, paid=False), "final": Profile("final"),
    }  # fmt: skip


def test_money_is_text() -> None:
    """Amounts keep the digits that were written."""
    project = opened(SMALLEST, 'budget: {build: 7.50, month: "200"}\napprove: stills\npools: {kling: 4}\n').project
    assert (project.budget_build, project.budget_month, project.approve, project.pools) == ("7.50", "200", "stills", {"kling": 4})


def test_routes_are_rules() -> None:
    """As written, in order; one that leads nowhere is a fault."""
    text = "routes:\n  - {priority: hero, motion: runway/gen4.5}\n  - {recipe: card, sound: true, image: openai/gpt-image-2:high}\n"
    assert opened(SMALLEST, text).project.routes == (
        Route(priority="hero", motion="runway/gen4.5"), Route(recipe="card", sound=True, image="openai/gpt-image-2:high"),
    )  # fmt: skip
    assert "a route that leads nowhere" in wrong(SMALLEST, "routes: [{recipe: card}]\n")[0]


def test_profiles_of_ones_own() -> None:
    """Merged over the shipped two; an unknown one on the command line is named with the nearest."""
    text = "profiles:\n  final: {motion: kling/kling-3.0}\n  tiny: {scale: 0.2, paid: false}\n"
    profiles = opened(SMALLEST, text).project.profiles
    assert profiles["final"].motion == "kling/kling-3.0"
    assert profiles["tiny"] == Profile("tiny", scale=0.2, paid=False)
    assert opened(SMALLEST, text, profile="tiny").project.platforms["square"].spec.width == 216
    with pytest.raises(UsageError, match="unknown profile 'fnal'") as caught:
        opened(SMALLEST, text, profile="fnal")
    assert caught.value.hint == 'did you mean "final"?'


def test_a_brand_among_several() -> None:
    """A product says which; what its brand leaves out is the main brand's."""
    text = """
brand: {name: Main, colors: {primary: "#111111", accent: "#222222"}, hashtags: [main], logo: p.png}
brands:
  kids: {name: Kids, colors: {primary: "#AAbbCC"}, defaults: {duration: 7, caption_style: pop}}
"""
    products = "products:\n  - {sku: a, name: A, photos: p.png}\n  - {sku: b, name: B, photos: p.png, brand: kids}\n"
    main, kids = opened(products, text).clips
    assert (main.brand.name, main.seconds, main.caption_style) == ("Main", 5, "boxed")
    assert (kids.brand.name, kids.brand.primary, kids.brand.accent, kids.brand.logo) == ("Kids", "#aabbcc", "#222222", "p.png")
    assert (kids.seconds, kids.caption_style) == (7, "pop")
    assert wrong(products.replace("kids", "kid"), text) == ["catalog/a.yaml:3:45: unknown brand 'kid' | did you mean \"kids\"?"]


def test_faults_in_the_project_do_not_hide_those_in_catalogs() -> None:
    """Both files' faults are said at once."""
    found = wrong("products:\n  - {sku: a, nam: A}\n", "defualts: {}\n")
    assert [line.partition(": ")[0] for line in found] == ["catalog/a.yaml:2:14", "clipbuild.yaml:1:1"]
    assert len(wrong("products: 5\n", "catalog: {}\n")) == 1
