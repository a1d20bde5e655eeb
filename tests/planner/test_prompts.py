"""Prompts are composed from a clip's fields by templates that a workspace can extend, line by line accounted for."""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from clipbuild.catalog.model import Brand, Caption, Clip, Motion, Offer, Post, Prompt
from clipbuild.errors import CatalogError
from clipbuild.planner.prompts import Prompts, Rendered, collapse
from tests.support.templates import Memory, clip

RECIPES = ("packshot", "scene", "card")


def render(given: Clip, kind: str = "image", aspect: str = "9:16", **files: str) -> Rendered:
    """The prompt of a clip, with the workspace's own templates `name__j2`."""
    own = {f"templates/prompts/{name.replace('__', '.')}": text for name, text in files.items()}
    prompts = Prompts(["templates"], Memory(own))
    return prompts.render(given, kind, aspect=aspect, motion_words="slow push-in", seconds=given.seconds)


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_prompt_says_it_all_in_order(recipe: str) -> None:
    """Subject, lighting, background, depth, what it will be animated as and what to leave out, in this order."""
    text = render(clip(recipe=recipe)).text
    parts = [
        "A matte black ceramic mug.", "ingle subject", "soft window light from the left", "a calm pale kitchen worktop",
        "shallow depth of field", "animated as a slow push-in, 9:16 clip", "Leave out: text",
    ]  # fmt: skip
    places = [text.find(part) for part in (parts[:1] + parts[2:])]
    assert -1 not in places, text
    assert places == sorted(places)
    assert recipe == "card" or parts[1] in text


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_picture_is_asked_for_in_its_aspect(recipe: str) -> None:
    """Each aspect has its own words."""
    texts = {aspect: render(clip(recipe=recipe), aspect=aspect).text for aspect in ("9:16", "16:9", "4:5", "1:1")}
    assert len(set(texts.values())) == 4
    assert all(aspect in text for aspect, text in texts.items())


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_motion_prompt_keeps_the_product(recipe: str) -> None:
    """The motion model hears the move, the length, and that the product stays as it is."""
    text = render(clip(recipe=recipe, motion=Motion(loop=True)), "motion").text
    for part in ("slow push-in", "5 seconds", "ending where it began", "stays still", "hands"):
        assert part in text


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("kind", ["image", "motion"])
def test_a_clip_of_three_lines_has_a_prompt(recipe: str, kind: str) -> None:
    """With a name and nothing else every sentence is whole: no gap, no stray stop, no empty label."""
    text = render(clip(recipe=recipe, prompt=Prompt(), photos=()), kind).text
    assert "mber mug" in text
    for flaw in ("..", ": .", " .", ",,", "  ", ": ,", "None", "{", "}"):
        assert flaw not in text, text


def test_what_is_not_the_picture_does_not_change_its_prompt() -> None:
    """SKU, variant, captions, price, hook, logo, platforms and post words are no part of any prompt."""
    given = clip()
    other = replace(
        given, id="x", sku="x", variant="v", language="de", captions=(Caption("50% off"),), offer=Offer("€9"), hook="Now",
        cta="Buy", platforms=("youtube",), post=Post("t"), brand=replace(given.brand, logo="l.png"),
    )  # fmt: skip
    for kind in ("image", "motion"):
        assert render(given, kind).text == render(other, kind).text


def test_lines_say_where_every_piece_came_from() -> None:
    """The pieces are the text, in order, each with the file and line that wrote it; an overridden block is the
    workspace's line, the rest the shipped template's."""
    own = '{% extends "clipbuild/packshot.j2" %}\n\n{% block lighting %}\nLit by {{ lighting }}\nand a candle.\n{% endblock %}\n'
    made = render(clip(), packshot__j2=own)
    assert " ".join(text for _, _, text in made.lines) == " ".join(made.text.split())
    assert ("templates/prompts/packshot.j2", 4, "Lit by soft window light from the left") in made.lines
    assert ("templates/prompts/packshot.j2", 5, "and a candle.") in made.lines
    shipped = Path(__file__).parents[2] / "templates" / "prompts" / "packshot.j2"
    source = shipped.read_text().splitlines()
    others = [line for line in made.lines if line[0] == "clipbuild/packshot.j2"]
    assert len(others) >= 4
    for _, line, text in others:
        assert text.split()[0].rstrip(":") in source[line - 1] or "{{ subject" in source[line - 1]
    assert made.files == ("templates/prompts/packshot.j2", "clipbuild/packshot.j2")


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("kind", ["image", "motion"])
def test_marked_and_plain_text_agree(recipe: str, kind: str) -> None:
    """The traced render is the same text as the one that is sent."""
    made = render(clip(recipe=recipe), kind)
    assert " ".join(text for _, _, text in made.lines) == " ".join(made.text.split())


