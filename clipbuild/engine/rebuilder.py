"""What is out of date, and why: one walk over the graph, the same for `plan`, `why`, the price and `build`.

Judges only; runs nothing and writes nothing. Knows nothing of clips, nor of how anything is made.
"""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from clipbuild import digest
from clipbuild.digest import Digest
from clipbuild.engine.action import Action, Graph, Output, Reason, Trace, Verdict
from clipbuild.errors import shown

Find = Callable[[Digest], Trace | None]
Has = Callable[[Digest], bool]
Last = Callable[[str], tuple[Digest, Mapping[str, Any]] | None]
Change = tuple[str, str, str]

ABSENT, NOTHING = "—", '""'
_LONG = 60
_CONTEXT = 3


@dataclass(slots=True)
class Plan:
    """The graph with a verdict for each action; grows only by `settle`, while a build runs.

    `keys` and `outputs` hold what is known so far. `lost` are bought results whose blobs are gone: they count as up to
    date, because nothing is bought again unasked; it is for the caller to fetch them or to stop.
    """

    graph: Graph
    find: Find
    has: Has
    last: Last
    verdicts: dict[Digest, Verdict] = field(default_factory=dict)
    keys: dict[Digest, Digest] = field(default_factory=dict)
    outputs: dict[Digest, Mapping[str, Digest]] = field(default_factory=dict)
    lost: list[tuple[Action, Trace]] = field(default_factory=list)
    missing: set[Digest] = field(default_factory=set)
    """Actions that were made before and whose free blobs are gone."""

    def of(self, verdict: Verdict) -> list[Action]:
        """The actions with this verdict, in run order."""
        return [action for action in self.graph if self.verdicts[action.id] is verdict]

    def resolve(self, output: Output) -> Digest | None:
        """The blob of an output, if it is known."""
        known = self.outputs.get(output.action)
        return None if known is None else known.get(output.name)

    def inputs(self, action: Action) -> dict[str, Digest] | None:
        """The digests of all inputs, or None while one of them is not known."""
        outputs = self.outputs
        found = {}
        for name, source in action.inputs.items():
            if isinstance(source, str):
                found[name] = source
                continue
            made = outputs.get(source.action)
            if made is None:
                return None
            if (blob := made.get(source.name)) is not None:
                found[name] = blob
            elif not source.optional:
                return None
        return found

    def judge(self, action: Action) -> Verdict:
        """Judge one action from what is known now, and remember it."""
        verdict = self.verdicts[action.id] = self._verdict(action)
        return verdict

    def settle(self, action: Action, trace: Trace) -> None:
        """An action ran: its outputs are known from now on."""
        self.outputs[action.id] = trace.outputs
        self.verdicts[action.id] = Verdict.UP_TO_DATE

    def reopen_lost(self) -> None:
        """Let the lost bought results run, so that whoever buys gets them back; what needs them waits."""
        lost = {action.id for action, _ in self.lost}
        for action in self.graph if lost else ():
            if action.id in lost or (self.verdicts[action.id] is not Verdict.UP_TO_DATE and self.inputs(action) is None):
                self.verdicts[action.id] = Verdict.WILL_RUN if action.id in lost else Verdict.MAY_RUN
                self.outputs.pop(action.id, None)

    def reason(self, id: Digest, *, brief: bool = False) -> Reason:  # noqa: A002 - the graph's word for it
        """Why the action runs, or might: `new`, `changed`, `lost` or `waits`; `brief`: not what changed."""
        key = self.keys.get(id)
        if key is None:
            return Reason("waits", steps=() if brief else self._awaited(self.graph.actions[id]))
        if id in self.missing:
            return Reason("lost")
        action = self.graph.actions[id]
        inputs = self.inputs(action)
        for name in self.graph.aliases.get(id, (action.name,)):
            last = self.last(name)
            if last is not None and last[0] != key and inputs is not None:
                return Reason("changed", () if brief else why(last[1], action.document(inputs)))
            if last is not None:
                return Reason("lost")
        return Reason("new")

    def _awaited(self, action: Action) -> tuple[str, ...]:
        """The actions whose results this one needs and that are not there yet, by the last part of their names."""
        needed = (source.action for source in action.inputs.values() if not isinstance(source, str))
        return tuple(dict.fromkeys(_step(self.graph.actions[one]) for one in needed if one not in self.outputs))

    def _verdict(self, action: Action) -> Verdict:
        inputs = self.inputs(action)
        if inputs is None:
            return Verdict.MAY_RUN
        key = self.keys[action.id] = _key(action, inputs)
        trace = self.find(key)
        if trace is None:
            return Verdict.WILL_RUN
        has = self.has
        for blob in trace.outputs.values():
            if not has(blob):
                if not action.precious:
                    self.missing.add(action.id)
                    return Verdict.WILL_RUN
                self.lost.append((action, trace))
                break
        self.outputs[action.id] = trace.outputs
        return Verdict.UP_TO_DATE


