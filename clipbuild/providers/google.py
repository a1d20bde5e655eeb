"""Google: Gemini Omni on the Interactions API, and Veo 3.1 on Vertex for as long as it lives there.

Neither takes an id of ours that can be searched for: a submit whose answer is lost stays unknown. The key goes to the
configured host and to no other. Knows nothing of the journal.
"""

import base64
import binascii
import os
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlsplit

from clipbuild.errors import UsageError
from clipbuild.providers import models, photos
from clipbuild.providers.config import Config
from clipbuild.providers.contract import Accepted, JobId, Outcome, PollError, Request, State, Status, SubmitError
from clipbuild.providers.http import Answer, Http, Rule, bearer, checked, content, decide, maps
from clipbuild.providers.tabled import Tabled

BASE_URL = "https://generativelanguage.googleapis.com/v1"
LONG_WAIT = 300.0
"""A wait longer than this is the quota of a day."""
PICTURE = photos.Picture(formats=("PNG", "JPEG", "WEBP"), largest=20_000_000)
VERTEX = "vertex"
PLACE = 'vertex = "https://LOCATION-aiplatform.googleapis.com/v1/projects/PROJECT/locations/LOCATION"'

_G1 = "google-genai 3.4.0, types and errors"
OUTCOMES = (
    Rule(Outcome.LANE_CLOSED, _G1 + ": a bad key is answered with 400", status=400, codes=frozenset(("API_KEY_INVALID",))),
    Rule(Outcome.REFUSED, "content_blocked seen live; " + _G1, status=400),
    Rule(Outcome.LANE_CLOSED, _G1 + ": UNAUTHENTICATED", status=401),
    Rule(Outcome.LANE_CLOSED, _G1 + ": PERMISSION_DENIED", status=403),
    Rule(Outcome.REFUSED, _G1 + ": NOT_FOUND, a retired model", status=404),
    Rule(Outcome.BUSY, _G1 + ": RESOURCE_EXHAUSTED", status=429),
)
STATES = {
    "queued": State.QUEUED, "in_progress": State.RUNNING, "completed": State.DONE, "failed": State.FAILED,
    "cancelled": State.CANCELLED, "incomplete": State.FAILED, "budget_exceeded": State.FAILED,
    "requires_action": State.FAILED, "requires_continuation": State.FAILED,
}  # fmt: skip
FILTERED = ("content_filtered", "content_blocked", "safety", "prohibited")


def make(config: Config) -> "Omni":
    """The adapter for the Gemini API. Raises UsageError for a base URL that no key may be sent to."""
    return Omni(config)


def make_vertex(config: Config) -> "Veo":
    """The adapter for Vertex; its base URL ends in …/projects/PROJECT/locations/LOCATION, its key is an OAuth token."""
    return Veo(config)


class _Google(Tabled):
    """What both share: the table, the door, judging."""

    name = "google"
    picture = PICTURE
    can_find = False
    service = ""

    def __init__(self, config: Config, base_url: str, headers: Callable[[], Mapping[str, str]]) -> None:
        table = config.models or models.shipped("google")
        self._models = {name: model for name, model in table.items() if model.takes.get("service", "") == self.service}
        self._config, self._http = config, Http(config, checked(base_url), headers)

    def _known(self, request: Request) -> tuple[models.Model, str]:
        """(model, resolution). Raises SubmitError for a request that can't be made."""
        found = self.problems(request)
        model = models.find(self._models, request)
        frame = models.size(model, request) if model else None
        if found or model is None or frame is None:
            raise SubmitError(Outcome.REFUSED, "can't be made", "; ".join(found))
        return model, frame.name

    async def find(self, token: str) -> JobId | None:
        """Google can't be asked."""
        return None

    async def close(self) -> None:
        """Let the connections go."""
        await self._http.close()


