"""Actions and the graph they make: one step each, with everything that shapes its result.

An action's identity (`id`) and its key are made of content only: stage, version, params, inputs, toolchain.
Its `name` is for people; two clips that want the same thing share one action. Knows nothing of clips.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from clipbuild import digest
from clipbuild.digest import Digest

Params = Mapping[str, Any]
_FEW = 16


@dataclass(frozen=True, slots=True)
class Output:
    """A file that an action makes; it may not exist yet. An `optional` one may be left out by the stage: the input
    is then left out too."""

    action: Digest
    name: str
    optional: bool = False


Input = Output | Digest


class Stage(Protocol):
    """How one thing is made. `outputs` are all file names a run may leave; the first is the main one.

    `version` is raised when the same document would give other bytes. `tools` names the entries of the toolchain
    (for example "ffmpeg") that shape the result. `precious` results cost money. An `inline` stage is so cheap that
    it runs in the builder's own process.
    """

    name: str
    version: int
    outputs: tuple[str, ...]
    tools: tuple[str, ...]
    inline: bool


@dataclass(frozen=True, slots=True)
class Action:
    """One step. `names` lists every wish it serves, the first is the one shown."""

    id: Digest
    name: str
    stage: str
    version: int
    params: Params
    inputs: Mapping[str, Input]
    pool: str = "cpu"
    precious: bool = False
    tools: Mapping[str, str] = field(default_factory=dict)

    def out(self, name: str, *, optional: bool = False) -> Output:
        """The output `name` of this action."""
        return Output(self.id, name, optional)

    def document(self, inputs: Mapping[str, Digest]) -> dict[str, Any]:
        """Everything that shapes the result, with the inputs' digests filled in. The key is its digest."""
        return _document(self.stage, self.version, self.params, inputs, self.tools)


def _document(
    stage: str, version: int, params: Params, inputs: Mapping[str, Any], tools: Mapping[str, str]
) -> dict[str, Any]:
    plain = params if type(params) is dict else dict(params)
    document = {"stage": stage, "version": version, "params": plain, "inputs": inputs}
    return {**document, "tools": tools} if tools else document


class Graph:
    """Actions in run order: an action's inputs are always added before it. Equal actions are one."""

    __slots__ = ("_known", "actions", "aliases")

    def __init__(self) -> None:
        self.actions: dict[Digest, Action] = {}
        self.aliases: dict[Digest, list[str]] = {}
        self._known: dict[Digest, set[str]] = {}

    def add(
        self,
        name: str,
        stage: str,
        version: int,
        params: Params,
        inputs: Mapping[str, Input],
        *,
        pool: str = "cpu",
        precious: bool = False,
        tools: Mapping[str, str] | None = None,
    ) -> Action:
        """Add an action, or return the equal one that is there. Raises KeyError for an input of another graph."""
        shape = {n: [i.action, i.name] if isinstance(i, Output) else i for n, i in inputs.items()}
        tools = tools or {}
        identity = digest.of_document(_document(stage, version, params, shape, tools))
        if identity not in self.actions:
            for source in inputs.values():
                if isinstance(source, Output):
                    self.actions[source.action]
            self.actions[identity] = Action(
                identity, name, stage, version, params, dict(inputs), pool, precious, tools
            )
        self._call(identity, name)
        return self.actions[identity]

    def put(self, action: Action) -> None:
        """Add an action of an earlier graph, or only its name to the equal one that is there; inputs first, as for `add`."""
        self.actions.setdefault(action.id, action)
        self._call(action.id, action.name)

    def _call(self, identity: Digest, name: str) -> None:
        """Note a name of an action. What says nothing of its product is one action of thousands of clips: many names are
        also kept as a set."""
        names = self.aliases.setdefault(identity, [])
        known = names if len(names) < _FEW else self._known.get(identity)
        if known is None:
            known = self._known[identity] = set(names)
        if name not in known:
            names.append(name)
            if known is not names:
                self._known[identity].add(name)

    def __iter__(self) -> Iterator[Action]:
        return iter(self.actions.values())

    def __len__(self) -> int:
        return len(self.actions)


class Verdict(Enum):
    """What is known of an action before anything runs."""

    UP_TO_DATE = "up to date"
    WILL_RUN = "will run"
    MAY_RUN = "may run"


@dataclass(frozen=True, slots=True)
class Trace:
    """Which key gave which outputs, at what cost (decimal text in USD) and time (seconds).

    `facts` of a bought result: provider, model, job, at (ISO 8601). Empty for free results.
    """

    name: str
    key: Digest
    outputs: Mapping[str, Digest]
    cost: str = "0"
    seconds: float = 0.0
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an action runs, as data: `kind` is new, changed, lost, waits or asked; worded in one place."""

    kind: str
    changes: tuple[tuple[str, str, str], ...] = ()
    """For `changed`: (path in the document, old, new), values as short text."""
    steps: tuple[str, ...] = ()
    """For `waits`: whose results are not there yet."""
