"""No planted secret is found again in what was redacted, in any of the forms it may come back in."""

import base64
import json
import logging
import pathlib
from urllib.parse import quote

import pytest

from clipbuild import redact
from clipbuild.errors import ActionError, shown

DATA = pathlib.Path(__file__).parent / "hostile" / "data" / "secrets"
CANARIES = [json.loads(line) for line in (DATA / "canaries.jsonl").read_text().splitlines()]
FORMS = json.loads((DATA / "forms.json").read_text())["search_each_canary_as"]


def form(name: str, value: str) -> str:
    """The secret in one of the listed forms."""
    data = value.encode()
    once = quote(value, safe="")
    return {
        "raw": value, "percent-encoded": once, "double percent-encoded": quote(once, safe=""),
        "base64": base64.b64encode(data).decode(), "base64url": base64.urlsafe_b64encode(data).decode(), "hex": data.hex(),
        "JSON-escaped": json.dumps(value)[1:-1], "repr-escaped": repr(value)[1:-1], "reversed": value[::-1],
        "first 12 characters": value[:12], "last 12 characters": value[-12:],
    }[name]  # fmt: skip


@pytest.mark.parametrize("row", CANARIES, ids=lambda row: row["id"])
@pytest.mark.parametrize("name", [name for name in FORMS if not name.startswith("sha256")])
def test_a_planted_secret_is_hidden(row: dict[str, str], name: str) -> None:
    """Alone, in a sentence, inside a longer base64, in a chained exception, and cut by a limit."""
    value = row["value"]
    redact.learn_environment({f"{row['id']}_KEY": value})
    hidden = form(name, value)
    if name in ("first 12 characters", "last 12 characters") and (len(value) < 20 or "://" in value):
        pytest.skip("too short to tell from an ordinary word; addresses are cut by their shape")
    for text in (hidden, f"Incorrect key {hidden} given.", f'{{"error": "{hidden}"}}'):
        assert hidden not in redact.redact(text)
        assert hidden not in shown(text, 40)
        assert "CANARY" not in redact.redact(text)
    try:
        raise ActionError(shown(f"x {hidden}")) from ValueError("inner")
    except ActionError as error:
        assert hidden not in str(error)


@pytest.mark.parametrize("lead", ["", "a", "ab"])
def test_a_secret_inside_a_longer_base64_is_hidden(lead: str) -> None:
    """A header like `Basic …` holds it at any of three offsets."""
    secret = "CANARY-basic-auth-0042"
    redact.learn(secret)
    coded = base64.b64encode(f"{lead}{secret}:x".encode()).decode()
    found = redact.redact(f"Basic {coded}")
    assert redact.HIDDEN in found
    assert secret.encode() not in base64.b64decode(found.split()[-1].replace(redact.HIDDEN, "") + "===", validate=False)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("https://user:pw@cdn.test/a/b.mp4?sig=abc#x", "https://cdn.test/a/b.mp4?…"),
        ("see https://cdn.test/a.mp4 now", "see https://cdn.test/a.mp4 now"),
        ("Bearer abcdefgh12345", redact.HIDDEN), ("key sk-proj-abcdefgh is wrong", f"key {redact.HIDDEN} is wrong"),
        ("nothing to hide: item-0/vertical/image", "nothing to hide: item-0/vertical/image"),
    ],
)  # fmt: skip
def test_addresses_and_what_looks_like_a_key(text: str, told: str) -> None:
    """Also what nobody told us is secret; ordinary words stay."""
    assert redact.redact(text) == told


def test_ordinary_short_values_are_not_hidden() -> None:
    """A key of three letters would make nonsense of every text."""
    redact.learn("abc")
    assert redact.redact("abcdef") == "abcdef"


def test_http_libraries_print_no_key_at_debug(tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture) -> None:
    """With every logger at DEBUG a bought job leaves no key in any record."""
    from tests.support.adapters import CASES
    from tests.support.counter import Counter

    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore", "httpx2", "httpcore2", "openai"):
        caplog.set_level(logging.DEBUG, logger=name)
    for case in CASES[:2]:
        with case.start(key="CANARY-debug-logs-0043") as fake:
            (tmp_path / case.name).mkdir()
            counter = Counter(case, fake, str(tmp_path / case.name), settings={"patience": 10.0})
            assert counter.status(counter.order()) == "ok"
    assert "CANARY" not in caplog.text
