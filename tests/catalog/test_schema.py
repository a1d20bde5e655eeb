"""The schemas: sound JSON Schema, good for editors, and the source of complaints that a person can act on."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from clipbuild.catalog import schema
from clipbuild.catalog.faults import Fault

ROOT = Path(__file__).resolve().parents[2]


def nodes(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema of a file that describes a value, with its path."""

    def walk(node: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
        if isinstance(node, dict):
            if {"type", "anyOf", "enum", "allOf", "const"} & set(node) and isinstance(node.get("type", ""), str | list):
                yield path, node
            for key, part in node.items():
                if key not in ("examples", "enum", "const", "propertyNames"):
                    yield from walk(part, f"{path}/{key}")
        elif isinstance(node, list):
            for number, part in enumerate(node):
                yield from walk(part, f"{path}/{number}")

    return walk(schema.document(name), name)


@pytest.mark.parametrize("name", [schema.CATALOG, schema.PROJECT])
def test_it_is_json_schema(name: str) -> None:
    """Draft 7, which the YAML servers of editors know best."""
    jsonschema_rs.meta.validate(dict(schema.document(name)))
    assert schema.document(name)["$schema"].startswith("http://json-schema.org/draft-07/")


@pytest.mark.parametrize("name", [schema.CATALOG, schema.PROJECT])
def test_every_key_says_what_it_is_for(name: str) -> None:
    """An editor shows a description and an example for each key, whether written here or referred to."""

    def props(node: Any) -> Iterator[tuple[str, Any]]:
        if isinstance(node, dict):
            for key, part in node.items():
                if key == "properties":
                    yield from part.items()
                yield from props(part)
        elif isinstance(node, list):
            for part in node:
                yield from props(part)

    for key, node in props(schema.document(name)):
        _, real = schema.resolved(name, node)
        assert real.get("description"), key
        assert real.get("examples") or "enum" in real or real.get("type") == "boolean", key


@pytest.mark.parametrize("name", [schema.CATALOG, schema.PROJECT])
def test_examples_are_valid(name: str) -> None:
    """What the schema gives as an example passes the schema."""
    registry = jsonschema_rs.Registry([(part, dict(schema.document(part))) for part in (schema.CATALOG, schema.PROJECT)])
    count = 0
    for path, node in nodes(name):
        pointer = "/".join(part.replace("~", "~0").replace("/", "~1") for part in path.split("/")[1:])
        for example in node.get("examples", ()):
            validator = jsonschema_rs.Draft7Validator({"$ref": f"{name}#/{pointer}"}, registry=registry)
            assert validator.is_valid(example), (path, example)
            count += 1
    assert count > 30


def test_the_storefront_passes_a_stock_validator() -> None:
    """A plain YAML reader and a JSON-Schema validator that knows nothing of clipbuild agree with the example."""
    registry = jsonschema_rs.Registry([(part, dict(schema.document(part))) for part in (schema.CATALOG, schema.PROJECT)])
    for name, files in {schema.CATALOG: "catalog/*.yaml", schema.PROJECT: "clipbuild.yaml"}.items():
        validator = jsonschema_rs.Draft7Validator({"$ref": name}, registry=registry)
        for path in (ROOT / "examples" / "storefront").glob(files):
            value = json.loads(json.dumps(yaml.safe_load(path.read_text(encoding="utf-8"))))
            assert [str(error) for error in validator.iter_errors(value)] == [], path


def test_no_key_is_both_text_and_number() -> None:
    """A key of numbers is one everywhere, since digits below it are read as numbers."""
    numbers = schema.number_keys(schema.PROJECT)
    assert {"duration", "at", "for", "amount", "gain", "takes", "fps", "pools"} <= numbers
    for name in (schema.CATALOG, schema.PROJECT):
        for path, node in nodes(name):
            key = path.rpartition("/properties/")[2]
            if "/" not in key and key in numbers:
                assert "string" not in json.dumps({k: v for k, v in node.items() if k not in ("description", "examples")}), path


def product(**keys: Any) -> list[Fault]:
    """What is wrong with a product of these keys."""
    return schema.faults(schema.CATALOG, "product", {"sku": "a", "name": "A", **{k.replace("__", "-"): v for k, v in keys.items()}})


def said(*faults: Fault) -> list[str]:
    return [f"{'.'.join(map(str, fault.path))}: {fault.what} | {fault.hint}" for fault in faults]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"promt": "x"}, "promt: unknown key 'promt' | "),
        ({"captons": []}, "captons: unknown key 'captons' | did you mean \"captions\"?"),
        ({"Caption_Style": "x"}, "Caption_Style: unknown key 'Caption_Style' | did you mean \"caption_style\"?"),
        ({"duration": "5"}, "duration: expected a number, found the text '5' | remove the quotes"),
        ({"duration": ".nan"}, "duration: expected a number, found the text '.nan'"),
        ({"duration": True}, "duration: expected a number, found true"),
        ({"duration": -5}, "duration: -5 is too little: at least 0.5 | "),
        ({"duration": 700}, "duration: 700 is too much: at most 600 | "),
        ({"takes": 1.5}, "takes: expected a whole number, found 1.5"),
        ({"hook": None}, "hook: nothing is written here; expected text or a map | write a value, or remove the line"),
        ({"hook": True}, "hook: expected text or a map, found true | for the word, put it in quotes: \"true\""),
        ({"platforms": "tiktok"}, "platforms: expected a list, found the text 'tiktok' | write [tiktok]"),
        ({"platforms": ["a", "a"]}, "platforms: something is in this list twice | "),
        ({"duration": "05"}, "duration: expected a number, found the text '05' | write 5"),
        ({"duration": "4,5 s"}, "duration: expected a number, found the text '4,5 s' | write 4.5"),
        ({"duration": "long"}, "duration: expected a number, found the text 'long' | for example: 5"),
        ({"price": "€14"}, "price: unknown key 'price' | write `offer: {price: …}`"),
        ({"title": "x"}, "title: unknown key 'title' | write `post: {title: …}`"),
        ({"images": "x.png"}, "images: unknown key 'images' | did you mean \"photos\"?"),
        ({"recipe": "lifestyle"}, "recipe: recipe can't be 'lifestyle' | did you mean \"packshot\"?"),
        ({"sku": "Müsli-Schüssel"}, ("sku: sku can't be 'Müsli-Schüssel' | letters a-z, digits, dash, underscore and dot only, "
         "beginning with a letter or digit; for example \"Muesli-Schuessel\"")),
        ({"photos": "photos\\a.png"}, ("photos: photos can't be 'photos\\\\a.png' | write a path inside the project, relative "
         "to clipbuild.yaml, like photos/mug.jpg; for example \"photos/a.png\"")),
        ({"languages": ["deutsch"]}, ("languages.0: languages can't be 'deutsch' | a language is written like en, de or pt-BR; "
         "for example \"de\"")),
        ({"cta": {"en_US": "x"}}, ("cta.en_US: can't be a key: 'en_US' | a language is written like en, de or pt-BR; "
         "did you mean \"en-US\"?")),
        ({"post": {"hashtags": ["#two words"]}}, ("post.hashtags.0: hashtags can't be '#two words' | write hashtags without # and "
         "without spaces; for example \"twowords\"")),
        ({"recipe": "crad"}, "recipe: recipe can't be 'crad' | did you mean \"card\"?"),
        ({"photos": "/etc/passwd"}, "photos: photos can't be '/etc/passwd' | write a path inside the project"),
        ({"photos": ["a.png", "../b.png"]}, "photos.1: photos can't be '../b.png' | write a path inside the project"),
        ({"motion": {"name": "a", "amout": 1}}, "motion.amout: unknown key 'amout' | did you mean \"amount\"?"),
        ({"captions": [{"text": "a", "at": -1}]}, "captions.0.at: -1 is too little: at least 0 | "),
        ({"captions": [{"en": "Salt", "meet pepper": None}]}, "captions.0.meet pepper: can't be a key: 'meet pepper' | a comma"),
        ({"offer": "€12"}, "offer: expected a map, found the text '€12' | for example: {\"price\": \"€12\""),
        ({"variants": 1_000_000_000}, "variants: expected a list, found 1000000000"),
        ({"image_provider": "openai"}, "image_provider: image_provider can't be 'openai' | write local, or provider/model"),
        ({"ground": {"colors": ["red"]}}, "ground.colors.0: colors can't be 'red' | write a colour as \"#rrggbb\", in quotes"),
        ({"sku": "../../x"}, "sku: sku can't be '../../x' | letters a-z, digits"),
        ({"name": "x" * 301}, "name: 301 characters; at most 300 | "),
        ({"x__Material": "oak"}, "x-Material: unknown key 'x-Material' | a key of your own begins with x-"),
    ],
)
def test_a_fault_is_said_so_that_it_can_be_mended(keys: dict[str, Any], expected: str) -> None:
    """Where, what, and what to write instead."""
    found = said(*product(**keys))
    assert len(found) <= 2
    assert any(line.startswith(expected) for line in found), found


def test_a_misspelt_key_is_not_missing_too() -> None:
    """`nam:` is one fault, not two."""
    assert said(*schema.faults(schema.CATALOG, "product", {"sku": "a", "nam": "A"})) == [
        "nam: unknown key 'nam' | did you mean \"name\"?"
    ]
    assert said(*schema.faults(schema.CATALOG, "product", {"sku": "a"})) == [": 'name' is missing | write `name: …`"]


def test_platforms_at_the_wrong_place() -> None:
    """A list of platforms belongs into the defaults, and the hint says so."""
    (fault,) = schema.faults(schema.PROJECT, "", {"platforms": ["tiktok"]})
    assert "defaults: {platforms: [" in fault.hint


def test_faults_of_the_project_file() -> None:
    """The project's schema reaches into the catalog's: layers are judged alike."""
    value = {"defaults": {"motoin": "x"}, "budget": {"build": "-1"}, "pools": {"kling": 0}, "platforms": {"a b": {"spec": "x"}}}
    assert sorted(fault.path for fault in schema.faults(schema.PROJECT, "", value)) == [
        ("budget", "build"), ("defaults", "motoin"), ("platforms", "a b"), ("pools", "kling"),
    ]  # fmt: skip
