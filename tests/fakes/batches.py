"""A fake of OpenAI with its Batch API: files, batches of one line, their output, and finding them by metadata."""

import asyncio
import json
from decimal import Decimal
from typing import Any

from . import media
from .openai import OpenAI
from .runway import multipart
from .server import Job
from .strict import fields, one_of, text
from .wire import Asked, Reply

STATES = {"queued": "validating", "throttled": "validating", "running": "in_progress", "unknown_status": "dreaming"}


def _text_map(value: Any) -> str:
    good = isinstance(value, dict) and len(value) <= 16 and all(isinstance(v, str) and len(v) <= 512 for v in value.values())
    return "" if good else "metadata is not as it must be"


BATCH = fields({
    "input_file_id": text(1, 99), "endpoint": one_of("/v1/images/generations", "/v1/images/edits"), "completion_window": one_of("24h"),
    "metadata": _text_map,
}, "input_file_id", "endpoint", "completion_window")  # fmt: skip
LINE = fields({
    "custom_id": text(1, 512), "method": one_of("POST"), "url": text(1, 99), "body": lambda value: "",
}, "custom_id", "method", "url", "body")  # fmt: skip


class OpenAIBatch(OpenAI):
    """The server: pictures at once, and batches."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.files: dict[str, bytes] = {}
        self._free = asyncio.Condition()
        self._creating = 0

    def job_id(self, number: int) -> str:
        """A batch's id, or a request's."""
        return f"batch_fake{number:08d}"

    async def route(self, asked: Asked) -> Reply:
        """Files and batches; all else as without them."""
        path = self.path(asked)
        if not path.startswith(("/files", "/batches")):
            return await super().route(asked)
        if asked.headers.get("authorization") != f"Bearer {self.key}":
            self.submits += path == "/batches" and asked.method == "POST"
            return self.error(401)
        if path == "/files" and asked.method == "POST":
            return self._stored(asked)
        if path.startswith("/files/") and path.endswith("/content"):
            data = self.files.get(path.split("/")[2])
            return Reply(200, data, {"Content-Type": "application/octet-stream"}) if data else self.error(404)
        if path == "/batches":
            return await (self._alone(asked) if asked.method == "POST" else self._listed(asked))
        return await self._one(asked, path.split("/"))

    def _stored(self, asked: Asked) -> Reply:
        parts = {name: data for name, _, data in multipart(asked)}
        if set(parts) != {"purpose", "file"} or parts["purpose"] != b"batch":
            return self.error(400, "a file of purpose batch")
        name = f"file-fake{len(self.files)}"
        self.files[name] = parts["file"]
        return Reply(200, {"id": name, "object": "file", "bytes": len(parts["file"]), "purpose": "batch", "filename": "line.jsonl"})

    async def _alone(self, asked: Asked) -> Reply:
        """Make a batch; lists wait for it, as they do where one database knows both."""
        self._creating += 1
        try:
            return await self._created(asked)
        finally:
            self._creating -= 1
            async with self._free:
                self._free.notify_all()

    async def _created(self, asked: Asked) -> Reply:
        body = asked.json()
        wrong = BATCH(body) or ("" if body["input_file_id"] in self.files else "no such file")
        lines = [] if wrong else [json.loads(line) for line in self.files[body["input_file_id"]].splitlines()]
        wrong = wrong or next((w for w in map(LINE, lines) if w), "") or ("" if len(lines) == 1 else "this fake takes one line")
        drawn: Reply | None = None
        if not wrong:
            wrong, drawn = await self._answered(lines[0], body["endpoint"])

        def job() -> Job:
            assert drawn is not None
            usage = drawn.body["usage"]
            details = usage["input_tokens_details"]
            usd = Decimal(5 * details["text_tokens"] + 8 * details["image_tokens"] + 30 * usage["output_tokens"]) / 2_000_000
            token = body.get("metadata", {}).get("clipbuild", "")
            made = self.new_job(lines[0]["body"], usd, media.Shape(1, 1), lines[0]["body"]["model"], token)
            made.facts |= {"line": lines[0], "answer": drawn.body, "batch": body}
            return made

        return await self.submitted(asked, wrong, job, lambda made: Reply(200, self._view(made, "queued")))

    async def _answered(self, line: dict[str, Any], endpoint: str) -> tuple[str, Reply | None]:
        """(what is wrong, the pictures) of a line."""
        body, photos = dict(line["body"]), []
        if line["url"] != endpoint:
            return "the line is for another endpoint", None
        if endpoint.endswith("edits"):
            references = body.pop("images", [])
            photos = [media.decoded(reference.get("image_url", "")) for reference in references]
            if not 1 <= len(photos) <= 16 or not all(media.measured(photo) for photo in photos):
                return "1 to 16 pictures as data URLs", None
        wrong = self._wrong(body, self.rule(endpoint.endswith("edits")))
        return wrong, None if wrong else await self._pictures(body, tuple(photos))

    async def _listed(self, asked: Asked) -> Reply:
        async with self._free:
            await self._free.wait_for(lambda: not self._creating)
        limit, after = int(asked.query.get("limit", "20")), asked.query.get("after", "")
        if set(asked.query) - {"limit", "after"} or not 1 <= limit <= 100:
            return self.error(400, "limit and after")
        newest = [job for job in reversed(self.jobs.values()) if "batch" in job.facts]
        start = next((place + 1 for place, job in enumerate(newest) if job.id == after), 0)
        page = [self._view(job, job.settled or "running") for job in newest[start : start + limit]]
        more = start + limit < len(newest)
        return Reply(200, {"object": "list", "data": page, "has_more": more})

    async def _one(self, asked: Asked, parts: list[str]) -> Reply:
        job = self.jobs.get(parts[2])
        if job is None:
            return self.error(404)
        if parts[3:] == ["cancel"] and asked.method == "POST":
            job.settled = job.settled or "cancelled"
            return Reply(200, self._view(job, "running"))
        word = self.polled(job)
        return self.spoiled_poll(word) or Reply(200, self._view(job, word))

    def _view(self, job: Job, word: str) -> dict[str, Any]:
        name, _, code = word.partition(":")
        batch = {"id": job.id, "object": "batch", "errors": None, "created_at": 1795400000, "metadata": {}, **job.facts["batch"]}
        batch |= {"output_file_id": None, "error_file_id": None, "request_counts": {"total": 1, "completed": 0, "failed": 0}}
        if name in ("cancelled", "expired"):
            return batch | {"status": name}
        if name not in ("done", "done_no_url", "done_two", "failed"):
            return batch | {"status": STATES.get(name, "in_progress")}
        if name == "done_no_url":
            return batch | {"status": "completed"}
        line = {"id": "batch_req_1", "custom_id": job.facts["line"]["custom_id"], "error": None}
        if name == "failed":
            word = "moderation" if code.startswith("SAFETY") else "failed"
            answer = {"status_code": 400, "request_id": "req_b", "body": self.error(400, word).body}
        else:
            answer = {"status_code": 200, "request_id": "req_b", "body": job.facts["answer"]}
        self.files[f"file-{job.id}"] = json.dumps({**line, "response": answer}).encode() + b"\n"
        return batch | {"status": "completed", "output_file_id": f"file-{job.id}"}
