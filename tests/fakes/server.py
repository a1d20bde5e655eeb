"""What every fake provider shares: a loopback server, jobs, a ledger of charges, scripted faults, results to download.

    with Kling() as fake:
        fake.script(submit=["reset_after"], poll=["queued", "running", "done"])
        ... fake.url ... fake.ledger.charges ... fake.submits

Scripts are lists of words, `x*3` stands for three times x, and the last word goes on for ever. `submit` words are used
up call by call, `poll` and `download` words job by job. Knows nothing of clipbuild: only the standard library, ffmpeg
and Pillow.
"""

import asyncio
import hashlib
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from . import media
from .wire import Asked, Exchange, Reply, request, send, spoiled_file

Json = dict[str, Any]

@dataclass(frozen=True, slots=True)
class Charge:
    """One entry of the ledger: which job, how much, our id where the provider takes one, and what was asked for."""

    job: str
    usd: Decimal
    token: str
    wanted: str
    at: float


@dataclass(slots=True)
class Ledger:
    """What the provider would put on the bill."""

    charges: list[Charge] = field(default_factory=list)

    @property
    def total(self) -> Decimal:
        """USD in all."""
        return sum((charge.usd for charge in self.charges), Decimal(0))

    def doubles(self) -> list[str]:
        """What was charged more than once: digests of what was asked for, our ids left out."""
        seen: dict[str, int] = {}
        for charge in self.charges:
            seen[charge.wanted] = seen.get(charge.wanted, 0) + 1
        return [wanted for wanted, count in seen.items() if count > 1]


@dataclass(slots=True)
class Job:
    """A job at the provider. `shape` is what its result is made of."""

    id: str
    token: str
    usd: Decimal
    shape: media.Shape
    model: str
    polls: Iterator[str]
    downloads: Iterator[str]
    began: float
    queued: float = 0.0
    settled: str = ""
    asked: int = 0
    urls: dict[str, float] = field(default_factory=dict)
    facts: Json = field(default_factory=dict)


def words(script: Sequence[str]) -> Iterator[str]:
    """A script's words one by one; the last goes on for ever."""
    last = ""
    for entry in script:
        word, star, count = entry.rpartition("*")
        last = word if star else entry
        for _ in range(int(count) if star else 1):
            yield last
    while last:
        yield last


