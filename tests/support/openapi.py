"""Checks what went over the wire against an OpenAPI 3.1 document: requests and answers, by method and path.

Knows no provider. Bodies that are no JSON (forms, clips) are checked by their status alone.
"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import jsonschema_rs

from tests.fakes.wire import Exchange

FOLDER = os.path.join(os.path.dirname(os.path.dirname(__file__)), "providers", "openapi")


@dataclass
class Document:
    """A document by file name; `prefix` is what its paths leave out."""

    name: str
    prefix: str = ""
    checked: int = 0
    _whole: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with open(os.path.join(FOLDER, f"{self.name}.openapi.json"), encoding="utf-8") as file:
            self._whole = json.load(file)

    def operation(self, method: str, path: str) -> dict[str, Any] | None:
        """What the document says of a call, or None."""
        for template, operations in self._whole["paths"].items():
            pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(self.prefix + template))
            if re.fullmatch(pattern, path) and method.lower() in operations:
                found: dict[str, Any] = operations[method.lower()]
                return found
        return None

    def wrong_request(self, exchange: Exchange) -> list[str]:
        """What of the request the document does not allow."""
        asked = exchange.asked
        operation = self.operation(asked.method, asked.path)
        if operation is None:
            return [f"{asked.method} {asked.path} is not in {self.name}"]
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" in asked.headers.get("content-type", "") and "application/json" in content:
            return self._errors(content["application/json"]["schema"], asked.json())
        return []

    def wrong_reply(self, exchange: Exchange) -> list[str]:
        """What of the answer the document does not allow."""
        asked, reply = exchange.asked, exchange.reply
        operation = self.operation(asked.method, asked.path)
        if operation is None or not reply.status:
            return []
        told = operation["responses"].get(str(reply.status))
        if told is None:
            return [f"{asked.method} {asked.path} never answers {reply.status}"]
        if "text/event-stream" in reply.headers.get("Content-Type", ""):
            return self.wrong_events(exchange)
        schema = told.get("content", {}).get("application/json", {}).get("schema")
        return self._errors(schema, json.loads(reply.data())) if schema and reply.body is not None else []

    def wrong_events(self, exchange: Exchange) -> list[str]:
        """What of a stream's events the document does not allow. Sizes and qualities are read as newer models have them:
        any text, as the SDK's types say."""
        schemas = self._whole["components"]["schemas"]
        known = {name: schema for schema in schemas.values() for name in schema.get("properties", {}).get("type", {}).get("enum", ())}
        wrong = []
        for part in exchange.reply.data().decode().split("\n\n")[:-1]:
            head, _, data = part.partition("\ndata: ")
            told = json.loads(data)
            schema = known.get(told["type"])
            if schema is None or head != f"event: {told['type']}" or set(told) - set(schema["properties"]):
                wrong.append(f"an event {head} of {sorted(told)}")
                continue
            wide = {**schema["properties"], "size": {"type": "string"}, "quality": {"type": "string"}}
            wrong += self._errors({**schema, "properties": wide}, told)
        return wrong

    def _errors(self, schema: dict[str, Any], value: Any) -> list[str]:
        self.checked += 1
        whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "components": self._whole.get("components", {})}
        validator = jsonschema_rs.validator_for({**whole, "allOf": [schema]}, ignore_unknown_formats=True)
        return list(_worded(validator, value))




def _worded(validator: Any, value: Any) -> Iterator[str]:
    for error in validator.iter_errors(value):
        yield f"{'/'.join(str(part) for part in error.instance_path)}: {str(error.message)[:300]}"
