"""A fake of OpenAI's pictures and transcription: answers at once or as streams of events, strict sizes and fields, models
that have ended.

Words for streams: `stream_cut` (and `:N`: after N events), `stream_hang`, `stream_error`, `stream_moderation`.
"""

import asyncio
import base64
import hashlib
import itertools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from . import media
from .runway import multipart
from .server import Fake, Job
from .strict import Rule, fields, flag, one_of, text, whole
from .wire import Asked, Reply

FREE = ("gpt-image-2", "gpt-image-2-2026-04-21", "gpt-image-2.5-flare", "gpt-image-2.5-flare-2026-09-08",
        "gpt-image-2.5-sunburst", "gpt-image-2.5-sunburst-2026-09-08")  # fmt: skip
ENDED = ("gpt-image-1", "dall-e-2", "dall-e-3")
TOKENS = {"low": 196, "medium": 1756, "high": 7024, "xhigh": 3122, "max": 7024}
TOKENS_25 = {"low": 147, "medium": 343, "high": 1320, "xhigh": 2347, "max": 5280}
PHOTO_TOKENS, PARTIAL_TOKENS = 770, 100
TYPES = {400: "invalid_request_error", 401: "invalid_request_error", 403: "invalid_request_error", 404: "invalid_request_error",
         408: "timeout", 409: "conflict", 429: "requests", 500: "server_error", 503: "server_error", 504: "server_error"}  # fmt: skip
CODES = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}


def _size(value: Any) -> str:
    if value in ("auto", "1024x1024", "1536x1024", "1024x1536"):
        return ""
    found = re.fullmatch(r"(\d+)x(\d+)", str(value))
    if not found:
        return f"Invalid size {value!r}"
    width, height = int(found[1]), int(found[2])
    if width % 16 or height % 16:
        return f"Invalid size {value!r}: width and height must be divisible by 16"
    if max(width, height) > 3840 or not 1 / 3 <= width / height <= 3 or not 655_360 <= width * height <= 8_294_400:
        return f"Invalid size {value!r}: out of range"
    return ""


def _known(edit: bool) -> dict[str, Rule]:
    rules: dict[str, Rule] = {
        "model": one_of(*FREE), "prompt": text(1, 32_000), "n": whole(1, 10), "size": _size,
        "quality": one_of("auto", "low", "medium", "high", "xhigh", "max"), "background": one_of("auto", "opaque", "transparent"),
        "output_format": one_of("png", "webp", "jpeg"), "output_compression": whole(0, 100), "user": text(1, 99),
        "stream": flag, "partial_images": whole(0, 3), "safety_identifier": text(1, 99),
    }  # fmt: skip
    return rules if edit else {**rules, "moderation": one_of("auto", "low")}


def event(told: dict[str, Any]) -> bytes:
    """One event on the wire."""
    return f"event: {told['type']}\ndata: {json.dumps(told)}\n\n".encode()


def events(kind: str, made: dict[str, Any], body: dict[str, Any]) -> Iterator[bytes]:
    """The events of one picture: the unfinished ones that were asked for, then the whole with its usage."""
    told = {name: made[name] for name in ("background", "output_format", "quality", "size")} | {"created_at": made["created"]}
    picture = made["data"][0]["b64_json"]
    for number in range(body.get("partial_images", 0)):
        yield event({"type": f"{kind}.partial_image", "b64_json": picture, "partial_image_index": number, **told})
    yield event({"type": f"{kind}.completed", "b64_json": picture, "usage": made["usage"], **told})