class Omni(_Google):
    """Provider `google`: Gemini Omni."""

    def __init__(self, config: Config) -> None:
        super().__init__(config, config.base_url or BASE_URL, self._headers)

    def _headers(self) -> dict[str, str]:
        return {"x-goog-api-key": bearer(self._config, self.name)}

    async def submit(self, request: Request, token: str) -> Accepted:
        """Ask once, in the background. The token is kept as a label; Google has no search for it."""
        answer = await self._http.submit("/interactions", json=self.document(request, token))
        job = answer.map().get("id")
        if answer.status == 200 and isinstance(job, str) and job:
            return Accepted(job)
        raise failure(answer)

    def document(self, request: Request, token: str) -> dict[str, Any]:
        """The body of the submit, every default made explicit. Raises SubmitError."""
        model, resolution = self._known(request)
        parts: list[dict[str, Any]] = [{"type": "text", "text": request.params["prompt"]}]
        parts += [_picture(path) for path in request.files.values()]
        task = "image_to_video" if request.files else "text_to_video"
        if len([name for name in request.files if name != "last"]) > 1:
            task = "reference_to_video"
        generation: dict[str, Any] = {"video_config": {"task": task}}
        if request.params.get("seed") is not None:
            generation["seed"] = int(request.params["seed"])
        return {
            "model": model.id,
            "input": [{"type": "user_input", "content": parts}],
            "response_format": {
                "type": "video", "aspect_ratio": request.params["aspect"], "resolution": resolution,
                "duration": f"{models.seconds(model, request)}s", "delivery": "uri",
            },
            "generation_config": generation,
            "background": True,
            "store": True,
            "labels": {"clipbuild": label(token)},
        }  # fmt: skip

    async def status(self, job: JobId) -> Status:
        """How the interaction is; done only when its file can be downloaded."""
        interaction = await self._interaction(job)
        found = told(interaction, self._models.get(str(interaction.get("model"))))
        video = _video(interaction)
        if found.state is State.DONE and video and video.get("uri") and not await self._is_active(str(video["uri"])):
            return Status(State.RUNNING, code="PROCESSING")
        return found

    async def _interaction(self, job: JobId) -> Mapping[str, Any]:
        answer = await self._http.read("GET", f"/interactions/{quote(job, safe='')}")
        if answer.status != 200:
            code, message = said(answer)
            raise PollError("not found" if answer.status == 404 else code or str(answer.status), message)
        return answer.map()

    async def _is_active(self, uri: str) -> bool:
        """Whether the file is ready; files that can't be asked about count as ready. Raises PollError."""
        name = urlsplit(uri).path.partition("/files/")[2].partition(":")[0]
        if not name or not self._is_own(uri):
            return True
        answer = await self._http.read("GET", f"/files/{quote(name, safe='')}")
        return answer.map().get("state") != "PROCESSING"

    def _is_own(self, uri: str) -> bool:
        own, theirs = urlsplit(self._http.base_url), urlsplit(uri)
        return (own.scheme, own.netloc) == (theirs.scheme, theirs.netloc)

    async def fetch(self, job: JobId, folder: str) -> Mapping[str, str]:
        """Download the clip into `folder`, with the key only from the configured host."""
        interaction = await self._interaction(job)
        video, target = _video(interaction), os.path.join(folder, "video.mp4")
        if interaction.get("status") != "completed" or not video:
            raise PollError("no result", "the interaction names no video")
        if video.get("uri"):
            uri = str(video["uri"])
            headers = self._headers() if self._is_own(uri) else {}
            await self._config.download(uri, target, kind="video", headers=headers)
        else:
            keep(str(video.get("data", "")), target)
        return {"video": target}

    async def cancel(self, job: JobId) -> None:
        """Stop an interaction. Raises PollError."""
        answer = await self._http.read("POST", f"/interactions/{quote(job, safe='')}/cancel")
        if answer.status >= 300 and answer.status != 404:
            raise PollError(str(answer.status), said(answer)[1])


class Veo(_Google):
    """Provider `vertex`: Veo 3.1. Whether Google still serves it is not sure; a 404 at the submit says so."""

    name = "vertex"
    service = VERTEX

    def __init__(self, config: Config) -> None:
        if not config.base_url:
            raise UsageError("vertex: no base URL is configured", hint=f"in your own configuration, [base_urls]: {PLACE}")
        super().__init__(config, config.base_url, self._headers)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {bearer(self._config, self.name)}"}

    async def submit(self, request: Request, token: str) -> Accepted:
        """Ask once. `token` stays with us: Vertex has no field for it."""
        model, _ = self._known(request)
        path = f"/publishers/google/models/{model.id}:predictLongRunning"
        answer = await self._http.submit(path, json=self.document(request))
        job = answer.map().get("name")
        if answer.status == 200 and isinstance(job, str) and job:
            return Accepted(f"{model.id}/{job.rpartition('/')[2]}")
        raise failure(answer)

    def document(self, request: Request) -> dict[str, Any]:
        """The body of the submit, every default made explicit. Raises SubmitError."""
        model, resolution = self._known(request)
        params = request.params
        instance: dict[str, Any] = {"prompt": params["prompt"]}
        for name, path in request.files.items():
            picture = _picture(path)
            instance["lastFrame" if name == "last" else "image"] = {
                "bytesBase64Encoded": picture["data"], "mimeType": picture["mime_type"],
            }  # fmt: skip
        parameters = {
            "aspectRatio": params["aspect"], "durationSeconds": models.seconds(model, request), "resolution": resolution,
            "generateAudio": bool(params.get("audio")), "sampleCount": 1, "personGeneration": "allow_adult",
        }  # fmt: skip
        if params.get("seed") is not None:
            parameters["seed"] = int(params["seed"])
        if params.get("negative"):
            parameters["negativePrompt"] = params["negative"]
        return {"instances": [instance], "parameters": parameters}

    async def _operation(self, job: JobId) -> Mapping[str, Any]:
        model, _, name = job.partition("/")
        path = f"/publishers/google/models/{quote(model, safe='')}"
        place = self._http.base_url.partition("/projects/")[2]
        whole = f"projects/{place}{path}/operations/{name}"
        answer = await self._http.read("POST", f"{path}:fetchPredictOperation", json={"operationName": whole})
        if answer.status != 200:
            raise PollError("not found" if answer.status == 404 else str(answer.status), said(answer)[1])
        return answer.map()

    async def status(self, job: JobId) -> Status:
        """How the operation is; done without a video and without an error is a refusal."""
        operation = await self._operation(job)
        error = operation.get("error")
        if operation.get("done") is not True:
            return Status(State.RUNNING)
        if isinstance(error, Mapping):
            return Status(State.FAILED, code=str(error.get("code", "")), detail=str(error.get("message", "")))
        response = operation.get("response")
        response = response if isinstance(response, Mapping) else {}
        if response.get("videos"):
            return Status(State.DONE)
        reasons = response.get("raiMediaFilteredReasons") or ()
        return Status(State.REFUSED, code="filtered", detail="; ".join(str(reason) for reason in reasons))

    async def fetch(self, job: JobId, folder: str) -> Mapping[str, str]:
        """The clip comes inside the operation."""
        response = (await self._operation(job)).get("response")
        videos = maps(response.get("videos") if isinstance(response, Mapping) else None)
        if not videos:
            raise PollError("no result", "the operation names no video")
        target = os.path.join(folder, "video.mp4")
        keep(str(videos[0].get("bytesBase64Encoded", "")), target)
        return {"video": target}


