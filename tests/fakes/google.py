"""A fake of the Gemini Interactions API for video, with its files, and of Veo's long-running operations on Vertex."""

import asyncio
import base64
import itertools
import re
from decimal import Decimal
from typing import Any

from . import media
from .server import Fake, Job
from .strict import each, fields, flag, one_of, text, whole
from .wire import Asked, Reply, spoiled_file

MODELS = {"gemini-omni-1.1-flash": 10, "gemini-omni-1.2-flash": 15}
TOKENS = {"360p": 1931, "720p": 5792, "1080p": 8688, "4k": 18000}
SIDES = {"360p": 360, "720p": 720, "1080p": 1080, "4k": 2160}
LABEL = re.compile(r"[a-z][a-z0-9_-]{0,62}\Z")
VALUE = re.compile(r"[a-z0-9_-]{0,63}\Z")
STATUS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 409: "ABORTED",
          429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED"}  # fmt: skip
STATES = {"queued": "queued", "throttled": "queued", "running": "in_progress", "unknown_status": "dreaming"}


def _image(value: Any) -> str:
    wrong = fields({"type": one_of("image"), "mime_type": one_of("image/png", "image/jpeg", "image/webp"), "data": _any},
                   "type", "mime_type", "data")(value)  # fmt: skip
    return wrong or ("" if media.measured(media.decoded(value["data"])) else "the picture can't be read")


def _any(value: Any) -> str:
    """Any text."""
    return "" if isinstance(value, str) else "no text"


def _part(value: Any) -> str:
    kind = value.get("type") if isinstance(value, dict) else None
    if kind == "text":
        return fields({"type": one_of("text"), "text": text(1, 1 << 20)}, "type", "text")(value)
    return _image(value) if kind == "image" else f"content of type {kind!r}"


def _input(value: Any) -> str:
    if isinstance(value, str):
        return ""
    turn = fields({"type": one_of("user_input"), "content": each(_part)}, "type", "content")
    return each(turn)(value) if isinstance(value, list) and value and value[0].get("type") == "user_input" else each(_part)(value)


def _labels(value: Any) -> str:
    good = isinstance(value, dict) and all(LABEL.match(k) and isinstance(v, str) and VALUE.match(v) for k, v in value.items())
    return "" if good else "labels are not as they must be"


def _duration(value: Any) -> str:
    return "" if isinstance(value, str) and re.fullmatch(r"([3-9]|1[0-5])s", value) else "duration must look like 5s"


INTERACTION = fields({
    "model": one_of(*MODELS), "input": _input, "background": flag, "store": flag, "labels": _labels,
    "response_format": fields({
        "type": one_of("video"), "aspect_ratio": one_of("16:9", "9:16"), "duration": _duration,
        "resolution": one_of(*TOKENS), "delivery": one_of("inline", "uri"),
    }, "type"),
    "generation_config": fields({
        "seed": whole(-(1 << 31), (1 << 31) - 1),
        "video_config": fields({"task": one_of("text_to_video", "image_to_video", "reference_to_video", "edit", "extend", "upscale")}),
    }),
}, "model", "input")  # fmt: skip


