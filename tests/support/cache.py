"""A shared cache over HTTP on loopback: GET, HEAD and PUT of names, create-only, with faults on request.

    with Cache() as cache:
        cache.fault = "cut"     # every answer from now on
        ... cache.url ... cache.things ... cache.asked

Faults: cut, reset, error (503), slow, lie (other bytes than the blob's name says), full (507), encoded, redirect, cut-upload (the first
upload is dropped half way). Only the standard library.
"""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Cache:
    """`things` maps a name to its bytes; `asked` lists (method, path, headers)."""

    def __init__(self) -> None:
        self.things: dict[str, bytes] = {}
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.fault = ""
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/cache"

    def __enter__(self) -> "Cache":
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def methods(self) -> list[str]:
        return [method for method, _, _ in self.asked]

    def _handler(cache):  # noqa: N805 - the handler's own self is another
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None: ...

            def do_GET(self) -> None:
                name = self._note("GET")
                if self._spoiled():
                    return
                data = cache.things.get(name)
                if cache.fault == "lie" and data is not None and name.startswith("cas/"):
                    data = b"\0" + data[1:]
                self._answer(200 if data is not None else 404, data or b"")

            def do_HEAD(self) -> None:
                name = self._note("HEAD")
                if self._spoiled():
                    return
                data = cache.things.get(name)
                self._answer(200 if data is not None else 404, data or b"", body=False)

            def do_PUT(self) -> None:
                name = self._note("PUT")
                length = int(self.headers["content-length"])
                if cache.fault == "cut-upload":
                    cache.fault = ""
                    self.rfile.read(length // 2)
                    self.close_connection = True
                    return None
                data = self.rfile.read(length)
                if self._spoiled():
                    return None
                if name in cache.things:
                    return self._answer(412, b"")
                cache.things[name] = data
                return self._answer(201, b"")

            def _note(self, method: str) -> str:
                cache.asked.append((method, self.path, {k.lower(): v for k, v in self.headers.items()}))
                return self.path.removeprefix("/cache/")

            def _spoiled(self) -> bool:
                fault = cache.fault
                if fault == "reset":
                    self.close_connection = True
                elif fault in ("error", "full"):
                    self._answer(503 if fault == "error" else 507, b"")
                elif fault == "redirect":
                    self.send_response(302)
                    self.send_header("Location", "http://127.0.0.1:1/")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                else:
                    return False
                return True

            def _answer(self, status: int, data: bytes, *, body: bool = True) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                if cache.fault == "encoded":
                    self.send_header("Content-Encoding", "gzip")
                self.end_headers()
                if not body:
                    return
                if cache.fault == "cut" and data:
                    self.wfile.write(data[: len(data) // 2])
                    self.close_connection = True
                elif cache.fault == "slow" and data:
                    self.wfile.write(data[:1])
                    self.wfile.flush()
                    time.sleep(3)
                else:
                    self.wfile.write(data)

        return Handler
