"""Reads a clip for checking: what its container says, its frames one by one, and how loud it is.

ffmpeg is told the container (found by content), may open that one file and nothing else, and must decode without a
word of complaint. The caller's process is a limited child. Knows nothing of what the clip was meant to be.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from clipbuild.errors import MediaError, shown
from clipbuild.media import headers
from clipbuild.media.clipmotion import Grey

ATOMS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
MATROSKA = b"\x1a\x45\xdf\xa3"
MOST_FRAMES = 3600
MOST_PIXELS = 8192 * 8192
SHORT, FULL = 540, 1080
SECONDS = 170


def program() -> str:
    """The ffmpeg that is used where none is named: the system's, else the one that ships with a package."""
    path = shutil.which("ffmpeg")
    if path is None:
        from imageio_ffmpeg import get_ffmpeg_exe

        path = str(get_ffmpeg_exe())
    return path


def container(path: str) -> str:
    """ "mov" or "matroska" by a file's first bytes, "" for anything else. Raises MediaError when it can't be read."""
    if not os.path.isfile(path):
        raise MediaError("not a file" if os.path.exists(path) else "no such file")
    try:
        with open(path, "rb") as file:
            head = file.read(12)
    except OSError as error:
        raise MediaError(error.strerror or "can't be read") from error
    still = head[4:8] == b"ftyp" and head[8:12] in headers.STILLS
    return "mov" if head[4:8] in ATOMS and not still else "matroska" if head[:4] == MATROSKA else ""


def facts(path: str, program: str) -> dict[str, Any]:
    """What the container says: width, height (as shown), fps, seconds, codec, pix_fmt, range, matrix, audio,
    audio_rate, faststart. Raises MediaError for no clip."""
    text = _said(path, program)
    video = re.search(r"Stream #\S+.*?: Video: (\w+).*", text)
    if video is None:
        raise MediaError("no picture stream in it")
    line = video[0]
    size = re.search(r"[ ,](\d{1,5})x(\d{1,5})[ ,\[]", line)
    if size is None or int(size[1]) * int(size[2]) > MOST_PIXELS or int(size[1]) * int(size[2]) == 0:
        raise MediaError("its picture has no usable size")
    wide, high = int(size[1]), int(size[2])
    if re.search(r"displaymatrix: rotation of -?(90|270)", text):
        wide, high = high, wide
    rate = re.search(r"([\d.]+) fps", line)
    length = re.search(r"Duration: (\d+):(\d+):(\d+\.\d+)", text)
    colours = re.search(r"(yuv\w+|rgb\w+|gray\w*|gbr\w*|nv12)(?:\(([^)]*)\))?", line)
    sound = re.search(r"Stream #\S+.*?: Audio: (\w+).*? (\d+) Hz", text)
    words = (colours[2] or "").split(", ") if colours else []
    return {
        "width": wide, "height": high, "fps": float(rate[1]) if rate else 0.0,
        "seconds": int(length[1]) * 3600 + int(length[2]) * 60 + float(length[3]) if length else 0.0,
        "codec": video[1], "pix_fmt": colours[1] if colours else "", "range": "tv" if "tv" in words else "",
        "matrix": next((w.split("/")[0] for w in words if w.startswith(("bt", "smpte"))), ""),
        "audio": sound[1] if sound else "", "audio_rate": int(sound[2]) if sound else 0,
        "faststart": faststart(path),
    }  # fmt: skip


def _said(path: str, program: str) -> str:
    done = _run([*_opened(path, program, "info"), "-t", "0", "-f", "null", "-"], check=False)
    return done.stderr[:20000].decode("utf-8", "replace")


def faststart(path: str) -> bool:
    """Whether an MP4's index stands before its data, so that it plays while it loads."""
    with open(path, "rb") as file:
        end = os.fstat(file.fileno()).st_size
        at = 0
        while at + 8 <= end:
            file.seek(at)
            head = file.read(16)
            size, kind = int.from_bytes(head[:4], "big"), head[4:8]
            if kind in (b"moov", b"mdat"):
                return kind == b"moov"
            size = int.from_bytes(head[8:16], "big") if size == 1 else size
            if size < 8:
                return False
            at += size
    return False


