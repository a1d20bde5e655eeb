"""Kling, legacy standard: for accounts that have a pair of access and secret key (AK/SK) and no API key.

The secret never leaves this machine: each request carries a token of half an hour signed with it. An API key does for
these paths too. Pictures to clips only; all else is `kling`. Knows nothing of the journal.
"""

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

from clipbuild.providers import kling, models, photos
from clipbuild.providers.config import Config
from clipbuild.providers.contract import Accepted, JobId, Outcome, PollError, Request, State, Status, SubmitError
from clipbuild.providers.http import Answer, Http, bearer, checked, content, maps
from clipbuild.providers.tabled import Tabled

PATH = "/v1/videos/image2video"
LIFE, EARLY = 1800, 5
"""Seconds that a token lives, and by which it begins before now, for clocks that differ."""
PICTURE = photos.Picture(formats=("PNG", "JPEG"), largest=10_000_000, side=300, ratio=2.5)
STATES = {"submitted": State.QUEUED, "processing": State.RUNNING, "succeed": State.DONE, "failed": State.FAILED}


def make(config: Config) -> "KlingLegacy":
    """The adapter. Raises UsageError for a base URL that no key may be sent to."""
    return KlingLegacy(config)


def token(access: str, secret: str, now: float) -> str:
    """The JSON Web Token (RFC 7519) that stands for a pair of keys at a moment."""
    claims = {"iss": access, "exp": int(now) + LIFE, "nbf": int(now) - EARLY}
    parts = (json.dumps(part, separators=(",", ":")).encode() for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    return signed(".".join(_plain(part) for part in parts), secret.encode())


def signed(text: str, secret: bytes) -> str:
    """The text with its seal: HMAC SHA-256, as in RFC 7515, appendix A.1."""
    return f"{text}.{_plain(hmac.digest(secret, text.encode(), hashlib.sha256))}"


def _plain(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


class KlingLegacy(Tabled):
    """Provider `kling-legacy`."""

    name = "kling-legacy"
    picture = PICTURE
    can_find = True
    crowded = kling.Kling.crowded

    def __init__(self, config: Config) -> None:
        self._config = config
        self._models = config.models or models.shipped(self.name)
        self._http = Http(config, checked(config.base_url or kling.BASE_URL), self._headers)

    def _headers(self) -> dict[str, str]:
        access, pair, secret = bearer(self._config, self.name).partition(":")
        return {"Authorization": f"Bearer {token(access, secret, self._config.now()) if pair else access}"}

    async def submit(self, request: Request, token: str) -> Accepted:
        """Ask once, under our own id."""
        answer = await self._http.submit(PATH, json=self.document(request, token))
        job = answer.map("data").get("task_id")
        if answer.status == 200 and answer.map().get("code") == 0 and isinstance(job, str | int) and job != "":
            return Accepted(str(job))
        return await kling.earlier(self, token, answer)

    def document(self, request: Request, token: str) -> dict[str, Any]:
        """The body of the submit, every default made explicit. Raises SubmitError, OSError."""
        found, model = self.problems(request), models.find(self._models, request)
        frame = models.size(model, request) if model else None
        if found or model is None or frame is None:
            raise SubmitError(Outcome.REFUSED, "can't be made", "; ".join(found))
        pictures = {
            "image_tail" if name == "last" else "image": base64.b64encode(content(path)).decode("ascii")
            for name, path in request.files.items()
        }  # fmt: skip
        body = {
            "model_name": model.id, **pictures, "prompt": request.params["prompt"], "mode": frame.name,
            "duration": str(models.seconds(model, request)), "sound": "on" if request.params.get("audio") else "off",
            "external_task_id": token, "watermark_info": {"enabled": False},
        }  # fmt: skip
        if negative := request.params.get("negative"):
            body["negative_prompt"] = negative
        return body

    async def status(self, job: JobId) -> Status:
        """How the task is."""
        return told(await self._task(job))

    async def _task(self, job: JobId) -> Mapping[str, Any]:
        answer = await self._http.read("GET", f"{PATH}/{quote(job, safe='')}")
        task = answer.map("data")
        if answer.status == 200 and answer.map().get("code") == 0 and task.get("task_id"):
            return task
        word = "not found" if _is_unknown(answer) else str(answer.map().get("code", answer.status))
        raise PollError(str(answer.status) if answer.status in (401, 403) else word, str(answer.map().get("message", "")))

    async def fetch(self, job: JobId, folder: str) -> Mapping[str, str]:
        """Download the clip into `folder`; the address is asked for anew each time."""
        task = await self._task(job)
        if told(task).state is not State.DONE:
            raise PollError("not done", "kling no longer says that the task is done")
        result = task.get("task_result")
        videos = [one["url"] for one in maps(result.get("videos") if isinstance(result, dict) else None) if one.get("url")]
        if not videos:
            raise PollError("no result", "the task is done but names no video")
        target = os.path.join(folder, "video.mp4")
        await self._config.download(str(videos[0]), target, kind="video", headers={})
        return {"video": target}

    async def find(self, token: str) -> JobId | None:
        """The task made under our id, or None: Kling knows none."""
        try:
            return str((await self._task(token))["task_id"])
        except PollError as error:
            if error.code == "not found":
                return None
            raise

    async def close(self) -> None:
        """Let the connections go."""
        await self._http.close()


def _is_unknown(answer: Answer) -> bool:
    """Unlike the new standard, an unknown id is an error: the code of a bad parameter, and words."""
    message = str(answer.map().get("message", "")).lower()
    return answer.status == 400 and answer.map().get("code") == 1201 and "not found" in message


def told(task: Mapping[str, Any]) -> Status:
    """A task as a Status; a state that is not known is not final."""
    word, message = str(task.get("task_status", "")), str(task.get("task_status_msg") or "")
    state = STATES.get(word, State.RUNNING)
    if state is State.FAILED and any(sign in message.lower() for sign in kling.MODERATED):
        state = State.REFUSED
    return Status(state, code=word, detail=message, cost=_cost(task) if state is State.DONE else None)


def _cost(task: Mapping[str, Any]) -> Decimal | None:
    """What was taken off the pack, at a unit's list price."""
    try:
        return Decimal(str(task["final_unit_deduction"])) * kling.UNIT_USD
    except (KeyError, InvalidOperation):
        return None
