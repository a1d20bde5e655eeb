"""The child's side of `qc`: decodes and judges one file at a time, under limits, and answers in plain data.

Runs as a worker of its own, because a picture from anywhere can break a decoder. Knows nothing of tables.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from clipbuild.engine.worker import serve
from clipbuild.errors import shown
from clipbuild.media import clipcheck, clipmeasures, clipreader, metrics, pictures, readiness


def handle(task: dict[str, Any], progress: Callable[[float, str], None]) -> dict[str, Any]:  # noqa: ARG001
    """One file's verdict. Raises ClipbuildError."""
    path, target = str(task["path"]), (int(task["target"][0]), int(task["target"][1]))
    if not task.get("still") and clipreader.container(path):
        return _clip(path, task.get("ffmpeg") or clipreader.program(), task)
    return _picture(path, target, task.get("annotated", ""), task)


def _picture(path: str, target: tuple[int, int], annotated: str, task: Mapping[str, Any]) -> dict[str, Any]:
    rgb, alpha = pictures.read(path)
    seen = metrics.look(rgb, alpha)
    result = readiness.judge(seen, readiness.limits(task.get("limits")), target)
    if annotated:
        from clipbuild.media import annotate

        annotate.explain(seen, result, shown(os.path.basename(path), 80)).save(annotated, format="PNG")
    return {
        "verdict": result.verdict,
        "reasons": result.reasons,
        "axes": asdict(result.axes),
        "measures": dict(result.measures),
        "findings": [finding.plain() for finding in result.findings],
    }


def _clip(path: str, program: str, task: Mapping[str, Any]) -> dict[str, Any]:
    told = clipreader.facts(path, program)
    fps = told["fps"] or 30.0
    clip = clipmeasures.collect(clipreader.frames(path, program, told), fps)
    loud = clipreader.loudness(path, program) if told["audio"] else {}
    asked = clipcheck.Asked()
    values = clipcheck.measure(clip, asked)
    result = clipcheck.judge(values, clipcheck.limits(task.get("clip_limits")), asked, fps, {**told, **loud})
    axes = readiness.axes_of(metrics.look(clip.samples[0]).values, readiness.limits(task.get("limits")))
    numbers = {name: float(told[name]) for name in ("width", "height", "fps", "seconds")}
    plain = result.plain()
    return {
        "verdict": result.verdict,
        "reasons": plain["reasons"],
        "axes": asdict(axes),
        "measures": {**numbers, **loud, **values},
        "findings": plain["findings"],
    }


if __name__ == "__main__":
    serve(handle)
