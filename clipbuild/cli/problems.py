"""What is wrong with a catalog, in the forms that other programs read: JSON, GitHub's annotations, SARIF.

Knows how a problem is written down, not how it was found.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from clipbuild import __version__
from clipbuild.errors import Problem

Told = Callable[[Sequence[Problem], Sequence[Problem], str], str]
"""(problems, warnings, folder of the project as seen from where annotations are shown) → text."""


def plain(problem: Problem, level: str = "error") -> dict[str, Any]:
    """One problem as JSON data."""
    return {
        "level": level, "file": problem.file, "line": problem.line, "column": problem.column, "what": problem.what,
        "facts": dict(problem.facts), "hint": problem.hint,
    }  # fmt: skip


def github(problems: Sequence[Problem], warnings: Sequence[Problem], folder: str) -> str:
    """A line a problem, which GitHub Actions shows at the line of the file."""
    rows = [("error", problem) for problem in problems] + [("warning", problem) for problem in warnings]
    return "".join(f"{_command(level, problem, folder)}\n" for level, problem in rows)


def _command(level: str, problem: Problem, folder: str) -> str:
    where = {"file": _path(folder, problem.file)}
    if problem.line:
        where |= {"line": str(problem.line), "col": str(problem.column)}
    said = ",".join(f"{name}={_escaped(value, more=True)}" for name, value in where.items())
    return f"::{level} {said}::{_escaped(_sentence(problem))}"


def _escaped(text: str, more: bool = False) -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if more else text


def _sentence(problem: Problem) -> str:
    facts = "".join(f"\n{name}: {value}" for name, value in problem.facts)
    return problem.what + facts + (f"\nhint: {problem.hint}" if problem.hint else "")


def sarif(problems: Sequence[Problem], warnings: Sequence[Problem], folder: str) -> str:
    """SARIF 2.1.0, for code scanning."""
    rows = [("error", problem) for problem in problems] + [("warning", problem) for problem in warnings]
    driver = {
        "name": "clipbuild", "version": __version__,
        "rules": [{"id": "catalog", "shortDescription": {"text": "The catalog is right"}}],
    }  # fmt: skip
    run = {"tool": {"driver": driver}, "results": [_result(level, problem, folder) for level, problem in rows]}
    document = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=1) + "\n"


def _result(level: str, problem: Problem, folder: str) -> Mapping[str, Any]:
    from urllib.parse import quote

    place: dict[str, Any] = {"artifactLocation": {"uri": quote(_path(folder, problem.file))}}
    if problem.line:
        place["region"] = {"startLine": problem.line, "startColumn": max(1, problem.column)}
    return {
        "ruleId": "catalog", "level": level, "message": {"text": _sentence(problem)},
        "locations": [{"physicalLocation": place}],
    }  # fmt: skip


def _path(folder: str, file: str) -> str:
    return file if folder in ("", ".") else f"{folder}/{file}"


FORMS: Mapping[str, Told] = {"github": github, "sarif": sarif}
