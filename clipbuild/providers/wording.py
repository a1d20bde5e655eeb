"""What is said to a person about a paid job: why it ended, what to decide, why nothing more is sent.

Words only; decides nothing.
"""

from clipbuild.errors import ActionError, ClipbuildError, DecisionError, IncompleteError, UsageError, shown
from clipbuild.providers.contract import SubmitError
from clipbuild.providers.records import ZERO, Job, Step
from clipbuild.providers.registry import keeps, variable
from clipbuild.providers.spend import usd

WORDS = {
    Step.REFUSED: "refused the request", Step.FAILED: "failed", Step.CANCELLED: "cancelled the job",
    Step.EXPIRED: "no longer has the result", Step.LOST: "lost the job", Step.ABANDONED: "is not waited for",
}  # fmt: skip


def ended(job: Job) -> ClipbuildError:
    """What to say of a job that is over without a result."""
    why = ": ".join(filter(None, (job.code, job.detail)))
    facts = [("why", why)] if why and why != "unknown" else []
    facts += [("job", shown(job.job))] if job.job else []
    facts.append(("charged", charged(job)))
    sku = job.name.split("/")[0]
    hint = f"change the prompt or the model, or ask for another try: `clipbuild retake {sku} --because …`"
    if job.state is Step.LOST:
        short = job.intent[:8]
        hint = f"was the id wrong? `clipbuild jobs adopt {short} --job ID`; else `clipbuild jobs resubmit {short}` buys it anew"
    if job.state is Step.ABANDONED:
        hint = f"you abandoned it; `clipbuild jobs resubmit {job.intent[:8]}` buys it anew"
    return ActionError(f"{job.name}: {job.provider} {WORDS.get(job.state, job.state.value)}", facts, hint)


def charged(job: Job) -> str:
    """What it cost, as far as that is known."""
    if job.charge == ZERO:
        return "nothing"
    return usd(job.charge) if job.cost is not None else f"{usd(job.charge)} at most"


def undecided(job: Job) -> DecisionError:
    """What to say of a job of which nobody knows whether the provider took it."""
    facts = [("sent", job.since), ("may have cost", usd(job.most) if job.most is not None else "not known")]
    facts += [("request", shown(job.job))] if job.job else []
    if job.code and job.code != "unknown":
        facts.append(("seen", ": ".join(filter(None, (job.code, job.detail)))))
    return DecisionError(f"{job.name}: {job.provider} may have taken the job, and can't be asked", facts, to_decide(job))


def to_decide(job: Job) -> str:
    """The commands that settle it."""
    short = job.intent[:8]
    if not keeps(job.provider):
        return (
            f"look at {job.provider}'s usage page whether it was charged, then `clipbuild jobs resubmit {short}` to buy it anew "
            f"or `clipbuild jobs abandon {short}`; its answer was the only copy, so there is nothing to adopt"
        )
    return (
        f"look at {job.provider}'s own list of jobs, then `clipbuild jobs adopt {short} --job ID`, "
        f"`clipbuild jobs resubmit {short}` or `clipbuild jobs abandon {short}`"
    )


def not_taken(job: Job, answer: str) -> IncompleteError:
    """A provider that is busy for too long."""
    return IncompleteError(
        f"{job.name}: {job.provider} did not take the job", [("answer", shown(answer))], "`clipbuild build` tries again"
    )


def not_stored(job: Job, place: str, error: OSError) -> IncompleteError:
    """A result that came and is kept aside, because the store can't take it."""
    facts = [("kept", shown(place)), ("why", error.strerror or str(error))]
    hint = "make room on the disk, then `clipbuild build`: nothing is asked for again"
    return IncompleteError(f"{job.name}: bought, and not in the store yet", facts, hint)


def lane_closed(job: Job, error: SubmitError, why: str = "") -> ClipbuildError:
    """Why nothing more is sent to this provider in this run."""
    facts = [("answer", shown(error))]
    if error.status == 401 or error.code == "no key":
        hint = f"set {variable(job.provider)}; `clipbuild doctor` shows which keys are read, and from where"
        answer = [("why", shown(error.detail))] if error.code == "no key" and error.detail else facts
        return UsageError(f"{job.provider}: the key is missing or was refused", answer, hint)
    if 300 <= error.status < 400:
        hint = "mend its base URL in your configuration"
        return ActionError(f"{job.provider}: sends us elsewhere, which is not followed", facts, hint)
    why = why or "takes no more jobs: quota, credits or rights are gone"
    return IncompleteError(f"{job.provider}: {why}", facts, "`clipbuild build` goes on from here")
