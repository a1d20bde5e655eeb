"""One workspace, opened: its catalog, state, store, lock, library and journal, and which of its clips are wished for.

Plans, judges and runs nothing; what is found out while planning is noted here, for all who plan to see.
"""

import fnmatch
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import Any

from clipbuild import digest, pairs, resources, toolchain
from clipbuild.catalog import catalog as catalogs
from clipbuild.catalog.catalog import Entry
from clipbuild.catalog.load import plain
from clipbuild.catalog.model import Clip
from clipbuild.catalog.seals import Kept
from clipbuild.digest import Digest
from clipbuild.engine.lock import LOCK_FILE, Lock
from clipbuild.engine.sources import Sources
from clipbuild.engine.store import Store
from clipbuild.engine.traces import State
from clipbuild.engine.workspace import Workspace
from clipbuild.errors import ClipbuildError, UsageError
from clipbuild.outputs import Tree
from clipbuild.planner import routing, spoken
from clipbuild.planner.library import Library
from clipbuild.planner.prompts import Prompts
from clipbuild.planner.recipes import Bought
from clipbuild.providers import opening
from clipbuild.providers.journal import Journal
from clipbuild.providers.records import FINAL
from clipbuild.records import Records
from clipbuild.settings import Settings
from clipbuild.wish import Wish


@dataclass(slots=True)
class Cutouts:
    """What one session knows: `asked` are photos (digest → path) still to be looked at, `seen` those that were, `ways` how
    a clip's picture is made where nobody said, and why; `made` how bought ones were, by clip (None: not looked up yet)."""

    asked: dict[Digest, str] = field(default_factory=dict)
    seen: dict[Digest, dict[str, Any]] = field(default_factory=dict)
    ways: dict[str, tuple[str, str]] = field(default_factory=dict)
    made: dict[str, set[str]] | None = None


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
    journal: Journal
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
                unknown("platform", name, self.catalog.project.platforms)
        known = {name for entry in entries for name in (entry.sku, entry.id)} if wish.products else set()
        for pattern in wish.products:
            if pattern not in known and not any(_fits(entry, pattern) for entry in entries):
                unknown("product", pattern, {entry.sku for entry in entries})
        return [found for entry in entries if (found := self.within(entry)) is not None]

    def within(self, entry: Entry) -> Entry | None:
        """As much of this clip as is wished for."""
        wish = self.wish
        if wish.clips is not None and entry.id not in wish.clips:
            return None
        if wish.products and not self._named(entry):
            return None
        if not wish.platforms:
            return entry
        platforms = tuple(platform for platform in entry.platforms if platform in wish.platforms)
        return replace(entry, platforms=platforms) if platforms else None

    def _named(self, entry: Entry) -> bool:
        """By its name or a pattern; names are looked up: there may be thousands."""
        names, patterns = _asked(self.wish.products)
        return entry.sku in names or entry.id in names or any(_fits(entry, pattern) for pattern in patterns)

    def selected(self) -> list[Clip]:
        """The clips that are wished for, resolved. Raises UsageError as `wished`."""
        return [entry.load() for entry in self.wished()]

    def report(self, blob: Digest | None) -> dict[str, Any]:
        """What a stage told, from the store; {} where it is not there or is no JSON object."""
        if blob is None:
            return {}
        try:
            with open(self.store.path(blob), "rb") as file:
                found = json.loads(file.read())
        except (OSError, ValueError, KeyError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def files(self) -> spoken.Files:
        """The door to the files that captions come from."""
        return spoken.Files(self.sources.read, self.sources.exists)


@lru_cache(maxsize=8)
def _asked(products: tuple[str, ...]) -> tuple[frozenset[str], tuple[str, ...]]:
    """All that was asked for, and the patterns of it."""
    return frozenset(products), tuple(one for one in products if any(sign in one for sign in "*?["))


def _fits(entry: Entry, pattern: str) -> bool:
    return fnmatch.fnmatchcase(entry.sku, pattern) or fnmatch.fnmatchcase(entry.id, pattern)


def unknown(what: str, name: str, known: Any, where: str = "in the catalog") -> None:
    """Say that a name of this kind is not known, and the nearest one that is. Raises UsageError."""
    import difflib

    from clipbuild.catalog import words

    named = words.named(what, name)
    near = [named] if named in known else difflib.get_close_matches(name, list(known), n=1)
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
            Lock.load(os.path.join(wish.root, LOCK_FILE)), sources, library,
            Prompts(["templates"], sources), catalog, toolchain.versions(settings.ffmpeg, state), ffmpeg,
            Tree(wish.root, output, emit), Records(state, project.profile),
            opening.opened(wish.root, settings.store, settings.state_home, lambda text: emit("warned", text)),
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
