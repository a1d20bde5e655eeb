"""What each provider's models can do, and what they cost: the tables beside this file as data.

`problems` and `price` judge a request by its model's table alone. Knows no protocol, no network and no clock.
"""

import math
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from clipbuild.providers.contract import Price, Request

MILLION = Decimal(1_000_000)
_SIZE = re.compile(r"([0-9]{2,5})x([0-9]{2,5})\Z")
_SECONDS = re.compile(r"([0-9]+)-([0-9]+)\Z")


@dataclass(frozen=True, slots=True)
class Size:
    """A frame a model makes: its name at the provider ("1080p", "1080:1920"), width and height."""

    name: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Slack:
    """What may come on top of a list price: a factor, and USD a request (tokens for thinking, for input)."""

    factor: Decimal = Decimal(1)
    extra: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Free:
    """Frames of any size within limits: sides are multiples of `step`, no longer than `longest`, pixels in a span."""

    step: int
    longest: int
    pixels: tuple[int, int]
    ratio: Decimal


@dataclass(frozen=True, slots=True)
class Model:
    """One model. `seconds` are all lengths it makes; `audio` is never, optional or always; `sizes` by aspect.

    `seconds_at`: those of a resolution that makes fewer. `per_second`: resolution → (silent, with sound) USD;
    `per_picture`: quality → (pixels, USD) by pixels; `per_million`: USD for a million tokens of a kind; `pictures`: most
    input pictures, `least_pictures` it needs.
    """

    id: str
    provider: str
    kind: str
    source: str
    sizes: Mapping[str, tuple[Size, ...]] = field(default_factory=dict)
    free: Free | None = None
    seconds: tuple[int, ...] = ()
    seconds_at: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    audio: str = "never"
    seed: bool = False
    negative: bool = False
    last: bool = False
    background: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    prompt: int = 0
    prompt_unit: str = "characters"
    needs_prompt: bool = True
    pictures: int = 1
    least_pictures: int = 0
    candidates: int = 1
    qualities: tuple[str, ...] = ()
    per_second: Mapping[str, tuple[Decimal | None, Decimal | None]] = field(default_factory=dict)
    per_picture: Mapping[str, tuple[tuple[int, Decimal], ...]] = field(default_factory=dict)
    per_million: Mapping[str, Decimal] = field(default_factory=dict)
    per_minute: Decimal | None = None
    slack: Slack = field(default_factory=Slack)
    ends: date | None = None
    successor: str = ""
    takes: Mapping[str, Any] = field(default_factory=dict)


Models = Mapping[str, Model]


def shipped(provider: str) -> Models:
    """The table that ships with clipbuild. Raises ValueError for a table that is wrong."""
    path = os.path.join(os.path.dirname(__file__), f"{provider}.yaml")
    with open(path, encoding="utf-8") as file:
        return parsed(file.read(), provider)


def parsed(text: str, provider: str) -> Models:
    """A table's text as models. Raises ValueError that names the model and the field."""
    import yaml

    table = yaml.safe_load(text)
    models = {}
    for name, entry in table["models"].items():
        try:
            models[name] = _model(str(name), provider, entry)
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            raise ValueError(f"{provider}.yaml: model {name!r}: {error!r}") from error
    return models


def _model(name: str, provider: str, entry: Mapping[str, Any]) -> Model:
    plain = {key: value for key, value in entry.items() if key not in _READERS}
    unknown = set(plain) - set(Model.__dataclass_fields__)
    if unknown:
        raise ValueError(f"unknown field {min(unknown)!r}")
    read = {key: reader(entry[key]) for key, reader in _READERS.items() if key in entry}
    return Model(id=name, provider=provider, **plain, **read)


def _sizes(value: Mapping[str, Mapping[str, str]]) -> dict[str, tuple[Size, ...]]:
    return {aspect: tuple(Size(str(name), *_size(size)) for name, size in sizes.items()) for aspect, sizes in value.items()}


def _size(text: str) -> tuple[int, int]:
    found = _SIZE.match(text)
    if not found:
        raise ValueError(f"not a size: {text!r}")
    return int(found[1]), int(found[2])


def _free(value: Mapping[str, Any]) -> Free:
    least, most = value["pixels"]
    return Free(int(value["step"]), int(value["longest"]), (int(least), int(most)), _money(value["ratio"]))


def _lengths(value: object) -> tuple[int, ...]:
    if isinstance(value, str):
        span = _SECONDS.match(value)
        if not span:
            raise ValueError(f"not a span of seconds: {value!r}")
        return tuple(range(int(span[1]), int(span[2]) + 1))
    if not isinstance(value, list):
        raise ValueError(f"not a list of seconds: {value!r}")
    return tuple(sorted(int(second) for second in value))


