"""From a workspace to a judged plan: open what a build needs, resolve clips, plan the changed ones, judge.

`plan`, `why`, `graph`, price and `build` all come through here, so they can't disagree. Runs nothing, buys nothing.
"""

import fnmatch
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from clipbuild import checkpoint, digest, pairs, recall, resources, toolchain
from clipbuild.catalog import catalog as catalogs
from clipbuild.catalog.catalog import Entry
from clipbuild.catalog.load import plain
from clipbuild.catalog.model import Clip, Place
from clipbuild.catalog.seals import Kept
from clipbuild.cutouts import Cutouts, settled
from clipbuild.digest import Digest
from clipbuild.engine import rebuilder
from clipbuild.engine.action import Graph, Output, Trace
from clipbuild.engine.lock import Lock
from clipbuild.engine.rebuilder import Plan
from clipbuild.engine.sources import Sources
from clipbuild.engine.store import Store
from clipbuild.engine.traces import State
from clipbuild.engine.workspace import Workspace
from clipbuild.errors import CatalogError, ClipbuildError, Problem, UsageError
from clipbuild.look import LOCK, Drift
from clipbuild.outputs import Tree
from clipbuild.planner import routing, spoken
from clipbuild.planner.library import Library
from clipbuild.planner.prompts import Prompts
from clipbuild.planner.recipes import Bought, Deliverable, Toolbox, plan_clip
from clipbuild.providers import journal as journals
from clipbuild.providers.receipts import bought
from clipbuild.providers.records import FINAL
from clipbuild.recall import Recall
from clipbuild.records import Mark, Records
from clipbuild.settings import Settings
from clipbuild.tooling import rendered
from clipbuild.tooling import toolbox as toolbox
from clipbuild.wish import Wish

MAX_STEPS = 1_000_000


