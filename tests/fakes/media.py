"""Results that fakes hand out: real pictures and real clips, of the wanted frame and length, made once and kept.

A picture shows the photos it was asked to edit, a clip moves in on its first frame, so that what looks at results later
has something to see. Knows nothing of providers.
"""

import base64
import hashlib
import io
import os
import subprocess
import tempfile
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace

FPS = 24
SMALL = 96
PUSH = 0.12
"""How far a clip moves in on its picture: what a push-in usually asks for."""
KEPT = 64
_cache: "OrderedDict[object, bytes]" = OrderedDict()
_measured: dict[str, tuple[int, int] | None] = {}
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Shape:
    """What a clip is: frame, seconds, with sound or not, the picture it starts from (bytes), which of several it is."""

    width: int
    height: int
    seconds: int = 0
    audio: bool = False
    first: bytes = b""
    number: int = 0


def spoiled(shape: Shape, word: str) -> Shape:
    """The shape of a result that is not what was asked for."""
    if word == "wrong_size":
        return replace(shape, width=shape.height, height=shape.width, first=b"")
    return replace(shape, seconds=1) if word == "wrong_length" else shape


def decoded(data: str) -> bytes:
    """A picture from base64, with or without a data: prefix; b"" for what is none."""
    text = data.partition(",")[2] if data.startswith("data:") else data
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""


def measured(data: bytes) -> tuple[int, int] | None:
    """A picture's size, or None for bytes that are no picture; the same bytes are decoded once."""
    mark = _mark(data)
    if mark not in _measured:
        if len(_measured) > KEPT * 16:
            _measured.clear()
        _measured[mark] = _decoded_size(data)
    return _measured[mark]


def _decoded_size(data: bytes) -> tuple[int, int] | None:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP")) as picture:
            picture.load()
            return picture.size
    except (OSError, ValueError, SyntaxError):
        return None


def _kept(key: object, make: "object") -> bytes:
    with _lock:
        if key in _cache:
            _cache.move_to_end(key)
            return _cache[key]
        data: bytes = make()  # type: ignore[operator]
        _cache[key] = data
        while len(_cache) > KEPT:
            _cache.popitem(last=False)
        return data


def _mark(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def picture(shape: Shape, photos: tuple[bytes, ...] = (), form: str = "png", small: bool = False) -> bytes:
    """A picture: the photos before a plain ground, or a soft ground alone."""
    shape = _scaled(shape) if small else shape
    key = ("picture", shape.width, shape.height, shape.number, form, tuple(_mark(photo) for photo in photos))
    return _kept(key, lambda: _picture(shape, photos, form))


def _picture(shape: Shape, photos: tuple[bytes, ...], form: str) -> bytes:
    from PIL import Image

    ground = _ground(shape)
    for place, photo in enumerate(photos[:1]):
        with Image.open(io.BytesIO(photo)) as opened:
            subject = opened.convert("RGBA")
        subject.thumbnail((shape.width * 8 // 10, shape.height * 6 // 10))
        at = ((shape.width - subject.width) // 2 + place, (shape.height - subject.height) * 6 // 10)
        ground.paste(subject, at, subject)
    out = io.BytesIO()
    if form == "png":
        ground.save(out, "PNG", compress_level=1)
    else:
        ground.save(out, form.upper(), quality=90)
    return out.getvalue()


def _ground(shape: Shape) -> "Image.Image":  # type: ignore[name-defined]  # noqa: F821
    from PIL import Image, ImageOps

    tones = (("#e9e2d6", "#b9c7c9"), ("#f1e9dc", "#c9b8a4"), ("#dfe6e4", "#a9b7a8"), ("#efe6ea", "#bba9b5"))
    light, dark = tones[shape.number % len(tones)]
    slope = Image.linear_gradient("L").resize((shape.width, shape.height))
    return ImageOps.colorize(slope, light, dark).convert("RGB")


def _scaled(shape: Shape) -> Shape:
    least = min(shape.width, shape.height)
    if least <= SMALL:
        return shape
    width, height = (side * SMALL // least // 2 * 2 for side in (shape.width, shape.height))
    return replace(shape, width=width, height=height, first=b"" if shape.seconds else shape.first)


def clip(shape: Shape, small: bool = False) -> bytes:
    """An mp4, H.264, 24 frames a second: a slow push-in on the first frame."""
    shape = _scaled(shape) if small else shape
    return _kept((replace(shape, first=b""), _mark(shape.first)), lambda: _clip(shape))


def _clip(shape: Shape) -> bytes:
    import imageio_ffmpeg

    width, height = shape.width, shape.height
    with tempfile.TemporaryDirectory(prefix="fake-clip-") as folder:
        still, out = os.path.join(folder, "still.png"), os.path.join(folder, "clip.mp4")
        _still(shape, width, height).save(still, compress_level=1)
        frames = shape.seconds * FPS
        grown = [f"'trunc({side}*(1+{PUSH}*n/{max(frames - 1, 1)})/2)*2'" for side in (width, height)]
        slide = f"scale=w={grown[0]}:h={grown[1]}:eval=frame:flags=bicubic,crop={width}:{height},format=yuv420p"
        sound = ["-f", "lavfi", "-i", "sine=frequency=220:sample_rate=48000"] if shape.audio else []
        command = [
            imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-loglevel", "error", "-y", "-framerate", str(FPS), "-loop", "1",
            "-i", still, *sound, "-vf", slide, "-frames:v", str(frames), *(["-c:a", "aac", "-b:a", "96k"] if sound else ["-an"]),
            "-t", str(shape.seconds), "-c:v", "libx264", "-preset", "ultrafast", "-crf", "23", "-threads", "1",
            "-movflags", "+faststart", out,
        ]  # fmt: skip
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=120)
        with open(out, "rb") as file:
            return file.read()


def _still(shape: Shape, width: int, height: int) -> "Image.Image":  # type: ignore[name-defined]  # noqa: F821
    from PIL import Image, ImageOps

    if not shape.first:
        return _ground(replace(shape, width=width, height=height))
    with Image.open(io.BytesIO(shape.first)) as opened:
        return ImageOps.fit(opened.convert("RGB"), (width, height))