class Fake:
    """Base of the fakes. A provider's part is `route`, `error`, `view` and what a job costs."""

    name = ""
    prefix = ""
    id_start = "900000000000000"

    def __init__(
        self, *, seconds: float = 0.0, slots: int = 0, small: bool = False, key: str = "test-key", port: int = 0,
        url_seconds: float = 3600.0, clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.seconds, self.slots, self.small, self.key, self.port = seconds, slots, small, key, port
        self.url_seconds, self.clock = url_seconds, clock
        self.ledger = Ledger()
        self.log: list[Exchange] = []
        self.jobs: dict[str, Job] = {}
        self.submits = 0
        self.polls = 0
        self.downloads = 0
        self.leaks: list[str] = []
        self.watch: Callable[[str], None] = lambda event: None
        """Told of each request: "asked" when it was read, "answered" when its reply was written."""
        self._ids = itertools.count(1)
        self._scripts: dict[str, Sequence[str]] = {}
        self._submit: Iterator[str] = iter(())
        self._server: asyncio.Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closing = asyncio.Event()
        self._refused: OSError | None = None

    # --- running -------------------------------------------------------------------------------------------------

    def __enter__(self) -> "Fake":
        ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(ready,), name=f"fake {self.name}", daemon=True)
        self._thread.start()
        if not ready.wait(10):
            raise RuntimeError("the fake did not start")
        if self._refused:
            raise self._refused
        return self

    def __exit__(self, *_: object) -> None:
        loop = self._loop
        if loop:
            loop.call_soon_threadsafe(self._closing.set)
        if self._thread:
            self._thread.join(5)

    def _serve(self, ready: threading.Event) -> None:
        asyncio.run(self._run(ready))

    async def _run(self, ready: threading.Event) -> None:
        self._loop, self._closing = asyncio.get_running_loop(), asyncio.Event()
        try:
            self._server = await asyncio.start_server(self._connection, "127.0.0.1", self.port, limit=1 << 20, backlog=512)
        except OSError as error:
            self._refused = OSError(error.errno, f"port {self.port} can't be used")
            ready.set()
            return
        self.port = self._server.sockets[0].getsockname()[1]
        ready.set()
        await self._closing.wait()
        self._server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    @property
    def origin(self) -> str:
        """http://127.0.0.1:PORT."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The base URL to configure."""
        return self.origin + self.prefix

    def script(self, **scripts: Iterable[str]) -> None:
        """What goes wrong from now on: `submit`, `poll`, `download`."""
        self._scripts |= {name: list(entries) for name, entries in scripts.items()}
        if "submit" in scripts:
            self._submit = words(self._scripts["submit"])

    def next_submit(self, peek: bool = False) -> str:
        """The word for the next submit, taken or only looked at: a test's transport acts on `refused`."""
        word = next(self._submit, "ok")
        if peek:
            self._submit = itertools.chain((word,), self._submit)
        return word

    def expire(self) -> None:
        """Every address handed out so far is dead."""
        for job in self.jobs.values():
            job.urls.clear()

    # --- one connection ------------------------------------------------------------------------------------------

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                asked = await request(reader, writer)
                if asked is None:
                    break
                self.watch("asked")
                try:
                    reply = await self._answer(asked)
                except asyncio.CancelledError:
                    raise
                except Exception as error:  # a fake that breaks must say so, not hang
                    reply = Reply(599, {"fake": f"{type(error).__name__}: {error}"}, then="close")
                self.log.append(Exchange(asked, reply))
                goes_on = await send(writer, reply)
                self.watch("answered")
                if not goes_on:
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _answer(self, asked: Asked) -> Reply:
        if asked.path.startswith("/cdn/"):
            return await self._download(asked)
        if not self.path(asked).startswith("/"):
            return Reply(404, {"error": "no such place"})
        return await self.route(asked)

    def path(self, asked: Asked) -> str:
        """The path below the prefix, or "" for one elsewhere."""
        return asked.path[len(self.prefix) :] if asked.path.startswith(self.prefix) else ""

    # --- for providers -------------------------------------------------------------------------------------------

    async def route(self, asked: Asked) -> Reply:
        """The provider's answer."""
        raise NotImplementedError

    def error(self, status: int, word: str = "") -> Reply:
        """The provider's body for a status; `word` may say more (moderation, quota)."""
        raise NotImplementedError

    async def submitted(self, asked: Asked, wrong: str, make: Callable[[], Job], taken: Callable[[Job], Reply]) -> Reply:
        """A submit by the script: `wrong` "" or why the request is no good; `taken` the answer for the job."""
        self.submits += 1
        word = self.next_submit()
        name, _, argument = word.partition(":")
        if word == "reset_before":
            return Reply(0, then="reset")
        if name.isdigit() or name in ("400_moderation", "402_quota", "307"):
            status = int(name.partition("_")[0])
            reply = self.error(status, name.partition("_")[2])
            headers = {**reply.headers, **({"Retry-After": argument} if argument else {})}
            headers |= {"Location": self.origin + "/elsewhere"} if status == 307 else {}
            return Reply(reply.status, reply.body, headers)
        if wrong:
            return self.error(400, wrong)
        job = make()
        return self.spoiled(name, argument, job, taken(job))

    def spoiled(self, name: str, argument: str, job: Job, reply: Reply) -> Reply:
        """The answer to a submit that was taken, as its word says."""
        kind = {"Content-Type": reply.headers.get("Content-Type", "application/json")}
        if name in ("reset_after", "kill_after"):
            return Reply(0, then="reset")
        if name == "timeout_after":
            return Reply(0, then="hang")
        if name in ("500_after", "502_after", "503_after", "504_after"):
            return self.error(int(name[:3]))
        if name == "ok_bad_json":
            return Reply(200, b"{not json", kind)
        if name == "ok_truncated":
            return Reply(200, reply.data()[: len(reply.data()) // 2], reply.headers, "reset", len(reply.data()))
        if name in ("ok_no_id", "ok_id_int", "ok_id", "ok_same_id"):
            wanted = {"ok_no_id": None, "ok_id_int": 7, "ok_id": argument, "ok_same_id": next(iter(self.jobs))}[name]
            text = reply.data().replace(json.dumps(job.id).encode(), json.dumps(wanted).encode())
            return Reply(200, text, kind)
        return replace(reply, wait=float(argument or 0)) if name == "slow_ok" else reply

    def new_job(self, wanted: Json, usd: Decimal, shape: media.Shape, model: str, token: str = "") -> Job:
        """A job, and its line in the ledger."""
        number = next(self._ids)
        job = Job(
            self.job_id(number), token, usd, shape, model, words(self._scripts.get("poll", ())),
            words(self._scripts.get("download", ())), self.clock(),
        )  # fmt: skip
        if self.seconds and self.slots:
            active = sorted(other.began + self.seconds for other in self.jobs.values() if other.began + self.seconds > job.began)
            if len(active) >= self.slots:
                job.queued = active[-self.slots] - job.began
                job.began += job.queued
        self.jobs[job.id] = job
        wanted_digest = hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()
        self.ledger.charges.append(Charge(job.id, usd, token, wanted_digest, self.clock()))
        return job

    def job_id(self, number: int) -> str:
        """How this provider names its jobs."""
        return f"{self.id_start}{number:03d}"

    def busy(self) -> int:
        """Jobs that are running now, where jobs take time."""
        now = self.clock()
        return sum(1 for job in self.jobs.values() if not job.settled and job.began + self.seconds > now)

    def polled(self, job: Job) -> str:
        """The word for this poll: scripted, by the clock, or queued, running, done."""
        self.polls += 1
        job.asked += 1
        word = next(job.polls, "")
        if job.settled and not word:
            return job.settled
        if not word and self.seconds:
            now = self.clock()
            word = "throttled" if now < job.began else "running" if now < job.began + self.seconds else "done"
        word = word or ("queued", "running", "done")[min(job.asked, 3) - 1]
        if word.partition(":")[0] in ("failed", "cancelled"):
            self._refund(job, word)
        return word

    def _refund(self, job: Job, word: str) -> None:
        job.settled = word
        if not word.startswith("failed:SAFETY"):
            self.ledger.charges = [charge for charge in self.ledger.charges if charge.job != job.id]

    def spoiled_poll(self, word: str) -> Reply | None:
        """The answer for a poll that goes wrong on the way, or None."""
        name, _, argument = word.partition(":")
        if name.isdigit():
            reply = self.error(int(name))
            return Reply(reply.status, reply.body, {**reply.headers, **({"Retry-After": argument} if argument else {})})
        return {
            "timeout": Reply(0, then="hang"), "reset": Reply(0, then="reset"),
            "bad_json": Reply(200, b"<html>", {"Content-Type": "application/json"}),
        }.get(name)  # fmt: skip

    def address(self, job: Job) -> str:
        """A fresh address of the job's result; it dies after `url_seconds`, and whenever `expire` is called."""
        secret = hashlib.sha256(f"{job.id}/{len(job.urls)}/{self.clock()}".encode()).hexdigest()[:24]
        job.urls[secret] = self.clock() + self.url_seconds
        return f"{self.origin}/cdn/{job.id}.mp4?sig={secret}"

    # --- downloads -----------------------------------------------------------------------------------------------

    async def _download(self, asked: Asked) -> Reply:
        if "authorization" in asked.headers or "x-goog-api-key" in asked.headers:
            self.leaks.append(asked.path)
            return Reply(400, {"error": "no key belongs here"})
        if "referer" in asked.headers:
            return Reply(403, b"hot link", {"Content-Type": "text/plain"})
        job = self.jobs.get(unquote(asked.path.rpartition("/")[2]).removesuffix(".mp4"))
        if job is None or job.urls.get(asked.query.get("sig", ""), 0) < self.clock():
            return Reply(403, b"<Error><Code>AccessDenied</Code></Error>", {"Content-Type": "application/xml"})
        return await self.result(job, asked)

    async def result(self, job: Job, asked: Asked) -> Reply:
        """The job's clip, whole or as the script spoils it."""
        self.downloads += 1
        word = next(job.downloads, "ok")
        shape = media.spoiled(job.shape, word)
        data = await asyncio.to_thread(media.clip, shape, self.small)
        return spoiled_file(word, data, asked.headers.get("range", ""))