@dataclass(slots=True)
class Session:
    """One workspace, opened: its catalog, state, store, lock and library."""

    wish: Wish
    settings: Settings
    state: State
    store: Store
    lock: Lock
    sources: Sources
    library: Library
    prompts: Prompts
    catalog: catalogs.Catalog
    tools: Mapping[str, str]
    ffmpeg: str
    tree: Tree
    records: Records
    journal: journals.Journal
    origins: dict[Digest, str] = field(default_factory=dict)
    outside: dict[str, Digest] = field(default_factory=dict)
    """The digests of files outside the workspace that were asked for."""
    said: dict[str, dict[tuple[str, str], str]] = field(default_factory=dict)
    """The prompts that clips asked for: clip → (kind, aspect) → text."""
    chosen: dict[str, str] = field(default_factory=dict)
    """What `motion: auto` came to for clips whose motion is bought, by clip and spec."""
    instead: dict[str, dict[str, str]] = field(default_factory=dict)
    """What stands in for what, by clip and spec, then by part."""
    unable: dict[str, str] = field(default_factory=dict)
    """Requests that can't be had in this run, and why."""
    closed: dict[str, ClipbuildError] = field(default_factory=dict)
    """Providers that nothing is sent to any more in this run, and why."""
    undecided: set[str] = field(default_factory=set)
    """Those for which that is not known yet."""
    cutouts: Cutouts = field(default_factory=Cutouts)

    def close(self) -> None:
        """Write what the state remembers and what the journal is owed. Raises IncompleteError for what can't be written."""
        self.state.commit()
        self.state.close()
        self.journal.close()

    def clip_limits(self) -> Mapping[str, Any] | None:
        """The limits for finished clips; None for a profile of small, quick drafts, whose loop a check would slow down."""
        project = self.catalog.project
        profile = project.profiles.get(project.profile)
        return None if profile is not None and profile.scale < 1 else self.library.clip_limits()

    def failed(self, request: Bought) -> str:
        """Why this request can't be had: in this run, or for good as the journal still says; "" when it may."""
        mark = routing.mark(request)
        if mark in self.unable:
            return self.unable[mark]
        key, _, why = (self.state.get("failed", mark) or b"").decode().partition(" ")
        job = self.journal.replay.latest(digest.parse(key)) if key else None
        return why if job is not None and job.state in FINAL and not job.again else ""

    def avoided(self) -> Mapping[str, Mapping[str, Any]]:
        """The motions that this project's decisions speak against, by provider and kind of picture."""
        rows = pairs.records(self.lock)
        return {provider: pairs.avoided(rows, provider) for provider in sorted({row.provider for row in rows})}

    def source(self, path: str) -> Digest:
        """The digest of a workspace file, and note where its bytes are."""
        found = self.sources.digest(path)
        self.origins[found] = os.path.join(self.wish.root, path)
        return found

    def shipped(self, path: str) -> Digest:
        """The digest of a file by its path: inside the workspace as a source, else as it is."""
        if path in self.outside:
            return self.outside[path]
        inside = os.path.relpath(path, self.wish.root)
        if not inside.startswith(".."):
            return self.source(inside.replace(os.sep, "/"))
        found = self.outside[path] = self._stamped(path)
        self.sources.watch(path)
        self.origins[found] = path
        return found

    def _stamped(self, path: str) -> Digest:
        stat = os.stat(path)
        stamp = f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\0{stat.st_ino}"
        if known := self.state.get("shipped", stamp):
            return digest.parse(known.decode())
        found = digest.of_file(path)
        self.state.put("shipped", stamp, found.encode())
        return found

    def wished(self) -> list[Entry]:
        """The clips that are wished for. Raises UsageError for a selector that fits nothing."""
        wish, entries = self.wish, self.catalog.entries
        for name in wish.platforms:
            if name not in self.catalog.project.platforms:
                _unknown("platform", name, self.catalog.project.platforms)
        for pattern in wish.products:
            if not any(_fits(entry, pattern) for entry in entries):
                _unknown("product", pattern, {entry.sku for entry in entries})
        return [found for entry in entries if (found := self._wished(entry)) is not None]

    def _wished(self, entry: Entry) -> Entry | None:
        wish = self.wish
        if wish.clips is not None and entry.id not in wish.clips:
            return None
        if wish.products and not any(_fits(entry, pattern) for pattern in wish.products):
            return None
        if not wish.platforms:
            return entry
        platforms = tuple(platform for platform in entry.platforms if platform in wish.platforms)
        return replace(entry, platforms=platforms) if platforms else None

    def selected(self) -> list[Clip]:
        """The clips that are wished for, resolved. Raises UsageError as `wished`."""
        return [entry.load() for entry in self.wished()]

    def files(self) -> spoken.Files:
        """The door to the files that captions come from."""
        return spoken.Files(self.sources.read, self.sources.exists)


def _fits(entry: Entry, pattern: str) -> bool:
    return fnmatch.fnmatchcase(entry.sku, pattern) or fnmatch.fnmatchcase(entry.id, pattern)


def _unknown(what: str, name: str, known: Any, where: str = "in the catalog") -> None:
    import difflib

    near = difflib.get_close_matches(name, list(known), n=1)
    facts = [("known", ", ".join(sorted(known)[:12]) + (" …" if len(known) > 12 else ""))]
    raise UsageError(f"no {what} {name!r} {where}", facts, f'did you mean "{near[0]}"?' if near else "")