def test_a_workspace_can_replace_include_and_go_on() -> None:
    """A template of its own, an include, `super()`, a loop over a list, and keys that start with x-."""
    given = clip(extra={"x-mood": "rainy sunday", "x-film-stock": "Portra 400"})
    made = render(
        given,
        packshot__j2='{% extends "clipbuild/packshot.j2" %}{% block depth %}{{ super() }}{% include "mood.j2" %}{% endblock %}',
        mood__j2="Mood: {{ x.mood }} on {{ x.film_stock }}.\n{% for thing in exclude %}no {{ thing }} {{ loop.index }}; {% endfor %}",
    )
    assert "Mood: rainy sunday on Portra 400." in made.text
    assert "no text 1; no logos 2; no hands 3;" in made.text
    assert "shallow depth of field" in made.text
    assert made.files[-1] == "templates/prompts/mood.j2"


def test_the_shipped_template_stays_reachable() -> None:
    """A workspace's packshot.j2 hides the shipped one for itself, not for `clipbuild/packshot.j2`; scene.j2 keeps using
    the shipped one."""
    made = render(clip(recipe="scene"), packshot__j2="only me")
    assert "only me" not in made.text
    assert render(clip(), packshot__j2="only me").text == "only me"


@pytest.mark.parametrize(
    ("own", "line", "said", "hint"),
    [
        ("a\nb\n{{ lightning }}", 3, "undefined", "did you mean 'lighting'"),
        ("a\n{% if %}", 2, "Expected", ""),
        ("\n{{ subject\n\n", 2, "unexpected", ""),
        ("a\n{{ subject.nope.x }}", 2, "", ""),
        ("\n\n{% include 'gone.j2' %}", 3, "no template 'gone.j2'", "clipbuild/packshot.j2"),
        ("\n{% include '../x.j2' %}", 2, "no template name", ""),
        ("\n\n{{ subject|shout }}", 3, "no filter 'shout'", "sentence"),
        ("{{ subject\x00 }}", 1, "NUL", ""),
    ],
)
def test_a_wrong_template_is_named_with_its_line(own: str, line: int, said: str, hint: str) -> None:
    """File, line, what is wrong and what to do."""
    with pytest.raises(CatalogError) as caught:
        render(clip(), packshot__j2=own)
    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == ("templates/prompts/packshot.j2", line)
    assert said in problem.what
    assert hint in problem.hint


def test_an_error_in_an_included_file_is_placed_there() -> None:
    """The place is the file that is wrong, not the one that asked for it."""
    with pytest.raises(CatalogError) as caught:
        render(clip(), packshot__j2="x\n{% include 'part.j2' %}", part__j2="\n{{ nope }}")
    assert caught.value.problems[0].file == "templates/prompts/part.j2"
    assert caught.value.problems[0].line == 2


def test_an_empty_prompt_is_refused() -> None:
    """A template that says nothing would buy a picture of nothing."""
    with pytest.raises(CatalogError, match="empty"):
        render(clip(), packshot__j2="{% if not subject %}x{% endif %}\n")


def test_template_text_in_data_stays_text() -> None:
    """A name or subject with template code in it is drawn as written, and white space in data is one space."""
    text = render(clip(prompt=Prompt("{{ 7*7 }}  {% include 'x' %}\n\ta mug"))).text
    assert text.startswith("{{ 7*7 }} {% include 'x' %} a mug.")


def test_very_long_words_are_refused_at_the_product() -> None:
    """Where the words are too long the product is named, with its place."""
    with pytest.raises(CatalogError, match=r"catalog/home\.yaml:3:5"):
        render(clip(prompt=Prompt("x" * 40_000)))


