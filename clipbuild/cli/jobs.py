"""`clipbuild jobs`: what is open or unsure at the providers, and what a person may do about it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from clipbuild.cli.common import json_option, settings, show_json, workspace
from clipbuild.plural import counted

if TYPE_CHECKING:
    from clipbuild.providers.journal import Journal
    from clipbuild.providers.records import Job


@click.group(invoke_without_command=True)
@click.option("--all", "every", is_flag=True, help="Finished jobs too.")
@json_option
@click.pass_context
def jobs(ctx: click.Context, every: bool, as_json: bool) -> int:
    """List open and unsure jobs, with product, provider, id, age and what they cost.

    Needs no catalog and asks no provider. Exit status 4 while a job is unsure: then look at the provider's own list of
    jobs, and adopt, resubmit or abandon it. OpenAI has no such list and keeps nothing: there its page of usage tells
    whether you paid, and only resubmit and abandon are left.
    """
    if ctx.invoked_subcommand is not None:
        return 0
    with _journal(ctx.obj) as journal:
        found = [job for job in journal.replay.jobs.values() if every or job.is_open or job.is_ambiguous]
        unsure = any(job.is_ambiguous for job in found)
        if as_json:
            show_json({"jobs": [_plain(job) for job in found]})
        else:
            _table(found)
    return 4 if unsure else 0


@jobs.command()
@click.argument("job_id", metavar="ID")
@click.option("--job", "provider_job", required=True, metavar="JOB", help="The provider's own id of the job.")
@click.pass_obj
def adopt(folder: str, job_id: str, provider_job: str) -> int:
    """The provider did take job ID: the next build collects it, without buying. Not for OpenAI, which keeps nothing."""
    from clipbuild import ledger

    with _journal(folder) as journal:
        job = ledger.adopt(journal, ledger.named(journal, job_id), provider_job)
        click.echo(f"{job.name}: adopted as {job.provider} {job.job}; `clipbuild build` collects it")
    return 0


@jobs.command()
@click.argument("job_id", metavar="ID")
@click.pass_obj
def abandon(folder: str, job_id: str) -> int:
    """Wait no longer for job ID. What it may have cost still counts."""
    from clipbuild import ledger

    with _journal(folder) as journal:
        job = ledger.abandon(journal, ledger.named(journal, job_id))
        click.echo(f"{job.name}: abandoned; `clipbuild jobs resubmit {job.intent[:8]}` would buy it anew")
    return 0


@jobs.command()
@click.argument("job_id", metavar="ID")
@click.pass_obj
def resubmit(folder: str, job_id: str) -> int:
    """Let the next build buy job ID anew: at worst that is a second charge."""
    from clipbuild import ledger
    from clipbuild.providers.wording import charged

    with _journal(folder) as journal:
        job = ledger.resubmit(journal, ledger.named(journal, job_id))
        click.echo(f"{job.name}: the next build buys it anew (so far charged: {charged(job)})")
    return 0


@jobs.command()
@click.argument("job_ids", nargs=-1, metavar="[ID]...")
@click.pass_obj
def collect(folder: str, job_ids: tuple[str, ...]) -> int:
    """Wait for open jobs and store their results now, without a build and without a catalog."""
    from clipbuild import buying, ledger

    root, chosen = workspace(folder), settings()
    with _journal(folder) as journal:
        wanted = [ledger.named(journal, name) for name in job_ids]
        done = buying.collect_open(root, chosen, journal, [job.intent for job in wanted])
        unsure = sum(job.is_ambiguous for job in journal.replay.jobs.values())
    for name, error in done.items():
        click.echo(f"{name}: {'stored' if error is None else error}", err=error is not None)
    if not done:
        click.echo("no open jobs to collect" + (f"; {counted(unsure, 'job')} unsure: see `clipbuild jobs`" if unsure else ""))
    return max((error.exit_status for error in done.values() if error is not None), default=0)


@contextmanager
def _journal(folder: str) -> "Iterator[Journal]":
    from clipbuild.providers.opening import opened

    chosen = settings()
    journal = opened(workspace(folder), chosen.store, chosen.state_home, lambda text: click.echo(f"warning: {text}", err=True))
    try:
        yield journal
    finally:
        journal.close()


def _plain(job: "Job") -> dict[str, Any]:
    from clipbuild.ledger import told

    return {
        "id": job.intent, "name": job.name, "provider": job.provider, "model": job.model, "job": job.job,
        "state": told(job), "since": job.since, "cost": None if job.cost is None else str(job.cost),
        "most": None if job.most is None else str(job.most), "code": job.code, "detail": job.detail,
    }  # fmt: skip


def _table(found: "list[Job]") -> None:
    from clipbuild.errors import shown
    from clipbuild.ledger import told
    from clipbuild.providers.wording import charged, to_decide

    for job in found:
        line = f"{job.intent[:8]}  {told(job):9} {_age(job.since):>8}  {charged(job):>16}  {job.provider:12} {job.name}"
        click.echo(line + (f"  {shown(job.job, 60)}" if job.job else "") + (f"  ({job.code})" if job.code else ""))
    if not found:
        click.echo("no open jobs")
    hints: dict[str, str] = {}
    for job in found:
        if job.is_ambiguous:
            hints.setdefault(job.provider, to_decide(job))
    for hint in hints.values():
        click.echo(f"unsure: {hint}")


def _age(since: str) -> str:
    try:
        seconds = (datetime.now(UTC) - datetime.fromisoformat(since)).total_seconds()
    except ValueError:
        return "?"
    for size, word in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {word}"
    return f"{max(0, seconds):.0f} s"
