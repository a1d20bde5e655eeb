"""OpenAI's Batch API: the same pictures at half the price, within a day, and a batch can be found by our own id.

One request a batch, so that each job stands for itself. The input file is free; only making the batch may cost. How an
edit carries its photos in JSON is documented and was not tried live. Knows nothing of the journal.
"""

import base64
import binascii
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from clipbuild.providers import models, openai, photos
from clipbuild.providers.config import Config
from clipbuild.providers.contract import Accepted, JobId, Outcome, PollError, Price, Request, State, Status, SubmitError
from clipbuild.providers.http import Answer, Http, bearer, checked, content, decide, maps

NOTE = "clipbuild"
"""The batch's metadata that holds our id."""
LARGEST_PHOTO = 15_000_000
"""As a data URL it has to stay below 20 MiB."""
PAGES = 20
STATES = {
    "validating": State.QUEUED, "in_progress": State.RUNNING, "finalizing": State.RUNNING, "cancelling": State.RUNNING,
    "completed": State.DONE, "failed": State.FAILED, "expired": State.EXPIRED, "cancelled": State.CANCELLED,
}  # fmt: skip


def make(config: Config) -> "Batch":
    """The adapter. Raises UsageError for a base URL that no key may be sent to."""
    return Batch(config)


class Batch:
    """Provider `openai-batch`."""

    name = "openai-batch"
    can_find = True

    def __init__(self, config: Config) -> None:
        self._config, self._plain = config, openai.make(replace(config, partials=0))
        self._models = config.models or models.shipped("openai")
        self._http = Http(config, checked(config.base_url or openai.BASE_URL), self._headers)
        self._results: dict[JobId, Mapping[str, Any]] = {}

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {bearer(self._config, self.name)}"}

    def problems(self, request: Request) -> Sequence[str]:
        """What of this request the model, or a batch, cannot do."""
        if request.kind != "image":
            return [f"{self.name} makes pictures, not {request.kind}"]
        large = [n for n, path in request.files.items() if os.path.isfile(path) and os.path.getsize(path) > LARGEST_PHOTO]
        return [*self._plain.problems(request), *(f"a batch takes photos of at most 15 MB; {name!r} is larger" for name in large)]

    def notes(self, request: Request) -> Sequence[str]:
        """What a person should know of the model."""
        return self._plain.notes(request)

    def price(self, request: Request) -> Price | None:
        """Half of what it costs at once."""
        price = self._plain.price(request) if request.kind == "image" else None
        return Price(price.least / 2, price.most / 2) if price else None

    async def submit(self, request: Request, token: str) -> Accepted:
        """Upload the line, then ask once for the batch."""
        found = self.problems(request)
        if found:
            raise SubmitError(Outcome.REFUSED, "can't be made", "; ".join(found))
        line = self.document(request, token)
        body = {
            "input_file_id": await self._uploaded(line), "endpoint": line["url"], "completion_window": "24h",
            "metadata": {NOTE: token},
        }  # fmt: skip
        answer = await self._http.submit("/batches", json=body)
        job = answer.map().get("id")
        if answer.status == 200 and isinstance(job, str) and job:
            return Accepted(job)
        raise failure(answer)

    def document(self, request: Request, token: str) -> dict[str, Any]:
        """The line of the batch, every default made explicit. Raises SubmitError."""
        body = openai.document(self._models[request.params["model"]], request)
        if request.files:
            body["images"] = [{"image_url": _data_url(path)} for path in request.files.values()]
        url = "/v1/images/edits" if request.files else "/v1/images/generations"
        return {"custom_id": token, "method": "POST", "url": url, "body": body}

    async def _uploaded(self, line: Mapping[str, Any]) -> str:
        data = json.dumps(line, ensure_ascii=False).encode() + b"\n"
        answer = await self._http.submit("/files", data={"purpose": "batch"}, files={"file": ("line.jsonl", data)})
        name = answer.map().get("id")
        if answer.status == 200 and isinstance(name, str) and name:
            return name
        found = failure(answer)
        outcome = Outcome.NOT_SENT if found.outcome is Outcome.UNKNOWN else found.outcome
        raise SubmitError(outcome, found.code, found.detail, found.retry_after, found.status)

    async def status(self, job: JobId) -> Status:
        """How the batch is; once it is over, what its one line says."""
        batch = await self._batch(job)
        word = str(batch.get("status", ""))
        state = STATES.get(word, State.RUNNING)
        if state in (State.DONE, State.EXPIRED, State.CANCELLED) and (batch.get("output_file_id") or batch.get("error_file_id")):
            return self._told(await self._line(job, batch))
        errors = batch.get("errors")
        first = maps(errors.get("data") if isinstance(errors, Mapping) else None)[:1]
        detail = "; ".join(str(error.get("message", "")) for error in first)
        if state is State.DONE:
            state, detail = State.FAILED, "the batch ended without a line"
        return Status(state, code=word, detail=detail)

    async def _batch(self, job: JobId) -> Mapping[str, Any]:
        return _read(await self._http.read("GET", f"/batches/{quote(job, safe='')}"))

    async def _line(self, job: JobId, batch: Mapping[str, Any]) -> Mapping[str, Any]:
        """The one line of output, or of errors; kept until it is fetched."""
        if job not in self._results:
            name = str(batch.get("output_file_id") or batch.get("error_file_id"))
            self._results[job] = _read(await self._http.read("GET", f"/files/{quote(name, safe='')}/content"))
        return self._results[job]

    def _told(self, line: Mapping[str, Any]) -> Status:
        response, error = line.get("response"), line.get("error")
        if isinstance(response, Mapping) and response.get("status_code") == 200:
            return Status(State.DONE, cost=self._charged(response.get("body")))
        body = response.get("body") if isinstance(response, Mapping) else None
        said = body.get("error") if isinstance(body, Mapping) else error
        code = str(said.get("code") or "failed") if isinstance(said, Mapping) else "failed"
        detail = str(said.get("message") or "") if isinstance(said, Mapping) else ""
        if code == "batch_expired":
            return Status(State.EXPIRED, code=code, detail=detail, cost=Decimal(0))
        state = State.REFUSED if code in openai.MODERATED else State.FAILED
        return Status(state, code=code, detail=detail)

    def _charged(self, body: object) -> Decimal | None:
        """Half of what the tokens cost; every picture model that takes batches has the same rates."""
        usage = body.get("usage") if isinstance(body, Mapping) else None
        costs = {openai.charged(usage, model) for model in self._models.values() if model.per_picture}
        found = costs.pop() if len(costs) == 1 else None
        return found / 2 if found is not None else None

    async def fetch(self, job: JobId, folder: str) -> Mapping[str, str]:
        """Write the pictures into `folder`: image_0, image_1, …"""
        line = await self._line(job, await self._batch(job))
        response = line.get("response")
        body = response.get("body") if isinstance(response, Mapping) else None
        items = maps(body.get("data") if isinstance(body, Mapping) else None)
        form = str(body.get("output_format") or "png") if isinstance(body, Mapping) else "png"
        if not items or form not in ("png", "webp", "jpeg"):
            raise PollError("no result", "the batch holds no picture")
        found = {f"image_{number}": _decoded(item.get("b64_json")) for number, item in enumerate(items)}
        paths = {name: os.path.join(folder, f"{name}.{form}") for name in found}
        for name, data in found.items():
            _write(paths[name], data)
        self._results.pop(job, None)
        return paths

    async def find(self, token: str) -> JobId | None:
        """The batch that carries our id. Raises PollError where the list can't be read to its end."""
        after: dict[str, str] = {}
        for _ in range(PAGES):
            page = _read(await self._http.read("GET", "/batches", params={"limit": "100", **after}))
            batches = maps(page.get("data"))
            for batch in batches:
                notes = batch.get("metadata")
                if isinstance(notes, Mapping) and notes.get(NOTE) == token:
                    return str(batch["id"])
            if not page.get("has_more") or not batches:
                return None
            after = {"after": str(batches[-1]["id"])}
        raise PollError("too many", f"the batch is not among the last {PAGES * 100:,}")

    async def cancel(self, job: JobId) -> None:
        """Stop a batch; what is done already is charged. Raises PollError."""
        _read(await self._http.read("POST", f"/batches/{quote(job, safe='')}/cancel"))

    async def close(self) -> None:
        """Let the connections go."""
        await self._http.close()
        await self._plain.close()