def _money(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"not an amount: {value!r}")
    return Decimal(str(value))


def _per_second(value: Mapping[str, list[object]]) -> dict[str, tuple[Decimal | None, Decimal | None]]:
    pairs = {name: [None if price is None else _money(price) for price in pair] for name, pair in value.items()}
    return {str(name): (pair[0], pair[1]) for name, pair in pairs.items()}


def _per_picture(value: Mapping[str, Mapping[str, object]]) -> dict[str, tuple[tuple[int, Decimal], ...]]:
    def rows(prices: Mapping[str, object]) -> Iterator[tuple[int, Decimal]]:
        for size, price in prices.items():
            width, height = _size(size)
            yield width * height, _money(price)

    return {str(quality): tuple(sorted(rows(prices))) for quality, prices in value.items()}


def _date(value: object) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "sizes": _sizes, "free": _free, "seconds": _lengths, "seconds_at": lambda value: {n: _lengths(v) for n, v in value.items()},
    "per_second": _per_second, "per_picture": _per_picture,
    "per_million": lambda value: {name: _money(price) for name, price in value.items()}, "per_minute": _money,
    "slack": lambda value: Slack(_money(value.get("factor", 1)), _money(value.get("extra", 0))), "ends": _date,
    "background": tuple, "formats": tuple, "qualities": tuple,
}  # fmt: skip


def find(models: Models, request: Request) -> Model | None:
    """The model that a request names."""
    return models.get(str(request.params.get("model", "")))


def size(model: Model, request: Request) -> Size | None:
    """The frame to ask for: the smallest of the wanted aspect that covers the wanted width and height, else the largest.

    A resolution named by `resolution` or `quality` ("720p") is taken as it is.
    """
    width, height = int(request.params.get("width") or 0), int(request.params.get("height") or 0)
    if model.free:
        return _free_size(model.free, width or 1024, height or 1024)
    sizes = model.sizes.get(str(request.params.get("aspect", "")), ())
    named = str(request.params.get("resolution") or (model.kind == "video" and request.params.get("quality")) or "")
    if named or not sizes:
        return next((size for size in sizes if named in (size.name, resolution(size))), None)
    covering = [size for size in sizes if size.width >= width and size.height >= height]
    return covering[0] if covering else sizes[-1]


def resolution(size: Size) -> str:
    """A frame's everyday name: 720p, 1080p, 4k …: by the pixels of the 16:9 frame it compares to."""
    pixels = size.width * size.height
    for name, most in (("360p", 300_000), ("720p", 1_200_000), ("1080p", 2_200_000)):
        if pixels <= most:
            return name
    return "4k"


