"""What a provider of pictures and motion is: the only thing an adapter sees of clipbuild.

An adapter translates between a `Request` and one service's protocol. It never retries a submit, never decides about
money, never writes outside the folder it is given. The journal and the cap are somebody else's.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Any, Protocol

JobId = str


@dataclass(frozen=True, slots=True)
class Price:
    """What a request may cost in USD, at least and at most."""

    least: Decimal
    most: Decimal


@dataclass(frozen=True, slots=True)
class Request:
    """What is wanted: `kind` is image or video; `params` are plain data after all defaults are made explicit
    (model, prompt, size or aspect, seconds, …); `files` are local paths of the input pictures."""

    kind: str
    params: Mapping[str, Any]
    files: Mapping[str, str] = field(default_factory=dict)


class State(Enum):
    """Where a job is. DONE can be fetched; the last five are final."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Status:
    """A job as the provider tells it. `progress` 0–1 or None; `cost` is the real charge where it is known."""

    state: State
    progress: float | None = None
    code: str = ""
    detail: str = ""
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """A submit that was taken. `files` (name → bytes) only where the answer itself carries the result."""

    job: JobId
    files: Mapping[str, bytes] | None = None
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign of life while a submit waits for its answer: the provider's name for the request once it is known, how far
    it is (0–1), and `note`, in a few words."""

    job: JobId = ""
    done: float = 0.0
    note: str = ""


OnSign = Callable[[Sign], Awaitable[None]]


class Outcome(Enum):
    """What a failed submit means for money. Only NOT_SENT and BUSY may be sent again."""

    NOT_SENT = "not sent"
    BUSY = "busy"
    REFUSED = "refused"
    LANE_CLOSED = "lane closed"
    UNKNOWN = "unknown"


class SubmitError(Exception):
    """A submit that gave no job: `outcome` says what that means, `retry_after` seconds where the provider said, `status`
    the HTTP status where there was one."""

    def __init__(
        self, outcome: Outcome, code: str, detail: str = "", retry_after: float | None = None, status: int = 0
    ) -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.outcome, self.code, self.detail, self.retry_after, self.status = outcome, code, detail, retry_after, status


class PollError(Exception):
    """A read that failed for now; the job is as it was."""

    def __init__(self, code: str, detail: str = "", retry_after: float | None = None) -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code, self.detail, self.retry_after = code, detail, retry_after


class Provider(Protocol):
    """One service. Everything async is safe to cancel between calls, and safe to repeat but `submit`."""

    name: str

    def problems(self, request: Request) -> Sequence[str]:
        """What of this request the model cannot do, in sentences; empty when it can. No network."""
        ...

    def price(self, request: Request) -> Price | None:
        """What it may cost; None when no price is known. No network."""
        ...

    async def submit(self, request: Request, token: str) -> Accepted:
        """Ask once. `token` is our own id of this attempt. Raises SubmitError."""
        ...

    async def status(self, job: JobId) -> Status:
        """How the job is. Raises PollError."""
        ...

    async def fetch(self, job: JobId, folder: str) -> Mapping[str, str]:
        """Download the results of a DONE job into `folder`: name → path. Raises PollError."""
        ...

    async def find(self, token: str) -> JobId | None:
        """The job that was made for `token`, where the service can be asked; else None. Raises PollError."""
        ...

    can_find: bool
    """Whether `find` can prove that no job exists.

    Optional: `crowded`, codes of BUSY that mean "one of yours has to end first"; `waiting`, codes of a job that only
    waits for a place; `poll_seconds`, how long to wait at least between two polls of a job; `gives_signs` True: `submit`
    takes an `OnSign` as its third argument and tells it of signs of life.
    """
