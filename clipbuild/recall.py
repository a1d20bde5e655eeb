"""Which clips are as the last whole build left them, so that they need no plan.

A clip is told by its entry of the catalog, the bytes of its files, the context all clips share, and its prompts' texts.
Judges only; the records it reads are `records`' business.
"""

from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING

from clipbuild import __version__, digest
from clipbuild.catalog.catalog import Entry
from clipbuild.catalog.model import Clip
from clipbuild.engine.lock import LOCK_FILE
from clipbuild.look import Drift
from clipbuild.planner import spoken
from clipbuild.records import Mark
from clipbuild.stages import registry

PROMPTS = "templates/prompts/"

if TYPE_CHECKING:
    from clipbuild.session import Session


class Recall:
    """What is remembered of the clips of one session; `drift` None: nothing is believed. `say` gives a clip's prompt
    by kind and aspect."""

    def __init__(self, session: "Session", drift: Drift | None, say: Callable[[Clip, str, str], str]) -> None:
        self._session, self._drift, self._tell = session, drift, say
        self._shared, self._prompts = shared(session), session.prompts.signature()
        self.context = f"{self._shared} {self._prompts}"
        self._bought = _bought(session)
        self._marks: dict[str, Mark] = {}
        self._held = self._turned() if drift is not None else frozenset()

    def doubtful(self, entries: Collection[Entry]) -> list[Entry]:
        """The clips that are not plainly the same: something that they are made from or led to looks otherwise."""
        drift = self._drift
        if drift is None:
            return list(entries)
        then, _, prompts = drift.context.partition(" ")
        if then != self._shared or self._strangers(drift.sources, entries):
            found, listed = list(entries), frozenset[str]()
        else:
            other, files = prompts != self._prompts or LOCK_FILE in drift.sources, drift.sources
            found = [
                one for one in entries
                if one.id in drift.clips or one.id in self._held or (other and one.bought)
                or not files.isdisjoint(one.files) or (one.spoken and spoken.draft_path(one.id) in files)
            ]  # fmt: skip
            listed = files | self._session.catalog.exports
        known = {one.id for one in found}
        beside = [one for one in entries if one.place.file in listed and one.id not in known]
        self._marks = self._session.records.marks(known.union(one.id for one in beside))
        known |= {one.id for one in beside if not self._is_as_written(one)}
        return [one for one in entries if one.id in known]

    def _is_as_written(self, entry: Entry) -> bool:
        """Only its catalog file differs, and not in what it says of this clip."""
        mark = self._marks.get(entry.id)
        return mark is not None and mark.entry == entry.print

    def _turned(self) -> frozenset[str]:
        """The clips that were held back, and those that a person rejected since they were published."""
        records, drift = self._session.records, self._drift
        if drift is None or LOCK_FILE not in drift.sources:
            return records.held()
        no = {blob for blob, said in self._session.lock.decisions().items() if said.verdict == "rejected"}
        here = records.clips() if no else ()
        return records.held() | {clip for clip in here if any(row["sha256"] in no for row in records.files(clip))}

    def _strangers(self, changed: frozenset[str], entries: Iterable[Entry]) -> set[str]:
        """Changed sources that may be about any clip: the project file above all."""
        left = {name for name in changed if name != LOCK_FILE and not name.startswith(PROMPTS)}
        for entry in entries:
            left.discard(entry.place.file)
            left.difference_update(entry.files)
            if entry.spoken:
                left.discard(spoken.draft_path(entry.id))
        return left

    def whole(self, entry: Entry) -> str:
        """A fingerprint of all that shapes the clip but its prompts. Raises UsageError for a file that is gone."""
        return whole(self._session, entry, self._shared + (self._bought if entry.bought else ""))

    def is_same(self, entry: Entry, whole: str) -> bool:
        """It was made from just this, and its files are as they were left. Raises CatalogError for its template."""
        mark = self._marks.get(entry.id)
        if self._drift is None or mark is None or entry.id in self._drift.clips | self._held or mark.whole != whole:
            return False
        return not mark.asked or self._say(entry, mark.asked) == mark.said

    def mark(self, entry: Entry, whole: str, actions: int) -> Mark:
        """What to remember of a clip that was planned, once it is made."""
        said = self._session.said.get(entry.id, {})
        return Mark(entry.print, whole, actions, tuple(said), _digest(said))

    def kept_actions(self, planned: Collection[str]) -> int:
        """How many actions the clips have that were not planned; nearly, for some are shared."""
        if self._drift is None:
            return 0
        gone = self._drift.tree - {entry.id for entry in self._session.catalog.entries}
        known = {**self._marks, **self._session.records.marks(gone)}
        return max(0, self._drift.actions - sum(known[clip].actions for clip in {*planned, *gone} & known.keys()))

    def _say(self, entry: Entry, asked: Iterable[tuple[str, str]]) -> str:
        clip = entry.load()
        return _digest({(kind, ratio): self._tell(clip, kind, ratio) for kind, ratio in asked})


def whole(session: "Session", entry: Entry, context: str) -> str:
    """A fingerprint of the clip's entry, its files and `context`. Raises UsageError for a file that is gone."""
    seen = [session.source(path) for path in entry.files]
    if entry.spoken and session.sources.exists(draft := spoken.draft_path(entry.id)):
        seen.append(session.source(draft))
    return digest.fingerprint("\0".join([context, entry.print, *seen]).encode())


def _digest(said: dict[tuple[str, str], str]) -> str:
    return digest.of_document({f"{kind} {ratio}": text for (kind, ratio), text in said.items()}) if said else ""


def _bought(session: "Session") -> str:
    """What a person decided about what was bought: it may mean another attempt, or that a clip may not be shown."""
    takes, approvals = session.lock.takes, session.lock.approvals
    return repr((sorted(takes.items()), sorted(approvals.items()))) if takes or approvals else ""


def shared(session: "Session") -> str:
    """What shapes every clip beside its own entry: versions, tools, the library, platforms."""
    library = session.library
    shared = {
        "clipbuild": __version__,
        "stages": {name: registry.kind(name, session.state).version for name in registry.names()},
        "tools": dict(session.tools),
        "motions": dict(library.motions()), "limits": dict(library.readiness()),
        "clip_limits": dict(session.clip_limits() or {}), "avoid": session.avoided(),
        "styles": {name: dict(library.style(name)) for name in library.styles()},
        "overlays": dict(library.overlays()),
        "platforms": repr(sorted(session.catalog.project.platforms.items())),
    }  # fmt: skip
    return digest.of_document(shared)
