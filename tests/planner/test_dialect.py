"""What templates may say, rule by rule: each refusal has its line and its words (J1, J3)."""

import pytest

from clipbuild.planner import dialect
from clipbuild.planner.shelf import RefusedError


def find(text: str, **others: str) -> dialect.Find:
    """A shelf of these templates."""
    table = {"main.j2": text, **{f"{name}.j2": other for name, other in others.items()}}

    def found(name: str) -> tuple[str, str]:
        if name not in table:
            raise RefusedError(f"there is no template {name!r}")
        return f"t/{name}", table[name]

    return found


def render(text: str, **others: str) -> str:
    """Its text, with a few values."""
    return dialect.environment(find(text, **others), None).get_template("main.j2").render(name="mug", tags=("a", "b"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{% macro m() %}{% endmacro %}", "macros"), ("{% import 'a.j2' as a %}", "imports"), ("{{ 2 * 3 }}", "arithmetic"),
        ("{{ -n }}", "arithmetic"), ("{{ {'a': 1} }}", "maps"), ("{{ name[1:2] }}", "plain word"), ("{% set n.x = 1 %}", "picks one value"),
        ("{% filter upper %}x{% endfilter %}", "filter blocks"), ("{% set x %}y{% endset %}", "set blocks"),
        ("{{ self }}", "'self'"), ("{{ _x }}", "'_x'"), ("{{ name.__class__ }}", "'__class__'"), ("{{ name['__class__'] }}", "plain word"),
        ("{{ name[key] }}", "plain word"), ("{{ name | center(9) }}", "no filter 'center'"), ("{{ name | attr('x') }}", "no filter 'attr'"),
        ("{{ tags | join(sep) }}", "written values only"), ("{{ tags | sort(attribute='x') }}", "arguments it can't have"),
        ("{{ name is callable }}", "no test 'callable'"), ("{{ name.upper() }}", "a call"), ("{{ range(1, 2) }}", "a call"),
        ("{{ lipsum() }}", "a call"), ("{% include name %}", "written out"), ("{% include 'gone.j2' %}", "no template 'gone.j2'"),
        ("{% include 'a.j2' ignore missing %}", "outside of loops"), ("{% for x in tags %}{% include 'a.j2' %}{% endfor %}", "outside of loops"),
        ("{% for x in tags %}{% block b %}{% endblock %}{% endfor %}", "a block"),
        ("{% for x in tags recursive %}{{ loop(x) }}{% endfor %}", "recurse|call"),
        ("{% for a in tags %}{% for b in tags %}{% for c in tags %}x{% endfor %}{% endfor %}{% endfor %}", "2 deep"),
        ("{{ 'a' ~ ('b' ~ name) }}", "joined"), ("{% set x = name ~ name %}", "picks one value"), ("{% set a, b = tags %}", "picks one value"),
        ("{{ name | replace('', 'x') }}", "two written texts"), ("{{ name | replace('a', '" + "b" * 65 + "') }}", "too long"),
    ],
)  # fmt: skip
def test_refused(text: str, words: str) -> None:
    """On its second line, it is refused there, in words that say what."""
    with pytest.raises(RefusedError, match=words) as caught:
        render("line one\n" + text, a="x")
    assert caught.value.line == 2


def test_bounds_are_bounds() -> None:
    """What is just inside renders; a step beyond is refused."""
    assert render("{% set x = [" + "1," * dialect.LIST + "] %}ok") == "ok"
    with pytest.raises(RefusedError, match="more than 64"):
        render("{% set x = [" + "1," * (dialect.LIST + 1) + "] %}ok")
    assert len(render("{{ '" + "x" * dialect.TEXT + "' }}")) == dialect.TEXT
    with pytest.raises(RefusedError, match="longer than 4,096"):
        render("{{ '" + "x" * (dialect.TEXT + 1) + "' }}")
    with pytest.raises(RefusedError, match="nested too deeply"):
        render("{{ " + "not " * (dialect.DEPTH + 5) + "name }}")


@pytest.mark.parametrize("count", [-1, dialect.RANGE + 1, True, "3", 1.0, None])
def test_range_is_small_and_whole(count: object) -> None:
    """From nothing to a hundred; true is no number."""
    with pytest.raises(RefusedError, match="0 to 100"):
        dialect.bounded(count)
    assert list(dialect.bounded(3)) == [0, 1, 2]


def test_loops_pay() -> None:
    """A turn costs as much as its body is large; what is spent is spent for the whole render, and refilled for the next."""
    fuel = dialect.Fuel()
    fuel.metered([1] * 1000, 199)
    with pytest.raises(RefusedError, match="too long"):
        fuel.metered([1] * 1000, 2)
    fuel.refill()
    assert list(fuel.metered((x for x in "ab"), 1)) == ["a", "b"]
    for what in ("text", {"a": 1}, 7):
        with pytest.raises(RefusedError, match="over a list"):
            fuel.metered(what, 1)


def test_the_family_of_a_template() -> None:
    """Itself first, then what it extends and includes, each once; a circle is named."""
    shelf = find("{% extends 'a.j2' %}{% block x %}{% include 'b.j2' %}{% endblock %}", a="{% block x %}{% endblock %}", b="b")
    assert list(dialect.closure("main.j2", shelf, dialect.environment(shelf, None))) == ["t/main.j2", "t/a.j2", "t/b.j2"]
    circle = find("{% include 'a.j2' %}", a="{% include 'main.j2' %}")
    with pytest.raises(RefusedError, match="includes or extends itself"):
        list(dialect.closure("main.j2", circle, dialect.environment(circle, None)))


def test_a_missing_value_is_told_not_blank() -> None:
    """A misspelt field stops the render."""
    from jinja2 import UndefinedError

    for text in ("{{ nmae }}", "{{ name.x }}", "{{ tags[9] }}"):
        with pytest.raises(UndefinedError):
            render(text)


def test_nothing_of_python_is_in_reach() -> None:
    """The only global is `range`; filters and tests are those that are listed."""
    env = dialect.environment(find(""), None)
    assert set(env.globals) == {"range"}
    assert set(env.filters) == {*dialect.FILTERS, " metered"}
    assert set(env.tests) == dialect.TESTS
