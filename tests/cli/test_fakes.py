"""`clipbuild fake-providers`: what it prints is all one has to set, and its bill is what was charged."""

import os
import pathlib
import signal
import socket
import subprocess
import sys

from tests.support.shop import ROOT, Shop


def test_a_rehearsal_needs_nothing_but_what_is_printed(tmp_path: pathlib.Path) -> None:
    """Keys into the environment, base URLs into the configuration: a build buys from the fakes, and they say for how much."""
    shop = Shop(tmp_path, {})
    shop.stock(1)
    command = [sys.executable, "-m", "clipbuild", "fake-providers", "--port", "0", "--seconds", "0", "--slots", "9"]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    fakes = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
    try:
        assert fakes.stdout is not None
        lines = []
        while not lines or not lines[-1].startswith("vertex ="):
            lines.append(fakes.stdout.readline())
            assert fakes.poll() is None, fakes.stderr and fakes.stderr.read()
        keys = dict(line.removeprefix("export ").strip().split("=", 1) for line in lines if line.startswith("export "))
        config = "".join(lines[lines.index("[base_urls]\n") :])
        (tmp_path / "config.toml").write_text('budget_build = "1"\n' + config)
        shop.env = {**(shop.env or {}), **keys}
        built = shop.command("build", "--profile", "studio", "--quiet")
        assert built.returncode == 0, built.stderr
    finally:
        fakes.send_signal(signal.SIGINT)
        out, _ = fakes.communicate(timeout=20)
    assert "openai: 1 charges" in out
    assert "kling: 1 charges, $0.252, 1 submits" in out


def test_a_port_in_use_is_told(tmp_path: pathlib.Path) -> None:
    """A second rehearsal beside the first says what is in the way, and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        command = [sys.executable, "-m", "clipbuild", "fake-providers", "--port", str(port)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"clipbuild: port {port} can't be used\n    hint")
    assert "--port 0" in done.stderr
