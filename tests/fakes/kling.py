"""A fake of Kling's new standard: create, query by ids or by the client's ids, list, and files that die.

`repeats` says what a second submit of one external id does: refused (1201), or taken and billed again, as both were seen.
`lags` lookups by the client's id know nothing yet of what was made.
"""

import time
from decimal import Decimal
from typing import Any

from . import media
from .server import Fake, Job
from .strict import each, fields, flag, one_of, text, whole
from .wire import Asked, Reply

USD = {
    ("kling-3.0", "720p"): ("0.084", "0.126"), ("kling-3.0", "1080p"): ("0.112", "0.168"), ("kling-3.0", "4k"): ("0.42", "0.42"),
    ("kling-3.0-turbo", "720p"): ("0.112", "0.112"), ("kling-3.0-turbo", "1080p"): ("0.14", "0.14"),
    ("kling-3.0-omni", "720p"): ("0.084", "0.112"), ("kling-3.0-omni", "1080p"): ("0.112", "0.14"),
    ("kling-2.6", "720p"): ("0.042", "0.042"), ("kling-2.6", "1080p"): ("0.07", "0.14"),
    ("kling-2.5-turbo", "720p"): ("0.042", "0.042"), ("kling-2.5-turbo", "1080p"): ("0.07", "0.07"),
}  # fmt: skip
SIDES = {"720p": 720, "1080p": 1080, "4k": 2160}
CODES = {400: 1201, 401: 1002, 402: 1102, 403: 1103, 404: 1203, 429: 1302, 500: 5000, 503: 5001, 504: 5002}
STATES = {"queued": "submitted", "running": "processing", "throttled": "submitted", "unknown_status": "dreaming"}
REQUEST_ID = "11111111-aaaa-4bbb-8ccc-000000000001"


def picture(value: Any) -> str:
    """What is wrong with a picture: an https address, or bare base64."""
    if not isinstance(value, str) or not value or value.startswith("data:"):
        return "neither an address nor bare base64"
    size = None if value.startswith("https://") else media.measured(media.decoded(value))
    if not value.startswith("https://") and size is None:
        return "the picture can't be read"
    return "the picture is too small" if size and min(size) < 300 else ""


def _content(value: Any) -> str:
    kinds = {
        "prompt": fields({"type": one_of("prompt"), "text": text(1, 3072)}, "type", "text"),
        "first_frame": fields({"type": one_of("first_frame"), "url": picture}, "type", "url"),
        "last_frame": fields({"type": one_of("last_frame"), "url": picture}, "type", "url"),
    }
    kind = value.get("type") if isinstance(value, dict) else None
    return kinds[kind](value) if kind in kinds else f"content of type {kind!r}"


OPTIONS = fields(
    {"callback_url": text(8, 2048), "external_task_id": text(1, 200), "watermark_info": fields({"enabled": flag})},
)


def _body(family: str, model: str) -> Any:
    settings = {"resolution": one_of("720p", "1080p", "4k"), "duration": whole(3, 15), "multi_shot": flag}
    if not model.endswith("turbo"):
        settings["audio"] = one_of("native", "off")
    if family != "image-to-video":
        settings["aspect_ratio"] = one_of("16:9", "9:16", "1:1")
    return fields({"contents": each(_content), "settings": fields(settings), "options": OPTIONS}, "contents")