class Google(Fake):
    """The server. `versions`: with or without /v1 in the path is settled by `prefix`."""

    name = "google"
    prefix = "/v1"
    id_start = "v1_fake"

    def __init__(self, *, slow_files: int = 0, **settings: Any) -> None:
        super().__init__(**settings)
        self.slow_files = slow_files
        self._counts: dict[str, itertools.count[int]] = {}

    async def route(self, asked: Asked) -> Reply:
        """Interactions and files."""
        path = self.path(asked)
        if asked.headers.get("x-goog-api-key") != self.key:
            self.submits += path == "/interactions"
            return self.error(400, "key")
        if path == "/interactions" and asked.method == "POST":
            return await self._create(asked)
        if path.startswith("/files/"):
            return await self._file(asked, path.removeprefix("/files/"))
        name, _, action = path.removeprefix("/interactions/").partition("/")
        job = self.jobs.get(name)
        if not path.startswith("/interactions/") or job is None:
            return self.error(404)
        if action == "cancel" and asked.method == "POST":
            job.settled = job.settled or "cancelled"
            return Reply(200, self._view(job, job.settled))
        word = self.polled(job)
        return self.spoiled_poll(word) or Reply(200, self._view(job, word))

    def error(self, status: int, word: str = "") -> Reply:
        """The classic shape, or the new one for a blocked prompt."""
        if status in (502, 408, 307):
            return Reply(status, b"<html>bad gateway</html>", {"Content-Type": "text/html"})
        if word == "moderation":
            return Reply(400, {"error": {"code": "content_blocked", "message": "Prompt was blocked (fake)."}})
        details: list[dict[str, str]] = []
        if word == "key":
            details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]
        if word == "quota":
            status, details = 429, [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "36000s"}]
        error = {"code": status, "message": f"{word or 'no'} (fake)", "status": STATUS.get(status, "UNKNOWN"), "details": details}
        return Reply(status, {"error": error})

    async def _create(self, asked: Asked) -> Reply:
        body = asked.json()
        wrong = INTERACTION(body)
        if not wrong:
            wrong = "" if int(body["response_format"]["duration"][:-1]) <= MODELS[body["model"]] else "duration is too long"
        if not wrong and body.get("background") and not body.get("store"):
            wrong = "background needs store"
        if not wrong and self.slots and self.busy() >= self.slots:
            self.submits += 1
            return self.error(429)
        return await self.submitted(asked, wrong, lambda: self._made(body), lambda job: Reply(200, self._view(job, "running")))

    def _made(self, body: dict[str, Any]) -> Job:
        form = {"aspect_ratio": "16:9", "duration": "5s", "resolution": "720p", **body["response_format"]}
        length, side = int(form["duration"][:-1]), SIDES[form["resolution"]]
        width, height = (side, side * 16 // 9) if form["aspect_ratio"] == "9:16" else (side * 16 // 9, side)
        turns = body["input"] if isinstance(body["input"], list) else []
        parts = turns[0]["content"] if turns and turns[0].get("type") == "user_input" else turns
        images = [media.decoded(part["data"]) for part in parts if part["type"] == "image"]
        usage = {"video": TOKENS[form["resolution"]] * length, "image": 1290 * len(images), "text": 50, "thought": 310}
        usd = (Decimal("17.5") * usage["video"] + Decimal("1.5") * (usage["image"] + 50) + 9 * Decimal(310)) / 1_000_000
        shape = media.Shape(width, height, length, True, images[0] if images else b"")
        wanted = {name: value for name, value in body.items() if name != "labels"}
        job = self.new_job(wanted, usd, shape, body["model"])
        job.facts |= {"usage": usage, "labels": body.get("labels", {}), "delivery": form.get("delivery", "inline")}
        return job

    def _view(self, job: Job, word: str) -> dict[str, Any]:
        name, _, code = word.partition(":")
        times = {"created": "2026-11-23T10:00:00Z", "updated": "2026-11-23T10:00:40Z"}
        found: dict[str, Any] = {"id": job.id, "model": job.model, **times, "labels": job.facts["labels"]}
        if name == "failed":
            code = "content_filtered" if code.startswith("SAFETY") else code or "internal"
            return found | {"status": "failed", "errors": [{"code": code, "message": "It failed (fake)."}]}
        if name in ("cancelled", "expired"):
            return found | {"status": {"expired": "incomplete"}.get(name, name)}
        if name not in ("done", "done_no_url", "done_two"):
            return found | {"status": STATES.get(name, "in_progress")}
        content = [] if name == "done_no_url" else [self._video(job)] * (2 if name == "done_two" else 1)
        return found | {"status": "completed", "steps": [{"type": "model_output", "content": content}], "usage": _usage(job)}

    def _video(self, job: Job) -> dict[str, Any]:
        video = {"type": "video", "mime_type": "video/mp4"}
        if job.facts["delivery"] == "inline":
            return video | {"data": base64.b64encode(media.clip(job.shape, self.small)).decode("ascii")}
        job.urls["file"] = self.clock() + self.url_seconds
        return video | {"uri": f"{self.url}/files/{job.id}:download?alt=media"}

    async def _file(self, asked: Asked, rest: str) -> Reply:
        name, _, action = rest.partition(":")
        job = self.jobs.get(name)
        if job is None or job.urls.get("file", 0) < self.clock():
            return self.error(403)
        if action == "download" and asked.query == {"alt": "media"}:
            self.downloads += 1
            word = next(job.downloads, "ok")
            data = await asyncio.to_thread(media.clip, media.spoiled(job.shape, word), self.small)
            return spoiled_file(word, data, asked.headers.get("range", ""))
        asked_before = next(self._counts.setdefault(name, itertools.count()))
        state = "PROCESSING" if asked_before < self.slow_files else "ACTIVE"
        return Reply(200, {"name": f"files/{name}", "mimeType": "video/mp4", "state": state, "uri": f"{self.url}/files/{name}"})


def _usage(job: Job) -> dict[str, Any]:
    tokens = job.facts["usage"]
    given = tokens["image"] + tokens["text"]
    return {
        "total_input_tokens": given,
        "input_tokens_by_modality": [{"modality": "text", "tokens": tokens["text"]}, {"modality": "image", "tokens": tokens["image"]}],
        "total_output_tokens": tokens["video"],
        "output_tokens_by_modality": [{"modality": "video", "tokens": tokens["video"]}],
        "total_thought_tokens": tokens["thought"], "total_cached_tokens": 0,
        "total_tokens": given + tokens["video"] + tokens["thought"],
    }  # fmt: skip
