"""The door to ffmpeg: where it is, what it can do, and running it.

Argument lists come from ffmpeg-python; the process is ours: no shell, no standard input but the frames we write, an
allow-listed environment, bounded complaints, a wall limit. It stays in the process group of the worker that starts
it, so that whoever ends the worker ends it too. Knows nothing of clips.
"""

import os
import re
import shutil
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import IO, Any

from clipbuild.errors import MediaError, shown

WALL_SECONDS = 20 * 60.0
PIPE_BYTES = 1 << 20
_PASSED_ON = ("LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR")
_LINES, _LINE = 40, 400
_F_SETPIPE_SZ = 1031


def find(chosen: str = "") -> str:
    """The path of the ffmpeg to use: the chosen one, else the one that ships as a package. Raises MediaError."""
    if chosen:
        path = shutil.which(chosen)
        if path is None:
            raise MediaError(f"no program {shown(chosen)!r}", hint="`clipbuild doctor` shows which ffmpeg is used")
        return os.path.abspath(path)
    from imageio_ffmpeg import get_ffmpeg_exe

    try:
        return str(get_ffmpeg_exe())
    except RuntimeError as error:
        hint = "install ffmpeg and name it in CLIPBUILD_FFMPEG"
        raise MediaError("there is no ffmpeg for this machine", [("package", shown(error))], hint) from error


def version(path: str) -> str:
    """What `path` says it is, in a line. Raises MediaError."""
    lines = output([path, "-version"]).decode("utf-8", "replace").splitlines()
    match = re.match(r"ffmpeg version (\S+)", lines[0]) if lines else None
    if match is None:
        raise MediaError(f"{shown(path)} is no ffmpeg", hint="`clipbuild doctor` shows which ffmpeg is used")
    codec = next((line.split("/")[0].split() for line in lines if line.startswith("libavcodec")), [])
    return f"{match[1]} libavcodec {''.join(codec[1:])}"


def encoders(path: str) -> frozenset[str]:
    """Names of the encoders it has."""
    return _listed(path, "-encoders")


def filters(path: str) -> frozenset[str]:
    """Names of the filters it has."""
    return _listed(path, "-filters")


def _listed(path: str, what: str) -> frozenset[str]:
    text = output([path, "-nostdin", "-hide_banner", what]).decode("utf-8", "replace")
    rows = (line.split() for line in text.splitlines())
    return frozenset(row[1] for row in rows if len(row) > 2 and row[1] != "=")


def source(path: str) -> str:
    """A path as ffmpeg is to get it: one file, in which no protocol, option or number pattern is read."""
    return "file:" + os.path.abspath(path)


def arguments(program: str, stream: Any, level: str = "error") -> list[str]:
    """The whole command line of an ffmpeg-python output: quiet, without standard input, overwriting."""
    head, *rest = stream.overwrite_output().compile(cmd=program)
    return [str(head), "-nostdin", "-hide_banner", "-v", level, *(str(word) for word in rest)]


def output(argv: Sequence[str], wall: float = 60.0) -> bytes:
    """Run it to its end and return what it wrote. Raises MediaError."""
    with Running(argv, wall=wall, reading=True) as running:
        assert running.process.stdout is not None
        data = running.process.stdout.read()
        running.finish()
        return data


def complaints(argv: Sequence[str], wall: float = WALL_SECONDS) -> list[str]:
    """Run it to its end and return the last lines it said. Raises MediaError when it fails."""
    with Running(argv, wall=wall) as running:
        running.finish()
        return list(running.lines)


class Running:
    """An ffmpeg at work; leaving the block ends it, whatever happened. `feeding`: we write to its standard input;
    `reading`: we read its output."""

    def __init__(
        self, argv: Sequence[str], *, feeding: bool = False, reading: bool = False, wall: float = WALL_SECONDS
    ) -> None:
        pipe, null = subprocess.PIPE, subprocess.DEVNULL
        env = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        try:
            self.process = subprocess.Popen(
                argv, stdin=pipe if feeding else null, stdout=pipe if reading else null, stderr=pipe, bufsize=0,
                env={**env, "LC_ALL": "C", "TZ": "UTC", "AV_LOG_FORCE_NOCOLOR": "1"}, close_fds=True,
            )  # fmt: skip
        except OSError as error:
            raise MediaError(f"ffmpeg can't be started: {error.strerror}", [("program", shown(argv[0]))]) from error
        self.lines: deque[str] = deque(maxlen=_LINES)
        self.late = False
        for end in (self.process.stdin, self.process.stdout):
            _widen(end)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self._timer = threading.Timer(wall, self._end)
        self._timer.daemon = True
        self._timer.start()

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self.process.kill()
        self.process.wait()
        self._listener.join(5.0)
        for end in (self.process.stdin, self.process.stdout, self.process.stderr):
            if end is not None:
                with suppress(OSError):
                    end.close()

    def write(self, data: bytes | memoryview) -> None:
        """Hand it the next bytes. Raises MediaError when it went away."""
        assert self.process.stdin is not None
        view = memoryview(data).cast("B")
        try:
            while view:
                view = view[self.process.stdin.write(view) :]
        except OSError as error:
            raise self.failure() from error

    def read(self, amount: int) -> bytes:
        """Its next `amount` bytes; fewer only at the end."""
        assert self.process.stdout is not None
        parts, missing = [], amount
        while missing and (part := self.process.stdout.read(missing)):
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    def finish(self) -> None:
        """No more input: wait for its end. Raises MediaError when it failed."""
        if self.process.stdin is not None:
            with suppress(OSError):
                self.process.stdin.close()
        if self.process.wait() != 0:
            raise self.failure()
        self._listener.join(5.0)

    def failure(self) -> MediaError:
        """What to say of its end."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(2.0)
        self._listener.join(1.0)
        said = [("ffmpeg", shown(line, 300)) for line in list(self.lines)[-4:]]
        if self.late:
            return MediaError("ffmpeg took too long and was ended", said)
        return MediaError("ffmpeg failed", [("exit", str(self.process.returncode)), *said])

    def _end(self) -> None:
        self.late = True
        self.process.kill()

    def _listen(self) -> None:
        stderr = self.process.stderr
        assert stderr is not None
        rest = b""
        with suppress(OSError, ValueError):
            while chunk := stderr.read(65536):
                *lines, rest = (rest + chunk).replace(b"\r", b"\n").split(b"\n")
                rest = rest[-_LINE:]
                self.lines.extend(line[:_LINE].decode("utf-8", "replace") for line in lines if line.strip())
        if rest.strip():
            self.lines.append(rest.decode("utf-8", "replace"))


def write_all(running: Running, frames: Iterable[memoryview], tell: Callable[[int], None]) -> int:
    """Feed every frame and wait for the end; returns how many there were. Raises MediaError."""
    count = 0
    for count, frame in enumerate(frames, 1):
        running.write(frame)
        tell(count)
    running.finish()
    return count


def _widen(pipe: IO[bytes] | None) -> None:
    """A wider pipe needs fewer wake-ups; where that is not possible it stays as it is."""
    with suppress(ImportError, OSError, AttributeError):
        import fcntl

        if pipe is not None:
            fcntl.fcntl(pipe.fileno(), _F_SETPIPE_SZ, PIPE_BYTES)
