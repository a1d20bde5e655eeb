"""OpenAI through its SDK: pictures from words or from up to sixteen photos, and the times of spoken words.

The answer itself carries the result and there is no handle to ask again: an answer that is lost is lost. A single picture
is asked for as a stream, so that the request's id is known, and life is seen, before the picture is there. The SDK
retries by default, without any key that would keep it from paying twice; here it never does. Imported only when asked.
"""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from clipbuild.providers import models, photos
from clipbuild.providers.config import Config
from clipbuild.providers.contract import (
    Accepted,
    JobId,
    OnSign,
    Outcome,
    PollError,
    Price,
    Request,
    Sign,
    State,
    Status,
    SubmitError,
)  # fmt: skip
from clipbuild.providers.http import Http, Rule, bearer, checked, decide, lost, seconds_of

if TYPE_CHECKING:
    import openai

BASE_URL = "https://api.openai.com/v1"
ANSWER_SECONDS = 900.0
"""How long an answer may take: large pictures at the highest quality take minutes, and a late one is paid all the same."""
PICTURE = photos.Picture(formats=("PNG", "JPEG", "WEBP"), largest=50_000_000)

TOKENS_A_PHOTO = (300, 6300)
"""Least and most input tokens of a reference photo: below what resellers list, above the most that earlier models took."""
SAFETY = Decimal("1.1")
PARTIAL_TOKENS = 300
"""Most output tokens of an unfinished picture on the way: three times what the guide said of older models. Not verified."""

MODERATED = frozenset(("moderation_blocked", "content_policy_violation"))
_O2 = "openai 3.54.0, _exceptions.py, and the error guide"
OUTCOMES = (
    Rule(Outcome.REFUSED, "moderation, seen in public test fixtures", status=400, codes=MODERATED),
    Rule(Outcome.LANE_CLOSED, "not verified", status=400, codes=frozenset(("billing_hard_limit_reached",))),
    Rule(Outcome.REFUSED, _O2, status=400),
    Rule(Outcome.LANE_CLOSED, _O2, status=401),
    Rule(Outcome.LANE_CLOSED, _O2, status=403),
    Rule(Outcome.REFUSED, _O2 + ": model_not_found", status=404),
    Rule(Outcome.LANE_CLOSED, _O2, status=429, codes=frozenset(("insufficient_quota",))),
    Rule(Outcome.BUSY, _O2, status=429),
)


def make(config: Config) -> "OpenAI":
    """The adapter. Raises UsageError for a base URL that no key may be sent to."""
    return OpenAI(config)


