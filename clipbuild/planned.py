"""What planning came to: a judged plan, the files it leads to, and what of it is new.

Data only; made by `planning`.
"""

from dataclasses import dataclass, field

from clipbuild.catalog.catalog import Entry
from clipbuild.catalog.model import Clip
from clipbuild.digest import Digest
from clipbuild.engine.rebuilder import Plan
from clipbuild.look import Drift
from clipbuild.planner import spoken
from clipbuild.planner.recipes import Deliverable
from clipbuild.records import Mark


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that a request's model can't do, in words, and what to type where that is known; `is_usage`: nobody stands
    for that provider."""

    what: str
    hint: str = ""
    is_usage: bool = False


@dataclass(slots=True)
class Planned:
    """A judged plan: the graph's verdicts, the files it leads to, and how many clips and actions needed no plan."""

    plan: Plan
    drift: Drift | None
    entries: dict[str, Entry]
    context: str
    deliverables: dict[str, list[Deliverable]] = field(default_factory=dict)
    marks: dict[str, Mark] = field(default_factory=dict)
    drafts: list[spoken.Draft] = field(default_factory=list)
    kept_actions: int = 0
    planned: int = 0
    """How many clips were planned now, not taken from a plan put aside."""
    dead: dict[Digest, Fault] | None = None
    """Purchases that lead nowhere, and why, once `deadends` was asked."""

    @property
    def clips(self) -> dict[str, Clip]:
        """Every clip that was wished for, resolved."""
        return {name: entry.load() for name, entry in self.entries.items()}
