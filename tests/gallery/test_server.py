"""`clipbuild review` as a person starts it: the address that is printed, the loopback address alone, the end by Ctrl-C."""

import os
import pathlib
import re
import signal
import subprocess
import sys

import httpx

from tests.support.project import Project


def test_started_opened_ended(tmp_path: pathlib.Path) -> None:
    """The printed address opens the wall once; the port listens on 127.0.0.1 only; the key is in no argument list and
    no later output; Ctrl-C ends it cleanly."""
    project = Project(tmp_path)
    project.sample(1)
    command = [sys.executable, "-m", "clipbuild", "-C", str(tmp_path), "review", "--no-open", "--profile", "draft"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    try:
        assert process.stdout
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)/enter\?key=(\S+)", line)
        assert found, line
        with httpx.Client(base_url=f"http://127.0.0.1:{found[1]}") as client:
            client.get("/enter", params={"key": found[2]})
            wall = client.get("/")
            assert wall.status_code == 200
            assert "item-0/" in wall.text
            assert client.get("/clip/item-0/vertical").status_code == 200
        ours = f"{int(found[1]):04X}"
        bound = [row.split()[1] for row in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:] if row.split()[3] == "0A"]
        assert [place for place in bound if place.endswith(":" + ours)] == [f"0100007F:{ours}"]
        arguments = pathlib.Path(f"/proc/{process.pid}/cmdline").read_bytes()
        assert found[2].encode() not in arguments
    finally:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
    assert found[2] not in out + err
    assert (process.returncode, err) == (0, "")
