"""A fake of Runway: image_to_video, tasks with THROTTLED as a queue, uploads, cancelling, addresses made anew by asking."""

import base64
import hashlib
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from . import media
from .server import Fake, Job
from .strict import Rule, each, fields, flag, one_of, text, whole
from .wire import Asked, Reply

GEN4 = ("1280:720", "720:1280", "1104:832", "832:1104", "960:960", "1584:672")
VEO = ("1280:720", "720:1280", "1080:1920", "1920:1080")
CREDITS = {"gen4.5": (12, 12), "gen4_turbo": (5, 5), "veo3.1": (20, 40), "veo3.1_fast": (10, 15), "kling3.0_pro": (11, 17),
           "kling3.0_standard": (8, 13)}  # fmt: skip
SEED = whole(0, (1 << 32) - 1)
STATES = {"queued": "PENDING", "throttled": "THROTTLED", "running": "RUNNING", "unknown_status": "DREAMING"}
WORDS = {400: "Validation of body failed", 401: "The API key is not valid", 404: "Not found", 429: "Too many requests"}


class Runway(Fake):
    """The server. `slots`: over it tasks wait as THROTTLED; `daily` tasks a day, then 429."""

    name = "runway"

    def __init__(self, *, daily: int = 0, **settings: Any) -> None:
        super().__init__(**settings)
        self.daily = daily
        self.uploads: dict[str, bytes] = {}

    def job_id(self, number: int) -> str:
        """A UUID, as Runway's."""
        return str(uuid.UUID(bytes=hashlib.sha256(f"task {number}".encode()).digest()[:16], version=4))

    async def route(self, asked: Asked) -> Reply:
        """One of the calls."""
        if asked.path == "/uploads" and asked.method == "POST":
            return self._stored(asked)
        if asked.headers.get("authorization") != f"Bearer {self.key}":
            self.submits += asked.path == "/v1/image_to_video"
            return self.error(401)
        if asked.headers.get("x-runway-version") != "2024-11-06":
            return self.error(400, "X-Runway-Version is missing")
        if asked.path == "/v1/image_to_video" and asked.method == "POST":
            return await self._create(asked)
        if asked.path == "/v1/uploads" and asked.method == "POST":
            return self._place(asked)
        if asked.path.startswith("/v1/tasks/"):
            return self._task(asked, asked.path.rpartition("/")[2])
        if asked.path == "/v1/organization" and asked.method == "GET":
            return self._organization()
        return self.error(404)

    def error(self, status: int, word: str = "") -> Reply:
        """{error}; words: moderation, quota, daily, or what is wrong."""
        if status in (502, 408, 409, 307):
            return Reply(status, b"<html>bad gateway</html>", {"Content-Type": "text/html"})
        message = {
            "moderation": "Input did not pass moderation", "quota": "You do not have enough credits to run this task",
            "daily": "Daily generation limit reached for this model",
        }.get(word, WORDS.get(status, "Service unavailable"))  # fmt: skip
        body = {"error": f"{message} (fake)"}
        if status == 400 and word not in ("moderation", "quota"):
            body["issues"] = word
        return Reply(400 if word == "quota" else status, body)

    # --- tasks ---------------------------------------------------------------------------------------------------

    async def _create(self, asked: Asked) -> Reply:
        body = asked.json()
        wrong = self._wrong(body)
        if not wrong and self.daily and len(self.jobs) >= self.daily:
            self.submits += 1
            return self.error(429, "daily")
        return await self.submitted(asked, wrong, lambda: self._made(body), lambda job: Reply(200, {"id": job.id, **_estimate(job)}))

    def _wrong(self, body: Any) -> str:
        model = body.get("model") if isinstance(body, dict) else None
        if model not in CREDITS:
            return f"unknown model {model!r}"
        return _document(model, self._uri)(body)

    def _uri(self, value: Any) -> str:
        if not isinstance(value, str):
            return "not an address"
        if value.startswith("runway://"):
            return "" if value in self.uploads else "no such upload"
        if value.startswith("data:image/") and ";base64," in value[:40]:
            if len(value) > 5 * 1024 * 1024:
                return "the data URI is longer than 5 MB"
            return "" if media.measured(media.decoded(value)) else "the picture can't be read"
        return "" if value.startswith("https://") and len(value) <= 2048 else "neither https, nor data, nor runway"

    def _made(self, body: dict[str, Any]) -> Job:
        model, length = body["model"], body.get("duration", 8 if body["model"].startswith("veo") else 5)
        has_sound = bool(body.get("audio"))
        usd = Decimal(CREDITS[model][has_sound] * length) / 100
        width, height = (int(side) for side in body.get("ratio", "1280:720").split(":"))
        given = body["promptImage"]
        uri = given if isinstance(given, str) else given[0]["uri"]
        first = self.uploads.get(uri) or (media.decoded(uri) if uri.startswith("data:") else b"")
        shape = media.Shape(width, height, length, has_sound, first)
        wanted = {**body, "promptImage": hashlib.sha256(first).hexdigest()}
        job = self.new_job(wanted, usd, shape, model)
        job.facts["created"] = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return job

    def _task(self, asked: Asked, name: str) -> Reply:
        job = self.jobs.get(name)
        if job is None or job.facts.get("deleted"):
            return self.error(404)
        if asked.method == "DELETE":
            return self._stopped(job)
        word = self.polled(job)
        return self.spoiled_poll(word) or Reply(200, self._view(job, word))

    def _stopped(self, job: Job) -> Reply:
        """A live task is cancelled, without a refund once it ran; a finished one is forgotten."""
        if job.settled or job.asked > 2:
            job.facts["deleted"] = True
        else:
            job.settled = "cancelled"
        return Reply(204)

    def _view(self, job: Job, word: str) -> dict[str, Any]:
        name, _, code = word.partition(":")
        task: dict[str, Any] = {"id": job.id, "createdAt": job.facts["created"]}
        cost = {"cost": {"credits": int(job.usd * 100)}}
        if name == "failed":
            refunded = {} if code.startswith("SAFETY.") else {"cost": {"credits": 0}}
            return task | cost | refunded | {"status": "FAILED", "failure": "It failed (fake).", **({"failureCode": code} if code else {})}
        if name == "cancelled":
            return task | {"status": "CANCELLED", "cost": {"credits": 0}}
        if name in ("done", "done_no_url", "done_two", "expired"):
            url = self.address(job)
            outputs = {"done_no_url": [], "expired": [], "done_two": [url, self.address(job)]}.get(name, [url])
            return task | cost | {"status": "SUCCEEDED", "output": outputs}
        state = STATES.get(name, "RUNNING")
        return task | _estimate(job) | {"status": state, **({"progress": 0.42} if state == "RUNNING" else {})}

    # --- the rest ------------------------------------------------------------------------------------------------

    def _place(self, asked: Asked) -> Reply:
        wrong = fields({"filename": text(3, 255), "type": one_of("ephemeral")}, "filename", "type")(asked.json())
        if wrong:
            return self.error(400, wrong)
        key = f"upload-{len(self.uploads)}"
        self.uploads[f"runway://{key}"] = b""
        return Reply(200, {"uploadUrl": f"{self.origin}/uploads", "fields": {"key": key, "policy": "p"}, "runwayUri": f"runway://{key}"})

    def _stored(self, asked: Asked) -> Reply:
        """The place for uploads: takes no key of ours, and the file comes last."""
        if "authorization" in asked.headers:
            self.leaks.append(asked.path)
            return Reply(400)
        parts = multipart(asked)
        names = [name for name, _, _ in parts]
        values = {name: data for name, _, data in parts}
        uri = "runway://" + values.get("key", b"").decode()
        if names[-1:] != ["file"] or values.get("policy") != b"p" or uri not in self.uploads:
            return Reply(403, b"<Error/>", {"Content-Type": "application/xml"})
        self.uploads[uri] = values["file"]
        return Reply(204)

    def _organization(self) -> Reply:
        limits = {"maxConcurrentGenerations": self.slots or 2, "maxDailyGenerations": self.daily or 100}
        return Reply(200, {
            "creditBalance": 100_000 - int(self.ledger.total * 100),
            "tier": {"maxMonthlyCreditSpend": 10_000, "models": dict.fromkeys(CREDITS, limits)},
            "usage": {"models": {name: {"dailyGenerations": len(self.jobs)} for name in CREDITS}},
        })  # fmt: skip


