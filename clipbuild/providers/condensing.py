"""A long journal made short: settled jobs as a line or two, everything else as it was.

What the lines add up to stays the same, the order of attempts included. Knows nothing of files.
"""

from collections.abc import Iterator, Sequence

from clipbuild.providers.records import FINAL, Job, Record, Replay, Step, money


def condensed(replay: Replay, records: list[Record]) -> list[Record]:
    """The records that say the same: of jobs that are pinned or over only what they came to."""
    settled = {name for name, job in replay.jobs.items() if job.state is Step.PINNED or job.state in FINAL}
    lasting = [r for r in records if r.state in (Step.BEGAN, Step.ENDED) or r.intent not in settled]
    builds = {r.name: r for r in lasting if r.state in (Step.BEGAN, Step.ENDED)}
    kept = [r for r in lasting if r.state not in (Step.BEGAN, Step.ENDED) or builds[r.name] is r]
    by_intent: dict[str, list[Record]] = {}
    for record in kept:
        by_intent.setdefault(record.intent, []).append(record)
    done: list[Record] = []
    for name, job in replay.jobs.items():
        done += _lines(job) if name in settled else by_intent.get(name, [])
    return [*[r for r in kept if not r.intent], *done]


def _lines(job: Job) -> Iterator[Record]:
    told = Record(
        job.state, job.since, job.intent, job.key, job.name, job.provider, most=money(job.most), build=job.build,
        job=job.job, cost=money(job.cost), code=job.code, detail=job.detail, model=job.model, outputs=dict(job.outputs),
    )  # fmt: skip
    yield told
    if job.again:
        yield Record(Step.AGAIN, job.since, job.intent, job.key, job.name, job.provider, build=job.build)


def matters(replay: Replay, record: Record, months: Sequence[str]) -> bool:
    """Whether the mirror needs the record: its job is open or unsure, or of these months, whose spending counts."""
    job = replay.jobs.get(record.intent)
    return job is not None and (job.is_open or job.is_ambiguous or job.since[:7] in months)
