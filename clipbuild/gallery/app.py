"""The routes: a wall, a page for each clip, the record of motions, media by digest, and three writes.

No route buys anything: a retake is noted in the lock, and it is the next `clipbuild build` that asks and pays. Knows
nothing of how a project is opened.
"""

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from clipbuild import digest
from clipbuild.decisions import APPROVED, REJECTED
from clipbuild.errors import ClipbuildError, DecisionError
from clipbuild.gallery import media, pages
from clipbuild.gallery.desk import Desk, failure
from clipbuild.gallery.guard import Guard, cookie_name
from clipbuild.gallery.keys import Keys

T = TypeVar("T")
BODY_SECONDS = 10.0
FIELDS = {"name": 300, "digest": 64, "reason": 500}


@dataclass(slots=True)
class Rooms:
    """What the routes share. The desk is only ever touched in its one thread."""

    desk: Desk
    keys: Keys
    port: int
    thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "desk"))

    async def ask(self, what: Callable[[], T]) -> T:
        """Run `what` in the desk's thread."""
        return await asyncio.get_running_loop().run_in_executor(self.thread, what)

    async def enter(self, request: Request) -> Response:
        """The first address: sets the cookie, once."""
        if not self.keys.open(request.query_params.get("key", "")):
            return _html(pages.plain("This address was used already. Start `clipbuild review` again for another.", 403))
        answer = _html(pages.moved("/"))
        answer.set_cookie(
            cookie_name(self.port), self.keys.cookie, httponly=True, samesite="strict", path="/", max_age=86400
        )
        return answer

    async def wall(self, request: Request) -> Response:
        """All clips, or those that are asked for."""
        asked = pages.Filter.of(request.query_params)
        return await self._page(lambda: pages.wall(self.desk.shelf(), asked, self._live()))

    async def clip(self, request: Request) -> Response:
        """One clip."""
        name = request.path_params["name"]

        def made() -> pages.Page:
            shelf = self.desk.shelf()
            card = shelf.card(name)
            return pages.clip(shelf, card, self._live()) if card else pages.plain("There is no such clip.", 404)

        return await self._page(made)

    async def record(self, _request: Request) -> Response:
        """The record of motions."""
        return await self._page(lambda: pages.record(self.desk.records(), self._live()))

    async def file(self, request: Request) -> Response:
        """A blob that some page shows."""
        try:
            blob = digest.parse(request.path_params["digest"])
        except ValueError:
            return _html(pages.plain("There is no such file.", 404))

        def found() -> media.Piece:
            path = self.desk.file(blob)
            if path is None:
                return media.Piece(404, {})
            return media.piece(path, request.headers.get("range", ""), body=request.method == "GET")

        try:
            piece = await self.ask(found)
        except OSError:
            piece = media.Piece(404, {})
        if piece.fd < 0:
            return Response(status_code=piece.status, headers=piece.headers)
        return StreamingResponse(piece.chunks(), piece.status, piece.headers)

    async def state(self, _request: Request) -> Response:
        """Changes when there is something else to see."""
        try:
            return JSONResponse({"stamp": await self.ask(self.desk.stamp)})
        except ClipbuildError:
            return JSONResponse({"stamp": "wrong"})

    async def approve(self, request: Request) -> Response:
        """Approve the bytes that were shown."""
        return await self._write(request, lambda n, d, r: self.desk.decide(n, d, APPROVED, r))

    async def reject(self, request: Request) -> Response:
        """Reject them, with a reason."""
        return await self._write(request, lambda n, d, r: self.desk.decide(n, d, REJECTED, r))

    async def retake(self, request: Request) -> Response:
        """Reject them and mean another take."""
        return await self._write(request, self.desk.retake)

    async def _write(self, request: Request, do: Callable[[str, str, str], Any]) -> Response:
        try:
            async with asyncio.timeout(BODY_SECONDS):
                told = _fields(await request.body())
        except (TimeoutError, ClientDisconnect):
            return JSONResponse({"error": "the body took too long or was too large"}, 408)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        try:
            card = await self.ask(lambda: do(told["name"], told["digest"], told["reason"]))
        except DecisionError as error:
            return JSONResponse(failure(error), 409)
        except ClipbuildError as error:
            return JSONResponse(failure(error), 422)
        return JSONResponse({"name": card.name, "state": card.state})

    async def _page(self, make: Callable[[], pages.Page]) -> Response:
        try:
            return _html(await self.ask(make))
        except ClipbuildError as error:
            return _html(pages.wrong(str(error), self._live()))

    def _live(self) -> pages.Frame:
        return pages.Frame(self.desk.title, pages.LIVE, self.keys.page)


async def _nothing(_request: Request) -> Response:
    return Response(status_code=204)


def _html(page: pages.Page) -> HTMLResponse:
    headers = {"content-security-policy": pages.policy(), "cache-control": "no-store"}
    return HTMLResponse(page.html, page.status, headers)


def _fields(body: bytes) -> dict[str, str]:
    """The fields of a write. Raises ValueError."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("the body is no JSON") from None
    if not isinstance(told, dict) or not told.keys() <= FIELDS.keys():
        raise ValueError(f"the body has other fields than {', '.join(FIELDS)}")
    found = {name: told.get(name, "") for name in FIELDS}
    for name, limit in FIELDS.items():
        if not isinstance(found[name], str) or len(found[name]) > limit:
            raise ValueError(f"{name} is no text of at most {limit} characters")
    return found


def application(desk: Desk, keys: Keys, port: int) -> Guard:
    """The guarded application."""
    rooms = Rooms(desk, keys, port)
    routes = [
        Route("/", rooms.wall, methods=["GET"]),
        Route("/favicon.ico", _nothing, methods=["GET"]),
        Route("/enter", rooms.enter, methods=["GET"]),
        Route("/clip/{name:path}", rooms.clip, methods=["GET"]),
        Route("/motions", rooms.record, methods=["GET"]),
        Route("/media/{digest}", rooms.file, methods=["GET"]),
        Route("/api/state", rooms.state, methods=["GET"]),
        Route("/api/approve", rooms.approve, methods=["POST"]),
        Route("/api/reject", rooms.reject, methods=["POST"]),
        Route("/api/retake", rooms.retake, methods=["POST"]),
    ]
    return Guard(Starlette(routes=routes), port, keys)
