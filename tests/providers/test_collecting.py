"""From an accepted job to stored bytes: dead addresses, lost jobs, refused keys, and results that are fetched once more."""

import asyncio
import os
import pathlib
from dataclasses import replace
from typing import Any

import pytest

from clipbuild import digest
from clipbuild.engine.action import Trace
from clipbuild.errors import ActionError, ClipbuildError, IncompleteError, IntegrityError, UsageError
from clipbuild.events import ActionProgressed
from clipbuild.providers.collecting import Collector, named
from clipbuild.providers.contract import PollError
from clipbuild.providers.records import Step
from tests.fakes.server import Fake
from tests.support.adapters import CASES
from tests.support.counter import POLICY, Counter

KLING = next(case for case in CASES if case.name == "kling")


def counter(fake: Fake, folder: pathlib.Path, **changes: Any) -> Counter:
    """A workspace that buys from Kling."""
    return Counter(KLING, fake, str(folder), **changes)


def failed(made: Counter) -> BaseException:
    """What the one order ended with."""
    result = made.run(made.order())[0]
    assert isinstance(result, BaseException), result
    return result


def step(made: Counter) -> Step:
    """Where the journal says that its job is."""
    job = made.job(made.order().key)
    assert job is not None
    return job.state


@pytest.mark.parametrize("word", ["403", "404", "410"])
def test_an_address_that_is_dead_twice_is_expired(word: str, tmp_path: pathlib.Path) -> None:
    """A fresh address is asked for once; then the result is gone, which is said and never bought again unasked."""
    with KLING.start() as fake:
        fake.script(poll=["done"], download=[word, word, "ok"])
        made = counter(fake, tmp_path)
        assert "no longer has the result" in str(failed(made))
        assert step(made) is Step.EXPIRED
        assert (made.status(made.order()), fake.submits) == ("partial", 1)


def test_an_address_that_is_dead_once_is_asked_for_anew(tmp_path: pathlib.Path) -> None:
    """The second one is good."""
    with KLING.start() as fake:
        fake.script(poll=["done"], download=["403", "ok"])
        made = counter(fake, tmp_path)
        assert made.status(made.order()) == "ok"
        assert fake.submits == 1


def test_what_can_not_be_fetched_stays_done(tmp_path: pathlib.Path) -> None:
    """Cut downloads to the last try: nothing is lost, the next run fetches it, for nothing."""
    with KLING.start() as fake:
        fake.script(poll=["done"], download=["trunc"] * 20)
        made = counter(fake, tmp_path, policy=replace(POLICY, tries=3))
        error = failed(made)
        assert isinstance(error, ActionError)
        assert "nothing is bought again" in str(error)
        assert step(made) is Step.DONE
        for job in fake.jobs.values():
            job.downloads = iter(())
        assert (made.status(made.order()), fake.submits, len(fake.ledger.charges)) == ("ok", 1, 1)


def test_a_job_that_the_provider_forgot_is_lost(tmp_path: pathlib.Path) -> None:
    """404 at every poll: lost, counted at its highest price, and not sent again."""
    with KLING.start() as fake:
        fake.script(poll=["404"] * 20)
        made = counter(fake, tmp_path, policy=replace(POLICY, tries=3))
        assert "lost the job" in str(failed(made))
        job = made.job(made.order().key)
        assert job is not None
        assert job.state is Step.LOST
        assert job.charge == job.most != 0
        assert (made.status(made.order()), fake.submits) == ("partial", 1)


def test_a_job_that_does_not_end_stays_open(tmp_path: pathlib.Path) -> None:
    """After its time the run goes on without it; the next one waits for the same job."""
    with KLING.start() as fake:
        fake.script(poll=["running*999"])
        made = counter(fake, tmp_path, policy=replace(POLICY, job=20.0))
        error = failed(made)
        assert isinstance(error, IncompleteError)
        assert "stays open" in str(error)
        assert step(made) is Step.ACCEPTED
        for job in fake.jobs.values():
            job.polls = iter(())
        assert (made.status(made.order()), fake.submits) == ("ok", 1)


