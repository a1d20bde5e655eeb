"""From a workspace to a judged plan: open what a build needs, resolve clips, plan the changed ones, judge.

`plan`, `why`, `graph`, price and `build` all come through here, so they can't disagree. Runs nothing, buys nothing.
"""

import fnmatch
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from clipbuild import __version__, digest, toolchain
from clipbuild.catalog import catalog as catalogs
from clipbuild.catalog.load import plain
from clipbuild.catalog.model import Clip
from clipbuild.digest import Digest, Fingerprint
from clipbuild.engine import rebuilder
from clipbuild.engine.action import Graph, Output
from clipbuild.engine.lock import Lock
from clipbuild.engine.rebuilder import Plan
from clipbuild.engine.sources import Sources
from clipbuild.engine.store import Store
from clipbuild.engine.traces import State
from clipbuild.engine.workspace import Workspace
from clipbuild.errors import CatalogError, ClipbuildError, Problem, UsageError
from clipbuild.outputs import Tree
from clipbuild.planner import spoken
from clipbuild.planner.library import Library
from clipbuild.planner.prompts import Prompts, Rendered
from clipbuild.planner.recipes import Bought, Deliverable, Toolbox, aspect, plan_clip
from clipbuild.planner.routing import route
from clipbuild.settings import Settings
from clipbuild.stages import registry
from clipbuild.wish import Wish

LOCK = "clipbuild.lock"


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
    tree: Tree
    origins: dict[Digest, str] = field(default_factory=dict)

    def close(self) -> None:
        """Write what the state remembers."""
        self.state.commit()
        self.state.close()

    def source(self, path: str) -> Digest:
        """The digest of a workspace file, and note where its bytes are."""
        found = self.sources.digest(path)
        self.origins[found] = os.path.join(self.wish.root, path)
        return found

    def shipped(self, path: str) -> Digest:
        """The digest of a file by its path: inside the workspace as a source, else as it is."""
        inside = os.path.relpath(path, self.wish.root)
        if not inside.startswith(".."):
            return self.source(inside.replace(os.sep, "/"))
        found = self._stamped(path)
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

    def selected(self) -> list[Clip]:
        """The clips that are wished for. Raises UsageError for a selector that fits nothing."""
        wish = self.wish
        for name in wish.platforms:
            if name not in self.catalog.project.platforms:
                _unknown("platform", name, self.catalog.project.platforms)
        for pattern in wish.products:
            if not any(_fits(clip, pattern) for clip in self.catalog.clips):
                _unknown("product", pattern, {clip.sku for clip in self.catalog.clips})
        found = []
        for clip in self.catalog.clips:
            if wish.clips is not None and clip.id not in wish.clips:
                continue
            if wish.products and not any(_fits(clip, pattern) for pattern in wish.products):
                continue
            if wish.platforms:
                clip = replace(clip, platforms=tuple(p for p in clip.platforms if p in wish.platforms))
            if clip.platforms:
                found.append(clip)
        return found


def _fits(clip: Clip, pattern: str) -> bool:
    return fnmatch.fnmatchcase(clip.sku, pattern) or fnmatch.fnmatchcase(clip.id, pattern)


def _unknown(what: str, name: str, known: Any) -> None:
    import difflib

    near = difflib.get_close_matches(name, list(known), n=1)
    facts = [("known", ", ".join(sorted(known)[:12]) + (" …" if len(known) > 12 else ""))]
    raise UsageError(f"no {what} {name!r} in the catalog", facts, f'did you mean "{near[0]}"?' if near else "")


def open_session(
    wish: Wish, settings: Settings, emit: Any = lambda *_: None, *, told: Callable[[str], Digest | None] | None = None
) -> Session:
    """Open the workspace and read its catalog. `told(path)` gives the digests of files that only stand in for others.

    Raises CatalogError, UsageError, IntegrityError.
    """
    place = Workspace(wish.root)
    place.prepare()
    state = State.open(place.state)
    try:
        sources = Sources(wish.root, state, known=told)
        library = Library(wish.root, plain, sources.read)
        known = catalogs.Known(motions=(*library.motions(), "auto"), styles=library.styles())
        catalog = catalogs.open_catalog(wish.root, profile=wish.profile, files=sources, cache=state, known=known)
        project = catalog.project
        output = project.output if project.profile == project.usual else f"{project.output}.{project.profile}"
        return Session(
            wish, settings, state, Store(settings.store or place.store),
            Lock.load(os.path.join(wish.root, LOCK)), sources, library,
            Prompts(["templates"], sources), catalog,
            toolchain.versions(settings.ffmpeg, state), Tree(wish.root, output, emit),
        )  # fmt: skip
    except BaseException:
        state.close()
        raise


@dataclass(slots=True)
class Planned:
    """A judged plan: the graph's verdicts, the files it leads to, and the clips that did not need a plan."""

    plan: Plan
    clips: dict[str, Clip]
    deliverables: dict[str, list[Deliverable]]
    kept: dict[str, Mapping[str, Any]]
    fingerprints: dict[str, Fingerprint]
    failed: dict[str, ClipbuildError] = field(default_factory=dict)
    drafts: list[spoken.Draft] = field(default_factory=list)