class OpenAI(Fake):
    """The server. A job is charged even when nobody waits for its answer."""

    name = "openai"
    prefix = "/v1"

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._requests = itertools.count(1)
        self._open = 0
        self.stream = True
        """False: a gateway that answers whole where a stream was asked for."""

    def job_id(self, number: int) -> str:
        """A request id."""
        return f"req_fake{number:024d}"

    async def route(self, asked: Asked) -> Reply:
        """One of the three calls."""
        calls: dict[str, Callable[[Asked], Any]] = {
            "/images/generations": self._generate, "/images/edits": self._edit, "/audio/transcriptions": self._transcribe,
        }  # fmt: skip
        call = calls.get(self.path(asked))
        if call is None or asked.method != "POST":
            return self.error(404)
        if asked.headers.get("authorization") != f"Bearer {self.key}":
            self.submits += 1
            return self.error(401)
        if self.slots and self._open >= self.slots:
            self.submits += 1
            return self.error(429)
        self._open += 1
        try:
            reply: Reply = await call(asked)
        except BaseException:
            self._left()
            raise
        asyncio.get_running_loop().call_later(reply.wait, self._left)
        return reply

    def _left(self) -> None:
        self._open -= 1

    def error(self, status: int, word: str = "") -> Reply:
        """{error{message,type,param,code}}."""
        if status in (502, 307):
            return Reply(status, b"<html><body>Bad gateway</body></html>", {"Content-Type": "text/html"})
        kind, code = TYPES.get(status, "server_error"), CODES.get(status)
        error: dict[str, Any] = {"message": f"{word or 'no'} (fake).", "type": kind, "param": None, "code": code}
        if word == "moderation":
            error |= {"type": "image_generation_user_error", "code": "moderation_blocked",
                      "moderation_details": {"moderation_stage": "input", "categories": ["violence"]}}  # fmt: skip
        if word == "quota":
            status = 429
            error |= {"type": "insufficient_quota", "code": "insufficient_quota"}
        elif status == 400 and word != "moderation":
            error |= {"code": "invalid_value"}
        return Reply(status, {"error": error}, {"x-request-id": f"req_error{next(self._requests):08d}"})

    async def _generate(self, asked: Asked) -> Reply:
        body = asked.json()
        return await self._draw(asked, body, (), self._wrong(body, self.rule(False)))

    async def _edit(self, asked: Asked) -> Reply:
        parts = multipart(asked)
        photos = tuple(data for name, file, data in parts if name in ("image", "image[]") and file)
        body: dict[str, Any] = {name: data.decode("utf-8", "replace") for name, file, data in parts if not file}
        for name in ("n", "partial_images", "output_compression"):
            if body.get(name, "").isdigit():
                body[name] = int(body[name])
        if body.get("stream") in ("true", "false"):
            body["stream"] = body["stream"] == "true"
        wrong = self._wrong(body, self.rule(True))
        strange = [name for name, file, _ in parts if file and name not in ("image", "image[]", "mask")]
        if not wrong and (strange or not 1 <= len(photos) <= 16):
            wrong = f"unknown file {strange[0]}" if strange else "1 to 16 pictures"
        if not wrong and not all(media.measured(photo) and len(photo) < 50_000_000 for photo in photos):
            wrong = "a picture can't be read"
        return await self._draw(asked, body, photos, wrong, "image_edit")

    def rule(self, edit: bool) -> Rule:
        """The fields of a picture from words, or of an edit."""
        return fields(_known(edit), "model", "prompt")

    def _wrong(self, body: Any, rule: Rule) -> str:
        model = body.get("model") if isinstance(body, dict) else None
        if model in ENDED:
            return "ended"
        wrong = rule(body)
        if not wrong and "-2.5-" not in body["model"] and body.get("quality") in ("xhigh", "max"):
            wrong = "quality is not known to this model"
        if not wrong and body.get("background") == "transparent" and body.get("output_format") == "jpeg":
            wrong = "jpeg is never transparent"
        if not wrong and body.get("partial_images") and not body.get("stream"):
            wrong = "partial_images is for streams"
        if not wrong and body.get("stream") and body.get("n", 1) != 1:
            wrong = "a stream is of one picture"
        return wrong

    async def _draw(
        self, asked: Asked, body: Any, photos: tuple[bytes, ...], wrong: str, kind: str = "image_generation"
    ) -> Reply:
        if wrong == "ended":
            self.submits += 1
            return self.error(404, f"The model {body['model']} does not exist")
        made: list[Reply] = []
        if not wrong:
            made.append(await self._pictures(body, photos))

        def job() -> Job:
            usage = made[0].body["usage"]
            cost = 5 * usage["input_tokens_details"]["text_tokens"] + 8 * usage["input_tokens_details"]["image_tokens"]
            usd = (Decimal(cost) + 30 * usage["output_tokens"]) / 1_000_000
            wanted = {**body, "photos": [hashlib.sha256(photo).hexdigest() for photo in photos]}
            job = self.new_job(wanted, usd, media.Shape(1, 1), body["model"])
            job.facts["photos"] = len(photos)
            return job

        def taken(job: Job) -> Reply:
            head = {"x-request-id": job.id}
            if not (body.get("stream") and self.stream):
                return Reply(200, made[0].body, head, wait=self.seconds)
            told = {"Content-Type": "text/event-stream; charset=utf-8", **head}
            return Reply(200, None, told, wait=self.seconds, pieces=tuple(events(kind, made[0].body, body)))

        return await self.submitted(asked, wrong, job, taken)

    def spoiled(self, name: str, argument: str, job: Job, reply: Reply) -> Reply:
        """Streams that break off or end with an error; moderation is not charged."""
        if reply.pieces is None:
            return super().spoiled({"stream_cut": "reset_after", "stream_hang": "timeout_after"}.get(name, name), argument, job, reply)
        if name == "ok_truncated":
            last = reply.pieces[-1]
            return replace(reply, pieces=(*reply.pieces[:-1], last[: len(last) // 2]), then="reset")
        if name in ("stream_cut", "stream_hang"):
            then = "reset" if name == "stream_cut" else "hang"
            return replace(reply, pieces=reply.pieces[: int(argument or 0)], then=then)
        if name in ("stream_error", "stream_moderation"):
            error = self.error(400 if name == "stream_moderation" else 500, name.partition("_")[2]).body["error"]
            if name == "stream_moderation":
                self.ledger.charges = [charge for charge in self.ledger.charges if charge.job != job.id]
            return replace(reply, pieces=(*reply.pieces[:-1], event({"type": "error", "error": error})))
        return super().spoiled(name, argument, job, reply)

    async def _pictures(self, body: dict[str, Any], photos: tuple[bytes, ...]) -> Reply:
        size = body.get("size", "auto")
        size = "1024x1536" if size == "auto" else size
        width, height = (int(side) for side in size.split("x"))
        count, form = body.get("n", 1), body.get("output_format", "png")
        quality = body.get("quality", "auto")
        quality = "medium" if quality == "auto" else quality
        data = []
        for number in range(count):
            shape = media.Shape(width, height, number=number)
            drawn = await asyncio.to_thread(media.picture, shape, photos, form, self.small)
            data.append({"b64_json": base64.b64encode(drawn).decode("ascii")})
        tokens = (TOKENS_25 if "-2.5-" in body["model"] else TOKENS)[quality] * count
        tokens += PARTIAL_TOKENS * body.get("partial_images", 0)
        text_tokens = len(body["prompt"]) // 4 + 8
        details = {"text_tokens": text_tokens, "image_tokens": PHOTO_TOKENS * len(photos)}
        usage = {
            "input_tokens": sum(details.values()), "input_tokens_details": details, "output_tokens": tokens,
            "output_tokens_details": {"image_tokens": tokens, "text_tokens": 0}, "total_tokens": sum(details.values()) + tokens,
        }  # fmt: skip
        ground = body.get("background", "auto")
        told = {"created": 1795400000, "background": "opaque" if ground == "auto" else ground, "output_format": form}
        return Reply(200, {**told, "quality": quality, "size": size, "data": data, "usage": usage})

    async def _transcribe(self, asked: Asked) -> Reply:
        parts = multipart(asked)
        body = {name: data.decode("utf-8", "replace") for name, file, data in parts if not file}
        sound = next((data for name, file, data in parts if name == "file" and file), b"")
        wrong = fields({
            "model": one_of("whisper-1"), "response_format": one_of("verbose_json"), "language": text(2, 2),
            "timestamp_granularities[]": one_of("word"),
        }, "model", "response_format")(body)  # fmt: skip
        wrong = wrong or ("" if sound else "file is missing")

        def job() -> Job:
            wanted = {**body, "file": hashlib.sha256(sound).hexdigest()}
            return self.new_job(wanted, Decimal("0.006") * 3 / 60, media.Shape(1, 1), "whisper-1")

        words = ("Meet", 0.0, 0.28), ("the", 0.28, 0.4), ("little", 0.44, 0.8), ("lamp", 0.84, 1.3)
        answer = {
            "task": "transcribe", "language": "english", "duration": 2.4, "text": "Meet the little lamp.",
            "words": [{"word": word, "start": start, "end": end} for word, start, end in words],
            "usage": {"type": "duration", "seconds": 3},
        }  # fmt: skip
        return await self.submitted(asked, wrong, job, lambda job: Reply(200, answer, {"x-request-id": job.id}))
