"""Every error a person may see, drawn once.

    ClipbuildError                 where and what, facts, hint          exit status
    ├── UsageError                 command line or configuration wrong  2
    ├── CatalogError               all problems of the catalog at once  2
    ├── ActionError                one action failed                    1
    │   └── MediaError             a picture, clip or tool is no good   1
    ├── SpendError                 spending needed but not allowed      3
    ├── IncompleteError            open jobs, limits, a busy provider   3
    │   └── JournalError           what is bought can't be noted first   3
    ├── DecisionError              a person must decide                 4
    └── IntegrityError             damage, mismatch, poisoned cache     5
        └── LostError              a result is not there any more       5

An error has three parts: `what` (with the place), `facts` (name, value) and a `hint` with the command to type.
Text from outside goes through `shown` before it reaches a terminal, a log or a file.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from clipbuild.redact import redact

SHOWN_LIMIT = 500
Facts = Sequence[tuple[str, str]]


def shown(text: object, limit: int = SHOWN_LIMIT) -> str:
    """Outside text made safe to show: secrets hidden, control, bidi and other invisible characters escaped, cut at
    `limit`."""
    out = []
    for char in redact(str(text)):
        if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
            code = ord(char)
            out.append(f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}")
        else:
            out.append(char)
        if len(out) > limit:
            return "".join(out[:limit]) + "…"
    return "".join(out)


class ClipbuildError(Exception):
    """Base of all errors shown to a person."""

    exit_status = 1

    def __init__(self, what: str, facts: Facts = (), hint: str = "") -> None:
        super().__init__(what)
        self.what, self.facts, self.hint = what, tuple(facts), hint

    def __str__(self) -> str:
        width = max([len(name) for name, _ in self.facts] + [4 if self.hint else 0])
        lines = [self.what]
        lines += [f"    {name:<{width}}  {value}" for name, value in self.facts]
        if self.hint:
            lines.append(f"    {'hint':<{width}}  {self.hint}")
        return "\n".join(lines)


class UsageError(ClipbuildError):
    """The command line or the configuration is wrong; nothing was done."""

    exit_status = 2


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong in a catalog: where (1-based line and column; 0 = whole file), what, and what to do."""

    file: str
    line: int
    column: int
    what: str
    facts: tuple[tuple[str, str], ...] = ()
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return str(ClipbuildError(f"{place}: {self.what}", self.facts, self.hint))


class CatalogError(ClipbuildError):
    """Everything that is wrong with the catalog, in file and line order."""

    exit_status = 2

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class ActionError(ClipbuildError):
    """One action failed; the others go on."""


class MediaError(ActionError):
    """A picture, clip, font or sound is unusable, or a media tool failed."""


class SpendError(ClipbuildError):
    """Spending is needed and not allowed; the build is incomplete."""

    exit_status = 3


class IncompleteError(ClipbuildError):
    """Not finished, and nothing is wrong: the next run goes on."""

    exit_status = 3


class JournalError(IncompleteError):
    """The journal can't be written or held, so nothing may be sent, to whomever: no provider's fault."""


class DecisionError(ClipbuildError):
    """Something only a person can settle: an ambiguous job, a lost paid result."""

    exit_status = 4


class IntegrityError(ClipbuildError):
    """Bytes are not what was recorded."""

    exit_status = 5


class LostError(IntegrityError):
    """A result of before is damaged or gone: the same run gets it back or makes it again, and goes on from there."""