def said(answer: Answer) -> tuple[str, str]:
    """(code, message) of either shape of error; a reason in the details is the better code."""
    error = answer.map("error")
    reasons = [detail["reason"] for detail in maps(error.get("details")) if detail.get("reason")]
    code = reasons[0] if reasons else error.get("status") or error.get("code") or ""
    return str(code), str(error.get("message", ""))


def failure(answer: Answer) -> SubmitError:
    """What an answer without a job means."""
    if answer.status < 300:
        return SubmitError(Outcome.UNKNOWN, "bad answer", "the reply names no job")
    code, message = said(answer)
    wait = _retry_delay(answer)
    outcome = decide(OUTCOMES, answer.status, code, message)
    if outcome is Outcome.BUSY and wait is not None and wait > LONG_WAIT:
        outcome = Outcome.LANE_CLOSED
    return SubmitError(outcome, code or f"http {answer.status}", message, wait, answer.status)


def _retry_delay(answer: Answer) -> float | None:
    for detail in maps(answer.map("error").get("details")):
        told = str(detail.get("retryDelay", ""))
        if told.endswith("s") and told[:-1].replace(".", "", 1).isdigit():
            return float(told[:-1])
    return answer.retry_after


def told(interaction: Mapping[str, Any], model: models.Model | None) -> Status:
    """An interaction as a Status; a state that is not known is not final."""
    word = str(interaction.get("status", ""))
    state, detail, code = STATES.get(word, State.RUNNING), "", word
    errors = maps(interaction.get("errors"))
    if state is State.FAILED and errors:
        code, detail = str(errors[0].get("code", "")), str(errors[0].get("message", ""))
        if any(word in code.lower() for word in FILTERED):
            state = State.REFUSED
    if state is State.DONE and not _video(interaction):
        state, code, detail = State.REFUSED, "no video", _texts(interaction)
    cost = charged(interaction.get("usage"), model)
    return Status(state, code=code, detail=detail, cost=cost)


def _content(interaction: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for step in maps(interaction.get("steps")):
        if step.get("type") == "model_output":
            yield from maps(step.get("content"))


def _video(interaction: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return next((part for part in _content(interaction) if part.get("type") == "video"), None)


def _texts(interaction: Mapping[str, Any]) -> str:
    return " ".join(str(part.get("text", "")) for part in _content(interaction) if part.get("type") == "text")


def charged(usage: object, model: models.Model | None) -> Decimal | None:
    """What the tokens cost at the table's rates; None where tokens or rates are not told."""
    if not isinstance(usage, Mapping) or model is None or not model.per_million:
        return None
    by_kind = {str(line.get("modality")): line.get("tokens") for line in maps(usage.get("output_tokens_by_modality"))}
    counts = [
        ("input", usage.get("total_input_tokens")), ("video", by_kind.get("video", 0)), ("text", by_kind.get("text", 0)),
        ("text", usage.get("total_thought_tokens", 0)),
    ]  # fmt: skip
    if not all(isinstance(count, int) for _, count in counts):
        return None
    return sum((model.per_million[kind] * int(count or 0) / models.MILLION for kind, count in counts), Decimal(0))


def label(token: str) -> str:
    """A token as a label may be: at most 63 of a-z, 0-9, _ and -."""
    return "".join(char if char.isascii() and (char.isalnum() or char in "_-") else "-" for char in token.lower())[:63]


def _picture(path: str) -> dict[str, str]:
    form = photos.measured(path)[0].lower()
    return {"type": "image", "mime_type": f"image/{form}", "data": base64.b64encode(content(path)).decode("ascii")}


def keep(data: str, target: str) -> None:
    """Base64 as a new file. Raises PollError for what is none."""
    try:
        found = base64.b64decode(data, validate=True)
    except (ValueError, binascii.Error) as error:
        raise PollError("bad answer", "the video is no base64") from error
    if not found:
        raise PollError("no result", "the answer carries no video")
    with open(target, "xb") as file:
        file.write(found)
