"""A fake of Veo's long-running operations on Vertex: predict, fetch; the clip comes inside the operation."""

import asyncio
import base64
from decimal import Decimal
from typing import Any

from . import media
from .google import Google
from .server import Job
from .strict import each, fields, flag, one_of, text, whole
from .wire import Asked, Reply

USD = {"veo-3.1-generate-001": ("0.40", "0.40"), "veo-3.1-fast-generate-001": ("0.10", "0.12"), "veo-3.1-lite-generate-001": ("0.05", "0.08")}
SIDES = {"720p": 720, "1080p": 1080}


def _picture(value: Any) -> str:
    wrong = fields({"bytesBase64Encoded": lambda v: "", "mimeType": one_of("image/png", "image/jpeg")}, "bytesBase64Encoded", "mimeType")
    return wrong(value) or ("" if media.measured(media.decoded(value["bytesBase64Encoded"])) else "the picture can't be read")


BODY = fields({
    "instances": each(fields({"prompt": text(1, 1 << 16), "image": _picture, "lastFrame": _picture}, "prompt"), 1, 1),
    "parameters": fields({
        "aspectRatio": one_of("16:9", "9:16"), "durationSeconds": one_of(4, 6, 8), "resolution": one_of(*SIDES), "generateAudio": flag,
        "seed": whole(0, (1 << 32) - 1), "negativePrompt": text(1, 1 << 16), "personGeneration": one_of("dont_allow", "allow_adult"),
        "sampleCount": one_of(1), "resizeMode": one_of("crop", "pad"),
    }),
}, "instances")  # fmt: skip


class Vertex(Google):
    """The server, in project `p` at `us-central1`."""

    name = "vertex"
    prefix = "/v1/projects/p/locations/us-central1"
    id_start = "op-"

    async def route(self, asked: Asked) -> Reply:
        """predictLongRunning and fetchPredictOperation."""
        model, _, action = self.path(asked).removeprefix("/publishers/google/models/").partition(":")
        if asked.headers.get("authorization") != f"Bearer {self.key}":
            self.submits += action == "predictLongRunning"
            return self.error(401)
        if model not in USD or asked.method != "POST":
            self.submits += action == "predictLongRunning"
            return self.error(404)
        if action == "predictLongRunning":
            body = asked.json()
            return await self.submitted(asked, self._wrong(body), lambda: self._begun(body, model), lambda j: Reply(200, self._name(j)))
        name = str((asked.json() or {}).get("operationName", ""))
        job = self.jobs.get(name.rpartition("/")[2])
        if action != "fetchPredictOperation" or job is None or name != self._name(job)["name"]:
            return self.error(404)
        word = self.polled(job)
        return self.spoiled_poll(word) or await self._operation(job, word)

    def _name(self, job: Job) -> dict[str, Any]:
        return {"name": f"{self.prefix.removeprefix('/v1/')}/publishers/google/models/{job.model}/operations/{job.id}"}

    def _wrong(self, body: Any) -> str:
        wrong = BODY(body)
        parameters = {} if wrong else body.get("parameters", {})
        if parameters.get("resolution") == "1080p" and parameters.get("durationSeconds") != 8:
            return "1080p is 8 s only"
        return wrong

    def _begun(self, body: Any, model: str) -> Job:
        asked = {"aspectRatio": "16:9", "durationSeconds": 8, "resolution": "720p", "generateAudio": True, **body.get("parameters", {})}
        usd = Decimal(USD[model][asked["resolution"] == "1080p"]) * asked["durationSeconds"]
        side = SIDES[asked["resolution"]]
        width, height = (side, side * 16 // 9) if asked["aspectRatio"] == "9:16" else (side * 16 // 9, side)
        image = body["instances"][0].get("image")
        first = media.decoded(image["bytesBase64Encoded"]) if image else b""
        return self.new_job(body, usd, media.Shape(width, height, asked["durationSeconds"], asked["generateAudio"], first), model)

    async def _operation(self, job: Job, word: str) -> Reply:
        name, _, code = word.partition(":")
        told: dict[str, Any] = self._name(job)
        if name == "failed" and code.startswith("SAFETY"):
            reasons = {"raiMediaFilteredCount": 1, "raiMediaFilteredReasons": ["Filtered by policy (fake)"]}
            return Reply(200, {**told, "done": True, "response": reasons})
        if name in ("failed", "cancelled"):
            return Reply(200, {**told, "done": True, "error": {"code": 13, "message": "Internal error (fake)"}})
        if name != "done":
            return Reply(200, told)
        data = await asyncio.to_thread(media.clip, job.shape, self.small)
        video = {"bytesBase64Encoded": base64.b64encode(data).decode("ascii"), "mimeType": "video/mp4"}
        return Reply(200, {**told, "done": True, "response": {"raiMediaFilteredCount": 0, "videos": [video]}})
