"""What was spent, from lock and journal together: one row a charge, by product, provider, model and month.

Also what a person may do about a job: adopt, abandon, resubmit. Needs no catalog. Sends nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from clipbuild.engine.lock import Lock
from clipbuild.errors import UsageError, shown
from clipbuild.providers.journal import Journal
from clipbuild.providers.records import BOUGHT, ZERO, Job, Record, Step, amount
from clipbuild.providers.registry import keeps
from clipbuild.providers.wording import to_decide

LEAST_ID = 4


@dataclass(frozen=True, slots=True)
class Charge:
    """One thing that was paid for, or may have been (`sure` False: at most so much)."""

    name: str
    provider: str
    model: str
    month: str
    usd: Decimal
    sure: bool
    state: str

    @property
    def product(self) -> str:
        """The product, as the action's name tells it."""
        return self.name.partition("/")[0].partition(".")[0]


def charges(lock: Lock, journal: Journal) -> Iterator[Charge]:
    """Every charge once: what the journal knows, and what only the lock does."""
    replay = journal.replay
    for job in replay.jobs.values():
        if job.charge != ZERO:
            sure = job.cost is not None
            yield Charge(job.name, job.provider, job.model, job.since[:7], job.charge, sure, told(job))
    for pin in lock.pins.values():
        facts = pin.facts
        known = replay.latest(pin.key) is not None or any(replay.named(facts.get("provider", ""), facts.get("job", "")))
        if not known:
            month = facts.get("at", "")[:7] or "?"
            cost = amount(pin.cost) or ZERO
            yield Charge(pin.name, facts.get("provider", "?"), facts.get("model", "?"), month, cost, True, "pinned")


def grouped(found: Iterable[Charge], by: str) -> dict[str, tuple[int, Decimal, Decimal]]:
    """(count, sure USD, USD that may have been charged besides) by product, provider, model or month."""
    groups: dict[str, tuple[int, Decimal, Decimal]] = {}
    for charge in found:
        name = str(getattr(charge, by))
        count, sure, maybe = groups.get(name, (0, ZERO, ZERO))
        groups[name] = (count + 1, sure + charge.usd, maybe) if charge.sure else (count + 1, sure, maybe + charge.usd)
    return dict(sorted(groups.items()))


def told(job: Job) -> str:
    """A job's state for people."""
    if job.is_ambiguous:
        return "unsure"
    return "open" if job.is_open else "stored" if job.state in BOUGHT else job.state.value


def named(journal: Journal, prefix: str) -> Job:
    """The job whose id begins so. Raises UsageError when there is none, or more than one."""
    found = [job for job in journal.replay.jobs.values() if job.intent.startswith(prefix.lower())]
    if len(prefix) < LEAST_ID or not found:
        raise UsageError(f"there is no job {shown(prefix, 40)!r}", hint="`clipbuild jobs --all` lists them")
    if len(found) > 1:
        raise UsageError(f"more than one job begins with {prefix!r}", [("jobs", ", ".join(j.intent[:12] for j in found))])
    return found[0]


def adopt(journal: Journal, job: Job, provider_job: str) -> Job:
    """The provider did take it, under this id: the next build collects it; also where a wrong id was adopted and nothing
    found under it. Raises UsageError."""
    latest = journal.replay.latest(job.key)
    is_last = latest is None or latest.intent == job.intent
    if not job.is_ambiguous and not (job.state is Step.LOST and is_last):
        raise UsageError(f"{job.name}: its job is {told(job)}; there is nothing to adopt")
    if not keeps(job.provider):
        raise UsageError(f"{job.name}: {job.provider} keeps no results; there is nothing to adopt", hint=to_decide(job))
    twins = [other.name for other in journal.replay.named(job.provider, provider_job) if other.intent != job.intent]
    if twins:
        raise UsageError(f"{shown(provider_job)}: that is the job of {twins[0]}")
    return _note(journal, job, Step.ADOPTED, provider_job)


def abandon(journal: Journal, job: Job) -> Job:
    """Nobody waits for it any more; what it may have cost still counts. Raises UsageError."""
    if not (job.is_ambiguous or job.is_open):
        raise UsageError(f"{job.name}: its job is {told(job)}; there is nothing to abandon")
    return _note(journal, job, Step.ABANDONED)


def resubmit(journal: Journal, job: Job) -> Job:
    """It may be bought anew: the next build sends it again. Raises UsageError."""
    if job.is_open or job.state in BOUGHT:
        raise UsageError(f"{job.name}: its job is {told(job)}", hint="another take of it: `clipbuild retake SKU --because …`")
    return _note(journal, job, Step.AGAIN)


def _note(journal: Journal, job: Job, step: Step, provider_job: str = "") -> Job:
    at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    journal.append(Record(step, at, job.intent, job.key, job.name, job.provider, build=job.build, job=provider_job), permits=True)
    return journal.replay.jobs[job.intent]
