"""The language templates may speak: what it can do, and that its bounds are bounds and not walls."""

import pytest

from clipbuild.errors import CatalogError
from clipbuild.planner.dialect import listed, phrase, sentence
from clipbuild.planner.sandbox import Sandbox
from clipbuild.planner.shelf import Shelf
from tests.support.templates import Memory

CONTEXT = {"name": "mug", "tags": ("red", "big", "warm"), "empty": (), "sku": {"a": {"b": "deep"}}, "n": 3, "yes": True}


def render(text: str, **others: str) -> str:
    files = {"t/prompts/main.j2": text} | {f"t/prompts/{name}.j2": other for name, other in others.items()}
    return Sandbox(Shelf(["t/prompts"], Memory(files), "/nowhere")).render("main.j2", CONTEXT)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ sku.a.b }} {{ sku['a']['b'] }} {{ tags[1] }}", "deep deep big"),
        ("{{ name | upper }} {{ tags | join(' and ') }} {{ tags | length }}", "MUG red and big and warm 3"),
        ("{{ 'a' ~ name ~ 1 }}", "amug1"),
        ("{{ name if yes else 'x' }}{{ 'y' if empty else 'z' }}", "mugz"),
        ("{% set s = sku.a.b or name %}{{ s }}", "deep"),
        ("{% for t in tags | sort %}{{ loop.index }}{{ t }}{{ '' if loop.last else ',' }}{% endfor %}", "1big,2red,3warm"),
        ("{% for t in empty %}x{% else %}none{% endfor %}", "none"),
        ("{% for a in tags %}{% for b in tags %}{{ 'x' if a == b }}{% endfor %}{% endfor %}", "xxx"),
        ("{% if name is defined and gone is not defined and n in [1, 2, 3] and n > 2 %}ok{% endif %}", "ok"),
        ("{{ gone | default('d') }}{{ sku.gone | d('e') }}", "de"),
        ("{% block a %}1{% endblock %}{# comment #}", "1"),
        ("{{ '{{ name }}' }}{% raw %}{% x %}{% endraw %}", "{{ name }}{% x %}"),
        ("{{ name | replace('m', 'th') | capitalize }}", "Thug"),
        ("{{ tags | unique | listed }}; {{ tags | listed('or') }}", "red, big and warm; red, big or warm"),
    ],
)
def test_what_can_be_said(text: str, expected: str) -> None:
    """Fields, filters, choices, loops, defaults, blocks: all a prompt needs."""
    assert render(text) == expected


def test_blocks_are_inherited_over_several_templates() -> None:
    """Grandchild, child and parent each say their part, with `super()`."""
    assert (
        render(
            "{% extends 'child.j2' %}{% block a %}{{ super() }}3{% endblock %}",
            child="{% extends 'parent.j2' %}{% block a %}{{ super() }}2{% endblock %}",
            parent="<{% block a %}1{% endblock %}>",
        )
        == "<123>"
    )


def test_long_lists_and_long_texts_within_the_limits_render() -> None:
    """A thousand things in a loop and sixty thousand characters are no attack."""
    files = {"t/prompts/main.j2": "{% for t in tags %}{{ t }} {% endfor %}"}
    box = Sandbox(Shelf(["t/prompts"], Memory(files), "/nowhere"))
    assert len(box.render("main.j2", {"tags": ("word",) * 1000})) == 5000
    with pytest.raises(CatalogError, match="at most 1,000"):
        box.render("main.j2", {"tags": ("word",) * 1001})
    assert len(box.render("main.j2", {"tags": ("x" * 600,) * 100})) == 60_100
    with pytest.raises(CatalogError, match="longer than 64 KiB"):
        box.render("main.j2", {"tags": ("x" * 700,) * 100})


def test_the_allowance_is_new_for_each_render() -> None:
    """A template that uses most of it can be rendered again and again."""
    text = "{% for a in range(100) %}{% for b in range(100) %}{% if a %}{% endif %}{% endfor %}{% endfor %}"
    box = Sandbox(Shelf(["t/prompts"], Memory({"t/prompts/main.j2": text}), "/nowhere"))
    for _ in range(5):
        assert box.render("main.j2", {}) == ""


def test_data_is_plain() -> None:
    """An object in the context shows none of its attributes, only what a map or list would."""

    class Thing:
        secret = "s"

    box = Sandbox(Shelf(["t/prompts"], Memory({"t/prompts/main.j2": "{{ thing.secret }}"}), "/nowhere"))
    with pytest.raises(CatalogError):
        box.render("main.j2", {"thing": Thing()})


def test_circles_and_crowds_of_files_are_refused() -> None:
    """A template that comes back to itself, and one made of too many, are named."""
    with pytest.raises(CatalogError, match="itself"):
        render("{% include 'b.j2' %}", b="{% include 'main.j2' %}")
    with pytest.raises(CatalogError, match="more than 32"):
        render("{% include 'b.j2' %}" * 6, b="{% include 'c.j2' %}" * 6, c="x")


def test_filters_write_good_sentences() -> None:
    """A capital first, one stop last, words on one line; nothing stays nothing."""
    assert sentence("  a mug,\n black ") == "A mug, black."
    assert sentence("really?") == "Really?"
    assert sentence("") == ""
    assert phrase("soft light. ") == "soft light"
    assert listed(["a", "b.", "c"]) == "a, b and c"
    assert listed([]) == ""
    assert listed("one") == "one"