def _estimate(job: Job) -> dict[str, Any]:
    return {"estimatedCost": {"credits": int(job.usd * 100)}}


def _document(model: str, uri: Rule) -> Rule:
    """The body that a model takes."""
    place = one_of("first") if model.startswith("gen4") else one_of("first", "last")
    pictures = each(fields({"uri": uri, "position": place}, "uri", "position"), 1, 1 if model.startswith("gen4") else 2)
    known: dict[str, Rule] = {
        "model": one_of(model), "promptImage": lambda v: uri(v) if isinstance(v, str) else pictures(v), "promptText": text(1, 1000),
    }  # fmt: skip
    needed = ["model", "promptImage"]
    if model.startswith("gen4"):
        known |= {"ratio": one_of(*GEN4), "duration": whole(2, 10), "seed": SEED}
        needed += ["ratio"] + (["promptText", "duration"] if model == "gen4.5" else [])
    elif model.startswith("veo"):
        known |= {"ratio": one_of(*VEO), "duration": one_of(4, 6, 8), "audio": flag, "negativePrompt": text(0, 1000), "seed": SEED}
        needed += ["ratio"]
    else:
        frames = ("1920:1080", "1080:1920", "1440:1440") if model.endswith("pro") else ("1280:720", "720:1280", "960:960")
        known |= {"ratio": one_of(*frames), "duration": whole(3, 15), "audio": flag}
    return fields(known, *needed)


def multipart(asked: Asked) -> list[tuple[str, str, bytes]]:
    """(name, file name, data) of each part of a form."""
    kind = asked.headers.get("content-type", "")
    boundary = kind.partition("boundary=")[2].strip('"').encode()
    found = []
    for part in asked.body.split(b"--" + boundary)[1:-1] if boundary else []:
        head, _, data = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        facts = {
            key.strip(): value.strip('"')
            for line in head.decode("latin-1").split("\r\n") if line.lower().startswith("content-disposition:")
            for key, _, value in (piece.partition("=") for piece in line.split(";")[1:])
        }  # fmt: skip
        found.append((facts.get("name", ""), facts.get("filename", ""), data.removesuffix(b"\r\n")))
    return found


def data_uri(data: bytes, form: str = "png") -> str:
    """Bytes as a data URI."""
    return f"data:image/{form};base64,{base64.b64encode(data).decode('ascii')}"
