"""Files that are not the media their name says are refused before ffmpeg starts, open nothing, and reach no network.

Threat model M4, M7, M12: the container is forced by us, one protocol is allowed, a path is only a path, and no text of
a user's is in a command line.
"""

import json
import pathlib
import shutil
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from clipbuild.errors import MediaError
from clipbuild.media import ffmpeg, fonts, footage, logo, pictures, probe, sound, stillframe
from clipbuild.media.encode import Target
from clipbuild.stages.render import STAGE
from clipbuild.stages.workdir import Workdir
from tests.stages.test_render import params, written
from tests.support import reels
from tests.support.reels import PROGRAM

DATA = pathlib.Path(__file__).parent / "data" / "media"
CASES = [json.loads(line) for line in (DATA / "cases.jsonl").read_text(encoding="utf-8").splitlines()]
REFUSED = [case for case in CASES if case["expect"] == "reject"]


class Listener:
    """A door on loopback that counts who knocks."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port, self.knocks = self.socket.getsockname()[1], 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.knocks += 1
            connection.close()


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.socket.close()


@pytest.fixture
def recorder(tmp_path: pathlib.Path) -> Callable[[], list[list[str]]]:
    """A program in place of ffmpeg that notes each command line and then does what ffmpeg does."""
    log = tmp_path / "log"
    path = tmp_path / "recorder"
    code = f"import json, os, sys\nopen({str(log)!r}, 'a').write(json.dumps(sys.argv[1:]) + chr(10))\nos.execv({PROGRAM!r}, [{PROGRAM!r}, *sys.argv[1:]])\n"
    path.write_text(f"#!{sys.executable} -S\n{code}", encoding="utf-8")
    path.chmod(0o755)

    def told() -> list[list[str]]:
        return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []

    told.program = str(path)  # type: ignore[attr-defined]
    return told


def ways(program: str, path: str, folder: str) -> dict[str, Callable[[], Any]]:
    """Every way a file from outside comes in."""
    target = Target(96, 160, footage.LEAST_RATE, 20)
    work = Workdir("0" * 64, "acme/a/render", params(), {"video": path}, folder, tools={"ffmpeg": program})
    return {
        "bought clip": lambda: STAGE.run(work), "probe": lambda: probe.probe(program, path),
        "cover": lambda: stillframe.save(program, path, 0.0, folder + "/cover"),
        "bed": lambda: sound.make(program, target, sound.Mix(bed=path), folder),
        "picture": lambda: pictures.read(path), "logo": lambda: logo.layer(path, (96, 160), (0, 0, 96, 160), 1.0),
    }  # fmt: skip


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case["id"])
def test_refused_unseen(
    tmp_path: pathlib.Path, case: dict[str, Any], recorder: Callable[[], list[list[str]]], listener: Listener
) -> None:
    """Whatever a file is used as, it is refused with a reason; ffmpeg is not even started (but for a bed that begins
    like a sound file, and then bound to that), nobody is called."""
    data = (DATA / case["file"]).read_bytes().replace(b"127.0.0.1:9/", b"127.0.0.1:%d/" % listener.port)
    path = tmp_path / case["file"]
    path.write_bytes(data)
    for way, run in ways(recorder.program, str(path), str(tmp_path)).items():  # type: ignore[attr-defined]
        with pytest.raises(MediaError) as found:
            run()
        assert "Traceback" not in str(found.value), way
    assert all(bound(line) for line in recorder())
    assert recorder() == [] or case["id"] == "ftyp-only.mp4"
    assert listener.knocks == 0


@pytest.mark.parametrize("magic", [magic for at, magic, _ in sound.MAGIC if at == 0], ids=repr)
def test_a_playlist_behind_a_true_beginning(tmp_path: pathlib.Path, magic: bytes, listener: Listener) -> None:
    """A playlist or script that begins like a sound file is decoded as that, or refused, never followed."""
    secret = tmp_path / "secret.wav"
    reels.tone(secret)
    for text in (
        f"\n#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:{listener.port}/x.ts\n#EXTINF:1,\nfile://{secret}\n",
        f"\nffconcat version 1.0\nfile 'http://127.0.0.1:{listener.port}/x'\nfile '{secret}'\n",
    ):
        path = tmp_path / "bed.mp3"
        path.write_bytes(magic + text.encode() * 40)
        with pytest.raises(MediaError):
            sound.make(PROGRAM, Target(96, 160, footage.LEAST_RATE, 20), sound.Mix(bed=str(path)), str(tmp_path))
    assert listener.knocks == 0


def test_a_pattern_in_a_name_is_one_file(tmp_path: pathlib.Path) -> None:
    """A picture, clip or bed with %03d, a colon or a quote in its name is opened as that one file."""
    shutil.copy(DATA / "pattern-%03d.png", tmp_path)
    assert pictures.read(str(tmp_path / "pattern-%03d.png"))[0].size
    bed, bought = reels.tone(tmp_path / "bed.wav"), reels.clip(tmp_path / "own.mp4")
    for number, name in enumerate(("a%03d", "file:x", "concat:a|b", "it's [x],y;z", "-i", "\\'")):
        for source, kind in ((bed, ".wav"), (bought, ".mp4")):
            shutil.copy(source, tmp_path / (name + kind))
        inputs = {"video": str(tmp_path / (name + ".mp4")), "bed": str(tmp_path / (name + ".wav"))}
        folder = tmp_path / f"run{number}"
        folder.mkdir()
        facts = STAGE.run(Workdir("0" * 64, "acme/a/render", params(), inputs, str(folder), tools={"ffmpeg": PROGRAM}))
        assert facts["frames"] == 24


def test_every_input_is_bound_and_no_text_is_passed(
    tmp_path: pathlib.Path, recorder: Callable[[], list[list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In every command line of a whole render each input has a forced container and one protocol, no user's text is
    anywhere, and nothing that could name a file is in a filter."""
    monkeypatch.setenv("OPENAI_API_KEY", "canary")
    words = "50% off' ,movie=/etc/passwd,drawtext=text='%{localtime}"
    given = written(hook=words)
    given["captions"][0]["text"] = "metadata=print:file=/tmp/x"
    inputs = {"video": reels.clip(tmp_path / "own.mp4", sound="sine=f=300"), "bed": reels.tone(tmp_path / "bed.wav")}
    inputs |= {f"font_{i}": path for i, path in enumerate(fonts.needed(words + given["captions"][0]["text"]))}
    folder = tmp_path / "run"
    folder.mkdir()
    given |= {"width": 540, "height": 960, "safe": [20, 60, 520, 900]}
    STAGE.run(Workdir("0" * 64, "acme/a/render", given, inputs, str(folder), tools={"ffmpeg": recorder.program}))  # type: ignore[attr-defined]
    lines = recorder()
    assert len(lines) >= 6
    for line in lines:
        assert "-nostdin" in line
        assert not any("passwd" in word or "50%" in word or "metadata=print" in word or "drawtext" in word for word in line)
        assert bound(line), line


