"""What the journal says: one record an arrow of a paid job's life, and the jobs that the records add up to.

    planned -> intent -> sent -> accepted(id) -> done -> fetched(digests) -> pinned
                 ^        |   named: no more than the provider's name for a request that is not answered yet
                 |        |  otherwise final: refused, failed, cancelled, expired, lost, abandoned
                 unsent <-+-> held: nobody knows whether the provider took it

Only intent -> sent may cause a charge. `unsent` is the proof that it did not: the same intent may be sent once more.
`again` is a person's leave to buy the same key anew. Every record repeats what names its job, so a job outlives the
loss of any of its lines, and replaying any prefix is legal. Knows nothing of files, providers or caps.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from clipbuild import digest
from clipbuild.digest import Digest

MAX_LINE = 64 << 10
ZERO = Decimal(0)
_SUM = re.compile(rb',"sum":"([0-9a-f]{16})"\}\Z')
_MONEY = re.compile(r"\d{1,9}(\.\d{1,9})?\Z", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}T", re.ASCII)


class Step(StrEnum):
    """Where a job is; `began` and `ended` speak of a build, not of a job, and `name` is then the workspace's."""

    INTENT = "intent"
    SENT = "sent"
    NAMED = "named"
    UNSENT = "unsent"
    HELD = "held"
    ACCEPTED = "accepted"
    ADOPTED = "adopted"
    DONE = "done"
    FETCHED = "fetched"
    PINNED = "pinned"
    REFUSED = "refused"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    LOST = "lost"
    ABANDONED = "abandoned"
    AGAIN = "again"
    BEGAN = "began"
    ENDED = "ended"


WITHOUT_ID = frozenset({Step.INTENT, Step.SENT, Step.NAMED, Step.UNSENT, Step.HELD})
AMBIGUOUS = frozenset({Step.INTENT, Step.SENT, Step.NAMED, Step.HELD})
RUNNING = frozenset({Step.ACCEPTED, Step.DONE})
BOUGHT = frozenset({Step.FETCHED, Step.PINNED})
FINAL = frozenset({Step.REFUSED, Step.FAILED, Step.CANCELLED, Step.EXPIRED, Step.LOST, Step.ABANDONED})
_RANK = {Step.ACCEPTED: 1, Step.DONE: 2, **dict.fromkeys(FINAL, 3), Step.FETCHED: 4, Step.PINNED: 5}
NO_KEY = Digest("")


@dataclass(frozen=True, slots=True)
class Record:
    """One line. `at` is ISO 8601 in UTC, for people and months only; money is decimal text in USD."""

    state: Step
    at: str
    intent: str = ""
    key: Digest = NO_KEY
    name: str = ""
    provider: str = ""
    most: str = ""
    build: str = ""
    job: str = ""
    cost: str = ""
    code: str = ""
    detail: str = ""
    model: str = ""
    run: str = ""
    line: str = ""
    """What tells one line from another that says the same in the same second."""
    outputs: Mapping[str, Digest] = field(default_factory=dict)


_FIELDS = tuple(Record.__dataclass_fields__)


def to_line(record: Record) -> bytes:
    """The record as one line of JSON with its checksum last, newline included."""
    document = {name: value for name in _FIELDS if (value := getattr(record, name))}
    if record.outputs:
        document["outputs"] = dict(record.outputs)
    body = json.dumps(document, ensure_ascii=True, separators=(",", ":")).encode()
    return body[:-1] + b',"sum":"' + digest.of_bytes(body)[:16].encode() + b'"}\n'


def from_line(line: bytes) -> Record:
    """The record of a line without its newline. Raises ValueError for anything that is not exactly one."""
    found = _SUM.search(line)
    if found is None or len(line) > MAX_LINE:
        raise ValueError("no checksum")
    body = line[: found.start()] + b"}"
    if digest.of_bytes(body)[:16].encode() != found[1]:
        raise ValueError("the checksum does not match")
    try:
        document = json.loads(body)
    except RecursionError:
        raise ValueError("nested too deep") from None
    return _checked(document)


def _checked(document: Any) -> Record:
    if not isinstance(document, dict) or not document.keys() <= set(_FIELDS):
        raise ValueError("unknown fields")
    outputs = document.pop("outputs", {})
    if not all(isinstance(value, str) for value in document.values()) or not isinstance(outputs, dict):
        raise ValueError("a field of the wrong kind")
    if "state" not in document or not _DAY.match(document.get("at", "")):
        raise ValueError("no state or time")
    for money in (document.get("most", ""), document.get("cost", "")):
        if money and not _MONEY.match(money):
            raise ValueError("bad amount")
    state = Step(document.pop("state"))
    if state not in (Step.BEGAN, Step.ENDED):
        if not document.get("intent") or not document.get("provider"):
            raise ValueError("no intent or provider")
        digest.parse(document.get("key"))
    blobs = {str(name): digest.parse(value) for name, value in outputs.items()}
    return Record(state, outputs=blobs, **document)


def token(intent: str) -> str:
    """Our own id of an attempt, as providers get it."""
    return f"clipbuild-{intent}"


def money(amount: Decimal | None) -> str:
    """An amount as the journal writes it; "" for none. Raises ValueError for what is no sum of money."""
    if amount is None:
        return ""
    if not amount.is_finite() or amount < 0:
        raise ValueError(f"{amount} is no amount of money")
    text = f"{amount.quantize(Decimal('0.000000001')):f}".rstrip("0").rstrip(".")
    if not _MONEY.match(text):
        raise ValueError(f"{amount} is no amount of money")
    return text


def amount(text: str) -> Decimal | None:
    """The amount of a record's money text; None for "". Raises ValueError."""
    try:
        return Decimal(text) if text else None
    except InvalidOperation:
        raise ValueError(f"{text!r} is no amount of money") from None


