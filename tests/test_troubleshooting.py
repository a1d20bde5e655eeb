"""The page on troubleshooting speaks of messages that exist."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
TITLES = re.findall(r"^### `(.+)`$", (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.fixture(scope="module")
def source() -> str:
    """All of the code, its strings joined over line ends."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "clipbuild").rglob("*.py")))
    return re.sub(r'"\s*\n\s*f?"', "", text)


@pytest.mark.parametrize("title", TITLES)
def test_each_message_is_one_of_ours(title: str, source: str) -> None:
    """The words of each heading stand in the code."""
    assert title in source, title
