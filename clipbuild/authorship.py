"""Who made what of a clip: words, photos and decisions of people, by git and the lock; what models and clipbuild made.

For the copyright file: it says what is known and how, and guesses nothing. A line counts as written by whoever last
changed it. Runs nothing. Knows nothing of how it is shown.
"""

import os
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from clipbuild import __version__, decisions
from clipbuild.catalog.model import Clip
from clipbuild.catalog.seals import files_of
from clipbuild.digest import Digest
from clipbuild.engine.action import Action, Trace
from clipbuild.engine.git import Git, Line
from clipbuild.engine.lock import Approval
from clipbuild.errors import UsageError
from clipbuild.planner import posts
from clipbuild.planning import Planned, Session
from clipbuild.since import by_clip

NOBODY = "0" * 40


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, in which commit and when; commit "" for what is not committed yet or not in git."""

    name: str
    mail: str = ""
    commit: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """A text of the clip: where it is written and by whom."""

    what: str
    text: str
    file: str
    line: int
    by: Person


@dataclass(frozen=True, slots=True)
class File:
    """A file that went in: who brought it, its bytes, and on what terms it is used."""

    file: str
    sha256: str
    by: Person
    licence: str = ""
    source: str = ""
    credit: str = ""


@dataclass(frozen=True, slots=True)
class Generated:
    """A part that a model made: on what order, and what it was bought as."""

    step: str
    prompt: str
    provider: str
    model: str
    key: str
    job: str = ""
    at: str = ""
    cost: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided of a result: approved, rejected, or another take asked for."""

    step: str
    verdict: str
    by: str
    at: str
    reason: str
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Authorship:
    """The record of one clip."""

    clip: str
    words: tuple[Words, ...]
    files: tuple[File, ...]
    generated: tuple[Generated, ...]
    decisions: tuple[Decision, ...]
    composed: tuple[str, ...]
    """The steps that clipbuild did by rule, the same for the same inputs."""
    label: str
    """The IPTC digital source type that the files carry."""

    def people(self) -> list[str]:
        """Everybody who is named, in alphabet."""
        wrote, brought = {word.by.name for word in self.words}, {file.by.name for file in self.files}
        return sorted((wrote | brought | {said.by for said in self.decisions}) - {""})

    def plain(self) -> dict[str, Any]:
        """As JSON data."""
        return {**asdict(self), "people": self.people(), "clipbuild": __version__}


def authorship(session: Session, planned: Planned) -> Iterator[Authorship]:
    """The record of each wished clip. Raises UsageError outside of git."""
    history = History(Git(session.wish.root))
    starts: dict[str, list[int]] = {}
    for entry in session.catalog.entries:
        starts.setdefault(entry.place.file, []).append(entry.place.line)
    for lines in starts.values():
        lines.sort()
    actions, said = by_clip(planned.plan.graph), dict[Digest, list[Approval]]()
    for approval in session.lock.approvals.values():
        said.setdefault(approval.digest, []).append(approval)
    for name, clip in planned.clips.items():
        lines, line = starts[clip.place.file], clip.place.line
        after = bisect_right(lines, line)
        span = range(line, lines[after] if after < len(lines) else 1 << 30)
        steps = actions.get(name, {})
        generated = tuple(_generated(steps, planned))
        parts = ["video" if one.step.endswith("animate") else "image" for one in generated]
        yield Authorship(
            name, tuple(_words(clip, history, span)), tuple(_files(session, clip, history)), generated,
            tuple(_decisions(session, steps, planned, said)),
            tuple(step for step, action in steps.items() if not action.precious), posts.source_type(clip, parts),
        )  # fmt: skip


