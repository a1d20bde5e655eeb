"""The routes over real HTTP: the one-time address, media, decisions and what is refused."""

import pathlib
import socket
import time

import httpx
import pytest

from clipbuild.gallery.guard import PAGE_HEADER
from tests.support.gallery import MadeUp, served

JPEG, MP4 = b"\xff\xd8\xff\xe0" + bytes(60), b"\0\0\0\x18ftypisom" + bytes(range(200))


def test_the_address_opens_one_session(tmp_path: pathlib.Path) -> None:
    """It sets a strict, HTTP-only cookie and goes on to the wall; the second time it is worth nothing."""
    desk = MadeUp(tmp_path)
    desk.put("mug/9x16", video=MP4, cover=JPEG)
    with served(desk) as (port, keys), httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        assert client.get("/").status_code == 401
        first = client.get("/enter", params={"key": keys.first})
        assert first.status_code == 200
        assert "HttpOnly" in first.headers["set-cookie"]
        assert "samesite=strict" in first.headers["set-cookie"].lower()
        wall = client.get("/")
        assert wall.status_code == 200
        assert "mug/9x16" in wall.text
        policy = wall.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert wall.headers["x-content-type-options"] == "nosniff"
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as other:
            assert other.get("/enter", params={"key": keys.first}).status_code == 403
            assert other.get("/").status_code == 401


@pytest.fixture
def desk(tmp_path: pathlib.Path) -> MadeUp:
    desk = MadeUp(tmp_path)
    desk.put("mug/9x16", video=MP4, cover=JPEG)
    return desk


def client(port: int, keys: object) -> httpx.Client:
    own = f"http://127.0.0.1:{port}"
    headers = {"cookie": f"clipbuild-{port}={keys.cookie}", "origin": own, PAGE_HEADER: keys.page}  # type: ignore[attr-defined]
    return httpx.Client(base_url=own, headers=headers)


def test_media_come_in_ranges_by_digest(desk: MadeUp) -> None:
    """A clip in whole or in part, of a fixed type; another digest is not there."""
    blob = desk.cards[0].blob
    with served(desk) as (port, keys), client(port, keys) as asking:
        whole = asking.get(f"/media/{blob}")
        assert (whole.status_code, whole.content, whole.headers["content-type"]) == (200, MP4, "video/mp4")
        part = asking.get(f"/media/{blob}", headers={"range": "bytes=4-7"})
        assert (part.status_code, part.content) == (206, b"ftyp")
        assert part.headers["content-range"] == f"bytes 4-7/{len(MP4)}"
        assert asking.get("/media/" + "0" * 64).status_code == 404


def test_a_link_is_not_followed(desk: MadeUp, tmp_path: pathlib.Path) -> None:
    """A blob that was swapped for a link is not sent."""
    blob = desk.cards[0].blob
    assert blob
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(JPEG)
    place = pathlib.Path(desk.files[blob])
    place.unlink()
    place.symlink_to(secret)
    with served(desk) as (port, keys), client(port, keys) as asking:
        assert asking.get(f"/media/{blob}").status_code == 404


def test_a_decision_is_of_the_bytes_that_were_shown(desk: MadeUp) -> None:
    """Approving what was made again since is refused, and nothing is noted; the present bytes are approved."""
    old = desk.cards[0].blob
    with served(desk) as (port, keys), client(port, keys) as asking:
        desk.change("mug/9x16", MP4 + b"new")
        stale = asking.post("/api/approve", json={"name": "mug/9x16", "digest": old})
        assert stale.status_code == 409
        assert not desk.said
        now = desk.cards[0].blob
        good = asking.post("/api/approve", json={"name": "mug/9x16", "digest": now})
        assert (good.status_code, good.json()["state"]) == (200, "approved")
        assert desk.said == [("mug/9x16", now, "approved", "")]
        assert asking.post("/api/reject", json={"name": "mug/9x16", "digest": now}).status_code == 422


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"name": 1}', b'{"other": ""}', b'{"name": "' + b"x" * 400 + b'"}'])
def test_a_body_that_is_not_a_decision(desk: MadeUp, body: bytes) -> None:
    """Refused as such, without a trace."""
    with served(desk) as (port, keys), client(port, keys) as asking:
        answer = asking.post("/api/approve", content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 400
        assert not desk.said


def test_no_route_but_three_writes(desk: MadeUp) -> None:
    """Nothing can be bought: the only writes are approve, reject and retake."""
    from clipbuild.gallery.app import application
    from clipbuild.gallery.keys import Keys

    routes = application(desk, Keys(), 1).app.routes  # type: ignore[attr-defined]
    writes = {route.path for route in routes if "POST" in (route.methods or ())}
    assert writes == {"/api/approve", "/api/reject", "/api/retake"}


def test_a_slow_caller_is_let_go(desk: MadeUp, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection whose headers never end is closed."""
    monkeypatch.setattr("clipbuild.gallery.server.HEADER_SECONDS", 0.3)
    with served(desk) as (port, _), socket.create_connection(("127.0.0.1", port), timeout=5) as link:
        link.sendall(b"GET / HTTP/1.1\r\nHost: x")
        began = time.monotonic()
        assert link.recv(100) == b""
        assert time.monotonic() - began < 3