class Kling(Fake):
    """The server. `slots` is the pack's concurrency: over it 1303."""

    name = "kling"

    def __init__(self, *, repeats: str = "refused", lags: int = 0, **settings: Any) -> None:
        super().__init__(**settings)
        self.repeats, self.lags = repeats, lags

    async def route(self, asked: Asked) -> Reply:
        """Create, query or list."""
        if asked.headers.get("authorization") != f"Bearer {self.key}":
            self.submits += asked.path.startswith(("/image-to-video/", "/text-to-video/", "/omni-video/"))
            return self.error(401)
        parts = asked.path.strip("/").split("/")
        if asked.method == "POST" and len(parts) == 2 and parts[0] in ("image-to-video", "text-to-video", "omni-video"):
            return await self._create(asked, parts[0], parts[1])
        if asked.path == "/tasks":
            return self._query(asked) if asked.method == "GET" else self._list(asked)
        return self.error(404)

    def error(self, status: int, word: str = "") -> Reply:
        """{code, message, request_id}; words: moderation, quota, concurrency, or what is wrong with the request."""
        if status in (502, 408, 409, 307):
            return Reply(status, b"<html>bad gateway</html>", {"Content-Type": "text/html"})
        code = {"moderation": 1301, "quota": 1102, "concurrency": 1303}.get(word, CODES.get(status, 5000))
        status = 429 if word == "quota" else status
        return Reply(status, {"code": code, "message": f"{word or 'no'} (fake)", "request_id": REQUEST_ID})

    async def _create(self, asked: Asked, family: str, model: str) -> Reply:
        body = asked.json()
        known = any(name == model for name, _ in USD)
        wrong = "unknown model" if not known else _body(family, model)(body)
        wrong = wrong or _frames(family, body["contents"])
        token = (body.get("options") or {}).get("external_task_id", "") if isinstance(body, dict) else ""
        if not wrong and token and self.repeats == "refused" and any(job.token == token for job in self.jobs.values()):
            self.submits += 1
            return Reply(400, {"code": 1201, "message": f"External_task_id {token} already exists", "request_id": REQUEST_ID})
        if not wrong and self.slots and self.busy() >= self.slots:
            self.submits += 1
            return self.error(429, "concurrency")
        return await self.submitted(asked, wrong, lambda: self._made(body, family, model, token), lambda job: self._taken(job))

    def _made(self, body: Any, family: str, model: str, token: str) -> Job:
        settings = {"resolution": "720p", "duration": 5, "audio": "native", **body.get("settings", {})}
        has_sound = settings["audio"] == "native"
        usd = Decimal(USD.get((model, settings["resolution"]), ("0.42", "0.42"))[has_sound]) * settings["duration"]
        first = next((media.decoded(c["url"]) for c in body["contents"] if c["type"] == "first_frame"), b"")
        size = media.measured(first) if first else None
        shape = _shape(settings, size, has_sound, first)
        wanted = {"family": family, "model": model, "contents": body["contents"], "settings": body.get("settings")}
        job = self.new_job(wanted, usd, shape, model, token)
        job.facts["created"] = int(time.time() * 1000)
        return job

    def _taken(self, job: Job) -> Reply:
        now = job.facts["created"]
        data = {"id": job.id, "create_time": now, "update_time": now, "status": "submitted"}
        return fine(data | ({"external_id": job.token} if job.token else {}))

    def _query(self, asked: Asked) -> Reply:
        by = [name for name in ("task_ids", "external_task_ids") if name in asked.query]
        if len(by) != 1 or set(asked.query) - set(by):
            return self.error(400, "give task_ids or external_task_ids")
        ids = asked.query[by[0]].split(",")
        if len(ids) > 20:
            return self.error(400, "too many ids")
        if by[0] == "task_ids":
            found = [self.jobs[i] for i in ids if i in self.jobs]
        else:
            self.lags -= 1
            found = [job for job in self.jobs.values() if job.token in ids and self.lags < 0]
            return fine([self._view(job, job.settled or "running") for job in found])
        views = []
        for job in found:
            word = self.polled(job)
            if word == "404":
                continue
            spoiled = self.spoiled_poll(word)
            if spoiled:
                return spoiled
            views.append(self._view(job, word))
        return fine(views)

    def _view(self, job: Job, word: str) -> dict[str, Any]:
        name, _, code = word.partition(":")
        now = job.facts["created"]
        task: dict[str, Any] = {"id": job.id, "create_time": now, "update_time": now, "message": ""}
        task |= {"external_id": job.token} if job.token else {}
        if name in ("failed", "cancelled"):
            risky = "Failure to pass the risk control system" if "SAFETY" in code else f"Internal error {code}"
            return task | {"status": "failed", "message": f"{risky} (fake)"}
        if name not in ("done", "done_no_url", "done_two", "expired"):
            return task | {"status": STATES.get(name, "processing")}
        output = {"type": "video", "id": f"{job.id}9", "url": self.address(job), "duration": f"{job.shape.seconds}.041"}
        outputs = {"done_no_url": [], "expired": [], "done_two": [output, output]}.get(name, [output])
        units = str(job.usd / Decimal("0.14"))
        billing = [{"charge_type": "unit", "package_type": "video", "amount": units, "list_price": str(job.usd)}]
        return task | {"status": "succeeded", "outputs": outputs, "billing": billing}

    def _list(self, asked: Asked) -> Reply:
        wanted = fields({
            "start_time": whole(0, 1 << 62), "end_time": whole(0, 1 << 62), "cursor": text(0, 99), "limit": whole(1, 500),
            "filters": each(fields({"key": one_of("status", "product_type"), "values": each(text(1, 99))}, "key", "values")),
        })  # fmt: skip
        body = asked.json()
        wrong = wanted(body)
        if wrong:
            return self.error(400, wrong)
        spans = [body.get("start_time", 0), body.get("end_time", 1 << 62)]
        found = [job for job in self.jobs.values() if spans[0] <= job.facts["created"] <= spans[1]]
        start, limit = int(body.get("cursor") or 0), body.get("limit", 100)
        page = [self._view(job, job.settled or "running") for job in found[start : start + limit]]
        more = start + limit < len(found)
        data = {"result": page, "count": len(page), "has_more": more}
        return fine(data | ({"next_cursor": str(start + limit)} if more else {}))


def fine(data: Any) -> Reply:
    """An answer of either standard."""
    return Reply(200, {"code": 0, "message": "SUCCEED", "request_id": REQUEST_ID, "data": data})


def _frames(family: str, contents: list[dict[str, Any]]) -> str:
    kinds = [content["type"] for content in contents]
    if len(kinds) != len(set(kinds)) or "prompt" not in kinds:
        return "one prompt, one first and one last frame at most"
    if "last_frame" in kinds and "first_frame" not in kinds:
        return "a last frame never stands alone"
    return "image-to-video needs a first frame" if family == "image-to-video" and "first_frame" not in kinds else ""


def _shape(settings: dict[str, Any], size: tuple[int, int] | None, audio: bool, first: bytes) -> media.Shape:
    """The frame of the output: that of the picture, its shorter side as the resolution says; squares are larger."""
    side = SIDES[settings["resolution"]]
    across, down = size or tuple(int(part) for part in settings.get("aspect_ratio", "16:9").split(":"))
    scale = (4 / 3 if across == down else 1) * side / min(across, down)
    width, height = (round(part * scale / 2) * 2 for part in (across, down))
    return media.Shape(width, height, settings["duration"], audio, first)
