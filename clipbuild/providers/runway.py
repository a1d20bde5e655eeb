"""Runway: image to video with its own models and those it resells, uploads for large pictures, fresh addresses by asking.

Runway takes no id of ours and lists no tasks: a submit whose answer is lost stays unknown. THROTTLED is a queue, not
an error. Knows nothing of the journal.
"""

import base64
import os
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlsplit

from clipbuild.providers import models, photos
from clipbuild.providers.config import Config
from clipbuild.providers.contract import Accepted, JobId, Outcome, PollError, Request, State, Status, SubmitError
from clipbuild.providers.http import LOOPBACK, Answer, Http, Rule, bearer, checked, content, decide
from clipbuild.providers.tabled import Tabled

BASE_URL = "https://api.dev.runwayml.com"
VERSION = "2024-11-06"
CREDIT_USD = Decimal("0.01")
DATA_URI = 5_000_000
"""Longest data URI Runway takes; above it a picture is uploaded first."""
PICTURE = photos.Picture(formats=("PNG", "JPEG", "WEBP"), largest=200_000_000)

_R2 = "docs.dev.runwayml.com/errors/errors"
OUTCOMES = (
    Rule(Outcome.LANE_CLOSED, "not enough credits; text seen by others, not verified", status=400, says="credit"),
    Rule(Outcome.REFUSED, _R2, status=400),
    Rule(Outcome.LANE_CLOSED, _R2, status=401),
    Rule(Outcome.LANE_CLOSED, "RFC 9110 15.5.4", status=403),
    Rule(Outcome.REFUSED, _R2, status=404),
    Rule(Outcome.REFUSED, _R2, status=405),
    Rule(Outcome.LANE_CLOSED, "docs.dev.runwayml.com/usage/tiers: rolling cap of a day", status=429, says="daily"),
    Rule(Outcome.BUSY, _R2, status=429),
)
STATES = {
    "PENDING": State.QUEUED, "THROTTLED": State.QUEUED, "RUNNING": State.RUNNING, "SUCCEEDED": State.DONE,
    "FAILED": State.FAILED, "CANCELLED": State.CANCELLED,
}  # fmt: skip


def make(config: Config) -> "Runway":
    """The adapter. Raises UsageError for a base URL that no key may be sent to."""
    return Runway(config)


