"""What the journal's jobs are worth to a plan: bought results as traces, and keys that may be bought.

Reads what is known; sends and writes nothing.
"""

from clipbuild import digest
from clipbuild.digest import Digest
from clipbuild.engine.action import Trace
from clipbuild.providers.journal import Journal
from clipbuild.providers.records import BOUGHT, FINAL, ZERO, Job, Step, money


def bought(journal: Journal, key: Digest) -> Trace | None:
    """What this key gave, if it is stored; it may not be in the lock yet."""
    job = journal.replay.latest(key)
    return trace(job) if job is not None and job.state in BOUGHT and not job.again else None


def trace(job: Job, name: str = "") -> Trace:
    """A bought job as the trace of its key; a charge that the provider does not tell counts as the price."""
    cost = job.cost if job.cost is not None else job.most or ZERO
    tame = job.job if "://" not in job.job else digest.of_bytes(job.job.encode())[:32]
    facts = {"provider": job.provider, "model": job.model, "job": tame, "at": job.since}
    return Trace(name or job.name, job.key, dict(job.outputs), money(cost), 0.0, {k: v for k, v in facts.items() if v})


def is_free(job: Job) -> bool:
    """The key of this, its latest attempt, may be bought: nothing was sent, or a person said so."""
    if job.state is Step.UNSENT:
        return True
    return job.again and (job.state in FINAL or job.state in BOUGHT)