def judge(graph: Graph, find: Find, has: Has, last: Last = lambda name: None) -> Plan:
    """Walk the graph once: known and traced with all blobs there is up to date; known and not traced will run;
    what has an unknown input may run. A free result whose blob is lost will run again."""
    return walk(Plan(graph, find, has, last))


def walk(plan: Plan) -> Plan:
    """Judge every action of the plan's graph."""
    verdict, verdicts = plan._verdict, plan.verdicts
    for action in plan.graph:
        verdicts[action.id] = verdict(action)
    return plan


def _step(action: Action) -> str:
    return action.name.rpartition("/")[2]


def _key(action: Action, inputs: Mapping[str, Digest]) -> Digest:
    """The action's key. Where no input is an output, the document is the one that `id` already is the digest of."""
    if all(isinstance(source, str) for source in action.inputs.values()):
        return action.id
    return digest.of_document(action.document(inputs))


def why(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Change, ...]:
    """Where two key documents differ: (path, old value, new value) as text, in path order."""
    return tuple(_compare("", old, new))


def _compare(path: str, old: Any, new: Any) -> list[Change]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        changes = []
        for name in sorted({*old, *new}, key=str):
            inner = f"{path}.{name}" if path else str(name)
            changes += _compare(inner, old.get(name, _Absent), new.get(name, _Absent))
        return changes
    if isinstance(old, list | tuple) and isinstance(new, list | tuple) and len(old) == len(new):
        return [
            change for i, (a, b) in enumerate(zip(old, new, strict=True)) for change in _compare(f"{path}[{i}]", a, b)
        ]
    return [] if old == new and type(old) is type(new) else [(path, _text(old), _text(new))]


class _Absent:
    """Stands for a field that is not there."""


def _text(value: Any) -> str:
    if value is _Absent:
        return ABSENT
    return value if isinstance(value, str) else digest.canonical({"": value}).decode()[4:-1]


def word(reason: Reason) -> str:
    """The reason in words for a person; several lines where a document changed in several places."""
    fixed = {
        "new": "never made before",
        "lost": "its result is no longer in the store",
        "waits": f"waits for {', '.join(reason.steps) or 'what is made before it'}",
        "asked": "asked for",
    }
    if reason.kind != "changed":
        return fixed.get(reason.kind, reason.kind)
    return "\n".join(_word_change(*change) for change in reason.changes) or "the same document under a new key"


def _word_change(path: str, old: str, new: str) -> str:
    if _is_digest(old) and _is_digest(new):
        return f"{path}: other bytes ({old[:8]} -> {new[:8]})"
    if len(old) <= _LONG and len(new) <= _LONG and "\n" not in old + new:
        return f"{path}: {shown(old) or NOTHING} -> {shown(new) or NOTHING}"
    return f"{path}: {_word_text(old, new)}"


def _is_digest(text: str) -> bool:
    try:
        digest.parse(text)
    except ValueError:
        return False
    return True


def _word_text(old: str, new: str) -> str:
    """A diff of two long texts by words: "... a [-marble-] {+oak+} table ..."."""
    before, after = (re.findall(r"\S+|\n", text[:20000]) for text in (old, new))
    out: list[str] = []
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    steps = matcher.get_opcodes()
    for step in steps:
        tag, i, j, k, end = step
        if tag == "equal":
            out += _shortened(before[i:j], first=step is steps[0], last=step is steps[-1])
            continue
        if j > i:
            out.append(f"[-{' '.join(before[i:j])}-]")
        if end > k:
            out.append(f"{{+{' '.join(after[k:end])}+}}")
    return shown(" ".join(word for word in out if word != "\n"), 4000)


def _shortened(words: list[str], *, first: bool, last: bool) -> list[str]:
    head = [] if first else words[:_CONTEXT]
    tail = [] if last else words[len(words) - _CONTEXT :] if len(words) > _CONTEXT else []
    if len(head) + len(tail) >= len(words):
        return words
    return [*head, "…", *tail]