def test_the_signature_changes_with_any_template() -> None:
    """While the signature stands every prompt does: an edited, added or removed template changes it; other files don't."""
    files = {"templates/prompts/packshot.j2": "a", "templates/prompts/notes.txt": "b"}
    first = Prompts(["templates"], Memory(files)).signature()
    assert Prompts(["templates"], Memory(files | {"templates/prompts/notes.txt": "c"})).signature() == first
    for change in ({"templates/prompts/packshot.j2": "b"}, {"templates/prompts/new.j2": "c"}):
        assert Prompts(["templates"], Memory(files | change)).signature() != first


def test_the_door_hears_of_a_template_that_is_not_there() -> None:
    """A template that would win if it existed is asked for, so that its coming can be noticed."""
    memory = Memory({})
    Prompts(["templates"], memory).render(clip(), "image", aspect="9:16", motion_words="push-in", seconds=5.0)
    assert "templates/prompts/packshot.j2" in memory.asked


def test_links_and_pipes_are_not_read(tmp_path: Path) -> None:
    """A template folder or file that is a link, or is no regular file, is refused; nothing hangs."""
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    folder = tmp_path / "a" / "templates" / "prompts"
    folder.mkdir(parents=True)
    (folder / "packshot.j2").symlink_to(secret)
    os.mkfifo(folder / "scene.j2")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "templates").symlink_to(tmp_path / "a" / "templates")
    (folder / "card.j2").write_text("fine")
    for root, recipe in (("a", "packshot"), ("a", "scene"), ("b", "card")):
        prompts = Prompts([str(tmp_path / root / "templates")])
        with pytest.raises(CatalogError) as caught:
            prompts.render(clip(recipe=recipe), "image", aspect="9:16", motion_words="x", seconds=5.0)
        assert "secret" not in caught.value.problems[0].what
    with pytest.raises(CatalogError):
        Prompts([str(tmp_path / "a" / "templates")]).signature()
    fine = Prompts([str(tmp_path / "a" / "templates")])
    assert fine.render(clip(recipe="card"), "image", aspect="9:16", motion_words="x", seconds=5.0).text == "fine"


def test_ten_thousand_prompts_take_half_a_second() -> None:
    """Rendering is planning: each template is compiled once and rendered in tens of microseconds."""
    prompts, given = Prompts(["templates"], Memory({})), clip(brand=Brand())
    prompts.render(given, "image", aspect="9:16", motion_words="slow push-in", seconds=5.0)
    began = time.process_time()
    for _ in range(10_000):
        prompts.render(given, "image", aspect="9:16", motion_words="slow push-in", seconds=5.0)
    assert time.process_time() - began < 1.0  # half of that on an idle machine; twice for a busy one


def test_jinja_is_imported_late() -> None:
    """Opening the prompts of a workspace does not import jinja2: only rendering does."""
    import subprocess
    import sys

    code = "import sys\nfrom clipbuild.planner.prompts import Prompts\nPrompts(['t']).signature()\nassert 'jinja2' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_white_space_collapses() -> None:
    """One space between words, no empty lines, whatever the template's own layout."""
    assert collapse("  a \t b\r\n\n\n c\u2028d\x0b\n") == "a b\nc d"


def test_the_page_on_prompts_tells_the_truth() -> None:
    """Its example renders, every block it lists can be replaced, and every word and filter there is is on it."""
    import re

    from clipbuild.planner.dialect import FILTERS
    from clipbuild.planner.prompts import context

    page = (Path(__file__).parents[2] / "docs" / "prompts.md").read_text()
    example = re.search(r"```jinja\n(.*?)```", page, re.DOTALL)
    assert example
    assert "Lighting: soft window light from the left.\nA candle burns just out of frame." in render(clip(), packshot__j2=example[1]).text
    for words in (context(clip(), "9:16", "push-in", 5.0), set(FILTERS) - {"d", "count"}):
        assert [word for word in words if f"`{word}`" not in page] == []
    for kind, name in (("picture", "packshot.j2"), ("move", "packshot.motion.j2")):
        listed = re.search(rf"\sa\s+{kind}\s+are ([^;.]+)", page)
        assert listed
        shipped = (Path(__file__).parents[2] / "templates" / "prompts" / name).read_text()
        assert re.findall(r"`(\w+)`", listed[1]) == re.findall(r"{% block (\w+) %}", shipped.partition("-#}")[2])
