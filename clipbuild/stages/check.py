"""Stage `check`: is the picture fit to be animated? Hands the best candidate on, byte for byte, with a report.

A bought picture that is not ready is refused (`block`); a local composition only gets its findings written down.
Limits are params, so a new limit checks again and buys nothing. Knows nothing of plans or money.
"""

import shutil
from dataclasses import dataclass
from typing import Any

from clipbuild import digest
from clipbuild.errors import ActionError
from clipbuild.media import metrics, pictures, readiness
from clipbuild.media.readiness import VERDICTS, Readiness
from clipbuild.stages.workdir import Workdir


@dataclass(frozen=True, slots=True)
class Check:
    """The stage: inputs `image`, `image_1` … (candidates), `photo_0` … (references)."""

    name: str = "check"
    version: int = 1
    outputs: tuple[str, ...] = ("image", "report")
    tools: tuple[str, ...] = ()
    inline: bool = False

    def run(self, work: Workdir) -> None:
        """Judge every candidate, pass the best on. Raises ActionError when it may not go on."""
        limits = readiness.limits(work.params.get("limits"))
        target = int(work.params.get("width", 1080)), int(work.params.get("height", 1920))
        candidates = sorted(name for name in work.inputs if name == "image" or name.startswith("image_"))
        judged = {name: _judge(work.inputs[name], limits, target) for name in candidates}
        best = min(candidates, key=lambda name: rank(judged[name]))
        report = {
            **judged[best].plain(),
            "taken": best,
            "candidates": {name: judged[name].verdict for name in candidates},
            "photos": {
                name: _judge(path, limits, target).plain()
                for name, path in sorted(work.inputs.items())
                if name.startswith("photo_")
            },
        }
        with open(work.out("report"), "wb") as file:
            file.write(digest.canonical(report))
        _gate(work, judged[best])
        shutil.copyfile(work.inputs[best], work.out("image"))


def rank(result: Readiness) -> tuple[int, int, float]:
    """What makes one candidate better than another: verdict, then fewer findings, then a calmer background."""
    return VERDICTS.index(result.verdict), len(result.findings), result.measures["bg_gradient"]


def _judge(path: str, limits: readiness.Limits, target: tuple[int, int]) -> Readiness:
    rgb, alpha = pictures.read(path)
    return readiness.judge(metrics.look(rgb, alpha), limits, target)


def _gate(work: Workdir, result: Readiness) -> None:
    least = str(work.params.get("min_verdict", "risky" if work.params.get("block") else "not_ready"))
    if VERDICTS.index(result.verdict) > VERDICTS.index(least):
        facts: list[tuple[str, Any]] = [(f.id, f.advice) for f in result.findings if f.severity == readiness.ERROR]
        raise ActionError(f"{work.name}: the picture is {result.verdict.replace('_', ' ')}", facts)