def open_session(
    wish: Wish,
    settings: Settings,
    emit: Any = lambda *_: None,
    *,
    told: Callable[[str], Digest | None] | None = None,
    suspects: frozenset[str] | None = None,
    kept: Kept | None = None,
) -> Session:
    """Open the workspace and read its catalog. `told(path)` gives the digests of files that only stand in for others;
    `suspects` and `kept` as for `open_catalog`.

    Raises CatalogError, UsageError, IntegrityError.
    """
    place = Workspace(wish.root)
    place.prepare()
    state = State.open(place.state)
    try:
        sources = Sources(wish.root, state, known=told)
        library = Library(wish.root, partial(_plain, state), sources)
        known = catalogs.Known(motions=(*library.motions(), "auto"), styles=library.styles())
        catalog = catalogs.open_catalog(
            wish.root, profile=wish.profile, files=sources, cache=state, known=known, suspects=suspects,
            kept=kept,
        )  # fmt: skip
        project = catalog.project
        output = project.output if project.profile == project.usual else f"{project.output}.{project.profile}"
        ffmpeg = toolchain.program(settings.ffmpeg, state)
        for path in (*toolchain.files(ffmpeg), *_templates()):
            sources.watch(path)
        return Session(
            wish, settings, state, Store(settings.store or place.store),
            Lock.load(os.path.join(wish.root, LOCK)), sources, library,
            Prompts(["templates"], sources), catalog, toolchain.versions(settings.ffmpeg, state), ffmpeg,
            Tree(wish.root, output, emit), Records(state, project.profile),
            journals.opened(wish.root, settings.store, settings.state_home, lambda text: emit("warned", text)),
        )  # fmt: skip
    except BaseException:
        state.close()
        raise


def _plain(state: State, file: str, data: bytes) -> Any:
    """A YAML file as plain data; parsed when its bytes were not seen before. Raises CatalogError."""
    mark = digest.fingerprint(data)
    if known := state.get("yaml", mark):
        return json.loads(known)
    found = plain(file, data)
    state.put("yaml", mark, json.dumps(found).encode())
    return found


def _templates() -> Iterator[str]:
    """What ships with this version and shapes clips; fonts are looked at where they are used."""
    for above, folders, names in os.walk(resources.folder("templates")):
        folders[:] = [name for name in folders if name not in ("fonts", "__pycache__")]
        yield from (os.path.join(above, name) for name in names)


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

    @property
    def clips(self) -> dict[str, Clip]:
        """Every clip that was wished for, resolved."""
        return {name: entry.load() for name, entry in self.entries.items()}


def make_plan(session: Session, drift: Drift | None = None) -> Planned:
    """Plan and judge the wished clips. Those that are as the last whole build left them are not looked at: `drift` is
    what differs from it; None: nothing is known of it.

    Where `auto` is to choose a motion that is bought, the choice shapes what is asked for: planned once to find what
    is known of it, and again with that; so with photos that are to be looked at first. Raises CatalogError when a clip
    can't be planned because of what its catalog entry says.
    """
    session.chosen = {}
    while True:
        session.undecided = set()
        planned = settled(session, partial(_planned, session, drift))
        if not (found := choices(session, planned.plan)):
            return planned
        session.chosen |= found


def choices(session: Session, plan: Plan) -> dict[str, str]:
    """What `auto` came to, of what was not known when the plan was made."""
    if not session.undecided:
        return {}
    names = {name: of for of, every in plan.graph.aliases.items() for name in every}
    found = {}
    for where in session.undecided:
        blob = plan.outputs.get(names[f"{where}/choose"], {}).get("choice")
        if blob and session.store.has(blob):
            with open(session.store.path(blob), "rb") as file:
                found[where] = str(json.loads(file.read())["motion"])
    return found


def _planned(session: Session, drift: Drift | None) -> Planned:
    graph, box = Graph(), toolbox(session)
    entries = {entry.id: entry for entry in session.wished()}
    memory = Recall(session, drift, lambda clip, kind, ratio: rendered(session, clip, kind, ratio).text)
    planned = Planned(Plan(graph, *_knowledge(session)), drift, entries, memory.context)
    doubtful = memory.doubtful(entries.values())
    aside = checkpoint.opened(session) if len(doubtful) >= checkpoint.MANY else checkpoint.Checkpoint()
    with closing(aside), checkpoint.uncollected(len(doubtful)):
        _plan_clips(session, planned, memory, doubtful, aside, box)
    planned.kept_actions = memory.kept_actions(planned.deliverables)
    rebuilder.walk(planned.plan)
    return planned


