"""Short sources that tests of the render share: clips and sounds made by ffmpeg, and clips read back as frames."""

import pathlib
import subprocess
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clipbuild.media import ffmpeg

PROGRAM = ffmpeg.find()
Bytes = NDArray[np.uint8]


def made(path: pathlib.Path, *words: str) -> str:
    """What ffmpeg makes of its words, at `path`."""
    subprocess.run([PROGRAM, "-y", "-v", "error", *words, str(path)], check=True, stdin=subprocess.DEVNULL)
    return str(path)


def clip(
    path: pathlib.Path, size: tuple[int, int] = (96, 160), fps: str = "24", seconds: float = 1.0, sound: str = "",
    *more: str,
) -> str:  # fmt: skip
    """A clip with a moving test picture, and a `sound` source of lavfi if there is one."""
    words = ["-f", "lavfi", "-i", f"testsrc2=s={size[0]}x{size[1]}:r={fps}:d={seconds}"]
    if sound:
        words += ["-f", "lavfi", "-i", f"{sound}:d={seconds}", "-c:a", "aac", "-shortest"]
    return made(path, *words, "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", *more)


def tone(path: pathlib.Path, *more: str, seconds: float = 1.0, hertz: int = 440, volume: float = 0.5) -> str:
    """A sound file of the kind its name says."""
    source = f"sine=f={hertz}:d={seconds},volume={8 * volume}"  # the source has an eighth of full scale
    return made(path, "-f", "lavfi", "-i", source, "-ac", "2", *more)


def frames(path: str, size: tuple[int, int]) -> list[Bytes]:
    """The luma of every frame of a clip."""
    amount = size[0] * size[1] * 3 // 2
    data = raw(path, "-f", "rawvideo", "-pix_fmt", "yuv420p", "-fps_mode", "passthrough")
    assert len(data) % amount == 0
    whole = np.frombuffer(data, np.uint8).reshape(-1, amount)
    return [row[: size[0] * size[1]].reshape(size[1], size[0]) for row in whole]


def samples(path: str) -> NDArray[np.float32]:
    """The sound of a file as stereo samples at 48 kHz."""
    return np.frombuffer(raw(path, "-vn", "-f", "f32le", "-ac", "2", "-ar", "48000"), np.float32).reshape(-1, 2)


def raw(path: str, *words: str) -> bytes:
    """A file decoded to standard output."""
    done = subprocess.run([PROGRAM, "-v", "error", "-i", path, *words, "-"], check=True, capture_output=True)
    return done.stdout


def loud(values: NDArray[Any]) -> float:
    """Root mean square in dB of full scale."""
    return float(10 * np.log10(np.mean(np.square(values, dtype=np.float64)) + 1e-12))