def _free_size(free: Free, width: int, height: int) -> Size | None:
    """The smallest allowed frame that covers width × height (scaled into the span of pixels), or None."""
    least, most = free.pixels
    grow = max(1.0, (least / (width * height)) ** 0.5)
    wide, high = (_stepped(side * grow, free.step) for side in (width, height))
    while wide * high > most or max(wide, high) > free.longest:
        shrink = min((most / (wide * high)) ** 0.5, free.longest / max(wide, high))
        wide, high = (int(side * shrink) // free.step * free.step for side in (wide, high))
    if not high or not wide or max(Decimal(wide) / high, Decimal(high) / wide) > free.ratio:
        return None
    return Size(f"{wide}x{high}", wide, high)


def _stepped(side: float, step: int) -> int:
    return math.ceil(side / step - 1e-9) * step


def seconds(model: Model, request: Request) -> int | None:
    """The length to buy: the shortest one the model makes that is no shorter than what is wanted."""
    wanted = float(request.params.get("seconds") or 0)
    return next((length for length in lengths(model, request)[0] if length >= wanted - 1e-6), None)


def lengths(model: Model, request: Request) -> tuple[tuple[int, ...], str]:
    """All lengths it makes of the frame that is wanted, and that frame's name where others last otherwise."""
    frame = size(model, request) if model.seconds_at else None
    named = (frame.name, resolution(frame)) if frame else ()
    found = next((name for name in named if name in model.seconds_at), "")
    return (model.seconds_at[found], found) if found else (model.seconds, "")


def problems(model: Model | None, request: Request, models: Models, today: date) -> list[str]:
    """What of a request the model can't do, in sentences."""
    if model is None:
        named = str(request.params.get("model") or "")
        known = ", ".join(name for name, each in models.items() if each.kind == request.kind and not _is_over(each, today))
        return [f"there is no model {named!r} for {request.kind}; known are {known or 'none'}"]
    if model.kind != request.kind:
        return [f"{model.id} makes {model.kind}, not {request.kind}"]
    if _is_over(model, today):
        return [f"{model.id} ended on {model.ends}" + (f"; its successor is {model.successor}" if model.successor else "")]
    checks = (_prompt, _frame, _length, _extras, _pictures, _choices)
    return [problem for check in checks for problem in check(model, request)]


def notes(model: Model | None, today: date) -> list[str]:
    """What a person should know about a model that still works: that it will end."""
    if model is None or model.ends is None or _is_over(model, today):
        return []
    return [f"{model.id} ends on {model.ends}" + (f"; its successor is {model.successor}" if model.successor else "")]


def _is_over(model: Model, today: date) -> bool:
    return model.ends is not None and today >= model.ends


def units(text: str, unit: str) -> int:
    """The length of a text as the provider counts it: characters, or UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2 if unit == "utf16" else len(text)


def _prompt(model: Model, request: Request) -> Iterator[str]:
    text = str(request.params.get("prompt") or "")
    if model.needs_prompt and not text.strip():
        yield f"{model.id} needs a prompt"
    length = units(text, model.prompt_unit)
    if model.prompt and length > model.prompt:
        yield f"{model.id} takes a prompt of at most {model.prompt:,} characters, this one has {length:,}"
    if request.params.get("negative") and not model.negative:
        yield f"{model.id} takes no negative prompt"


def _frame(model: Model, request: Request) -> Iterator[str]:
    if not model.sizes and model.free is None:
        return
    if size(model, request) is not None:
        return
    aspect = str(request.params.get("aspect", ""))
    if model.free or aspect not in model.sizes:
        yield f"{model.id} makes no {aspect} frame; it makes {_listed(model.sizes) or 'frames up to 3:1'}"
        return
    named = request.params.get("resolution") or request.params.get("quality")
    yield f"{model.id} makes no {named} frame at {aspect}; it makes {_listed(s.name for s in model.sizes[aspect])}"


def _length(model: Model, request: Request) -> Iterator[str]:
    if not model.seconds:
        return
    wanted = request.params.get("seconds")
    if not isinstance(wanted, int | float) or isinstance(wanted, bool) or not 0 < wanted < math.inf:
        yield f"{model.id} needs a length in seconds, not {wanted!r}"
    elif seconds(model, request) is None:
        made, frame = lengths(model, request)
        yield f"{model.id} makes {f'{frame} ' if frame else ''}clips of {_span(made)} s, not of {wanted:g} s"


def _extras(model: Model, request: Request) -> Iterator[str]:
    if request.params.get("audio") and model.audio == "never":
        yield f"{model.id} makes no sound"
    if request.params.get("seed") is not None and not model.seed:
        yield f"{model.id} takes no seed"
    if request.params.get("camera"):
        yield f"{model.id} takes no camera settings; say the camera's move in the prompt"


def _pictures(model: Model, request: Request) -> Iterator[str]:
    given = [name for name in request.files if name != "last"]
    if len(given) < model.least_pictures:
        yield f"{model.id} needs a picture to start from"
    if len(given) > model.pictures:
        yield f"{model.id} takes at most {model.pictures} pictures, here are {len(given)}"
    if "last" in request.files and not model.last:
        yield f"{model.id} takes no last frame"
    elif "last" in request.files and not given:
        yield f"{model.id} takes a last frame only with a first one"


def _choices(model: Model, request: Request) -> Iterator[str]:
    count = request.params.get("n", 1)
    if not isinstance(count, int) or not 1 <= count <= model.candidates:
        yield f"{model.id} makes 1 to {model.candidates} at once, not {count!r}"
    for name, known in (("quality", model.qualities), ("background", model.background), ("format", model.formats)):
        value = request.params.get(name)
        if known and value and value not in known:
            yield f"{model.id} knows no {name} {value!r}; it knows {_listed(known)}"


def _listed(words: Any) -> str:
    return ", ".join(words)


def _span(lengths: tuple[int, ...]) -> str:
    whole = lengths == tuple(range(lengths[0], lengths[-1] + 1)) and len(lengths) > 2
    return f"{lengths[0]} to {lengths[-1]}" if whole else _listed(str(length) for length in lengths)


def video_price(model: Model, request: Request) -> Price | None:
    """List price by the second, and with what may come on top; None where there is none."""
    frame, length = size(model, request), seconds(model, request)
    if frame is None or length is None:
        return None
    pair = model.per_second.get(frame.name) or model.per_second.get(resolution(frame)) or (None, None)
    has_sound = model.audio == "always" or (model.audio == "optional" and bool(request.params.get("audio")))
    rate = pair[1] if has_sound else pair[0]
    if rate is None:
        return None
    least = rate * length
    return Price(least, least * model.slack.factor + model.slack.extra)