def bound(line: list[str]) -> bool:
    """Each input of a command line has a forced container, one protocol, and a path that is only a path."""
    start = 0
    for at in (i for i, word in enumerate(line) if word == "-i"):
        before = line[start:at]
        form = before[before.index("-f") + 1] if "-f" in before else ""
        allowed = before[before.index("-protocol_whitelist") + 1] if "-protocol_whitelist" in before else ""
        if form != "lavfi" and (not form or allowed not in ("file", "pipe") or not line[at + 1].startswith(("file:/", "pipe:0"))):
            return False
        start = at + 2
    return "-nostdin" in line


def test_only_the_given_files_are_opened(tmp_path: pathlib.Path) -> None:
    """Watched by the system, a render opens for reading nothing of the project but its inputs and its own folder."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("no strace here")
    import subprocess

    home = tmp_path / "home"
    home.mkdir()
    (home / "secret.txt").write_text("canary")
    clip = reels.clip(tmp_path / "own.mp4")
    argv = [strace, "-f", "-e", "trace=open,openat", "-o", str(tmp_path / "trace"), PROGRAM]
    words = ["-nostdin", "-v", "error", "-f", "mov", "-protocol_whitelist", "file", "-i", ffmpeg.source(clip), "-f", "null", "-"]
    done = subprocess.run([*argv, *words], cwd=home, check=False, capture_output=True)
    if done.returncode:
        pytest.skip("strace may not trace here")
    opened = [line for line in (tmp_path / "trace").read_text().splitlines() if str(tmp_path) in line]
    assert opened
    assert all("own.mp4" in line for line in opened)
