"""Data against the JSON Schemas in `schema/`, with complaints a person can act on.

The schemas are the one truth for validation and for editors. Knows the words of JSON Schema, not those of a catalog.
"""

import functools
import json
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

from clipbuild import resources
from clipbuild.catalog import words
from clipbuild.catalog.faults import Fault, did_you_mean, unknown
from clipbuild.catalog.places import Path
from clipbuild.errors import shown

CATALOG, PROJECT = "catalog.schema.json", "clipbuild.schema.json"
NOUNS = {
    "string": "text", "number": "a number", "integer": "a whole number", "boolean": "true or false", "array": "a list",
    "object": "a map", "null": "nothing",
}  # fmt: skip
NUMERIC = {"number", "integer"}


@functools.cache
def document(name: str) -> Mapping[str, Any]:
    """One schema file."""
    with open(os.path.join(resources.folder("schema"), name), encoding="utf-8") as file:
        found = json.load(file)
    assert isinstance(found, dict)
    return found


@functools.cache
def number_keys(name: str) -> frozenset[str]:
    """Keys whose value is a number: elsewhere what looks like one stays the text that was written."""
    found: set[str] = set()
    for part in {CATALOG, name}:
        _collect(part, document(part), found)
    return frozenset(found)


def _collect(name: str, node: Any, found: set[str]) -> None:
    if isinstance(node, list):
        for part in node:
            _collect(name, part, found)
    if not isinstance(node, dict):
        return
    for key, part in node.items():
        if key == "properties":
            found |= {inner for inner, schema in part.items() if _numeric(name, schema)}
        if key not in ("examples", "enum", "const"):
            _collect(name, part, found)


def _numeric(name: str, schema: Mapping[str, Any]) -> bool:
    """A schema of numbers, or of a map whose every value is one."""
    name, schema = resolved(name, schema)
    if isinstance(schema.get("type"), str) and schema["type"] in NUMERIC:
        return True
    if any(isinstance(value, int | float) and not isinstance(value, bool) for value in schema.get("enum", ())):
        return True
    inner = schema.get("additionalProperties")
    parts = [*schema.get("allOf", ()), *([inner] if isinstance(inner, dict) else [])]
    return any(_numeric(name, part) for part in parts)