def _read(answer: Answer) -> Mapping[str, Any]:
    if answer.status != 200:
        code = "not found" if answer.status == 404 else str(answer.status)
        raise PollError(code, str(answer.map("error").get("message", "")))
    return answer.map()


def failure(answer: Answer) -> SubmitError:
    """What an answer without a batch means: the same table as for pictures at once."""
    if answer.status < 300:
        return SubmitError(Outcome.UNKNOWN, "bad answer", "the reply names no batch")
    error = answer.map("error")
    code, message = str(error.get("code") or error.get("type") or ""), str(error.get("message", ""))
    outcome = decide(openai.OUTCOMES, answer.status, code, message)
    return SubmitError(outcome, code or f"http {answer.status}", message, answer.retry_after, answer.status)


def _data_url(path: str) -> str:
    form = photos.measured(path)[0].lower()
    return f"data:image/{form};base64,{base64.b64encode(content(path)).decode('ascii')}"


def _decoded(data: object) -> bytes:
    try:
        found = base64.b64decode(str(data), validate=True)
    except (ValueError, binascii.Error) as error:
        raise PollError("bad answer", "a picture is no base64") from error
    if not found:
        raise PollError("bad answer", "a picture is empty")
    return found


def _write(path: str, data: bytes) -> None:
    with open(path, "xb") as file:
        file.write(data)
