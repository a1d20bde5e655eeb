"""Who may ask, in the guard's own terms; whole requests are in tests/hostile/test_gallery.py."""

from typing import Any

import pytest

from clipbuild.gallery.guard import PAGE_HEADER, Guard, span
from clipbuild.gallery.keys import Keys


async def nothing(*_: Any) -> None:
    raise AssertionError("reached the application")


KEYS = Keys()
GUARD = Guard(nothing, 8000, KEYS)
GOOD = {"host": "127.0.0.1:8000", "cookie": f"clipbuild-8000={KEYS.cookie}"}
WRITE = {**GOOD, "origin": "http://127.0.0.1:8000", "content-type": "application/json", PAGE_HEADER: KEYS.page}


def status(method: str = "GET", path: str = "/", **headers: str) -> int:
    pairs = [(name.encode(), value.encode()) for name, value in headers.items() if value]
    refusal = GUARD.refusal({"type": "http", "method": method, "path": path, "headers": pairs})
    return refusal.status if refusal else 200


def test_the_session_may_read_and_write() -> None:
    """With the cookie, reads pass; with the page's token, origin and JSON, writes do."""
    assert status(**GOOD) == 200
    assert status("POST", "/api/approve", **WRITE) == 200


@pytest.mark.parametrize(
    ("missing", "wanted"),
    [("cookie", 401), ("origin", 403), ("content-type", 403), (PAGE_HEADER, 403), ("host", 400)],
)
def test_a_write_needs_all_of_it(missing: str, wanted: int) -> None:
    """Without any one part a write is refused."""
    assert status("POST", "/api/approve", **{**WRITE, missing: ""}) == wanted


def test_a_cookie_of_another_port_does_not_count() -> None:
    """Browsers send every port's cookies: only our own name is read."""
    assert status(host="127.0.0.1:8000", cookie=f"clipbuild-9000={KEYS.cookie}") == 401


def test_a_header_that_decides_may_not_come_twice() -> None:
    """Two hosts: neither is believed."""
    pairs = [(b"host", b"127.0.0.1:8000"), (b"host", b"evil.test"), (b"cookie", GOOD["cookie"].encode())]
    refusal = GUARD.refusal({"type": "http", "method": "GET", "path": "/", "headers": pairs})
    assert refusal is not None
    assert refusal.status == 400


def test_the_first_key_opens_once() -> None:
    """The address that was printed works a single time; a wrong one does not use it up."""
    keys = Keys()
    assert not keys.open("wrong")
    assert keys.open(keys.first)
    assert not keys.open(keys.first)


@pytest.mark.parametrize(
    ("header", "wanted"),
    [("bytes=0-", (0, 99)), ("bytes=10-19", (10, 19)), ("bytes=-5", (95, 99)), ("bytes=90-500", (90, 99)),
     ("bytes=100-", None), ("bytes=-", None), ("bytes=0-1,2-3", None), ("bytes=5-4", None), ("items=0-1", None),
     ("bytes=-0", None)],
)  # fmt: skip
def test_ranges(header: str, wanted: tuple[int, int] | None) -> None:
    """One range of a file of a hundred bytes; anything odd can't be served."""
    assert span(header, 100) == wanted


def test_the_port_that_browsers_leave_out() -> None:
    """On port 80 the host's name comes alone; on any other it is a stranger's."""
    scope = {"headers": [(b"host", b"localhost")], "method": "GET", "path": "/enter"}
    assert Guard(nothing, 80, Keys()).refusal(scope) is None
    refusal = Guard(nothing, 8080, Keys()).refusal(scope)
    assert refusal is not None
    assert refusal.status == 403
