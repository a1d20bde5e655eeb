"""Which products can be put into a bought place with their real pixels, told by their photos, and why in words.

A photo is measured once, in a limited child, and remembered by its bytes. A clip of which a picture was bought keeps the
way that was made, so that a new measure never buys it a second time. Plans and buys nothing.
"""

import asyncio
import json
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from clipbuild import digest
from clipbuild.catalog.model import Clip
from clipbuild.digest import Digest
from clipbuild.engine.action import Verdict
from clipbuild.errors import ClipbuildError
from clipbuild.planner.routing import COMPOSITE, EDIT, LOCAL

if TYPE_CHECKING:
    from clipbuild.planned import Planned
    from clipbuild.session import Session

KIND, STAGE = "cutout", "cutout"
USABLE = 0.6
"""From this confidence on the real product is put into a bought place unasked: above what is fit to be shown at all."""
KEPT = 0.25
"""A clip whose place was bought keeps to that way down to here."""
WORDS = {
    "fit": "the backdrop is uneven", "calm": "the backdrop is textured", "inside": "the product reaches the edge",
    "area": "the product is too small or too large", "contrast": "its edge hardly differs from the backdrop",
    "solid": "parts of it look like the backdrop", "agreed": "its outline is unclear", "closed": "it has holes",
    "whole": "parts of it may be missed, as glass is",
}  # fmt: skip
PARTS = {"image": EDIT, "plate": COMPOSITE}
WALL_SECONDS, SHOWN = 60.0, 12
T = TypeVar("T")


def usable(session: "Session", clip: Clip) -> bool:
    """Whether the product of a clip goes into a bought place with its real pixels, where nobody said. Notes why."""
    if clip.image_provider in ("", LOCAL):
        return False
    seen = _seen(session, clip.photos[0])
    ways, confidence = _bought(session).get(clip.id, set()), float(seen.get("confidence", 0.0))
    if ways == {EDIT}:
        found, why = False, "as the one that was bought before"
    elif ways == {COMPOSITE} and KEPT <= confidence < USABLE:
        found, why = True, "as the one that was bought before"
    else:
        found, why = confidence >= USABLE, _worded(seen)
    session.cutouts.ways[clip.id] = (COMPOSITE if found else EDIT), why
    return found


def settled(session: "Session", plan: Callable[[], T]) -> T:
    """What `plan` gives once all is known that it asks for. Raises as `plan`."""
    found = plan()
    while measure(session):
        found = plan()
    return found


def measure(session: "Session") -> bool:
    """Look at the photos that were asked for and not known. False when there are none."""
    cutouts = session.cutouts
    if not cutouts.asked:
        return False
    asked, cutouts.asked = cutouts.asked, {}
    with ThreadPoolExecutor(1) as aside:  # a loop may run in this thread
        told = aside.submit(asyncio.run, _measured(session.wish.root, asked)).result()
    cutouts.seen |= told
    session.state.put_all(KIND, {_key(mark): json.dumps(row).encode() for mark, row in told.items() if row})
    return True


def _seen(session: "Session", path: str) -> dict[str, Any]:
    cutouts, mark = session.cutouts, session.source(path)
    if mark not in cutouts.seen:
        known = session.state.get(KIND, _key(mark))
        if known is None:
            cutouts.asked[mark] = path
            return {}
        cutouts.seen[mark] = json.loads(known)
    return cutouts.seen[mark]


def _key(mark: str) -> str:
    from clipbuild.stages import registry

    return f"{mark} {registry.stage(STAGE).version}"


def _bought(session: "Session") -> dict[str, set[str]]:
    """How the pictures that the lock pins were made, by clip."""
    made = session.cutouts.made
    if made is None:
        made = session.cutouts.made = {}
        for pin in session.lock.pins.values():
            clip, part = pin.name.partition("/")[0], pin.name.rpartition("/")[2]
            if part in PARTS:
                made.setdefault(clip, set()).add(PARTS[part])
    return made


async def _measured(root: str, asked: dict[Digest, str]) -> dict[Digest, dict[str, Any]]:
    from clipbuild import workshop
    from clipbuild.engine.executor import cores

    with tempfile.TemporaryDirectory(prefix="clipbuild-cutout-") as folder:
        crew = workshop.workers(min(len(asked), cores()), folder)
        try:
            rows = await asyncio.gather(*(_one(crew, root, mark, path, folder) for mark, path in asked.items()))
        finally:
            await crew.close()
    return dict(zip(asked, rows, strict=True))


async def _one(crew: Any, root: str, mark: str, path: str, folder: str) -> dict[str, Any]:
    """What is seen of one photo. One that can't be read is not usable; the build says what is wrong with it."""
    full, own = os.path.join(root, path), os.path.join(folder, mark[:32])
    os.makedirs(own, exist_ok=True)
    task = {"stage": STAGE, "key": mark, "name": path, "params": {}, "inputs": {"photo": full}, "folder": own, "tools": {}}
    try:
        if digest.of_file(full) != mark:
            return {}
        answer = await crew.run(task, wall_seconds=WALL_SECONDS)
        return _read(answer["outputs"]["cutout"])
    except (ClipbuildError, OSError, ValueError):
        return {}


def _read(path: str) -> dict[str, Any]:
    with open(path, encoding="utf-8") as file:
        found = json.load(file)
    return found if isinstance(found, dict) else {}


def _worded(seen: dict[str, Any]) -> str:
    if not seen:
        return "its photo can't be looked at"
    if seen["given"]:
        return "its photo is cut out"
    if seen["confidence"] >= USABLE:
        return f"its photo can be cut out ({seen['confidence']:.0%} sure)"
    why = WORDS.get(seen["weak"], seen["weak"])
    return f"its photo can't be cut out surely ({seen['confidence']:.0%}, {USABLE:.0%} are wanted): {why}"


def told(session: "Session", planned: "Planned") -> dict[str, dict[str, str]]:
    """For people: clip → way and why, of clips whose picture is to be bought and of which the catalog does not say how."""
    plan, ways = planned.plan, session.cutouts.ways
    todo = [a for a in plan.graph if a.stage == "generate" and plan.verdicts[a.id] is not Verdict.UP_TO_DATE]
    clips = dict.fromkeys(name.partition("/")[0] for a in todo for name in plan.graph.aliases.get(a.id, (a.name,)))
    return {clip: {"way": ways[clip][0], "why": ways[clip][1]} for clip in clips if clip in ways}


def lines(found: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """The same, a line a clip; of many only the first."""
    for clip, row in list(found.items())[:SHOWN]:
        yield f"{clip}: {row['way']}: {row['why']}"
    if len(found) > SHOWN:
        counts = ", ".join(f"{number} {way}" for way, number in sorted(Counter(row["way"] for row in found.values()).items()))
        yield f"… and {len(found) - SHOWN:,} more; in all {counts}"