@dataclass(frozen=True, slots=True)
class Beside:
    """Some frames, by number, that are put into a file at (nearly) full size while all are read small: their size, and
    afterwards the frames. The file is whole once every small frame was taken."""

    numbers: Sequence[int]
    path: str
    size: tuple[int, int]

    @staticmethod
    def of(numbers: Sequence[int], path: str, told: Mapping[str, Any]) -> "Beside":
        """For a clip of these facts."""
        return Beside(numbers, path, _size(int(told["width"]), int(told["height"]), FULL))

    def argv(self) -> list[str]:
        """What ffmpeg is told to write them beside its main output."""
        if not self.numbers:
            return []
        chosen = "+".join(f"eq(n,{number})" for number in self.numbers)
        scale = f"select='{chosen}',{_coloured(*self.size)}"
        return ["-map", "0:v:0", "-vf", scale, "-fps_mode", "passthrough", "-f", "rawvideo", "-y", f"file:{self.path}"]

    def frames(self) -> Iterator[tuple[int, Grey]]:
        """Number and RGB of each frame that there was."""
        wide, high = self.size
        amount = wide * high * 3 // 2
        with open(self.path, "rb") as file:
            for number in self.numbers:
                if len(data := file.read(amount)) < amount:
                    return
                plane = np.frombuffer(data, np.uint8).reshape(high * 3 // 2, wide)
                yield number, np.asarray(cv2.cvtColor(plane, cv2.COLOR_YUV2RGB_I420), np.uint8)


def _coloured(wide: int, high: int) -> str:
    return f"scale={wide}:{high}:flags=area:out_color_matrix=bt601:out_range=tv,format=yuv420p"


def frames(
    path: str, program: str, told: Mapping[str, Any], short: int = SHORT, beside: Beside | None = None
) -> Iterator[Grey]:
    """Every frame as RGB, its shorter side at most `short` px. Raises MediaError for damage of any kind."""
    wide, high = _size(int(told["width"]), int(told["height"]), short)
    for plane in _decoded(path, program, _coloured(wide, high), (wide, high * 3 // 2), beside):
        yield np.asarray(cv2.cvtColor(plane, cv2.COLOR_YUV2RGB_I420), np.uint8)


def greys(
    path: str, program: str, told: Mapping[str, Any], short: int = SHORT // 2, beside: Beside | None = None
) -> Iterator[Grey]:
    """Every frame's brightness, its shorter side at most `short` px: a fraction of the work of `frames`."""
    wide, high = _size(int(told["width"]), int(told["height"]), short)
    scale = f"scale={wide}:{high}:flags=area:out_range=pc,format=gray"
    for plane in _decoded(path, program, scale, (wide, high), beside):
        yield plane.copy()


def _decoded(
    path: str, program: str, scale: str, size: tuple[int, int], beside: Beside | None
) -> Iterator[Grey]:
    argv = [*_opened(path, program, "error"), "-map", "0:v:0", "-vf", scale, "-fps_mode", "passthrough",
            "-frames:v", str(MOST_FRAMES), "-f", "rawvideo", "-", *(beside.argv() if beside else ())]  # fmt: skip
    with tempfile.TemporaryFile() as complaints:  # not a pipe: a flood of them must not stall the frames
        try:
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints)
        except OSError as error:
            raise MediaError(f"ffmpeg can't be started: {error.strerror}") from error
        try:
            yield from _planes(process, *size)
            ended = process.wait(30)
        finally:
            process.kill()
            process.wait()
        complaints.seek(0)
        said = complaints.read(4000).decode("utf-8", "replace").strip().splitlines()
        if ended or said:
            raise MediaError(
                "damaged: it does not decode cleanly", [("ffmpeg", shown(said[0] if said else ended, 200))]
            )


def _planes(process: "subprocess.Popen[bytes]", wide: int, high: int) -> Iterator[Grey]:
    assert process.stdout is not None
    amount, count = wide * high, 0
    with process.stdout as pipe:
        while len(data := pipe.read(amount)) == amount:
            count += 1
            yield np.frombuffer(data, np.uint8).reshape(high, wide)
    if data or count == 0:
        raise MediaError("cut short" if data else "no frames in it")


def _size(width: int, height: int, short: int) -> tuple[int, int]:
    factor = min(1.0, short / max(1, min(width, height)))
    return max(2, 2 * round(width * factor / 2)), max(2, 2 * round(height * factor / 2))


def loudness(path: str, program: str) -> dict[str, float]:
    """Integrated loudness (LUFS) and true peak (dBTP) of the first sound stream (EBU R128); nothing for silence."""
    argv = [*_opened(path, program, "info"), "-map", "0:a:0", "-af", "ebur128=peak=true", "-f", "null", "-"]
    text = _run(argv).stderr[-4000:].decode("utf-8", "replace")
    summary = text[text.rfind("Summary:") :]
    found = {}
    for name, pattern in (("loudness", r"I:\s+(-?[\d.]+) LUFS"), ("true_peak", r"Peak:\s+(-?[\d.]+) dBFS")):
        if (match := re.search(pattern, summary)) and float(match[1]) > -69:
            found[name] = float(match[1])
    return found


def _opened(path: str, program: str, level: str) -> list[str]:
    kind = container(path)
    if not kind:
        raise MediaError("neither a picture nor a clip we read")
    name = "file:" + os.path.abspath(path)
    return [program, "-nostdin", "-hide_banner", "-v", level, "-threads", "2", "-xerror",
            "-protocol_whitelist", "file", "-f", kind, "-i", name]  # fmt: skip


def _run(argv: list[str], check: bool = True) -> subprocess.CompletedProcess[bytes]:
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False)
    except OSError as error:
        raise MediaError(f"ffmpeg can't be started: {error.strerror}") from error
    except subprocess.TimeoutExpired:
        raise MediaError("took too long to read") from None
    if check and done.returncode:
        raise MediaError(
            "its sound does not decode", [("ffmpeg", shown(done.stderr[-300:].decode("utf-8", "replace"), 300))]
        )
    return done
