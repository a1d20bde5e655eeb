"""Every hostile request to the review server, and every hostile name on its pages, in a real browser too."""

import json
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from clipbuild.gallery import media, pages
from clipbuild.reviewing import Detail
from tests.support import browser
from tests.support.gallery import MadeUp, served

DATA = Path(__file__).parent / "data"
JPEG = b"\xff\xd8\xff\xe0" + bytes(60)
MP4 = b"\0\0\0\x18ftypisom" + bytes(200)
INSIDE = "main script, main iframe, main style, main base, main math, main meta, main details[ontoggle]"
OWN_COOKIE = {"no-token", "bad-token"}


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name).read_text().splitlines()]


NAMES = [row["value"] for name in ("product-names", "vectors") for row in rows(f"html/{name}.jsonl")]


def spread(value: str, port: int) -> str:
    value = value.replace("{port}", str(port))
    return re.sub(r"\{repeat:(.*?):(\d+)\}", lambda m: m[1] * int(m[2]), value)


def raw(port: int, text: bytes) -> int:
    """The status of the answer to exactly these bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as link:
        link.sendall(text)
        link.settimeout(10)
        answer = link.recv(65536)
    return int(answer.split(b" ", 2)[1])


@pytest.mark.parametrize("row", rows("gallery/requests.jsonl"), ids=lambda row: row["id"])
def test_request(row: dict[str, Any], tmp_path: Path) -> None:
    """Refused with the listed status or one of its class, although the caller has the session's cookie."""
    desk = MadeUp(tmp_path)
    card = desk.put("mug/9x16", video=MP4, cover=JPEG)
    with served(desk) as (port, keys):
        target = row["target"].replace("/media/A1.mp4", f"/media/{card.blob}")
        headers = {name: spread(value, port) for name, value in row["headers"].items()}
        if row["id"] not in OWN_COOKIE:
            headers["Cookie"] = f"clipbuild-{port}={keys.cookie}"
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        status = raw(port, f"{row['method']} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1"))
    wanted = row["expect_status"]
    assert status == wanted or (wanted >= 400 and 400 <= status < 500), (status, wanted)
    assert not desk.said


def hostile_desk(folder: Path) -> MadeUp:
    desk = MadeUp(folder)
    for place, name in enumerate(NAMES):
        detail = Detail(
            prompts=((name, name),), posts={"tiktok": {"title": name, "description": name, "hashtags": [name]}},
            findings=({"id": name, "severity": "warn", "value": 1, "limit": 2, "advice": name, "at": None, "of": "clip"},),
            changes=(("render", name, name, name),), axes={name: name},
        )  # fmt: skip
        desk.put(f"item-{place}/9x16", title=name, recipe=name, motion=name, cover=JPEG, video=MP4, detail=detail,
                 platforms=("tiktok", name))  # fmt: skip
    return desk


def test_names_are_text(tmp_path: Path) -> None:
    """No name opens a tag or leaves its attribute: but for it, the page's tags are those of a harmless name."""
    desk = hostile_desk(tmp_path)

    def tags(text: str) -> list[str]:
        return re.findall(r"<[a-z/!][^\s>]*", text.replace(pages._asset("page.js"), ""))

    calm = MadeUp(tmp_path)
    for card in desk.cards:
        calm.put(card.name, title="x", cover=JPEG, video=MP4, platforms=("tiktok", "x"))
    for place in range(len(NAMES)):
        hostile = pages.wall(desk, pages.Filter(q=f"item-{place}/"), pages.Frame("x")).html
        harmless = pages.wall(calm, pages.Filter(q=f"item-{place}/"), pages.Frame("x")).html
        assert tags(hostile)[-40:] == tags(harmless)[-40:], NAMES[place]


@pytest.mark.parametrize("row", rows("svg/cases.jsonl"), ids=lambda row: row["id"])
def test_svg_is_never_sent(row: dict[str, Any], tmp_path: Path) -> None:
    """An SVG is no picture here, whatever it is called."""
    path = DATA / "svg" / row["file"]
    if not path.exists():
        pytest.skip("not kept here")
    assert media.kind(path.read_bytes()[:16]) == ""
    assert media.piece(str(path), "", body=True).status == 404


@pytest.mark.skipif(not browser.found(), reason="not run: no chromium")
def test_names_in_a_browser(tmp_path: Path) -> None:
    """On the wall and on clips' pages no script of a name runs, no dialog opens, nothing is asked of another host."""
    desk = hostile_desk(tmp_path)
    with served(desk) as (port, keys), browser.page() as page:
        page.go(f"http://127.0.0.1:{port}/enter?key={keys.first}")
        assert page.until(f"document.querySelectorAll('.card').length === {len(NAMES)}")
        assert page.js(f"document.querySelectorAll('{INSIDE}').length") == 0
        for card in desk.cards[::3]:
            page.go(f"http://127.0.0.1:{port}/clip/{card.name}")
            assert page.js(f"document.querySelectorAll('{INSIDE}').length") == 0
        own = f"http://127.0.0.1:{port}/"
        assert not [url for url in page.requests if url.startswith(("http", "ws", "//")) and not url.startswith(own)]
        assert not [e for e in page.errors if "404" not in e and "416" not in e], page.errors
