"""How well picture readiness agrees with labels: `python -m tests.bench readiness FOLDER`.

FOLDER has pictures and a LABELS.csv with the columns file, product, subject_count, background, negative_space,
lighting, depth_cue, ready. Gives agreement with the shipped limits and cross-validated by product (limits chosen again
without that product, from a start that is wrong on purpose), variations of the pictures, and confusion tables.
"""

import csv
import os
import pathlib
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import cv2
import numpy as np

from clipbuild.media import metrics, pictures, readiness
from clipbuild.media.metrics import Box
from tests.support import stills

AXES = ("subject_count", "background", "negative_space", "lighting", "depth_cue")
READY = {"yes": "ready", "borderline": "risky", "no": "not_ready"}
TUNED = (
    "rival", "sprawl_off_centre", "texture", "subject_distinct", "busy_gradient", "busy_detail", "scene_spread",
    "scene_detail", "scene_edge", "blurred_spread", "plain_spread", "negative_space", "hard_spread", "hard_planes",
    "hard_contrast", "flat_grain", "depth_planes", "depth_shadow", "depth_modelling",
)  # fmt: skip
FACTORS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.4, 1.6, 1.8, 2.0)


@dataclass(frozen=True, slots=True)
class Case:
    """A measured picture with its labels."""

    name: str
    product: str
    labels: Mapping[str, str]
    values: Mapping[str, float]
    box: Box | None

    def judged(self, limits: Mapping[str, float]) -> dict[str, str]:
        """Axes and verdict under some limits."""
        axes = readiness.axes_of(self.values, limits)
        found = readiness.findings_of(axes, self.values, limits, self.box)
        return {**asdict(axes), "ready": readiness.verdict_of(found)}


PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "readiness.md"
BEGIN, END = "<!-- made by `python -m tests.bench readiness FOLDER write` -->\n", "<!-- end -->"


def main(folder: str, mode: str = "") -> None:
    """Print everything as Markdown; with "write" put it into docs/readiness.md."""
    cv2.setNumThreads(1)
    text = report(folder)
    print(text)
    if mode == "write":
        page = PAGE.read_text(encoding="utf-8")
        before, _, after = page.partition(BEGIN)[0], BEGIN, page.partition(END)[2]
        PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


def report(folder: str) -> str:
    """Agreement, variations and confusion tables."""
    cases, seconds = load(folder)
    limits = readiness.limits()
    shipped = [case.judged(limits) for case in cases]
    crossed = cross_validated(cases, limits)
    lines = [
        f"{len(cases)} pictures of {len({c.product for c in cases})} products, {1000 * seconds:.0f} ms each.",
        "", "### Agreement", "",
        "| | shipped limits | limits chosen without the product | most frequent label |", "|---|---|---|---|",
    ]  # fmt: skip
    for name in ("ready", *AXES):
        cells = [agreement(cases, found, name) for found in (shipped, crossed)]
        lines.append(f"| {name} | {cells[0]} | {cells[1]} | {chance(cases, name)} |")
    lines += [
        "",
        "### The same pictures, changed",
        "",
        "| variation | verdict agrees | background agrees |",
        "|---|---|---|",
    ]
    lines += variations(folder, limits)
    lines += ["", "### Confusion tables with the shipped limits"]
    return "\n".join([*lines, *tables(cases, shipped)])


