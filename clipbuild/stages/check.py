"""Stage `check`: is the picture fit to be animated? Hands the best candidate on, byte for byte, with a report.

A bought picture that is not ready is refused (`block`); a local composition only gets its findings written down.
Limits are params, so a new limit checks again and buys nothing. Knows nothing of plans or money.
"""

import shutil
from dataclasses import dataclass

from clipbuild import digest
from clipbuild.errors import ActionError
from clipbuild.media import metrics, pictures, readiness
from clipbuild.media.pixels import Bytes
from clipbuild.media.readiness import NOT_READY, RISKY, VERDICTS, Readiness
from clipbuild.stages.workdir import Workdir


@dataclass(frozen=True, slots=True)
class Check:
    """The stage: inputs `image`, `image_1` … (candidates), `subject` (its own layer), `photo_0` … (references).

    Params: `limits`, `width`, `height` of the clip, and `block` or `min_verdict` (the worst that may go on).
    """

    name: str = "check"
    version: int = 2
    outputs: tuple[str, ...] = ("image", "report")
    tools: tuple[str, ...] = ("numpy", "opencv")
    inline: bool = False

    def run(self, work: Workdir) -> None:
        """Judge every candidate, pass the best on. Raises ActionError when it may not go on, MediaError for damage."""
        limits = readiness.limits(work.params.get("limits"))
        target = int(work.params.get("width", 1080)), int(work.params.get("height", 1920))
        layer = pictures.read(work.inputs["subject"])[1] if "subject" in work.inputs else None
        candidates = sorted(name for name in work.inputs if name == "image" or name.startswith("image_"))
        judged = {name: _judge(work.inputs[name], limits, target, layer) for name in candidates}
        best = min(candidates, key=lambda name: rank(judged[name]))
        photos = {
            name: _judge(path, limits, target).plain()
            for name, path in sorted(work.inputs.items())
            if name.startswith("photo_")
        }
        told = {name: result.verdict for name, result in judged.items()}
        against = {name: [f.advice for f in result.findings if f.severity != readiness.NOTE] for name, result in judged.items()}
        report = {**judged[best].plain(), "taken": best, "candidates": told, "against": against, "photos": photos}
        with open(work.out("report"), "wb") as file:
            file.write(digest.canonical(report))
        _gate(work, judged[best])
        shutil.copyfile(work.inputs[best], work.out("image"))


STAGE = Check()


def rank(result: Readiness) -> tuple[int, int, float]:
    """What makes one candidate better than another: verdict, then fewer findings, then a calmer background."""
    return VERDICTS.index(result.verdict), len(result.findings), result.measures["bg_gradient"]


def _judge(path: str, limits: readiness.Limits, target: tuple[int, int], layer: Bytes | None = None) -> Readiness:
    rgb, alpha = pictures.read(path)
    return readiness.judge(metrics.look(rgb, alpha, layer), limits, target)


def _gate(work: Workdir, result: Readiness) -> None:
    least = str(work.params.get("min_verdict") or (RISKY if work.params.get("block") else NOT_READY))
    if VERDICTS.index(result.verdict) > VERDICTS.index(least):
        facts = [(f.id, f.advice) for f in result.findings if f.severity == readiness.ERROR]
        hint = "mend the photo or the prompt, then build again; `clipbuild qc --annotate DIR` shows what is meant"
        raise ActionError(f"{work.name}: the picture is {result.verdict.replace('_', ' ')}", facts, hint)