class OpenAI:
    """Provider `openai`."""

    name = "openai"
    can_find = False
    gives_signs = True

    def __init__(self, config: Config) -> None:
        self._config, self._base_url = config, checked(config.base_url or BASE_URL)
        self._models = config.models or models.shipped(self.name)
        self._http = Http(config, self._base_url, dict, config.patience or ANSWER_SECONDS)

    def problems(self, request: Request) -> Sequence[str]:
        """What of this request the model cannot do."""
        model = models.find(self._models, request)
        found = models.problems(model, request, self._models, self._config.today())
        if found or model is None or request.kind != "image":
            return found
        params = request.params
        if params.get("background") == "transparent" and params.get("format") == "jpeg":
            found.append("a jpeg has no transparent background")
        return [*found, *photos.unfit(request, PICTURE)]

    def notes(self, request: Request) -> Sequence[str]:
        """What a person should know of the model."""
        return models.notes(models.find(self._models, request), self._config.today())

    def price(self, request: Request) -> Price | None:
        """From the nearest published sizes, and what prompt and photos may take."""
        model = models.find(self._models, request)
        if model is None:
            return None
        if model.kind == "words":
            return spoken_price(model, request)
        return picture_price(model, request, self._config.partials if is_streamed(request) else 0)

    async def submit(self, request: Request, token: str, on_sign: OnSign | None = None) -> Accepted:
        """Ask once and wait for the result. `token` names the job where OpenAI gives no request id."""
        import openai

        found = self.problems(request)
        if found:
            raise SubmitError(Outcome.REFUSED, "can't be made", "; ".join(found))
        try:
            return await self._asked(self._sdk(), request, token, on_sign or _unheard)
        except openai.APIStatusError as error:
            raise failure(error) from error
        except openai.APIConnectionError as error:
            raise SubmitError(lost(error), type(error.__cause__ or error).__name__, "no answer to the submit") from error
        except openai.APIError as error:
            raise broken_off(error) from error

    def _sdk(self) -> "openai.AsyncOpenAI":
        """The SDK without its retries, over a plain client: no redirects, a connection for each submit alone."""
        import openai

        door: Any = self._http.client(is_submit=True)
        patience = self._http.patience
        key = bearer(self._config, self.name)
        return openai.AsyncOpenAI(api_key=key, base_url=self._base_url, max_retries=0, timeout=patience, http_client=door)

    async def _asked(self, sdk: "openai.AsyncOpenAI", request: Request, token: str, on_sign: OnSign) -> Accepted:
        try:
            if request.kind == "words":
                return await self._transcribed(sdk, request, token)
            return await self._drawn(sdk, request, token, on_sign)
        except (ValueError, TypeError, AttributeError, KeyError, binascii.Error) as error:
            raise SubmitError(Outcome.UNKNOWN, "bad answer", f"the answer could not be read: {type(error).__name__}") from error

    async def _drawn(self, sdk: "openai.AsyncOpenAI", request: Request, token: str, on_sign: OnSign) -> Accepted:
        model = self._models[request.params["model"]]
        fields = document(model, request)
        if is_streamed(request):
            fields |= {"stream": True, "partial_images": self._config.partials}
        with ExitStack() as files:
            photos = [files.enter_context(_opened(path)) for path in request.files.values()]
            images: Any = sdk.images.with_streaming_response
            asked = images.edit(image=photos, **fields) if photos else images.generate(**fields)
            async with asked as raw:
                job = str(raw.headers.get("x-request-id") or "")
                await on_sign(Sign(job, 0.0, "draws"))
                if "text/event-stream" in raw.headers.get("content-type", ""):
                    answer = await _streamed(await raw.parse(), self._config.partials, on_sign)
                else:
                    answer = _plain(await raw.read())
        pictures = [base64.b64decode(item["b64_json"], validate=True) for item in answer["data"]]
        if len(pictures) != fields["n"] or not all(pictures):
            raise ValueError("fewer pictures than asked for")
        named = {f"image_{number}": picture for number, picture in enumerate(pictures)}
        return Accepted(job or token, named, charged(answer.get("usage"), model))

    async def _transcribed(self, sdk: "openai.AsyncOpenAI", request: Request, token: str) -> Accepted:
        model, params = self._models[request.params["model"]], request.params
        fields = {"language": params["language"]} if params.get("language") else {}
        with _opened(next(iter(request.files.values()))) as sound:
            raw = await sdk.audio.transcriptions.with_raw_response.create(
                file=sound, model=model.id, response_format="verbose_json", timestamp_granularities=["word"], **fields
            )
        answer = _plain(raw.http_response.content)
        words = [{name: word[name] for name in ("word", "start", "end")} for word in answer["words"]]
        told = {"language": answer.get("language", ""), "text": answer["text"], "words": words}
        usage = answer.get("usage")
        length = usage.get("seconds") if isinstance(usage, Mapping) else None
        cost = model.per_minute * Decimal(length) / 60 if model.per_minute and length else None
        data = json.dumps(told, ensure_ascii=False, sort_keys=True, default=float).encode()
        return Accepted(str(raw.headers.get("x-request-id") or token), {"words": data}, cost)

    async def status(self, job: JobId) -> Status:
        """A job that was not stored at once is lost: OpenAI keeps no picture."""
        return Status(State.LOST, code="no handle", detail="the answer was the only copy")

    async def fetch(self, job: JobId, folder: str) -> Mapping[str, str]:
        """Nothing can be fetched again."""
        raise PollError("no handle", "openai keeps no pictures")

    async def find(self, token: str) -> JobId | None:
        """OpenAI can't be asked."""
        return None

    async def close(self) -> None:
        """Let the connections go."""
        await self._http.close()


def is_streamed(request: Request) -> bool:
    """Whether it is asked for as a stream: of a single picture alone, for no document says which of several an event
    would speak of."""
    return request.kind == "image" and int(request.params.get("n") or 1) == 1


async def _unheard(sign: Sign) -> None:
    """Nobody looks."""


async def _streamed(events: Any, partials: int, on_sign: OnSign) -> dict[str, Any]:
    """The picture and its usage, as an answer that is no stream has them. What comes after them is not waited for."""
    async for event in events:
        kind = str(getattr(event, "type", ""))
        if kind.endswith(".completed"):
            usage = event.usage.to_dict() if event.usage else None
            return {"data": [{"b64_json": event.b64_json}], "usage": usage}
        if kind.endswith(".partial_image"):
            number = int(event.partial_image_index) + 1
            await on_sign(Sign("", number / (max(partials, number) + 1), f"unfinished picture {number} of {partials}"))
    raise ValueError("the stream ended without a picture")


