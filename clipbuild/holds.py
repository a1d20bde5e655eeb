"""What holds a finished clip back from the tree: a check that says no, a person who did, or one who has not spoken yet.

Reads decisions from the lock and reports from the store. Knows nothing of how the tree is written.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from clipbuild.decisions import APPROVED, REJECTED, standing
from clipbuild.digest import Digest
from clipbuild.engine.action import Action
from clipbuild.engine.lock import Approval
from clipbuild.errors import DecisionError
from clipbuild.planner.recipes import Deliverable
from clipbuild.planning import Planned, Session

FAILED, UNDECIDED = "failed", "undecided"
Rows = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Hold:
    """One clip that is not published, and why: failed, rejected or undecided, in words, and what to do."""

    clip: str
    kind: str
    why: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.clip}: {self.why}" + (f"\n    hint  {self.hint}" if self.hint else "")


@dataclass(slots=True)
class Holds:
    """The holds of one build. `approved_only`: what nobody approved is held too."""

    session: Session
    planned: Planned
    approved_only: bool = False
    found: dict[str, Hold] = field(default_factory=dict)
    _said: dict[Digest, Approval] | None = None

    def of(self, clip: str) -> Hold | None:
        """What holds this whole clip back, if anything."""
        required = self.planned.entries[clip].load().review == "required"
        for wanted in self.planned.deliverables[clip]:
            if wanted.kind == "mp4" and (hold := self._judge(wanted, required=required)):
                self.found[clip] = hold
                return hold
        return None

    def _judge(self, wanted: Deliverable, *, required: bool) -> Hold | None:
        blob = self.planned.plan.resolve(wanted.source)
        said = standing(self.said(), blob)
        if blob is None or said == APPROVED:
            return None
        profile = of_profile(self.session)
        sku = f"{wanted.clip.split('.')[0]}{profile}"
        look = f"`clipbuild review{profile}`"
        if said == REJECTED:
            reason = self.said()[blob].reason
            return Hold(wanted.clip, REJECTED, "rejected" + (f": {reason}" if reason else ""),
                        f"change it, or `clipbuild retake {sku} --because TEXT`; then look: {look}")  # fmt: skip
        if wanted.check is not None and (errors := self._errors(self.planned.plan.resolve(wanted.check))):
            return Hold(wanted.clip, FAILED, f"not fit to be posted: {'; '.join(errors)}",
                        f"look at it: {look}; `clipbuild approve {sku}` posts it all the same")  # fmt: skip
        if required or self.approved_only:
            return Hold(wanted.clip, UNDECIDED, "waits for a person's approval", f"{look}, or `clipbuild approve {sku}`")
        return None

    def said(self) -> dict[Digest, Approval]:
        """The latest decision on each blob."""
        if self._said is None:
            self._said = self.session.lock.decisions()
        return self._said

    def _errors(self, report: Digest | None) -> list[str]:
        told = self.session.report(report)
        return [str(f.get("advice", f.get("id", ""))) for f in told.get("findings") or () if f.get("severity") == "error"]

    def kept(self, before: Rows) -> Rows:
        """What stays in the tree of a clip that is held: its files of before, but none that may not be there."""
        gone = {str(row["platform"]) for row in before.values() if row["kind"] == "mp4" and not self._may_stay(row)}
        return {path: row for path, row in before.items() if row["platform"] not in gone}

    def _may_stay(self, row: Mapping[str, Any]) -> bool:
        said = standing(self.said(), row["sha256"])
        return said == APPROVED if self.approved_only else said != REJECTED

    def needs_person(self) -> bool:
        """Something waits that only a person can settle."""
        return not self.approved_only and any(hold.kind != REJECTED for hold in self.found.values())


def of_profile(session: Session) -> str:
    """What a command needs to speak of the profile that was built."""
    return f" --profile {session.wish.profile}" if session.wish.profile else ""


def still(action: Action) -> str:
    """The input of a bought action that is a picture made here or bought before: "" for none."""
    return "image" if action.stage == "animate" else "reference" if "reference" in action.inputs else ""


def gate(session: Session) -> Callable[[Action, Digest, Mapping[str, Digest]], None]:
    """Where the project has stills approved first: stops what is made from a picture that nobody approved from being
    bought, a motion or another shot's picture."""
    said = session.lock.decisions()

    def check(action: Action, key: Digest, inputs: Mapping[str, Digest]) -> None:
        source = still(action)
        if session.catalog.project.approve != "stills" or not source or session.lock.pin(key):
            return
        if standing(said, inputs.get(source)) != APPROVED:
            sku, profile = action.name.split("/")[0].split(".")[0], of_profile(session)
            hint = f"look at it: `clipbuild review{profile}`; or `clipbuild approve --still {sku}{profile}`"
            whose = "its" if source == "image" else "the first shot's"
            raise DecisionError(f"{action.name}: {whose} picture waits for a person's approval", hint=hint)

    return check


def advice(session: Session, planned: Planned, ran: Collection[str]) -> Iterator[str]:
    """A line for each named motion that was found not to suit its picture in this run, with a better one."""
    seen = set()
    for action in planned.plan.graph:
        if action.stage != "choose" or action.name not in ran or action.id not in planned.plan.outputs:
            continue
        told = session.report(planned.plan.outputs[action.id].get("advice"))
        if told.get("better"):
            name = action.name.rsplit("/", 1)[0]
            text = f"{name}: {action.params['motion']} does not suit this picture ({told['because']}); {told['better']} would"
            if text not in seen:
                seen.add(text)
                yield text


def too_large(session: Session, planned: Planned, ran: Collection[str]) -> Iterator[str]:
    """A line for each clip made in this run that is larger than its platform takes."""
    names = {action.id: action.name for action in planned.plan.graph}
    for wanted in (file for files in planned.deliverables.values() for file in files if file.kind == "mp4"):
        blob, most = planned.plan.resolve(wanted.source), session.catalog.project.platforms[wanted.platform].max_bytes
        if blob and names[wanted.source.action] in ran and session.store.has(blob) and session.store.size(blob) > most:
            told = f"{session.store.size(blob) / 1e6:.1f} MB, {wanted.platform} takes {most / 1e6:g} MB"
            yield f"{wanted.path}: {told}; make it shorter, or lower the spec's `maxrate_kbps`"
