"""A fake of Kling's legacy standard: a signed token for each request, model in the body, one task a query.

The token is taken apart here by hand, and a pair of keys that is sent as it is counts as a leak.
"""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

from . import kling
from .server import Job
from .strict import fields, flag, one_of, text
from .wire import Asked, Reply

PATH = "/v1/videos/image2video"
NAMES = {"kling-v3": "kling-3.0", "kling-v2-6": "kling-2.6"}
MODES = {"std": "720p", "pro": "1080p", "4k": "4k"}
BODY = fields(
    {
        "model_name": one_of(*NAMES), "image": kling.picture, "image_tail": kling.picture, "prompt": text(1, 2500),
        "negative_prompt": text(1, 2500), "mode": one_of(*MODES),
        "duration": one_of(*(str(n) for n in range(3, 16))), "sound": one_of("on", "off"), "callback_url": text(8, 2048),
        "external_task_id": text(1, 200), "multi_shot": flag, "watermark_info": fields({"enabled": flag}),
    },
    "image",
)  # fmt: skip


class KlingLegacy(kling.Kling):
    """The server; its key is a pair, `access:secret`."""

    name = "kling-legacy"

    def __init__(self, *, key: str = "test-access:test-secret", **settings: Any) -> None:
        super().__init__(key=key, **settings)

    async def route(self, asked: Asked) -> Reply:
        """Create, or query one."""
        is_submit = asked.method == "POST" and asked.path == PATH
        if code := self.refused(asked.headers.get("authorization", "")):
            self.submits += is_submit
            return Reply(401, {"code": code, "message": "Authorization is invalid (fake)", "request_id": kling.REQUEST_ID})
        if is_submit:
            return await self._create(asked)
        if asked.method == "GET" and asked.path.startswith(PATH + "/"):
            return self._one(asked.path.rpartition("/")[2])
        return self.error(404)

    def refused(self, header: str) -> int:
        """The code for a token that does not count, or 0."""
        access, _, secret = self.key.partition(":")
        if secret in header or access in header:
            self.leaks.append("a key in a header")
        parts = header.removeprefix("Bearer ").split(".")
        if len(parts) != 3:
            return 1000
        wanted = hmac.new(secret.encode(), f"{parts[0]}.{parts[1]}".encode(), hashlib.sha256).digest()
        try:
            head, claims = (json.loads(_bytes(part)) for part in parts[:2])
            if not hmac.compare_digest(_bytes(parts[2]), wanted):
                return 1002
        except ValueError:
            return 1001
        if head != {"alg": "HS256", "typ": "JWT"} or set(claims) != {"iss", "exp", "nbf"} or claims["iss"] != access:
            return 1002
        now = time.time()
        return 1003 if claims["nbf"] > now else 1004 if claims["exp"] <= now else 0

    async def _create(self, asked: Asked, *_: str) -> Reply:
        body = asked.json()
        wrong = BODY(body)
        token = body.get("external_task_id", "") if isinstance(body, dict) else ""
        if not wrong and token and self.repeats == "refused" and any(job.token == token for job in self.jobs.values()):
            self.submits += 1
            message = f"External_task_id {token} already exists"
            return Reply(400, {"code": 1201, "message": message, "request_id": kling.REQUEST_ID})
        if not wrong and self.slots and self.busy() >= self.slots:
            self.submits += 1
            return self.error(429, "concurrency")
        return await self.submitted(asked, wrong, lambda: self._new(body, token), lambda job: kling.fine(self._seen(job, "queued")))

    def _new(self, body: Any, token: str) -> Job:
        settings = {
            "resolution": MODES[body.get("mode", "std")], "duration": int(body.get("duration", "5")),
            "audio": "native" if body.get("sound") == "on" else "off",
        }  # fmt: skip
        contents = [{"type": "prompt", "text": body.get("prompt", "")}, {"type": "first_frame", "url": body["image"]}]
        contents += [{"type": "last_frame", "url": body["image_tail"]}] if "image_tail" in body else []
        same = {"contents": contents, "settings": settings}
        return self._made(same, "image-to-video", NAMES[body.get("model_name", "kling-v3")], token)

    def _one(self, name: str) -> Reply:
        """By the task's id, which counts as a poll, or by the client's."""
        if job := next((job for job in self.jobs.values() if job.token and job.token == name), None):
            return kling.fine(self._seen(job, job.settled or "running"))
        word = self.polled(self.jobs[name]) if name in self.jobs else "404"
        if word == "404":
            message = "Task not found by id/external id (fake)"
            return Reply(400, {"code": 1201, "message": message, "request_id": kling.REQUEST_ID})
        return self.spoiled_poll(word) or kling.fine(self._seen(self.jobs[name], word))

    def _seen(self, job: Job, word: str) -> dict[str, Any]:
        view, now = self._view(job, word), job.facts["created"]
        status = {"succeeded": "succeed"}.get(view["status"], view["status"])
        task: dict[str, Any] = {"task_id": job.id, "task_status": status, "task_status_msg": view["message"]}
        task |= {"task_info": {"external_task_id": job.token}, "created_at": now, "updated_at": now}
        if status == "succeed":
            videos = [{key: one[key] for key in ("id", "url", "duration")} for one in view["outputs"]]
            task |= {"task_result": {"videos": videos}, "final_unit_deduction": view["billing"][0]["amount"]}
        return task


def _bytes(part: str) -> bytes:
    """Base64url without padding, and without anything else."""
    if "=" in part or "+" in part or "/" in part:
        raise ValueError(part)
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
