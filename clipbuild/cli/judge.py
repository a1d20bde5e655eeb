"""The child's side of `qc`: decodes and judges one file at a time, under limits, and answers in plain data.

Runs as a worker of its own, because a picture from anywhere can break a decoder. Knows nothing of tables.
"""

import os
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from clipbuild.engine.worker import serve
from clipbuild.errors import MediaError, shown
from clipbuild.media import metrics, pictures, readiness

CLIPS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
MATROSKA = b"\x1a\x45\xdf\xa3"


def handle(task: dict[str, Any], progress: Callable[[float, str], None]) -> dict[str, Any]:  # noqa: ARG001
    """One file's verdict. Raises ClipbuildError."""
    path, target = str(task["path"]), (int(task["target"][0]), int(task["target"][1]))
    if is_clip(path):
        return _clip(path, target, task.get("ffmpeg", ""))
    return _picture(path, target, task.get("annotated", ""))


def is_clip(path: str) -> bool:
    """Whether a file's first bytes are those of MP4, MOV, WebM or Matroska. Raises MediaError when it can't be read."""
    if not os.path.isfile(path):
        raise MediaError("no such file" if not os.path.exists(path) else "not a file")
    try:
        with open(path, "rb") as file:
            head = file.read(12)
    except OSError as error:
        raise MediaError(error.strerror or "can't be read") from error
    return head[4:8] in CLIPS or head[:4] == MATROSKA


def _picture(path: str, target: tuple[int, int], annotated: str) -> dict[str, Any]:
    rgb, alpha = pictures.read(path)
    seen = metrics.look(rgb, alpha)
    result = readiness.judge(seen, readiness.limits(), target)
    if annotated:
        from clipbuild.media import annotate

        annotate.explain(seen, result, shown(os.path.basename(path), 80)).save(annotated, format="PNG")
    return {
        "verdict": result.verdict,
        "reasons": result.reasons,
        "axes": asdict(result.axes),
        "measures": dict(result.measures),
    }


def _clip(path: str, target: tuple[int, int], program: str) -> dict[str, Any]:
    raise MediaError("clips can't be read here")


if __name__ == "__main__":
    serve(handle)
