"""Kling, new standard: submit, look up by our own id, poll twenty at a time, fetch.

`external_task_id` is our token. Whether Kling refuses a repeated one is disputed, so nothing here counts on it: a
submit is sent once, and `find` says what became of it. Knows nothing of the journal.
"""

import base64
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from clipbuild.providers import models, photos
from clipbuild.providers.config import Config
from clipbuild.providers.contract import (
    Accepted,
    JobId,
    Outcome,
    PollError,
    Provider,
    Request,
    State,
    Status,
    SubmitError,
)
from clipbuild.providers.http import Answer, Http, Rule, bearer, checked, content, decide, maps
from clipbuild.providers.tabled import Tabled

if TYPE_CHECKING:
    import asyncio

BASE_URL = "https://api-singapore.klingai.com"
UNIT_USD = Decimal("0.14")
IDS_A_CALL = 20
TASKS_A_PAGE, PAGES = 500, 100
LATELY_MS = 2 * 3600 * 1000
"""Around now, for clocks that differ."""
PICTURE = photos.Picture(formats=("PNG", "JPEG"), largest=50_000_000, side=300, ratio=2.5)
GATHER_SECONDS = 0.03
"""How long a poll waits for others to share its call."""

_K1 = "kling.ai/document-api, error codes"
OUTCOMES = (
    Rule(Outcome.LANE_CLOSED, _K1 + ": credentials", codes=frozenset(("1000", "1001", "1002", "1003", "1004"))),
    Rule(Outcome.LANE_CLOSED, _K1 + ": account, arrears, pack used up, IP", codes=frozenset(("1100", "1101", "1102", "1304"))),
    Rule(Outcome.LANE_CLOSED, _K1 + ": no right to this model", codes=frozenset(("1103",))),
    Rule(Outcome.REFUSED, _K1 + ": bad parameter", codes=frozenset(("1200", "1201"))),
    Rule(Outcome.REFUSED, _K1 + ": no such method or resource", codes=frozenset(("1202", "1203"))),
    Rule(Outcome.REFUSED, _K1 + ": policy, content safety", codes=frozenset(("1300", "1301"))),
    Rule(Outcome.BUSY, _K1 + ": too fast; over the pack's concurrency", codes=frozenset(("1302", "1303"))),
    Rule(Outcome.BUSY, _K1 + ": under maintenance, no task is made", codes=frozenset(("5001",))),
    Rule(Outcome.UNKNOWN, _K1 + ": internal error, timeout", codes=frozenset(("5000", "5002"))),
    Rule(Outcome.BUSY, "RFC 6585 4: too many requests", status=429, codes=frozenset(("",))),
    Rule(Outcome.REFUSED, "RFC 9110 15.5.1", status=400, codes=frozenset(("",))),
    Rule(Outcome.LANE_CLOSED, "RFC 9110 15.5.4", status=403, codes=frozenset(("",))),
    Rule(Outcome.REFUSED, "RFC 9110 15.5.5", status=404, codes=frozenset(("",))),
)
STATES = {"submitted": State.QUEUED, "processing": State.RUNNING, "succeeded": State.DONE, "failed": State.FAILED}
MODERATED = ("risk control", "sensitive", "content security", "content safety", "policy", "moderation", "violat")
"""Words of a failed task's free text that tell a refusal; there is no code (seen live, no full list known)."""


def make(config: Config) -> "Kling":
    """The adapter. Raises UsageError for a base URL that no key may be sent to."""
    return Kling(config)


@dataclass(slots=True)
class _Round:
    """Polls that wait to be asked in one call."""

    jobs: list[JobId] = field(default_factory=list)
    answer: "asyncio.Task[Mapping[JobId, Mapping[str, Any]]] | None" = None


