"""What a YAML parser complains of, said in plain words with the place that helps. Knows no catalog."""

import re
from typing import Any

from clipbuild.errors import Problem, shown

_NO_VALUE = "no value where one belongs", "is a [ or { not closed? a # begins a comment: a colour stands in quotes"
_NO_BRACE = "a { without its }", "close the map, put commas between its entries, and a colour in quotes"
WORDS = {
    "mapping values are not allowed": ("a second colon where text is read", 'put the text in quotes: "like: this"'),
    "could not find expected ':'": (
        "a line that is no `key: value`", "is a colon, the space behind it, or the end of a quote missing?"
    ),
    "violates indentation": ("a tab where YAML wants spaces", "indent with spaces"),
    "did not find expected alphabetic or numeric character": ("text that begins with * or &", "put the text in quotes"),
    "expected alphabetic or numeric character": ("text that begins with * or &", "put the text in quotes"),
    "did not find expected key": ("a line that fits no map", "check its indentation, and quotes in the line before"),
    "did not find expected '-' indicator": ("a line that fits no list", "entries of one list begin in one column"),
    "did not find expected ',' or ']'": ("a [ without its ]", "close the list, or put commas between its entries"),
    "did not find expected ',' or '}'": _NO_BRACE,
    "did not find expected node content": _NO_VALUE,
    "expected the node content": _NO_VALUE,
    "expected <block end>": ("a line that fits nothing above it", "indent it; entries of one list begin in one column"),
    "expected ',' or ']'": ("a [ without its ]", "close the list, or put commas between its entries"),
    "expected ',' or '}'": _NO_BRACE,
    "found undefined tag handle": ("a tag", "tags are not read: remove it"),
    "did not find expected <document start>": ("text after the end of the document", "remove the `...` or `---` before it"),
    "expected '<document start>'": ("text after the end of the document", "remove the `...` or `---` before it"),
    "sequence entries are not allowed": ("a list that begins in the line of its key", "begin it in the next line"),
    "unknown escape character": ("a backslash that means nothing", "use single quotes, or write \\\\"),
    "invalid Unicode character escape": ("an escape that is no character", "remove it"),
    "found incompatible YAML document": ("a YAML version that is not read", "remove the %YAML line"),
}
TIGHT = (
    (re.compile(r"[ ]*-(?=[^\W\d]\w*:(?:\s|\Z))"), "a dash without a space behind it", "write `- ` before each entry of a list"),
    (re.compile(r"[ ]*(?:- )?[^\W\d]\w*:(?=\w)"), "a colon without a space behind it", "write `key: value`"),
)
UNCLOSED = ("found unexpected end of stream", "found unexpected document indicator")


def yaml_problem(file: str, text: str, error: Exception) -> Problem:
    """A parser's complaint as a problem of `file`."""
    complaint = str(getattr(error, "problem", None) or error)
    mark = getattr(error, "problem_mark", None)
    context = getattr(error, "context_mark", None)
    if any(words in complaint for words in UNCLOSED) and context is not None:
        return Problem(file, *_place(context), "a quote that is never closed", (), "close it, or quote the whole text")
    if "cannot start any token" in complaint and mark is not None:
        return _stray(file, text, mark)
    if mark is not None and (found := _tight(file, text, mark.line)):
        return found
    for begin, (what, hint) in WORDS.items():
        if begin in complaint:
            return Problem(file, *_place(mark or context), what, (), hint)
    return Problem(file, *_place(mark or context), f"can't be read as YAML: {shown(complaint, 120)}")


def _tight(file: str, text: str, line: int) -> Problem | None:
    """`-sku: a` or `name:Mug`, in this line or the one before: YAML reads one word there."""
    lines = text.split("\n", line + 1)[max(0, line - 1) : line + 1] if line < 1_000_000 else []
    for number, one in enumerate(lines, max(1, line)):
        for form, what, hint in TIGHT:
            if found := form.match(one):
                return Problem(file, number, found.end(), what, (), hint)
    return None


def _stray(file: str, text: str, mark: Any) -> Problem:
    lines = text.splitlines() if mark.line < 1_000_000 else []
    line = lines[mark.line] if mark.line < len(lines) else ""
    char = line[mark.column : mark.column + 1]
    if char == "\t":
        return Problem(file, *_place(mark), "a tab where YAML wants spaces", (), "indent with spaces")
    what = f"text that begins with {shown(char)}" if char else "a character that can't be here"
    return Problem(file, *_place(mark), what, (), "put the text in quotes")


def _place(mark: Any) -> tuple[int, int]:
    return (mark.line + 1, mark.column + 1) if mark is not None else (0, 0)