def test_another_key_can_not_collect_it(tmp_path: pathlib.Path) -> None:
    """Polls are refused: which job it is, and that the key that bought it is needed; the job stays open."""
    with KLING.start() as fake:
        fake.script(poll=["401"] * 9)
        made = counter(fake, tmp_path)
        error = failed(made)
        assert isinstance(error, UsageError)
        assert "does not let this key ask for its job" in str(error)
        assert step(made) is Step.ACCEPTED


class Spoiling:
    """An adapter whose results are other bytes, or none."""

    def __init__(self, inner: Any, data: bytes | None) -> None:
        self.inner, self.data = inner, data

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    async def fetch(self, job: str, folder: str) -> dict[str, str]:
        if self.data is None:
            raise PollError("404")
        path = os.path.join(folder, "video.mp4")
        await asyncio.to_thread(pathlib.Path(path).write_bytes, self.data)
        return {"video": path}


def restored(made: Counter, trace: Trace, wrap: Any = lambda provider: provider) -> bool:
    """Ask for a bought result once more."""
    desk = made.desk
    assert desk is not None
    provider = wrap(KLING.adapter(made.fake))
    again = replace(desk, provider=lambda name: provider, stop=asyncio.Event(), hurry=asyncio.Event())
    work = Collector(again).restore("kling", trace.facts["job"], trace.outputs, trace.name)

    async def run() -> bool:
        try:
            return await work
        finally:
            await provider.close()

    return asyncio.run(run())


def test_a_bought_result_is_fetched_once_more(tmp_path: pathlib.Path) -> None:
    """The very same bytes: back. None: said. Other bytes: an integrity error, and they are kept too."""
    with KLING.start() as fake:
        fake.script(poll=["done"])
        made = counter(fake, tmp_path)
        (trace,) = made.run(made.order())
        assert isinstance(trace, Trace)
        blob = trace.outputs["video"]
        os.unlink(tmp_path / "store" / blob[:2] / blob)
        assert restored(made, trace)
        assert (tmp_path / "store" / blob[:2] / blob).exists()
        assert not restored(made, trace, lambda inner: Spoiling(inner, None))
        with pytest.raises(IntegrityError, match="other bytes than were bought"):
            restored(made, trace, lambda inner: Spoiling(inner, b"another clip"))
        other = digest.of_bytes(b"another clip")
        assert (tmp_path / "store" / other[:2] / other).exists()
        assert (fake.submits, len(fake.ledger.charges)) == (1, 1)


def test_how_far_a_job_is_is_told_when_it_changes(tmp_path: pathlib.Path) -> None:
    """Waiting, at work, with the share that the provider tells; nothing is said twice."""
    runway = next(case for case in CASES if case.name == "runway")
    told: list[tuple[float, str]] = []

    def heard(kind: Any, **facts: Any) -> None:
        if kind is ActionProgressed:
            told.append((facts["done"], facts["note"]))

    with runway.start() as fake:
        fake.script(poll=["queued", "queued", "throttled", "running", "running", "done"])
        assert Counter(runway, fake, str(tmp_path), emit=heard).status(Counter(runway, fake, str(tmp_path)).order()) == "ok"
    assert told[0] == (0.0, "runway: waits for a place")
    assert told[-1][1] == "runway: at work"
    assert 0 < told[-1][0] < 1
    assert len(told) == len(set(told)) == 2


def test_how_results_are_called() -> None:
    """The first candidate is the picture; no name leads out of a folder."""
    assert [named(name) for name in ("image_0", "image_1", "video", "../../x")] == ["image", "image_1", "video", "x"]


def test_every_end_is_a_clipbuild_error(tmp_path: pathlib.Path) -> None:
    """Whatever the polls say, the run ends with words for a person."""
    for number, word in enumerate(("failed:INTERNAL", "failed:SAFETY.OUTPUT", "cancelled")):
        with KLING.start() as fake:
            fake.script(poll=[word])
            made = counter(fake, tmp_path / str(number))
            (tmp_path / str(number)).mkdir()
            assert isinstance(failed(made), ClipbuildError)
            assert step(made) in (Step.FAILED, Step.REFUSED, Step.CANCELLED)
