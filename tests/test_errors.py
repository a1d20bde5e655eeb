"""How errors read, what they leave the process with, and that no text from outside harms a terminal."""

import inspect
import pathlib

import pytest

from clipbuild import errors
from clipbuild.errors import CatalogError, ClipbuildError, Problem, shown


def test_an_error_has_three_parts() -> None:
    """Where and what, facts in a column, a hint."""
    error = ClipbuildError("a/b: broken", [("known", "x, y"), ("very long", "z")], "type this")
    assert str(error) == "a/b: broken\n    known      x, y\n    very long  z\n    hint       type this"


def test_parts_that_are_not_there_leave_no_line() -> None:
    """An error without facts and hint is one line; with a hint alone it is two."""
    assert str(ClipbuildError("broken")) == "broken"
    assert str(ClipbuildError("broken", hint="mend it")) == "broken\n    hint  mend it"


def test_exit_statuses() -> None:
    """As docs/commands.md and the head of the file tell them; every error a person may see has one."""
    expected = {
        "ClipbuildError": 1, "UsageError": 2, "CatalogError": 2, "ActionError": 1, "MediaError": 1, "SpendError": 3,
        "IncompleteError": 3, "DecisionError": 4, "IntegrityError": 5, "JournalError": 3, "LostError": 5,
    }  # fmt: skip
    kinds = {n: c for n, c in vars(errors).items() if inspect.isclass(c) and issubclass(c, ClipbuildError)}
    assert {name: kind.exit_status for name, kind in kinds.items()} == expected
    for name, status in expected.items():
        if name not in ("ClipbuildError", "MediaError", "ActionError"):
            assert any(name in row and row.endswith(str(status)) for row in (errors.__doc__ or "").splitlines()), name


def test_catalog_problems_are_in_the_order_of_the_files() -> None:
    """By file and line as numbers, whatever order they were found in."""
    found = [Problem("b.yaml", 1, 1, "x"), Problem("a.yaml", 10, 1, "y"), Problem("a.yaml", 9, 5, "z"), Problem("a.yaml", 0, 0, "w")]
    error = CatalogError(found)
    assert [problem.what for problem in error.problems] == ["w", "z", "y", "x"]
    assert str(error).splitlines() == ["a.yaml: w", "a.yaml:9:5: z", "a.yaml:10:1: y", "b.yaml:1:1: x"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain, ünï çødé, 日本, 🙂", "plain, ünï çødé, 日本, 🙂"),
        ("\x1b[31mred", "\\x1b[31mred"), ("a\rb\nc\td", "a\\x0db\\x0ac\\x09d"), ("a\u202eb", "a\\u202eb"),
        ("a\u200bb", "a\\u200bb"), ("\U000e0041", "\\U000e0041"), ("\x7f\x9b", "\\x7f\\x9b"), ("\ud800", "\\ud800"),
        ("\u2028", "\\u2028"), ("\ue000", "\\ue000"),
    ],
)  # fmt: skip
def test_what_can_act_on_a_terminal_is_escaped(text: str, expected: str) -> None:
    """Control, bidi, invisible and private characters are shown, not obeyed (X6, L11); letters and signs stay."""
    assert shown(text) == expected


def test_long_text_is_cut_after_secrets_are_hidden() -> None:
    """At the limit, with an ellipsis; a secret that lies across the cut does not leave its first half (K3)."""
    assert shown("a" * 500) == "a" * 500
    assert shown("a" * 501) == "a" * 500 + "…"
    assert shown("abcdef", 3) == "abc…"
    assert "sk-live" not in shown("x" * 495 + " sk-live-0123456789abcdef")


def test_no_error_is_raised_bare_in_the_rooms() -> None:
    """What a person sees is one of ours: no `raise Exception` or `RuntimeError` anywhere."""
    root = pathlib.Path(inspect.getfile(errors)).parent
    for path in root.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "raise Exception" not in text, path
        assert "raise RuntimeError" not in text, path
