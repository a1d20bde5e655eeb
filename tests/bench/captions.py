"""How well the text of the storefront reads, and how far it leaves its safe zone: `python -m tests.bench captions`.

Every clip of the example is drawn as it is encoded, without encoding. For each text, at moments over its whole time,
the letters on the drawn frame are compared (WCAG contrast, in tiles of a line's height) with what is right round
them; and the ink of every layer with the safe box. Options: `--json`, `--folder DIR` to keep pictures for the next
run.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np

from clipbuild.engine.action import Action, Output
from clipbuild.media import captions, contrast, ink, logo, shapes, timing
from clipbuild.planning import make_plan, open_session
from clipbuild.settings import Settings
from clipbuild.stages import render
from clipbuild.stages.workdir import Workdir
from clipbuild.wish import Wish
from tests.bench import _scenes
from tests.bench._scenes import SHOP, Shown

MOMENTS = (0.12, 0.5, 0.9)
RING, TILE, LEAST = 0.2, 1.3, 24


def main(*args: str) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser("python -m tests.bench captions")
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")
    parser.add_argument("--folder", default="", help="where pictures are kept")
    asked = parser.parse_args(args)
    with tempfile.TemporaryDirectory(prefix="bench-captions-") as own:
        rows = list(measured(asked.folder or own))
    worst = min(rows, key=lambda row: row["contrast"])
    found = {
        "clips": len({row["clip"] for row in rows}), "texts": len(rows),
        "worst_contrast": round(worst["contrast"], 2), "worst_contrast_of": f"{worst['clip']}: {worst['text']}",
        "worst_safe_excess_px": round(max(row["excess"] for row in rows), 1),
        "median_contrast": round(float(np.median([row["contrast"] for row in rows])), 2),
        "shaded": sum(row["shade"] > 0 for row in rows),
    }  # fmt: skip
    if asked.json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
        return
    for row in sorted(rows, key=lambda row: row["contrast"]):
        print(f"{row['contrast']:6.2f} {row['excess']:6.1f} px  {row['clip']:36} {row['text']}")
    print("\n".join(f"{name:22} {value}" for name, value in found.items()))


def measured(folder: str) -> Iterator[dict[str, Any]]:
    """A row a text of every clip: its least contrast over its time, and how far its ink leaves the safe box."""
    with tempfile.TemporaryDirectory(prefix="bench-shop-") as place:
        shop = shutil.copytree(SHOP, os.path.join(place, "shop"), ignore=shutil.ignore_patterns("dist*", ".clipbuild"))
        session = open_session(Wish(root=str(shop)), Settings())
        try:
            graph = make_plan(session).plan.graph
            for action in graph:
                if action.stage == "render":
                    yield from looked_at(action, made(folder, session, graph, action))
        finally:
            session.close()


def made(folder: str, session: Any, graph: Any, action: Action) -> dict[str, str]:
    """The input files of an action, made where they have to be."""
    found = {}
    for name, source in action.inputs.items():
        if not isinstance(source, Output):
            found[name] = session.origins[source]
            continue
        before = next(other for other in graph if other.id == source.action)
        path = os.path.join(_scenes.run(folder, before.stage, before.params, made(folder, session, graph, before)), source.name)
        if os.path.isfile(path):
            found[name] = path
    return found


def looked_at(action: Action, inputs: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Draw a clip and measure each of its texts."""
    shown = Shown(Workdir("0", action.name, dict(action.params), inputs, ""))
    size, safe = (shown.target.width, shown.target.height), tuple(action.params["safe"])
    fonts = [inputs[name] for name in sorted(inputs, key=render._number) if name.startswith("font_")]
    corner = logo.corner(size, timing.runs_rtl(timing.cues(action.params)))
    taken = [logo.place(logo.layer(inputs["logo"], size, safe, 5.0, corner))] if "logo" in inputs else []
    _, painted = captions.written(action.params, fonts, size, safe, shown.sample, taken)
    for item, paint, shade in painted:
        start, end = max(0.0, item.cue.start), item.cue.end
        fade = item.element.look.fade + item.element.look.delay
        moments = MOMENTS[-1:] if item.element.look.by == "word" else MOMENTS  # the last word must be there
        times = [start + fade + (end - start - 2 * fade) * share for share in moments]
        least = min(contrast_of(shown.frame(at), item, item.element.look.outline) for at in times)
        yield {
            "clip": action.name, "text": item.cue.said.replace("\n", " / "), "contrast": least,
            "excess": excess(item, paint, safe), "shade": shade,
        }  # fmt: skip


def contrast_of(frame: Any, item: Any, outline: float) -> float:
    """The least contrast of letters with what is round them, over tiles of the text."""
    light = contrast.LINEAR[frame] @ contrast.WEIGHTS
    worst = 21.0
    for piece in item.element.pieces:
        em = piece.block.size
        found = ink.rasterise(piece.block)
        x, y = round(item.x + piece.x) + found.x, round(item.y + piece.y) + found.y
        reach = max(3, round(min(RING, outline or RING) * em))
        wide = shapes.spread(found.mask, reach) > 128
        ring = wide & (np.pad(shapes.spread(found.mask, 2), reach - 2) == 0)
        letters = np.pad(found.mask, reach) > 240
        part = light[max(0, y - reach) : y - reach + wide.shape[0], max(0, x - reach) : x - reach + wide.shape[1]]
        ring, letters = (mask[-part.shape[0] :, -part.shape[1] :] for mask in (ring, letters))
        side = max(8, round(TILE * em))
        for top in range(0, part.shape[0], side):
            for left in range(0, part.shape[1], side):
                cut = slice(top, top + side), slice(left, left + side)
                inked, behind = part[cut][letters[cut]], part[cut][ring[cut]]
                if len(inked) >= LEAST and len(behind) >= LEAST and not piece.struck:
                    ends = np.percentile(behind, [10, 90])
                    worst = min(worst, *(contrast.ratio(float(np.median(inked)), float(end)) for end in ends))
    return worst


def excess(item: Any, paint: Any, safe: tuple[int, ...]) -> float:
    """How many pixels ink or box reach beyond the safe box; negative: how far inside they stay."""
    from clipbuild.media import drawing

    most = -1e9
    for layer in drawing.layers(item, paint):
        seen = layer.rgba[..., 3] > 128
        rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
        if rows.size:
            box = layer.x + columns[0], layer.y + rows[0], layer.x + columns[-1] + 1, layer.y + rows[-1] + 1
            most = max(most, safe[0] - box[0], safe[1] - box[1], box[2] - safe[2], box[3] - safe[3])
    return float(most)


if __name__ == "__main__":
    main(*sys.argv[1:])