def rows_of(folder: str) -> Iterator[tuple[str, dict[str, str]]]:
    """(path, row) of every labelled picture."""
    with open(os.path.join(folder, "LABELS.csv"), newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield os.path.join(folder, row["file"]), row


def load(folder: str) -> tuple[list[Case], float]:
    """Measure the labelled pictures of a folder; and the mean time for one, decoding left out."""
    cases, spent = [], 0.0
    for path, row in rows_of(folder):
        rgb, alpha = pictures.read(path)
        began = time.perf_counter()
        seen = metrics.look(rgb, alpha)
        spent += time.perf_counter() - began
        values = {**seen.values, **readiness.fit(seen, (1080, 1920))}
        cases.append(Case(os.path.basename(path), row["product"], row, values, seen.boxes.get("subject")))
    return cases, spent / max(1, len(cases))


def truth(case: Case, name: str) -> str:
    """A label in the words of the verdict."""
    return READY[case.labels[name]] if name == "ready" else case.labels[name]


def tables(cases: Sequence[Case], found: Sequence[Mapping[str, str]]) -> Iterator[str]:
    """A confusion table for the verdict and every axis: rows are labels, columns what was found."""
    for name in ("ready", *AXES):
        pairs = Counter((truth(c, name), f[name]) for c, f in zip(cases, found, strict=True))
        words = sorted(
            {w for pair in pairs for w in pair}, key=lambda w: (-sum(pairs[w, o] for o in words_of(pairs)), w)
        )
        yield f"\n| {name}: labelled ↓ found → | " + " | ".join(words) + " |\n|" + "---|" * (len(words) + 1)
        for word in words:
            yield f"| {word} | " + " | ".join(str(pairs[word, other] or "·") for other in words) + " |"


def words_of(pairs: Mapping[tuple[str, str], int]) -> set[str]:
    return {word for pair in pairs for word in pair}


def agreement(cases: Sequence[Case], found: Sequence[Mapping[str, str]], name: str) -> str:
    """Agreement as "28/30 (93 %)"; of the verdict only where the label is a clear yes or no."""
    pairs = [(truth(c, name), f[name]) for c, f in zip(cases, found, strict=True)]
    if name == "ready":
        pairs = [pair for pair in pairs if pair[0] != "risky"]
    right = sum(a == b for a, b in pairs)
    return f"{right}/{len(pairs)} ({100 * right / max(1, len(pairs)):.0f} %)"


def chance(cases: Sequence[Case], name: str) -> str:
    """How often the most frequent label alone would be right."""
    words = [truth(c, name) for c in cases]
    words = [w for w in words if name != "ready" or w != "risky"]
    return f"{100 * Counter(words).most_common(1)[0][1] / len(words):.0f} %"


def cross_validated(cases: Sequence[Case], limits: Mapping[str, float]) -> list[dict[str, str]]:
    """What is found for each picture with limits that were chosen on the other products only."""
    chosen = {
        product: fitted([c for c in cases if c.product != product], limits) for product in {c.product for c in cases}
    }
    return [case.judged(chosen[case.product]) for case in cases]


def fitted(cases: Sequence[Case], shipped: Mapping[str, float]) -> dict[str, float]:
    """Limits chosen on some cases by coordinate descent from a wrong start: the middle of each best stretch."""
    found = dict(shipped)
    for k, name in enumerate(TUNED):
        found[name] = shipped[name] * (1.3 if k % 2 else 0.77)
    for _ in range(3):
        for name in TUNED:
            scores = [(score(cases, {**found, name: shipped[name] * factor}), factor) for factor in FACTORS]
            best = max(value for value, _ in scores)
            stretch = [factor for value, factor in scores if value == best]
            found[name] = shipped[name] * stretch[len(stretch) // 2]
    return found


def score(cases: Sequence[Case], limits: Mapping[str, float]) -> float:
    """Agreements over all axes; the verdict counts three times."""
    total = 0.0
    for case in cases:
        found = case.judged(limits)
        total += sum(found[name] == case.labels[name] for name in AXES)
        total += 3 * (found["ready"] == READY[case.labels["ready"]]) * (case.labels["ready"] != "borderline")
    return total


def variations(folder: str, limits: Mapping[str, float]) -> Iterator[str]:
    """The same pictures changed in ways that change no label, and cut-outs on made grounds."""
    kinds = {
        "mirrored": lambda p: p[:, ::-1],
        "darker by a quarter": lambda p: (p * 0.75).astype(np.uint8),
        "lighter by a sixth": lambda p: np.clip(p * 1.16, 0, 255).astype(np.uint8),
        "JPEG quality 60": lambda p: cv2.imdecode(cv2.imencode(".jpg", p, [cv2.IMWRITE_JPEG_QUALITY, 60])[1], 1),
        "scaled to 800 px": lambda p: scaled(p, 800),
        "4 % cut from each side": lambda p: p[
            p.shape[0] // 25 : -(p.shape[0] // 25), p.shape[1] // 25 : -(p.shape[1] // 25)
        ],
    }
    loaded = [(row, pictures.read(path)) for path, row in rows_of(folder)]
    for name, change in kinds.items():
        same, ground, count = 0, 0, 0
        for row, (rgb, alpha) in loaded:
            if row["ready"] == "borderline" or alpha is not None:
                continue
            result = readiness.judge(metrics.look(np.ascontiguousarray(change(rgb))), limits)
            count += 1
            same += result.verdict == READY[row["ready"]]
            ground += result.axes.background == row["background"]
        yield f"| {name} | {same}/{count} | {ground}/{count} |"
    grounds = {
        "plain": (stills.plain, "ready"),
        "blurred": (stills.blurred, "ready"),
        "busy": (stills.busy, "not_ready"),
    }
    for name, (ground_of, verdict) in grounds.items():
        found = [
            readiness.judge(metrics.look(composed(rgb, alpha, ground_of())), limits)
            for _, (rgb, alpha) in loaded
            if alpha is not None
        ]
        right = sum(result.verdict == verdict for result in found), sum(r.axes.background == name for r in found)
        yield f"| cut-outs on a {name} ground | {right[0]}/{len(found)} | {right[1]}/{len(found)} |"


def scaled(picture: stills.Picture, side: int) -> stills.Picture:
    """At most `side` on the longer side."""
    factor = min(1.0, side / max(picture.shape[:2]))
    return np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)


def composed(rgb: stills.Picture, alpha: stills.Picture, ground: stills.Picture) -> stills.Picture:
    """A cut-out on a ground of its own size."""
    ground = cv2.resize(ground, (rgb.shape[1], rgb.shape[0]))
    share = alpha[..., None] / 255
    return np.asarray(rgb * share + ground * (1 - share), np.uint8)


if __name__ == "__main__":
    main(*sys.argv[1:])