def resolved(name: str, schema: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Where a `$ref` leads: (schema file, node)."""
    while "$ref" in schema:
        target, _, pointer = schema["$ref"].partition("#")
        name = target or name
        schema = document(name)
        for part in pointer.split("/")[1:]:
            schema = schema[part]
    return name, schema


def faults(name: str, definition: str, value: Any) -> list[Fault]:
    """Everything wrong with `value` as a `definition` of the schema file `name` ("" for the whole of it)."""
    root = {"$ref": f"{name}#/definitions/{definition}" if definition else name}
    found = [fault for error in _validator(name, definition).iter_errors(value) for fault in _faults(name, root, error)]
    meant = {(fault.path[:-1], fault.meant) for fault in found if fault.meant}
    return [fault for fault in found if (fault.path, fault.missing) not in meant]


@functools.cache
def _validator(name: str, definition: str) -> Any:
    import jsonschema_rs

    registry = jsonschema_rs.Registry([(part, dict(document(part))) for part in (CATALOG, PROJECT)])
    root = {"$ref": f"{name}#/definitions/{definition}" if definition else name}
    return jsonschema_rs.Draft7Validator(root, registry=registry)


def _faults(name: str, root: Mapping[str, Any], error: Any, base: Path = ()) -> Iterator[Fault]:
    path: Path = (*base, *error.instance_path)
    kind = error.kind.name
    if kind == "anyOf":
        yield from _branch(name, root, error, base)
        return
    if kind == "additionalProperties":
        where, node = _standing(name, root, error.evaluation_path[:-1])
        known = sorted(node.get("properties", {}))
        for key in error.kind.unexpected:
            if words.named("key", key) not in known and (inside := _inside(where, node, key)):
                yield Fault((*path, key), f"unknown key {shown(key, 60)!r}", f"write `{inside}: {{{key}: …}}`", key=True)
                continue
            hint = "a key of your own begins with x-" if "patternProperties" in node else ""
            yield unknown((*path, key), "key", key, known, key=True, hint=hint)
        return
    if kind == "propertyNames":
        inner = error.kind.error
        steps = list(error.evaluation_path)
        steps = steps[: len(steps) - steps[::-1].index("propertyNames")] if "propertyNames" in steps else steps
        hint = str(_node(name, root, steps).get("patternErrorMessage", ""))
        if meant := _spelt(inner.instance, _node(name, root, steps)):
            hint += f'; did you mean "{meant}"?'
        elif " " in str(inner.instance):
            hint = "a comma ends a text inside { }: put the text in quotes"
        yield Fault((*path, str(inner.instance)), f"can't be a key: {shown(inner.instance, 60)!r}", hint, key=True)
        return
    node = _node(name, root, error.evaluation_path[:-1])
    yield _said(node, error, path)


def _inside(name: str, node: Mapping[str, Any], key: str) -> str:
    """The key beside it whose map knows this key: `offer` for `price`. "" where there is none, or several."""
    maps = []
    for outer, part in node.get("properties", {}).items():
        where, inner = resolved(name, part)
        forms = [resolved(where, form)[1] for form in (inner, *inner.get("anyOf", ()))]
        if any(form.get("type") == "object" and key in form.get("properties", {}) for form in forms):
            maps.append(outer)
    return maps[0] if len(maps) == 1 else ""


def _spelt(value: Any, node: Mapping[str, Any]) -> str:
    """A valid spelling of a text that is refused for its form, or ""."""
    pattern = node.get("pattern")
    joint = "" if "hashtags" in node.get("patternErrorMessage", "") else "-"
    found = words.spellings(value, joint) if isinstance(value, str) and isinstance(pattern, str) else ()
    return next((one for one in found if one != value and re.search(str(pattern), one)), "")


def _branch(name: str, root: Mapping[str, Any], error: Any, base: Path) -> Iterator[Fault]:
    """Of several forms a value may have, the one it was probably meant to be: same kind, fewest faults."""
    where, node = _standing(name, root, error.evaluation_path[:-1])
    fitting = [
        (len(errors), number)
        for number, errors in enumerate(error.kind.context)
        if not any(e.kind.name in ("type", "const") and len(e.instance_path) == len(error.instance_path) for e in errors)
    ]
    if not fitting:
        yield _wrong_kind(where, node, error.instance, (*base, *error.instance_path))
        return
    best = min(fitting)[1]
    if isinstance(error.instance, dict) and len(fitting) > 1:
        best = _by_keys(where, node, error.instance, [number for _, number in fitting], best)
    for inner in error.kind.context[best]:
        yield from _faults(name, root, inner, base)


def _by_keys(name: str, node: Mapping[str, Any], value: Mapping[str, Any], fitting: list[int], best: int) -> int:
    """Among forms that are maps, the first that knows one of the keys, else one whose keys are free."""
    known = {number: resolved(name, node["anyOf"][number])[1].get("properties", {}) for number in fitting}
    by_key = [number for number in fitting if any(key in known[number] for key in value)]
    return next(iter(by_key), next((number for number in fitting if not known[number]), best))


def _wrong_kind(name: str, node: Mapping[str, Any], value: Any, path: Path) -> Fault:
    kinds = []
    for part in node["anyOf"]:
        inner = resolved(name, part)[1]
        while inner.get("allOf"):
            inner = resolved(name, inner["allOf"][0])[1]
        if "const" in inner:
            kinds.append(_written(inner["const"]))
        else:
            kinds.append(NOUNS[inner["type"]] if isinstance(inner.get("type"), str) else "text")
    return _expected(path, list(dict.fromkeys(kinds)), value, node)


def _expected(path: Path, wanted: list[str], value: Any, node: Mapping[str, Any]) -> Fault:
    """A value of the wrong kind, with what to write instead."""
    said = " or ".join(wanted)
    if value is None:
        return Fault(path, f"nothing is written here; expected {said}", "write a value, or remove the line")
    hint = f"for example: {json.dumps(node['examples'][0], ensure_ascii=False)}" if node.get("examples") else ""
    if node.get("kindErrorMessage"):
        hint = str(node["kindErrorMessage"])
    elif not path and isinstance(value, list):
        hint = f"write its key above the list, and indent the list: {', '.join(node.get('properties', ()))}"
    elif isinstance(value, bool) and "text" in wanted and "false" not in wanted:
        hint = f'for the word, put it in quotes: "{_written(value)}"'
    elif isinstance(value, str) and "a list" in wanted:
        hint = f"write [{shown(value, 60)}]" if not re.search(r"[\[\]{},:#]", value) else hint
    elif isinstance(value, str) and wanted[0].endswith("number") and (number := words.number(value)):
        hint = "remove the quotes" if number == value else f"write {number}"
    return Fault(path, f"expected {said}, found {_found(value)}", hint)


def _found(value: Any) -> str:
    if isinstance(value, str):
        return f"the text {shown(value, 60)!r}"
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "a map"
    return _written(value)


def _written(value: Any) -> str:
    return json.dumps(value) if not isinstance(value, str) else value


def _node(name: str, root: Mapping[str, Any], path: Any) -> Mapping[str, Any]:
    return _standing(name, root, path)[1]


def _standing(name: str, root: Mapping[str, Any], path: Any) -> tuple[str, Mapping[str, Any]]:
    """The schema node at an evaluation path, through its references, and the schema file it stands in."""
    node: Any = root
    for part in path:
        if part == "$ref":
            name, node = resolved(name, node)
        else:
            node = node[part]
    return resolved(name, node) if isinstance(node, dict) else (name, {})


def _said(node: Mapping[str, Any], error: Any, path: Path) -> Fault:
    kind, value = error.kind, error.instance
    said = getattr(kind, "value", None)
    key = next((f"{part} " for part in reversed(path) if isinstance(part, str)), "")
    hint = str(node.get("patternErrorMessage", ""))
    match kind.name:
        case "type":
            return _expected(path, [NOUNS[name] for name in kind.types], value, node)
        case "required":
            return Fault(path, f"{kind.property!r} is missing", f"write `{kind.property}: …`", missing=kind.property)
        case "enum":
            return _none_of(path, key, node["enum"], value)
        case "const":
            return _expected(path, [_written(node["const"])], value, node)
        case "pattern":
            meant = _spelt(value, node)
            hint = "; ".join(part for part in (hint, f'for example "{meant}"' if meant else "") if part)
            return Fault(path, f"{key}can't be {shown(value, 60)!r}", hint)
        case _:
            return Fault(path, _measure(kind.name, said, value))


def _none_of(path: Path, key: str, allowed: list[Any], value: Any) -> Fault:
    if not isinstance(value, str) or not all(isinstance(word, str) for word in allowed):
        return _expected(path, ["one of " + ", ".join(map(_written, allowed))], value, {})
    facts = (("known", ", ".join(allowed)),)
    named = words.named(key.strip(), value)
    hint = f'did you mean "{named}"?' if named in allowed else did_you_mean(value, allowed)
    return Fault(path, f"{key}can't be {shown(value, 60)!r}", hint, facts)


def _measure(kind: str, limit: Any, value: Any) -> str:
    size = len(value) if isinstance(value, str | list | dict) else value
    words = {
        "minimum": f"{size} is too little: at least {limit}",
        "exclusiveMinimum": f"{size} is too little: more than {limit}",
        "maximum": f"{size} is too much: at most {limit}",
        "exclusiveMaximum": f"{size} is too much: less than {limit}",
        "multipleOf": f"{size} is no multiple of {limit}",
        "maxLength": f"{size} characters; at most {limit}",
        "minLength": "nothing is written here",
        "maxItems": f"{size} entries; at most {limit}",
        "minItems": "the list is empty",
        "minProperties": "the map is empty",
        "uniqueItems": "something is in this list twice",
    }
    return words.get(kind, f"not allowed here ({kind})")
