"""The preview page: one page that shows each draft as soon as it is made, without a reload, to this machine alone.

Reads only; nothing can be changed or bought from it. Knows nothing of builds: it shows what a screen says.
"""

import asyncio
import base64
import contextlib
import hashlib
import json
import os
import socket
from collections.abc import AsyncIterator
from functools import cache
from html import escape

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from clipbuild.gallery import media
from clipbuild.gallery.guard import HEADER_LIMIT, Guard, cookie_name
from clipbuild.gallery.keys import Keys
from clipbuild.gallery.server import HOST, IDLE_SECONDS, Patient
from clipbuild.watch.screen import Screen

HERE = os.path.dirname(os.path.abspath(__file__))
CONNECTIONS = 32
BEAT_SECONDS = 15.0


class Page:
    """The page's server. `told` is to be called, from any thread, when the screen changed."""

    def __init__(self, screen: Screen, title: str, listening: socket.socket) -> None:
        self.screen, self.title, self.listening = screen, title, listening
        self.keys, self.port = Keys(), listening.getsockname()[1]
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._ended = asyncio.Event()

    @property
    def address(self) -> str:
        """The address that opens the page, once."""
        return f"http://{HOST}:{self.port}/enter?key={self.keys.first}"

    def told(self) -> None:
        """Something changed."""
        with contextlib.suppress(RuntimeError):  # the loop is gone, and with it whoever looked
            self._loop.call_soon_threadsafe(self._pass_on)

    def _pass_on(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def serve(self, stop: asyncio.Event) -> None:
        """Serve until `stop`."""
        config = uvicorn.Config(
            self._application(), http=Patient, ws="none", lifespan="off", log_config=None, log_level="critical",
            access_log=False, server_header=False, date_header=False, proxy_headers=False,
            limit_concurrency=CONNECTIONS, timeout_keep_alive=IDLE_SECONDS, h11_max_incomplete_event_size=HEADER_LIMIT,
            timeout_graceful_shutdown=1,
        )  # fmt: skip
        server = uvicorn.Server(config)
        server.config.load()
        server.lifespan = config.lifespan_class(config)
        serving = asyncio.create_task(_serve(server, self.listening))
        await stop.wait()
        self._ended.set()
        self._pass_on()
        server.should_exit = True
        await serving

    def _application(self) -> Guard:
        routes = [
            Route("/", self._page, methods=["GET"]),
            Route("/enter", self._enter, methods=["GET"]),
            Route("/news", self._stream, methods=["GET"]),
            Route("/media/{digest}", self._file, methods=["GET"]),
            Route("/favicon.ico", _nothing, methods=["GET"]),
        ]
        return Guard(Starlette(routes=routes), self.port, self.keys)

    async def _enter(self, request: Request) -> Response:
        if not self.keys.open(request.query_params.get("key", "")):
            return _html("<p>This address was used already. Start <code>clipbuild watch</code> again for another.</p>", 403)
        answer = _html('<meta http-equiv="refresh" content="0;url=/">')
        answer.set_cookie(
            cookie_name(self.port), self.keys.cookie, httponly=True, samesite="strict", path="/", max_age=86400
        )
        return answer

    async def _page(self, _request: Request) -> Response:
        style, script = _asset("page.css"), _asset("page.js")
        name = escape(self.title)
        body = (
            f"<title>{name}: drafts</title><style>{style}</style>"
            f"<header><b>clipbuild</b> <span>{name}</span><p id=phase role=status>…</p></header>"
            f"<pre id=problems role=alert hidden></pre><main id=clips></main><script>{script}</script>"
        )
        return _html(body, 200, f"script-src {_allowed(script)}; style-src {_allowed(style)}; img-src 'self'; "
                                "media-src 'self'; connect-src 'self'; frame-ancestors 'none'")  # fmt: skip

    async def _stream(self, _request: Request) -> Response:
        return StreamingResponse(self._events(), media_type="text/event-stream", headers={"cache-control": "no-store"})

    async def _events(self) -> AsyncIterator[str]:
        last = ""
        while not self._ended.is_set():
            news = self._news
            now = json.dumps(self.screen.state(), ensure_ascii=False)
            yield f"data: {now}\n\n" if now != last else ": still here\n\n"
            last = now
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), BEAT_SECONDS)

    async def _file(self, request: Request) -> Response:
        path = self.screen.file(request.path_params["digest"])
        piece = media.Piece(404, {})
        if path is not None:
            with contextlib.suppress(OSError):
                piece = media.piece(path, request.headers.get("range", ""), body=request.method == "GET")
        if piece.fd < 0:
            return Response(status_code=piece.status, headers=piece.headers)
        return StreamingResponse(piece.chunks(), piece.status, piece.headers)


async def _serve(server: uvicorn.Server, listening: socket.socket) -> None:
    """As `Server.serve`, without taking over the process's signals: those are the loop's."""
    await server.startup(sockets=[listening])
    if server.should_exit:
        return
    await server.main_loop()
    await server.shutdown(sockets=[listening])


async def _nothing(_request: Request) -> Response:
    return Response(status_code=204)


def _html(body: str, status: int = 200, policy: str = "") -> HTMLResponse:
    head = '<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content="width=device-width">'
    said = "; ".join(part for part in ("default-src 'none'", "base-uri 'none'", "form-action 'none'", policy) if part)
    return HTMLResponse(head + body, status, {"content-security-policy": said, "cache-control": "no-store"})


def _allowed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _asset(name: str) -> str:
    with open(os.path.join(HERE, name), encoding="utf-8") as file:
        return file.read()