def _plan_clips(
    session: Session, planned: Planned, memory: Recall, doubtful: Iterable[Entry], aside: checkpoint.Checkpoint, box: Toolbox
) -> None:
    """Plan the clips that are not as they were left, or take them from a plan put aside. Raises CatalogError."""
    problems: list[Problem] = []
    graph, platforms = planned.plan.graph, session.catalog.project.platforms
    for entry in doubtful:
        before = len(graph)
        try:
            whole = memory.whole(entry)
            if memory.is_same(entry, whole):
                continue
            if (known := aside.take(entry.id, whole, graph)) is not None:
                planned.deliverables[entry.id], planned.marks[entry.id] = known
                continue
            clip, draft = spoken.resolved(entry.load(), session.files())
            made = plan_clip(graph, clip, platforms, box)
        except CatalogError as error:  # a template's place is better than the clip's
            problems += [problem for problem in error.problems if problem not in problems]
            continue
        except ClipbuildError as error:
            place = entry.place
            problem = Problem(place.file, place.line, place.column, error.what, tuple(error.facts), error.hint)
            problems += [problem] if problem not in problems else []
            continue
        check_room(len(graph), entry.place)
        planned.drafts += [draft] if draft else []
        planned.deliverables[entry.id] = made
        planned.marks[entry.id] = memory.mark(entry, whole, len(graph) - before)
        planned.planned += 1
    if problems:
        raise CatalogError(problems)


def check_room(steps: int, place: Place, most: int = MAX_STEPS) -> None:
    """A plan this long can be made. Raises CatalogError at the product that is too much."""
    if steps > most:
        facts = (("steps", f"{steps:,} so far"),)
        hint = "plan a part: name products, or `--shard 1/8`; or split the project"
        raise CatalogError([Problem(place.file, place.line, place.column, f"more than {most:,} steps to plan", facts, hint)])


def up_to(session: Session, graph: Graph, stage: str) -> Plan:
    """The plan of this graph as far as `stage`: its actions and what they need. Raises UsageError for an unknown one.

    "image" is the picture, composed or bought, and its check: what a person approves.
    """
    known = {action.stage for action in graph}
    stages = {"image", "generate", "check"} if stage == "image" else {stage}
    if not stages & known:
        _unknown("stage", stage, known - {"generate"} | {"image"}, "of this plan")
    needed = {action.id for action in graph if action.stage in stages}
    for action in reversed(list(graph)):
        if action.id in needed:
            needed |= {source.action for source in action.inputs.values() if isinstance(source, Output)}
    part = Graph()
    part.actions = {action.id: action for action in graph if action.id in needed}
    part.aliases = {of: names for of, names in graph.aliases.items() if of in needed}
    return judge(session, part)


def judge(session: Session, graph: Graph) -> Plan:
    """The verdict on every action, from lock and traces."""
    return rebuilder.walk(Plan(graph, *_knowledge(session)))


def _knowledge(session: Session) -> tuple[rebuilder.Find, rebuilder.Has, rebuilder.Last]:
    """What a judge needs: what keys gave, the store, the documents judged last."""
    return partial(find, session), session.store.has, session.state.last


def find(session: Session, key: Digest) -> Trace | None:
    """What a key gave: pinned, traced, or bought and not yet pinned."""
    return session.lock.pin(key) or session.state.trace(key) or bought(session.journal, key)


def context(session: Session) -> str:
    """What shapes every clip beside its own entry: versions, tools, templates."""
    return f"{recall.shared(session)} {session.prompts.signature()}"


def fingerprint(session: Session, entry: Entry, context: str) -> str:
    """Changes when anything does that shapes this clip. `context` is `context(session)`."""
    return recall.whole(session, entry, context)