def document(model: models.Model, request: Request) -> dict[str, Any]:
    """The fields of the submit, every default made explicit."""
    frame, params = models.size(model, request), request.params
    return {
        "model": model.id,
        "prompt": params["prompt"],
        "n": int(params.get("n") or 1),
        "size": frame.name if frame else "auto",
        "quality": params.get("quality") or "medium",
        "background": params.get("background") or "auto",
        "output_format": params.get("format") or "png",
    }


def _opened(path: str) -> Any:
    try:
        return open(path, "rb")
    except OSError as error:
        raise SubmitError(Outcome.REFUSED, "no file", str(error.strerror)) from error


def _plain(data: bytes) -> dict[str, Any]:
    found = json.loads(data, parse_float=Decimal)
    if not isinstance(found, dict):
        raise TypeError("not an object")
    return found


def failure(error: "openai.APIStatusError") -> SubmitError:
    """What an answer without a result means."""
    code = str(error.code or error.type or "")
    headers = {name.lower(): value for name, value in error.response.headers.items()}
    body = error.body if isinstance(error.body, Mapping) else {}
    outcome = decide(OUTCOMES, error.status_code, code, str(body.get("message", "")))
    return SubmitError(outcome, code or f"http {error.status_code}", _worded(body), seconds_of(headers), error.status_code)


def broken_off(error: "openai.APIError") -> SubmitError:
    """What an error means that came after the answer had begun: a refusal by moderation is final, all else unknown."""
    body = error.body if isinstance(error.body, Mapping) else {}
    code = str(error.code or body.get("code") or "")
    if code in MODERATED:
        return SubmitError(Outcome.REFUSED, code, _worded(body))
    return SubmitError(Outcome.UNKNOWN, code or type(error).__name__, _worded(body) or "the answer could not be read")


def _worded(body: Mapping[str, Any]) -> str:
    """The message, and for a refusal its stage and categories where they are told."""
    parts = [str(body.get("message") or "")]
    details = body.get("moderation_details")
    if isinstance(details, Mapping):
        categories = details.get("categories")
        listed = ", ".join(str(name) for name in categories) if isinstance(categories, list) else ""
        parts.append(f"({details.get('moderation_stage', '')}: {listed})")
    return " ".join(part for part in parts if part)


def charged(usage: object, model: models.Model) -> Decimal | None:
    """What the tokens cost at the table's rates; None where either is not told."""
    if not isinstance(usage, Mapping) or not model.per_million:
        return None
    details = usage.get("input_tokens_details")
    details = details if isinstance(details, Mapping) else {}
    out, text, image = usage.get("output_tokens"), details.get("text_tokens"), details.get("image_tokens")
    if text is None and image is None:
        text, image = usage.get("input_tokens"), 0
    counts = {"out": out, "text": text, "image": image}
    if not all(isinstance(count, int) for count in counts.values()):
        return None
    return sum((model.per_million[kind] * int(count or 0) / models.MILLION for kind, count in counts.items()), Decimal(0))


def picture_price(model: models.Model, request: Request, partials: int = 0) -> Price | None:
    """n pictures at the published sizes next to the wanted one, and the tokens of prompt, photos and `partials`."""
    frame, quality = models.size(model, request), str(request.params.get("quality") or "medium")
    tiers = [quality] if quality != "auto" else list(model.per_picture)
    prices = [price for tier in tiers for price in _beside(model.per_picture.get(tier, ()), frame)]
    if not prices or not model.per_million:
        return None
    count, photos = int(request.params.get("n") or 1), len(request.files)
    text = len(str(request.params.get("prompt", "")).encode())
    low, high = (
        (model.per_million["text"] * words + model.per_million["image"] * photos * tokens) / models.MILLION
        for words, tokens in zip((text // 8, text + 200), TOKENS_A_PHOTO, strict=True)
    )
    high += model.per_million["out"] * PARTIAL_TOKENS * partials / models.MILLION
    return Price(min(prices) * count + low, (max(prices) * count + high) * SAFETY)


def _beside(rows: Sequence[tuple[int, Decimal]], frame: models.Size | None) -> Iterator[Decimal]:
    """The prices of the published sizes just below and just above a frame."""
    if not rows or frame is None:
        return
    pixels = frame.width * frame.height
    below = [price for size, price in rows if size <= pixels]
    above = [price for size, price in rows if size >= pixels]
    yield (below or [rows[0][1]])[-1]
    yield (above or [rows[-1][1]])[0]


def spoken_price(model: models.Model, request: Request) -> Price | None:
    """By the minute; the length is told in `seconds`."""
    length = request.params.get("seconds")
    if model.per_minute is None or not isinstance(length, int | float):
        return None
    cost = model.per_minute * Decimal(str(length)) / 60
    return Price(cost, cost + model.per_minute / 30)