class Runway(Tabled):
    """Provider `runway`."""

    name = "runway"
    picture = PICTURE
    can_find = False
    poll_seconds = 5.0
    waiting = frozenset(("THROTTLED",))

    def __init__(self, config: Config) -> None:
        self._config = config
        self._models = config.models or models.shipped(self.name)
        self._http = Http(config, checked(config.base_url or BASE_URL), self._headers)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {bearer(self._config, self.name)}", "X-Runway-Version": VERSION}

    async def submit(self, request: Request, token: str) -> Accepted:
        """Ask once, pictures first. `token` stays with us: Runway has no field for it."""
        found = self.problems(request)
        if found:
            raise SubmitError(Outcome.REFUSED, "can't be made", "; ".join(found))
        body = self.document(request, {name: await self._uri(path) for name, path in request.files.items()})
        answer = await self._http.submit("/v1/image_to_video", json=body)
        job = answer.map().get("id")
        if answer.status == 200 and isinstance(job, str) and job:
            return Accepted(job)
        raise failure(answer)

    def document(self, request: Request, uris: Mapping[str, str]) -> dict[str, Any]:
        """The body of the submit, every default made explicit."""
        model, params = self._models[request.params["model"]], request.params
        frame = models.size(model, request)
        places = {name: "last" if name == "last" else "first" for name in uris}
        body: dict[str, Any] = {
            "model": model.id,
            "promptImage": [{"uri": uri, "position": places[name]} for name, uri in uris.items()],
            "ratio": frame.name if frame else "",
            "duration": models.seconds(model, request),
        }
        if params.get("prompt"):
            body["promptText"] = params["prompt"]
        if model.audio == "optional":
            body["audio"] = bool(params.get("audio"))
        if params.get("seed") is not None:
            body["seed"] = int(params["seed"])
        if params.get("negative"):
            body["negativePrompt"] = params["negative"]
        return body

    async def _uri(self, path: str) -> str:
        """A picture as a data URI, or uploaded. Raises SubmitError(NOT_SENT …): an upload is free."""
        form, _, _ = photos.measured(path)
        data = content(path)
        uri = f"data:image/{form.lower()};base64,{base64.b64encode(data).decode('ascii')}"
        return uri if len(uri) <= DATA_URI else await self._uploaded(f"picture.{form.lower()}", data)

    async def _uploaded(self, name: str, data: bytes) -> str:
        place = await self._http.submit("/v1/uploads", json={"filename": name, "type": "ephemeral"})
        url, uri = str(place.map().get("uploadUrl", "")), str(place.map().get("runwayUri", ""))
        if place.status != 200 or not uri.startswith("runway://"):
            raise _unsent(place)
        if not self._may_receive(url):
            raise SubmitError(Outcome.LANE_CLOSED, "upload", "runway names a place for uploads that is not safe")
        fields = {key: str(value) for key, value in place.map("fields").items()}
        done = await self._http.submit(url, data=fields, files={"file": (name, data)})
        if done.status >= 300:
            raise _unsent(done)
        return uri

    def _may_receive(self, url: str) -> bool:
        """https, or, where Runway itself is on this machine, this machine."""
        parts, own = urlsplit(url), urlsplit(self._http.base_url)
        return parts.scheme == "https" or (own.hostname in LOOPBACK and parts.hostname == own.hostname)

    async def status(self, job: JobId) -> Status:
        """How the task is."""
        return told(await self._task(job))

    async def _task(self, job: JobId) -> Mapping[str, Any]:
        answer = await self._http.read("GET", f"/v1/tasks/{quote(job, safe='')}")
        if answer.status == 404:
            raise PollError("not found", "runway knows no such task")
        if answer.status != 200:
            raise PollError(str(answer.status), str(answer.map().get("error", "")))
        return answer.map()

    async def fetch(self, job: JobId, folder: str) -> Mapping[str, str]:
        """Download the clip into `folder`; asking for the task makes a fresh address each time."""
        task = await self._task(job)
        if told(task).state is not State.DONE:
            raise PollError("not done", "runway no longer says that the task is done")
        urls = task.get("output")
        if not isinstance(urls, list) or not urls or not isinstance(urls[0], str):
            raise PollError("no result", "the task is done but names no video")
        target = os.path.join(folder, "video.mp4")
        await self._config.download(urls[0], target, kind="video", headers={})
        return {"video": target}

    async def find(self, token: str) -> JobId | None:
        """Runway can't be asked."""
        return None

    async def cancel(self, job: JobId) -> None:
        """Stop a task; Runway gives nothing back for one that runs, and forgets one that is over. Raises PollError."""
        answer = await self._http.read("DELETE", f"/v1/tasks/{quote(job, safe='')}")
        if answer.status >= 300 and answer.status != 404:
            raise PollError(str(answer.status), str(answer.map().get("error", "")))

    async def close(self) -> None:
        """Let the connections go."""
        await self._http.close()


def failure(answer: Answer) -> SubmitError:
    """What an answer without a task means."""
    if answer.status < 300:
        return SubmitError(Outcome.UNKNOWN, "bad answer", "the reply names no task")
    message = str(answer.map().get("error", ""))
    outcome = decide(OUTCOMES, answer.status, "", message)
    return SubmitError(outcome, f"http {answer.status}", message, answer.retry_after, answer.status)


def _unsent(answer: Answer) -> SubmitError:
    """A failed upload: nothing was asked for yet, so at worst it may be sent again."""
    found = failure(answer)
    unsure = found.outcome is Outcome.UNKNOWN
    return SubmitError(Outcome.NOT_SENT if unsure else found.outcome, found.code, found.detail, found.retry_after, found.status)


def told(task: Mapping[str, Any]) -> Status:
    """A task as a Status; a state that is not known is not final."""
    word, failed = str(task.get("status", "")), str(task.get("failureCode") or "")
    state = STATES.get(word, State.RUNNING)
    if state is State.FAILED and failed.startswith("SAFETY."):
        state = State.REFUSED
    progress = task.get("progress")
    return Status(
        state,
        float(progress) if isinstance(progress, int | Decimal) else None,
        failed or word,
        str(task.get("failure") or ""),
        _charged(task.get("cost")),
    )


def _charged(cost: object) -> Decimal | None:
    """`{"credits": 60}` in USD."""
    amount = cost.get("credits") if isinstance(cost, Mapping) else None
    return Decimal(amount) * CREDIT_USD if isinstance(amount, int | Decimal) else None
