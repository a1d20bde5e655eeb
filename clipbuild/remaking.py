"""Made again and compared: free actions run in a scratch folder from the inputs on record, and their bytes must be equal.

What was bought is not bought again, nothing recorded is changed. Knows nothing of why bytes would differ.
"""

import asyncio
import os
import tempfile
from dataclasses import dataclass, field
from typing import Any

from clipbuild import events, planning, workshop
from clipbuild.engine.action import Action, Verdict
from clipbuild.engine.store import Store
from clipbuild.errors import ClipbuildError


@dataclass(slots=True)
class Remade:
    """What came of it: names of actions whose bytes are the same; outputs that differ, as (action, output, digest on
    record, digest now); actions that failed and why; and how many could not be tried, not being up to date."""

    same: list[str] = field(default_factory=list)
    different: list[tuple[str, str, str, str]] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    skipped: int = 0

    def plain(self) -> dict[str, Any]:
        """As JSON data."""
        rows = [{"action": a, "output": o, "recorded": old, "made": new} for a, o, old, new in self.different]
        return {"same": self.same, "different": rows, "failed": self.failed, "skipped": self.skipped}


def remake(session: planning.Session, jobs: int) -> Remade:
    """Make the wished clips' free actions again, `jobs` at once. Raises CatalogError."""
    plan = planning.make_plan(session).plan
    found = Remade(skipped=len(plan.of(Verdict.WILL_RUN)) + len(plan.of(Verdict.MAY_RUN)))
    free = [action for action in plan.of(Verdict.UP_TO_DATE) if not action.precious]
    with tempfile.TemporaryDirectory(prefix="clipbuild-remake-") as folder:
        asyncio.run(_all(session, plan, free, folder, jobs, found))
    return found


async def _all(
    session: planning.Session, plan: Any, actions: list[Action], folder: str, jobs: int, found: Remade
) -> None:
    crew = workshop.workers(jobs, folder)
    origins = dict(session.origins)
    shop = workshop.Workshop(
        Store(os.path.join(folder, "store")), origins, {"ffmpeg": session.ffmpeg}, folder, crew, events.Bus(lambda: 0.0)
    )
    turn = asyncio.Semaphore(jobs)

    async def one(action: Action) -> None:
        recorded, inputs = plan.outputs[action.id], plan.inputs(action)
        for name in inputs.values():
            if session.store.has(name):
                origins[name] = session.store.path(name)
        async with turn:
            try:
                trace = await shop.run(action, plan.keys[action.id], inputs)
            except ClipbuildError as error:
                found.failed[action.name] = str(error)
                return
        names = sorted({*recorded, *trace.outputs})
        other = [(n, recorded.get(n, ""), trace.outputs.get(n, "")) for n in names if recorded.get(n) != trace.outputs.get(n)]
        found.different += [(action.name, *row) for row in other]
        if not other:
            found.same.append(action.name)

    try:
        await asyncio.gather(*(one(action) for action in actions))
    finally:
        await crew.close()