class History:
    """Git's answers, each asked once."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._lines: dict[str, list[Line]] = {}
        self._texts: dict[str, str] = {}
        self._found: dict[tuple[str, str], int] = {}
        self._first: dict[str, Line] | None = None
        git.top()

    def lines(self, path: str) -> list[Line]:
        """Every line of a file with its author; none for a file that git does not know."""
        if path not in self._lines:
            self._lines[path] = self._git.blame(path)
        return self._lines[path]

    def find(self, path: str, wanted: str, within: range | None) -> int:
        """The first line of a file that has this text, within these lines if told so; 0 for none. Of a file of thousands of
        products most of what is asked for is in the few lines of one."""
        if within is not None:
            rows = self.lines(path)[max(0, within.start - 1) : within.stop - 1]
            return next((number for number, line in enumerate(rows, max(1, within.start)) if wanted in line.text), 0)
        if path not in self._texts:
            self._texts[path] = "\n".join(line.text for line in self.lines(path))
        if (path, wanted) not in self._found:  # what all inherit is asked for by each
            at = self._texts[path].find(wanted)
            self._found[path, wanted] = 0 if at < 0 else self._texts[path].count("\n", 0, at) + 1
        return self._found[path, wanted]

    def brought(self, path: str) -> Person:
        """Who brought a file into the repository."""
        if self._first is None:
            self._first = self._git.brought()
        line = self._first.get(path)
        return _person(line) if line else Person("")


def _person(line: Line) -> Person:
    if line.commit == NOBODY:
        return Person("")
    return Person(line.author, line.mail, line.commit, datetime.fromtimestamp(line.at, UTC).isoformat())


def _words(clip: Clip, history: History, span: range) -> Iterator[Words]:
    """Each text with the line it is written in: in the product's entry, else anywhere in its file or the project's."""
    place = partial(_place, history, clip, span)
    told = [("name", clip.name), ("hook", clip.hook), ("cta", clip.cta), ("offer.price", clip.offer.price),
            ("offer.was", clip.offer.was), ("offer.text", clip.offer.text), ("subject", clip.prompt.subject),
            ("lighting", clip.prompt.lighting), ("background", clip.prompt.background), ("depth", clip.prompt.depth),
            ("post.title", clip.post.title), ("post.description", clip.post.description), ("script", clip.script)]  # fmt: skip
    told += [(f"captions[{number}]", caption.text) for number, caption in enumerate(clip.captions)]
    for what, text in told:
        if text:
            file, line, by = place(text)
            yield Words(what, text, file, line, by)


def _place(history: History, clip: Clip, span: range, text: str) -> tuple[str, int, Person]:
    wanted = " ".join(text.split())[:40]
    for file, within in ((clip.place.file, span), (clip.caption_file, None), (clip.place.file, None), ("clipbuild.yaml", None)):
        if file and (number := history.find(file, wanted, within)):
            return file, number, _person(history.lines(file)[number - 1])
    return clip.place.file, 0, Person("")


def _files(session: Session, clip: Clip, history: History) -> Iterator[File]:
    terms = {asset.file: asset for asset in clip.assets}
    for path in files_of(clip):
        asset = terms.get(path)
        more = (asset.licence, asset.source, asset.credit) if asset else ()
        yield File(path, session.source(path), history.brought(path), *more)


def _generated(steps: Mapping[str, Action], planned: Planned) -> Iterator[Generated]:
    for step, action in steps.items():
        if not action.precious:
            continue
        key = planned.plan.keys.get(action.id)
        trace: Trace | None = planned.plan.find(key) if key else None
        facts = trace.facts if trace else {}
        yield Generated(
            step, str(action.params.get("prompt", "")), str(action.params.get("provider", "")),
            facts.get("model", str(action.params.get("model", ""))), key or "", facts.get("job", ""),
            facts.get("at", ""), trace.cost if trace else "", dict(trace.outputs) if trace else {},
        )  # fmt: skip


def _decisions(
    session: Session, steps: Mapping[str, Action], planned: Planned, said: Mapping[Digest, list[Approval]]
) -> Iterator[Decision]:
    """Approvals and rejections of these steps' bytes, and the takes that were asked for."""
    lock = session.lock
    made: dict[Digest, str] = {}
    for step, action in steps.items():
        for blob in (planned.plan.outputs.get(action.id) or {}).values():
            made.setdefault(blob, step)
        take = lock.takes.get(decisions.base_key(action)) if action.precious else None
        if take is not None:
            yield Decision(step, f"take {take.take}", "", "", take.because)
    for one in _sorted(approval for blob in made for approval in said.get(blob, ())):
        yield Decision(made[one.digest], one.verdict, one.by, one.at, one.reason, one.digest)


def _sorted(found: Iterable[Any]) -> list[Any]:
    return sorted(found, key=lambda said: (said.at, said.key, said.digest))


def text(record: Authorship) -> Iterator[str]:
    """The record for a person."""
    yield f"{record.clip}: {record.label.rpartition('/')[2]}"
    for word in record.words:
        place = f"{word.file}:{word.line}" if word.line else word.file
        yield f"  {word.what:18} {_by(word.by):24} {place}  {word.text[:60]!r}"
    for file in record.files:
        terms = ", ".join(part for part in (file.licence, file.source, file.credit) if part)
        yield f"  {'file':18} {_by(file.by):24} {file.file}" + (f"  ({terms})" if terms else "")
    for part in record.generated:
        yield f"  {'generated':18} {part.provider:24} {part.step}  {part.model} {part.job} {part.at}".rstrip()
    for said in record.decisions:
        yield f"  {said.verdict:18} {said.by:24} {said.step}  {said.reason}".rstrip()
    yield f"  {'by rule':18} {'clipbuild ' + __version__:24} {', '.join(record.composed)}"


def _by(person: Person) -> str:
    return person.name or "not committed"


def needs_git(root: str) -> None:
    """Raises UsageError, with what to do, outside of a git repository."""
    if not os.path.exists(os.path.join(root, ".git")):
        try:
            Git(root).top()
        except UsageError as error:
            raise UsageError("authorship is read from git, and this is no git repository", error.facts, "git init") from error
