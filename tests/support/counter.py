"""A buyer without a build: journal, store and an adapter against its fake, with waits shortened and kills on demand."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from clipbuild import digest, errors
from clipbuild.digest import Digest
from clipbuild.engine import files
from clipbuild.engine.action import Trace
from clipbuild.engine.store import Store
from clipbuild.providers.collecting import Collector
from clipbuild.providers.config import Config
from clipbuild.providers.contract import Provider, Request, SubmitError
from clipbuild.providers.desk import Desk, Order, Policy
from clipbuild.providers.download import Bounds, Downloader, nearby
from clipbuild.providers.jobs import Buyer
from clipbuild.providers.journal import Journal
from clipbuild.providers.records import Job
from clipbuild.providers.scribe import Scribe
from clipbuild.providers.spend import Budget, Spending
from tests.fakes.server import Fake
from tests.support.adapters import DAY, Case, Refusing

PACE = 0.004
"""Seconds that a second of waiting takes here."""
POLICY = Policy(job=3000.0, lookups=(0.0, 2.0))
EXITS = {0: "ok", 1: "partial", 2: "config", 3: "incomplete", 4: "ambiguous", 5: "integrity", 130: "interrupted"}


def config(case: Case, fake: Fake, **changes: Any) -> Config:
    """What the adapter gets: the real downloader, allowed to fetch from the fake; short patience."""
    bounds = Bounds(headers=1.0, idle=1.0, whole=5.0)
    plain = Config(lambda: fake.key, Downloader(nearby(fake.url), bounds), fake.url, today=lambda: DAY, patience=1.5)
    return replace(plain, **{"transport": lambda: Refusing(fake), **changes})


@dataclass
class Counter:
    """One workspace in `root`. Each `buy` is a run of its own: journal opened, orders placed, journal closed."""

    case: Case
    fake: Fake
    root: str
    policy: Policy = POLICY
    budget: Budget = field(default_factory=Budget)
    pace: float = PACE
    wrap: Callable[[Provider], Provider] = lambda provider: provider
    store_wrap: Callable[[Store], Any] = lambda store: store
    emit: Callable[..., None] = lambda *_, **__: None
    settings: Mapping[str, Any] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    desk: Desk | None = None
    disk: files.Disk = files.DISK
    limit: float = 60.0

    def journal(self) -> Journal:
        """The journal, opened."""
        return Journal(os.path.join(self.root, "home", "journal"), os.path.join(self.root, "mirror"), say=self.said.append, disk=self.disk).open()

    def order(self, number: int = 0, **changes: Any) -> Order:
        """An order of its own key for each number."""
        request = self.case.request(self.root, **changes)
        prompt = f"{request.params['prompt']} no. {number}"
        request = Request(request.kind, {**request.params, "prompt": prompt}, request.files)
        key = digest.of_document({"order": number, "changes": {k: str(v) for k, v in changes.items()}})
        return Order(key, f"item-{number}/vertical/animate", self.case.name, request)

    def run(self, *orders: Order, stop_after: float = 0.0) -> list[Trace | BaseException]:
        """Place the orders, wait for all, close."""
        return asyncio.run(asyncio.wait_for(self._run(orders, stop_after), self.limit))

    def run_in_turn(self, *orders: Order) -> list[Trace | BaseException]:
        """Place the orders in one run, each when the one before has ended."""
        return asyncio.run(asyncio.wait_for(self._run(orders, 0.0, in_turn=True), self.limit))

    async def _run(
        self, orders: tuple[Order, ...], stop_after: float, *, in_turn: bool = False
    ) -> list[Trace | BaseException]:
        journal = self.journal()
        adapter = self.wrap(self.case.make(config(self.case, self.fake, **self.settings)))
        temporary = os.path.join(self.root, "tmp")
        os.makedirs(temporary, exist_ok=True)
        store = self.store_wrap(Store(os.path.join(self.root, "store")))
        desk = self.desk = Desk(
            Scribe(journal), store, Spending(self.budget), lambda name: adapter, "here", temporary, self.emit,
            policy=self.policy, clock=lambda: time.monotonic() / self.pace, sleep=lambda s: asyncio.sleep(s * self.pace),
        )  # fmt: skip
        buyer = Buyer(desk, Collector(desk))
        try:
            if in_turn:
                return [(await asyncio.gather(buyer.buy(order), return_exceptions=True))[0] for order in orders]
            tasks = [asyncio.create_task(buyer.buy(order)) for order in orders]
            if stop_after:
                await asyncio.sleep(stop_after)
                desk.stop.set()
            return await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            for task in buyer.collector.tasks.values():
                task.cancel()
            await adapter.close()  # type: ignore[attr-defined]
            journal.close()

    def status(self, *orders: Order) -> str:
        """Run, and say how a build would end."""
        return ended(self.run(*orders))

    def job(self, key: Digest) -> Job | None:
        """The latest job of a key, as the journal says."""
        return self.journal().replay.latest(key)


def ended(results: list[Trace | BaseException]) -> str:
    """How a build with these results ends."""
    statuses = [0 if isinstance(result, Trace) else getattr(result, "exit_status", 99) for result in results]
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, errors.ClipbuildError):
            raise result
    worst = next(status for status in (5, 4, 3, 2, 1, 0) if status in statuses)
    return EXITS[worst]


def killed(work: Callable[[], object]) -> bool:
    """Run in a child process; True when it was killed by SIGKILL."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(70)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, "the child failed before it was killed"
    return False


def die() -> None:
    """SIGKILL to oneself."""
    os.kill(os.getpid(), signal.SIGKILL)


class Killing:
    """An adapter that kills its process at a named point of a job's life."""

    def __init__(self, inner: Provider, point: str) -> None:
        self.inner, self.point = inner, point
        self.name, self.can_find = inner.name, inner.can_find

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def price(self, request: Request) -> Any:
        if self.point == "before_intent":
            die()
        return self.inner.price(request)

    async def submit(self, request: Request, token: str, *on_sign: Any) -> Any:
        if self.point == "after_intent":
            die()
        try:
            accepted = await self.inner.submit(request, token, *on_sign)
        except SubmitError:
            if self.point in ("during_send", "before_reply"):
                die()
            raise
        if self.point == "after_reply":
            die()
        return accepted

    async def status(self, job: str) -> Any:
        if self.point == "during_poll":
            die()
        return await self.inner.status(job)

    async def fetch(self, job: str, folder: str) -> Any:
        if self.point == "during_download":
            with open(os.path.join(folder, "video.mp4.part"), "wb") as file:
                file.write(b"half")
            die()
        found = await self.inner.fetch(job, folder)
        if self.point == "after_download":
            die()
        return found


class KillingStore:
    """A store that kills its process right after a blob is kept."""

    def __init__(self, inner: Store) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        if not name.startswith("add_"):
            return found

        def kept(*args: Any, **kwargs: Any) -> Any:
            found(*args, **kwargs)
            die()

        return kept