@dataclass(frozen=True, slots=True)
class Job:
    """What all records of one intent add up to. `since` is when it was meant, `again`: the key may be bought anew."""

    intent: str
    key: Digest
    name: str
    provider: str
    state: Step
    since: str
    most: Decimal | None = None
    cost: Decimal | None = None
    build: str = ""
    run: str = ""
    job: str = ""
    model: str = ""
    code: str = ""
    detail: str = ""
    outputs: Mapping[str, Digest] = field(default_factory=dict)
    again: bool = False

    @property
    def is_ambiguous(self) -> bool:
        """Nobody knows whether the provider took it."""
        return self.state in AMBIGUOUS

    @property
    def is_open(self) -> bool:
        """The provider has it, and its result is not stored."""
        return self.state in RUNNING

    @property
    def charge(self) -> Decimal:
        """What to count against a cap: what it cost, and while that is unknown what it may cost at most."""
        if self.state is Step.UNSENT:
            return ZERO
        known = self.cost if self.cost is not None else self.most
        return known if known is not None else ZERO


def _begin(record: Record) -> Job:
    state = Step.ABANDONED if record.state is Step.AGAIN else record.state
    start = Job(record.intent, record.key, record.name, record.provider, state, record.at)
    return _filled(start, record)


def _filled(job: Job, record: Record) -> Job:
    return replace(
        job,
        most=amount(record.most) if record.most else job.most,
        cost=amount(record.cost) if record.cost else job.cost,
        build=record.build or job.build,
        run=record.run or job.run,
        job=record.job or job.job,
        model=record.model or job.model,
        outputs=record.outputs or job.outputs,
        again=job.again or record.state is Step.AGAIN,
    )


def _next(job: Job, record: Record) -> Step:
    """The state after the record. Late lines of a second process never turn a job back."""
    new = record.state
    if new is Step.AGAIN:
        return job.state if job.state in FINAL | BOUGHT else Step.ABANDONED
    if new is Step.ADOPTED:
        return job.state if job.state in BOUGHT else Step.ACCEPTED
    if job.state in WITHOUT_ID:
        return new
    if new in WITHOUT_ID:
        return job.state
    return new if _RANK[new] >= _RANK[job.state] else job.state


def folded(job: Job | None, record: Record) -> Job:
    """The job after one more record."""
    if job is None:
        job = _begin(record)
    state = _next(job, record)
    job = _filled(job, record)
    if state is record.state and (record.code or record.detail):
        job = replace(job, code=record.code, detail=record.detail)
    if state is Step.ACCEPTED and not job.job:
        state = Step.HELD
    return replace(job, state=state)


class Replay:
    """All jobs, and running totals, so that a cap is checked without adding up the past."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self._open_builds: dict[str, str] = {}
        self._by_key: dict[Digest, list[str]] = {}
        self._by_id: dict[tuple[str, str], set[str]] = {}
        self._by_build: dict[str, set[str]] = {}
        self._totals: dict[str, Decimal] = {}

    def add(self, record: Record) -> None:
        """Take one more record into account."""
        if record.state in (Step.BEGAN, Step.ENDED):
            self._open_builds[record.name] = record.build if record.state is Step.BEGAN else ""
            return
        old = self.jobs.get(record.intent)
        job = folded(old, record)
        self.jobs[job.intent] = job
        if old is None:
            self._by_key.setdefault(job.key, []).append(job.intent)
        if job.job:
            self._by_id.setdefault((job.provider, job.job), set()).add(job.intent)
        self._by_build.setdefault(job.build, set()).add(job.intent)
        self._count(old, -1)
        self._count(job, 1)

    def _count(self, job: Job | None, sign: int) -> None:
        if job is not None:
            for total in (f"build {job.build}", f"month {job.since[:7]}"):
                self._totals[total] = self._totals.get(total, ZERO) + sign * job.charge

    def open_build(self, workspace: str) -> str:
        """The build of this workspace that began and did not end whole; "" when there is none."""
        return self._open_builds.get(workspace, "")

    def unsettled(self) -> list[Job]:
        """Jobs that are open, unsure, or stored and not yet pinned."""
        return [job for job in self.jobs.values() if job.is_open or job.is_ambiguous or job.state is Step.FETCHED]

    def latest(self, key: Digest) -> Job | None:
        """The newest attempt at this key."""
        intents = self._by_key.get(key)
        return self.jobs[intents[-1]] if intents else None

    def attempts(self, key: Digest) -> int:
        """How many intents there ever were for this key."""
        return len(self._by_key.get(key, ()))

    def named(self, provider: str, job: str) -> Iterator[Job]:
        """The intents that say they are this job of this provider; more than one is an integrity error."""
        for intent in sorted(self._by_id.get((provider, job), ())):
            yield self.jobs[intent]

    def spent_in_build(self, build: str) -> Decimal:
        """What the jobs of this build cost, or may cost."""
        return self._totals.get(f"build {build}", ZERO)

    def shared_in_month(self, month: str, other: "Replay") -> Decimal:
        """What of a month's spending the other knows too, because one workspace is a copy of the other: a build's name is
        of one workspace alone, so the same job of the same build is one purchase."""
        builds = (self._by_build.keys() & other._by_build.keys()) - {""}
        intents = {name for build in builds for name in self._by_build[build] & other._by_build[build]}
        jobs = (self.jobs[name] for name in intents)
        return sum((job.charge for job in jobs if job.since[:7] == month and job.since == other.jobs[job.intent].since), ZERO)

    def spent_in_month(self, month: str) -> Decimal:
        """What the jobs meant in `month` ("2025-01") cost, or may cost."""
        return self._totals.get(f"month {month}", ZERO)
