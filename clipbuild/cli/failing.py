"""A command that failed, as one JSON object on stdout for who asked for JSON. Knows nothing of how it is told to people."""

import json
import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from clipbuild.errors import CatalogError, ClipbuildError, Problem
from clipbuild.redact import redact


def asks_for_json(args: Sequence[str]) -> bool:
    """Whether this command line asks for JSON; told from its words, because it may be wrong itself."""
    words = list(args[: args.index("--")] if "--" in args else args)
    return not {"--json", "--format=json"}.isdisjoint(words) or ("--format", "json") in pairwise(words)


def show(error: ClipbuildError, status: int) -> None:
    """The error on stdout, without secrets."""
    text = json.dumps({"error": {**_plain(error), "status": status}}, ensure_ascii=needs_ascii(), indent=1)
    sys.stdout.write(redact(text) + "\n")


def needs_ascii() -> bool:
    """JSON on this stdout is plain ASCII, for it has no UTF-8."""
    return (sys.stdout.encoding or "utf-8").lower() not in ("utf-8", "utf8")


def _plain(error: ClipbuildError) -> dict[str, Any]:
    if isinstance(error, CatalogError):
        count = len(error.problems)
        what = f"{count} problems in the catalog" if count != 1 else "1 problem in the catalog"
        return {"what": what, "facts": [], "hint": "", "problems": [_problem(problem) for problem in error.problems]}
    return {"what": error.what, "facts": [list(fact) for fact in error.facts], "hint": error.hint}


def _problem(problem: Problem) -> dict[str, Any]:
    place = {"file": problem.file, "line": problem.line, "column": problem.column}
    return {**place, "what": problem.what, "facts": [list(fact) for fact in problem.facts], "hint": problem.hint}
