"""`clipbuild build`: its last words."""

import pytest

from clipbuild.build import Report
from clipbuild.cli import build


def test_thousands_that_failed_alike_are_told_in_a_few_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """Over a cap: three in full, then how many more and some names; another fault and few of a kind stay whole."""
    failed = {
        f"sku-{n}/vertical/image": f"sku-{n}/vertical/image: not bought: $0.{n:04} is over the cap\n    cap   $1.00\n    hint  raise it"
        for n in range(5000)
    }
    failed |= {"mug/vertical/image": "mug/vertical/image: openai refused the request\n    hint  `clipbuild retake mug`"}
    held = {f"clip-{n}": f"clip-{n}: waits for a person's approval" for n in range(4)}
    build._last_words(Report(failed=failed, held=held))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3 * 3 + 1 + 2 + 4
    assert any("and 4,997 more of that kind: sku-3/vertical/image, " in line for line in lines)
    assert "mug/vertical/image: openai refused the request" in lines
    assert sum("waits for a person" in line for line in lines) == 4