def make_plan(session: Session, dirty: frozenset[str] | None = None) -> Planned:
    """Plan and judge the wished clips. `dirty`: clips whose files in the tree changed; None: trust no record.

    Raises CatalogError when a clip can't be planned because of what its catalog entry says.
    """
    graph, box = Graph(), toolbox(session)
    made: dict[str, list[Deliverable]] = {}
    kept: dict[str, Mapping[str, Any]] = {}
    prints: dict[str, Fingerprint] = {}
    drafts: list[spoken.Draft] = []
    problems: list[Problem] = []
    shared = context(session)
    clips = {clip.id: clip for clip in session.selected()}
    for clip in clips.values():
        try:
            prints[clip.id] = fingerprint(session, clip, shared)
            record = None if dirty is None or clip.id in dirty else read_record(session, clip.id)
            if record and record["fp"] == prints[clip.id]:
                kept[clip.id] = record
                continue
            whole, draft = spoken.resolved(clip, spoken.Files(session.sources.read, session.sources.exists))
            drafts += [draft] if draft else []
            made[clip.id] = plan_clip(graph, whole, session.catalog.project.platforms, box)
        except CatalogError as error:  # a template's place is better than the clip's
            problems += [problem for problem in error.problems if problem not in problems]
        except ClipbuildError as error:
            place = clip.place
            problem = Problem(place.file, place.line, place.column, error.what, tuple(error.facts), error.hint)
            problems += [problem] if problem not in problems else []
    if problems:
        raise CatalogError(problems)
    return Planned(judge(session, graph), clips, made, kept, prints, drafts=drafts)


def graph_of(session: Session, clips: Iterable[Clip]) -> Graph:
    """Every action of these clips, not judged. Raises ClipbuildError."""
    graph, box = Graph(), toolbox(session)
    files = spoken.Files(session.sources.read, session.sources.exists)
    for clip in clips:
        plan_clip(graph, spoken.resolved(clip, files)[0], session.catalog.project.platforms, box)
    return graph


def judge(session: Session, graph: Graph) -> Plan:
    """The verdict on every action, from lock and traces."""

    def find(key: Digest) -> Any:
        return session.lock.pin(key) or session.state.trace(key)

    return rebuilder.judge(graph, find, session.store.has, last=session.state.last)


def record_kind(session: Session) -> str:
    """Under which kind the state keeps what became of clips: one a profile."""
    return f"clip:{session.catalog.project.profile}"


def read_record(session: Session, clip: str) -> Mapping[str, Any] | None:
    """What the last build made of a clip: its fingerprint and manifest rows."""
    import json

    data = session.state.get(record_kind(session), clip)
    return json.loads(data) if data else None


def context(session: Session) -> str:
    """What shapes every clip beside its own entry: versions, tools, templates."""
    stages = {name: registry.stage(name).version for name in registry.names()}
    library = session.library
    shared = {
        "clipbuild": __version__, "stages": stages, "tools": dict(session.tools),
        "motions": dict(library.motions()), "limits": dict(library.readiness()),
        "styles": {name: dict(library.style(name)) for name in library.styles()},
        "overlays": dict(library.overlays()),
        "platforms": repr(sorted(session.catalog.project.platforms.items())),
        "prompts": session.prompts.signature(),
    }  # fmt: skip
    return digest.of_document(shared)


def fingerprint(session: Session, clip: Clip, context: str) -> Fingerprint:
    """Changes when anything does that shapes this clip. `context` is `context(session)`."""
    files = [*clip.photos, clip.ground.plate, clip.sound.bed, clip.brand.logo]
    files += [clip.brand.fonts.heading, clip.brand.fonts.body, *(layer.file for layer in clip.layers)]
    files += spoken.sources(clip, spoken.Files(session.sources.read, session.sources.exists))
    seen = [session.source(path) for path in files if path]
    return digest.fingerprint("\0".join([context, repr(replace(clip, place=None)), *seen]).encode())  # type: ignore[arg-type]


def rendered(session: Session, clip: Clip, kind: str, ratio: str) -> Rendered:
    """The prompt of a clip for one aspect, with the template lines it came from."""
    motion = session.library.motions().get(clip.motion.name, {})
    words = motion.get("words", {})
    said = words.get("image", "") if isinstance(words, Mapping) else ""
    said = said or clip.motion.name.replace("-", " ")
    return session.prompts.render(clip, kind, aspect=ratio, motion_words=str(said), seconds=clip.seconds)


def toolbox(session: Session) -> Toolbox:
    """What planning may ask of this workspace."""
    from clipbuild.media import fonts

    library, root = session.library, session.wish.root

    def prompt(clip: Clip, kind: str, ratio: str) -> str:
        return rendered(session, clip, kind, ratio).text

    def needed(texts: Sequence[str], language: str, clip: Clip) -> tuple[str, ...]:
        own = [os.path.join(root, p) for p in (clip.brand.fonts.heading, clip.brand.fonts.body) if p]
        return tuple(fonts.needed("\n".join(texts), language, own))

    def routed(clip: Clip, kind: str, spec: Any, _where: str) -> Bought | None:
        ratio = aspect(spec.width, spec.height)
        return route(clip, kind, spec, ratio, prompt)

    def retake(stage: str, params: Mapping[str, Any], base: Mapping[str, Any]) -> int:
        shape = {n: [i.action, i.name] if isinstance(i, Output) else i for n, i in base.items()}
        return session.lock.take(digest.of_document({"stage": stage, "params": params, "inputs": shape}))

    return Toolbox(
        source=session.source, shipped=session.shipped, prompt=prompt, motion=library.motion,
        motions=library.motions, style=library.style, fonts=needed, route=routed, stage=registry.stage,
        tools=session.tools, limits=library.readiness(), overlays=library.overlays, retake=retake,
    )  # fmt: skip
