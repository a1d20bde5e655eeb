"""What happens in a build, as data: one frozen class per fact, and the bus they travel on.

Console, event file, trace profile and reports all listen to the same events; none of them is known here.
`at` is seconds since the build began, from a monotonic clock.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from clipbuild.redact import redact


@dataclass(frozen=True, slots=True)
class Event:
    """Base: when it happened."""

    at: float


@dataclass(frozen=True, slots=True)
class BuildStarted(Event):
    """The plan is made: how many actions will run, may run and are up to date."""

    will_run: int
    may_run: int
    up_to_date: int


@dataclass(frozen=True, slots=True)
class ActionStarted(Event):
    """An action began to run."""

    name: str
    stage: str
    pool: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ActionProgressed(Event):
    """A running action got further: `done` of 1.0, `note` in a few words."""

    name: str
    done: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class ActionFinished(Event):
    """An action ended well."""

    name: str
    stage: str
    seconds: float
    cost: str = "0"


@dataclass(frozen=True, slots=True)
class ActionSkipped(Event):
    """Early cutoff: an action that might have run turned out to be up to date."""

    name: str
    stage: str


@dataclass(frozen=True, slots=True)
class ActionFailed(Event):
    """An action failed; `error` is shown text, `status` the exit status it means: 4 where a person must decide, 0
    where an input of it was lost, and is got back before it runs again."""

    name: str
    stage: str
    error: str
    status: int = 1


@dataclass(frozen=True, slots=True)
class JobSubmitted(Event):
    """A provider took a paid job."""

    name: str
    provider: str
    job: str
    cost: str


@dataclass(frozen=True, slots=True)
class JobNoted(Event):
    """A paid job got further, and the journal says so durably: `step` is the arrow that was written."""

    name: str
    provider: str
    step: str


@dataclass(frozen=True, slots=True)
class JobSettled(Event):
    """A paid job reached a final state (done, failed, refused, cancelled, expired, lost)."""

    name: str
    provider: str
    job: str
    state: str
    cost: str


@dataclass(frozen=True, slots=True)
class TakeRejected(Event):
    """A bought result was not accepted; another take may follow."""

    name: str
    take: int
    because: str


@dataclass(frozen=True, slots=True)
class DeliverableWritten(Event):
    """A file of the output tree was put in place."""

    path: str


@dataclass(frozen=True, slots=True)
class DeliverableRemoved(Event):
    """A file that left the catalog left the output tree."""

    path: str


@dataclass(frozen=True, slots=True)
class TreeReady(Event):
    """Every deliverable that could be made is in its place; what is left is to note it."""


@dataclass(frozen=True, slots=True)
class Fetched(Event):
    """A shared cache had what this machine lacked: blobs, and results that need not be made."""

    blobs: int
    results: int
    remote: str


@dataclass(frozen=True, slots=True)
class Warned(Event):
    """Something a person should know that stops nothing."""

    text: str


@dataclass(frozen=True, slots=True)
class BuildFinished(Event):
    """The build ended, with its exit status."""

    ran: int
    failed: int
    up_to_date: int
    seconds: float
    cost: str
    status: int


Listener = Callable[[Event], None]


@dataclass(slots=True)
class Bus:
    """Hands each event to every listener, in order. `clock` gives seconds since the start."""

    clock: Callable[[], float]
    listeners: list[Listener] = field(default_factory=list)

    def emit(self, kind: type[Event], **facts: Any) -> None:
        """Make the event now, secrets hidden, and hand it on."""
        clean = {name: redact(fact) if isinstance(fact, str) else fact for name, fact in facts.items()}
        event = kind(at=self.clock(), **clean)
        for listener in self.listeners:
            listener(event)


def plain(event: Event) -> dict[str, Any]:
    """The event as JSON data: its class in snake case under `event`, then its fields."""
    name = "".join("_" + c.lower() if c.isupper() else c for c in type(event).__name__).lstrip("_")
    return {"event": name, **dataclasses.asdict(event)}