class Kling(Tabled):
    """Provider `kling`."""

    name = "kling"
    picture = PICTURE
    can_find = True
    crowded = frozenset(("1303",))

    def __init__(self, config: Config) -> None:
        self._config = config
        self._models = config.models or models.shipped(self.name)
        self._http = Http(config, checked(config.base_url or BASE_URL), self._headers)
        self._round = _Round()

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {bearer(self._config, self.name)}"}

    async def submit(self, request: Request, token: str) -> Accepted:
        """Ask once, under our own id."""
        path, body = self.document(request, token)
        answer = await self._http.submit(path, json=body)
        job = answer.map("data").get("id")
        if answer.status == 200 and answer.map().get("code") == 0 and isinstance(job, str | int) and job != "":
            return Accepted(str(job))
        return await earlier(self, token, answer)

    def document(self, request: Request, token: str) -> tuple[str, dict[str, Any]]:
        """(path, body) of the submit, every default made explicit. Raises SubmitError, OSError."""
        model, frame = self._known(request)
        family = "omni-video" if model.id.endswith("omni") else "image-to-video" if request.files else "text-to-video"
        settings: dict[str, Any] = {"resolution": frame.name, "duration": models.seconds(model, request), "multi_shot": False}
        if model.audio == "optional":
            settings["audio"] = "native" if request.params.get("audio") else "off"
        if family != "image-to-video":
            settings["aspect_ratio"] = request.params["aspect"]
        contents: list[dict[str, Any]] = [{"type": "prompt", "text": request.params["prompt"]}]
        for name, path in request.files.items():
            picture = base64.b64encode(content(path)).decode("ascii")
            contents.append({"type": "last_frame" if name == "last" else "first_frame", "url": picture})
        options = {"external_task_id": token, "watermark_info": {"enabled": False}}
        return f"/{family}/{model.id}", {"contents": contents, "settings": settings, "options": options}

    def _known(self, request: Request) -> tuple[models.Model, models.Size]:
        model = models.find(self._models, request)
        frame = models.size(model, request) if model else None
        found = self.problems(request)
        if found or model is None or frame is None:
            raise SubmitError(Outcome.REFUSED, "can't be made", "; ".join(found))
        return model, frame

    async def status(self, job: JobId) -> Status:
        """How the task is; polls that come together share one call."""
        return told(await self._task(job))

    async def _task(self, job: JobId) -> Mapping[str, Any]:
        found = await self._shared(job)
        if job not in found:
            raise PollError("not found", "kling does not list this task")
        return found[job]

    async def _shared(self, job: JobId) -> Mapping[JobId, Mapping[str, Any]]:
        import asyncio

        loop, waiting = asyncio.get_running_loop(), self._round
        if waiting.answer is None or waiting.answer.get_loop() is not loop or len(waiting.jobs) >= IDS_A_CALL:
            waiting = self._round = _Round()
            waiting.answer = loop.create_task(self._gathered(waiting))
            waiting.answer.add_done_callback(lambda task: task.cancelled() or task.exception())
        waiting.jobs.append(job)
        assert waiting.answer is not None
        return await asyncio.shield(waiting.answer)

    async def _gathered(self, waiting: _Round) -> Mapping[JobId, Mapping[str, Any]]:
        import asyncio

        await asyncio.sleep(GATHER_SECONDS)
        if self._round is waiting:
            self._round = _Round()
        return await self._query("task_ids", waiting.jobs)

    async def _query(self, by: str, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """Tasks by id (`task_ids`) or by our own (`external_task_ids`); what Kling does not know is left out."""
        answer = await self._http.read("GET", "/tasks", params={by: ",".join(dict.fromkeys(ids))})
        tasks = answer.map().get("data")
        if answer.status != 200 or answer.map().get("code") != 0 or not isinstance(tasks, list):
            code = answer.status if answer.status in (401, 403) else answer.map().get("code", answer.status)
            raise PollError(str(code), str(answer.map().get("message", "")))
        name = "id" if by == "task_ids" else "external_id"
        return {str(task[name]): task for task in maps(tasks) if task.get(name)}

    async def fetch(self, job: JobId, folder: str) -> Mapping[str, str]:
        """Download the clip into `folder`; the address is asked for anew each time."""
        task = await self._task(job)
        if told(task).state is not State.DONE:
            raise PollError("not done", "kling no longer says that the task is done")
        videos = [found["url"] for found in maps(task.get("outputs")) if found.get("type") == "video" and found.get("url")]
        if not videos:
            raise PollError("no result", "the task is done but names no video")
        target = os.path.join(folder, "video.mp4")
        await self._config.download(str(videos[0]), target, kind="video", headers={})
        return {"video": target}

    async def find(self, token: str) -> JobId | None:
        """The task made under our id, or None: Kling knows none. Asked by that id, and where it names none in the list of
        what was made lately: that the lookup never lags is said nowhere, and a wrong "none" would be paid twice."""
        task = (await self._query("external_task_ids", [token])).get(token) or await self._listed(token)
        return str(task["id"]) if task else None

    async def _listed(self, token: str) -> Mapping[str, Any] | None:
        now = int(self._config.now() * 1000)
        span: dict[str, Any] = {"start_time": now - LATELY_MS, "end_time": now + LATELY_MS, "limit": TASKS_A_PAGE}
        for _ in range(PAGES):
            answer = await self._http.read("POST", "/tasks", json=span)
            page = answer.map("data")
            if answer.status != 200 or answer.map().get("code") != 0 or not isinstance(page.get("result"), list):
                raise PollError(str(answer.map().get("code", answer.status)), str(answer.map().get("message", "")))
            if found := [task for task in maps(page["result"]) if task.get("external_id") == token and task.get("id")]:
                return found[0]
            cursor = str(page.get("next_cursor") or "")
            if not page.get("has_more") or cursor in ("", span.get("cursor")):
                return None
            span["cursor"] = cursor
        raise PollError("long list", f"kling lists more than {PAGES * TASKS_A_PAGE:,} tasks of the last hours")

    async def close(self) -> None:
        """Let the connections go."""
        await self._http.close()


def failure(answer: Answer) -> SubmitError:
    """What an answer without a task means."""
    code, message = answer.map().get("code"), str(answer.map().get("message", ""))
    word = str(code) if isinstance(code, int) and code else ""
    if answer.status < 300 and not word:
        return SubmitError(Outcome.UNKNOWN, "bad answer", "the reply names no task")
    outcome = decide(OUTCOMES, answer.status, word, message)
    return SubmitError(outcome, word or f"http {answer.status}", message, answer.retry_after, answer.status)


async def earlier(maker: Provider, token: str, answer: Answer) -> Accepted:
    """The job that was made for this id before, where the answer says that there is one. Raises SubmitError for all other
    answers; UNKNOWN when there is one and it can't be named."""
    message = str(answer.map().get("message", ""))
    if not (answer.map().get("code") == 1201 and "external" in message.lower() and "exist" in message.lower()):
        raise failure(answer)
    try:
        job = await maker.find(token)
    except PollError as error:
        raise SubmitError(Outcome.UNKNOWN, "1201", "made earlier, and could not be looked up") from error
    if job is None:
        raise SubmitError(Outcome.UNKNOWN, "1201", message)
    return Accepted(job)


def told(task: Mapping[str, Any]) -> Status:
    """A task as a Status; a state that is not known is not final."""
    word, message = str(task.get("status", "")), str(task.get("message") or "")
    state = STATES.get(word, State.RUNNING)
    if state is State.FAILED and any(word in message.lower() for word in MODERATED):
        state = State.REFUSED
    cost = charged(task.get("billing")) if state in (State.DONE, State.FAILED, State.REFUSED) else None
    return Status(state, code=word, detail=message, cost=cost)


def charged(billing: object) -> Decimal | None:
    """What a task's billing says in USD: cash, or units of a pack at the list price."""
    if not isinstance(billing, list) or not billing:
        return None
    total = Decimal(0)
    for line in billing:
        try:
            amount = Decimal(str(line["amount"]))
            unit = str(line.get("charge_type")) == "unit"
            listed = line.get("list_price")
            total += Decimal(str(listed)) if unit and listed else amount * UNIT_USD if unit else amount
        except (KeyError, TypeError, InvalidOperation, AttributeError):
            return None
        if not unit and str(line.get("currency") or "USD").upper() != "USD":
            return None
    return total
