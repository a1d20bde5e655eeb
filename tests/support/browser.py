"""Headless Chromium for tests, driven over its debugging socket: go, evaluate, press, screenshot. No driver package.

Tests that need it ask for `found()` and skip with "not run" where there is no Chromium.
"""

import base64
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--mute-audio", "--remote-debugging-port=0",
    "--autoplay-policy=no-user-gesture-required", "--disable-dev-shm-usage", "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip


def found() -> str:
    """The browser's program, "" where there is none."""
    return os.environ.get("CLIPBUILD_CHROMIUM") or next((p for name in NAMES if (p := shutil.which(name))), "")


class Page:
    """One open page."""

    def __init__(self, socket: Any) -> None:
        self.socket, self.count = socket, 0
        self.errors: list[str] = []
        self.requests: list[str] = []
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> Any:
        """One command; events on the way are looked at."""
        self.count += 1
        self.socket.send(json.dumps({"id": self.count, "method": method, "params": params}))
        while True:
            told = json.loads(self.socket.recv(timeout=30))
            if told.get("id") == self.count:
                assert "error" not in told, told
                return told["result"]
            self._note(told)

    def _note(self, told: dict[str, Any]) -> None:
        method, params = told.get("method"), told.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(params)[:600])
        elif method == "Page.javascriptDialogOpening":
            self.errors.append(f"a dialog opened: {params.get('message')}")
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.errors.append(params["entry"]["text"])

    def go(self, url: str) -> None:
        """Open an address and wait for it to be whole."""
        self.call("Page.navigate", url=url)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    def js(self, text: str) -> Any:
        """The value of an expression; promises are awaited."""
        result = self.call("Runtime.evaluate", expression=text, awaitPromise=True, returnByValue=True, userGesture=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def until(self, text: str, seconds: float = 10) -> Any:
        """Wait for an expression to be true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if (value := self.js(text)) not in (None, False, 0, ""):
                    return value
            except AssertionError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"never true: {text}")

    def press(self, key: str) -> None:
        """Press and let go of a key."""
        named = {"Enter": 13, "Escape": 27, "ArrowRight": 39, "ArrowLeft": 37, "ArrowDown": 40, " ": 32}
        text = "\r" if key == "Enter" else key if len(key) == 1 else ""
        code = named.get(key, ord(key.upper()) if len(key) == 1 else 0)
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, text=text, windowsVirtualKeyCode=code)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self.call("Input.insertText", text=text)

    def size(self, width: int, height: int, *, dark: bool = False) -> None:
        """The window's size and what the system prefers."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        scheme = "dark" if dark else "light"
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def shot(self, path: str) -> None:
        """A picture of the window."""
        pathlib.Path(path).write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))


@contextmanager
def page() -> Iterator[Page]:
    """A fresh browser with one page."""
    from websockets.sync.client import connect

    folder = tempfile.mkdtemp(prefix="chromium-")
    process = subprocess.Popen(
        [found(), *FLAGS, f"--user-data-dir={folder}", "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        port = _port(pathlib.Path(folder) / "DevToolsActivePort")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json") as answer:
            target = next(t for t in json.load(answer) if t["type"] == "page")
        with connect(target["webSocketDebuggerUrl"], max_size=64 << 20) as socket:
            yield Page(socket)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _port(path: pathlib.Path) -> int:
    for _ in range(300):
        if path.exists() and (text := path.read_text().split()):
            return int(text[0])
        time.sleep(0.05)
    raise AssertionError("the browser did not start")
