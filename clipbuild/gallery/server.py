"""Runs the pages on the loopback address: small headers, few connections, no patience with slow ones, no log.

Knows nothing of what is served.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from clipbuild.errors import UsageError
from clipbuild.gallery.app import application
from clipbuild.gallery.desk import Desk
from clipbuild.gallery.guard import HEADER_LIMIT
from clipbuild.gallery.keys import Keys

HOST = "127.0.0.1"
CONNECTIONS = 64
HEADER_SECONDS, IDLE_SECONDS = 10.0, 15


class Patient(H11Protocol):
    """Closes a connection whose request's headers are not whole in time."""

    _due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """A connection came."""
        super().connection_made(transport)
        self._watch()

    def on_response_complete(self) -> None:
        """A request is answered; the next may come."""
        super().on_response_complete()
        self._watch()

    def _watch(self) -> None:
        if self._due is not None:
            self._due.cancel()
        self._due = self.loop.call_later(HEADER_SECONDS, self._late)

    def _late(self) -> None:
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        if self._due is not None:
            self._due.cancel()
        super().connection_lost(exc)


def listen(port: int) -> socket.socket:
    """A socket on the loopback address; port 0 for any free one. Raises UsageError."""
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        server.bind((HOST, port))
        server.listen(CONNECTIONS)
    except OSError as error:
        server.close()
        raise UsageError(f"port {port} can't be used: {error.strerror}", hint="leave --port away for a free one") from None
    return server


def serve(desk: Desk, listening: socket.socket, ready: Callable[[str], None]) -> None:
    """Serve until interrupted. `ready` is given the address that opens the session, once."""
    keys, port = Keys(), listening.getsockname()[1]
    config = uvicorn.Config(
        application(desk, keys, port), http=Patient, ws="none", lifespan="off", log_config=None, log_level="critical",
        access_log=False, server_header=False, date_header=False, proxy_headers=False, limit_concurrency=CONNECTIONS,
        timeout_keep_alive=IDLE_SECONDS, h11_max_incomplete_event_size=HEADER_LIMIT, timeout_graceful_shutdown=2,
    )  # fmt: skip
    ready(f"http://{HOST}:{port}/enter?key={keys.first}")
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn's way to hand on a Ctrl-C, which is how this ends
        uvicorn.Server(config).run(sockets=[listening])
