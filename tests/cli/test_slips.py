"""A command line with a slip in it is told as every error is: where and what, and a hint that mends it."""

import json
import pathlib

import pytest

from tests.support.project import Project


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("build --draft", "clipbuild build: no option '--draft'\n    hint  did you mean \"--profile draft\"?\n"),
        ("build --max-spnd 2", "clipbuild build: no option '--max-spnd'\n    hint  did you mean \"--max-spend\"?\n"),
        ("build --zzz", "clipbuild build: no option '--zzz'\n    hint  `clipbuild build --help`\n"),
        ("new", "clipbuild new: SKU is missing\n    hint  `clipbuild new [OPTIONS] SKU`; `clipbuild new --help` says more\n"),
        ("approve", ("clipbuild approve: SKU is missing\n    hint  `clipbuild approve [OPTIONS] SKU...`; "
                    "`clipbuild approve --help` says more\n")),
        ("reject a", ("clipbuild reject: --reason is missing\n    hint  `clipbuild reject [OPTIONS] SKU...`; "
                     "`clipbuild reject --help` says more\n")),
        ("build --jobs 0", ("clipbuild build: invalid value for '--jobs' / '-j': 0 is not in the range 1<=x<=256\n"
                           "    hint  `clipbuild build --help`\n")),
        ("import x.csv", ("clipbuild import: invalid value for 'FILE': File 'x.csv' does not exist\n"
                         "    hint  `clipbuild import --help`\n")),
        ("--nope", "clipbuild: no option '--nope'\n    hint  `clipbuild --help`\n"),
    ],
)  # fmt: skip
def test_a_slip_is_told_with_a_hint(tmp_path: pathlib.Path, line: str, said: str) -> None:
    """The command, what is wrong, what to type; status 2 and nothing on stdout."""
    project = Project(tmp_path)
    project.sample()
    assert project.run(*line.split()) == (2, "", said)


def test_a_slip_as_json(tmp_path: pathlib.Path) -> None:
    """Who asks for JSON gets the same parts."""
    project = Project(tmp_path)
    project.sample()
    status, out, _ = project.run("build", "--draft", "--json")
    assert status == 2
    assert json.loads(out)["error"]["hint"] == 'did you mean "--profile draft"?'
